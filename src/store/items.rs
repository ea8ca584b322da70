//! Items as listings tell them, and which of them still want their original.

use super::{
    account::AccountStore,
    faults::Trouble,
    rows::{
        CollectionKey, ItemKey, Json, NEVER, OriginalKey, RunId, Work, content, follows, limit, received, signed,
        unsigned,
    },
    setbacks,
};
use rusqlite::{Connection, OptionalExtension, Row};
use transhume_contract::{Content, Facts, Fault, ItemId, Listed, Version, Workload};

/// An item as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub key: ItemKey,
    pub id: ItemId,
    pub workload: Workload,
    /// Empty for an item that the source named but never told about.
    pub version: Version,
    pub content: Content,
    /// All that was ever told, the latest of each.
    pub facts: Facts,
    /// Counts the changes of those facts that can be amended at a target.
    pub revision: u64,
    /// It is no longer at the source.
    pub gone: bool,
    /// The latest complete original.
    pub original: Option<OriginalKey>,
    pub parent: Option<ItemId>,
    pub name: Option<String>,
}

/// Where a page of items ended: by received time, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub(super) received: i64,
    pub(super) item: ItemKey,
}

impl Mark {
    /// Before the first.
    pub(super) const START: Self = Self { received: i64::MAX, item: ItemKey(i64::MAX) };
}

/// An item that wants its original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToFetch {
    pub key: ItemKey,
    pub id: ItemId,
    pub version: Version,
    pub facts: Facts,
    /// How often fetching it failed so far.
    pub attempts: u64,
    pub mark: Mark,
}

impl AccountStore {
    /// Items at the source that rights management protects, as far as listings and originals told. Looks at every item.
    pub async fn count_protected(&self, workload: Workload) -> Result<u64, Fault> {
        self.read(move |db| {
            let sql = "SELECT count(*) FROM item WHERE workload = ?1 AND state = 0
                AND json_extract(facts, '$.protected') = 1";
            Ok(db.prepare_cached(sql)?.query_row([Work(workload)], |row| row.get(0))?)
        })
        .await
    }

    pub async fn item(&self, key: ItemKey) -> Result<Option<Item>, Fault> {
        self.read(move |db| item(db, key)).await
    }

    #[cfg(test)]
    pub async fn item_by_id(&self, workload: Workload, id: &ItemId) -> Result<Option<Item>, Fault> {
        let id = id.clone();
        self.read(move |db| key_of(db, workload, &id)?.map_or(Ok(None), |key| item(db, key))).await
    }

