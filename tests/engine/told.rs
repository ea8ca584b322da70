//! What is told before it is too late: protected mail, and a mailbox that cannot be as empty as it looks.

use crate::world::{Ear, LOGIN, World, project};
use std::{path::Path, sync::Arc};
use transhume::{
    engine::{Event, Half, Wish, discover, muster},
    store::{Opening, Project, StoreOptions},
};
use transhume_contract::{AccountKind, Facts, ItemId, Size};

async fn opened(dir: &Path) -> Project {
    Project::open(dir, Opening::Running { verb: "run".into() }, StoreOptions::default()).await.unwrap()
}

/// What the step says that rescues it.
const STEP: &str = "have its owner decrypt it (Purview: Set-UserDecryption or an export with decryption), move it back";

#[tokio::test]
async fn protected_mail_is_counted_by_a_plan_and_a_pull_before_anything_is_fetched() {
    let (world, dir) = (World::new(true), project().await);
    for id in ["m01", "m05"] {
        let protected = Facts { protected: Some(true), ..Facts::default() };
        world.source.edit(&world.account.id, &ItemId::new(id), &protected);
    }
    let ear = Arc::new(Ear::default());
    let engine = world.engine_with(world.source.clone(), world.target.clone(), ear.clone());
    let project = opened(dir.path()).await;
    discover(&*engine.source, &project, &*engine.observer, &engine.stop).await.unwrap();
    let wishes = [Wish { source: "ada@example.org".into(), target: LOGIN.into(), wave: "1".into() }];
    let (movers, _) = muster(&project, &wishes).await.unwrap();

    let plan = engine.plan(&project, &movers, 0).await.unwrap();
    assert_eq!((plan.accounts[0].protected, world.source.fetched()), (2, 0));
    let said =
        |note: &String| note.starts_with("2 of its messages are protected by rights management") && note.contains(STEP);
    assert_eq!(plan.accounts[0].notes.iter().filter(|note| said(note)).count(), 1, "{:?}", plan.accounts[0].notes);
    let told = |ear: &Ear| {
        let heard = ear.0.lock().unwrap();
        let place = |wanted: &dyn Fn(&Event) -> bool| heard.iter().position(wanted);
        let named = place(&|event| matches!(event, Event::Protected { items: 2, rescue, .. } if rescue.contains(STEP)));
        (named, place(&|event| matches!(event, Event::Fetched { .. })))
    };
    assert_eq!(told(&ear), (None, None), "a plan tells it in its notes");

    engine.pass(&project, &movers, Half::Pull).await.unwrap();
    let (named, fetched) = told(&ear);
    assert!(named.is_some() && named < fetched, "{named:?} {fetched:?}");
}

/// The notes on an account without mail, of which discovery told this: of a plan, and of each of two passes.
async fn notes(kind: AccountKind, bytes: u64) -> [Vec<String>; 3] {
    let (world, dir) = (World::new(true), project().await);
    let bob = world.source.add_account("bob@example.org");
    world.source.describe(&bob.id, kind, Size { items: Some(30), bytes: Some(bytes) });
    let ear = Arc::new(Ear::default());
    let engine = world.engine_with(world.source.clone(), world.target.clone(), ear.clone());
    let project = opened(dir.path()).await;
    discover(&*engine.source, &project, &*engine.observer, &engine.stop).await.unwrap();
    let wishes = [Wish { source: "bob@example.org".into(), target: "bob".into(), wave: "1".into() }];
    let (movers, _) = muster(&project, &wishes).await.unwrap();
    let told = || {
        let heard = std::mem::take(&mut *ear.0.lock().unwrap());
        let note = |event| match event {
            Event::Note { account, sentence } => {
                assert_eq!(account.as_deref(), Some("bob@example.org"));
                Some(sentence)
            }
            _ => None,
        };
        heard.into_iter().filter_map(note).collect::<Vec<_>>()
    };
    let plan = engine.plan(&project, &movers, 0).await.unwrap();
    assert_eq!((plan.blockers(), told()), (0, Vec::new()), "a plan tells it in its notes");
    engine.pass(&project, &movers, Half::Both).await.unwrap();
    let first = told();
    engine.pass(&project, &movers, Half::Pull).await.unwrap();
    assert_eq!(project.stops(&bob.id).await.unwrap().len(), 0, "it stops nothing");
    [plan.accounts[0].notes.clone(), first, told()]
}

#[tokio::test]
async fn a_mailbox_said_to_hold_gigabytes_that_lists_nothing_is_told_each_pass_and_not_stopped() {
    for kind in [AccountKind::Person, AccountKind::Shared] {
        for told in notes(kind, 3_000_000_000).await {
            assert!(told.len() == 1 && told[0].starts_with("no item of mail is listed, but the source"), "{told:?}");
            for words in ["3000 MB", "lags up to two days", "a calendar only", "the application's permissions"] {
                assert!(told[0].contains(words), "{words}: {told:?}");
            }
        }
    }
    let nothing: [Vec<String>; 3] = Default::default();
    assert_eq!(notes(AccountKind::Person, 5_000_000).await, nothing, "contacts and a calendar");
    assert_eq!(notes(AccountKind::Room, 3_000_000_000).await, nothing, "years of bookings");
}
