//! Placements: what stands at the target because of us, and what is still to be done about it.

mod restore;
mod todo;
mod unnamed;
mod write;

use super::{
    account::AccountStore,
    blobs::Stored,
    faults::Trouble,
    rows::{
        CollectionKey, Hash, ItemKey, Json, OriginalKey, PlacementKey, RenderingKey, RunId, TargetKey, Work, limit,
        unsigned,
    },
    verdicts,
};
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use transhume_contract::{
    self as contract, Amended, Collection, Digest, Facts, Fault, Handle, IntentId, ItemId, Loss, NaturalKey, Version,
    Workload,
};

pub use restore::Restoring;
pub use todo::{Moving, OpenMove, Superseding, ToAmend, ToPlace, Withdrawing};
pub use unnamed::Overdue;
pub use write::Rerendered;
pub(super) use write::supersede;

/// What makes a rendering: the edition, the digest of the tables, and those of the profile, for an item that keeps its key
/// and for one that is rendered apart.
pub type MadeBy = (u32, Digest, [Digest; 2]);

/// What became of a placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlacementState {
    /// It stands there, as far as anybody knows.
    Present,
    /// We took it away, because that was asked for.
    Withdrawn,
    /// A newer original of the item took its place, or a repair will.
    Superseded,
    /// It is no longer there and not by our doing. It is not placed again unless a repair is asked for.
    Lost,
}

/// A placement as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub key: PlacementKey,
    pub item: ItemKey,
    pub item_id: ItemId,
    /// The membership it answers to.
    pub from: CollectionKey,
    pub at: TargetKey,
    pub original: OriginalKey,
    pub rendering: RenderingKey,
    /// The intent it was placed by.
    pub intent: IntentId,
    /// `None` until `find` tells it, at targets that do not answer with handles.
    pub handle: Option<Handle>,
    pub version: Option<Version>,
    /// The hash and length of the rendering.
    pub stored: Stored,
    pub message_id: Option<String>,
    /// The target's facts as they stood there when we last looked.
    pub facts: Facts,
    /// What the source last wanted of them. It differs from them in just the fields that people there changed.
    pub base: Facts,
    /// What was about to be amended, and nobody knows how far it came.
    pub begun: Vec<Facts>,
    /// The revision of the item's facts they were made from.
    pub revision: u64,
    pub losses: Vec<Loss>,
    /// Its item is rendered with a key of its own.
    pub apart: bool,
    pub state: PlacementState,
}

impl Placement {
    /// As the target takes it, once its handle is known.
    pub fn at_target(&self, at: &Collection) -> Option<contract::Placement> {
        let (handle, version) = (self.handle.clone()?, self.version.clone());
        let (digest, facts) = (self.stored.digest, self.facts.clone());
        Some(contract::Placement { at: at.clone(), handle, version, digest, facts })
    }

    /// The same once it was amended.
    #[must_use]
    pub fn amended(self, amended: &Amended) -> Self {
        Self { facts: amended.facts.clone(), base: amended.base.clone(), begun: Vec::new(), ..self }
    }

    /// Whether people decided otherwise than the source in something that can be amended, as far as we looked.
    pub fn is_changed_there(&self) -> bool {
        !self.base.agrees(&self.facts)
    }

    /// By what `find` recognises it.
    pub fn natural_key(&self) -> NaturalKey {
        NaturalKey {
            intent: self.intent.clone(),
            key: self.message_id.clone(),
            digest: self.stored.digest,
            length: self.stored.length,
            name: self.handle.as_ref().map(|handle| handle.as_str().to_owned()),
        }
    }
}

impl AccountStore {
    /// Everything that stands in a target collection because of us, a page at a time; start with `None`.
    pub async fn placements_at(
        &self,
        at: TargetKey,
        after: Option<PlacementKey>,
        most: usize,
    ) -> Result<Vec<Placement>, Fault> {
        let after = after.unwrap_or(PlacementKey(0));
        self.read(move |db| list(db, AT, at, after, most)).await
    }

