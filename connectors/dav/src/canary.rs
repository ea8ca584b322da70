//! Proving that nobody hears of a meeting that is moved: with two accounts, by doing it.

use crate::{
    DavTarget,
    account::Link,
    ask::{self, If, Making},
    faults,
    homes::Home,
    paths::{below, folder, item_name, last_name},
    read::Reader,
    server::Kind,
    watch::Watch,
};
use async_trait::async_trait;
use bytes::Bytes;
use transhume_contract::{
    AccountId, Appearance, Canary, Fault, Finding, Reach, Scheduling, Severity, UNVERSIONED, What, Workload,
};

/// The calendar that the meeting is put into, and that is removed after.
const NAME: &str = "transhume canary";
/// A server may deliver after it has answered.
const LATER: std::time::Duration = std::time::Duration::from_millis(500);

#[async_trait]
impl Canary for DavTarget {
    async fn method(&self, account: &AccountId) -> Result<Option<String>, Fault> {
        let home = self.link(account).home().await?;
        let way = match (home.scheduling(), home.server.kind) {
            (Scheduling::Unneeded, Kind::Nextcloud) => "header",
            (Scheduling::ByClient, _) if home.server.imports() => "schedule-agent-client, one by one and together",
            (Scheduling::ByClient, _) => "schedule-agent-client",
            (Scheduling::Unneeded | Scheduling::NoOrganizer, _) => return Ok(None),
        };
        let version = home.server.version.as_deref().unwrap_or(UNVERSIONED);
        Ok(Some(format!("{} {version} {way}", home.server.name())))
    }

    async fn prove(&self, from: &AccountId, to: &AccountId, outside: Option<&str>) -> Result<Vec<Finding>, Fault> {
        let (organizer, invited) = (self.link(from), self.link(to));
        let (home, theirs) = (organizer.home().await?, invited.home().await?);
        if home.scheduling() == Scheduling::NoOrganizer {
            return Err(never(home.server.name()));
        }
        if from == to || home.calendars == theirs.calendars {
            return Err(one_account(from, to));
        }
        let probe = Probe::new(&home, &theirs, (from, to), outside)?;
        let mut watch = Watch::begin(&invited, &theirs, probe.uid.clone()).await?;
        let calendar = probe.make(&organizer, &home).await?;
        let mut outcome = probe.fly(&organizer, &mut watch, &calendar).await;
        if outcome.is_ok() && home.server.imports() {
            let together = Probe { uid: format!("{}-together", probe.uid), ..probe.clone() };
            outcome = together.fly_together(&organizer, &mut watch, &calendar).await;
        }
        let away = organizer.send(&ask::discard(&calendar)).await;
        outcome?;
        away.map(|_| probe.unseen(&home, &watch))
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

fn one_account(from: &AccountId, to: &AccountId) -> Fault {
    let sentence = format!(
        "{} and {} are one account at the target: a meeting with oneself proves nothing.",
        from.as_str(),
        to.as_str()
    );
    Fault::new(What::Unsupported, sentence)
        .reaching(Reach::Run)
        .ask("Name two accounts that differ at the target, e.g. with --account, then run `check --canary` again.")
}

/// Whose address it does not know, a server writes to nobody for: it will, as soon as it learns the address.
fn no_address(account: &AccountId) -> Fault {
    let sentence = format!(
        "The server tells no e-mail address of {}: a meeting of an account without one is nobody's there, and proves nothing.",
        account.as_str()
    );
    Fault::new(What::Unsupported, sentence).reaching(Reach::Run).ask(
        "Give both accounts their e-mail address on the server, or name two that have one (e.g. with --account), then run `check --canary` again.",
    )
}

fn no_such_address(address: &str) -> Fault {
    let shown: String = address.chars().filter(|letter| !letter.is_control()).take(100).collect();
    Fault::new(What::Unsupported, format!("`{shown}` is no e-mail address that a trial meeting could invite."))
        .reaching(Reach::Run)
        .ask("Give --trap an address on another server, whose mailbox you can look into: `name@example.org`.")
}

/// One meeting.
#[derive(Clone)]
struct Probe {
    uid: String,
    organizer: String,
    invited: Vec<String>,
    scheduling: Scheduling,
}

/// An address that a line of an event can hold as it is.
fn is_plain(address: &str) -> bool {
    let odd = |letter: char| letter.is_control() || letter.is_whitespace() || "\"<>,;:\\".contains(letter);
    address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()) && !address.contains(odd)
}

fn address(home: &Home, account: &AccountId) -> Result<String, Fault> {
    home.addresses.iter().find(|address| is_plain(address)).cloned().ok_or_else(|| no_address(account))
}

impl Probe {
    fn new(
        home: &Home,
        theirs: &Home,
        (from, to): (&AccountId, &AccountId),
        outside: Option<&str>,
    ) -> Result<Self, Fault> {
        let (organizer, mut invited) = (address(home, from)?, vec![address(theirs, to)?]);
        if invited[0] == organizer {
            return Err(one_account(from, to));
        }
        if let Some(outside) = outside {
            let known = [&home.addresses, &theirs.addresses];
            let is_theirs = known.into_iter().flatten().any(|address| address.eq_ignore_ascii_case(outside));
            if is_theirs || !is_plain(outside) {
                return Err(no_such_address(outside));
            }
            invited.push(outside.to_owned());
        }
        let now = jiff::Timestamp::now().as_nanosecond();
        let (uid, scheduling) = (format!("transhume-canary-{now}"), home.scheduling());
        Ok(Self { uid, organizer, invited, scheduling })
    }

