//! What people do at the target between passes is theirs.

use crate::{
    proof::{kinds, moved},
    world::{LOGIN, World, project},
};
use transhume::{engine::Half, store::StoreOptions};
use transhume_contract::{AccountId, Depth, Facts, FlagState, ItemId, memory::Standing};

#[tokio::test]
async fn a_flag_they_changed_stays() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.target.by_hand(&AccountId::new(LOGIN), |_, message| {
        let facts = Facts { flag: Some(FlagState::Complete), ..message.facts.clone() };
        Some(Standing { facts, ..message.clone() })
    });
    let change = Facts { flag: Some(FlagState::Flagged), read: Some(true), ..Facts::default() };
    world.source.edit(&world.account.id, &ItemId::new("m05"), &change);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    let standing = world.standing();
    assert!(standing.iter().all(|line| line.contains("Complete")), "{standing:#?}");
    let changed = standing.iter().find(|line| line.contains("Subject: 5")).unwrap();
    assert!(changed.contains("Some(true)"), "what they did not touch follows the source: {changed}");
}

#[tokio::test]
async fn what_they_deleted_stays_deleted_even_when_it_changes_or_moves_at_the_source() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.target.by_hand(&AccountId::new(LOGIN), |_, _| None);
    world.source.edit(&world.account.id, &ItemId::new("m02"), &Facts { read: Some(false), ..Facts::default() });
    world.source.shift(&world.account.id, &ItemId::new("m05"), &world.archive);
    for _ in 0..2 {
        world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
        assert_eq!(world.standing(), Vec::<String>::new());
    }
    world.put(&world.inbox, 60, "Subject: after\r\n\r\n\r\n");
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    assert_eq!(world.standing().len(), 1, "what is new arrives all the same");
}

#[tokio::test]
async fn a_folder_they_renamed_is_followed() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.target.rename_by_hand(&AccountId::new(LOGIN), &["Inbox", "Archive/2019"], &["Papers"]);
    world.put(&world.archive, 61, "Subject: late\r\n\r\n\r\n");
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    let late = world.standing().into_iter().find(|line| line.contains("late")).unwrap();
    assert!(late.starts_with("Papers "), "{late}");
}

/// Takes the first messages that begin so out of the inbox, and gives them.
fn take_from_inbox(world: &World, most: usize, begin: &str) -> Vec<Standing> {
    let mut taken = Vec::new();
    world.target.by_hand(&AccountId::new(LOGIN), |path, message| {
        let meant = path.len() == 1 && taken.len() < most && message.bytes.starts_with(begin.as_bytes());
        taken.extend(meant.then(|| message.clone()));
        (!meant).then(|| message.clone())
    });
    taken
}

fn put_into_archive(world: &World, message: Standing) {
    world.target.put_by_hand(&AccountId::new(LOGIN), &["Inbox".to_owned(), "Archive/2019".to_owned()], message);
}

#[tokio::test]
async fn what_they_filed_elsewhere_is_no_difference_and_is_not_placed_again() {
    for depth in [Depth::Presence, Depth::Shape, Depth::Content] {
        let (world, _dir, project, engine, movers) = moved().await;
        let message = take_from_inbox(&world, 1, "Subject: 5").remove(0);
        // As long as what they moved, and not the same.
        put_into_archive(&world, Standing { bytes: "Subject: X\r\n\r\nbody\r\n".into(), ..message.clone() });
        put_into_archive(&world, message);
        let before = world.standing();
        for _ in 0..2 {
            let found = engine.verify(&project, &movers, depth).await.unwrap().remove(0);
            assert_eq!((found.compared, found.differences, found.moved, found.others), (7, 0, 1, 1), "{depth:?}");
            assert_eq!(kinds(&project, &world).await, ["changed_there", "extra"]);
            engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
            assert_eq!((world.standing(), world.target.placed()), (before.clone(), 7));
        }
    }
}

/// One message answers for one placement, also where it was filed beside an equal one of ours.
#[tokio::test]
async fn of_equal_ones_that_they_took_away_only_those_are_restored_that_stand_nowhere() {
    let (world, _dir, project, engine, movers) = moved().await;
    world.put(&world.archive, 70, "Subject: 2\r\n\r\nbody\r\n");
    engine.pass(&project, &movers, Half::Both).await.unwrap();
    let twin = take_from_inbox(&world, 2, "Subject: 2").remove(0);
    put_into_archive(&world, twin);
    let found = engine.verify(&project, &movers, Depth::Content).await.unwrap().remove(0);
    assert_eq!((found.compared, found.differences, found.moved, found.others), (8, 1, 1, 0));
    assert_eq!(kinds(&project, &world).await, ["changed_there", "missing"]);
    engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
    assert_eq!((world.standing().len(), world.target.placed()), (8, 9));
}