    /// How many of these Message-IDs (with or without angle brackets) are of items at the source.
    pub async fn count_known(&self, workload: Workload, message_ids: Vec<String>) -> Result<u64, Fault> {
        self.read(move |db| {
            let sql = "SELECT EXISTS (SELECT 1 FROM item WHERE message_id IN (?1, '<' || ?1 || '>')
                AND workload = ?2 AND state = 0)";
            let mut query = db.prepare_cached(sql)?;
            let mut known = 0;
            for id in &message_ids {
                let bare = id.trim().trim_start_matches('<').trim_end_matches('>');
                known += u64::from(query.query_row((bare, Work(workload)), |row| row.get::<_, bool>(0))?);
            }
            Ok(known)
        })
        .await
    }

    /// The ids of all items at the source.
    pub async fn ids_at_source(&self, workload: Workload) -> Result<Vec<ItemId>, Fault> {
        self.read(move |db| {
            let mut query = db.prepare_cached("SELECT id FROM item WHERE workload = ?1 AND state = 0")?;
            let ids = query.query_map([Work(workload)], |row| row.get::<_, String>(0))?;
            Ok(ids.map(|id| id.map(ItemId::new)).collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Items of these collections that want their original: never fetched, or changed since where a new version means
    /// new bytes. Newest first; not those in quarantine, nor those whose fetch failed in this run.
    pub async fn items_to_fetch(
        &self,
        workload: Workload,
        within: &[CollectionKey],
        after: Option<Mark>,
        most: usize,
    ) -> Result<Vec<ToFetch>, Fault> {
        let (within, after, run) = (within.to_vec(), after.unwrap_or(Mark::START), self.inner.run);
        self.read(move |db| to_fetch(db, workload, &within, after, run, most)).await
    }
}

const TO_FETCH: &str = "SELECT i.key, i.id, i.version, i.facts, i.received, ifnull(f.attempts, 0)
    FROM item i LEFT JOIN fault f ON f.item = i.key AND f.side = 'source' AND f.collection = 0
    WHERE i.wanting = 1 AND i.workload = ?1 AND (i.received, i.key) < (?2, ?3) AND (f.run IS NULL OR f.run IS NOT ?4)
        AND EXISTS (SELECT 1 FROM membership m WHERE m.item = i.key
            AND m.collection IN (SELECT value FROM json_each(?5)))
    ORDER BY i.received DESC, i.key DESC LIMIT ?6";

fn to_fetch(
    db: &Connection,
    workload: Workload,
    within: &[CollectionKey],
    after: Mark,
    run: Option<RunId>,
    most: usize,
) -> Result<Vec<ToFetch>, Trouble> {
    let values = (Work(workload), after.received, after.item, run, Json(within), limit(most));
    let mut query = db.prepare_cached(TO_FETCH)?;
    let rows = query.query_map(values, to_fetch_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn to_fetch_row(row: &Row<'_>) -> rusqlite::Result<ToFetch> {
    let key = row.get(0)?;
    Ok(ToFetch {
        key,
        id: ItemId::new(row.get::<_, String>(1)?),
        version: Version::new(row.get::<_, String>(2)?),
        facts: row.get::<_, Json<Facts>>(3)?.0,
        mark: Mark { received: row.get(4)?, item: key },
        attempts: row.get(5)?,
    })
}

pub(super) fn key_of(db: &Connection, workload: Workload, id: &ItemId) -> Result<Option<ItemKey>, Trouble> {
    let sql = "SELECT key FROM item WHERE workload = ?1 AND id = ?2";
    Ok(db.prepare_cached(sql)?.query_row((Work(workload), id.as_str()), |row| row.get(0)).optional()?)
}

pub(super) fn item(db: &Connection, key: ItemKey) -> Result<Option<Item>, Trouble> {
    let sql = "SELECT key, id, workload, version, follows, facts, revision, state, original, parent, name
        FROM item WHERE key = ?1";
    Ok(db.prepare_cached(sql)?.query_row([key], item_row).optional()?)
}

fn item_row(row: &Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item {
        key: row.get(0)?,
        id: ItemId::new(row.get::<_, String>(1)?),
        workload: row.get::<_, Work>(2)?.0,
        version: Version::new(row.get::<_, String>(3)?),
        content: content(row.get(4)?),
        facts: row.get::<_, Json<Facts>>(5)?.0,
        revision: unsigned(row.get(6)?),
        gone: row.get::<_, i64>(7)? == 1,
        original: row.get(8)?,
        parent: row.get::<_, Option<String>>(9)?.map(ItemId::new),
        name: row.get(10)?,
    })
}

/// What a listed row was to the store.
pub(super) enum Taken {
    New,
    Changed,
    Same,
}

pub(super) fn keep_listed(db: &Connection, workload: Workload, listed: &Listed) -> Result<(ItemKey, Taken), Trouble> {
    let known = key_of(db, workload, &listed.id)?.map_or(Ok(None), |key| item(db, key))?;
    match known {
        None => Ok((insert(db, workload, listed)?, Taken::New)),
        Some(item) => {
            let taken = update(db, &item, listed)?;
            Ok((item.key, taken))
        }
    }
}

const INSERT: &str = "INSERT INTO item
    (workload, id, version, follows, facts, received, size, message_id, parent, name)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// A content rule that was never said is the careful one.
fn insert(db: &Connection, workload: Workload, listed: &Listed) -> Result<ItemKey, Trouble> {
    let facts = &listed.facts;
    db.prepare_cached(INSERT)?.execute((
        Work(workload),
        listed.id.as_str(),
        listed.version.as_str(),
        follows(listed.content.unwrap_or(Content::FollowsVersion)),
        Json(facts),
        received(facts),
        signed(facts.size.unwrap_or(0)),
        &facts.message_id,
        listed.parent.as_ref().map(ItemId::as_str),
        &listed.name,
    ))?;
    Ok(ItemKey(db.last_insert_rowid()))
}

fn update(db: &Connection, known: &Item, listed: &Listed) -> Result<Taken, Trouble> {
    let mut now = known.clone();
    now.version.clone_from(&listed.version);
    now.content = listed.content.unwrap_or(known.content);
    now.facts.apply(&listed.facts);
    now.parent = listed.parent.clone().or(now.parent);
    now.name = listed.name.clone().or(now.name);
    now.gone = false;
    if now == *known {
        return Ok(Taken::Same);
    }
    if now.version != known.version {
        setbacks::forgive_changed(db, known.key)?;
    }
    write_back(db, known, &now)?;
    Ok(Taken::Changed)
}

const UPDATE: &str = "UPDATE item SET version = ?2, follows = ?3, parent = ?4, name = ?5, state = 0 WHERE key = ?1";

fn write_back(db: &Connection, known: &Item, now: &Item) -> Result<(), Trouble> {
    let parent = now.parent.as_ref().map(ItemId::as_str);
    let row = (known.key, now.version.as_str(), follows(now.content), parent, &now.name);
    db.prepare_cached(UPDATE)?.execute(row)?;
    set_facts(db, known, &now.facts)
}

/// Lays new facts over an item's, and marks what now differs at the targets.
pub(super) fn set_facts(db: &Connection, known: &Item, facts: &Facts) -> Result<(), Trouble> {
    if known.facts == *facts {
        return Ok(());
    }
    let amended = facts.amends(&known.facts);
    let sql = "UPDATE item SET facts = ?2, revision = revision + ?3, message_id = ?4 WHERE key = ?1";
    db.prepare_cached(sql)?.execute((known.key, Json(facts), i64::from(amended), &facts.message_id))?;
    if known.facts.size != facts.size {
        let sql = "UPDATE item SET size = ?2 WHERE key = ?1";
        db.prepare_cached(sql)?.execute((known.key, signed(facts.size.unwrap_or(0))))?;
    }
    if known.facts.received != facts.received {
        set_received(db, known.key, received(facts))?;
    }
    if amended {
        let sql = "UPDATE placement SET amend = 1 WHERE item = ?1 AND state = 0 AND amend = 0";
        db.prepare_cached(sql)?.execute([known.key])?;
    }
    Ok(())
}

fn set_received(db: &Connection, item: ItemKey, received: i64) -> Result<(), Trouble> {
    db.prepare_cached("UPDATE item SET received = ?2 WHERE key = ?1")?.execute((item, received))?;
    db.prepare_cached("UPDATE membership SET received = ?2 WHERE item = ?1")?.execute((item, received))?;
    Ok(())
}

/// The row of an item that the source named and could not tell about.
pub(super) fn keep_refused(db: &Connection, workload: Workload, id: &ItemId) -> Result<ItemKey, Trouble> {
    if let Some(key) = key_of(db, workload, id)? {
        return Ok(key);
    }
    let sql = "INSERT INTO item (workload, id, version, follows, facts, received, size)
        VALUES (?1, ?2, '', 1, '{}', ?3, 0)";
    db.prepare_cached(sql)?.execute((Work(workload), id.as_str(), NEVER))?;
    Ok(ItemKey(db.last_insert_rowid()))
}
