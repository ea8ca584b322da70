//! Pushing: what is to be placed, amended, moved, superseded and withdrawn, and what stays undone.

use super::fixture::*;
use crate::store::{NewVerdict, Resolution, Side, Standing, Subject};
use transhume_contract::{Cause, Content, Depth, Fault, Handle, Loss, Placed, Reach, What};

async fn one_fetched() -> Fresh {
    let store = Fixture::fresh().await;
    pass(&store, vec![("inbox", vec![joined("a", "1", "inbox")]), ("old", vec![])]).await;
    fetch(&store, "a", b"hello").await;
    store
}

async fn pushed(store: &crate::store::AccountStore, names: &[&str]) -> Vec<crate::store::CollectionKey> {
    let mut keys = Vec::new();
    for name in names {
        keys.push(collection_key(store, name).await);
    }
    keys
}

#[tokio::test]
async fn a_refused_item_is_owed_or_quarantined_with_its_reason() {
    let fixture = Fixture::new().await;
    let store = fixture.store().await;
    pass(&store, vec![("inbox", vec![only_in("a", "1", "inbox"), only_in("b", "1", "inbox")])]).await;
    fetch(&store, "a", b"a").await;
    fetch(&store, "b", b"b").await;
    let at = ensure(&store, "inbox").await;
    let todo = to_place(&store, "inbox").await;
    let later = Fault::new(What::Full, "the mailbox is full");
    let large = Fault::new(What::TooLarge, "too large").skip(Cause::OverTargetLimit);
    for (what, fault) in todo.iter().zip([later, large]) {
        let intent = intend(&store, what, at).await;
        store.resolve(vec![Resolution::NotPlaced { intent, fault }]).await.unwrap();
    }
    assert_eq!(to_place(&store, "inbox").await, [], "not again in this run");
    let stages = store.collection_totals(MAIL).await.unwrap()[0].stages;
    assert_eq!((stages.ready.items, stages.barred.items, stages.owed().items), (1, 1, 1));
    drop(store);
    let store = fixture.store().await;
    let again = to_place(&store, "inbox").await;
    assert_eq!((again.len(), again[0].attempts), (1, 1));
    assert_eq!(store.release(MAIL, Side::Target, None).await.unwrap(), 1);
    assert_eq!(push(&store, "inbox").await, 2);
    assert_eq!(store.setbacks(MAIL, None, 10).await.unwrap(), []);
}

/// Mended at the source, it is another one: what was refused of the old one says nothing of it.
#[tokio::test]
async fn a_newer_original_leaves_the_quarantine_at_the_target() {
    let store = Fixture::fresh().await;
    let draft = |version| altered(only_in("a", version, "drafts"), |it| it.content = Some(Content::FollowsVersion));
    pass(&store, vec![("drafts", vec![draft("1")])]).await;
    fetch(&store, "a", b"bad").await;
    let at = ensure(&store, "drafts").await;
    let intent = intend(&store, &to_place(&store, "drafts").await[0], at).await;
    let fault = Fault::new(What::TooLarge, "it is too large").skip(Cause::OverTargetLimit);
    store.resolve(vec![Resolution::NotPlaced { intent, fault }]).await.unwrap();
    assert_eq!(store.setbacks(MAIL, None, 10).await.unwrap().len(), 1);
    pass(&store, vec![("drafts", vec![draft("2")])]).await;
    fetch(&store, "a", b"bad").await;
    assert_eq!(store.setbacks(MAIL, None, 10).await.unwrap().len(), 1, "the same bytes are no newer original");
    pass(&store, vec![("drafts", vec![draft("3")])]).await;
    fetch(&store, "a", b"good").await;
    assert_eq!(store.setbacks(MAIL, None, 10).await.unwrap(), []);
    super::totals::tallies_agree(&store).await;
    assert_eq!(push(&store, "drafts").await, 1);
}

#[tokio::test]
async fn a_fault_that_reaches_further_is_no_mark_against_the_item() {
    let store = one_fetched().await;
    let at = ensure(&store, "inbox").await;
    let intent = intend(&store, &to_place(&store, "inbox").await[0], at).await;
    let fault = Fault::new(What::Unauthenticated, "the password was refused").reaching(Reach::Account);
    store.resolve(vec![Resolution::NotPlaced { intent, fault }]).await.unwrap();
    assert_eq!(store.setbacks(MAIL, None, 10).await.unwrap(), []);
    assert_eq!(to_place(&store, "inbox").await.len(), 1);
}

