//! In which collections an item stands, and what each membership waits for. All changes of stages pass through here.

use super::{
    faults::Trouble,
    rows::{CollectionKey, ItemKey, Work},
};
use rusqlite::{Connection, types::ToSqlOutput};
use transhume_contract::Workload;

/// What a membership waits for. Together they are every item's answer to "done, owed, or quarantined?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// For its original.
    Waiting,
    /// To be placed.
    Ready,
    /// For the outcome of an intent.
    Sent,
    Placed,
    Barred,
}

impl rusqlite::ToSql for Stage {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let code: i64 = match self {
            Self::Waiting => 0,
            Self::Ready => 1,
            Self::Sent => 2,
            Self::Placed => 3,
            Self::Barred => 4,
        };
        Ok(code.into())
    }
}

/// Which feed saw a membership, in which of its rounds.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub feed: i64,
    pub round: i64,
}

pub(super) fn join(db: &Connection, item: ItemKey, collection: CollectionKey, seen: Seen) -> Result<(), Trouble> {
    let known = "UPDATE membership SET feed = ?3, round = ?4 WHERE item = ?1 AND collection = ?2";
    if db.prepare_cached(known)?.execute((item, collection, seen.feed, seen.round))? > 0 {
        return Ok(());
    }
    let sql = "INSERT INTO membership (item, collection, feed, round, received, stage)
        VALUES (?1, ?2, ?3, ?4, (SELECT received FROM item WHERE key = ?1), ?5)";
    let stage = stage_of(db, item, collection)?;
    db.prepare_cached(sql)?.execute((item, collection, seen.feed, seen.round, stage))?;
    let back = "UPDATE placement SET orphan = 0 WHERE item = ?1 AND collection = ?2 AND orphan = 1";
    db.prepare_cached(back)?.execute((item, collection))?;
    Ok(())
}

pub(super) fn leave(db: &Connection, item: ItemKey, collection: CollectionKey) -> Result<(), Trouble> {
    let sql = "DELETE FROM membership WHERE item = ?1 AND collection = ?2";
    if db.prepare_cached(sql)?.execute((item, collection))? > 0 {
        let orphan = "UPDATE placement SET orphan = 1 WHERE item = ?1 AND collection = ?2 AND state IN (0, 3)";
        db.prepare_cached(orphan)?.execute((item, collection))?;
    }
    loosen(db, item)
}

/// Settling looks at this item: it may stand nowhere any more.
pub(super) fn loosen(db: &Connection, item: ItemKey) -> Result<(), Trouble> {
    db.prepare_cached("UPDATE item SET loose = 1 WHERE key = ?1 AND loose = 0")?.execute([item])?;
    Ok(())
}

/// Leaves every collection but these.
pub(super) fn leave_others(db: &Connection, item: ItemKey, kept: &[CollectionKey]) -> Result<(), Trouble> {
    let mut query = db.prepare_cached("SELECT collection FROM membership WHERE item = ?1")?;
    let standing: Vec<CollectionKey> = query.query_map([item], |row| row.get(0))?.collect::<Result<_, _>>()?;
    standing.into_iter().filter(|one| !kept.contains(one)).try_for_each(|one| leave(db, item, one))
}

/// At the end of a round from the start: what this feed lists and did not see in the round has left. A feed of one
/// collection answers for all of it, whichever feed saw the membership before.
pub(super) fn leave_unseen(db: &Connection, seen: Seen, collection: Option<CollectionKey>) -> Result<(), Trouble> {
    let which = match collection {
        Some(_) => "collection = ?3 AND (feed <> ?1 OR round < ?2)",
        None => "?3 IS NULL AND feed = ?1 AND round < ?2",
    };
    leave_where(db, which, (seen.feed, seen.round, collection))
}

pub(super) fn leave_gone_collections(db: &Connection, workload: Workload) -> Result<(), Trouble> {
    let which = "collection IN (SELECT key FROM collection WHERE workload = ?1 AND gone = 1)";
    leave_where(db, which, [Work(workload)])
}

