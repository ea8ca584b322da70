//! What a push has to do: place, amend, move, supersede, withdraw. Each is an index lookup: it costs what changed.

use super::{COLUMNS, Placement, placement_row, select_from};
use crate::store::{
    account::AccountStore,
    collections,
    faults::Trouble,
    items::Mark,
    rows::{
        CollectionKey, ItemKey, Json, OriginalKey, PlacementKey, RenderingKey, RunId, TargetKey, Work, limit, unsigned,
    },
};
use rusqlite::{Connection, Row};
use transhume_contract::{Facts, Fault, ItemId, Workload};

/// A membership whose item is to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToPlace {
    pub item: ItemKey,
    pub id: ItemId,
    pub from: CollectionKey,
    pub original: OriginalKey,
    /// Its latest rendering, by whatever edition and profile.
    pub rendering: Option<RenderingKey>,
    /// The item's facts, as the source tells them.
    pub facts: Facts,
    pub revision: u64,
    /// The length of the original, in bytes.
    pub bytes: u64,
    /// How often placing it failed so far.
    pub attempts: u64,
    pub mark: Mark,
    /// To be rendered with a key of its own.
    pub apart: bool,
}

/// A placement whose item's facts changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToAmend {
    pub placement: Placement,
    /// The item's facts now, as the source tells them.
    pub facts: Facts,
    pub revision: u64,
}

/// A placement that is to follow its item into another collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moving {
    pub placement: Placement,
    pub to: CollectionKey,
}

/// A move that was intended, and whose outcome nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenMove {
    pub placement: Placement,
    pub to: CollectionKey,
    pub at: TargetKey,
}

/// A placement that something newer is to replace: another original, or another rendering of the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superseding {
    pub placement: Placement,
    /// The newer one stands there already, so only the old one is left to withdraw.
    pub placed_anew: bool,
    /// The newer one, to be placed first.
    pub next: ToPlace,
}

/// A placement that the source no longer answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawing {
    pub placement: Placement,
    /// The item is gone from the source; else it only left the collection, and stands elsewhere.
    pub gone: bool,
    /// The item's facts, as the source last told them.
    pub facts: Facts,
    pub revision: u64,
}

impl AccountStore {
    /// Items of one collection that are to be placed: an original is complete, nothing of it was placed, no
    /// intent is open, newest first. An item that stands at the target for another collection waits until the pass is
    /// settled, because it may have moved; one that may stand there for a collection it left, because nobody knows yet
    /// what came of an intent, waits until that is known. Not those that failed in this run.
    pub async fn items_to_place(
        &self,
        from: CollectionKey,
        after: Option<Mark>,
        most: usize,
    ) -> Result<Vec<ToPlace>, Fault> {
        let (after, run) = (after.unwrap_or(Mark::START), self.inner.run);
        self.read(move |db| to_place(db, from, after, run, most)).await
    }

    /// Placements in a target collection whose item's facts changed since, and whose handle is known.
    pub async fn placements_to_amend(
        &self,
        at: TargetKey,
        after: Option<PlacementKey>,
        most: usize,
    ) -> Result<Vec<ToAmend>, Fault> {
        let (after, run) = (after.unwrap_or(PlacementKey(0)), self.inner.run);
        self.read(move |db| to_amend(db, at, after, run, most)).await
    }

    /// Placements whose item left their collection and now stands in another of the pushed ones without being placed
    /// there. Nothing before the pass is settled, and nothing of an item that something may be on its way of: it may
    /// stand in this one's place already.
    pub async fn placements_to_move(
        &self,
        workload: Workload,
        pushed: &[CollectionKey],
        after: Option<PlacementKey>,
        most: usize,
    ) -> Result<Vec<Moving>, Fault> {
        let (pushed, after, run) = (pushed.to_vec(), after.unwrap_or(PlacementKey(0)), self.inner.run);
        self.read(move |db| to_move(db, workload, &pushed, after, run, most)).await
    }

