//! Proving that nobody hears of a meeting that is moved: with two accounts, by doing it.

use crate::{
    DavTarget,
    account::Link,
    ask::{self, If, Making},
    collections::Shelf,
    faults,
    homes::Home,
    lines,
    paths::{below, folder, item_name, last_name},
    read::Reader,
    server::Kind,
};
use async_trait::async_trait;
use bytes::Bytes;
use transhume_contract::{AccountId, Appearance, Canary, Fault, Reach, Scheduling, What, Workload};

/// The calendar that the meeting is put into, and that is removed after.
const NAME: &str = "transhume canary";
/// A server may deliver after it has answered.
const LATER: std::time::Duration = std::time::Duration::from_millis(500);

#[async_trait]
impl Canary for DavTarget {
    async fn method(&self, account: &AccountId) -> Result<Option<String>, Fault> {
        let home = self.link(account).home().await?;
        let way = match (home.server.scheduling(), home.server.kind) {
            (Scheduling::Unneeded, Kind::Nextcloud) => "header",
            (Scheduling::ByClient, _) if home.server.imports() => "schedule-agent-client, one by one and together",
            (Scheduling::ByClient, _) => "schedule-agent-client",
            (Scheduling::Unneeded | Scheduling::NoOrganizer, _) => return Ok(None),
        };
        let version = home.server.version.as_deref().unwrap_or("unknown version");
        Ok(Some(format!("{} {version} {way}", home.server.name())))
    }

    async fn prove(&self, from: &AccountId, to: &AccountId) -> Result<(), Fault> {
        let (organizer, invited) = (self.link(from), self.link(to));
        let (home, theirs) = (organizer.home().await?, invited.home().await?);
        if home.server.scheduling() == Scheduling::NoOrganizer {
            return Err(never(home.server.name()));
        }
        let probe = Probe::new(&home, &theirs, (from, to));
        let calendar = probe.make(&organizer, &home).await?;
        let mut outcome = probe.fly(&organizer, &invited, &theirs, &calendar).await;
        if outcome.is_ok() && home.server.imports() {
            let probe = Probe { uid: format!("{}-together", probe.uid), ..probe };
            outcome = probe.fly_together(&organizer, &invited, &theirs, &calendar).await;
        }
        let away = organizer.send(&ask::discard(&calendar)).await;
        outcome?;
        away.map(|_| ())
    }
}

/// It would mail people to find out whether it mails people.
fn never(server: &str) -> Fault {
    let sentence =
        format!("No meeting is sent to {server} as a trial: it is known to mail the people of every meeting.");
    Fault::new(What::Unsupported, sentence)
        .reaching(Reach::Run)
        .ask("Nothing is to be done: meetings go there without organiser and people, and so without mail.")
}

/// One meeting.
struct Probe {
    uid: String,
    organizer: String,
    invited: String,
    scheduling: Scheduling,
}

/// An address as the server knows it, else the login.
fn address(home: &Home, account: &AccountId) -> String {
    let known = home.addresses.iter().find(|address| address.contains('@')).cloned();
    let text = known.unwrap_or_else(|| account.as_str().to_owned());
    text.chars().filter(|letter| !letter.is_control()).collect()
}

impl Probe {
    fn new(home: &Home, theirs: &Home, (from, to): (&AccountId, &AccountId)) -> Self {
        let now = jiff::Timestamp::now().as_nanosecond();
        Self {
            uid: format!("transhume-canary-{now}"),
            organizer: address(home, from),
            invited: address(theirs, to),
            scheduling: home.server.scheduling(),
        }
    }

