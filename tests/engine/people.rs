//! What people do at the target between passes is theirs.

use crate::world::{LOGIN, World, project};
use transhume::store::StoreOptions;
use transhume_contract::{AccountId, Facts, FlagState, ItemId};

#[tokio::test]
async fn a_flag_they_changed_stays() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.target.by_hand(&AccountId::new(LOGIN), |_, message| {
        let facts = Facts { flag: Some(FlagState::Complete), ..message.facts.clone() };
        Some(transhume_contract::memory::Standing { facts, ..message.clone() })
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
