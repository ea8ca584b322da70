//! Feeds, their cursors and their rounds.

use super::{
    account::AccountStore,
    collections::{self, Pass},
    faults::{Trouble, unknown},
    rows::{ItemKey, Work},
};
use rusqlite::{Connection, OptionalExtension, Row};
use transhume_contract::{CollectionId, Cursor, Fault, Feed, FeedId, Workload};

/// Where the listing of a feed stands: what to ask the source for, and the round the answer belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Hand this to the source; `None` lists from the start.
    pub from: Option<Cursor>,
    /// Rounds are counted per feed, from 1.
    pub round: u64,
    /// The round began from the start, so what it does not list is no longer there.
    pub full: bool,
}

pub(super) struct FeedRow {
    pub key: i64,
    pub cursor: Option<String>,
    pub round: i64,
    pub full: bool,
    pub finished: bool,
    pub finished_pass: i64,
}

impl FeedRow {
    fn listing(&self) -> Listing {
        let round = u64::try_from(self.round).unwrap_or_default();
        Listing { from: self.cursor.clone().map(Cursor::new), round, full: self.full }
    }
}

impl AccountStore {
    /// Where to go on with a feed: in the middle of the round that was interrupted, or with the next one. `None` when
    /// its round is finished in this pass.
    pub async fn resume_feed(&self, pass: Pass, feed: &Feed) -> Result<Option<Listing>, Fault> {
        let id = feed.id.clone();
        self.write(move |db| {
            collections::must_be_latest(db, pass)?;
            let row = row_of(db, pass, &id)?;
            match (row.finished, row.finished_pass == pass.number) {
                (true, true) => Ok(None),
                (true, false) => Ok(Some(begin_round(db, &row, row.cursor.clone())?)),
                (false, _) => Ok(Some(row.listing())),
            }
        })
        .await
    }

    /// The source no longer knows the cursor: a new round from the start. Nothing that was listed or fetched is
    /// dropped by it.
    pub async fn restart_feed(&self, pass: Pass, feed: &Feed) -> Result<Listing, Fault> {
        let id = feed.id.clone();
        self.write(move |db| {
            collections::must_be_latest(db, pass)?;
            let row = row_of(db, pass, &id)?;
            begin_round(db, &row, None)
        })
        .await
    }
}

fn begin_round(db: &Connection, row: &FeedRow, cursor: Option<String>) -> Result<Listing, Trouble> {
    let (round, full) = (row.round + 1, cursor.is_none());
    let sql = "UPDATE feed SET cursor = ?2, round = ?3, full = ?4, finished = 0 WHERE key = ?1";
    db.prepare_cached(sql)?.execute((row.key, &cursor, round, full))?;
    let begun = FeedRow { key: row.key, cursor, round, full, finished: false, finished_pass: row.finished_pass };
    Ok(begun.listing())
}

pub(super) fn row_of(db: &Connection, pass: Pass, id: &FeedId) -> Result<FeedRow, Trouble> {
    let sql = "SELECT key, cursor, round, full, finished, finished_pass FROM feed WHERE workload = ?1 AND id = ?2";
    let row = db.prepare_cached(sql)?.query_row((Work(pass.workload), id.as_str()), feed_row).optional()?;
    row.ok_or_else(|| unknown("feed"))
}

fn feed_row(row: &Row<'_>) -> rusqlite::Result<FeedRow> {
    Ok(FeedRow {
        key: row.get(0)?,
        cursor: row.get(1)?,
        round: row.get(2)?,
        full: row.get(3)?,
        finished: row.get(4)?,
        finished_pass: row.get(5)?,
    })
}

/// A feed that was away comes back with a round from the start: what stood in it had left meanwhile, and a round of
/// changes would not tell of it.
pub(super) fn keep_feed(db: &Connection, pass: Pass, feed: &Feed) -> Result<(), Trouble> {
    let collection = feed.collection.as_ref().map(|id: &CollectionId| collections::key_of(db, pass, feed, id));
    let sql = "INSERT INTO feed (workload, id, collection, pass) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET collection = excluded.collection, pass = excluded.pass,
            cursor = iif(gone = 1, NULL, cursor), full = iif(gone = 1, 1, full),
            finished = iif(gone = 1, 1, finished), gone = 0";
    let row = (Work(pass.workload), feed.id.as_str(), collection.transpose()?, pass.number);
    db.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// The feeds that told of an item begin with a round from the start; where nobody knows which did, all.
pub(super) fn forget_cursors(db: &Connection, workload: Workload, item: ItemKey) -> Result<(), Trouble> {
    let sql = "UPDATE feed SET cursor = NULL, full = 1, finished = 1, finished_pass = 0 WHERE workload = ?1
        AND (key IN (SELECT feed FROM membership WHERE item = ?2)
            OR NOT EXISTS (SELECT 1 FROM membership WHERE item = ?2))";
    db.prepare_cached(sql)?.execute((Work(workload), item))?;
    Ok(())
}

pub(super) fn unfinished(db: &Connection, pass: Pass) -> Result<Vec<FeedId>, Trouble> {
    let sql = "SELECT id FROM feed WHERE workload = ?1 AND gone = 0 AND NOT (finished = 1 AND finished_pass = ?2)";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map((Work(pass.workload), pass.number), |row| Ok(FeedId::new(row.get::<_, String>(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
