//! Later rounds of a calendar, with each of the answers that nobody has confirmed.

use crate::{
    agenda::{agenda, part, text},
    stage::{Round, Stage, full},
};
use serde_json::{Value, json};
use transhume_contract::{Account, Cursor, Feed, ItemId, Listed, Role, Source, What, Workload};

/// The default calendar of the first account.
async fn default(stage: &Stage, account: &Account) -> Feed {
    let calendars = stage.source.collections(account, Workload::Calendar).await.unwrap();
    let default: Vec<_> = calendars.into_iter().filter(|one| one.role == Role::Default).collect();
    stage.source.feeds(account, &default).await.unwrap().remove(0)
}

/// The next pass as an engine makes it: from the cursor, or from the start where that expired. Answers whether the
/// round listed everything.
async fn pass(stage: &Stage, feed: &Feed, from: Option<Cursor>) -> (Round, bool) {
    if from.is_some() {
        match stage.walk(feed, from).await {
            Ok(round) => return (round, false),
            Err(fault) => assert_eq!(fault.what, What::CursorExpired, "{fault}"),
        }
    }
    (stage.walk(feed, None).await.unwrap(), true)
}

fn titled<'a>(round: &'a Round, title: &str) -> &'a Listed {
    let found = round.listed.values().find(|one| one.facts.subject.as_deref() == Some(title));
    found.unwrap_or_else(|| panic!("{title} is not listed"))
}

fn series_titled<'a>(round: &'a Round, title: &str) -> &'a Listed {
    let listed = titled(round, title);
    assert_eq!(listed.facts.class.as_deref(), Some("seriesMaster"));
    listed
}

/// Every way in which a calendar may answer.
fn ways() -> Vec<Value> {
    let mut all = Vec::new();
    for event_delta in ["answers", "bad_request", "not_found"] {
        for touches in [true, false] {
            for limited in [true, false] {
                for cloud in ["global", "us_gov"] {
                    all.push(json!({"event_delta": event_delta, "exceptions_touch_master": touches,
                        "event_delta_limited": limited, "cloud": cloud}));
                }
            }
        }
    }
    all
}

