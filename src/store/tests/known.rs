//! What is known of placements: versions are asked for once, and only what is reworded is found by its key.

use super::fixture::*;
use crate::store::{AccountStore, TargetKey};
use std::collections::BTreeSet;
use transhume_contract::{Placed, Version};

async fn untold(store: &AccountStore, at: TargetKey) -> usize {
    store.placements_untold(at, None, 10).await.unwrap().len()
}

#[tokio::test]
async fn a_version_that_was_asked_for_is_not_asked_for_again_until_the_item_moved() {
    let store = Fixture::fresh().await;
    let all = vec![only_in("a", "1", "inbox"), only_in("b", "1", "inbox")];
    pass(&store, vec![("inbox", all), ("old", vec![])]).await;
    fetch(&store, "a", b"a").await;
    fetch(&store, "b", b"b").await;
    push(&store, "inbox").await;
    let (at, old) = (ensure(&store, "inbox").await, ensure(&store, "old").await);
    let placements = store.placements_at(at, None, 10).await.unwrap();
    assert_eq!(untold(&store, at).await, 2);
    store.record_asked(vec![placements[0].key]).await.unwrap();
    let left = store.placements_untold(at, None, 10).await.unwrap();
    assert_eq!(left.iter().map(|placement| placement.key).collect::<Vec<_>>(), [placements[1].key]);
    let to = collection_key(&store, "old").await;
    store.record_moved(placements[0].key, to, old, &placed("moved")).await.unwrap();
    assert_eq!(untold(&store, old).await, 1, "nobody asked there");
    let told = Placed { version: Some(Version::new("1")), ..placed("again") };
    store.record_moved(placements[0].key, to, old, &told).await.unwrap();
    assert_eq!(untold(&store, old).await, 0, "it was told");
}

/// Keys of mail are not looked for: a copy of a message is known by its bytes.
#[tokio::test]
async fn mail_is_not_found_by_its_key() {
    let store = Fixture::fresh().await;
    pass(&store, vec![("inbox", vec![only_in("a", "1", "inbox")])]).await;
    fetch(&store, "a", b"a").await;
    push(&store, "inbox").await;
    let at = ensure(&store, "inbox").await;
    let key = store.placements_at(at, None, 10).await.unwrap()[0].message_id.clone().unwrap();
    assert_eq!(store.placements_by_message_id(at, BTreeSet::from([key])).await.unwrap(), []);
}
