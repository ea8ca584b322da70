//! Totals: always asked of the store, never carried in variables that die with an error.

use super::{
    account::AccountStore,
    collections,
    faults::Trouble,
    rows::{CollectionKey, Side, Work, from_word, unsigned},
};
use rusqlite::{Connection, Row};
use serde::Serialize;
use transhume_contract::{Depth, Fault, What, Workload};

/// So many items, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub items: u64,
    pub bytes: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.items += other.items;
        self.bytes += other.bytes;
    }
}

/// The memberships of a collection by what they wait for; their sum is what the source lists there. Bytes are those the
/// source states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StageTotals {
    /// No original yet.
    pub waiting: Tally,
    /// Fetched, not placed.
    pub ready: Tally,
    /// Sent, outcome not known yet.
    pub sent: Tally,
    pub placed: Tally,
    /// In quarantine, on either side.
    pub barred: Tally,
}

impl StageTotals {
    pub fn listed(&self) -> Tally {
        let mut all = Tally::default();
        [self.waiting, self.ready, self.sent, self.placed, self.barred].into_iter().for_each(|one| all += one);
        all
    }

    /// Neither placed nor in quarantine.
    pub fn owed(&self) -> Tally {
        let mut owed = Tally::default();
        [self.waiting, self.ready, self.sent].into_iter().for_each(|one| owed += one);
        owed
    }
}

impl std::ops::AddAssign for StageTotals {
    fn add_assign(&mut self, other: Self) {
        self.waiting += other.waiting;
        self.ready += other.ready;
        self.sent += other.sent;
        self.placed += other.placed;
        self.barred += other.barred;
    }
}

/// The totals of one collection of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CollectionTotals {
    pub collection: CollectionKey,
    pub stages: StageTotals,
}

/// Items in quarantine, by cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    pub side: Side,
    pub cause: String,
    pub items: u64,
}

/// A loss, and how many renderings and placements have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LossTotal {
    pub name: String,
    pub items: u64,
}

/// Verdicts of one kind at one depth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerdictTotal {
    pub depth: Depth,
    pub kind: String,
    pub items: u64,
}

/// Where one workload of an account stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Items at the source, with the bytes it states.
    pub listed: Tally,
    /// Items that were listed once and are gone from the source.
    pub gone: Tally,
    /// Items with a complete original, and the bytes of it, gone ones included.
    pub fetched: Tally,
    /// Items whose latest original has a rendering.
    pub rendered: u64,
    /// Placements that stand, with the bytes of their renderings.
    pub placed: Tally,
    pub withdrawn: Tally,
    pub superseded: Tally,
    pub lost: Tally,
    /// Items with nothing to pull or to place whose changes met a fault and will be tried again: a flag, a move, a
    /// withdrawal.
    pub changes: u64,
    /// Those of them that wait for people, who changed at the target what a newer one is to replace.
    pub conflicts: u64,
    pub quarantined: Vec<Quarantined>,
    pub open_intents: u64,
    pub losses: Vec<LossTotal>,
    pub verdicts: Vec<VerdictTotal>,
    /// The latest pass saw the end of every feed.
    pub settled: bool,
}

impl AccountStore {
    /// Where a workload stands, in time that does not grow with the number of items.
    pub async fn totals(&self, workload: Workload) -> Result<Totals, Fault> {
        self.read(move |db| totals(db, workload)).await
    }

    /// The same by collection of the source.
    pub async fn collection_totals(&self, workload: Workload) -> Result<Vec<CollectionTotals>, Fault> {
        self.read(move |db| by_collection(db, workload)).await
    }
}

struct TallyRow {
    kind: String,
    name: String,
    tally: Tally,
}

fn tally(row: &Row<'_>, items: usize) -> rusqlite::Result<Tally> {
    Ok(Tally { items: unsigned(row.get(items)?), bytes: unsigned(row.get(items + 1)?) })
}

fn totals(db: &Connection, workload: Workload) -> Result<Totals, Trouble> {
    let sql = "SELECT kind, name, items, bytes FROM tally WHERE place = ?1 AND items > 0
        AND kind IN ('item', 'fetched', 'rendered', 'placement', 'loss', 'verdict') ORDER BY kind, name";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([Work(workload)], |row| {
        Ok(TallyRow { kind: row.get(0)?, name: row.get(1)?, tally: tally(row, 2)? })
    })?;
    let mut totals = Totals::default();
    for row in rows {
        totals.take(row?)?;
    }
    totals.changes = changes(db, workload)?;
    totals.conflicts = conflicts(db, workload)?;
    totals.quarantined = quarantined(db, workload)?;
    totals.open_intents = open_intents(db, workload)?;
    totals.settled = collections::is_settled(db, workload)?;
    Ok(totals)
}

