//! What was refused because of a key that something withdrawn had.

use super::fixture::*;
use crate::store::{AccountStore, Resolution, Side};
use transhume_contract::{Cause, Change, Fault, What};

fn one_uid(id: &str) -> Change {
    altered(joined(id, "1", "inbox"), |it| it.facts.message_id = Some("one@example.org".to_owned()))
}

fn doubled() -> Fault {
    Fault::new(What::Exists, "its UID stands there already").skip(Cause::DuplicateUid)
}

/// Of two with one key, `a` stands at the target, and `b` was refused there.
async fn refused(store: &AccountStore) {
    pass(store, vec![("inbox", vec![one_uid("a")])]).await;
    fetch(store, "a", b"a").await;
    push(store, "inbox").await;
    pass(store, vec![("inbox", vec![one_uid("b")])]).await;
    fetch(store, "b", b"b").await;
    let intent = intend(store, &to_place(store, "inbox").await[0], ensure(store, "inbox").await).await;
    store.resolve(vec![Resolution::NotPlaced { intent, fault: doubled() }]).await.unwrap();
}

async fn withdraw_the_other(store: &AccountStore) {
    pass(store, vec![("inbox", vec![gone("a", "inbox")])]).await;
    let due = store.placements_to_withdraw(MAIL, None, 10).await.unwrap().remove(0);
    store.record_withdrawn(due.placement.key, Vec::new()).await.unwrap();
}

#[tokio::test]
async fn what_the_source_refused_since_keeps_nothing_from_being_tried_again_at_the_target() {
    let store = Fixture::fresh().await;
    refused(&store).await;
    assert_eq!(store.release_freed(MAIL).await.unwrap(), [], "it stands there still");
    withdraw_the_other(&store).await;
    let b = key(&store, "b").await;
    let gone = Fault::new(What::Malformed, "the source does not give it").skip(Cause::CorruptAtSource);
    store.record_fault(b, Side::Source, None, &gone).await.unwrap();
    assert_eq!(store.release_freed(MAIL).await.unwrap(), [b]);
    assert_eq!(store.release_freed(MAIL).await.unwrap(), []);
}

#[tokio::test]
async fn what_the_target_refused_again_since_stays_refused() {
    let store = Fixture::fresh().await;
    refused(&store).await;
    withdraw_the_other(&store).await;
    let (b, inbox) = (key(&store, "b").await, collection_key(&store, "inbox").await);
    store.record_fault(b, Side::Target, Some(inbox), &doubled()).await.unwrap();
    assert_eq!(store.release_freed(MAIL).await.unwrap(), []);
}
