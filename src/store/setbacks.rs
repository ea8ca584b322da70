//! Faults of single items, by side: what is owed will be tried again, what is quarantined has its cause.

use super::{
    account::AccountStore,
    faults::Trouble,
    feeds,
    journal::{self, Event},
    memberships,
    rows::{CollectionKey, ItemKey, Json, RunId, Side, Work, limit, now, time},
};
use rusqlite::{Connection, Row};
use serde::Serialize;
use transhume_contract::{Cause, Fault, ItemId, Remedy, Timestamp, Workload};

/// What became of an item that met a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It will be tried again in the next run.
    Owed,
    /// Trying again cannot help.
    Quarantined(Cause),
}

/// A fault of one item, not yet overcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setback {
    pub item: ItemKey,
    pub id: ItemId,
    pub side: Side,
    /// The collection whose membership could not be placed; none on the source side.
    pub from: Option<CollectionKey>,
    pub standing: Standing,
    /// The latest fault.
    pub fault: Fault,
    pub attempts: u64,
    pub first: Timestamp,
    pub last: Timestamp,
}

/// What a fault is about.
pub(super) struct Whose {
    pub item: ItemKey,
    pub side: Side,
    pub from: Option<CollectionKey>,
}

const ROW: &str = "f.item, i.id, f.side, f.collection, f.fault, f.attempts, f.first, f.last";

impl AccountStore {
    /// Writes down that fetching an item failed (source side, no collection), or that rendering it for the target,
    /// or anything there, failed for one of its memberships (target side). It is not offered again in this run; with a
    /// `Skip` remedy, not at all.
    pub async fn record_fault(
        &self,
        item: ItemKey,
        side: Side,
        from: Option<CollectionKey>,
        fault: &Fault,
    ) -> Result<Standing, Fault> {
        let (fault, run) = (fault.clone(), self.inner.run);
        self.write(move |db| keep(db, run, &Whose { item, side, from }, &fault)).await
    }