    /// Intended moves without an outcome. Whatever else is due for their placements waits until looking decided.
    pub async fn open_moves(
        &self,
        workload: Workload,
        after: Option<PlacementKey>,
        most: usize,
    ) -> Result<Vec<OpenMove>, Fault> {
        let after = after.unwrap_or(PlacementKey(0));
        self.read(move |db| open_moves(db, workload, after, most)).await
    }

    /// Placements of an original that a newer one replaced (a draft that changed), and those rendered anew. Where
    /// the newer one may be on its way, looking decides first.
    pub async fn placements_to_supersede(
        &self,
        workload: Workload,
        after: Option<PlacementKey>,
        most: usize,
    ) -> Result<Vec<Superseding>, Fault> {
        let (after, run) = (after.unwrap_or(PlacementKey(0)), self.inner.run);
        self.read(move |db| to_supersede(db, workload, after, run, most)).await
    }

    /// Placements the source no longer answers for: withdrawn only when somebody asks for it. Nothing before the pass
    /// is settled, or while something of the item may be on its way: what took this one's place is no change of people's.
    pub async fn placements_to_withdraw(
        &self,
        workload: Workload,
        after: Option<PlacementKey>,
        most: usize,
    ) -> Result<Vec<Withdrawing>, Fault> {
        let (after, run) = (after.unwrap_or(PlacementKey(0)), self.inner.run);
        self.read(move |db| to_withdraw(db, workload, after, run, most)).await
    }

    /// How many placements the source no longer answers for.
    pub async fn count_to_withdraw(&self, workload: Workload) -> Result<u64, Fault> {
        self.read(move |db| {
            Ok(db.prepare_cached(&counting_withdrawn())?.query_row([Work(workload)], |row| row.get(0))?)
        })
        .await
    }
}

const TO_PLACE: &str =
    "SELECT i.key, i.id, m.collection, i.original, i.rendering, i.facts, i.revision, i.fetched_bytes,
        ifnull(f.attempts, 0), m.received, i.apart
    FROM membership m JOIN item i ON i.key = m.item
    LEFT JOIN fault f ON f.item = m.item AND f.side = 'target' AND f.collection = m.collection
    WHERE m.stage = 1 AND m.collection = ?1 AND (m.received, m.item) < (?2, ?3)
        AND (f.run IS NULL OR f.run IS NOT ?4)
        AND CASE WHEN ?5
            THEN NOT EXISTS (SELECT 1 FROM placement p WHERE p.item = m.item AND p.state = 0 AND p.orphan = 1)
                AND NOT EXISTS (SELECT 1 FROM intent n WHERE n.item = m.item AND n.state = 0 AND NOT EXISTS
                    (SELECT 1 FROM membership h WHERE h.item = n.item AND h.collection = n.collection))
            ELSE NOT EXISTS (SELECT 1 FROM placement p WHERE p.item = m.item AND p.state IN (0, 3))
                AND NOT EXISTS (SELECT 1 FROM intent n WHERE n.item = m.item AND n.state = 0) END
    ORDER BY m.received DESC, m.item DESC LIMIT ?6";

