//! Versions that no answer told, learnt at the end of the pass from what stands there: where that cannot be read.

use crate::{
    in_place::{Agenda, CALENDAR, event, files},
    wires::{Behind, Between},
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use transhume::engine::{Policy, account_standing};
use transhume_contract::{
    Collection, Content, Facts, Fault, Found, IntentId, NaturalKey, Placed, Placing, Reach, Role, Target, What,
};

/// Tells no versions, and gives nothing back of one calendar.
struct Unreadable {
    target: Arc<dyn Target>,
    calendar: Option<&'static str>,
    /// How often it was asked for that one.
    refused: Arc<AtomicU32>,
}

#[async_trait]
impl Between for Unreadable {
    fn target(&self) -> &dyn Target {
        &*self.target
    }
    async fn find(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
        if self.calendar != Some(&at.name) {
            return self.target.find(at, keys).await;
        }
        self.refused.fetch_add(1, Ordering::SeqCst);
        Err(Fault::new(What::Malformed, "it cannot be read back").reaching(Reach::Collection))
    }
    async fn place_one(&self, at: &Collection, placing: Placing) -> (IntentId, Result<Placed, Fault>) {
        let intent = placing.intent.clone();
        (intent, placed_untold(&*self.target, at, placing).await)
    }
}

/// One pass, which nothing stops. Answers of which calendars the version of their event is known.
async fn pass(agenda: &Agenda, calendar: Option<&'static str>, refused: &Arc<AtomicU32>) -> BTreeMap<String, bool> {
    let target = Unreadable { target: agenda.folder(), calendar, refused: refused.clone() };
    let (_, movers) = agenda.pass(Arc::new(Behind(target))).await;
    let store = agenda.project().open_account(&agenda.account.id).await.unwrap();
    let policy = Policy::default();
    let standing = account_standing(agenda.project(), &store, &movers[0].row, CALENDAR, &policy).await;
    assert!(standing.unwrap().stops.is_empty(), "it stops nothing");
    let mut known = BTreeMap::new();
    for (key, at) in store.target_collections(CALENDAR).await.unwrap() {
        let placed = store.placements_at(key, None, 10).await.unwrap();
        // The account has a calendar of its own, in which nothing is.
        known.extend(placed.first().map(|placed| (at.name, placed.version.is_some())));
    }
    known
}

#[tokio::test]
async fn a_calendar_that_cannot_be_read_back_stops_no_other_and_is_learnt_of_in_a_later_pass() {
    for (unreadable, known) in [("Council", [false, true]), ("Private", [true, false])] {
        let (mut agenda, refused) = (Agenda::new().await, Arc::default());
        let private = agenda.source.add_collection(&agenda.account.id, None, "Private", Role::Ordinary);
        agenda.told("first", "red");
        let (account, text) = (&agenda.account.id, event("second", "blue"));
        agenda.source.put(account, &private, "two", Content::FollowsVersion, Facts::default(), text);
        let of = |[council, private]: [bool; 2]| {
            BTreeMap::from([("Council".to_owned(), council), ("Private".to_owned(), private)])
        };
        assert_eq!(pass(&agenda, Some(unreadable), &refused).await, of(known), "{unreadable}");
        assert!(refused.load(Ordering::SeqCst) > 0);
        agenda.next_run().await;
        assert_eq!(pass(&agenda, None, &refused).await, of([true, true]), "{unreadable}");
    }
}

/// What people wrote into tells no version however often it is read: it is read back once.
#[tokio::test]
async fn what_tells_no_version_is_read_back_once_and_not_in_each_pass() {
    let mut agenda = Agenda::new().await;
    let (read, place) = (Arc::new(AtomicU32::new(0)), agenda.place());
    agenda.told("first", "red");
    for _ in 0..3 {
        let target = Written { target: agenda.folder(), place: place.clone(), read: read.clone() };
        agenda.pass(Arc::new(Behind(target))).await;
        assert_eq!(read.load(Ordering::SeqCst), 1);
        agenda.next_run().await;
    }
    // Nobody knows whose it is, and that is said.
    agenda.told("second", "red");
    let (_, movers) = agenda.pass(agenda.folder()).await;
    assert_eq!(agenda.owing(&movers).await, (0, 1, 1));
    let met = agenda.setbacks().await;
    let [(sentence, false)] = met.as_slice() else { panic!("{met:?}") };
    assert!(sentence.starts_with("It does not read as it was sent, and the target told no version"), "{sentence}");
    assert!(agenda.standing()[0].contains("COMMENT:theirs"), "{:?}", agenda.standing());
}

/// People write into what was placed before its version is known.
struct Written {
    target: Arc<dyn Target>,
    place: PathBuf,
    /// How often something was looked for.
    read: Arc<AtomicU32>,
}

#[async_trait]
impl Between for Written {
    fn target(&self) -> &dyn Target {
        &*self.target
    }
    async fn find(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
        self.read.fetch_add(1, Ordering::SeqCst);
        self.target.find(at, keys).await
    }
    async fn place_one(&self, at: &Collection, placing: Placing) -> (IntentId, Result<Placed, Fault>) {
        let intent = placing.intent.clone();
        let answer = placed_untold(&*self.target, at, placing).await;
        for path in files(&self.place) {
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace("END:VEVENT", "COMMENT:theirs\r\nEND:VEVENT")).unwrap();
        }
        (intent, answer)
    }
}

/// Places one and does not tell its version.
async fn placed_untold(target: &dyn Target, at: &Collection, placing: Placing) -> Result<Placed, Fault> {
    let all: Vec<_> = futures::StreamExt::collect(target.place(at, vec![placing])).await;
    all.into_iter().next().unwrap().1.map(|placed| Placed { version: None, ..placed })
}
