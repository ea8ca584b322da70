//! Mail that stood at the target before the first of ours.

use crate::{
    mistyped::{into, messages},
    proof::opened,
    world::{Ear, LOGIN, MESSAGE_ID, World, project},
};
use std::sync::Arc;
use transhume::{
    engine::{Engine, Event, Existing, Half, Policy, Wish, discover, muster},
    store::{Project, Stop, StoreOptions},
};
use transhume_contract::{
    AccountId, Facts, ItemId, What,
    memory::{MemoryTarget, Standing},
};

/// A second project into the mailboxes that a first one filled.
async fn second(existing: Existing) -> (World, Vec<String>, Vec<Event>) {
    let world = World::new(true);
    world.run(&world.engine(), project().await.path(), StoreOptions::default()).await.unwrap();
    let before = world.standing();
    let ear = Arc::new(Ear::default());
    let mut engine = world.engine_with(world.source.clone(), world.target.clone(), ear.clone());
    engine.policy = Policy { existing, ..Policy::default() };
    world.run(&engine, project().await.path(), StoreOptions::default()).await.unwrap();
    let heard = std::mem::take(&mut *ear.0.lock().unwrap());
    (world, before, heard)
}

#[tokio::test]
async fn a_second_project_stops_before_it_doubles_anything() {
    let (world, before, heard) = second(Existing::Ask).await;
    assert_eq!(world.standing(), before);
    let stopped: Vec<_> = heard
        .iter()
        .filter_map(|event| match event {
            Event::Stopped { fault, .. } => Some(fault),
            _ => None,
        })
        .collect();
    assert_eq!(stopped.len(), 1);
    assert_eq!(stopped[0].what, What::Exists);
    assert!(stopped[0].sentence.contains("7 of 7") && stopped[0].next_step().unwrap().contains("adopt"));
}

#[tokio::test]
async fn adopting_takes_for_placed_what_is_there_and_places_the_rest() {
    let (world, before, _) = second(Existing::Adopt).await;
    assert_eq!((world.standing(), world.target.placed()), (before.clone(), 7));
    // A third one, where people removed two: these are placed, each once.
    let mut n = 0;
    world.target.by_hand(&AccountId::new(LOGIN), |_, message| {
        n += 1;
        (n > 2).then(|| message.clone())
    });
    let mut engine = world.engine();
    engine.policy = Policy { existing: Existing::Adopt, ..Policy::default() };
    world.run(&engine, project().await.path(), StoreOptions::default()).await.unwrap();
    assert_eq!((world.standing(), world.target.placed()), (before, 9));
}

/// A folder whose name the server refuses stands there under another one, which a second project would make too.
#[tokio::test]
async fn adopting_finds_folders_that_stand_under_another_name() {
    let mut world = World::new(true);
    world.target = Arc::new(MemoryTarget::new(true).refusing('/'));
    world.run(&world.engine(), project().await.path(), StoreOptions::default()).await.unwrap();
    let before = world.standing();
    assert!(before.iter().any(|line| line.starts_with("Inbox>Archive_2019 ")), "{before:#?}");
    let mut engine = world.engine();
    engine.policy = Policy { existing: Existing::Adopt, ..Policy::default() };
    world.run(&engine, project().await.path(), StoreOptions::default()).await.unwrap();
    assert_eq!((world.standing(), world.target.placed()), (before, 7));
}

#[tokio::test]
async fn adding_doubles_because_somebody_said_so() {
    let (world, before, _) = second(Existing::Add).await;
    assert_eq!(world.standing().len(), 2 * before.len());
}

/// A Maildir names files by the attempts that placed them: those of two projects are not the same.
#[tokio::test]
async fn adding_doubles_every_message_of_a_maildir_too() {
    let (world, root) = (World::new(true), tempfile::tempdir().unwrap());
    let policy = Policy { existing: Existing::Add, ..Policy::default() };
    for messages_there in [7, 14] {
        let engine = Engine { policy, ..into(&world, root.path()) };
        world.run(&engine, project().await.path(), StoreOptions::default()).await.unwrap();
        assert_eq!(messages(root.path()), messages_there);
    }
}

