//! Versions that no answer told, learnt at the end of the pass from what stands there: where that cannot be read.

use crate::{
    in_place::{Agenda, CALENDAR, event},
    wires::{Behind, Between},
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
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
        let all: Vec<_> = futures::StreamExt::collect(self.target.place(at, vec![placing])).await;
        let answer = all.into_iter().next().unwrap().1;
        (intent, answer.map(|placed| Placed { version: None, ..placed }))
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
    let (mut agenda, refused) = (Agenda::new().await, Arc::default());
    let private = agenda.source.add_collection(&agenda.account.id, None, "Private", Role::Ordinary);
    agenda.told("first", "red");
    let (account, text) = (&agenda.account.id, event("second", "blue"));
    agenda.source.put(account, &private, "two", Content::FollowsVersion, Facts::default(), text);
    let of = |council, private| BTreeMap::from([("Council".to_owned(), council), ("Private".to_owned(), private)]);
    for first in ["Council", "Private"] {
        let learnt = pass(&agenda, Some(first), &refused).await;
        assert!(refused.load(Ordering::SeqCst) > 0);
        match first {
            "Council" => assert_eq!(learnt, of(false, true)),
            _ => assert_eq!(learnt, of(true, true), "it has nothing to learn of the other any more"),
        }
        agenda.next_run().await;
    }
    assert_eq!(pass(&agenda, None, &refused).await, of(true, true));
}
