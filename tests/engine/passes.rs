//! What passes do: the first, the second, and those after something changed at the source.

use crate::world::{Ear, LOGIN, World, project};
use std::sync::Arc;
use transhume::{
    engine::{Event, Half, Policy},
    store::{Opening, Project, StoreOptions},
};
use transhume_contract::{
    Depth, Facts, FlagState,
    wrappers::{Chaos, ChaosSource, ChaosTarget, Rehearsal},
};

#[tokio::test]
async fn everything_arrives_once_and_a_second_run_does_nothing() {
    for tells_handle in [true, false] {
        let (world, dir) = (World::new(tells_handle), project().await);
        world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
        assert_eq!(world.standing().len(), 7);
        assert_eq!((world.source.fetched(), world.target.placed()), (7, 7));
        world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
        assert_eq!((world.source.fetched(), world.target.placed()), (7, 7), "nothing changed, yet something moved");
    }
}

#[tokio::test]
async fn a_changed_flag_is_amended_in_place_without_a_body() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    let flagged = Facts { flag: Some(FlagState::Flagged), read: Some(true), ..Facts::default() };
    world.source.edit(&world.account.id, &transhume_contract::ItemId::new("m03"), &flagged);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    let standing = world.standing();
    assert_eq!(standing.iter().filter(|line| line.contains("Flagged")).count(), 1, "{standing:#?}");
    assert_eq!((world.source.fetched(), world.target.placed()), (7, 7));
}

#[tokio::test]
async fn a_move_at_the_source_is_a_move_at_the_target() {
    for tells_handle in [true, false] {
        let (world, dir) = (World::new(tells_handle), project().await);
        world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
        let moved = transhume_contract::ItemId::new("m04");
        world.source.shift(&world.account.id, &moved, &world.archive);
        world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
        let standing = world.standing();
        let archived = standing.iter().filter(|line| line.starts_with("Inbox>Archive/2019")).count();
        assert_eq!((standing.len(), archived), (7, 4), "{standing:#?}");
        assert_eq!((world.source.fetched(), world.target.placed()), (7, 7), "a move is no new placing");
    }
}

#[tokio::test]
async fn what_was_deleted_at_the_source_stays_unless_asked() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.source.remove(&world.account.id, &transhume_contract::ItemId::new("m05"));
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    assert_eq!(world.standing().len(), 7, "nobody asked to withdraw it");
    let mut asked = world.engine();
    asked.policy = Policy { withdraw_deleted: true, ..Policy::default() };
    world.run(&asked, dir.path(), StoreOptions::default()).await.unwrap();
    assert_eq!(world.standing().len(), 6);
}

#[tokio::test]
async fn an_expired_cursor_lists_again_and_fetches_nothing_again() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.source.expire_cursors();
    world.source.remove(&world.account.id, &transhume_contract::ItemId::new("m06"));
    world.put(&world.inbox, 40, "Subject: new\r\n\r\n\r\n");
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    assert_eq!((world.source.fetched(), world.target.placed()), (8, 8));
}

#[tokio::test]
async fn a_changed_draft_is_placed_anew_and_the_old_one_withdrawn() {
    let (world, dir) = (World::new(true), project().await);
    let draft = |text: &str| {
        let facts = Facts { draft: Some(true), ..Facts::default() };
        let content = transhume_contract::Content::FollowsVersion;
        world.source.put(&world.account.id, &world.inbox, "draft", content, facts, text.to_owned());
    };
    draft("Subject: draft\r\n\r\nfirst\r\n");
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    draft("Subject: draft\r\n\r\nsecond\r\n");
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    let standing = world.standing();
    assert_eq!(standing.len(), 8, "{standing:#?}");
    assert!(standing.iter().any(|line| line.contains("second")) && !standing.iter().any(|line| line.contains("first")));
}

#[tokio::test]
async fn a_rehearsal_leaves_no_trace_at_the_target() {
    let (world, dir) = (World::new(true), project().await);
    let mut engine = world.engine_with(
        world.source.clone(),
        Arc::new(Rehearsal::new(world.target.clone())),
        Arc::new(Ear::default()),
    );
    engine.rehearsing = true;
    world.run(&engine, dir.path(), StoreOptions::default()).await.unwrap();
    assert_eq!(world.standing(), Vec::<String>::new());
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    assert_eq!(world.standing().len(), 7, "what was rehearsed is placed by the real run");
}

#[tokio::test]
async fn under_chaos_the_result_is_the_same() {
    let undisturbed = World::new(true);
    undisturbed.run(&undisturbed.engine(), project().await.path(), StoreOptions::default()).await.unwrap();
    for seed in 0..40 {
        for tells_handle in [true, false] {
            let (world, dir) = (World::new(tells_handle), project().await);
            let chaos = Chaos::new(seed, 0.2);
            let source = Arc::new(ChaosSource::new(world.source.clone(), chaos.clone()));
            let target = Arc::new(ChaosTarget::new(world.target.clone(), chaos.clone()));
            for _ in 0..3 {
                let engine = world.engine_with(source.clone(), target.clone(), Arc::new(Ear::default()));
                // A pass may end in a fault of chaos; what counts is what stands in the end.
                let _chaotic = world.run(&engine, dir.path(), StoreOptions::default()).await;
            }
            for _ in 0..2 {
                world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
            }
            assert_eq!(world.standing(), undisturbed.standing(), "seed {seed}, {} faults dealt", chaos.dealt());
        }
    }
}