/// A few series and single events, so that many ways can be gone.
async fn small_agenda() -> (Stage, Account) {
    let mut dump = full(1, 10);
    let kept = ["every third day", "workdays", "third tuesday", "tenth of the month", "exceptions of every kind"];
    let mut seen = 0;
    let mut keeps = |resource: &Value| {
        let single = resource["type"] == "singleInstance";
        seen += usize::from(single);
        (single && seen <= 12) || kept.contains(&text(resource, "subject"))
    };
    let masters: Vec<Value> = dump
        .entries
        .iter()
        .filter(|entry| entry.kind == "event" && entry.resource["seriesMasterId"].is_null() && keeps(&entry.resource))
        .map(|entry| entry.resource["id"].clone())
        .collect();
    dump.entries.retain(|entry| {
        let (id, master) = (&entry.resource["id"], &entry.resource["seriesMasterId"]);
        entry.kind != "event" || masters.contains(id) || masters.contains(master)
    });
    let stage = Stage::of(dump).await;
    let account = stage.first().await;
    (stage, account)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_and_a_cancelled_day_are_noticed_whatever_delta_tells() {
    for way in ways() {
        let (stage, account) = small_agenda().await;
        stage.switch(way.clone());
        let feed = default(&stage, &account).await;
        let (first, _) = pass(&stage, &feed, None).await;
        let edited = series_titled(&first, "every third day").clone();
        let cancelled = series_titled(&first, "workdays").clone();
        let user = account.address.as_str();
        stage.mutate(json!([
            {"op": "edit_occurrence", "user": user, "event": edited.id.as_str(), "date": "2026-01-08", "set": {"subject": "un jour"}},
            {"op": "cancel_occurrence", "user": user, "event": cancelled.id.as_str(), "date": "2026-01-06"},
        ]));
        let (later, whole) = pass(&stage, &feed, first.done.clone()).await;
        assert_eq!(whole, way["event_delta"] != "answers", "{way}");
        for before in [&edited, &cancelled] {
            assert_ne!(later.listed[&before.id].version, before.version, "{way}: {:?}", before.facts.subject);
        }
        let other = series_titled(&first, "third tuesday");
        assert_eq!(later.listed[&other.id].version, other.version, "{way}: nothing else is fetched again");
        let (quiet, _) = pass(&stage, &feed, later.done.clone()).await;
        for id in quiet.listed.keys().filter(|id| later.listed.contains_key(*id)) {
            assert_eq!(quiet.listed[id].version, later.listed[id].version, "{way}");
        }
        let (original, _) = stage.fetch_of(&account, &later.listed[&edited.id], Workload::Calendar).await.unwrap();
        let (event, apart) = (part(&original, "event"), part(&original, "exceptions"));
        let lists = [&event["exceptionOccurrences"], &apart];
        let titles: Vec<_> = lists
            .iter()
            .flat_map(|list| list.as_array().into_iter().flatten())
            .map(|one| text(one, "subject"))
            .collect();
        assert!(titles.contains(&"un jour"), "{way}: {titles:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_changed_moved_and_deleted_events_are_told_of() {
    for way in ways() {
        let (stage, account) = small_agenda().await;
        stage.switch(way.clone());
        let feed = default(&stage, &account).await;
        let calendars = stage.source.collections(&account, Workload::Calendar).await.unwrap();
        let other = calendars.iter().find(|one| one.name == "Archives").unwrap().clone();
        let other_feed = stage.source.feeds(&account, std::slice::from_ref(&other)).await.unwrap().remove(0);
        let (first, _) = pass(&stage, &feed, None).await;
        let (other_first, _) = pass(&stage, &other_feed, None).await;
        let singles: Vec<&Listed> =
            first.listed.values().filter(|one| one.facts.class.as_deref() == Some("singleInstance")).collect();
        let (changed, moved, deleted) = (singles[0], singles[1], singles[2]);
        let series = series_titled(&first, "tenth of the month");
        let user = account.address.as_str();
        stage.mutate(json!([
            {"op": "edit_event", "user": user, "event": changed.id.as_str(), "set": {"subject": "autre titre"}},
            {"op": "move_event", "user": user, "event": moved.id.as_str(), "to": other.id.as_str()},
            {"op": "delete_event", "user": user, "event": deleted.id.as_str()},
            {"op": "delete_event", "user": user, "event": series.id.as_str()},
            {"op": "create_event", "user": user, "set": {"subject": "nouveau",
                "start": {"dateTime": "2026-10-01T10:00:00.0000000", "timeZone": "UTC"},
                "end": {"dateTime": "2026-10-01T11:00:00.0000000", "timeZone": "UTC"}}},
        ]));
        let (later, whole) = pass(&stage, &feed, first.done.clone()).await;
        assert_eq!(later.listed[&changed.id].facts.subject.as_deref(), Some("autre titre"), "{way}");
        assert_ne!(later.listed[&changed.id].version, changed.version, "{way}");
        for gone in [&moved.id, &deleted.id, &series.id] {
            let told = if whole { !later.listed.contains_key(gone) } else { later.gone.contains(gone) };
            assert!(told, "{way}: {gone:?} stands there still");
        }
        assert!(titled(&later, "nouveau").facts.message_id.is_some(), "{way}");
        let (other_later, _) = pass(&stage, &other_feed, other_first.done.clone()).await;
        assert!(other_later.listed.contains_key(&moved.id), "{way}: it keeps its id in another calendar");
        if !whole {
            let told: Vec<&ItemId> = later.listed.keys().collect();
            assert!(told.iter().all(|id| **id != singles[3].id), "{way}: a later round tells what changed");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_round_costs_little_more_than_a_request_for_each_series() {
    let (stage, account) = agenda().await;
    let feed = default(&stage, &account).await;
    let (first, _) = pass(&stage, &feed, None).await;
    let series = first.listed.values().filter(|one| one.facts.class.as_deref() == Some("seriesMaster")).count() as u64;
    stage.sim.reset_stats();
    let (later, whole) = pass(&stage, &feed, first.done).await;
    assert!(!whole && later.gone.is_empty());
    assert_eq!(later.listed.len() as u64, series);
    let asked = stage.sim.stats().total;
    assert!(asked <= series + 4, "{asked} requests for {series} series");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_sync_state_lists_the_calendar_again() {
    let (stage, account) = agenda().await;
    let feed = default(&stage, &account).await;
    let (first, _) = pass(&stage, &feed, None).await;
    stage.sim.faults(json!({"expire_delta_tokens": true})).unwrap();
    let (again, whole) = pass(&stage, &feed, first.done).await;
    assert!(whole);
    assert_eq!(again.listed.keys().collect::<Vec<_>>(), first.listed.keys().collect::<Vec<_>>());
    assert!(again.listed.iter().all(|(id, one)| one.version == first.listed[id].version));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mailbox_lists_its_calendars_all_the_same() {
    let (stage, account) = agenda().await;
    let feed = default(&stage, &account).await;
    let (usual, _) = pass(&stage, &feed, None).await;
    stage.sim.faults(json!({"mailboxes": {&account.address: {"over_quota": true}}})).unwrap();
    let (full, whole) = pass(&stage, &feed, usual.done).await;
    assert!(whole);
    assert_eq!(full.listed.keys().collect::<Vec<_>>(), usual.listed.keys().collect::<Vec<_>>());
    assert!(pass(&stage, &feed, full.done).await.1, "each round lists everything meanwhile");
    stage.sim.faults(json!({"mailboxes": {&account.address: {"over_quota": false}}})).unwrap();
    let (tracked, _) = pass(&stage, &feed, None).await;
    assert!(!pass(&stage, &feed, tracked.done).await.1, "and changes are tracked again once there is room");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_gives_few_changes_at_once_is_tracked_all_the_same() {
    let (mut stage, account) = agenda().await;
    stage.switch(json!({"event_delta_most": 10}));
    stage.again(|config| config.patience.refused = 2);
    let feed = default(&stage, &account).await;
    let (first, _) = pass(&stage, &feed, None).await;
    let (later, whole) = pass(&stage, &feed, first.done).await;
    assert!(!whole && later.gone.is_empty());
}

/// A deletion while rows are walked shifts the rows behind it: the round notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_while_a_calendar_is_listed_begins_its_round_anew() {
    use transhume_contract::Next;
    let (mut stage, account) = agenda().await;
    stage.again(|config| config.page_size = 20);
    let feed = default(&stage, &account).await;
    let (mut cursor, mut seen, mut deleted) = (None, Round::default(), false);
    let fault = loop {
        let page = match stage.source.changes(&feed, cursor.as_ref()).await {
            Ok(page) => page,
            Err(fault) => break fault,
        };
        seen.take(page.changes);
        if !deleted && seen.listed.len() >= 20 {
            let victim = seen.listed.keys().next().unwrap().clone();
            stage.mutate(json!({"op": "delete_event", "user": account.address, "event": victim.as_str()}));
            deleted = true;
        }
        let Next::More(more) = page.next else { panic!("the round ended as if nothing had happened") };
        cursor = Some(more);
    };
    assert_eq!(fault.what, What::CursorExpired);
    let whole = stage.walk(&feed, None).await.unwrap();
    assert!(whole.listed.len() >= seen.listed.len() - 1);
}
