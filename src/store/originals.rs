//! Originals: what the source gave, part by part, immutable once complete.

use super::{
    account::AccountStore,
    blobs::{self, Prepared},
    faults::{Trouble, unknown},
    items,
    journal::{self, Event},
    memberships,
    rows::{Hash, ItemKey, OriginalKey, RunId, Work, follows, now, signed, unsigned},
    setbacks,
    sink::Completed,
};
use rusqlite::{Connection, OptionalExtension, Row};
use transhume_contract::{Digest, Facts, Fault, Version, Workload};

/// One part of an original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPart {
    pub name: String,
    pub media_type: String,
    pub digest: Digest,
    pub length: u64,
}

/// A complete original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    pub key: OriginalKey,
    /// Counts the originals of an item, from 1.
    pub seq: u64,
    /// The version it was fetched at.
    pub version: Version,
    /// In the order the source gave them.
    pub parts: Vec<StoredPart>,
}

impl AccountStore {
    /// The latest complete original of an item.
    pub async fn original(&self, item: ItemKey) -> Result<Option<Original>, Fault> {
        self.read(move |db| latest(db, item)).await
    }

    /// The same of several items, in their order: a batch in one read.
    pub async fn originals(&self, items: Vec<ItemKey>) -> Result<Vec<Option<Original>>, Fault> {
        self.read(move |db| items.iter().map(|item| latest(db, *item)).collect()).await
    }

    /// The latest settings of an account for a workload, where any were captured.
    pub async fn settings(&self, workload: Workload) -> Result<Option<Original>, Fault> {
        self.read(move |db| match settings_item(db, workload)? {
            Some(item) => latest(db, item),
            None => Ok(None),
        })
        .await
    }
}

fn latest(db: &Connection, item: ItemKey) -> Result<Option<Original>, Trouble> {
    let sql = "SELECT original FROM item WHERE key = ?1";
    let key: Option<OriginalKey> = db.prepare_cached(sql)?.query_row([item], |row| row.get(0)).optional()?.flatten();
    key.map(|key| original(db, key)).transpose()
}

pub(super) fn original(db: &Connection, key: OriginalKey) -> Result<Original, Trouble> {
    let sql = "SELECT key, seq, version FROM original WHERE key = ?1";
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?));
    let (key, seq, version) = db.prepare_cached(sql)?.query_row([key], row)?;
    Ok(Original { key, seq: unsigned(seq), version: Version::new(version), parts: parts(db, key)? })
}

fn parts(db: &Connection, key: OriginalKey) -> Result<Vec<StoredPart>, Trouble> {
    let sql = "SELECT name, media_type, digest, length, seq, key FROM part WHERE original = ?1";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([key], |row| {
        let Hash(digest) = row.get(2)?;
        let part = StoredPart { name: row.get(0)?, media_type: row.get(1)?, digest, length: unsigned(row.get(3)?) };
        Ok(((row.get::<_, i64>(4)?, row.get::<_, i64>(5)?), part))
    })?;
    // Nearly every original is one part: SQLite would set up a sorter for it.
    let mut parts = rows.collect::<Result<Vec<_>, _>>()?;
    parts.sort_by_key(|(order, _)| *order);
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

const SETTINGS: &str = "transhume:settings";

pub(super) fn settings_item(db: &Connection, workload: Workload) -> Result<Option<ItemKey>, Trouble> {
    let sql = "SELECT key FROM item WHERE workload = ?1 AND id = ?2 AND state = 2";
    Ok(db.query_row(sql, (Work(workload), SETTINGS), |row| row.get(0)).optional()?)
}

/// The settings of an account stand under a reserved id; state 2 keeps them out of every count of items.
pub(super) fn keep_settings_item(db: &Connection, workload: Workload) -> Result<ItemKey, Trouble> {
    if let Some(key) = settings_item(db, workload)? {
        return Ok(key);
    }
    let sql = "INSERT INTO item (workload, id, version, follows, facts, received, size, state)
        VALUES (?1, ?2, '', 1, '{}', 0, 0, 2)";
    db.execute(sql, (Work(workload), SETTINGS))?;
    Ok(ItemKey(db.last_insert_rowid()))
}

/// A part that came to its end, as it will be written down.
pub(super) struct ClosedPart {
    pub name: String,
    pub media_type: String,
    pub stored: blobs::Stored,
    /// Its bytes, where no row names them yet.
    pub prepared: Option<Prepared>,
}

impl ClosedPart {
    /// The same once a row names its bytes.
    pub fn without_bytes(&self) -> Self {
        let (name, media_type) = (self.name.clone(), self.media_type.clone());
        Self { name, media_type, stored: self.stored, prepared: None }
    }
}

/// The unfinished original of an item at this version, if an earlier attempt left one.
pub(super) fn unfinished(db: &Connection, item: ItemKey) -> Result<Option<(OriginalKey, Version)>, Trouble> {
    let sql = "SELECT key, version FROM original WHERE item = ?1 AND complete = 0";
    let row = |row: &Row<'_>| Ok((row.get(0)?, Version::new(row.get::<_, String>(1)?)));
    Ok(db.prepare_cached(sql)?.query_row([item], row).optional()?)
}

/// The unfinished original to write parts into; one of another version is dropped first.
pub(super) fn begin(db: &Connection, item: ItemKey, version: &Version) -> Result<OriginalKey, Trouble> {
    match unfinished(db, item)? {
        Some((key, held)) if held == *version => return Ok(key),
        Some((key, _)) => drop_unfinished(db, key)?,
        None => {}
    }
    let sql = "INSERT INTO original (item, seq, version, at)
        VALUES (?1, (SELECT ifnull(max(seq), 0) + 1 FROM original WHERE item = ?1), ?2, ?3)";
    db.prepare_cached(sql)?.execute((item, version.as_str(), now()))?;
    Ok(OriginalKey(db.last_insert_rowid()))
}

pub(super) fn drop_unfinished(db: &Connection, key: OriginalKey) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM part WHERE original = ?1")?.execute([key])?;
    db.prepare_cached("DELETE FROM original WHERE key = ?1 AND complete = 0")?.execute([key])?;
    Ok(())
}

