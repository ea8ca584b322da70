//! Listing: pages, rounds, passes, and what is gone.

use super::fixture::*;
use crate::store::{AccountStore, Side, Standing};
use transhume_contract::{
    Cause, Change, CollectionId, Content, Cursor, Facts, Fault, Feed, FeedId, FlagState, ItemId, Membership,
    OriginalSink, Timestamp, Version, What,
};

async fn is_gone(store: &AccountStore, id: &str) -> bool {
    store.item_by_id(MAIL, &ItemId::new(id)).await.unwrap().unwrap().gone
}

#[tokio::test]
async fn a_round_goes_on_where_it_was_interrupted() {
    let fixture = Fixture::new().await;
    let store = fixture.store().await;
    let first = begin(&store, &["inbox"]).await;
    list(&store, first, "inbox", vec![more(vec![only_in("a", "1", "inbox")], "page2")]).await;
    drop(store);
    let store = fixture.store().await;
    let second = begin(&store, &["inbox"]).await;
    let listing = store.resume_feed(second, &feed("inbox")).await.unwrap().unwrap();
    assert_eq!((listing.from, listing.round, listing.full), (Some(Cursor::new("page2")), 1, true));
    list(&store, second, "inbox", vec![done(vec![], "delta1")]).await;
    assert_eq!(store.resume_feed(second, &feed("inbox")).await.unwrap(), None, "once a pass is enough");
    assert!(!is_gone(&store, "a").await, "the round saw it before the interruption");

    let third = begin(&store, &["inbox"]).await;
    let listing = store.resume_feed(third, &feed("inbox")).await.unwrap().unwrap();
    assert_eq!((listing.from, listing.round, listing.full), (Some(Cursor::new("delta1")), 2, false));
}

#[tokio::test]
async fn a_page_is_kept_once_and_in_its_place() {
    let store = Fixture::fresh().await;
    let pass = begin(&store, &["inbox"]).await;
    let listing = store.resume_feed(pass, &feed("inbox")).await.unwrap().unwrap();
    let page = more(vec![only_in("a", "1", "inbox")], "page2");
    store.commit_page(pass, &feed("inbox"), &listing, page.clone()).await.unwrap();
    store.commit_page(pass, &feed("inbox"), &listing, page).await.unwrap_err();
    let old = pass;
    begin(&store, &["inbox"]).await;
    let stale = store.resume_feed(old, &feed("inbox")).await.unwrap_err();
    assert!(stale.sentence.contains("newer pass"), "{stale}");
}

#[tokio::test]
async fn an_expired_cursor_lists_again_and_drops_nothing() {
    let store = Fixture::fresh().await;
    pass(&store, vec![("inbox", vec![only_in("a", "1", "inbox"), only_in("b", "1", "inbox")])]).await;
    fetch(&store, "a", b"hello").await;
    let again = begin(&store, &["inbox"]).await;
    let listing = store.resume_feed(again, &feed("inbox")).await.unwrap().unwrap();
    assert!(!listing.full);
    let listing = store.restart_feed(again, &feed("inbox")).await.unwrap();
    assert!(listing.full && listing.from.is_none());
    let page = done(vec![only_in("a", "1", "inbox"), only_in("c", "1", "inbox")], "delta");
    let sums = store.commit_page(again, &feed("inbox"), &listing, page).await.unwrap();
    assert_eq!((sums.new, sums.changed, sums.next), (1, 0, None));
    assert_eq!(store.settle_round(again).await.unwrap().gone, 1, "b was not seen from the start");
    assert!(is_gone(&store, "b").await && !is_gone(&store, "a").await);
    assert_eq!(to_fetch(&store, &["inbox"]).await, ["c"], "a is not fetched again");
}