#[tokio::test]
async fn mail_of_others_is_told_and_stops_nothing() {
    let (world, dir) = (World::new(true), project().await);
    let login = AccountId::new(LOGIN);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    let (path, message) = world.target.standing(&login).remove(0);
    world.target.by_hand(&login, |_, _| None);
    let mut theirs = message;
    theirs.facts.message_id = Some("<theirs@example.org>".into());
    theirs.bytes = "Subject: theirs\r\n\r\n".into();
    world.target.put_by_hand(&login, &path, theirs);
    let ear = Arc::new(Ear::default());
    let engine = world.engine_with(world.source.clone(), world.target.clone(), ear.clone());
    world.run(&engine, project().await.path(), StoreOptions::default()).await.unwrap();
    assert_eq!(world.standing().len(), 8);
    let said = |event: &Event| matches!(event, Event::Note { sentence, .. } if sentence.contains("already holds mail (1 counted)"));
    assert!(ear.0.lock().unwrap().iter().any(said));
}

fn adopting(world: &World) -> Engine {
    let policy = Policy { existing: Existing::Adopt, ..Policy::default() };
    Engine { policy, ..world.engine() }
}

/// What is set there stays, what is set at the source is added, and later the source is followed where both agreed.
#[tokio::test]
async fn flags_of_both_sides_stand_at_what_was_adopted() {
    let world = World::new(true);
    world.run(&world.engine(), project().await.path(), StoreOptions::default()).await.unwrap();
    let is = |message: &Standing, subject: &str| message.bytes.starts_with(format!("Subject: {subject}").as_bytes());
    world.target.by_hand(&AccountId::new(LOGIN), |_, message| {
        let mut message = message.clone();
        // At the source those of an even number are read.
        if !is(&message, "6") {
            message.facts.read = message.facts.read.map(|read| !read);
        }
        message.facts.categories = Some(vec!["eigen".into()]);
        Some(message)
    });
    let (dir, ear) = (project().await, Arc::new(Ear::default()));
    let policy = Policy { existing: Existing::Adopt, ..Policy::default() };
    let engine = Engine { policy, ..world.engine_with(world.source.clone(), world.target.clone(), ear.clone()) };
    let all = || world.target.standing(&AccountId::new(LOGIN)).into_iter().map(|(_, message)| message);
    let edit = |id: &str, facts: &Facts| world.source.edit(&world.account.id, &ItemId::new(id), facts);
    world.run(&engine, dir.path(), StoreOptions::default()).await.unwrap();
    assert!(all().all(|message| message.facts.read == Some(true)), "{:#?}", world.standing());
    for n in 3..7 {
        edit(&format!("m{n:02}"), &Facts { answered: Some(true), read: Some(true), ..Facts::default() });
    }
    world.run(&engine, dir.path(), StoreOptions::default()).await.unwrap();
    for n in 3..7 {
        let categories = Some(vec!["Rot".to_owned()]);
        edit(&format!("m{n:02}"), &Facts { categories, read: Some(false), ..Facts::default() });
    }
    world.run(&engine, dir.path(), StoreOptions::default()).await.unwrap();
    // People had read 3 and 5; 4 was read by us alone, and 6 on both sides.
    for (subject, read) in [("3", true), ("4", false), ("5", true), ("6", false)] {
        let facts = all().find(|message| is(message, subject)).unwrap().facts;
        assert_eq!((facts.read, facts.answered), (Some(read), Some(true)), "Subject: {subject}");
        assert_eq!(facts.categories, Some(vec!["Rot".into(), "eigen".into()]), "Subject: {subject}");
    }
    assert_eq!(world.target.placed(), 7);
}

#[tokio::test]
async fn what_stood_there_before_is_nobodys_decision_against_ours() {
    let world = World::new(true);
    world.run(&world.engine(), project().await.path(), StoreOptions::default()).await.unwrap();
    world.target.by_hand(&AccountId::new(LOGIN), |_, message| {
        let facts = Facts { read: message.facts.read.map(|read| !read), ..message.facts.clone() };
        Some(Standing { facts, ..message.clone() })
    });
    let ear = Arc::new(Ear::default());
    let policy = Policy { existing: Existing::Adopt, ..Policy::default() };
    let engine = Engine { policy, ..world.engine_with(world.source.clone(), world.target.clone(), ear.clone()) };
    world.run(&engine, project().await.path(), StoreOptions::default()).await.unwrap();
    let there = |event: &Event| matches!(event, Event::ChangedThere { .. });
    assert!(!ear.0.lock().unwrap().iter().any(there));
}

