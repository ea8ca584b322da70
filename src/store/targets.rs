//! Where the source's collections go: which collection of the target each was ensured as.

use super::{
    account::AccountStore,
    faults::Trouble,
    rows::{CollectionKey, Json, TargetKey, Work},
};
use rusqlite::{Connection, Row};
use transhume_contract::{Collection, Fault, Workload};

/// The way from a collection of the source to one of the target. Several may lead to the same target collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRow {
    pub from: CollectionKey,
    pub at: TargetKey,
    /// The names it was asked for by.
    pub path: Vec<String>,
    /// As the target answered when it was last ensured.
    pub collection: Collection,
}

impl AccountStore {
    /// Keeps what a collection was ensured as. Equal target collections (same account and id) share one key.
    pub async fn record_target(
        &self,
        from: CollectionKey,
        path: &[String],
        collection: &Collection,
    ) -> Result<TargetKey, Fault> {
        let (path, collection) = (path.to_vec(), collection.clone());
        self.write(move |db| keep(db, from, &path, &collection)).await
    }

    /// Every way known: as many as there are folders.
    pub async fn targets(&self, workload: Workload) -> Result<Vec<TargetRow>, Fault> {
        self.read(move |db| {
            let sql = "SELECT r.collection, r.target, r.path, t.collection FROM route r
                JOIN target t ON t.key = r.target WHERE t.workload = ?1 ORDER BY r.collection";
            let mut query = db.prepare_cached(sql)?;
            let rows = query.query_map([Work(workload)], target_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Target collections that ever took a placement or an intent, whether a way still leads there or not.
    pub async fn target_collections(&self, workload: Workload) -> Result<Vec<(TargetKey, Collection)>, Fault> {
        self.read(move |db| {
            let mut query = db.prepare_cached("SELECT key, collection FROM target WHERE workload = ?1 ORDER BY key")?;
            let rows = query.query_map([Work(workload)], |row| Ok((row.get(0)?, row.get::<_, Json<_>>(1)?.0)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn target_row(row: &Row<'_>) -> rusqlite::Result<TargetRow> {
    let (Json(path), Json(collection)) = (row.get(2)?, row.get(3)?);
    Ok(TargetRow { from: row.get(0)?, at: row.get(1)?, path, collection })
}

fn keep(db: &Connection, from: CollectionKey, path: &[String], collection: &Collection) -> Result<TargetKey, Trouble> {
    let sql = "INSERT INTO target (workload, account, id, collection) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET collection = excluded.collection RETURNING key";
    let (account, id) = (collection.account.as_str(), collection.id.as_str());
    let row = (Work(collection.workload), account, id, Json(collection));
    let at: TargetKey = db.query_row(sql, row, |row| row.get(0))?;
    let sql = "INSERT INTO route VALUES (?1, ?2, ?3)
        ON CONFLICT DO UPDATE SET target = excluded.target, path = excluded.path";
    db.execute(sql, (from, at, Json(path)))?;
    Ok(at)
}
