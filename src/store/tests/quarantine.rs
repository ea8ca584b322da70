//! What is in quarantine at the target, until something changes for it; and what is asked once.

use super::fixture::*;
use crate::store::{AccountStore, Resolution, Side, TargetKey};
use std::collections::BTreeSet;
use transhume_contract::{Cause, Change, Content, Digest, Fault, Placed, Version, What};

fn draft(version: &str) -> Change {
    altered(only_in("a", version, "drafts"), |it| it.content = Some(Content::FollowsVersion))
}

/// The draft is at its second version, which the target refused for good.
async fn refused(store: &AccountStore, fault: Fault) {
    pass(store, vec![("drafts", vec![draft("1")])]).await;
    fetch(store, "a", b"one").await;
    push(store, "drafts").await;
    pass(store, vec![("drafts", vec![draft("2")])]).await;
    fetch(store, "a", b"two").await;
    let due = store.placements_to_supersede(MAIL, made_by(), None, 10).await.unwrap().remove(0);
    let intent = intend(store, &due.next, due.placement.at).await;
    store.resolve(vec![Resolution::NotPlaced { intent, fault }]).await.unwrap();
}

/// How many placements are to make way, for what is rendered by this edition and for this profile.
async fn due(store: &AccountStore, edition: u32, profile: &[u8]) -> usize {
    let made_by = (edition, Digest::of(b"tables"), [Digest::of(profile); 2]);
    store.placements_to_supersede(MAIL, made_by, None, 10).await.unwrap().len()
}

fn for_good() -> Fault {
    Fault::new(What::Malformed, "the target does not take it").skip(Cause::RefusedByTarget)
}

#[tokio::test]
async fn a_replacing_in_quarantine_waits_until_it_would_be_another_one() {
    let store = Fixture::fresh().await;
    refused(&store, for_good()).await;
    assert_eq!(due(&store, 1, b"profile").await, 0, "it would be refused again");
    let totals = store.totals(MAIL).await.unwrap();
    assert_eq!((totals.changes, totals.quarantined[0].items, totals.placed.items), (0, 1, 1));
    assert_eq!((due(&store, 2, b"profile").await, due(&store, 1, b"another").await), (1, 1));
    pass(&store, vec![("drafts", vec![draft("3")])]).await;
    fetch(&store, "a", b"three").await;
    assert_eq!(due(&store, 1, b"profile").await, 1, "there is a newer original");
    super::totals::tallies_agree(&store).await;
}

#[tokio::test]
async fn a_replacing_in_quarantine_is_tried_again_when_somebody_asks() {
    let store = Fixture::fresh().await;
    refused(&store, for_good()).await;
    assert_eq!(store.release(MAIL, Side::Target, None).await.unwrap(), 1);
    assert_eq!(due(&store, 1, b"profile").await, 1);
}

#[tokio::test]
async fn what_is_owed_does_not_wait() {
    let store = Fixture::fresh().await;
    refused(&store, Fault::new(What::Malformed, "the target stumbled")).await;
    assert_eq!(due(&store, 1, b"profile").await, 1);
}

#[tokio::test]
async fn what_was_too_large_is_tried_again_once_the_target_takes_larger_ones() {
    let store = Fixture::fresh().await;
    assert_eq!(store.heed_limit(MAIL, Some(10)).await.unwrap(), 0);
    refused(&store, Fault::new(What::TooLarge, "too large").skip(Cause::OverTargetLimit)).await;
    for limit in [Some(10), Some(5), Some(5)] {
        assert_eq!(store.heed_limit(MAIL, limit).await.unwrap(), 0, "{limit:?}");
    }
    assert_eq!((store.heed_limit(MAIL, Some(20)).await.unwrap(), due(&store, 1, b"profile").await), (1, 1));
    assert_eq!(store.totals(MAIL).await.unwrap().quarantined, []);
    assert_eq!(store.heed_limit(MAIL, Some(20)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_target_that_states_no_limit_any_more_takes_larger_ones_and_nothing_else_is_released() {
    for (cause, released) in [(Cause::OverTargetLimit, 1), (Cause::RefusedByTarget, 0)] {
        let store = Fixture::fresh().await;
        assert_eq!(store.heed_limit(MAIL, Some(10)).await.unwrap(), 0);
        refused(&store, Fault::new(What::TooLarge, "too large").skip(cause)).await;
        assert_eq!(store.heed_limit(MAIL, None).await.unwrap(), released);
        assert_eq!(store.heed_limit(MAIL, Some(10)).await.unwrap(), 0, "it takes less than before");
    }
}

#[tokio::test]
async fn what_never_stood_there_waits_until_somebody_asks_whatever_the_limit() {
    let store = Fixture::fresh().await;
    assert_eq!(store.heed_limit(MAIL, Some(10)).await.unwrap(), 0);
    pass(&store, vec![("inbox", vec![only_in("a", "1", "inbox")])]).await;
    fetch(&store, "a", b"a").await;
    let intent = intend(&store, &to_place(&store, "inbox").await[0], ensure(&store, "inbox").await).await;
    let fault = Fault::new(What::TooLarge, "too large").skip(Cause::OverTargetLimit);
    store.resolve(vec![Resolution::NotPlaced { intent, fault }]).await.unwrap();
    assert_eq!(store.heed_limit(MAIL, Some(20)).await.unwrap(), 0);
    assert_eq!(to_place(&store, "inbox").await, []);
}

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
