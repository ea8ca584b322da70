//! Newer events that the target refuses for good: they wait in quarantine, and the old ones stand.

use crate::{
    in_place::{Agenda, CALENDAR, event},
    wires::{Behind, Between},
};
use async_trait::async_trait;
use futures::StreamExt;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use transhume::engine::{Engine, Half, Mover};
use transhume_contract::{Cause, Collection, Fault, IntentId, Placed, Placing, Target, TargetTraits, What};

/// Takes what is new, and nothing that is to replace it.
struct Refusing {
    target: Arc<dyn Target>,
    /// The largest item it says that it takes.
    most: Option<u64>,
    /// What was sent in vain.
    refused: Arc<AtomicU32>,
    refuses: bool,
}

#[async_trait]
impl Between for Refusing {
    fn target(&self) -> &dyn Target {
        &*self.target
    }
    fn alter(&self, traits: TargetTraits) -> TargetTraits {
        TargetTraits { max_item_bytes: self.most, ..traits }
    }
    async fn place_one(&self, at: &Collection, placing: Placing) -> (IntentId, Result<Placed, Fault>) {
        if self.refuses && placing.instead.is_some() {
            self.refused.fetch_add(1, Ordering::SeqCst);
            let refused = Fault::new(What::Malformed, "it takes no newer one").skip(Cause::RefusedByTarget);
            return (placing.intent, Err(refused));
        }
        self.target.place(at, vec![placing]).collect::<Vec<_>>().await.pop().unwrap()
    }
}

struct Stage {
    agenda: Agenda,
    refused: Arc<AtomicU32>,
}

impl Stage {
    /// An event stands there, and a newer one was refused.
    async fn new() -> Self {
        let mut stage = Self { agenda: Agenda::new().await, refused: Arc::default() };
        stage.agenda.told("first", "red");
        stage.run().await;
        stage.agenda.told("second", "red");
        let (_, movers) = stage.run().await;
        assert_eq!((stage.agenda.owing(&movers).await, stage.sent()), ((0, 0, 0), 1));
        assert_eq!(stage.agenda.standing(), [event("first", "red")]);
        assert_eq!(stage.agenda.setbacks().await, [("it takes no newer one".to_owned(), true)]);
        stage
    }

    fn target(&self, most: Option<u64>, refuses: bool) -> Arc<dyn Target> {
        let (target, refused) = (self.agenda.folder(), self.refused.clone());
        Arc::new(Behind(Refusing { target, most, refused, refuses }))
    }

    /// One run of the program.
    async fn run(&mut self) -> (Engine, Vec<Mover>) {
        self.agenda.next_run().await;
        self.agenda.pass(self.target(None, true)).await
    }

    /// How often something was sent in vain.
    fn sent(&self) -> u32 {
        self.refused.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_newer_event_that_was_refused_for_good_is_not_sent_again_until_it_is_another_one() {
    let mut stage = Stage::new().await;
    for _ in 0..2 {
        stage.run().await;
        assert_eq!(stage.sent(), 1, "it would be refused again");
    }
    stage.agenda.told("third", "red");
    stage.run().await;
    assert_eq!(stage.sent(), 2, "the source has a newer one");
    // Another edition of the conversions, once.
    stage.agenda.errs = true;
    for _ in 0..2 {
        stage.run().await;
        assert_eq!(stage.sent(), 3, "it is rendered otherwise");
    }
    assert_eq!(stage.agenda.standing(), [event("first", "red")]);
}

#[tokio::test]
async fn a_newer_event_that_was_refused_for_good_is_sent_again_when_somebody_asks() {
    let mut stage = Stage::new().await;
    let (engine, movers) = stage.run().await;
    let push = Half::Push { repair: false };
    assert_eq!(engine.release(stage.agenda.project(), &movers, push).await.unwrap(), 1);
    engine.pass(stage.agenda.project(), &movers, push).await.unwrap();
    assert_eq!((stage.sent(), stage.agenda.standing()), (2, vec![event("first", "red")]));
    stage.agenda.next_run().await;
    let (engine, movers) = stage.agenda.pass(stage.target(None, false)).await;
    engine.release(stage.agenda.project(), &movers, push).await.unwrap();
    engine.pass(stage.agenda.project(), &movers, push).await.unwrap();
    assert_eq!((stage.agenda.owing(&movers).await, stage.agenda.standing()), ((0, 0, 0), vec![event("second", "red")]));
    assert!(stage.agenda.setbacks().await.is_empty());
}

#[tokio::test]
async fn what_is_too_large_for_the_target_is_sent_once_it_takes_larger_ones() {
    let mut stage = Stage { agenda: Agenda::new().await, refused: Arc::default() };
    stage.agenda.told("first", "red");
    let small = Some(event("first", "red").len() as u64);
    stage.agenda.pass(stage.target(small, false)).await;
    stage.agenda.told("the second one", "red");
    for _ in 0..2 {
        stage.agenda.next_run().await;
        let (_, movers) = stage.agenda.pass(stage.target(small, false)).await;
        assert_eq!((stage.agenda.owing(&movers).await, stage.agenda.setbacks().await.len()), ((0, 0, 0), 1));
        assert_eq!(stage.agenda.standing(), [event("first", "red")]);
    }
    stage.agenda.next_run().await;
    let (_, movers) = stage.agenda.pass(stage.target(Some(10_000), false)).await;
    assert_eq!((stage.agenda.owing(&movers).await, stage.agenda.setbacks().await), ((0, 0, 0), vec![]));
    assert_eq!(stage.agenda.standing(), [event("the second one", "red")]);
    let store = stage.agenda.project().open_account(&stage.agenda.account.id).await.unwrap();
    assert!(store.totals(CALENDAR).await.unwrap().quarantined.is_empty());
}