#[tokio::test]
async fn what_is_adopted_is_looked_for_once_a_collection_and_by_its_message_id() {
    let world = World::new(true);
    (40..95).for_each(|n| drop(world.put(&world.inbox, n, &format!("Subject: many {n}\r\n\r\n"))));
    world.run(&world.engine(), project().await.path(), StoreOptions::default()).await.unwrap();
    let before = world.target.sought().len();
    world.run(&adopting(&world), project().await.path(), StoreOptions::default()).await.unwrap();
    assert_eq!(world.target.placed(), 62);
    let looks = world.target.sought().split_off(before);
    let mut sizes: Vec<_> = looks.iter().map(Vec::len).collect();
    sizes.sort();
    assert_eq!(sizes, [3, 59]);
    assert!(looks.iter().flatten().all(|key| key.key.as_deref() == Some(MESSAGE_ID)));
}

/// A target that tells no handles: what was placed before the death of a run is ours, though nobody knows its handle.
#[tokio::test]
async fn adopting_takes_nothing_that_is_ours() {
    let world = World::new(false);
    let commits = world.run(&adopting(&world), project().await.path(), StoreOptions::default()).await.unwrap();
    for commit in 1..=commits {
        let (world, dir) = (World::new(false), project().await);
        let deadly = StoreOptions { stop_at_commit: Some((commit, Stop::After)), ..StoreOptions::default() };
        let _death_or_fewer_commits = world.run(&adopting(&world), dir.path(), deadly).await;
        world.put(&world.inbox, 42, "Subject: 2\r\n\r\nbody\r\n");
        world.run(&adopting(&world), dir.path(), StoreOptions::default()).await.unwrap();
        assert_eq!(world.standing().len(), 8, "commit {commit}");
    }
}

/// Runs for another login than before.
async fn run_for(world: &World, engine: &Engine, project: &Project, login: &str) {
    engine.bind(project).await.unwrap();
    discover(&*engine.source, project, &*engine.observer, &engine.stop).await.unwrap();
    let wishes = [Wish { source: "ada@example.org".into(), target: login.into(), wave: "1".into() }];
    let (movers, _) = muster(project, &wishes).await.unwrap();
    assert_eq!(movers[0].row.account.address, world.account.address);
    engine.pass(project, &movers, Half::Both).await.unwrap();
}

/// Killed when something was on its way into the first mailbox, and nobody knows what arrived there.
#[tokio::test]
async fn a_login_that_was_edited_after_the_first_batch_left_is_refused() {
    let (world, dir) = (World::new(true), project().await);
    let commits = world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    let mut only_intended = 0;
    for (commit, stop) in (1..=commits).flat_map(|commit| [Stop::Before, Stop::After].map(|stop| (commit, stop))) {
        let (world, dir) = (World::new(true), project().await);
        let deadly = StoreOptions { stop_at_commit: Some((commit, stop)), ..StoreOptions::default() };
        let _death_or_fewer_commits = world.run(&world.engine(), dir.path(), deadly).await;
        let (project, ear) = (opened(&dir).await, Arc::new(Ear::default()));
        let totals = match project.open_account(&world.account.id).await {
            Ok(store) => store.totals(transhume_contract::Workload::Mail).await.unwrap(),
            Err(_) => continue,
        };
        if totals.open_intents == 0 || totals.placed.items > 0 {
            continue;
        }
        only_intended += 1;
        let engine = world.engine_with(world.source.clone(), world.target.clone(), ear.clone());
        run_for(&world, &engine, &project, "bob").await;
        assert_eq!(world.target.standing(&AccountId::new("bob")).len(), 0, "commit {commit} {stop:?}");
        let refused = |event: &Event| matches!(event, Event::Stopped { fault, .. } if fault.what == What::Exists && fault.sentence.contains("ada"));
        assert!(ear.0.lock().unwrap().iter().any(refused), "commit {commit} {stop:?}");
        run_for(&world, &engine, &project, LOGIN).await;
        assert_eq!(world.standing().len(), 7, "commit {commit} {stop:?}");
    }
    assert!(only_intended > 0, "no death left only intents");
}
