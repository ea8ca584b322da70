//! The target before a server that somebody else started, by hand: `tests/CONFORMANCE.md` says what these tests need and
//! what came of them. The accounts are for trials: collections whose names begin with `Conformance` are deleted first.

use crate::{
    raw::Raw,
    setting::{event, observe, place, place_one, placing},
};
use async_trait::async_trait;
use futures::StreamExt;
use std::sync::Arc;
use transhume_contract::{
    AccountId, Appearance, Cause, Collection, CollectionId, Credential, Depth, Fault, Placing, Remedy, Role,
    Scheduling, Secret, Target, Wanted, What, Workload, conformance,
};
use transhume_dav::{DavConfig, DavTarget};

const WORKLOADS: [Workload; 3] = [Workload::Calendar, Workload::Tasks, Workload::Contacts];
/// Nothing of a server of its own may be taken for a trial's.
const OURS: &str = "Conformance";

fn told(name: &str) -> Option<String> {
    std::env::var(format!("TRANSHUME_DAV_{name}")).ok().filter(|text| !text.is_empty())
}

fn needed(name: &str) -> String {
    told(name).unwrap_or_else(|| panic!("TRANSHUME_DAV_{name} is not set: see tests/CONFORMANCE.md"))
}

/// An account of the server: `login,password,address`.
#[derive(Clone)]
struct Given {
    id: AccountId,
    password: String,
    address: String,
}

impl Given {
    fn named(name: &str) -> Self {
        let text = needed(name);
        let parts: Vec<_> = text.splitn(3, ',').collect();
        let [login, password, address] = parts[..] else { panic!("TRANSHUME_DAV_{name}: login,password,address") };
        Self { id: AccountId::new(login), password: password.to_owned(), address: address.to_owned() }
    }

    fn raw(&self) -> Raw {
        Raw::new(&needed("URL"), self.id.as_str(), &self.password)
    }

    fn wanted(&self, workload: Workload, name: &str) -> Wanted {
        Wanted {
            account: self.id.clone(),
            workload,
            path: vec![OURS.to_owned(), name.to_owned()],
            parent: None,
            role: Role::Ordinary,
            known: None,
            adopt: false,
            claimed: Arc::default(),
            appearance: Appearance::default(),
        }
    }

    /// For good: some servers keep what is deleted, and its name with it.
    async fn clear(&self, target: &DavTarget) {
        for workload in WORKLOADS {
            for left in target.others(&self.id, workload, &[]).await.unwrap() {
                if left.name.starts_with(OURS) {
                    let silent =
                        [("schedule-reply", "F"), ("x-nc-scheduling", "false"), ("x-nc-caldav-no-trashbin", "1")];
                    self.raw().status("DELETE", left.id.as_str(), &silent, None).await;
                }
            }
        }
    }
}

/// Each account's own password, or an administrator's for all of them.
struct Passwords {
    accounts: [Given; 2],
    master: Option<(String, String)>,
}

#[async_trait]
impl Credential for Passwords {
    async fn secret(&self, account: &AccountId) -> Result<Secret, Fault> {
        let user = account.as_str().to_owned();
        if let Some((authority, password)) = self.master.clone() {
            return Ok(Secret::Acting { user, authority, password: password.into() });
        }
        let own = self.accounts.iter().find(|known| known.id == *account).unwrap();
        Ok(Secret::Password { user, password: own.password.clone().into() })
    }
}

/// The server and its two accounts, cleared of what an earlier trial left.
async fn given() -> (DavTarget, Given, Given) {
    let accounts = [Given::named("ALICE"), Given::named("BOB")];
    let master =
        told("MASTER").map(|text| text.split_once(',').map(|(a, b)| (a.into(), b.into())).expect("login,password"));
    let config = DavConfig { principal: told("PRINCIPAL"), ..DavConfig::new(needed("URL")) };
    let [alice, bob] = accounts.clone();
    let target = DavTarget::new(config, Arc::new(Passwords { accounts, master })).unwrap();
    alice.clear(&target).await;
    bob.clear(&target).await;
    (target, alice, bob)
}

#[tokio::test]
#[ignore = "needs a server: see tests/CONFORMANCE.md"]
async fn a_given_server_conforms() {
    let (target, alice, _) = given().await;
    let mut failed = Vec::new();
    for workload in WORKLOADS {
        let report = conformance::objects(&target, &alice.id, workload).await;
        failed.extend((!report.passed()).then(|| format!("{workload}\n{report}")));
    }
    assert!(failed.is_empty(), "{}", failed.concat());
    alice.clear(&target).await;
}

/// Alice's meeting with bob and somebody outside, as it is written for the server; loud, as any program would.
fn meeting(uid: &str, sequence: u32, (alice, bob): (&Given, &Given), mark: &str) -> String {
    let (alice, bob) = (&alice.address, &bob.address);
    event(
        uid,
        &format!(
            "SEQUENCE:{sequence}\r\nORGANIZER:mailto:{alice}\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:{alice}\r\n\
             ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE{mark}:mailto:{bob}\r\n\
             ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE{mark}:mailto:out@elsewhere.example\r\n"
        ),
    )
}

