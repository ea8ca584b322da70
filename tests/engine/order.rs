//! In which order things happen: all is listed before the first body is asked for, what arrived is placed while the rest
//! still arrives, the newest comes first, and a small account does not wait for a large one.

use crate::world::{Ear, World, project};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
use transhume::{
    engine::{Engine, Event, Half, Lanes, Phase, Wish, discover, muster},
    store::{Opening, Project, StoreOptions},
};
use transhume_contract::{
    Access, Account, AccountPage, Collection, CollectionId, Content, Cursor, Facts, Fault, Feed, Identity, ItemRef,
    OriginalSink, Page, Source, SourceTraits, Timestamp, Traffic, Workload,
    memory::{MemorySource, MemoryTarget},
};

const LARGE: &str = "large@example.org";
/// Bodies of the large account, and what each takes: some seconds in all, several times the pause between two pushes.
const BODIES: u32 = 300;
const EACH: Duration = Duration::from_millis(60);

/// A source whose bodies take time.
struct Slow(Arc<MemorySource>);

#[async_trait]
impl Source for Slow {
    fn identity(&self) -> &Identity {
        self.0.identity()
    }
    fn traits(&self) -> SourceTraits {
        self.0.traits()
    }
    fn traffic(&self) -> Traffic {
        self.0.traffic()
    }
    async fn check(&self, account: Option<&Account>) -> Result<Access, Fault> {
        self.0.check(account).await
    }
    async fn accounts(&self, from: Option<&Cursor>) -> Result<AccountPage, Fault> {
        self.0.accounts(from).await
    }
    async fn collections(&self, account: &Account, workload: Workload) -> Result<Vec<Collection>, Fault> {
        self.0.collections(account, workload).await
    }
    async fn feeds(&self, account: &Account, collections: &[Collection]) -> Result<Vec<Feed>, Fault> {
        self.0.feeds(account, collections).await
    }
    async fn changes(&self, of: &Feed, from: Option<&Cursor>) -> Result<Page, Fault> {
        self.0.changes(of, from).await
    }
    async fn fetch(&self, item: &ItemRef, into: &mut dyn OriginalSink) -> Result<Facts, Fault> {
        sleep(EACH).await;
        self.0.fetch(item, into).await
    }
    async fn settings(&self, account: &Account, workload: Workload, into: &mut dyn OriginalSink) -> Result<(), Fault> {
        self.0.settings(account, workload, into).await
    }
}

/// Gives an account a mailbox of two folders with so many messages, each a second younger than the one before.
fn fill(source: &MemorySource, address: &str, messages: u32) {
    let account = source.add_account(address);
    let more = source.add_collection(&account.id, None, "More", transhume_contract::Role::Ordinary);
    for number in 0..messages {
        let at = if number % 2 == 0 { CollectionId::new("folder-0") } else { more.clone() };
        let received = Timestamp::from_second(1_700_000_000 + i64::from(number)).ok();
        let facts = Facts { received, message_id: Some(format!("<{number}@{address}>")), ..Facts::default() };
        let text = format!("Subject: {number}\r\n\r\nbody\r\n");
        source.put(&account.id, &at, &format!("m{number:04}"), Content::Fixed, facts, text);
    }
}

/// Moves everybody in one run, `at_once` accounts side by side, and answers what was told, in order.
async fn moved(people: &[(&str, u32)], at_once: usize) -> Vec<Event> {
    let source = Arc::new(MemorySource::new(50));
    people.iter().for_each(|(address, messages)| fill(&source, address, *messages));
    let ear = Arc::new(Ear::default());
    let world = World::new(true);
    let engine = Engine {
        lanes: Lanes { accounts: at_once, bodies: 1 },
        ..world.engine_with(Arc::new(Slow(source)), Arc::new(MemoryTarget::new(true)), ear.clone())
    };
    let dir = project().await;
    let opening = Opening::Running { verb: "run".into() };
    let project = Project::open(dir.path(), opening, StoreOptions::default()).await.unwrap();
    engine.bind(&project).await.unwrap();
    discover(&*engine.source, &project, &*engine.observer, &engine.stop).await.unwrap();
    let wish = |(address, _): &(&str, u32)| {
        let login = address.split('@').next().unwrap().into();
        Wish { source: (*address).into(), target: login, wave: "1".into() }
    };
    let wishes: Vec<_> = people.iter().map(wish).collect();
    let (movers, _) = muster(&project, &wishes).await.unwrap();
    engine.pass(&project, &movers, Half::Both).await.unwrap();
    ear.0.lock().unwrap().clone()
}

fn first(events: &[Event], what: impl Fn(&Event) -> bool) -> usize {
    events.iter().position(what).expect("it was never told")
}

fn last(events: &[Event], what: impl Fn(&Event) -> bool) -> usize {
    events.iter().rposition(what).expect("it was never told")
}

fn placed(events: &[Event], of: &str) -> u64 {
    let items = |event: &Event| match event {
        Event::Placed { account, items, .. } if account == of => *items,
        _ => 0,
    };
    events.iter().map(items).sum()
}

#[tokio::test]
async fn the_listing_is_drained_before_the_first_body_and_pushing_overlaps_pulling() {
    let events = moved(&[(LARGE, BODIES)], 1).await;
    let fetched = |event: &Event| matches!(event, Event::Fetched { .. });
    let listed: u64 = events
        .iter()
        .take(first(&events, fetched))
        .map(|event| if let Event::Listed { items, .. } = event { *items } else { 0 })
        .sum();
    assert_eq!(listed, u64::from(BODIES), "every page of every folder is there when the first body comes");
    assert!(last(&events, |event| matches!(event, Event::Listed { .. })) < first(&events, fetched));
    let pulled = first(&events, |event| matches!(event, Event::Finished { phase: Phase::Pull, .. }));
    let early = placed(&events[..pulled], LARGE);
    assert!(early >= u64::from(BODIES) / 4, "only {early} of {BODIES} stood there when the last body came");
    assert_eq!(placed(&events, LARGE), u64::from(BODIES));
}

#[tokio::test]
async fn small_accounts_end_while_a_large_one_is_still_under_way() {
    let small = ["ann@example.org", "bob@example.org", "cid@example.org", "dee@example.org"];
    let people: Vec<_> = std::iter::once((LARGE, BODIES)).chain(small.map(|address| (address, 5))).collect();
    let events = moved(&people, 2).await;
    let of = |whom: &str, wanted: Phase| {
        let whom = whom.to_owned();
        move |event: &Event| matches!(event, Event::Finished { account, phase } if *account == whom && *phase == wanted)
    };
    let large = first(&events, of(LARGE, Phase::Pull));
    for address in small {
        let ended = first(&events, of(address, Phase::Push));
        assert!(ended < large, "{address} waited for the large account");
        assert_eq!(placed(&events[..large], address), 5);
    }
    assert_eq!(placed(&events, LARGE), u64::from(BODIES));
}
