//! Death at every commit of the store: run again, and the target equals that of an uninterrupted run.

use futures::FutureExt;
use std::panic::AssertUnwindSafe;

use crate::world::{World, project};
use transhume::store::{Stop, StoreOptions};
use transhume_contract::{Facts, FlagState, ItemId};

/// What happens at the source between the first and the second pass.
fn change(world: &World) {
    let flagged = Facts { flag: Some(FlagState::Flagged), ..Facts::default() };
    world.source.edit(&world.account.id, &ItemId::new("m01"), &flagged);
    world.source.shift(&world.account.id, &ItemId::new("m04"), &world.archive);
    world.source.remove(&world.account.id, &ItemId::new("m06"));
    world.put(&world.inbox, 30, "Subject: new\r\n\r\n\r\n");
}

/// Runs both passes without interruption; answers the commits of the first and of both, and what stands then.
async fn undisturbed(tells_handle: bool) -> (u64, u64, Vec<String>) {
    let (world, dir) = (World::new(tells_handle), project().await);
    let first = world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    change(&world);
    let second = world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    (first, second, world.standing())
}

async fn killed_at(commit: u64, stop: Stop, in_second: bool, tells_handle: bool) -> Vec<String> {
    let (world, dir) = (World::new(tells_handle), project().await);
    let deadly = StoreOptions { stop_at_commit: Some((commit, stop)), ..StoreOptions::default() };
    if in_second {
        world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
        change(&world);
        world.run(&world.engine(), dir.path(), deadly).await.expect_err("the store was to die");
    } else {
        world.run(&world.engine(), dir.path(), deadly).await.expect_err("the store was to die");
        world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
        change(&world);
    }
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.standing()
}

#[tokio::test]
async fn killed_at_any_commit_and_run_again_equals_an_uninterrupted_run() {
    for tells_handle in [true, false] {
        let (first, second, expected) = undisturbed(tells_handle).await;
        assert!(first > 5 && second > 5, "too few commits to prove anything: {first}, {second}");
        for (in_second, commits) in [(false, first), (true, second)] {
            for commit in 1..=commits {
                for stop in [Stop::Before, Stop::After] {
                    // Group commit may need fewer commits than the undisturbed run did; then there is nothing to kill.
                    let killed = AssertUnwindSafe(killed_at(commit, stop, in_second, tells_handle));
                    let found = killed.catch_unwind().await;
                    match found {
                        Ok(found) => assert_eq!(found, expected, "commit {commit} {stop:?}, second pass {in_second}"),
                        Err(_) if commit + 6 > commits => {}
                        Err(_) => panic!("commit {commit} of {commits}"),
                    }
                }
            }
        }
    }
}

/// Equal messages, more than a batch holds. A target that tells no handles leaves those of the first batch unnamed while
/// the second is on its way.
fn add_twins(world: &World) {
    for n in 40..54 {
        world.put(&world.inbox, n, "Subject: twin\r\n\r\n\r\n");
    }
}

async fn twins_killed_at(commit: u64) -> Vec<String> {
    let (world, dir) = (World::new(false), project().await);
    add_twins(&world);
    let deadly = StoreOptions { stop_at_commit: Some((commit, Stop::After)), ..StoreOptions::default() };
    let _death_or_fewer_commits = world.run(&world.engine(), dir.path(), deadly).await;
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.standing()
}

#[tokio::test]
async fn equal_messages_of_two_batches_are_not_taken_for_each_other() {
    let (world, dir) = (World::new(false), project().await);
    add_twins(&world);
    let commits = world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    for commit in 1..=commits {
        assert_eq!(twins_killed_at(commit).await, world.standing(), "commit {commit}");
    }
}
