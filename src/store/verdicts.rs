//! Verdicts: what verification found, the latest on each placement and on what stands there without being ours.

use super::{
    account::AccountStore,
    faults::Trouble,
    journal::{self, Event},
    placements::{self, Placement},
    rows::{ItemKey, Json, PlacementKey, RunId, TargetKey, Work, from_word, limit, now, time, unsigned, word},
};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::{CollectionId, Depth, Fault, Handle, ItemId, Timestamp, Workload};

/// What a verdict is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Something we placed.
    Placement(PlacementKey),
    /// Something that stands there and is not ours.
    Extra(TargetKey, Handle),
}

/// A verdict to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVerdict {
    pub workload: Workload,
    pub subject: Subject,
    pub depth: Depth,
    /// `ok`, `missing`, `altered`, `reflagged`, `redated`, `unfaithful`, `duplicate`, `left_behind`, `extra`,
    /// `changed_there`: stable, for scripts.
    pub kind: String,
    /// What was expected and what was seen.
    pub detail: serde_json::Value,
}

/// A verdict the store keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Hand the last one back to go on.
    pub number: i64,
    pub subject: Subject,
    pub item: Option<ItemKey>,
    pub item_id: Option<ItemId>,
    pub depth: Depth,
    pub kind: String,
    pub detail: serde_json::Value,
    pub at: Timestamp,
}

impl AccountStore {
    /// Keeps verdicts, in one commit. Each replaces the one before on the same subject.
    pub async fn record_verdicts(&self, verdicts: Vec<NewVerdict>) -> Result<(), Fault> {
        let run = self.inner.run;
        self.write(move |db| verdicts.iter().try_for_each(|verdict| keep(db, run, verdict))).await
    }

    /// Verification of a target collection begins: what was there and not ours is looked for anew, and verdicts of an
    /// earlier comparison in the same run no longer count as seen.
    pub async fn begin_comparison(&self, at: TargetKey) -> Result<(), Fault> {
        self.write(move |db| {
            db.execute("DELETE FROM verdict WHERE target = ?1 AND placement = 0", [at])?;
            db.execute(FORGET_SEEN, [at])?;
            Ok(())
        })
        .await
    }

    /// Placements in a target collection that got no verdict in this run, those a push found lost among them: when all of
    /// the collection was observed, they are missing.
    pub async fn placements_without_verdict(
        &self,
        at: TargetKey,
        after: Option<PlacementKey>,
        most: usize,
    ) -> Result<Vec<Placement>, Fault> {
        let (after, run) = (after.unwrap_or(PlacementKey(0)), self.inner.run);
        self.read(move |db| placements::without_verdict(db, at, after, run, most)).await
    }

    /// Verdicts other than `ok`, oldest first, a page at a time; start with 0.
    pub async fn differences(&self, workload: Workload, after: i64, most: usize) -> Result<Vec<Verdict>, Fault> {
        self.read(move |db| {
            let sql =
                format!("{SELECT} WHERE v.kind <> 'ok' AND v.workload = ?1 AND v.key > ?2 ORDER BY v.key LIMIT ?3");
            let mut query = db.prepare_cached(&sql)?;
            let rows = query.query_map((Work(workload), after, limit(most)), verdict_row)?;
            rows.map(|row| finish(row?)).collect()
        })
        .await
    }

    /// Verdicts of what is missing, oldest first, a page at a time; start with 0.
    pub async fn missing(&self, workload: Workload, after: i64, most: usize) -> Result<Vec<Verdict>, Fault> {
        self.read(move |db| {
            let sql = format!(
                "{SELECT} WHERE v.kind <> 'ok' AND v.kind = 'missing' AND v.workload = ?1 AND v.key > ?2
                    ORDER BY v.key LIMIT ?3"
            );
            let mut query = db.prepare_cached(&sql)?;
            let rows = query.query_map((Work(workload), after, limit(most)), verdict_row)?;
            rows.map(|row| finish(row?)).collect()
        })
        .await
    }

    /// Target collections where something stands that is one of these many bytes long, or nobody knows how long, and
    /// that answers for nothing of ours; without lengths, whatever it is.
    pub async fn targets_with_extras(
        &self,
        workload: Workload,
        lengths: Option<BTreeSet<u64>>,
    ) -> Result<BTreeSet<TargetKey>, Fault> {
        self.read(move |db| {
            let sql = format!("SELECT DISTINCT target, json_extract(detail, '$.bytes') FROM verdict v WHERE {FREE}");
            let mut query = db.prepare_cached(&format!("{sql} AND workload = ?1"))?;
            let rows = query.query_map([Work(workload)], |row| Ok((row.get::<_, TargetKey>(0)?, row.get(1)?)))?;
            let alike = |length: Option<i64>| match (&lengths, length) {
                (Some(lengths), Some(length)) => lengths.contains(&unsigned(length)),
                _ => true,
            };
            let mut found = BTreeSet::new();
            for row in rows {
                let (target, length) = row?;
                found.extend(alike(length).then_some(target));
            }
            Ok(found)
        })
        .await
    }