#[tokio::test]
async fn one_refused_resolution_undoes_its_batch() {
    let store = one_fetched().await;
    let at = ensure(&store, "inbox").await;
    let intent = intend(&store, &to_place(&store, "inbox").await[0], at).await;
    let unknown = transhume_contract::IntentId::new("nobody's");
    let batch = vec![
        Resolution::Placed { intent, placed: placed("1") },
        Resolution::Placed { intent: unknown, placed: placed("2") },
    ];
    store.resolve(batch).await.unwrap_err();
    assert_eq!(open_intents(&store, at).await.len(), 1);
    assert_eq!(store.totals(MAIL).await.unwrap().placed.items, 0);
}

#[tokio::test]
async fn an_item_that_stands_elsewhere_waits_until_it_is_known_to_have_moved() {
    let store = one_fetched().await;
    push(&store, "inbox").await;
    let delta = begin(&store, &["inbox", "old"]).await;
    list(&store, delta, "old", vec![done(vec![joined("a", "1", "old"), joined("n", "1", "old")], "d")]).await;
    fetch(&store, "n", b"new").await;
    let ready = to_place(&store, "old").await;
    assert_eq!(ready.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["n"], "a new item need not wait");
    list(&store, delta, "inbox", vec![done(vec![gone("a", "inbox")], "d")]).await;
    let all = pushed(&store, &["inbox", "old"]).await;
    assert_eq!(store.placements_to_move(MAIL, &all, None, 10).await.unwrap(), []);
    store.settle_round(delta).await.unwrap();

    let moving = store.placements_to_move(MAIL, &all, None, 10).await.unwrap();
    assert_eq!((moving.len(), moving[0].to), (1, all[1]));
    assert_eq!(to_place(&store, "old").await.len(), 1, "a moved item is moved, not copied");
    assert_eq!(store.placements_to_withdraw(MAIL, None, 10).await.unwrap(), [], "nor withdrawn");
    let at = ensure(&store, "old").await;
    let placement = moving[0].placement.clone();
    store.intend_moves(vec![(placement.key, moving[0].to, at)]).await.unwrap();
    assert_eq!(store.placements_to_move(MAIL, &all, None, 10).await.unwrap(), [], "perhaps it was moved already");
    let open = store.open_moves(MAIL, None, 10).await.unwrap();
    assert_eq!((open.len(), open[0].to, open[0].at), (1, moving[0].to, at));
    store.forget_move(placement.key).await.unwrap();
    assert_eq!(store.open_moves(MAIL, None, 10).await.unwrap(), []);
    assert_eq!(store.placements_to_move(MAIL, &all, None, 10).await.unwrap(), moving);
    let left = vec![transhume_contract::Loss::new("marked_deleted", "still there")];
    let moved = transhume_contract::Placed { losses: left, ..placed("new-uid") };
    store.intend_moves(vec![(placement.key, moving[0].to, at)]).await.unwrap();
    store.record_moved(placement.key, moving[0].to, at, &moved).await.unwrap();
    assert_eq!(store.open_moves(MAIL, None, 10).await.unwrap(), []);
    assert_eq!(store.totals(MAIL).await.unwrap().losses[0].name, "marked_deleted");
    assert_eq!(store.placements_to_move(MAIL, &all, None, 10).await.unwrap(), []);
    let found = store.placements_by_handle(at, vec![Handle::new("new-uid"), Handle::new("other")]).await.unwrap();
    assert_eq!(found[0].item, placement.item);
    super::totals::tallies_agree(&store).await;
}

#[tokio::test]
async fn an_item_moved_out_of_what_is_pushed_is_only_counted() {
    let store = one_fetched().await;
    push(&store, "inbox").await;
    pass(&store, vec![("inbox", vec![gone("a", "inbox")]), ("old", vec![])]).await;
    assert_eq!(store.count_to_withdraw(MAIL).await.unwrap(), 1);
    let due = store.placements_to_withdraw(MAIL, None, 10).await.unwrap().remove(0);
    assert!(due.gone);
    store.record_withdrawn(due.placement.key, Vec::new()).await.unwrap();
    assert_eq!(store.count_to_withdraw(MAIL).await.unwrap(), 0);
    // It comes back: it was we who took it away, so it is placed again, under a new name.
    pass(&store, vec![("inbox", vec![joined("a", "1", "inbox")]), ("old", vec![])]).await;
    assert_eq!(push(&store, "inbox").await, 1);
    let totals = store.totals(MAIL).await.unwrap();
    assert_eq!((totals.placed.items, totals.withdrawn.items), (1, 1));
}