impl Totals {
    fn take(&mut self, row: TallyRow) -> Result<(), Trouble> {
        match (row.kind.as_str(), row.name.as_str()) {
            ("item", "0") => self.listed = row.tally,
            ("item", _) => self.gone = row.tally,
            ("fetched", _) => self.fetched = row.tally,
            ("rendered", _) => self.rendered = row.tally.items,
            ("placement", "0") => self.placed = row.tally,
            ("placement", "1") => self.withdrawn = row.tally,
            ("placement", "2") => self.superseded = row.tally,
            ("placement", _) => self.lost = row.tally,
            ("loss", name) => self.losses.push(LossTotal { name: name.to_owned(), items: row.tally.items }),
            (_, name) => self.verdicts.push(verdict(name, row.tally.items)?),
        }
        Ok(())
    }
}

/// The trigger joins depth and kind by a space.
fn verdict(name: &str, items: u64) -> Result<VerdictTotal, Trouble> {
    let (depth, kind) = name.split_once(' ').unwrap_or((name, ""));
    Ok(VerdictTotal { depth: from_word(depth)?, kind: kind.to_owned(), items })
}

fn changes(db: &Connection, workload: Workload) -> Result<u64, Trouble> {
    Ok(db.prepare_cached(&changes_due())?.query_row([Work(workload)], |row| row.get(0))?)
}

/// What met a fault, and what was pulled and not pushed since. Its placements are named by index and joined crosswise, for SQLite would
/// go through all that is placed.
pub(super) fn changes_due() -> String {
    const PULLED: &str = "CROSS JOIN item i ON i.key = p.item WHERE p.state = 0 AND i.state = 0 AND i.workload = ?1
        AND NOT EXISTS (SELECT 1 FROM fault q WHERE q.item = p.item AND q.side = 'target' AND q.cause IS NOT NULL)";
    format!(
        "SELECT count(*) FROM (
            SELECT f.item FROM fault f
                WHERE f.workload = ?1 AND f.side IN ('source', 'target') AND f.cause IS NULL AND f.item <> 0
            UNION SELECT p.item FROM placement p INDEXED BY placement_stale {PULLED} AND p.stale = 1
            UNION SELECT p.item FROM placement p INDEXED BY placement_to_amend {PULLED} AND p.amend = 1) due
        WHERE NOT EXISTS (SELECT 1 FROM membership m WHERE m.item = due.item AND m.stage IN (0, 1, 2))"
    )
}

fn conflicts(db: &Connection, workload: Workload) -> Result<u64, Trouble> {
    let sql = "SELECT count(DISTINCT item) FROM fault WHERE workload = ?1 AND side = 'target' AND cause IS NULL
        AND json_extract(fault, '$.what') = ?2";
    Ok(db.prepare_cached(sql)?.query_row((Work(workload), What::Conflict.name()), |row| row.get(0))?)
}

fn quarantined(db: &Connection, workload: Workload) -> Result<Vec<Quarantined>, Trouble> {
    let sql = "SELECT side, cause, count(*) FROM fault WHERE workload = ?1 AND cause IS NOT NULL GROUP BY side, cause";
    let mut query = db.prepare_cached(sql)?;
    let row = |row: &Row<'_>| Ok(Quarantined { side: row.get(0)?, cause: row.get(1)?, items: row.get(2)? });
    let rows = query.query_map([Work(workload)], row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn open_intents(db: &Connection, workload: Workload) -> Result<u64, Trouble> {
    let sql = "SELECT count(*) FROM intent n JOIN target t ON t.key = n.target WHERE n.state = 0 AND t.workload = ?1";
    Ok(db.prepare_cached(sql)?.query_row([Work(workload)], |row| row.get(0))?)
}

fn by_collection(db: &Connection, workload: Workload) -> Result<Vec<CollectionTotals>, Trouble> {
    let sql = "SELECT c.key, t.name, t.items, t.bytes FROM collection c
        LEFT JOIN tally t ON t.kind = 'stage' AND t.place = c.key WHERE c.workload = ?1 ORDER BY c.key";
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query([Work(workload)])?;
    let mut totals: Vec<CollectionTotals> = Vec::new();
    while let Some(row) = rows.next()? {
        let collection = row.get(0)?;
        if totals.last().is_none_or(|last| last.collection != collection) {
            totals.push(CollectionTotals { collection, stages: StageTotals::default() });
        }
        if let (Some(stage), Some(last)) = (row.get::<_, Option<String>>(1)?, totals.last_mut()) {
            last.stages.take(&stage, tally(row, 2)?);
        }
    }
    Ok(totals)
}

impl StageTotals {
    fn take(&mut self, stage: &str, tally: Tally) {
        match stage {
            "0" => self.waiting = tally,
            "1" => self.ready = tally,
            "2" => self.sent = tally,
            "3" => self.placed = tally,
            _ => self.barred = tally,
        }
    }
}
