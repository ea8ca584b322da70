//! Mail that stood at the target before the first of ours.

use crate::world::{Ear, LOGIN, World, project};
use std::sync::Arc;
use transhume::{
    engine::{Event, Existing, Policy},
    store::StoreOptions,
};
use transhume_contract::{AccountId, What};

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

#[tokio::test]
async fn adding_doubles_because_somebody_said_so() {
    let (world, before, _) = second(Existing::Add).await;
    assert_eq!(world.standing().len(), 2 * before.len());
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
    let said =
        |event: &Event| matches!(event, Event::Note { sentence, .. } if sentence.contains("already holds 1 messages"));
    assert!(ear.0.lock().unwrap().iter().any(said));
}
