//! Losses by name, as rows that totals count: of an item's present rendering, and of each of its placements.

use super::{faults::Trouble, rows::ItemKey};
use rusqlite::Connection;
use transhume_contract::Loss;

/// Whose losses they are.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    Rendering,
    Placement(i64),
}

impl Origin {
    const fn columns(self) -> (&'static str, i64) {
        match self {
            Self::Rendering => ("rendering", 0),
            Self::Placement(key) => ("placement", key),
        }
    }
}

/// Replaces the losses of one origin.
pub(super) fn replace(db: &Connection, item: ItemKey, origin: Origin, losses: &[Loss]) -> Result<(), Trouble> {
    let (origin, owner) = origin.columns();
    let old = "DELETE FROM loss WHERE item = ?1 AND origin = ?2 AND owner = ?3";
    db.prepare_cached(old)?.execute((item, origin, owner))?;
    let sql = "INSERT INTO loss VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET detail = detail || '; ' || excluded.detail";
    for loss in losses {
        db.prepare_cached(sql)?.execute((item, origin, owner, &loss.name, &loss.detail))?;
    }
    Ok(())
}