#[tokio::test]
async fn verification_is_clean_and_catches_what_hands_did() {
    let (world, dir) = (World::new(true), project().await);
    let project =
        Project::open(dir.path(), Opening::Running { verb: "run".into() }, StoreOptions::default()).await.unwrap();
    let engine = world.engine();
    let movers = world.pass(&engine, &project).await.unwrap();
    let clean = engine.verify(&project, &movers, Depth::Content).await.unwrap();
    assert_eq!((clean[0].compared, clean[0].differences), (7, 0));
    let login = transhume_contract::AccountId::new(LOGIN);
    let mut n = 0;
    world.target.by_hand(&login, |_, message| {
        n += 1;
        let mut message = message.clone();
        match n {
            1 => return None,
            2 => message.bytes = "Subject: other\r\n\r\n\r\n".into(),
            3 => message.facts.read = message.facts.read.map(|read| !read),
            4 => message.facts.received = Some(transhume_contract::Timestamp::UNIX_EPOCH),
            _ => {}
        }
        Some(message)
    });
    let found = engine.verify(&project, &movers, Depth::Content).await.unwrap();
    assert_eq!(found[0].differences, 4);
    let store = project.open_account(&world.account.id).await.unwrap();
    let differences = store.differences(transhume_contract::Workload::Mail, 0, 100).await.unwrap();
    let mut kinds: Vec<_> = differences.into_iter().map(|verdict| verdict.kind).collect();
    kinds.sort();
    assert_eq!(kinds, ["altered", "missing", "redated", "reflagged"]);
}

#[tokio::test]
async fn only_repair_restores_what_is_missing() {
    let (world, dir) = (World::new(true), project().await);
    let project =
        Project::open(dir.path(), Opening::Running { verb: "run".into() }, StoreOptions::default()).await.unwrap();
    let engine = world.engine();
    let movers = world.pass(&engine, &project).await.unwrap();
    let login = transhume_contract::AccountId::new(LOGIN);
    let mut first = true;
    world.target.by_hand(&login, |_, message| (!std::mem::take(&mut first)).then(|| message.clone()));
    engine.verify(&project, &movers, Depth::Presence).await.unwrap();
    engine.pass(&project, &movers, Half::Push { repair: false }).await.unwrap();
    assert_eq!(world.standing().len(), 6, "a push placed again what somebody removed");
    engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
    assert_eq!(world.standing().len(), 7);
    let found = engine.verify(&project, &movers, Depth::Content).await.unwrap();
    assert_eq!(found[0].differences, 0);
    let store = project.open_account(&world.account.id).await.unwrap();
    let left = store.differences(transhume_contract::Workload::Mail, 0, 100).await.unwrap();
    assert!(left.is_empty(), "a mended difference still stands: {left:?}");
}

#[tokio::test]
async fn events_tell_what_was_done() {
    let (world, dir) = (World::new(true), project().await);
    let ear = Arc::new(Ear::default());
    let engine = world.engine_with(world.source.clone(), world.target.clone(), ear.clone());
    world.run(&engine, dir.path(), StoreOptions::default()).await.unwrap();
    let heard = ear.0.lock().unwrap();
    let sum = |of: fn(&Event) -> u64| heard.iter().map(of).sum::<u64>();
    assert_eq!(sum(|event| if let Event::Fetched { items, .. } = event { *items } else { 0 }), 7);
    assert_eq!(sum(|event| if let Event::Placed { items, .. } = event { *items } else { 0 }), 7);
}

#[tokio::test]
async fn what_push_found_lost_is_missing_to_verification_and_repair_restores_it() {
    let (world, dir) = (World::new(true), project().await);
    let project =
        Project::open(dir.path(), Opening::Running { verb: "run".into() }, StoreOptions::default()).await.unwrap();
    let engine = world.engine();
    let movers = world.pass(&engine, &project).await.unwrap();
    let login = transhume_contract::AccountId::new(LOGIN);
    world.target.by_hand(&login, |_, message| (!message.bytes.starts_with(b"Subject: 5")).then(|| message.clone()));
    let read = Facts { read: Some(true), ..Facts::default() };
    world.source.edit(&world.account.id, &transhume_contract::ItemId::new("m05"), &read);
    world.pass(&engine, &project).await.unwrap();
    assert_eq!(world.standing().len(), 6, "what people deleted stays deleted");
    let found = engine.verify(&project, &movers, Depth::Presence).await.unwrap();
    assert_eq!(found[0].differences, 1, "and is missing to verification all the same");
    engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
    assert_eq!(world.standing().len(), 7);
    assert_eq!(engine.verify(&project, &movers, Depth::Content).await.unwrap()[0].differences, 0);
}
