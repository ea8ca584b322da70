//! Versions: forward from the first, never back.

use super::fixture::*;
use crate::store::{
    AccountStore, NotOpened, Opening, Project, StoreOptions, TargetKey, losses, memberships, placements, totals,
    verdicts,
};
use rusqlite::Connection;
use std::{collections::BTreeSet, path::PathBuf};
use transhume_contract::{Amended, Facts};

/// A store as version 1 wrote it: two messages, one of them fetched and placed with a loss, one gone.
const VERSION_1: &str = include_str!("account_1.sql");

/// An event that stands in a calendar beside them, and a key for the message.
const EVENT: &str = "
    UPDATE rendering SET message_id = '<a@example.org>';
    INSERT INTO item (key, workload, id, version, follows, facts, received, size, original, rendering)
        VALUES (3, 2, 'event', '1', 0, '{}', 0, 5, 2, 2);
    INSERT INTO rendering (key, item, original, edition, tables, profile, digest, length, losses, message_id)
        SELECT 2, 3, 2, edition, tables, profile, digest, length, losses, 'one@example.org' FROM rendering WHERE key = 1;
    INSERT INTO intent (key, id, item, collection, target, original, rendering, facts, revision, state, at)
        VALUES (2, 'i2', 3, 2, 2, 2, 2, '{}', 1, 1, 0);
    INSERT INTO placement (key, item, collection, target, intent, original, rendering, handle, digest, length, facts,
            revision, losses, at)
        SELECT 2, 3, 2, 2, 2, 2, 2, 'one.ics', digest, length, '{}', 1, '[]', 0 FROM placement WHERE key = 1;";

fn store_path(fixture: &Fixture) -> PathBuf {
    fixture.path().join("accounts/anna@contoso.example/store.db")
}

#[tokio::test]
async fn a_store_of_version_1_is_brought_to_the_present_and_its_totals_with_it() {
    let fixture = Fixture::new().await;
    std::fs::create_dir_all(store_path(&fixture).parent().unwrap()).unwrap();
    let old = Connection::open(store_path(&fixture)).unwrap();
    old.execute_batch(VERSION_1).unwrap();
    drop(old);

    let reading = Project::open(fixture.path(), Opening::Reading, StoreOptions::default()).await.unwrap();
    let refused = reading.open_account(&account().id).await.map(|_| ()).unwrap_err();
    assert!(refused.sentence.contains("older transhume"), "a reader changes nothing: {refused}");
    drop(reading);

    let store = fixture.store().await;
    let totals = store.totals(MAIL).await.unwrap();
    assert_eq!((totals.listed.items, totals.listed.bytes, totals.gone.items), (1, 10, 1));
    assert_eq!((totals.fetched.items, totals.rendered, totals.placed.items), (1, 1, 1));
    assert_eq!(totals.losses[0].name, "nul_bytes");
    let stages = store.collection_totals(MAIL).await.unwrap()[0].stages;
    assert_eq!((stages.placed.items, stages.listed().items), (1, 1));
    super::totals::tallies_agree(&store).await;
    // And it goes on as any other.
    pass(&store, vec![("inbox", vec![only_in("new", "1", "inbox")])]).await;
    fetch(&store, "new", b"hello").await;
    assert_eq!(push(&store, "inbox").await, 1);
}

#[tokio::test]
async fn a_store_of_version_3_is_brought_forward_with_its_history_in_reach() {
    let fixture = Fixture::new().await;
    std::fs::create_dir_all(store_path(&fixture).parent().unwrap()).unwrap();
    let old = Connection::open(store_path(&fixture)).unwrap();
    old.execute_batch(VERSION_1).unwrap();
    old.execute_batch(include_str!("../schema/account_2.sql")).unwrap();
    old.execute_batch(include_str!("../schema/account_3.sql")).unwrap();
    old.pragma_update(None, "user_version", 3).unwrap();
    drop(old);

    let store = fixture.store().await;
    super::totals::tallies_agree(&store).await;
    let plan = "EXPLAIN QUERY PLAN SELECT key FROM journal WHERE item = 1 ORDER BY key DESC LIMIT 50";
    let plan: String = store.read(move |db| Ok(db.query_row(plan, [], |row| row.get(3))?)).await.unwrap();
    assert!(plan.contains("journal_of_item"), "{plan}");
    // Stages still add up: of a message that was ready before, and in a collection that is new.
    pass(&store, vec![("inbox", vec![only_in("new", "1", "inbox")]), ("later", vec![only_in("more", "1", "later")])])
        .await;
    fetch(&store, "new", b"hello").await;
    fetch(&store, "more", b"hello there").await;
    super::totals::tallies_agree(&store).await;
    assert_eq!((push(&store, "inbox").await, push(&store, "later").await), (1, 1));
    super::totals::tallies_agree(&store).await;
}