pub(super) fn write_part(db: &Connection, original: OriginalKey, seq: i64, part: &ClosedPart) -> Result<(), Trouble> {
    if let Some(prepared) = &part.prepared {
        blobs::insert(db, prepared)?;
    }
    let sql =
        "INSERT INTO part (original, seq, name, media_type, digest, length, whole) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)
        ON CONFLICT DO UPDATE SET seq = excluded.seq, media_type = excluded.media_type, digest = excluded.digest,
            length = excluded.length, whole = 1";
    let (digest, length) = (Hash(part.stored.digest), signed(part.stored.length));
    db.prepare_cached(sql)?.execute((original, seq, &part.name, &part.media_type, digest, length))?;
    Ok(())
}

/// What completes an original.
pub(super) struct Completing {
    pub item: ItemKey,
    pub version: Version,
    /// All parts of this attempt, in order.
    pub parts: Vec<ClosedPart>,
    pub patch: Facts,
}

/// Makes an original count: its last parts, the facts learned with it, and the end of its faults, in one commit.
/// Bytes equal to the latest original's are no new original; the version they were confirmed at is kept.
pub(super) fn complete(db: &Connection, run: Option<RunId>, what: &Completing) -> Result<Completed, Trouble> {
    let item = items::item(db, what.item)?.ok_or_else(|| unknown("item"))?;
    let previous = item.original.map(|key| original(db, key)).transpose()?;
    let unchanged = previous.filter(|previous| holds_the_same(previous, &what.parts));
    let completed = match unchanged {
        Some(previous) => confirm(db, what, previous.key)?,
        None => write_whole(db, run, what)?,
    };
    stamp(db, what, &item, completed.original)?;
    let mut facts = item.facts.clone();
    facts.apply(&what.patch);
    items::set_facts(db, &item, &facts)?;
    setbacks::clear_source(db, what.item)?;
    memberships::make_ready(db, what.item)?;
    if completed.changed {
        setbacks::forgive_refused(db, what.item)?;
    }
    Ok(completed)
}

fn holds_the_same(previous: &Original, parts: &[ClosedPart]) -> bool {
    let same = |(old, new): (&StoredPart, &ClosedPart)| {
        old.name == new.name && old.digest == new.stored.digest && old.media_type == new.media_type
    };
    previous.parts.len() == parts.len() && previous.parts.iter().zip(parts).all(same)
}

fn confirm(db: &Connection, what: &Completing, original: OriginalKey) -> Result<Completed, Trouble> {
    if let Some((unfinished, _)) = unfinished(db, what.item)? {
        drop_unfinished(db, unfinished)?;
    }
    Ok(Completed { original, bytes: sum(&what.parts), changed: false })
}

fn sum(parts: &[ClosedPart]) -> u64 {
    parts.iter().map(|part| part.stored.length).sum()
}

fn write_whole(db: &Connection, run: Option<RunId>, what: &Completing) -> Result<Completed, Trouble> {
    let original = begin(db, what.item, &what.version)?;
    for (seq, part) in (0..).zip(&what.parts) {
        write_part(db, original, seq, part)?;
    }
    drop_unopened(db, original, &what.parts)?;
    let bytes = sum(&what.parts);
    let sql = "UPDATE original SET complete = 1, bytes = ?2, at = ?3 WHERE key = ?1";
    db.prepare_cached(sql)?.execute((original, signed(bytes), now()))?;
    let stale = "UPDATE placement SET stale = 1 WHERE item = ?1 AND state = 0";
    db.prepare_cached(stale)?.execute([what.item])?;
    let digest = what.parts.first().map(|part| part.stored.digest);
    journal::note(db, run, &Event { name: "fetched", item: what.item, digest, detail: None })?;
    Ok(Completed { original, bytes, changed: true })
}

/// Parts of an earlier attempt that this one did not give are none of the original's.
fn drop_unopened(db: &Connection, original: OriginalKey, parts: &[ClosedPart]) -> Result<(), Trouble> {
    let sql = "SELECT count(*) FROM part WHERE original = ?1";
    let known: usize = db.prepare_cached(sql)?.query_row([original], |row| row.get(0))?;
    if known > parts.len() {
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        let sql = "DELETE FROM part WHERE original = ?1 AND name NOT IN (SELECT value FROM json_each(?2))";
        db.execute(sql, (original, super::rows::Json(names)))?;
    }
    Ok(())
}

fn stamp(db: &Connection, what: &Completing, item: &items::Item, original: OriginalKey) -> Result<(), Trouble> {
    let sql = "UPDATE item SET original = ?2, fetched = ?3, fetched_follows = ?4, fetched_bytes = ?5,
        rendering = iif(original IS ?2, rendering, NULL) WHERE key = ?1";
    let bytes = signed(sum(&what.parts));
    db.prepare_cached(sql)?.execute((what.item, original, what.version.as_str(), follows(item.content), bytes))?;
    Ok(())
}