    /// Target collections where verification found something of this kind.
    pub async fn targets_with(&self, workload: Workload, kind: &'static str) -> Result<BTreeSet<TargetKey>, Fault> {
        self.read(move |db| {
            let sql = "SELECT DISTINCT target FROM verdict WHERE kind <> 'ok' AND kind = ?1 AND workload = ?2";
            let mut query = db.prepare_cached(sql)?;
            let rows = query.query_map((kind, Work(workload)), |row| row.get::<_, TargetKey>(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Drops the verdicts of this kind on what stands in a target collection and is not ours, but for those on what bears
    /// one of these handles still.
    pub async fn forget_extras(&self, at: TargetKey, kind: &'static str, still: BTreeSet<Handle>) -> Result<(), Fault> {
        self.write(move |db| {
            let sql = "DELETE FROM verdict WHERE placement = 0 AND target = ?1 AND kind <> 'ok' AND kind = ?2
                AND handle NOT IN (SELECT value FROM json_each(?3))";
            let still: Vec<&str> = still.iter().map(Handle::as_str).collect();
            db.execute(sql, (at, kind, Json(still)))?;
            Ok(())
        })
        .await
    }

    /// Which of these handles belong to something that answers for nothing of ours, with the kind of its verdict.
    pub async fn extras_among(&self, at: TargetKey, handles: Vec<Handle>) -> Result<BTreeMap<Handle, String>, Fault> {
        self.read(move |db| {
            let sql = format!("SELECT kind FROM verdict v WHERE {FREE} AND v.target = ?1 AND v.handle = ?2");
            let mut query = db.prepare_cached(&sql)?;
            let mut found = BTreeMap::new();
            for handle in handles {
                let kind = query.query_row((at, handle.as_str()), |row| row.get(0)).optional()?;
                found.extend(kind.map(|kind| (handle, kind)));
            }
            Ok(found)
        })
        .await
    }

    /// What stands in collections that people made, and answers for a placement.
    pub async fn filed(&self, workload: Workload) -> Result<Vec<(CollectionId, Handle)>, Fault> {
        self.read(move |db| {
            let sql = "SELECT detail ->> '$.filed.collection', detail ->> '$.filed.handle' FROM verdict
                WHERE workload = ?1 AND kind <> 'ok' AND detail -> '$.filed' IS NOT NULL";
            let mut query = db.prepare_cached(sql)?;
            let filed = |row: &Row<'_>| {
                Ok((CollectionId::new(row.get::<_, String>(0)?), Handle::new(row.get::<_, String>(1)?)))
            };
            Ok(query.query_map([Work(workload)], filed)?.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Keeps verdicts on what people moved, each in the stead of that on the extra it was taken for, in one commit.
    pub async fn record_moved_there(&self, moved: Vec<(NewVerdict, TargetKey, Handle)>) -> Result<(), Fault> {
        let run = self.inner.run;
        self.write(move |db| {
            let sql = "DELETE FROM verdict WHERE placement = 0 AND target = ?1 AND handle = ?2";
            for (verdict, at, handle) in &moved {
                keep(db, run, verdict)?;
                db.prepare_cached(sql)?.execute((at, handle.as_str()))?;
            }
            Ok(())
        })
        .await
    }
}

/// A verdict on what stands there and answers for nothing of ours, as far as anybody knows.
const FREE: &str = "v.placement = 0 AND json_extract(v.detail, '$.answers') IS NULL AND NOT EXISTS
    (SELECT 1 FROM placement p WHERE p.target = v.target AND p.handle = v.handle AND p.state = 0)";

/// What was compared in a target collection counts as seen no longer. It is told by its placements: of its verdicts alone
/// there is no index, and all there are would be read for each collection.
pub(super) const FORGET_SEEN: &str = "UPDATE verdict SET run = NULL WHERE run IS NOT NULL AND placement <> 0
    AND placement IN (SELECT key FROM placement INDEXED BY placement_at WHERE target = ?1 AND state = 0
        UNION ALL SELECT key FROM placement INDEXED BY placement_lost WHERE target = ?1 AND state = 3)";

/// The verdict v on the placement p. Without the second half SQLite does not use the index of verdicts on placements, and
/// reads all there are each time.
pub(super) const ON_P: &str = "v.placement = p.key AND v.placement <> 0";
/// The verdict on one placement.
pub(super) const ON_ONE: &str = "placement = ?1 AND placement <> 0";

/// Drops the verdict on a placement that no longer answers for its item.
pub(super) fn forget(db: &Connection, placement: PlacementKey) -> Result<(), Trouble> {
    db.prepare_cached(&format!("DELETE FROM verdict WHERE {ON_ONE}"))?.execute([placement])?;
    Ok(())
}

/// It is there: what was said to be missing is not.
pub(super) fn forget_missing(db: &Connection, placement: PlacementKey) -> Result<(), Trouble> {
    db.prepare_cached(&format!("DELETE FROM verdict WHERE {ON_ONE} AND kind = 'missing'"))?.execute([placement])?;
    Ok(())
}

const SELECT: &str = "SELECT v.key, v.placement, v.target, v.handle, v.item, i.id, v.kind, v.detail, v.at, v.depth
    FROM verdict v LEFT JOIN item i ON i.key = v.item";

fn verdict_row(row: &Row<'_>) -> rusqlite::Result<(Verdict, String)> {
    let (placement, target): (PlacementKey, TargetKey) = (row.get(1)?, row.get(2)?);
    let handle = Handle::new(row.get::<_, Option<String>>(3)?.unwrap_or_default());
    let ours = placement.0 != 0;
    let verdict = Verdict {
        number: row.get(0)?,
        subject: if ours { Subject::Placement(placement) } else { Subject::Extra(target, handle) },
        item: row.get(4)?,
        item_id: row.get::<_, Option<String>>(5)?.map(ItemId::new),
        depth: Depth::Presence,
        kind: row.get(6)?,
        detail: row.get::<_, Json<_>>(7)?.0,
        at: time(row.get(8)?),
    };
    Ok((verdict, row.get(9)?))
}

fn finish((verdict, depth): (Verdict, String)) -> Result<Verdict, Trouble> {
    Ok(Verdict { depth: from_word(&depth)?, ..verdict })
}

pub(super) fn on_item(db: &Connection, item: ItemKey) -> Result<Vec<Verdict>, Trouble> {
    let mut query = db.prepare_cached(&format!(
        "{SELECT} WHERE v.placement <> 0 AND v.placement IN (SELECT key FROM placement WHERE item = ?1) ORDER BY v.key"
    ))?;
    let rows = query.query_map([item], verdict_row)?;
    rows.map(|row| finish(row?)).collect()
}

const KEEP: &str = "INSERT INTO verdict (workload, placement, target, handle, item, depth, kind, detail, at, run)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT DO UPDATE SET depth = excluded.depth, kind = excluded.kind, detail = excluded.detail, at = excluded.at,
        run = excluded.run, target = excluded.target, handle = excluded.handle";

fn keep(db: &Connection, run: Option<RunId>, new: &NewVerdict) -> Result<(), Trouble> {
    let (placement, target, handle, item) = match &new.subject {
        Subject::Placement(key) => of_placement(db, *key)?,
        Subject::Extra(target, handle) => (PlacementKey(0), *target, Some(handle.as_str().to_owned()), None),
    };
    let (work, depth) = (Work(new.workload), word(&new.depth)?);
    let row = (work, placement, target, handle, item, depth, &new.kind, Json(&new.detail), now(), run);
    db.prepare_cached(KEEP)?.execute(row)?;
    match item {
        Some(item) if new.kind != "ok" => {
            journal::note(db, run, &Event { name: "verdict", item, digest: None, detail: Some(&new.kind) })
        }
        Some(_) | None => Ok(()),
    }
}

type OfPlacement = (PlacementKey, TargetKey, Option<String>, Option<ItemKey>);

fn of_placement(db: &Connection, key: PlacementKey) -> Result<OfPlacement, Trouble> {
    let sql = "SELECT key, target, handle, item FROM placement WHERE key = ?1";
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let found = db.prepare_cached(sql)?.query_row([key], row).optional()?;
    found.ok_or_else(|| super::faults::unknown("placement"))
}

/// People at the target decided otherwise while facts were amended: they win, and it is said.
pub(super) fn keep_changed_there(
    db: &Connection,
    run: Option<RunId>,
    placement: &Placement,
    fields: &[String],
) -> Result<(), Trouble> {
    let sql = "SELECT workload FROM item WHERE key = ?1";
    let Work(workload) = db.prepare_cached(sql)?.query_row([placement.item], |row| row.get(0))?;
    let verdict = NewVerdict {
        workload,
        subject: Subject::Placement(placement.key),
        depth: Depth::Shape,
        kind: "changed_there".to_owned(),
        detail: serde_json::json!({ "fields": fields }),
    };
    keep(db, run, &verdict)
}
