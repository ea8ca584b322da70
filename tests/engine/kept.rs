//! What the source no longer holds and the target does: it stays there, and a repair brings it back from the store.

use crate::{
    proof::{kinds, moved, opened},
    world::{Ear, LOGIN, World, project},
};
use std::sync::Arc;
use tempfile::TempDir;
use transhume::{
    engine::{Engine, Event, Half, Mover, Policy, Wish, muster},
    store::{Project, Stop, StoreOptions},
};
use transhume_contract::{AccountId, CollectionId, Depth, Fault, ItemId, Role};

const REPAIR: Half = Half::Push { repair: true };

/// Somebody deletes at the target all that begins so.
fn delete_there(world: &World, begin: &str) {
    let left = |bytes: &[u8]| !bytes.starts_with(begin.as_bytes());
    world.target.by_hand(&AccountId::new(LOGIN), |_, message| left(&message.bytes).then(|| message.clone()));
}

async fn verified(engine: &Engine, project: &Project, movers: &[Mover]) -> (u64, u64) {
    let found = engine.verify(project, movers, Depth::Content).await.unwrap().remove(0);
    (found.compared, found.differences)
}

/// A folder that is kept and not pushed.
fn outbox(world: &World) -> CollectionId {
    world.source.add_collection(&world.account.id, None, "Outbox", Role::Outbox)
}

#[tokio::test]
async fn repair_brings_back_what_the_source_no_longer_holds() {
    for deleted in [true, false] {
        let (world, _dir, project, engine, movers) = moved().await;
        let (before, five) = (world.standing(), ItemId::new("m05"));
        match deleted {
            true => world.source.remove(&world.account.id, &five),
            false => world.source.shift(&world.account.id, &five, &outbox(&world)),
        }
        world.pass(&engine, &project).await.unwrap();
        assert_eq!(world.standing(), before, "what left the source stays");
        delete_there(&world, "Subject: 5");
        assert_eq!(verified(&engine, &project, &movers).await, (7, 1), "deleted: {deleted}");
        for _ in 0..2 {
            engine.pass(&project, &movers, REPAIR).await.unwrap();
            assert_eq!((world.standing(), world.target.placed()), (before.clone(), 8), "deleted: {deleted}");
            assert_eq!(verified(&engine, &project, &movers).await, (7, 0), "deleted: {deleted}");
            assert!(kinds(&project, &world).await.is_empty());
        }
        world.pass(&engine, &project).await.unwrap();
        assert_eq!((world.standing(), world.target.placed()), (before, 8), "deleted: {deleted}");
    }
}

/// The folder it stands in is one that the policy pushes no longer.
#[tokio::test]
async fn repair_brings_back_what_is_in_a_folder_that_is_pushed_no_longer() {
    let (world, dir) = (World::new(true), project().await);
    let outbox = outbox(&world);
    world.put(&outbox, 50, "Subject: waiting\r\n\r\n\r\n");
    let engine = Engine { policy: Policy { outbox: true, ..Policy::default() }, ..world.engine() };
    let project = opened(&dir).await;
    world.pass(&engine, &project).await.unwrap();
    let before = world.standing();
    assert_eq!(before.len(), 8);
    let engine = world.engine();
    let movers = world.pass(&engine, &project).await.unwrap();
    delete_there(&world, "Subject: waiting");
    assert_eq!(verified(&engine, &project, &movers).await, (8, 1));
    engine.pass(&project, &movers, REPAIR).await.unwrap();
    assert_eq!(world.standing(), before);
    assert_eq!(verified(&engine, &project, &movers).await, (8, 0));
}

