//! Everything known of one item.

use super::{
    account::AccountStore,
    faults::Trouble,
    items,
    journal::{JournalRow, journal_row},
    placements,
    placements::{Placement, PlacementState},
    refused::{self, RefusedCollection},
    rows::{Hash, ItemKey, Json, limit, time, unsigned},
    setbacks::{self, Setback},
    verdicts::{self, Verdict},
};
use rusqlite::{Connection, Row};
use serde::Serialize;
use transhume_contract::{
    Collection, Digest, Facts, Fault, Handle, IntentId, ItemId, Loss, Timestamp, Version, Workload,
};

/// Everything known of one item, ready to be shown.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    pub item: ItemKey,
    pub id: ItemId,
    pub workload: Workload,
    pub version: Version,
    pub facts: Facts,
    pub gone: bool,
    /// The collections it stands in, as the source names them.
    pub collections: Vec<Collection>,
    pub originals: Vec<ExplainedOriginal>,
    pub renderings: Vec<ExplainedRendering>,
    pub intents: Vec<ExplainedIntent>,
    pub placements: Vec<ExplainedPlacement>,
    pub setbacks: Vec<Setback>,
    /// Those of its collections that a side refuses as a whole.
    pub refused_collections: Vec<RefusedCollection>,
    pub verdicts: Vec<Verdict>,
    /// The latest events, newest first.
    pub journal: Vec<JournalRow>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ExplainedOriginal {
    pub seq: u64,
    pub version: Version,
    pub complete: bool,
    pub at: Timestamp,
    pub parts: Vec<ExplainedPart>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ExplainedPart {
    pub name: String,
    pub media_type: String,
    pub length: u64,
    /// None while it is still arriving.
    pub digest: Option<Digest>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ExplainedRendering {
    /// The `seq` of its original.
    pub original: u64,
    pub edition: u32,
    pub digest: Digest,
    pub length: u64,
    pub message_id: Option<String>,
    pub losses: Vec<Loss>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ExplainedIntent {
    pub id: IntentId,
    /// `open`, `done` or `not_done`.
    pub state: String,
    pub attempts: u64,
    pub at: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
pub struct ExplainedPlacement {
    pub state: PlacementState,
    pub at: Collection,
    pub handle: Option<Handle>,
    pub digest: Digest,
    pub length: u64,
    pub facts: Facts,
    pub losses: Vec<Loss>,
}

/// Events shown of one item.
const EVENTS: usize = 50;
/// Items explained at once, where a prefix fits several.
const MOST: usize = 20;

impl AccountStore {
    /// Everything known of the items that are meant: by id or the beginning of one, by Message-ID (with or without
    /// angle brackets), or by the store's own number; where none is, by the end of an id or by words of the subject, which
    /// takes a look at every item. At most 20.
    pub async fn explain(&self, meant: &str) -> Result<Vec<Explained>, Fault> {
        let meant = meant.to_owned();
        self.read(move |db| matching(db, &meant)?.into_iter().map(|item| explain(db, item)).collect()).await
    }
}

impl AccountStore {
    /// The collections an item stands in, as the source names them.
    pub async fn collections_of(&self, item: ItemKey) -> Result<Vec<Collection>, Fault> {
        self.read(move |db| collections_of(db, item)).await
    }
}

fn matching(db: &Connection, meant: &str) -> Result<Vec<ItemKey>, Trouble> {
    let indexed = by_index(db, meant)?;
    if indexed.is_empty() && meant.chars().count() >= LEAST { by_look(db, meant) } else { Ok(indexed) }
}

/// Letters of an id's end, or of a subject, below which too much would fit.
const LEAST: usize = 4;

fn by_look(db: &Connection, meant: &str) -> Result<Vec<ItemKey>, Trouble> {
    let sql = "SELECT key FROM item WHERE state < 2 AND (substr(id, -length(?1)) = ?1
        OR instr(lower(json_extract(facts, '$.subject')), lower(?1)) > 0) ORDER BY received DESC LIMIT ?2";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map((meant, limit(MOST)), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn by_index(db: &Connection, meant: &str) -> Result<Vec<ItemKey>, Trouble> {
    let bare = meant.trim().trim_start_matches('<').trim_end_matches('>');
    let sql = "SELECT key FROM item WHERE workload IN (1, 2, 3, 4, 5) AND id = ?1 AND state < 2
        UNION SELECT key FROM item WHERE message_id IN (?2, '<' || ?2 || '>') AND state < 2
        UNION SELECT key FROM item WHERE key = ?3 AND state < 2
        UNION SELECT key FROM item WHERE workload IN (1, 2, 3, 4, 5) AND id > ?1 AND id < ?1 || char(1114111)
            AND state < 2 AND length(?1) >= 4 LIMIT ?4";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map((meant, bare, meant.parse::<i64>().ok(), limit(MOST)), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn explain(db: &Connection, key: ItemKey) -> Result<Explained, Trouble> {
    let item = items::item(db, key)?.ok_or_else(|| super::faults::unknown("item"))?;
    Ok(Explained {
        item: key,
        id: item.id,
        workload: item.workload,
        version: item.version,
        facts: item.facts,
        gone: item.gone,
        collections: collections_of(db, key)?,
        originals: originals_of(db, key)?,
        renderings: rows(db, RENDERINGS, key, rendering)?,
        intents: rows(db, INTENTS, key, intent)?,
        placements: placements_of(db, key)?,
        setbacks: setbacks::of_item(db, key)?,
        refused_collections: refused::holding(db, key)?,
        verdicts: verdicts::on_item(db, key)?,
        journal: rows(db, &format!("{JOURNAL} LIMIT {EVENTS}"), key, journal_row)?,
    })
}

const COLLECTIONS: &str = "SELECT c.collection FROM membership m JOIN collection c ON c.key = m.collection
    WHERE m.item = ?1 ORDER BY c.key";
const RENDERINGS: &str = "SELECT o.seq, r.edition, r.digest, r.length, r.message_id, r.losses FROM rendering r
    JOIN original o ON o.key = r.original WHERE o.item = ?1 ORDER BY r.key";
const INTENTS: &str = "SELECT id, state, attempts, at FROM intent WHERE item = ?1 ORDER BY key";
const ORIGINALS: &str = "SELECT key, seq, version, complete, at FROM original WHERE item = ?1 ORDER BY seq";
const PARTS: &str = "SELECT name, media_type, length, digest FROM part WHERE original = ?1 ORDER BY seq, key";
const JOURNAL: &str = "SELECT key, at, run, event, item, digest, detail FROM journal WHERE item = ?1 ORDER BY key DESC";

fn rows<T>(
    db: &Connection,
    sql: &str,
    key: ItemKey,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Trouble> {
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([key], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn collections_of(db: &Connection, item: ItemKey) -> Result<Vec<Collection>, Trouble> {
    rows(db, COLLECTIONS, item, |row| Ok(row.get::<_, Json<_>>(0)?.0))
}

fn originals_of(db: &Connection, item: ItemKey) -> Result<Vec<ExplainedOriginal>, Trouble> {
    let found = rows(db, ORIGINALS, item, |row| {
        let original = ExplainedOriginal {
            seq: unsigned(row.get(1)?),
            version: Version::new(row.get::<_, String>(2)?),
            complete: row.get(3)?,
            at: time(row.get(4)?),
            parts: Vec::new(),
        };
        Ok((row.get::<_, i64>(0)?, original))
    })?;
    let with_parts = |(key, original)| {
        let mut query = db.prepare_cached(PARTS)?;
        let parts = query.query_map([key], part)?.collect::<Result<_, _>>()?;
        Ok(ExplainedOriginal { parts, ..original })
    };
    found.into_iter().map(with_parts).collect()
}

fn part(row: &Row<'_>) -> rusqlite::Result<ExplainedPart> {
    Ok(ExplainedPart {
        name: row.get(0)?,
        media_type: row.get(1)?,
        length: unsigned(row.get(2)?),
        digest: row.get::<_, Option<Hash>>(3)?.map(|Hash(digest)| digest),
    })
}

fn rendering(row: &Row<'_>) -> rusqlite::Result<ExplainedRendering> {
    let Hash(digest) = row.get(2)?;
    Ok(ExplainedRendering {
        original: unsigned(row.get(0)?),
        edition: row.get(1)?,
        digest,
        length: unsigned(row.get(3)?),
        message_id: row.get(4)?,
        losses: row.get::<_, Json<Vec<Loss>>>(5)?.0,
    })
}

fn intent(row: &Row<'_>) -> rusqlite::Result<ExplainedIntent> {
    let state = match row.get::<_, i64>(1)? {
        0 => "open",
        1 => "done",
        _ => "not_done",
    };
    let id = IntentId::new(row.get::<_, String>(0)?);
    Ok(ExplainedIntent { id, state: state.to_owned(), attempts: row.get(2)?, at: time(row.get(3)?) })
}

fn placements_of(db: &Connection, item: ItemKey) -> Result<Vec<ExplainedPlacement>, Trouble> {
    let told = |placement: Placement| {
        let sql = "SELECT collection FROM target WHERE key = ?1";
        let Json(at) = db.prepare_cached(sql)?.query_row([placement.at], |row| row.get(0))?;
        let Placement { state, handle, stored, facts, losses, .. } = placement;
        Ok(ExplainedPlacement { state, at, handle, digest: stored.digest, length: stored.length, facts, losses })
    };
    placements::of_item(db, item)?.into_iter().map(told).collect()
}