    /// A meeting in a year, as a migration would write it.
    fn object(&self, sequence: u32) -> Bytes {
        let start = jiff::Timestamp::now().saturating_add(jiff::SignedDuration::from_hours(365 * 24));
        let start = start.unwrap_or(jiff::Timestamp::MAX).strftime("%Y%m%dT%H0000Z").to_string();
        let mark = match self.scheduling {
            Scheduling::ByClient => ";SCHEDULE-AGENT=CLIENT",
            Scheduling::Unneeded | Scheduling::NoOrganizer => "",
        };
        let Self { uid, organizer, invited, .. } = self;
        Bytes::from(format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//transhume//transhume//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n\
             DTSTAMP:20250101T000000Z\r\nDTSTART:{start}\r\nDURATION:PT1H\r\nSEQUENCE:{sequence}\r\n\
             SUMMARY:transhume canary {sequence}\r\nORGANIZER:mailto:{organizer}\r\n\
             ATTENDEE;PARTSTAT=ACCEPTED:mailto:{organizer}\r\n\
             ATTENDEE;PARTSTAT=NEEDS-ACTION{mark}:mailto:{invited}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        ))
    }

    async fn make(&self, link: &Link, home: &Home) -> Result<String, Fault> {
        let base = home
            .of(Workload::Calendar)
            .ok_or_else(|| faults::no_calendars(&link.place(), link.account.id.as_str(), "calendars"))?;
        let path = folder(&below(base, &self.uid));
        let (workload, appearance) = (Workload::Calendar, &Appearance::default());
        let making = Making { workload, name: NAME, appearance, doubles_percent: false };
        let answer = link.send(&ask::make(&path, &making)).await?;
        match answer.inner_status() {
            200 | 201 => Ok(path),
            _ => Err(faults::collection_refused(&link.place(), "to make a calendar for the trial", &answer)),
        }
    }

    /// Placed, updated, and removed.
    async fn fly(&self, link: &Link, invited: &Link, theirs: &Home, calendar: &str) -> Result<(), Fault> {
        let path = below(calendar, &item_name(Workload::Calendar, &self.uid));
        let reader = Reader { link: link.clone(), path: calendar.to_owned(), workload: Workload::Calendar };
        let name = item_name(Workload::Calendar, &self.uid);
        self.put(link, &path, 0, If::Nothing).await?;
        self.look(invited, theirs, "when it was placed").await?;
        let etag = reader.etag(&name).await?.ok_or_else(faults::item_vanished)?;
        self.put(link, &path, 1, If::Unchanged(&etag)).await?;
        self.look(invited, theirs, "when it was updated").await?;
        let etag = reader.etag(&name).await?.ok_or_else(faults::item_vanished)?;
        self.remove(link, &path, &etag).await?;
        self.look(invited, theirs, "when it was removed").await
    }

    /// Placed as several are placed at once, and removed.
    async fn fly_together(&self, link: &Link, invited: &Link, theirs: &Home, calendar: &str) -> Result<(), Fault> {
        let answer = link.send(&ask::import(calendar, Workload::Calendar, self.object(0))).await?;
        let told = answer.imported(link.base()).unwrap_or_default();
        let stands = told.into_iter().find(|one| one.uid == self.uid).and_then(|one| one.path);
        let path = stands.ok_or_else(|| faults::refused(&link.place(), "the meeting of the trial", &answer))?;
        self.look(invited, theirs, "when it was placed with others").await?;
        let reader = Reader { link: link.clone(), path: calendar.to_owned(), workload: Workload::Calendar };
        let etag = reader.etag(&last_name(&path)).await?.ok_or_else(faults::item_vanished)?;
        self.remove(link, &path, &etag).await?;
        self.look(invited, theirs, "when it was removed").await
    }

    async fn remove(&self, link: &Link, path: &str, etag: &str) -> Result<(), Fault> {
        let answer = link.send(&ask::delete(path, etag)).await?;
        match answer.status {
            200 | 204 => Ok(()),
            _ => Err(faults::refused(&link.place(), "to remove the meeting of the trial", &answer)),
        }
    }

    async fn put(&self, link: &Link, path: &str, sequence: u32, condition: If<'_>) -> Result<(), Fault> {
        let answer = link.send(&ask::put(path, Workload::Calendar, self.object(sequence), condition)).await?;
        match answer.stored() {
            true => Ok(()),
            false => Err(faults::refused(&link.place(), "the meeting of the trial", &answer)),
        }
    }

    /// Whether anything of the meeting is in one of the invited account's calendars or its inbox.
    async fn look(&self, invited: &Link, theirs: &Home, when: &str) -> Result<(), Fault> {
        tokio::time::sleep(LATER).await;
        for (name, path) in self.places(invited, theirs).await? {
            let reader = Reader { link: invited.clone(), path, workload: Workload::Calendar };
            let found = match reader.list().await {
                Ok((listed, _)) => reader.contents(&listed).await?,
                Err(_) if name == INBOX => continue,
                Err(fault) => return Err(fault),
            };
            if found.iter().any(|held| lines::uid(&held.content).as_deref() == Some(&self.uid)) {
                return Err(self.arrived(&name, when));
            }
        }
        Ok(())
    }

    async fn places(&self, invited: &Link, theirs: &Home) -> Result<Vec<(String, String)>, Fault> {
        let shelf = Shelf { link: invited, home: theirs, workload: Workload::Calendar };
        let standing = shelf.list().await?.into_iter().filter(|standing| standing.fits);
        let inbox = theirs.inbox.clone().map(|path| (INBOX.to_owned(), path));
        Ok(standing.map(|standing| (standing.shown(), standing.path)).chain(inbox).collect())
    }

    fn arrived(&self, name: &str, when: &str) -> Fault {
        let sentence = format!("A meeting that was moved for a trial reached {} (`{name}`) {when}.", self.invited);
        Fault::new(What::Forbidden, sentence).reaching(Reach::Run).ask(
            "Move no meetings to this server: switch its invitations off first, then run `check --canary` again. What arrived there can be deleted.",
        )
    }
}

const INBOX: &str = "its inbox";