    /// Faults not yet overcome, by item, a page at a time; start with `None`.
    pub async fn setbacks(
        &self,
        workload: Workload,
        after: Option<&Setback>,
        most: usize,
    ) -> Result<Vec<Setback>, Fault> {
        let after = after.map_or((0, String::new(), 0), |last| {
            (last.item.0, last.side.name().to_owned(), last.from.map_or(0, |key| key.0))
        });
        self.read(move |db| {
            let sql = format!(
                "SELECT {ROW} FROM fault f JOIN item i ON i.key = f.item
                    WHERE (f.item, f.side, f.collection) > (?1, ?2, ?3) AND f.workload = ?4
                    ORDER BY f.item, f.side, f.collection LIMIT ?5"
            );
            let mut query = db.prepare_cached(&sql)?;
            let rows = query.query_map((after.0, after.1, after.2, Work(workload), limit(most)), setback_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Takes items out of quarantine, so that they are tried again: after a mapping was mended, a limit raised.
    /// Of one cause, or of all. Rows that could not be listed stay until they are: what listed them begins from the
    /// start, because nobody knows their facts. Answers how many of both.
    pub async fn release(&self, workload: Workload, side: Side, cause: Option<Cause>) -> Result<u64, Fault> {
        let (cause, run) = (cause.map(Cause::name), self.inner.run);
        self.write(move |db| release(db, run, workload, side, cause)).await
    }
}

pub(super) fn setback_row(row: &Row<'_>) -> rusqlite::Result<Setback> {
    let (collection, Json(fault)): (i64, Json<Fault>) = (row.get(3)?, row.get(4)?);
    Ok(Setback {
        item: row.get(0)?,
        id: ItemId::new(row.get::<_, String>(1)?),
        side: row.get(2)?,
        from: (collection != 0).then_some(CollectionKey(collection)),
        standing: standing(&fault),
        fault,
        attempts: row.get(5)?,
        first: time(row.get(6)?),
        last: time(row.get(7)?),
    })
}

pub(super) fn of_item(db: &Connection, item: ItemKey) -> Result<Vec<Setback>, Trouble> {
    let sql = format!("SELECT {ROW} FROM fault f JOIN item i ON i.key = f.item WHERE f.item = ?1");
    let mut query = db.prepare_cached(&sql)?;
    let rows = query.query_map([item], setback_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

const fn standing(fault: &Fault) -> Standing {
    match &fault.remedy {
        Remedy::Skip(cause) => Standing::Quarantined(*cause),
        Remedy::Wait(_) | Remedy::Later | Remedy::Ask(_) | Remedy::Report => Standing::Owed,
    }
}

pub(super) fn keep(db: &Connection, run: Option<RunId>, whose: &Whose, fault: &Fault) -> Result<Standing, Trouble> {
    let standing = standing(fault);
    let cause = match standing {
        Standing::Quarantined(cause) => Some(cause.name()),
        Standing::Owed => None,
    };
    insert(db, run, whose, fault, cause)?;
    let name = if cause.is_some() { "quarantined" } else { "owed" };
    journal::note(db, run, &Event { name, item: whose.item, digest: None, detail: Some(fault.what.name()) })?;
    follow(db, whose)?;
    Ok(standing)
}

fn insert(
    db: &Connection,
    run: Option<RunId>,
    whose: &Whose,
    fault: &Fault,
    cause: Option<&str>,
) -> Result<(), Trouble> {
    let sql = "INSERT INTO fault (item, side, collection, workload, fault, cause, first, last, run)
        VALUES (?1, ?2, ?3, (SELECT workload FROM item WHERE key = ?1), ?4, ?5, ?6, ?6, ?7)
        ON CONFLICT DO UPDATE SET fault = excluded.fault, cause = excluded.cause, attempts = attempts + 1,
            last = excluded.last, run = excluded.run";
    let collection = whose.from.map_or(0, |key| key.0);
    db.prepare_cached(sql)?.execute((whose.item, whose.side, collection, Json(fault), cause, now(), run))?;
    Ok(())
}

/// What the fault means for what the item waits for.
fn follow(db: &Connection, whose: &Whose) -> Result<(), Trouble> {
    match (whose.side, whose.from) {
        (Side::Target, Some(collection)) => memberships::restage(db, whose.item, collection),
        (Side::Target, None) | (Side::Source, _) => follow_source(db, whose.item),
    }
}

fn follow_source(db: &Connection, item: ItemKey) -> Result<(), Trouble> {
    let sql = "UPDATE item SET barred = EXISTS (SELECT 1 FROM fault f
        WHERE f.item = item.key AND f.side = 'source' AND f.cause IS NOT NULL) WHERE key = ?1";
    db.prepare_cached(sql)?.execute([item])?;
    memberships::restage_item(db, item)
}

/// The original came: whatever kept it away is over.
pub(super) fn clear_source(db: &Connection, item: ItemKey) -> Result<(), Trouble> {
    let sql = "DELETE FROM fault WHERE item = ?1 AND side = 'source'";
    if db.prepare_cached(sql)?.execute([item])? > 0 { follow_source(db, item) } else { Ok(()) }
}

/// It stands at the target, or was brought up to date there.
pub(super) fn clear_target(db: &Connection, item: ItemKey, from: CollectionKey) -> Result<(), Trouble> {
    let sql = "DELETE FROM fault WHERE item = ?1 AND side = 'target' AND collection = ?2";
    db.prepare_cached(sql)?.execute((item, from))?;
    Ok(())
}

/// The same for what is owed only.
pub(super) fn clear_owed_target(db: &Connection, item: ItemKey, from: CollectionKey) -> Result<(), Trouble> {
    let sql = "DELETE FROM fault WHERE item = ?1 AND side = 'target' AND collection = ?2 AND cause IS NULL";
    db.prepare_cached(sql)?.execute((item, from))?;
    Ok(())
}

/// The source tells of a new version: what barred the old one may not bar this one.
pub(super) fn forgive_changed(db: &Connection, item: ItemKey) -> Result<(), Trouble> {
    let sql = "DELETE FROM fault WHERE item = ?1 AND side = 'source'";
    if db.prepare_cached(sql)?.execute([item])? > 0 { follow_source(db, item) } else { Ok(()) }
}

/// There is a newer original: what the target or the mapping refused of the old one may not be refused of this one.
pub(super) fn forgive_refused(db: &Connection, item: ItemKey) -> Result<(), Trouble> {
    let sql = "DELETE FROM fault WHERE item = ?1 AND side = 'target' AND cause IS NOT NULL";
    if db.prepare_cached(sql)?.execute([item])? > 0 { memberships::restage_item(db, item) } else { Ok(()) }
}

fn release(
    db: &Connection,
    run: Option<RunId>,
    workload: Workload,
    side: Side,
    cause: Option<&str>,
) -> Result<u64, Trouble> {
    let unlisted = match side {
        Side::Source => list_again(db, workload, cause)?,
        Side::Target => 0,
    };
    let sql = "DELETE FROM fault WHERE workload = ?1 AND side = ?2 AND cause IS NOT NULL
        AND (?3 IS NULL OR cause = ?3) AND item NOT IN (SELECT key FROM item WHERE version = '') RETURNING item, collection";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map((Work(workload), side, cause), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let released: Vec<(ItemKey, i64)> = rows.collect::<Result<_, _>>()?;
    for (item, collection) in &released {
        let from = (*collection != 0).then_some(CollectionKey(*collection));
        journal::note(db, run, &Event { name: "released", item: *item, digest: None, detail: cause })?;
        follow(db, &Whose { item: *item, side, from })?;
    }
    Ok(released.len() as u64 + unlisted)
}

/// Of what the source named and could not tell about, nothing is known that could be moved, and its changes alone would
/// not tell of it again: the feeds that named it are listed from the start. Answers how many such items there are.
fn list_again(db: &Connection, workload: Workload, cause: Option<&str>) -> Result<u64, Trouble> {
    let sql = "SELECT f.item FROM fault f JOIN item i ON i.key = f.item WHERE f.workload = ?1 AND f.side = 'source'
        AND f.cause IS NOT NULL AND (?2 IS NULL OR f.cause = ?2) AND i.version = '' AND i.state = 0";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map((Work(workload), cause), |row| row.get(0))?;
    let unlisted: Vec<ItemKey> = rows.collect::<Result<_, _>>()?;
    unlisted.iter().try_for_each(|item| feeds::forget_cursors(db, workload, *item))?;
    Ok(unlisted.len() as u64)
}
