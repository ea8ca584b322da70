//! One mailbox that goes by another id: people renamed it, or the server numbered it anew.

use crate::{
    proof::{kinds, opened},
    wires::{Behind, Fate, Wire},
    world::{Ear, LOGIN, World, project},
};
use std::sync::Arc;
use tempfile::TempDir;
use transhume::{
    engine::{Engine, Existing, Policy},
    store::{Project, StoreOptions},
};
use transhume_contract::{AccountId, Depth, Facts, ItemId, memory::MemoryTarget};

const TWIN: &str = "Subject: twin\r\n\r\n\r\n";

/// At a target whose ids tell the path, as those of an IMAP server do; with one of two twins in the archive.
async fn with_a_twin(tells_handle: bool) -> (World, TempDir) {
    let (mut world, dir) = (World::new(tells_handle), project().await);
    world.target = Arc::new(MemoryTarget::new(tells_handle).naming_by_path());
    world.put(&world.archive, 70, TWIN);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    (world, dir)
}

fn rename(world: &World) {
    world.target.rename_by_hand(&AccountId::new(LOGIN), &["Inbox", "Archive/2019"], &["Papers"]);
}

fn renumber(world: &World) {
    world.target.renumber_by_hand(&AccountId::new(LOGIN), &["Inbox", "Archive/2019"]);
}

/// The other twin is intended, and never sent.
fn swallowing(world: &World) -> Engine {
    let sent = std::sync::atomic::AtomicBool::new(false);
    let fate = move |facts: &Facts| {
        let second = facts.message_id.as_deref() == Some("<m71@example.org>");
        let first_try = second && !sent.swap(true, std::sync::atomic::Ordering::SeqCst);
        if first_try { Fate::Swallowed } else { Fate::Arrives }
    };
    let wire = Behind(Wire { target: world.target.clone(), fate, placed: |_: &Facts| {} });
    world.engine_with(world.source.clone(), Arc::new(wire), Arc::new(Ear::default()))
}

async fn is_clean(world: &World, project: &Project, engine: &Engine, compared: u64) {
    let movers = world.pass(engine, project).await.unwrap();
    for depth in [Depth::Presence, Depth::Shape, Depth::Content] {
        let found = engine.verify(project, &movers, depth).await.unwrap().remove(0);
        assert_eq!((found.compared, found.differences, found.others, found.moved), (compared, 0, 0, 0), "{depth:?}");
        assert!(kinds(project, world).await.is_empty(), "{depth:?}: {:?}", kinds(project, world).await);
    }
}

#[tokio::test]
async fn a_twin_that_was_never_sent_is_not_taken_for_one_that_was_placed_before() {
    for (change, tells_handle) in [(rename as fn(&World), true), (rename, false), (renumber, true), (renumber, false)] {
        let (world, dir) = with_a_twin(tells_handle).await;
        change(&world);
        world.put(&world.archive, 71, TWIN);
        let engine = swallowing(&world);
        let project = opened(&dir).await;
        world.pass(&engine, &project).await.unwrap();
        let twins = world.standing().into_iter().filter(|line| line.contains("twin")).count();
        assert_eq!(twins, 2, "tells handles: {tells_handle}; {:#?}", world.standing());
        is_clean(&world, &project, &engine, 9).await;
    }
}

#[tokio::test]
async fn a_renamed_folder_that_took_more_mail_is_compared_once() {
    for change in [rename as fn(&World), renumber] {
        let (world, dir) = with_a_twin(true).await;
        change(&world);
        world.put(&world.archive, 61, "Subject: late\r\n\r\n\r\n");
        let (project, engine) = (opened(&dir).await, world.engine());
        world.pass(&engine, &project).await.unwrap();
        is_clean(&world, &project, &engine, 9).await;
        // What stands there is still ours to change and to move.
        let read = Facts { read: Some(true), ..Facts::default() };
        world.source.edit(&world.account.id, &ItemId::new("m03"), &read);
        world.source.shift(&world.account.id, &ItemId::new("m00"), &world.inbox);
        is_clean(&world, &project, &engine, 9).await;
        let standing = world.standing();
        assert!(
            standing.iter().any(|line| line.contains("Subject: 3") && line.contains("Some(true)")),
            "{standing:#?}"
        );
        assert_eq!((standing.len(), world.target.placed()), (9, 9));
    }
}

#[tokio::test]
async fn adopting_in_a_renamed_folder_takes_nothing_that_is_ours() {
    for change in [rename as fn(&World), renumber] {
        let (world, dir) = with_a_twin(true).await;
        change(&world);
        world.put(&world.archive, 71, TWIN);
        let policy = Policy { existing: Existing::Adopt, ..Policy::default() };
        let (project, engine) = (opened(&dir).await, Engine { policy, ..world.engine() });
        world.pass(&engine, &project).await.unwrap();
        assert_eq!((world.standing().len(), world.target.placed()), (9, 9));
        is_clean(&world, &project, &engine, 9).await;
    }
}

/// What people deleted from it before it was numbered anew stays deleted.
#[tokio::test]
async fn what_they_deleted_from_a_folder_numbered_anew_is_not_placed_again() {
    let (world, dir) = with_a_twin(true).await;
    renumber(&world);
    world.target.by_hand(&AccountId::new(LOGIN), |_, message| {
        (!message.bytes.starts_with(b"Subject: 3")).then(|| message.clone())
    });
    world.put(&world.archive, 61, "Subject: late\r\n\r\n\r\n");
    let read = Facts { read: Some(true), ..Facts::default() };
    world.source.edit(&world.account.id, &ItemId::new("m03"), &read);
    for _ in 0..2 {
        world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
        assert_eq!((world.standing().len(), world.target.placed()), (8, 9), "{:#?}", world.standing());
    }
}
