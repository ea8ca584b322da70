//! The journal: what happened to which item, with the hashes it speaks of. It only grows.

use super::{
    account::AccountStore,
    faults::Trouble,
    rows::{Hash, ItemKey, RunId, limit, now, time},
};
use rusqlite::{Connection, Row};
use serde::Serialize;
use transhume_contract::{Digest, Fault, Timestamp};

/// One line of an account's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JournalRow {
    /// Counts up; hand the last one back to go on.
    pub number: i64,
    pub at: Timestamp,
    pub run: Option<RunId>,
    /// `fetched`, `rendered`, `intended`, `placed`, `not_placed`, `amended`, `moved`, `withdrawn`, `superseded`,
    /// `lost`, `found`, `repaired`, `owed`, `quarantined`, `released`, `gone`, `verdict`, or an event of the caller's.
    pub event: String,
    pub item: Option<ItemKey>,
    /// The hash of the bytes it speaks of.
    pub digest: Option<Digest>,
    pub detail: Option<String>,
}

/// An event as facets write it.
pub(super) struct Event<'a> {
    pub name: &'static str,
    pub item: ItemKey,
    pub digest: Option<Digest>,
    pub detail: Option<&'a str>,
}

pub(super) fn note(db: &Connection, run: Option<RunId>, event: &Event<'_>) -> Result<(), Trouble> {
    let sql = "INSERT INTO journal (at, run, event, item, digest, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    db.prepare_cached(sql)?.execute((now(), run, event.name, event.item, event.digest.map(Hash), event.detail))?;
    Ok(())
}

pub(super) fn note_run(db: &Connection, run: RunId, event: &str, detail: &str) -> Result<(), Trouble> {
    let sql = "INSERT INTO journal (at, run, event, detail) VALUES (?1, ?2, ?3, ?4)";
    db.execute(sql, (now(), run, event, detail))?;
    Ok(())
}

impl AccountStore {
    /// Adds an event of the engine's own about the account.
    pub async fn note(&self, event: &str, detail: &str) -> Result<(), Fault> {
        let (run, event, detail) = (self.inner.run, event.to_owned(), detail.to_owned());
        self.write(move |db| {
            let sql = "INSERT INTO journal (at, run, event, detail) VALUES (?1, ?2, ?3, ?4)";
            db.execute(sql, (now(), run, &event, &detail))?;
            Ok(())
        })
        .await
    }

    /// The journal from after a number on, oldest first.
    pub async fn journal(&self, after: i64, most: usize) -> Result<Vec<JournalRow>, Fault> {
        self.read(move |db| {
            let sql =
                "SELECT key, at, run, event, item, digest, detail FROM journal WHERE key > ?1 ORDER BY key LIMIT ?2";
            let mut query = db.prepare_cached(sql)?;
            let rows = query.query_map((after, limit(most)), journal_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

pub(super) fn journal_row(row: &Row<'_>) -> rusqlite::Result<JournalRow> {
    Ok(JournalRow {
        number: row.get(0)?,
        at: time(row.get(1)?),
        run: row.get(2)?,
        event: row.get(3)?,
        item: row.get(4)?,
        digest: row.get::<_, Option<Hash>>(5)?.map(|Hash(digest)| digest),
        detail: row.get(6)?,
    })
}
