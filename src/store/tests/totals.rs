//! Totals agree with what is there, and everything is known of an item that is asked for.

use super::fixture::*;
use crate::store::{AccountStore, NewRendering, Resolution, Side};
use transhume_contract::{Fault, Loss, Placed, Timestamp, What};

/// Counts everything again, the slow way.
const RECOUNT: &str = "
    SELECT 'item' AS kind, workload AS place, cast(state AS TEXT) AS name, count(*) AS items, sum(size) AS bytes
        FROM item WHERE state < 2 GROUP BY 2, 3
    UNION ALL SELECT 'fetched', workload, '', count(original), sum(fetched_bytes) FROM item WHERE state < 2 GROUP BY 2
    UNION ALL SELECT 'rendered', workload, '', count(rendering), 0 FROM item GROUP BY 2
    UNION ALL SELECT 'stage', m.collection, cast(m.stage AS TEXT), count(*), sum(i.size)
        FROM membership m JOIN item i ON i.key = m.item GROUP BY 2, 3
    UNION ALL SELECT 'placement', i.workload, cast(p.state AS TEXT), count(*), sum(p.length)
        FROM placement p JOIN item i ON i.key = p.item GROUP BY 2, 3
    UNION ALL SELECT 'loss', i.workload, l.name, count(*), 0 FROM loss l JOIN item i ON i.key = l.item GROUP BY 2, 3
    UNION ALL SELECT 'verdict', workload, depth || ' ' || kind, count(*), 0 FROM verdict GROUP BY 2, 3";

/// The totals that triggers keep are those that counting gives.
pub async fn tallies_agree(store: &AccountStore) {
    let rows = |sql: String| async move {
        let read = move |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
        store
            .read(move |db| {
                Ok(db
                    .prepare(&sql)?
                    .query_map([], read)?
                    .collect::<Result<Vec<(String, i64, String, i64, i64)>, _>>()?)
            })
            .await
            .unwrap()
    };
    let kept = rows("SELECT * FROM tally WHERE items <> 0 OR bytes <> 0 ORDER BY kind, place, name".to_owned()).await;
    let counted = rows(format!("SELECT * FROM ({RECOUNT}) WHERE items <> 0 ORDER BY kind, place, name")).await;
    assert_eq!(kept, counted);
}

#[tokio::test]
async fn totals_follow_every_step() {
    let store = Fixture::fresh().await;
    pass(
        &store,
        vec![
            ("inbox", vec![joined("a", "1", "inbox"), joined("b", "1", "inbox")]),
            ("old", vec![joined("c", "1", "old")]),
        ],
    )
    .await;
    fetch(&store, "a", b"hello").await;
    push(&store, "inbox").await;
    let later = Fault::new(What::Unreachable, "the service did not answer");
    store.record_fault(key(&store, "b").await, Side::Source, None, &later).await.unwrap();
    let grown = altered(joined("b", "2", "inbox"), |it| it.facts.size = Some(1000));
    pass(&store, vec![("inbox", vec![grown]), ("old", vec![])]).await;
    tallies_agree(&store).await;
    let totals = store.totals(MAIL).await.unwrap();
    assert_eq!((totals.listed.items, totals.listed.bytes), (3, 1020));
    assert_eq!((totals.fetched.items, totals.fetched.bytes, totals.rendered), (1, 5, 1));
    assert_eq!((totals.placed.items, totals.placed.bytes, totals.open_intents), (1, 5, 0));
    let by_collection = store.collection_totals(MAIL).await.unwrap();
    assert_eq!((by_collection[0].stages.listed().bytes, by_collection[0].stages.owed().items), (1010, 1));
    assert_eq!(by_collection[1].stages.waiting.items, 1);
}

#[tokio::test]
async fn an_item_is_explained_by_id_prefix_message_id_and_number() {
    let store = Fixture::fresh().await;
    let long = altered(joined("AAMkAGI2-one", "1", "inbox"), |it| it.facts.message_id = Some("<m1@x>".to_owned()));
    pass(&store, vec![("inbox", vec![long, joined("AAMkAGI2-two", "1", "inbox")])]).await;
    fetch(&store, "AAMkAGI2-one", b"hello").await;
    push(&store, "inbox").await;
    let number = key(&store, "AAMkAGI2-one").await.number().to_string();
    for meant in ["AAMkAGI2-one", "AAMkAGI2-o", "m1@x", "<m1@x>", &number] {
        let found = store.explain(meant).await.unwrap();
        assert_eq!(found.len(), 1, "{meant}");
        assert_eq!(found[0].id.as_str(), "AAMkAGI2-one");
    }
    assert_eq!(store.explain("AAMkAGI2").await.unwrap().len(), 2);
    assert_eq!(store.explain("nothing of the kind").await.unwrap().len(), 0);
    let known = serde_json::to_value(&store.explain(&number).await.unwrap()[0]).unwrap();
    assert_eq!(known["placements"][0]["handle"], "uid-AAMkAGI2-one");
    assert_eq!(known["intents"][0]["state"], "done");
    let events: Vec<_> =
        known["journal"].as_array().unwrap().iter().map(|row| row["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["placed", "intended", "rendered", "fetched"]);
}

#[tokio::test]
async fn items_are_found_by_the_name_of_what_they_lost() {
    let store = Fixture::fresh().await;
    let dated = |id: &str, second: i64| {
        altered(joined(id, "1", "inbox"), |it| {
            it.facts.subject = Some(format!("about {id}"));
            it.facts.received = Timestamp::from_second(second).ok();
        })
    };
    pass(&store, vec![("inbox", vec![dated("old", 1), dated("new", 2), dated("whole", 3)])]).await;
    for id in ["old", "new", "whole"] {
        fetch(&store, id, id.as_bytes()).await;
    }
    let at = ensure(&store, "inbox").await;
    for what in to_place(&store, "inbox").await.into_iter().filter(|what| what.id.as_str() != "whole") {
        let original = store.original(what.item).await.unwrap().unwrap();
        let losses = vec![Loss::new("nul_removed", "of the rendering")];
        store.record_renderings(vec![NewRendering { losses, ..unchanged(what.item, &original) }]).await.unwrap();
        let intent = intend(&store, &what, at).await;
        let losses = vec![Loss::new("nul_removed", "of the placing")];
        let placed = Placed { losses, ..placed(what.id.as_str()) };
        store.resolve(vec![Resolution::Placed { intent, placed }]).await.unwrap();
    }
    let (items, found) = store.items_with_loss(MAIL, "nul_removed", 100).await.unwrap();
    assert_eq!((items, found.len()), (2, 2), "an item counts once, however often it lost something");
    let subjects: Vec<_> = found.iter().map(|one| one.subject.as_deref()).collect();
    assert_eq!(subjects, [Some("about new"), Some("about old")], "the newest first");
    let mut details = found[0].details.clone();
    details.sort();
    assert_eq!(details, ["of the placing", "of the rendering"]);
    assert_eq!((found[0].collections.as_slice(), found[0].gone), (["inbox".to_owned()].as_slice(), false));
    assert_eq!(found[0].item, key(&store, "new").await);
    let (items, found) = store.items_with_loss(MAIL, "nul_removed", 1).await.unwrap();
    assert_eq!((items, found.len()), (2, 1));
    assert_eq!(store.items_with_loss(MAIL, "date_clamped", 100).await.unwrap(), (0, Vec::new()));
}
