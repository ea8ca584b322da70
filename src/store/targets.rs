//! Where the source's collections go: which collection of the target each was ensured as.

use super::{
    account::AccountStore,
    faults::Trouble,
    journal::{self, Event},
    memberships,
    rows::{CollectionKey, ItemKey, Json, RunId, Side, TargetKey, Work},
    verdicts,
};
use rusqlite::{Connection, OptionalExtension, Row};
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
    /// Keeps what a collection was ensured as. Equal target collections (same account and id) share one key; and where
    /// a collection goes by another id since it was ensured last (people renamed it there, or the server numbered it
    /// anew), it keeps its key and all that was placed there, unless another way still leads to it by the old id.
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

    /// Whether anything was ever begun at the target of a workload: a collection is ensured before the first intent in it.
    pub(super) async fn has_begun(&self, workload: Workload) -> Result<bool, Fault> {
        self.read(move |db| {
            let sql = "SELECT EXISTS (SELECT 1 FROM target WHERE workload = ?1)";
            Ok(db.query_row(sql, [Work(workload)], |row| row.get(0))?)
        })
        .await
    }

    /// Whether something that was placed should stand there still: no verification missed it since.
    pub async fn should_stand(&self, workload: Workload) -> Result<bool, Fault> {
        self.read(move |db| {
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM placement p JOIN item i ON i.key = p.item
                    WHERE p.state = 0 AND i.workload = ?1
                        AND NOT EXISTS (SELECT 1 FROM verdict v WHERE {} AND v.kind = 'missing'))",
                verdicts::ON_P
            );
            Ok(db.query_row(&sql, [Work(workload)], |row| row.get(0))?)
        })
        .await
    }

    /// Forgets what the target of a workload refused, items and collections, so that all of it is offered to another one.
    pub(super) async fn forget_refusals(&self, workload: Workload) -> Result<(), Fault> {
        let run = self.inner.run;
        self.write(move |db| forget_refusals(db, run, workload)).await
    }
}

fn forget_refusals(db: &Connection, run: Option<RunId>, workload: Workload) -> Result<(), Trouble> {
    let sql = "DELETE FROM fault WHERE workload = ?1 AND side = ?2 RETURNING item, cause IS NOT NULL";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map((Work(workload), Side::Target), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let forgotten: Vec<(ItemKey, bool)> = rows.collect::<Result<_, _>>()?;
    for (item, quarantined) in forgotten {
        if quarantined {
            let detail = Some("another target");
            journal::note(db, run, &Event { name: "released", item, digest: None, detail })?;
        }
        // Refused collections stand under an item that there is not: nothing of it is anywhere.
        memberships::restage_item(db, item)?;
    }
    Ok(())
}

fn target_row(row: &Row<'_>) -> rusqlite::Result<TargetRow> {
    let (Json(path), Json(collection)) = (row.get(2)?, row.get(3)?);
    Ok(TargetRow { from: row.get(0)?, at: row.get(1)?, path, collection })
}

fn keep(db: &Connection, from: CollectionKey, path: &[String], collection: &Collection) -> Result<TargetKey, Trouble> {
    follow(db, from, collection)?;
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

/// The row of a collection that goes by another id now is brought to that id.
fn follow(db: &Connection, from: CollectionKey, now: &Collection) -> Result<(), Trouble> {
    let sql = "SELECT t.key FROM route r JOIN target t ON t.key = r.target
        WHERE r.collection = ?1 AND t.workload = ?2 AND t.account = ?3 AND t.id <> ?4
            AND NOT EXISTS (SELECT 1 FROM route o WHERE o.target = t.key AND o.collection <> ?1)";
    let (work, account, id) = (Work(now.workload), now.account.as_str(), now.id.as_str());
    let former: Option<TargetKey> = db.query_row(sql, (from, work, account, id), |row| row.get(0)).optional()?;
    let Some(former) = former else { return Ok(()) };
    let sql = "SELECT key FROM target WHERE workload = ?1 AND account = ?2 AND id = ?3";
    let known: Option<TargetKey> = db.query_row(sql, (work, account, id), |row| row.get(0)).optional()?;
    match known {
        Some(known) => merge(db, former, known),
        None => Ok(db.execute("UPDATE target SET id = ?2 WHERE key = ?1", (former, id)).map(drop)?),
    }
}

/// Two rows turn out to be one collection.
fn merge(db: &Connection, former: TargetKey, into: TargetKey) -> Result<(), Trouble> {
    db.execute("DELETE FROM verdict WHERE target = ?1 AND placement = 0", [former])?;
    for (table, column) in
        [("placement", "target"), ("placement", "moving_at"), ("intent", "target"), ("verdict", "target")]
    {
        db.execute(&format!("UPDATE {table} SET {column} = ?2 WHERE {column} = ?1"), (former, into))?;
    }
    db.execute("DELETE FROM target WHERE key = ?1", [former])?;
    Ok(())
}
