//! The source's collections and feeds, pass by pass, and the moment when a pass may say what is gone.

use super::{
    account::AccountStore,
    faults::{Trouble, broken},
    feeds,
    journal::{self, Event},
    memberships,
    rows::{CollectionKey, ItemKey, Json, RunId, Work},
};
use rusqlite::{Connection, OptionalExtension, Row};
use transhume_contract::{Appearance, Collection, CollectionId, Fault, Feed, FeedId, Role, Size, Workload};

/// One pass over a workload of an account. Each run begins its own; rounds of feeds go on across passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    pub workload: Workload,
    pub(super) number: i64,
}

/// A collection of the source, as last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionRow {
    pub key: CollectionKey,
    pub collection: Collection,
    /// The latest pass did not see it. It is kept, for what was placed from it.
    pub gone: bool,
}

/// What trying to settle a pass came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Feeds that did not finish their round in this pass: while there are any, nothing is settled.
    pub waiting: Vec<FeedId>,
    /// Items that are gone from the source since the last settled pass.
    pub gone: u64,
}

impl AccountStore {
    pub async fn begin_pass(&self, workload: Workload) -> Result<Pass, Fault> {
        self.write(move |db| {
            let sql = "INSERT INTO pass (workload, number) VALUES (?1, 1)
                ON CONFLICT DO UPDATE SET number = number + 1, feeds_known = 0 RETURNING number";
            let number = db.query_row(sql, [Work(workload)], |row| row.get(0))?;
            Ok(Pass { workload, number })
        })
        .await
    }

    /// Keeps the whole list of collections that this pass saw; those it did not see are marked gone, and kept.
    pub async fn record_collections(&self, pass: Pass, collections: Vec<Collection>) -> Result<(), Fault> {
        self.write(move |db| {
            for collection in &collections {
                keep_collection(db, pass, collection)?;
            }
            let unseen = "UPDATE collection SET gone = 1 WHERE workload = ?1 AND pass <> ?2 AND gone = 0";
            db.execute(unseen, (Work(pass.workload), pass.number))?;
            Ok(())
        })
        .await
    }

    /// Keeps the whole list of feeds of this pass: it is settled when all of them finished their round in it.
    pub async fn record_feeds(&self, pass: Pass, feeds: Vec<Feed>) -> Result<(), Fault> {
        self.write(move |db| {
            for feed in &feeds {
                feeds::keep_feed(db, pass, feed)?;
            }
            let unseen = "UPDATE feed SET gone = 1 WHERE workload = ?1 AND pass <> ?2";
            db.execute(unseen, (Work(pass.workload), pass.number))?;
            let known = "UPDATE pass SET feeds_known = 1 WHERE workload = ?1 AND number = ?2";
            db.execute(known, (Work(pass.workload), pass.number))?;
            Ok(())
        })
        .await
    }