#[tokio::test]
async fn an_item_is_gone_only_when_every_feed_has_finished() {
    let store = Fixture::fresh().await;
    pass(&store, vec![("inbox", vec![joined("a", "1", "inbox"), joined("b", "1", "inbox")]), ("old", vec![])]).await;
    let delta = begin(&store, &["inbox", "old"]).await;
    list(&store, delta, "inbox", vec![done(vec![gone("a", "inbox"), gone("b", "inbox")], "d")]).await;
    let unsettled = store.settle_round(delta).await.unwrap();
    assert_eq!(unsettled.waiting, [FeedId::new("old")]);
    assert!(!unsettled.waiting.is_empty() && !is_gone(&store, "a").await, "it may have moved");
    list(&store, delta, "old", vec![done(vec![joined("a", "1", "old")], "d")]).await;
    assert_eq!(store.settle_round(delta).await.unwrap().gone, 1);
    assert!(!is_gone(&store, "a").await && is_gone(&store, "b").await);
    // What comes back is there again.
    pass(&store, vec![("inbox", vec![joined("b", "2", "inbox")]), ("old", vec![])]).await;
    assert!(!is_gone(&store, "b").await);
    let totals = store.totals(MAIL).await.unwrap();
    assert_eq!((totals.listed.items, totals.gone.items, totals.settled), (2, 0, true));
}

#[tokio::test]
async fn a_collection_that_is_gone_holds_nothing_and_is_kept() {
    let store = Fixture::fresh().await;
    pass(&store, vec![("inbox", vec![]), ("old", vec![only_in("a", "1", "old")])]).await;
    let settled = pass(&store, vec![("inbox", vec![])]).await;
    assert_eq!(settled.gone, 1);
    let rows = store.collections(MAIL).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.gone).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn rows_are_patches_laid_one_over_the_other() {
    let store = Fixture::fresh().await;
    let read = altered(joined("a", "2", "inbox"), |it| it.facts.read = Some(true));
    pass(&store, vec![("inbox", vec![read, gone("a", "inbox"), joined("a", "3", "inbox")])]).await;
    let item = store.item_by_id(MAIL, &ItemId::new("a")).await.unwrap().unwrap();
    assert_eq!((item.version, item.facts.read), (Version::new("3"), Some(false)));

    let unsaid = altered(joined("a", "4", "inbox"), |it| {
        it.facts = transhume_contract::Facts { answered: Some(true), ..Default::default() };
        it.content = None;
    });
    pass(&store, vec![("inbox", vec![unsaid])]).await;
    let item = store.item_by_id(MAIL, &ItemId::new("a")).await.unwrap().unwrap();
    assert_eq!((item.content, item.facts.answered, item.facts.size), (Content::Fixed, Some(true), Some(10)));
    assert_eq!(item.revision, 3, "read, unread, answered");
}

#[tokio::test]
async fn leaving_one_collection_does_not_hide_joining_another() {
    let store = Fixture::fresh().await;
    let whole = Feed { collection: None, id: FeedId::new("mailbox"), ..feed("inbox") };
    let number = store.begin_pass(MAIL).await.unwrap();
    store.record_collections(number, vec![collection("inbox"), collection("old")]).await.unwrap();
    store.record_feeds(number, vec![whole.clone()]).await.unwrap();
    let listing = store.resume_feed(number, &whole).await.unwrap().unwrap();
    let left = listed("a", "1", Membership::Left(CollectionId::new("inbox")));
    let page = done(vec![joined("a", "1", "inbox"), left, joined("a", "1", "old")], "d");
    store.commit_page(number, &whole, &listing, page).await.unwrap();
    assert_eq!(store.settle_round(number).await.unwrap().gone, 0);
    let explained = store.explain("a").await.unwrap().remove(0);
    let standing: Vec<_> = explained.collections.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(standing, ["old"]);
}

#[tokio::test]
async fn several_rows_of_one_item_in_a_page_count_one_after_the_other() {
    let store = Fixture::fresh().await;
    let patched = |facts: Facts| altered(joined("a", "1", "inbox"), |it| it.facts = facts.clone());
    let rows = vec![
        patched(Facts { read: Some(true), received: Some(Timestamp::UNIX_EPOCH), ..Facts::default() }),
        patched(Facts { flag: Some(FlagState::Flagged), read: Some(false), ..Facts::default() }),
    ];
    pass(&store, vec![("inbox", rows)]).await;
    let facts = store.item_by_id(MAIL, &ItemId::new("a")).await.unwrap().unwrap().facts;
    let expected = (Some(false), Some(FlagState::Flagged), Some(Timestamp::UNIX_EPOCH));
    assert_eq!((facts.read, facts.flag, facts.received), expected);
}