/// The UIDs in an account's calendars and its scheduling inbox, of this trial.
async fn heard(target: &DavTarget, account: &Given, prefix: &str) -> Vec<String> {
    // An account that nobody used yet has none.
    target.ensure(&account.wanted(Workload::Calendar, "Invited")).await.unwrap();
    let mut places = target.others(&account.id, Workload::Calendar, &[]).await.unwrap();
    let home = places[0].id.as_str().trim_end_matches('/').rsplit_once('/').unwrap().0.to_owned();
    let inboxes = ["inbox", "Inbox"].map(|name| CollectionId::new(format!("{home}/{name}/")));
    places.extend(inboxes.map(|id| Collection { id, ..places[0].clone() }));
    let mut uids = Vec::new();
    for at in places {
        let seen: Vec<_> = target.observe(&at, Depth::Content.into()).collect().await;
        for one in seen {
            match one {
                Ok(one) => uids.extend(one.facts.message_id),
                Err(fault) => assert_eq!(fault.what, What::Vanished, "{}: {fault}", at.id.as_str()),
            }
        }
    }
    uids.retain(|uid| uid.starts_with(prefix));
    uids
}

/// What the trap on the server's mail outlet has written so far.
fn trapped() -> Option<u64> {
    told("TRAP").map(|path| std::fs::metadata(path).map_or(0, |file| file.len()))
}

/// Long enough for a server that mails after it answered.
async fn later() {
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
}

/// 200 meetings are placed, replaced, moved and withdrawn. Nobody hears of it, and those who listen are not deaf: a
/// meeting that another program writes is heard.
#[tokio::test]
#[ignore = "needs a server, and mails people of its trial accounts: see tests/CONFORMANCE.md"]
async fn a_given_server_mails_nobody() {
    let (target, alice, bob) = given().await;
    let people = (&alice, &bob);
    let objects = target.traits(&alice.id).await.unwrap().profile.objects.unwrap();
    let mark = if objects.scheduling == Scheduling::ByClient { ";SCHEDULE-AGENT=CLIENT" } else { "" };
    let run = format!("trial-{}", std::process::id());
    target.canary().unwrap().prove(&alice.id, &bob.id, None).await.unwrap();
    let before = trapped();
    let at = target.ensure(&alice.wanted(Workload::Calendar, "Meetings")).await.unwrap();
    let other = target.ensure(&alice.wanted(Workload::Calendar, "More")).await.unwrap();
    let mut placed = Vec::new();
    for n in 0..200 {
        let uid = format!("{run}-{n}");
        placed.push(place_one(&target, &at, &uid, &meeting(&uid, 0, people, mark)).await.unwrap());
    }
    let again = |n: usize| {
        let uid = format!("{run}-{n}");
        Placing { instead: Some(placed[n].clone()), ..placing(&uid, &meeting(&uid, 1, people, mark)) }
    };
    let answers = place(&target, &at, (0..100).map(again).collect()).await;
    assert!(answers.iter().all(|(_, answer)| answer.is_ok()));
    for placement in &placed[100..130] {
        target.withdraw(placement).await.unwrap();
    }
    for placement in &placed[130..] {
        target.relocate(placement, &other, None).await.unwrap();
    }
    assert_eq!((observe(&target, &at).await.len(), observe(&target, &other).await.len()), (100, 70));
    later().await;
    assert_eq!(heard(&target, &bob, &run).await, Vec::<String>::new());
    assert_eq!(trapped(), before, "mails left");
    listens(&target, people, &at, &format!("{run}-loud")).await;
    alice.clear(&target).await;
    bob.clear(&target).await;
}

/// The control: a meeting that nothing keeps silent arrives, and its mail is caught where a trap stands.
async fn listens(target: &DavTarget, people: (&Given, &Given), at: &Collection, uid: &str) {
    let before = trapped();
    let path = format!("{}{uid}.ics", at.id.as_str());
    let status = people.0.raw().status("PUT", &path, &[], Some(meeting(uid, 0, people, ""))).await;
    assert!(matches!(status, 201 | 204), "status {status}");
    later().await;
    let arrived = heard(target, people.1, uid).await.len();
    let caught = trapped().zip(before).map(|(now, before)| now.saturating_sub(before));
    assert!(arrived > 0 || caught.unwrap_or_default() > 0, "whoever listens here is deaf");
    assert!(caught.is_none_or(|bytes| bytes > 0), "the trap is deaf");
}

/// What stood there and was withdrawn, and what is larger than servers like: taken, or refused by itself for what it is.
#[tokio::test]
#[ignore = "needs a server: see tests/CONFORMANCE.md"]
async fn a_given_server_takes_it_or_says_why() {
    let (target, alice, _) = given().await;
    let at = target.ensure(&alice.wanted(Workload::Calendar, "Withdrawn")).await.unwrap();
    let placed = place_one(&target, &at, "withdrawn", &event("withdrawn", "")).await.unwrap();
    target.withdraw(&placed).await.unwrap();
    if let Err(fault) = place_one(&target, &at, "withdrawn", &event("withdrawn", "")).await {
        assert_eq!((fault.what, fault.remedy), (What::Exists, Remedy::Skip(Cause::DuplicateUid)));
        assert!(fault.sentence.contains("trash"), "{}", fault.sentence);
    }
    let book = target.ensure(&alice.wanted(Workload::Contacts, "Large")).await.unwrap();
    let note = ["x".repeat(70)].iter().cycle().take(76_000).cloned().collect::<Vec<_>>().join("\r\n ");
    let card =
        format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:large\r\nFN:Large\r\nN:Large;;;;\r\nNOTE:{note}\r\nEND:VCARD\r\n");
    if let Err(fault) = place_one(&target, &book, "large", &card).await {
        assert_eq!((fault.what, fault.remedy), (What::TooLarge, Remedy::Skip(Cause::OverTargetLimit)));
    }
    alice.clear(&target).await;
}