    /// A meeting in a year, as a migration would write it.
    fn object(&self, sequence: u32) -> Bytes {
        let start = jiff::Timestamp::now().saturating_add(jiff::SignedDuration::from_hours(365 * 24));
        let start = start.unwrap_or(jiff::Timestamp::MAX).strftime("%Y%m%dT%H0000Z").to_string();
        let mark = match self.scheduling {
            Scheduling::ByClient => ";SCHEDULE-AGENT=CLIENT",
            Scheduling::Unneeded | Scheduling::NoOrganizer => "",
        };
        let invite = |address: &String| format!("ATTENDEE;PARTSTAT=NEEDS-ACTION{mark}:mailto:{address}\r\n");
        let people: String = self.invited.iter().map(invite).collect();
        let Self { uid, organizer, .. } = self;
        Bytes::from(format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//transhume//transhume//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n\
             DTSTAMP:20250101T000000Z\r\nDTSTART:{start}\r\nDURATION:PT1H\r\nSEQUENCE:{sequence}\r\n\
             SUMMARY:transhume canary {sequence}\r\nORGANIZER:mailto:{organizer}\r\n\
             ATTENDEE;PARTSTAT=ACCEPTED:mailto:{organizer}\r\n{people}END:VEVENT\r\nEND:VCALENDAR\r\n"
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
    async fn fly(&self, link: &Link, watch: &mut Watch<'_>, calendar: &str) -> Result<(), Fault> {
        let path = below(calendar, &item_name(Workload::Calendar, &self.uid));
        let reader = Reader { link: link.clone(), path: calendar.to_owned(), workload: Workload::Calendar };
        let name = item_name(Workload::Calendar, &self.uid);
        self.put(link, &path, 0, If::Nothing).await?;
        self.look(watch, "when it was placed").await?;
        let etag = reader.etag(&name).await?.ok_or_else(faults::item_vanished)?;
        self.put(link, &path, 1, If::Unchanged(&etag)).await?;
        self.look(watch, "when it was updated").await?;
        let etag = reader.etag(&name).await?.ok_or_else(faults::item_vanished)?;
        self.remove(link, &path, &etag).await?;
        self.look(watch, "when it was removed").await
    }

    /// Placed as several are placed at once, and removed.
    async fn fly_together(&self, link: &Link, watch: &mut Watch<'_>, calendar: &str) -> Result<(), Fault> {
        let answer = link.send(&ask::import(calendar, Workload::Calendar, self.object(0))).await?;
        let told = answer.imported(link.base()).unwrap_or_default();
        let stands = told.into_iter().find(|one| one.uid == self.uid).and_then(|one| one.path);
        let path = stands.ok_or_else(|| faults::refused(&link.place(), "the meeting of the trial", &answer))?;
        self.look(watch, "when it was placed with others").await?;
        let reader = Reader { link: link.clone(), path: calendar.to_owned(), workload: Workload::Calendar };
        let etag = reader.etag(&last_name(&path)).await?.ok_or_else(faults::item_vanished)?;
        self.remove(link, &path, &etag).await?;
        self.look(watch, "when it was removed").await
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

    async fn look(&self, watch: &mut Watch<'_>, when: &str) -> Result<(), Fault> {
        tokio::time::sleep(LATER).await;
        match watch.look().await? {
            Some(place) => Err(self.arrived(&place, when)),
            None => Ok(()),
        }
    }

    fn arrived(&self, place: &str, when: &str) -> Fault {
        let sentence = format!("A meeting that was moved for a trial reached {} (`{place}`) {when}.", self.invited[0]);
        Fault::new(What::Forbidden, sentence).reaching(Reach::Run).ask(
            "Move no meetings to this server: switch its invitations off first, then run `check --canary` again. What arrived there can be deleted.",
        )
    }

    /// What a connection to the server cannot show.
    fn unseen(&self, home: &Home, watch: &Watch<'_>) -> Vec<Finding> {
        let found = |sentence: String, fix: &str| Finding {
            severity: Severity::Warning,
            code: "canary_unseen".to_owned(),
            sentence,
            fix: fix.to_owned(),
        };
        let mailboxes = self.invited.join(" and of ");
        let mail =
            format!("Mail cannot be seen from here: look into the mailbox of {mailboxes} for the trial's `{NAME}`.");
        let mut unseen =
            vec![found(mail, "If it is there, push no calendars: switch the server's invitations off first.")];
        if !watch.saw_inbox() {
            let inbox = format!(
                "The server showed no scheduling inbox of {}: only its calendars were looked at.",
                self.invited[0]
            );
            unseen.push(found(inbox, ""));
        }
        if home.server.kind == Kind::Davical {
            let rights =
                "DAViCal delivers only between accounts that granted each other the right to schedule.".to_owned();
            let step = "Let the two accounts of the trial grant each other that right first, else it shows nothing.";
            unseen.push(found(rights, step));
        }
        unseen
    }
}
