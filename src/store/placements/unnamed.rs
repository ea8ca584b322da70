//! Placements whose handle nobody knows: what is due for them cannot be done.

use super::{
    COLUMNS, Placement, by_key, placement_row,
    todo::{HOMES, select},
};
use crate::store::{
    account::AccountStore,
    collections,
    faults::Trouble,
    rows::{CollectionKey, Json, PlacementKey, Work, limit},
    setbacks, verdicts,
};
use rusqlite::Connection;
use transhume_contract::{Fault, Workload};

/// A placement without a handle for which something is due, or was when it was last told as owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    pub placement: Placement,
    /// Something is due still: a change, a newer one in its stead, a move, a withdrawal.
    pub due: bool,
    /// Where its item moved to.
    pub home: Option<CollectionKey>,
    /// Verification saw it where people filed it.
    pub filed: bool,
}

impl AccountStore {
    /// Placements without a handle for which something is due, or was. Moves into `pushed` collections, and withdrawals
    /// where they are asked for, only once the pass is settled.
    pub async fn placements_overdue(
        &self,
        workload: Workload,
        pushed: &[CollectionKey],
        withdraws: bool,
        after: Option<PlacementKey>,
        most: usize,
    ) -> Result<Vec<Overdue>, Fault> {
        let (pushed, after) = (pushed.to_vec(), after.unwrap_or(PlacementKey(0)));
        self.read(move |db| overdue(db, workload, &pushed, withdraws, after, most)).await
    }

    /// Writes down that nothing is due any more for a placement without a handle.
    pub async fn forgive(&self, key: PlacementKey) -> Result<(), Fault> {
        self.write(move |db| {
            db.prepare_cached("UPDATE placement SET tried = NULL WHERE key = ?1")?.execute([key])?;
            let placement = by_key(db, key)?;
            setbacks::clear_owed_target(db, placement.item, placement.from)
        })
        .await
    }
}

pub(super) fn waiting_for_a_handle() -> String {
    let due = "(i.state = 0 AND (p.amend = 1 OR p.stale = 1)
        OR ?4 AND (h.collection IS NOT NULL OR ?5 AND i.state = 1 AND p.orphan = 1))";
    let filed = format!(
        "EXISTS (SELECT 1 FROM verdict v WHERE {} AND v.kind = 'changed_there' AND v.detail -> '$.moved_to' IS NOT NULL)",
        verdicts::ON_P
    );
    let rest = format!(
        " LEFT JOIN orphan o ON o.key = p.key LEFT JOIN home h ON h.item = o.item AND h.nth = o.nth
            WHERE p.state = 0 AND p.handle IS NULL AND i.workload = ?1 AND p.key > ?3
                AND ({due} OR ?4 AND p.tried IS NOT NULL) ORDER BY p.key LIMIT ?6"
    );
    let more = format!("{due}, iif(?4, h.collection, NULL), {filed}");
    format!("{HOMES} {}", select(&more, "placement p INDEXED BY placement_unnamed", &rest))
}

fn overdue(
    db: &Connection,
    workload: Workload,
    pushed: &[CollectionKey],
    withdraws: bool,
    after: PlacementKey,
    most: usize,
) -> Result<Vec<Overdue>, Trouble> {
    let settled = collections::is_settled(db, workload)?;
    let mut query = db.prepare_cached(&waiting_for_a_handle())?;
    let values = (Work(workload), Json(pushed), after, settled, withdraws, limit(most));
    let rows = query.query_map(values, |row| {
        let (due, home, filed) = (row.get(COLUMNS)?, row.get(COLUMNS + 1)?, row.get(COLUMNS + 2)?);
        Ok(Overdue { placement: placement_row(row)?, due, home, filed })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