/// 200,000 messages are verified in as many looks, not in as many times as many.
#[tokio::test]
async fn the_verdict_on_a_placement_is_found_by_its_index() {
    let store = Fixture::fresh().await;
    let of_p = format!("SELECT 1 FROM placement p WHERE EXISTS (SELECT 1 FROM verdict v WHERE {})", verdicts::ON_P);
    for sql in [of_p, format!("DELETE FROM verdict WHERE {}", verdicts::ON_ONE)] {
        let steps = plan_of(&store, &sql).await;
        assert!(steps.iter().any(|step| step.contains("verdict_on_placement")), "{sql}: {steps:?}");
    }
}

/// `status` of a million placed messages reads those that wait, not the million.
#[tokio::test]
async fn the_changes_that_are_due_are_found_by_their_indexes() {
    let store = Fixture::fresh().await;
    let steps = plan_of(&store, &totals::changes_due()).await;
    for index in ["placement_stale", "placement_to_amend"] {
        assert!(steps.contains(&format!("SCAN p USING INDEX {index}")), "{steps:?}");
    }
    assert!(!steps.iter().any(|step| step.starts_with("SCAN i")), "{steps:?}");
}

/// A push of what changed costs what changed, and `verify` looks at what stands in one collection, not in all.
#[tokio::test]
async fn what_is_asked_of_placements_is_found_by_index_and_not_through_every_item() {
    let store = Fixture::fresh().await;
    let others = [
        ("verdict_on_placement", verdicts::FORGET_SEEN.to_owned()),
        ("placement_orphan", memberships::LOST_AND_MOVED.to_owned()),
    ];
    for (index, sql) in placements::by_index().into_iter().chain(others) {
        let steps = plan_of(&store, &sql).await;
        assert!(steps.iter().any(|step| step.contains(&format!("USING INDEX {index}"))), "{index}: {sql}: {steps:?}");
        assert_eq!(steps.iter().find(|step| goes_through_all(step)), None, "{sql}: {steps:?}");
    }
}

#[tokio::test]
async fn what_lost_something_of_a_name_is_found_through_the_losses_and_not_through_every_item() {
    let store = Fixture::fresh().await;
    let steps = plan_of(&store, &format!("SELECT l.item, i.facts {}", losses::WITH_LOSS)).await;
    assert!(steps[0].starts_with("SCAN l"), "{steps:?}");
    assert_eq!(steps.iter().find(|step| goes_through_all(step)), None, "{steps:?}");
}

fn goes_through_all(step: &str) -> bool {
    let of_items = step.starts_with("SCAN i") || (step.starts_with("SEARCH i ") && step.contains("(workload"));
    of_items || (step.starts_with("SCAN p") && step.contains("placement_of_item"))
}

async fn plan_of(store: &AccountStore, sql: &str) -> Vec<String> {
    let plan = format!("EXPLAIN QUERY PLAN {sql}");
    let steps = store.read(move |db| {
        let mut query = db.prepare(&plan)?;
        if query.parameter_count() > 0 {
            query.raw_bind_parameter(1, 1)?;
        }
        let mut rows = query.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push(row.get::<_, String>(3)?);
        }
        Ok(steps)
    });
    steps.await.unwrap()
}

