//! Losses by name, as rows that totals count: of an item's present rendering, and of each of its placements.

use super::{
    account::AccountStore,
    explain,
    faults::Trouble,
    rows::{ItemKey, Json, Work, limit, unsigned},
};
use rusqlite::{Connection, Row};
use serde::Serialize;
use transhume_contract::{Facts, Fault, Loss, Timestamp, Workload};

/// An item that lost something of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lossy {
    pub item: ItemKey,
    pub workload: Workload,
    /// It is no longer at the source.
    pub gone: bool,
    pub subject: Option<String>,
    pub message_id: Option<String>,
    pub received: Option<Timestamp>,
    /// The collections it stands in, as the source names them.
    pub collections: Vec<String>,
    /// What was lost: when it was rendered, and when it was placed.
    pub details: Vec<String>,
}

impl AccountStore {
    /// How many items lost something of this name, and so many of them, the newest first. Looks at every loss, and at the
    /// items that have one of this name.
    pub async fn items_with_loss(
        &self,
        workload: Workload,
        name: &str,
        most: usize,
    ) -> Result<(u64, Vec<Lossy>), Fault> {
        let name = name.to_owned();
        self.read(move |db| with_loss(db, workload, &name, most)).await
    }
}

/// Joined crosswise: SQLite would begin with every item of the workload.
pub(super) const WITH_LOSS: &str =
    "FROM loss l CROSS JOIN item i ON i.key = l.item WHERE l.name = ?1 AND i.workload = ?2 AND i.state < 2";

fn with_loss(db: &Connection, workload: Workload, name: &str, most: usize) -> Result<(u64, Vec<Lossy>), Trouble> {
    let count = format!("SELECT count(DISTINCT l.item) {WITH_LOSS}");
    let items: i64 = db.prepare_cached(&count)?.query_row((name, Work(workload)), |row| row.get(0))?;
    let newest = format!(
        "SELECT l.item, i.facts, i.state = 1, json_group_array(DISTINCT l.detail) {WITH_LOSS}
            GROUP BY l.item ORDER BY i.received DESC, l.item DESC LIMIT ?3"
    );
    let mut query = db.prepare_cached(&newest)?;
    let rows = query.query_map((name, Work(workload), limit(most)), |row| lossy(row, workload))?;
    let mut lossy: Vec<Lossy> = rows.collect::<Result<_, _>>()?;
    for one in &mut lossy {
        let collections = explain::collections_of(db, one.item)?;
        one.collections = collections.into_iter().map(|collection| collection.name).collect();
    }
    Ok((unsigned(items), lossy))
}

fn lossy(row: &Row<'_>, workload: Workload) -> rusqlite::Result<Lossy> {
    let Json(facts): Json<Facts> = row.get(1)?;
    let Json(details): Json<Vec<String>> = row.get(3)?;
    let Facts { subject, message_id, received, .. } = facts;
    let (item, gone, collections) = (row.get(0)?, row.get(2)?, Vec::new());
    Ok(Lossy { item, workload, gone, subject, message_id, received, collections, details })
}

/// Whose losses they are.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    Rendering,
    Placement(i64),
    /// Of moving a placement or taking it away: what was left behind. It stays when the placement's own change.
    Removal(i64),
}

impl Origin {
    const fn columns(self) -> (&'static str, i64) {
        match self {
            Self::Rendering => ("rendering", 0),
            Self::Placement(key) => ("placement", key),
            Self::Removal(key) => ("removal", key),
        }
    }
}

/// Replaces the losses of one origin.
pub(super) fn replace(db: &Connection, item: ItemKey, which: Origin, losses: &[Loss]) -> Result<(), Trouble> {
    let (origin, owner) = which.columns();
    let old = "DELETE FROM loss WHERE item = ?1 AND origin = ?2 AND owner = ?3";
    db.prepare_cached(old)?.execute((item, origin, owner))?;
    add(db, item, which, losses)
}

/// Adds to the losses of one origin.
pub(super) fn add(db: &Connection, item: ItemKey, which: Origin, losses: &[Loss]) -> Result<(), Trouble> {
    let (origin, owner) = which.columns();
    let sql = "INSERT INTO loss VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET detail = detail || '; ' || excluded.detail";
    for loss in losses {
        db.prepare_cached(sql)?.execute((item, origin, owner, &loss.name, &loss.detail))?;
    }
    Ok(())
}