fn to_place(
    db: &Connection,
    from: CollectionKey,
    after: Mark,
    run: Option<RunId>,
    most: usize,
) -> Result<Vec<ToPlace>, Trouble> {
    let workload = db
        .prepare_cached("SELECT workload FROM collection WHERE key = ?1")?
        .query_row([from], |row| row.get::<_, Work>(0))?;
    let settled = collections::is_settled(db, workload.0)?;
    let mut query = db.prepare_cached(TO_PLACE)?;
    let values = (from, after.received, after.item, run, settled, limit(most));
    let rows = query.query_map(values, |row| to_place_row(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn to_place_row(row: &Row<'_>, first: usize) -> rusqlite::Result<ToPlace> {
    let item = row.get(first)?;
    Ok(ToPlace {
        item,
        id: ItemId::new(row.get::<_, String>(first + 1)?),
        from: row.get(first + 2)?,
        original: row.get(first + 3)?,
        rendering: row.get(first + 4)?,
        facts: row.get::<_, Json<Facts>>(first + 5)?.0,
        revision: unsigned(row.get(first + 6)?),
        bytes: unsigned(row.get(first + 7)?),
        attempts: row.get(first + 8)?,
        mark: Mark { received: row.get(first + 9)?, item },
        apart: row.get(first + 10)?,
    })
}

/// [`select_from`] with more columns.
pub(super) fn select(more: &str, from: &str, rest: &str) -> String {
    select_from(from).replacen("p.state\n", &format!("p.state, {more}\n"), 1) + rest
}

fn amending() -> String {
    select(
        "i.facts, i.revision",
        "placement p INDEXED BY placement_to_amend",
        " WHERE p.state = 0 AND p.amend = 1 AND p.target = ?1 AND p.key > ?2 AND p.handle IS NOT NULL
            AND p.moving_to IS NULL AND p.stale = 0 AND i.state = 0 AND (p.tried IS NULL OR p.tried IS NOT ?3)
            ORDER BY p.key LIMIT ?4",
    )
}

fn to_amend(
    db: &Connection,
    at: TargetKey,
    after: PlacementKey,
    run: Option<RunId>,
    most: usize,
) -> Result<Vec<ToAmend>, Trouble> {
    let mut query = db.prepare_cached(&amending())?;
    let rows = query.query_map((at, after, run, limit(most)), |row| {
        let facts = row.get::<_, Json<Facts>>(COLUMNS)?.0;
        Ok(ToAmend { placement: placement_row(row)?, facts, revision: unsigned(row.get(COLUMNS + 1)?) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Nobody knows yet whether something of the item was placed: in the place of what stands there, or beside it.
const ON_ITS_WAY: &str =
    "EXISTS (SELECT 1 FROM intent w INDEXED BY intent_of_item WHERE w.item = p.item AND w.state = 0)";

/// The n-th placement of an item without a home goes to its n-th membership without a placement.
pub(super) const HOMES: &str =
    "WITH orphan AS (SELECT key, item, row_number() OVER (PARTITION BY item ORDER BY key) AS nth
        FROM placement INDEXED BY placement_orphan WHERE orphan = 1 AND state = 0),
    home AS (SELECT item, collection, row_number() OVER (PARTITION BY item ORDER BY collection) AS nth
        FROM membership WHERE stage = 1 AND item IN (SELECT item FROM orphan)
            AND collection IN (SELECT value FROM json_each(?2)))";

fn moving() -> String {
    let from =
        "orphan o CROSS JOIN home h ON h.item = o.item AND h.nth = o.nth CROSS JOIN placement p ON p.key = o.key";
    let rest = format!(
        " WHERE i.workload = ?1 AND p.key > ?3 AND p.handle IS NOT NULL AND p.moving_to IS NULL
            AND (p.tried IS NULL OR p.tried IS NOT ?4) AND NOT {ON_ITS_WAY} ORDER BY p.key LIMIT ?5"
    );
    format!("{HOMES} {}", select("h.collection", from, &rest))
}

fn to_move(
    db: &Connection,
    workload: Workload,
    pushed: &[CollectionKey],
    after: PlacementKey,
    run: Option<RunId>,
    most: usize,
) -> Result<Vec<Moving>, Trouble> {
    if !collections::is_settled(db, workload)? {
        return Ok(Vec::new());
    }
    let mut query = db.prepare_cached(&moving())?;
    let rows = query.query_map((Work(workload), Json(pushed), after, run, limit(most)), |row| {
        Ok(Moving { placement: placement_row(row)?, to: row.get(COLUMNS)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn moving_still() -> String {
    select(
        "p.moving_to, p.moving_at",
        "placement p INDEXED BY placement_moving",
        " WHERE p.moving_to IS NOT NULL AND p.state = 0 AND i.workload = ?1 AND p.key > ?2 ORDER BY p.key LIMIT ?3",
    )
}

fn open_moves(db: &Connection, workload: Workload, after: PlacementKey, most: usize) -> Result<Vec<OpenMove>, Trouble> {
    let mut query = db.prepare_cached(&moving_still())?;
    let rows = query.query_map((Work(workload), after, limit(most)), |row| {
        Ok(OpenMove { placement: placement_row(row)?, to: row.get(COLUMNS)?, at: row.get(COLUMNS + 1)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn superseding() -> String {
    select(
        "EXISTS (SELECT 1 FROM placement q WHERE q.item = p.item AND q.collection = p.collection AND q.state = 0
            AND q.key > p.key AND q.original = i.original),
        i.key, i.id, p.collection, i.original, i.rendering, i.facts, i.revision, i.fetched_bytes,
        ifnull((SELECT attempts FROM fault f WHERE f.item = p.item AND f.side = 'target' AND f.collection = p.collection),
            0), i.received, i.apart",
        "placement p INDEXED BY placement_stale",
        &format!(
            " WHERE p.state = 0 AND p.stale = 1 AND i.workload = ?1 AND i.state = 0 AND p.key > ?2
                AND p.moving_to IS NULL AND p.handle IS NOT NULL AND (p.tried IS NULL OR p.tried IS NOT ?3)
                AND NOT {ON_ITS_WAY} ORDER BY p.key LIMIT ?4"
        ),
    )
}

fn to_supersede(
    db: &Connection,
    workload: Workload,
    after: PlacementKey,
    run: Option<RunId>,
    most: usize,
) -> Result<Vec<Superseding>, Trouble> {
    let mut query = db.prepare_cached(&superseding())?;
    let rows = query.query_map((Work(workload), after, run, limit(most)), |row| {
        let (placed_anew, next) = (row.get(COLUMNS)?, to_place_row(row, COLUMNS + 1)?);
        Ok(Superseding { placement: placement_row(row)?, placed_anew, next })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

const WITHDRAWN: &str = "p.orphan = 1 AND p.state = 0 AND i.workload = ?1
    AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.item = p.item AND m.stage = 1)";

fn counting_withdrawn() -> String {
    format!(
        "SELECT count(*) FROM placement p INDEXED BY placement_orphan CROSS JOIN item i ON i.key = p.item
            WHERE {WITHDRAWN}"
    )
}

fn withdrawing() -> String {
    let rest = format!(
        " WHERE {WITHDRAWN} AND p.key > ?2 AND p.handle IS NOT NULL AND p.moving_to IS NULL
            AND (p.tried IS NULL OR p.tried IS NOT ?3) AND NOT {ON_ITS_WAY} ORDER BY p.key LIMIT ?4"
    );
    select("i.state = 1, i.facts, i.revision", "placement p INDEXED BY placement_orphan", &rest)
}

fn to_withdraw(
    db: &Connection,
    workload: Workload,
    after: PlacementKey,
    run: Option<RunId>,
    most: usize,
) -> Result<Vec<Withdrawing>, Trouble> {
    if !collections::is_settled(db, workload)? {
        return Ok(Vec::new());
    }
    let mut query = db.prepare_cached(&withdrawing())?;
    let rows = query.query_map((Work(workload), after, run, limit(most)), |row| {
        let facts = row.get::<_, Json<Facts>>(COLUMNS + 1)?.0;
        let (gone, revision) = (row.get(COLUMNS)?, unsigned(row.get(COLUMNS + 2)?));
        Ok(Withdrawing { placement: placement_row(row)?, gone, facts, revision })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What each question is to be answered with, for a test of what SQLite makes of it.
#[cfg(test)]
pub(super) fn by_index() -> [(&'static str, String); 9] {
    [
        ("placement_to_amend", amending()),
        ("placement_orphan", moving()),
        ("placement_moving", moving_still()),
        ("placement_stale", superseding()),
        ("placement_orphan", counting_withdrawn()),
        ("placement_orphan", withdrawing()),
        ("intent_of_item", moving()),
        ("intent_of_item", superseding()),
        ("intent_of_item", withdrawing()),
    ]
}