#[tokio::test]
async fn a_refused_item_is_quarantined_or_owed_and_never_forgotten() {
    let store = Fixture::fresh().await;
    let inbox = Some(CollectionId::new("inbox"));
    let corrupt = Fault::new(What::Malformed, "the service cannot read it").skip(Cause::CorruptAtSource);
    let later = Fault::new(What::Unreachable, "the service did not answer");
    let refused = vec![
        Change::Refused(ItemId::new("a"), inbox.clone(), corrupt),
        Change::Refused(ItemId::new("b"), inbox, later.clone()),
        Change::Refused(ItemId::new("c"), None, later),
    ];
    pass(&store, vec![("inbox", refused)]).await;
    let totals = store.totals(MAIL).await.unwrap();
    assert_eq!((totals.listed.items, totals.gone.items, totals.changes), (3, 0, 1), "nothing waits for `c`");
    assert_eq!((totals.quarantined[0].cause.as_str(), totals.quarantined[0].items), ("corrupt_at_source", 1));
    let stages = store.collection_totals(MAIL).await.unwrap()[0].stages;
    assert_eq!((stages.barred.items, stages.waiting.items), (1, 1));
    let setbacks = store.setbacks(MAIL, None, 2).await.unwrap();
    assert_eq!(setbacks[0].standing, Standing::Quarantined(Cause::CorruptAtSource));
    assert_eq!(store.setbacks(MAIL, Some(&setbacks[1]), 10).await.unwrap().len(), 1);
    // A new version, or a word from the administrator, gives it another chance.
    pass(&store, vec![("inbox", vec![joined("a", "1", "inbox")])]).await;
    assert_eq!(to_fetch(&store, &["inbox"]).await, ["a"]);
}

#[tokio::test]
async fn quarantine_ends_when_it_is_released() {
    let store = Fixture::fresh().await;
    pass(&store, vec![("inbox", vec![joined("a", "1", "inbox")])]).await;
    let corrupt = Fault::new(What::Malformed, "the service cannot read it").skip(Cause::CorruptAtSource);
    store.record_fault(key(&store, "a").await, Side::Source, None, &corrupt).await.unwrap();
    assert_eq!(to_fetch(&store, &["inbox"]).await, [] as [&str; 0]);
    assert_eq!(store.release(MAIL, Side::Source, Some(Cause::NotConvertible)).await.unwrap(), 0);
    assert_eq!(store.release(MAIL, Side::Source, Some(Cause::CorruptAtSource)).await.unwrap(), 1);
    assert_eq!(to_fetch(&store, &["inbox"]).await, ["a"]);
    assert_eq!(store.collection_totals(MAIL).await.unwrap()[0].stages.waiting.items, 1);
}

#[tokio::test]
async fn what_could_not_be_listed_is_listed_again_when_it_is_released() {
    let store = Fixture::fresh().await;
    let corrupt = || Fault::new(What::Malformed, "the service cannot list it").skip(Cause::CorruptAtSource);
    let inbox = CollectionId::new("inbox");
    let refused = |id: &str| Change::Refused(ItemId::new(id), Some(inbox.clone()), corrupt());
    let rows = vec![refused("a"), refused("row 7"), joined("b", "1", "inbox")];
    pass(&store, vec![("inbox", rows)]).await;
    assert_eq!(to_fetch(&store, &["inbox"]).await, ["b"]);
    assert_eq!(store.release(MAIL, Side::Source, None).await.unwrap(), 2);
    assert_eq!(to_fetch(&store, &["inbox"]).await, ["b"], "nobody knows yet what the others are");
    // The feed tells of everything again: `a` whole, and `row 7` was never the name of anything.
    let next = store.begin_pass(MAIL).await.unwrap();
    store.record_feeds(next, vec![feed("inbox")]).await.unwrap();
    let listing = store.resume_feed(next, &feed("inbox")).await.unwrap().unwrap();
    assert!(listing.from.is_none() && listing.full);
    let all = done(vec![joined("a", "1", "inbox"), joined("b", "1", "inbox")], "d9");
    store.commit_page(next, &feed("inbox"), &listing, all).await.unwrap();
    store.settle_round(next).await.unwrap();
    let mut waiting = to_fetch(&store, &["inbox"]).await;
    waiting.sort();
    assert_eq!(waiting, ["a", "b"]);
    assert_eq!(store.setbacks(MAIL, None, 10).await.unwrap().iter().filter(|one| one.id.as_str() == "a").count(), 0);
    assert_eq!(store.release(MAIL, Side::Source, None).await.unwrap(), 0, "what is gone is not tried again");
}