fn leave_where(db: &Connection, which: &str, values: impl rusqlite::Params + Clone) -> Result<(), Trouble> {
    let loose = format!("UPDATE item SET loose = 1 WHERE key IN (SELECT item FROM membership WHERE {which})");
    db.execute(&loose, values.clone())?;
    let orphan = format!(
        "UPDATE placement SET orphan = 1 WHERE state IN (0, 3) AND (item, collection) IN
            (SELECT item, collection FROM membership WHERE {which})"
    );
    db.execute(&orphan, values.clone())?;
    db.execute(&format!("DELETE FROM membership WHERE {which}"), values)?;
    Ok(())
}

/// What a membership waits for, read from the facts: the one rule, used whenever something other than the next step
/// happened to it.
fn stage_of(db: &Connection, item: ItemKey, collection: CollectionKey) -> Result<Stage, Trouble> {
    let sql = "SELECT
        EXISTS (SELECT 1 FROM intent WHERE item = ?1 AND collection = ?2 AND state = 0),
        EXISTS (SELECT 1 FROM placement WHERE item = ?1 AND collection = ?2 AND state IN (0, 3)),
        EXISTS (SELECT 1 FROM fault WHERE item = ?1 AND side = 'target' AND collection = ?2 AND cause IS NOT NULL),
        original IS NOT NULL, barred FROM item WHERE key = ?1";
    let read = |row: &rusqlite::Row<'_>| -> rusqlite::Result<[bool; 5]> {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
    };
    let [sent, placed, refused, fetched, barred] = db.prepare_cached(sql)?.query_row((item, collection), read)?;
    Ok(match (sent, placed, refused || barred, fetched) {
        (true, ..) => Stage::Sent,
        (_, true, ..) => Stage::Placed,
        (_, _, true, _) => Stage::Barred,
        (.., true) => Stage::Ready,
        (.., false) => Stage::Waiting,
    })
}

pub(super) fn restage(db: &Connection, item: ItemKey, collection: CollectionKey) -> Result<(), Trouble> {
    set_stage(db, item, collection, stage_of(db, item, collection)?)
}

/// The same for every collection an item stands in.
pub(super) fn restage_item(db: &Connection, item: ItemKey) -> Result<(), Trouble> {
    let mut query = db.prepare_cached("SELECT collection FROM membership WHERE item = ?1")?;
    let standing: Vec<CollectionKey> = query.query_map([item], |row| row.get(0))?.collect::<Result<_, _>>()?;
    standing.into_iter().try_for_each(|collection| restage(db, item, collection))
}

pub(super) fn set_stage(
    db: &Connection,
    item: ItemKey,
    collection: CollectionKey,
    stage: Stage,
) -> Result<(), Trouble> {
    // OR FAIL: what fails half-way is undone with its job, so SQLite need not keep a copy of every page it touches.
    let sql = "UPDATE OR FAIL membership SET stage = ?3 WHERE item = ?1 AND collection = ?2 AND stage <> ?3";
    db.prepare_cached(sql)?.execute((item, collection, stage))?;
    Ok(())
}

/// An original arrived: what waited for it is ready.
pub(super) fn make_ready(db: &Connection, item: ItemKey) -> Result<(), Trouble> {
    let sql = "UPDATE membership SET stage = 1 WHERE item = ?1 AND stage = 0";
    db.prepare_cached(sql)?.execute([item])?;
    Ok(())
}

/// By index, and joined crosswise: SQLite would begin with every item of the workload.
pub(super) const LOST_AND_MOVED: &str =
    "SELECT p.key, p.item, min(m.collection) FROM placement p INDEXED BY placement_orphan
        CROSS JOIN item i ON i.key = p.item CROSS JOIN membership m ON m.item = p.item AND m.stage = 1
    WHERE p.state = 3 AND p.orphan = 1 AND i.workload = ?1 GROUP BY p.key";

/// A placement that people removed at the target is never placed again; when its item moves at the source, the
/// removal moves with it.
pub(super) fn follow_lost(db: &Connection, workload: Workload) -> Result<(), Trouble> {
    let mut query = db.prepare_cached(LOST_AND_MOVED)?;
    let lost = query.query_map([Work(workload)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let lost: Vec<(i64, ItemKey, CollectionKey)> = lost.collect::<Result<_, _>>()?;
    for (placement, item, collection) in lost {
        let follow = "UPDATE placement SET collection = ?2, orphan = 0 WHERE key = ?1";
        db.execute(follow, (placement, collection))?;
        restage(db, item, collection)?;
    }
    Ok(())
}