#[tokio::test]
async fn a_store_of_version_5_has_what_stands_there_as_its_base() {
    let fixture = Fixture::new().await;
    std::fs::create_dir_all(store_path(&fixture).parent().unwrap()).unwrap();
    let old = Connection::open(store_path(&fixture)).unwrap();
    let steps = [
        VERSION_1,
        include_str!("../schema/account_2.sql"),
        include_str!("../schema/account_3.sql"),
        include_str!("../schema/account_4.sql"),
        include_str!("../schema/account_5.sql"),
        r#"UPDATE placement SET facts = '{"read":true,"categories":["Rot"]}'"#,
    ];
    steps.iter().for_each(|step| old.execute_batch(step).unwrap());
    old.pragma_update(None, "user_version", 5).unwrap();
    let item: i64 = old.query_row("SELECT item FROM placement", [], |row| row.get(0)).unwrap();
    drop(old);

    let store = fixture.store().await;
    let placed = async || store.placements_of(crate::store::ItemKey(item)).await.unwrap().remove(0);
    let before = placed().await;
    assert_eq!((before.base.read, before.base.categories.clone()), (Some(true), Some(vec!["Rot".to_owned()])));
    assert_eq!((&before.base, before.begun.len()), (&before.facts, 0));
    let theirs = Amended {
        facts: Facts { read: Some(false), ..before.facts.clone() },
        base: before.facts.amendable(),
        changed_there: Vec::new(),
        losses: Vec::new(),
    };
    store.record_amended(vec![(before.key, before.revision, theirs.clone())]).await.unwrap();
    let after = placed().await;
    assert_eq!((after.facts, after.base), (theirs.facts, theirs.base));
    super::totals::tallies_agree(&store).await;
}

#[tokio::test]
async fn a_store_of_version_9_finds_events_by_their_keys_and_no_mail() {
    let fixture = Fixture::new().await;
    std::fs::create_dir_all(store_path(&fixture).parent().unwrap()).unwrap();
    let old = Connection::open(store_path(&fixture)).unwrap();
    let steps = [
        VERSION_1,
        include_str!("../schema/account_2.sql"),
        include_str!("../schema/account_3.sql"),
        include_str!("../schema/account_4.sql"),
        include_str!("../schema/account_5.sql"),
        include_str!("../schema/account_6.sql"),
        include_str!("../schema/account_7.sql"),
        include_str!("../schema/account_8.sql"),
        include_str!("../schema/account_9.sql"),
        EVENT,
    ];
    steps.iter().for_each(|step| old.execute_batch(step).unwrap());
    old.pragma_update(None, "user_version", 9).unwrap();
    drop(old);

    let store = fixture.store().await;
    let found = async |at: i64, key: &str| {
        let found = store.placements_by_message_id(TargetKey(at), BTreeSet::from([key.to_owned()])).await.unwrap();
        found.into_iter().map(|placement| placement.item_id.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(2, "one@example.org").await, ["event"]);
    assert_eq!(found(2, "another@example.org").await, [""; 0]);
    assert_eq!(found(1, "<a@example.org>").await, [""; 0]);
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused_with_a_sentence() {
    let fixture = Fixture::new().await;
    drop(fixture.store().await);
    fixture.closed().await;
    let newer = Connection::open(store_path(&fixture)).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let project = fixture.project().await;
    let refused = project.open_account(&account().id).await.map(|_| ()).unwrap_err();
    assert!(refused.sentence.contains("newer transhume (store version 99; this one knows 10)"), "{refused}");
    assert!(refused.next_step().unwrap().contains("newer transhume"));
}

#[tokio::test]
async fn a_project_of_a_newer_version_is_refused_by_readers_too() {
    let fixture = Fixture::new().await;
    fixture.closed().await;
    let newer = Connection::open(fixture.path().join("project.db")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    for opening in [Opening::Reading, Opening::Running { verb: "run".to_owned() }] {
        let refused = Project::open(fixture.path(), opening, StoreOptions::default()).await.map(|_| ()).unwrap_err();
        let NotOpened::Fault(fault) = refused else { panic!("{refused}") };
        assert!(fault.sentence.contains("store version 99"), "{fault}");
    }
}

#[tokio::test]
async fn a_foreign_database_is_not_taken_for_ours() {
    let dir = tempfile::TempDir::new().unwrap();
    let foreign = Connection::open(dir.path().join("project.db")).unwrap();
    foreign.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(foreign);
    let refused = Project::create(dir.path(), StoreOptions::default()).await.unwrap_err();
    assert!(refused.to_string().contains("not a database of transhume"), "{refused}");
}
