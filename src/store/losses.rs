//! Losses by name, as rows that totals count: of an item's present rendering, and of each of its placements.

use super::{faults::Trouble, rows::ItemKey};
use rusqlite::Connection;
use transhume_contract::Loss;

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
