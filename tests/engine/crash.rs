//! Death at every commit of the store: run again, and the target equals that of an uninterrupted run.

use crate::world::{LOGIN, World, project};
use tempfile::TempDir;
use transhume::store::{Stop, StoreOptions};
use transhume_contract::{AccountId, Content, Facts, Fault, FlagState, ItemId, Timestamp, memory::Standing};

/// What happens at the source between the first and the second pass.
fn change(world: &World) {
    let flagged = Facts { flag: Some(FlagState::Flagged), ..Facts::default() };
    world.source.edit(&world.account.id, &ItemId::new("m01"), &flagged);
    world.source.shift(&world.account.id, &ItemId::new("m04"), &world.archive);
    world.source.remove(&world.account.id, &ItemId::new("m06"));
    world.put(&world.inbox, 30, "Subject: new\r\n\r\n\r\n");
    put_draft(world, "Subject: draft\r\n\r\nwritten on\r\n");
}

/// Puts a draft, or what it has become: it is placed anew, and what stood there withdrawn.
fn put_draft(world: &World, text: &str) {
    let facts = Facts {
        draft: Some(true),
        received: Timestamp::from_second(1_700_000_020).ok(),
        message_id: Some("<draft@example.org>".into()),
        ..Facts::default()
    };
    world.source.put(&world.account.id, &world.inbox, "draft", Content::FollowsVersion, facts, text.to_owned());
}

/// A world where some mail loses something by being placed.
fn lossy(tells_handle: bool) -> World {
    let world = World::new(tells_handle);
    put_draft(&world, "Subject: draft\r\n\r\nbegun\r\n");
    for id in ["m01", "m02", "m04", "m05"] {
        let protected = Facts { protected: Some(true), ..Facts::default() };
        world.source.edit(&world.account.id, &ItemId::new(id), &protected);
    }
    world
}

/// What stands there, and what the store knows of it.
async fn seen(world: &World, dir: &TempDir) -> Vec<String> {
    [world.standing(), world.placements(dir.path()).await].concat()
}

/// Runs both passes without interruption; answers the commits of the first and of both, and what stands then.
async fn undisturbed(tells_handle: bool) -> (u64, u64, Vec<String>) {
    let (world, dir) = (lossy(tells_handle), project().await);
    let first = world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    change(&world);
    let second = world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    (first, second, seen(&world, &dir).await)
}

/// Whether a run died of its store, as it was to.
fn died(run: Result<u64, Fault>) -> bool {
    match run {
        Ok(_) => false,
        Err(fault) => {
            assert_eq!(fault.sentence, "the store was told to stop here");
            true
        }
    }
}

/// Dies at a commit of the first or the second pass, and runs again. Answers whether it died, and what stands then.
async fn killed_at(commit: u64, stop: Stop, in_second: bool, tells_handle: bool) -> (bool, Vec<String>) {
    let (world, dir) = (lossy(tells_handle), project().await);
    let deadly = StoreOptions { stop_at_commit: Some((commit, stop)), ..StoreOptions::default() };
    let killed = if in_second {
        world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
        change(&world);
        died(world.run(&world.engine(), dir.path(), deadly).await)
    } else {
        let killed = died(world.run(&world.engine(), dir.path(), deadly).await);
        world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
        change(&world);
        killed
    };
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    (killed, seen(&world, &dir).await)
}

#[tokio::test]
async fn losses_are_named_however_it_was_found_out_what_stands() {
    let (_, _, expected) = undisturbed(true).await;
    let drafts: Vec<_> = expected.iter().filter(|line| line.contains("Subject: draft")).collect();
    assert!(
        matches!(drafts.as_slice(), [only] if only.contains("written on")),
        "one took the place of the other: {drafts:#?}"
    );
    let protected = expected.iter().filter(|line| line.contains("rights_protected")).count();
    assert_eq!(protected, 4, "{expected:#?}");
}

#[tokio::test]
async fn killed_at_any_commit_and_run_again_equals_an_uninterrupted_run() {
    for tells_handle in [true, false] {
        let (first, second, expected) = undisturbed(tells_handle).await;
        assert!(first > 5 && second > 5, "too few commits to prove anything: {first}, {second}");
        for (in_second, commits) in [(false, first), (true, second)] {
            for commit in 1..=commits {
                for stop in [Stop::Before, Stop::After] {
                    let (died, found) = killed_at(commit, stop, in_second, tells_handle).await;
                    let which = format!("commit {commit} of {commits} {stop:?}, second pass {in_second}");
                    assert_eq!(found, expected, "{which}");
                    // Group commit may need fewer commits than the undisturbed run did; then there is nothing to kill.
                    assert!(died || commit + 6 > commits, "it did not die: {which}");
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

/// People marked a message as deleted, and nobody expunged it; then it is moved at the source.
async fn marked_and_moved(stop_at_commit: Option<(u64, Stop)>) -> (u64, Vec<String>) {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.target.by_hand(&AccountId::new(LOGIN), |_, message| {
        Some(Standing { deleted: message.bytes.starts_with(b"Subject: 4"), ..message.clone() })
    });
    world.source.shift(&world.account.id, &ItemId::new("m04"), &world.archive);
    let deadly = StoreOptions { stop_at_commit, ..StoreOptions::default() };
    let commits = world.run(&world.engine(), dir.path(), deadly).await.unwrap_or(0);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    (commits, seen(&world, &dir).await)
}

#[tokio::test]
async fn the_move_of_what_people_marked_as_deleted_is_found_out_wherever_it_was_cut() {
    let (commits, expected) = marked_and_moved(None).await;
    assert!(expected.iter().any(|line| line.starts_with("Inbox/Archive/2019 m04")), "{expected:#?}");
    for commit in 1..=commits {
        for stop in [Stop::Before, Stop::After] {
            assert_eq!(marked_and_moved(Some((commit, stop))).await.1, expected, "commit {commit} {stop:?}");
        }
    }
}