#[tokio::test]
async fn labels_are_placed_once_each_and_move_pairwise() {
    let store = Fixture::fresh().await;
    let both = || {
        listed(
            "a",
            "1",
            transhume_contract::Membership::Full(vec![
                transhume_contract::CollectionId::new("x"),
                transhume_contract::CollectionId::new("y"),
            ]),
        )
    };
    pass(&store, vec![("x", vec![both()]), ("y", vec![both()]), ("z", vec![])]).await;
    fetch(&store, "a", b"hello").await;
    assert_eq!((push(&store, "x").await, push(&store, "y").await), (1, 1));
    pass(&store, vec![("x", vec![only_in("a", "1", "z")]), ("y", vec![]), ("z", vec![])]).await;
    let all = pushed(&store, &["x", "y", "z"]).await;
    let moving = store.placements_to_move(MAIL, &all, None, 10).await.unwrap();
    assert_eq!((moving.len(), moving[0].to), (1, all[2]), "one goes to z, the other has no home any more");
    let at = ensure(&store, "z").await;
    store.record_moved(moving[0].placement.key, moving[0].to, at, &placed("z1")).await.unwrap();
    let left = store.placements_to_withdraw(MAIL, None, 10).await.unwrap();
    assert_eq!((left.len(), left[0].gone), (1, false));
}