    /// The lengths of what stands in a target collection because of us.
    pub async fn placed_lengths(&self, at: TargetKey) -> Result<BTreeSet<u64>, Fault> {
        self.read(move |db| {
            let mut query = db.prepare_cached("SELECT length FROM placement WHERE target = ?1 AND state = 0")?;
            let rows = query.query_map([at], |row| Ok(unsigned(row.get(0)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// How many placements that stand were rendered by another edition, with other tables, or for another profile.
    pub async fn placed_otherwise(&self, workload: Workload, made_by: MadeBy) -> Result<u64, Fault> {
        self.read(move |db| {
            let sql = format!(
                "SELECT count(*) FROM placement p JOIN rendering r ON r.key = p.rendering
                    JOIN item i ON i.key = p.item WHERE {OUTDATED} AND i.workload = ?5"
            );
            let (edition, tables, [own, apart]) = made_by;
            let values = (edition, Hash(tables), Hash(own), Hash(apart), Work(workload));
            Ok(db.prepare_cached(&sql)?.query_row(values, |row| row.get(0))?)
        })
        .await
    }

    /// Those of them in a target collection that wait for nothing else.
    pub async fn placements_otherwise(
        &self,
        at: TargetKey,
        made_by: MadeBy,
        after: Option<PlacementKey>,
        most: usize,
    ) -> Result<Vec<Placement>, Fault> {
        let after = after.unwrap_or(PlacementKey(0));
        self.read(move |db| {
            let sql = format!(
                "{SELECT} WHERE {OUTDATED} AND p.target = ?5 AND p.key > ?6 AND p.handle IS NOT NULL AND p.stale = 0
                    AND p.orphan = 0 AND p.moving_to IS NULL ORDER BY p.key LIMIT ?7"
            );
            let (edition, tables, [own, apart]) = made_by;
            let mut query = db.prepare_cached(&sql)?;
            let values = (edition, Hash(tables), Hash(own), Hash(apart), at, after, limit(most));
            let rows = query.query_map(values, placement_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// The placements of these keys.
    pub async fn placements(&self, keys: Vec<PlacementKey>) -> Result<Vec<Placement>, Fault> {
        self.read(move |db| keys.iter().map(|key| by_key(db, *key)).collect()).await
    }

    /// Placements whose handle is not known yet, for `find`.
    pub async fn placements_unnamed(
        &self,
        at: TargetKey,
        after: Option<PlacementKey>,
        most: usize,
    ) -> Result<Vec<Placement>, Fault> {
        let after = after.unwrap_or(PlacementKey(0));
        self.read(move |db| list(db, UNNAMED, at, after, most)).await
    }

    /// Placements whose handle is known, whose version no answer told, and that were not asked for it since.
    pub async fn placements_untold(
        &self,
        at: TargetKey,
        after: Option<PlacementKey>,
        most: usize,
    ) -> Result<Vec<Placement>, Fault> {
        let after = after.unwrap_or(PlacementKey(0));
        self.read(move |db| list(db, UNTOLD, at, after, most)).await
    }

    /// The placements that bear these handles, in no order; handles that are not ours have none.
    pub async fn placements_by_handle(&self, at: TargetKey, handles: Vec<Handle>) -> Result<Vec<Placement>, Fault> {
        self.read(move |db| by_handle(db, at, &handles)).await
    }

    /// What stands in a target collection because of us and was rendered with one of these keys of its own (a UID), where
    /// targets may write it in words of their own.
    pub async fn placements_by_message_id(
        &self,
        at: TargetKey,
        keys: BTreeSet<String>,
    ) -> Result<Vec<Placement>, Fault> {
        self.read(move |db| {
            let mut query = db.prepare_cached(&of_keys())?;
            let rows = query.query_map((at, Json(&keys)), placement_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// All placements an item ever had, oldest first.
    pub async fn placements_of(&self, item: ItemKey) -> Result<Vec<Placement>, Fault> {
        self.read(move |db| of_item(db, item)).await
    }
}

/// What stands there and would be rendered otherwise now.
const OUTDATED: &str = "p.state = 0 AND (r.edition <> ?1 OR r.tables <> ?2 OR r.profile <> iif(i.apart, ?4, ?3))";

const SELECT: &str = "SELECT p.key, p.item, i.id, p.collection, p.target, p.original, p.rendering, n.id, p.handle,
    p.version, p.digest, p.length, r.message_id, p.facts, p.revision, p.losses, p.base,
    p.begun, i.apart, p.state
    FROM placement p JOIN item i ON i.key = p.item JOIN intent n ON n.key = p.intent
    JOIN rendering r ON r.key = p.rendering";

/// [`SELECT`] from another beginning. Where it names an index, and joins crosswise what follows, SQLite does not begin
/// elsewhere: it does not know how much there is of anything.
fn select_from(from: &str) -> String {
    SELECT.replacen("FROM placement p JOIN item i", &format!("FROM {from} CROSS JOIN item i"), 1)
}

/// 50,000 second copies are looked up in as many looks, not in as many times as many.
pub(super) fn of_keys() -> String {
    let from = "rendering k INDEXED BY rendering_by_key
        CROSS JOIN placement p INDEXED BY placement_of_item ON p.item = k.item AND p.rendering = k.key";
    select_from(from)
        + " WHERE k.reworded = 1 AND k.message_id IN (SELECT value FROM json_each(?2)) AND p.target = ?1 AND p.state = 0
            ORDER BY p.key"
}

/// How many columns [`SELECT`] gives; more may follow them.
const COLUMNS: usize = 20;

fn placement_row(row: &Row<'_>) -> rusqlite::Result<Placement> {
    let (Hash(digest), Json(facts)): (Hash, Json<Facts>) = (row.get(10)?, row.get(13)?);
    let base = row.get::<_, Option<Json<Facts>>>(16)?.map_or_else(|| facts.clone(), |base| base.0);
    Ok(Placement {
        key: row.get(0)?,
        item: row.get(1)?,
        item_id: ItemId::new(row.get::<_, String>(2)?),
        from: row.get(3)?,
        at: row.get(4)?,
        original: row.get(5)?,
        rendering: row.get(6)?,
        intent: IntentId::new(row.get::<_, String>(7)?),
        handle: row.get::<_, Option<String>>(8)?.map(Handle::new),
        version: row.get::<_, Option<String>>(9)?.map(Version::new),
        stored: Stored { digest, length: unsigned(row.get(11)?) },
        message_id: row.get(12)?,
        facts,
        base,
        begun: row.get::<_, Option<Json<_>>>(17)?.map_or_else(Vec::new, |begun| begun.0),
        revision: unsigned(row.get(14)?),
        losses: row.get::<_, Json<Vec<Loss>>>(15)?.0,
        apart: row.get(18)?,
        state: state(row.get(19)?),
    })
}

const fn state(code: i64) -> PlacementState {
    match code {
        0 => PlacementState::Present,
        1 => PlacementState::Withdrawn,
        2 => PlacementState::Superseded,
        _ => PlacementState::Lost,
    }
}

/// Which placements of a target collection, and the index that finds them.
type Which = (&'static str, &'static str);

const AT: Which = ("placement_at", "p.target = ?1 AND p.state = 0");
const LOST: Which = ("placement_lost", "p.target = ?1 AND p.state = 3");
const UNNAMED: Which = ("placement_unnamed", "p.target = ?1 AND p.state = 0 AND p.handle IS NULL");
const UNTOLD: Which =
    ("placement_at", "p.target = ?1 AND p.state = 0 AND p.handle IS NOT NULL AND p.version IS NULL AND p.asked = 0");

fn listing((index, which): Which) -> String {
    select_from(&format!("placement p INDEXED BY {index}")) + &format!(" WHERE {which} AND p.key > ?2")
}

fn list(
    db: &Connection,
    which: Which,
    at: TargetKey,
    after: PlacementKey,
    most: usize,
) -> Result<Vec<Placement>, Trouble> {
    let sql = listing(which) + " ORDER BY p.key LIMIT ?3";
    let mut query = db.prepare_cached(&sql)?;
    let rows = query.query_map((at, after, limit(most)), placement_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn unseen(which: Which) -> String {
    let seen = "v.run IS ?3 AND v.kind <> 'changed_there'";
    let none = format!("NOT EXISTS (SELECT 1 FROM verdict v WHERE {} AND {seen})", verdicts::ON_P);
    format!("{} AND {none} ORDER BY p.key LIMIT ?4", listing(which))
}

pub(super) fn without_verdict(
    db: &Connection,
    at: TargetKey,
    after: PlacementKey,
    run: Option<RunId>,
    most: usize,
) -> Result<Vec<Placement>, Trouble> {
    let mut all = Vec::new();
    for which in [AT, LOST] {
        let mut query = db.prepare_cached(&unseen(which))?;
        for row in query.query_map((at, after, run, limit(most)), placement_row)? {
            all.push(row?);
        }
    }
    all.sort_unstable_by_key(|placement| placement.key);
    all.truncate(most);
    Ok(all)
}

/// What each question is to be answered with, for a test of what SQLite makes of it.
#[cfg(test)]
pub(super) fn by_index() -> Vec<(&'static str, String)> {
    let listed = [AT, LOST, UNNAMED, UNTOLD].map(|which| (which.0, listing(which)));
    let unseen = [AT, LOST].map(|which| (which.0, unseen(which)));
    let keys = ["rendering_by_key", "placement_of_item"].map(|index| (index, of_keys()));
    let unnamed = ["placement_unnamed", "placement_orphan"].map(|index| (index, unnamed::waiting_for_a_handle()));
    listed.into_iter().chain(unseen).chain(keys).chain(unnamed).chain(todo::by_index()).collect()
}

fn by_handle(db: &Connection, at: TargetKey, handles: &[Handle]) -> Result<Vec<Placement>, Trouble> {
    let sql = format!("{SELECT} WHERE p.target = ?1 AND p.state = 0 AND p.handle = ?2");
    let mut query = db.prepare_cached(&sql)?;
    let mut found = Vec::new();
    for handle in handles {
        for row in query.query_map((at, handle.as_str()), placement_row)? {
            found.push(row?);
        }
    }
    Ok(found)
}

pub(super) fn of_item(db: &Connection, item: ItemKey) -> Result<Vec<Placement>, Trouble> {
    let sql = format!("{SELECT} WHERE p.item = ?1 ORDER BY p.key");
    let mut query = db.prepare_cached(&sql)?;
    let rows = query.query_map([item], placement_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn by_key(db: &Connection, key: PlacementKey) -> Result<Placement, Trouble> {
    let sql = format!("{SELECT} WHERE p.key = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([key], placement_row)?)
}
