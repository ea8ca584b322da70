//! What a repair has to bring back by itself, because the source no longer holds it where it stood.

use super::{
    COLUMNS, Placement, placement_row,
    todo::{ToPlace, select, to_place_row},
};
use crate::store::{
    account::AccountStore,
    faults::Trouble,
    rows::{CollectionKey, Json, PlacementKey},
};
use rusqlite::{Connection, OptionalExtension};
use transhume_contract::Fault;

/// A placement that is no longer there, and that no push would place again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restoring {
    pub placement: Placement,
    /// It was placed again already, and only the old one is left to be let go.
    pub placed_anew: bool,
    /// It may have been: nobody knows yet.
    pub on_its_way: bool,
    /// The item is gone from the source; else the source holds it only where nothing is pushed from.
    pub gone: bool,
    /// What is to be placed again, for the collection it stood in last.
    pub next: ToPlace,
}

impl AccountStore {
    /// Those of these placements whose items the source holds in none of the pushed collections, or only where other
    /// placements answer for them: once they are let go, nothing would place them again.
    pub async fn placements_to_restore(
        &self,
        keys: Vec<PlacementKey>,
        pushed: &[CollectionKey],
    ) -> Result<Vec<Restoring>, Fault> {
        let pushed = pushed.to_vec();
        self.read(move |db| {
            let found = keys.iter().map(|key| to_restore(db, *key, &pushed));
            found.filter_map(Result::transpose).collect()
        })
        .await
    }
}

const MORE: &str = "EXISTS (SELECT 1 FROM placement q WHERE q.item = p.item AND q.collection = p.collection
        AND q.state = 0 AND q.key > p.key),
    EXISTS (SELECT 1 FROM intent w INDEXED BY intent_of_item
        WHERE w.item = p.item AND w.collection = p.collection AND w.state = 0),
    i.state = 1, i.key, i.id, p.collection, i.original, i.rendering, i.facts, i.revision, i.fetched_bytes,
    ifnull((SELECT attempts FROM fault f WHERE f.item = p.item AND f.side = 'target' AND f.collection = p.collection),
        0), i.received, i.apart";

const WHICH: &str = " WHERE p.key = ?1 AND i.original IS NOT NULL AND NOT EXISTS (SELECT 1 FROM membership m
    WHERE m.item = p.item AND m.collection IN (SELECT value FROM json_each(?2)) AND NOT EXISTS
        (SELECT 1 FROM placement q WHERE q.item = p.item AND q.collection = m.collection AND q.key <> p.key
            AND q.state IN (0, 3)))";

fn to_restore(db: &Connection, key: PlacementKey, pushed: &[CollectionKey]) -> Result<Option<Restoring>, Trouble> {
    let mut query = db.prepare_cached(&select(MORE, "placement p", WHICH))?;
    let restoring = query.query_row((key, Json(pushed)), |row| {
        let (placed_anew, on_its_way, gone) = (row.get(COLUMNS)?, row.get(COLUMNS + 1)?, row.get(COLUMNS + 2)?);
        let (placement, next) = (placement_row(row)?, to_place_row(row, COLUMNS + 3)?);
        Ok(Restoring { placement, placed_anew, on_its_way, gone, next })
    });
    Ok(restoring.optional()?)
}