#[tokio::test]
async fn changed_facts_are_amended_once_and_unchanged_ones_never() {
    let fixture = Fixture::new().await;
    let store = fixture.store().await;
    pass(&store, vec![("inbox", vec![joined("a", "1", "inbox"), joined("b", "1", "inbox")])]).await;
    fetch(&store, "a", b"hello").await;
    fetch(&store, "b", b"there").await;
    push(&store, "inbox").await;
    let at = ensure(&store, "inbox").await;
    let size_only = altered(joined("b", "2", "inbox"), |it| it.facts.size = Some(99));
    let read = altered(joined("a", "2", "inbox"), |it| it.facts.read = Some(true));
    pass(&store, vec![("inbox", vec![size_only, read])]).await;
    let due = store.placements_to_amend(at, None, 10).await.unwrap();
    assert_eq!(due.iter().map(|row| row.placement.item_id.as_str()).collect::<Vec<_>>(), ["a"]);
    let fault = Fault::new(What::Unreachable, "the server went away");
    assert_eq!(store.postpone(due[0].placement.key, &fault).await.unwrap(), Standing::Owed);
    assert_eq!(store.placements_to_amend(at, None, 10).await.unwrap(), []);
    drop(store);
    let store = fixture.store().await;
    assert_eq!(store.placements_to_amend(at, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn facts_that_change_while_the_bytes_are_under_way_are_amended_after() {
    let store = one_fetched().await;
    let at = ensure(&store, "inbox").await;
    let intent = intend(&store, &to_place(&store, "inbox").await[0], at).await;
    let read = altered(joined("a", "2", "inbox"), |it| it.facts.read = Some(true));
    pass(&store, vec![("inbox", vec![read]), ("old", vec![])]).await;
    store.resolve(vec![Resolution::Placed { intent, placed: placed("1") }]).await.unwrap();
    assert_eq!(store.placements_to_amend(at, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_changed_draft_is_placed_anew_before_the_old_one_goes() {
    let store = Fixture::fresh().await;
    let draft = |version| altered(only_in("a", version, "drafts"), |it| it.content = Some(Content::FollowsVersion));
    pass(&store, vec![("drafts", vec![draft("1")])]).await;
    fetch(&store, "a", b"one").await;
    push(&store, "drafts").await;
    pass(&store, vec![("drafts", vec![draft("2")])]).await;
    fetch(&store, "a", b"two").await;
    let due = store.placements_to_supersede(MAIL, None, 10).await.unwrap().remove(0);
    assert!(!due.placed_anew);
    let at = due.placement.at;
    let intent = intend(&store, &due.next, at).await;
    store.resolve(vec![Resolution::Placed { intent, placed: placed("uid-2") }]).await.unwrap();
    let again = store.placements_to_supersede(MAIL, None, 10).await.unwrap().remove(0);
    assert!(again.placed_anew && again.placement.key == due.placement.key);
    store.record_superseded(again.placement.key, Vec::new()).await.unwrap();
    assert_eq!(store.placements_to_supersede(MAIL, None, 10).await.unwrap(), []);
    assert_eq!(push(&store, "drafts").await, 0);
    super::totals::tallies_agree(&store).await;
}

#[tokio::test]
async fn placements_without_a_handle_are_named_and_handles_shared_out() {
    let store = Fixture::fresh().await;
    pass(&store, vec![("inbox", vec![joined("a", "1", "inbox"), joined("b", "1", "inbox")])]).await;
    fetch(&store, "a", b"twin").await;
    fetch(&store, "b", b"twin").await;
    let at = ensure(&store, "inbox").await;
    for what in to_place(&store, "inbox").await {
        let intent = intend(&store, &what, at).await;
        let losses = vec![Loss::new("keyword_refused", "the server keeps no keywords")];
        let placed = Placed { losses, ..Placed::default() };
        store.resolve(vec![Resolution::Placed { intent, placed }]).await.unwrap();
    }
    let unnamed = store.placements_unnamed(at, None, 10).await.unwrap();
    assert_eq!(unnamed.len(), 2);
    assert_eq!(unnamed[0].natural_key().digest, unnamed[1].natural_key().digest);
    let found = vec![Handle::new("1"), Handle::new("2")];
    store.name_placements(vec![(unnamed[0].key, found[0].clone(), None)]).await.unwrap();
    assert_eq!(store.claimed(at, found.clone()).await.unwrap(), [found[0].clone()]);
    store.name_placements(vec![(unnamed[1].key, found[1].clone(), None)]).await.unwrap();
    assert_eq!(store.placements_unnamed(at, None, 10).await.unwrap(), []);
    assert_eq!(store.placements_at(at, Some(unnamed[0].key), 10).await.unwrap().len(), 1);
    assert_eq!(store.totals(MAIL).await.unwrap().losses[0].items, 2);
}

#[tokio::test]
async fn verdicts_replace_each_other_and_what_got_none_is_missing() {
    let store = Fixture::fresh().await;
    pass(&store, vec![("inbox", vec![joined("a", "1", "inbox"), joined("b", "1", "inbox")])]).await;
    fetch(&store, "a", b"a").await;
    fetch(&store, "b", b"b").await;
    push(&store, "inbox").await;
    let at = ensure(&store, "inbox").await;
    let placements = store.placements_at(at, None, 10).await.unwrap();
    let verdict = |subject, kind: &str| NewVerdict {
        workload: MAIL,
        subject,
        depth: Depth::Content,
        kind: kind.to_owned(),
        detail: serde_json::json!({"seen": 1}),
    };
    let extra = Subject::Extra(at, Handle::new("theirs"));
    store.begin_comparison(at).await.unwrap();
    store
        .record_verdicts(vec![
            verdict(Subject::Placement(placements[0].key), "altered"),
            verdict(extra.clone(), "extra"),
        ])
        .await
        .unwrap();
    assert_eq!(store.placements_without_verdict(at, None, 10).await.unwrap(), [placements[1].clone()]);
    store.record_verdicts(vec![verdict(Subject::Placement(placements[1].key), "missing")]).await.unwrap();
    let kinds: Vec<_> = store.differences(MAIL, 0, 10).await.unwrap().into_iter().map(|one| one.kind).collect();
    assert_eq!(kinds, ["altered", "extra", "missing"]);
    store.record_verdicts(vec![verdict(Subject::Placement(placements[0].key), "ok")]).await.unwrap();
    store.begin_comparison(at).await.unwrap();
    let left = store.differences(MAIL, 0, 10).await.unwrap();
    assert_eq!((left.len(), left[0].kind.as_str(), left[0].depth), (1, "missing", Depth::Content));
    let totals = store.totals(MAIL).await.unwrap().verdicts;
    assert_eq!(
        totals.iter().map(|one| (one.kind.as_str(), one.items)).collect::<Vec<_>>(),
        [("missing", 1), ("ok", 1)]
    );
    super::totals::tallies_agree(&store).await;
}