/// Its deletion at the source is followed: that it is missing is as it should be, and it is said.
#[tokio::test]
async fn repair_brings_nothing_back_that_the_policy_withdraws() {
    let (world, dir, ear) = (World::new(true), project().await, Arc::new(Ear::default()));
    let policy = Policy { withdraw_deleted: true, ..Policy::default() };
    let engine = Engine { policy, ..world.engine_with(world.source.clone(), world.target.clone(), ear.clone()) };
    let project = opened(&dir).await;
    let movers = world.pass(&engine, &project).await.unwrap();
    delete_there(&world, "Subject: 5");
    assert_eq!(verified(&engine, &project, &movers).await, (7, 1));
    world.source.remove(&world.account.id, &ItemId::new("m05"));
    engine.pass(&project, &movers, Half::Pull).await.unwrap();
    engine.pass(&project, &movers, REPAIR).await.unwrap();
    assert_eq!((world.standing().len(), world.target.placed()), (6, 7));
    assert_eq!(verified(&engine, &project, &movers).await, (6, 0));
    let said = |event: &Event| matches!(event, Event::Note { sentence, .. } if sentence.starts_with("1 missing in Inbox were deleted at the source") && sentence.contains("withdraw_deleted"));
    assert!(ear.0.lock().unwrap().iter().any(said), "{:#?}", ear.0.lock().unwrap());
}

/// Opens, moves one half, and closes: as a process of its own would.
async fn half(world: &World, dir: &TempDir, half: Half, options: StoreOptions) -> Result<u64, Fault> {
    let opening = transhume::store::Opening::Running { verb: "push".into() };
    let project = match Project::open(dir.path(), opening, options).await {
        Ok(project) => project,
        Err(transhume::store::NotOpened::Fault(fault)) => return Err(fault),
        Err(locked) => panic!("{locked}"),
    };
    let wishes = [Wish { source: "ada@example.org".into(), target: LOGIN.into(), wave: "1".into() }];
    let (movers, _) = muster(&project, &wishes).await?;
    let done = world.engine().pass(&project, &movers, half).await;
    done.map(|()| project.commits())
}

/// Everything left the source, and two went missing there: repaired, dying at one commit of it.
async fn repaired(tells_handle: bool, stop_at_commit: Option<(u64, Stop)>) -> (u64, Vec<String>, Vec<String>) {
    let (world, dir) = (World::new(tells_handle), project().await);
    let whole = StoreOptions::default;
    world.run(&world.engine(), dir.path(), whole()).await.unwrap();
    (0..7).for_each(|n| world.source.remove(&world.account.id, &ItemId::new(format!("m{n:02}"))));
    world.run(&world.engine(), dir.path(), whole()).await.unwrap();
    let before = world.standing();
    delete_there(&world, "Subject: 5");
    delete_there(&world, "Subject: 3");
    let project = opened(&dir).await;
    let wishes = [Wish { source: "ada@example.org".into(), target: LOGIN.into(), wave: "1".into() }];
    let (movers, _) = muster(&project, &wishes).await.unwrap();
    assert_eq!(verified(&world.engine(), &project, &movers).await, (7, 2));
    drop(project);
    let deadly = StoreOptions { stop_at_commit, ..whole() };
    let commits = half(&world, &dir, REPAIR, deadly).await.unwrap_or(0);
    half(&world, &dir, REPAIR, whole()).await.unwrap();
    let project = opened(&dir).await;
    assert_eq!(verified(&world.engine(), &project, &movers).await, (7, 0), "at {stop_at_commit:?}");
    (commits, before, world.standing())
}

#[tokio::test]
async fn a_repair_killed_at_any_commit_and_repeated_brings_everything_back_once() {
    for tells_handle in [true, false] {
        let (commits, before, after) = repaired(tells_handle, None).await;
        assert_eq!(before, after);
        assert!(commits > 3, "too few commits to prove anything: {commits}");
        for commit in 1..=commits {
            for stop in [Stop::Before, Stop::After] {
                let (_, before, after) = repaired(tells_handle, Some((commit, stop))).await;
                assert_eq!(before, after, "commit {commit} of {commits} {stop:?}");
            }
        }
    }
}