    /// Every collection of a workload that was ever listed: as many as there are folders.
    pub async fn collections(&self, workload: Workload) -> Result<Vec<CollectionRow>, Fault> {
        self.read(move |db| {
            let sql = "SELECT key, collection, gone FROM collection WHERE workload = ?1 AND gone < 2 ORDER BY key";
            let mut query = db.prepare_cached(sql)?;
            let rows = query.query_map([Work(workload)], collection_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Settles a pass, where every feed finished its round in it: an item that no collection holds any more is gone
    /// from the source. Until then nobody can tell a deleted item from a moved one, and this only says who is missing.
    pub async fn settle_round(&self, pass: Pass) -> Result<Settled, Fault> {
        let run = self.inner.run;
        self.write(move |db| settle(db, pass, run)).await
    }
}

fn collection_row(row: &Row<'_>) -> rusqlite::Result<CollectionRow> {
    let (key, Json(collection), gone) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(CollectionRow { key, collection, gone })
}

pub(super) fn is_settled(db: &Connection, workload: Workload) -> Result<bool, Trouble> {
    let sql = "SELECT settled = number FROM pass WHERE workload = ?1";
    Ok(db.prepare_cached(sql)?.query_row([Work(workload)], |row| row.get(0)).optional()?.unwrap_or(false))
}

fn keep_collection(db: &Connection, pass: Pass, collection: &Collection) -> Result<(), Trouble> {
    let sql = "INSERT INTO collection (workload, id, collection, pass) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET collection = excluded.collection, pass = excluded.pass, gone = 0";
    let row = (Work(pass.workload), collection.id.as_str(), Json(collection), pass.number);
    db.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// The key of a collection. One that no list told of yet (made while the pass went on) gets a row without a name; it is
/// shown once the next pass lists it.
pub(super) fn key_of(db: &Connection, pass: Pass, feed: &Feed, id: &CollectionId) -> Result<CollectionKey, Trouble> {
    let sql = "SELECT key FROM collection WHERE workload = ?1 AND id = ?2";
    let known = db.prepare_cached(sql)?.query_row((Work(pass.workload), id.as_str()), |row| row.get(0)).optional()?;
    if let Some(key) = known {
        return Ok(key);
    }
    let row = (Work(pass.workload), id.as_str(), Json(unnamed(feed, id)), pass.number);
    db.execute("INSERT INTO collection (workload, id, collection, pass, gone) VALUES (?1, ?2, ?3, ?4, 2)", row)?;
    Ok(CollectionKey(db.last_insert_rowid()))
}

fn unnamed(feed: &Feed, id: &CollectionId) -> Collection {
    Collection {
        account: feed.account.clone(),
        workload: feed.workload,
        id: id.clone(),
        parent: None,
        name: String::new(),
        role: Role::Ordinary,
        hidden: false,
        expected: Size::default(),
        appearance: Appearance::default(),
    }
}

/// A pass that is no longer the latest may not write any more.
pub(super) fn must_be_latest(db: &Connection, pass: Pass) -> Result<(), Trouble> {
    let sql = "SELECT number = ?2 FROM pass WHERE workload = ?1";
    let latest: Option<bool> =
        db.prepare_cached(sql)?.query_row((Work(pass.workload), pass.number), |row| row.get(0)).optional()?;
    if latest == Some(true) { Ok(()) } else { Err(broken("a newer pass over this account has begun").into()) }
}

fn settle(db: &Connection, pass: Pass, run: Option<RunId>) -> Result<Settled, Trouble> {
    must_be_latest(db, pass)?;
    let known: bool =
        db.query_row("SELECT feeds_known FROM pass WHERE workload = ?1", [Work(pass.workload)], |row| row.get(0))?;
    if !known {
        return Err(broken("a pass cannot settle before its feeds are known").into());
    }
    let waiting = feeds::unfinished(db, pass)?;
    if !waiting.is_empty() {
        return Ok(Settled { waiting, gone: 0 });
    }
    memberships::leave_gone_collections(db, pass.workload)?;
    let gone = mark_gone(db, pass.workload, run)?;
    memberships::follow_lost(db, pass.workload)?;
    db.execute("UPDATE pass SET settled = number WHERE workload = ?1", [Work(pass.workload)])?;
    Ok(Settled { waiting, gone })
}

/// Only items that lost a membership since are looked at, so a pass costs what changed.
fn mark_gone(db: &Connection, workload: Workload, run: Option<RunId>) -> Result<u64, Trouble> {
    let sql = "UPDATE item SET state = 1 WHERE workload = ?1 AND loose = 1 AND state = 0
        AND NOT EXISTS (SELECT 1 FROM membership WHERE item = item.key) RETURNING key";
    let mut marking = db.prepare_cached(sql)?;
    let mut rows = marking.query([Work(workload)])?;
    let mut gone = 0;
    while let Some(row) = rows.next()? {
        let item: ItemKey = row.get(0)?;
        journal::note(db, run, &Event { name: "gone", item, digest: None, detail: None })?;
        // What is gone from the source is owed no more, and in no quarantine.
        db.prepare_cached("DELETE FROM fault WHERE item = ?1")?.execute([item])?;
        gone += 1;
    }
    db.execute("UPDATE item SET loose = 0 WHERE workload = ?1 AND loose = 1", [Work(workload)])?;
    Ok(gone)
}