#[tokio::test]
async fn what_is_to_fetch_comes_newest_first_page_by_page_from_the_chosen_collections() {
    let fixture = Fixture::new().await;
    let store = fixture.store().await;
    let at = |id: &str, second: i64, collection: &str| {
        altered(only_in(id, "1", collection), |it| it.facts.received = Some(Timestamp::from_second(second).unwrap()))
    };
    let inbox = vec![at("a", 100, "inbox"), at("c", 300, "inbox"), at("b", 200, "inbox"), at("b2", 200, "inbox")];
    pass(&store, vec![("inbox", inbox), ("junk", vec![at("j", 400, "junk")])]).await;
    assert_eq!(to_fetch(&store, &["inbox"]).await, ["c", "b2", "b", "a"]);
    assert_eq!(to_fetch(&store, &["junk", "inbox"]).await[0], "j");
    let inbox = [collection_key(&store, "inbox").await];
    let (mut seen, mut after) = (Vec::new(), None);
    while let Some(row) = store.items_to_fetch(MAIL, &inbox, after, 1).await.unwrap().pop() {
        after = Some(row.mark);
        seen.push(row.id.as_str().to_owned());
    }
    assert_eq!(seen, ["c", "b2", "b", "a"]);

    let later = Fault::new(What::Unreachable, "the service did not answer");
    store.record_fault(key(&store, "c").await, Side::Source, None, &later).await.unwrap();
    assert_eq!(to_fetch(&store, &["inbox"]).await, ["b2", "b", "a"], "not again in this run");
    drop(store);
    let store = fixture.store().await;
    let rows = store.items_to_fetch(MAIL, &inbox, None, 1).await.unwrap();
    assert_eq!((rows[0].id.as_str(), rows[0].attempts), ("c", 1), "but in the next");
    fetch(&store, "c", b"hello").await;
    assert_eq!(store.totals(MAIL).await.unwrap().changes, 0);
}

#[tokio::test]
async fn a_draft_is_fetched_again_when_it_changes_and_once_more_when_it_was_sent() {
    let store = Fixture::fresh().await;
    let draft = |version| altered(only_in("a", version, "box"), |it| it.content = Some(Content::FollowsVersion));
    pass(&store, vec![("box", vec![draft("1")])]).await;
    fetch(&store, "a", b"one").await;
    assert_eq!(to_fetch(&store, &["box"]).await, [] as [&str; 0]);
    pass(&store, vec![("box", vec![draft("2")])]).await;
    let same = fetch(&store, "a", b"one").await;
    assert!(!same.changed, "the same bytes are no new original");
    assert_eq!(to_fetch(&store, &["box"]).await, [] as [&str; 0]);
    pass(&store, vec![("box", vec![only_in("a", "3", "box")])]).await;
    assert_eq!(to_fetch(&store, &["box"]).await, ["a"], "it was a draft when it was fetched");
    fetch(&store, "a", b"sent").await;
    pass(&store, vec![("box", vec![only_in("a", "4", "box")])]).await;
    assert_eq!(to_fetch(&store, &["box"]).await, [] as [&str; 0], "a sent message never changes");
}

#[tokio::test]
async fn settings_are_kept_like_originals_and_are_no_items() {
    let store = Fixture::fresh().await;
    assert_eq!(store.settings(MAIL).await.unwrap(), None);
    for _ in 0..2 {
        let mut sink = store.settings_sink(MAIL).await.unwrap();
        give(&mut sink, "rules", b"[]").await;
        give(&mut sink, "settings", b"{}").await;
        sink.complete(&transhume_contract::Facts::default()).await.unwrap();
    }
    let settings = store.settings(MAIL).await.unwrap().unwrap();
    assert_eq!((settings.seq, settings.parts.len(), settings.parts[0].name.as_str()), (1, 2, "rules"));
    let totals = store.totals(MAIL).await.unwrap();
    assert_eq!((totals.listed.items, totals.fetched.items), (0, 0));
    let mut sink = store.settings_sink(MAIL).await.unwrap();
    sink.open(part("rules")).await.unwrap();
    sink.clear().await.unwrap();
}
