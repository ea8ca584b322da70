//! Faults of whole collections, by side: a folder that the source does not list to its end, or the target does not take.
//! They stand among the faults of items, under number 0, which no item has.

use super::{
    account::AccountStore,
    faults::Trouble,
    rows::{CollectionKey, ItemKey, Json, RunId, Side, Work, now, time},
};
use rusqlite::{Connection, Row};
use serde::Serialize;
use std::collections::BTreeSet;
use transhume_contract::{Collection, Fault, Timestamp, Workload};

/// A collection that one side refused as a whole, until a pass gets through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedCollection {
    pub collection: CollectionKey,
    /// As the source names it.
    pub name: String,
    pub side: Side,
    /// The latest fault.
    pub fault: Fault,
    /// Passes that met it.
    pub attempts: u64,
    pub first: Timestamp,
    pub last: Timestamp,
}

const ROW: &str = "SELECT c.key, c.collection, f.side, f.fault, f.attempts, f.first, f.last FROM fault f
    JOIN collection c ON c.key = f.collection WHERE f.item = 0 AND c.gone = 0";

impl AccountStore {
    /// Writes down that a side refused a collection. Nothing in it is barred: the next pass tries again.
    pub async fn record_refused(&self, collection: CollectionKey, side: Side, fault: &Fault) -> Result<(), Fault> {
        let (fault, run) = (fault.clone(), self.inner.run);
        self.write(move |db| keep(db, run, collection, side, &fault)).await
    }

    /// A pass went through all collections of a side, and only these were refused in it: the others are forgiven.
    pub async fn forgive_collections(
        &self,
        workload: Workload,
        side: Side,
        refused: BTreeSet<CollectionKey>,
    ) -> Result<(), Fault> {
        if self.refused_collections(workload).await?.iter().all(|one| one.side != side) {
            return Ok(());
        }
        self.write(move |db| forgive(db, workload, side, &refused)).await
    }

    /// The collections that are still at the source, and that one side refused when it was last asked.
    pub async fn refused_collections(&self, workload: Workload) -> Result<Vec<RefusedCollection>, Fault> {
        self.read(move |db| {
            let mut query = db.prepare_cached(&format!("{ROW} AND f.workload = ?1 ORDER BY f.side, c.key"))?;
            let rows = query.query_map([Work(workload)], row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// The refused ones among the collections that hold an item.
pub(super) fn holding(db: &Connection, item: ItemKey) -> Result<Vec<RefusedCollection>, Trouble> {
    let held = "AND c.key IN (SELECT collection FROM membership WHERE item = ?1) ORDER BY f.side, c.key";
    let mut query = db.prepare_cached(&format!("{ROW} {held}"))?;
    let rows = query.query_map([item], row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn row(row: &Row<'_>) -> rusqlite::Result<RefusedCollection> {
    let (Json(Collection { name, .. }), Json(fault)) = (row.get(1)?, row.get(3)?);
    Ok(RefusedCollection {
        collection: row.get(0)?,
        name,
        side: row.get(2)?,
        fault,
        attempts: row.get(4)?,
        first: time(row.get(5)?),
        last: time(row.get(6)?),
    })
}

fn keep(
    db: &Connection,
    run: Option<RunId>,
    collection: CollectionKey,
    side: Side,
    fault: &Fault,
) -> Result<(), Trouble> {
    let sql = "INSERT INTO fault (item, side, collection, workload, fault, first, last, run)
        VALUES (0, ?1, ?2, (SELECT workload FROM collection WHERE key = ?2), ?3, ?4, ?4, ?5)
        ON CONFLICT DO UPDATE SET fault = excluded.fault, attempts = attempts + 1, last = excluded.last,
            run = excluded.run";
    db.prepare_cached(sql)?.execute((side, collection, Json(fault), now(), run))?;
    Ok(())
}

fn forgive(db: &Connection, workload: Workload, side: Side, refused: &BTreeSet<CollectionKey>) -> Result<(), Trouble> {
    let mut query = db.prepare_cached("SELECT collection FROM fault WHERE item = 0 AND side = ?1 AND workload = ?2")?;
    let known =
        query.query_map((side, Work(workload)), |row| row.get(0))?.collect::<Result<Vec<CollectionKey>, _>>()?;
    for collection in known.into_iter().filter(|known| !refused.contains(known)) {
        let sql = "DELETE FROM fault WHERE item = 0 AND side = ?1 AND collection = ?2";
        db.prepare_cached(sql)?.execute((side, collection))?;
    }
    Ok(())
}
