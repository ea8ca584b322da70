//! Intents: written before the first byte leaves, resolved by what came of it, never by a second blind write.

use super::{
    account::AccountStore,
    blobs::Stored,
    faults::{Trouble, unknown},
    journal::{self, Event},
    losses::{self, Origin},
    memberships::{self, Stage},
    renderings::{self, Rendering},
    rows::{
        CollectionKey, Hash, ItemKey, Json, OriginalKey, RenderingKey, RunId, Side, TargetKey, Work, limit, now,
        signed, unsigned,
    },
    setbacks::{self, Whose},
};
use rusqlite::{Connection, OptionalExtension, Row};
use transhume_contract::{Facts, Fault, IntentId, ItemId, NaturalKey, Placed, Reach, Workload};

/// A placing that is about to be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intending {
    pub item: ItemKey,
    /// The membership it answers to.
    pub from: CollectionKey,
    pub at: TargetKey,
    pub rendering: RenderingKey,
    /// The target's own facts, as they will be placed: the base of later merges.
    pub facts: Facts,
    /// The revision of the item's facts they were made from.
    pub revision: u64,
}

/// An intent whose outcome nobody knows: its process died, or the answer never came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIntent {
    pub id: IntentId,
    pub item: ItemKey,
    pub item_id: ItemId,
    pub from: CollectionKey,
    pub at: TargetKey,
    pub rendering: RenderingKey,
    pub stored: Stored,
    pub message_id: Option<String>,
    pub facts: Facts,
    pub attempts: u64,
    /// Hand the last one back to go on.
    pub number: i64,
}

impl OpenIntent {
    /// By what `find` recognises it.
    pub fn key(&self) -> NaturalKey {
        NaturalKey {
            intent: self.id.clone(),
            message_id: self.message_id.clone(),
            digest: self.stored.digest,
            length: self.stored.length,
            name: None,
        }
    }
}

/// What came of an intent.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// It stands at the target: told by `place`, or found.
    Placed { intent: IntentId, placed: Placed },
    /// It does not, and the fault says why: owed or quarantined. A fault that reaches further than the item is no
    /// mark against it: it is then as if nothing had been sent.
    NotPlaced { intent: IntentId, fault: Fault },
    /// It does not: nothing was sent, or `find` found nothing. It will be offered again.
    NotSent { intent: IntentId },
}

impl Resolution {
    const fn intent(&self) -> &IntentId {
        match self {
            Self::Placed { intent, .. } | Self::NotPlaced { intent, .. } | Self::NotSent { intent } => intent,
        }
    }
}

impl AccountStore {
    /// Writes down what is about to be placed, in one commit; only then may the first byte be sent. Answers the names
    /// of the intents in their order: an attempt that is made again carries the same name.
    pub async fn intend(&self, batch: Vec<Intending>) -> Result<Vec<IntentId>, Fault> {
        let run = self.inner.run;
        self.write(move |db| batch.iter().map(|intending| open(db, run, intending)).collect()).await
    }

    /// Writes down what came of intents, with their placements, in one commit. An intent of unknown outcome
    /// is not resolved: it stays open until `find` decides. Resolving twice is a fault.
    pub async fn resolve(&self, batch: Vec<Resolution>) -> Result<(), Fault> {
        let run = self.inner.run;
        self.write(move |db| batch.iter().try_for_each(|resolution| resolve(db, run, resolution))).await
    }

    /// Intents without an outcome for a target collection, oldest first. At the start of a pass, `find` decides them.
    pub async fn open_intents(
        &self,
        at: TargetKey,
        after: Option<&OpenIntent>,
        most: usize,
    ) -> Result<Vec<OpenIntent>, Fault> {
        let after = after.map_or(0, |intent| intent.number);
        self.read(move |db| open_intents(db, at, after, most)).await
    }

    /// The target collections that have intents without an outcome.
    pub async fn targets_with_open_intents(&self, workload: Workload) -> Result<Vec<TargetKey>, Fault> {
        self.read(move |db| {
            let sql = "SELECT key FROM target WHERE workload = ?1
                AND EXISTS (SELECT 1 FROM intent WHERE target = target.key AND state = 0) ORDER BY key";
            let mut query = db.prepare_cached(sql)?;
            let rows = query.query_map([Work(workload)], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// The same attempt has the same name after a restart; after its placement was lost, withdrawn or superseded, the next
/// attempt has another.
fn name(db: &Connection, intending: &Intending, original: OriginalKey) -> Result<IntentId, Trouble> {
    let sql = "SELECT i.id, i.workload, c.id, t.account, t.id, o.seq,
            (SELECT count(*) FROM placement WHERE item = ?1 AND collection = ?2)
        FROM item i, collection c, target t, original o WHERE i.key = ?1 AND c.key = ?2 AND t.key = ?3 AND o.key = ?4";
    let mut hasher = blake3::Hasher::new();
    let hash = |row: &Row<'_>| {
        for column in [0, 2, 3, 4] {
            let text: String = row.get(column)?;
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        for column in [1, 5, 6] {
            hasher.update(&row.get::<_, i64>(column)?.to_le_bytes());
        }
        Ok(())
    };
    let key = (intending.item, intending.from, intending.at, original);
    db.prepare_cached(sql)?.query_row(key, hash).optional()?.ok_or_else(|| unknown("item, collection or target"))?;
    Ok(IntentId::new(&hasher.finalize().to_hex()[..32]))
}

const OPEN: &str = "INSERT INTO intent (id, item, collection, target, original, rendering, facts, revision, at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (id) DO UPDATE SET rendering = excluded.rendering, facts = excluded.facts,
        revision = excluded.revision, state = 0, attempts = attempts + 1, at = excluded.at, resolved = NULL";

fn open(db: &Connection, run: Option<RunId>, intending: &Intending) -> Result<IntentId, Trouble> {
    let rendering = renderings::by_key(db, intending.rendering)?;
    let id = name(db, intending, rendering.original)?;
    let Intending { item, from, at, facts, revision, .. } = intending;
    let row = (id.as_str(), item, from, at, rendering.original, rendering.key, Json(facts), signed(*revision), now());
    db.prepare_cached(OPEN)?.execute(row)?;
    memberships::set_stage(db, *item, *from, Stage::Sent)?;
    let digest = Some(rendering.stored.digest);
    journal::note(db, run, &Event { name: "intended", item: *item, digest, detail: Some(id.as_str()) })?;
    Ok(id)
}

/// An intent as it was written.
struct Written {
    key: i64,
    item: ItemKey,
    from: CollectionKey,
    at: TargetKey,
    rendering: Rendering,
    facts: Json<Facts>,
    revision: i64,
}

fn written(db: &Connection, id: &IntentId) -> Result<Written, Trouble> {
    let sql =
        "SELECT key, item, collection, target, facts, revision, rendering FROM intent WHERE id = ?1 AND state = 0";
    let row = |row: &Row<'_>| {
        let intent = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
        Ok((intent, row.get::<_, RenderingKey>(6)?))
    };
    let found = db.prepare_cached(sql)?.query_row([id.as_str()], row).optional()?;
    let ((key, item, from, at, facts, revision), rendering) = found.ok_or_else(|| unknown("open intent"))?;
    Ok(Written { key, item, from, at, rendering: renderings::by_key(db, rendering)?, facts, revision })
}

fn resolve(db: &Connection, run: Option<RunId>, resolution: &Resolution) -> Result<(), Trouble> {
    let intent = written(db, resolution.intent())?;
    match resolution {
        Resolution::Placed { placed, .. } => {
            end(db, &intent, 1)?;
            place(db, run, &intent, placed)
        }
        Resolution::NotPlaced { fault, .. } if fault.reach == Reach::Item => {
            end(db, &intent, 2)?;
            let whose = Whose { item: intent.item, side: Side::Target, from: Some(intent.from) };
            setbacks::keep(db, run, &whose, fault)?;
            Ok(())
        }
        Resolution::NotPlaced { fault, .. } => {
            let detail = Some(fault.what.name());
            journal::note(db, run, &Event { name: "not_placed", item: intent.item, digest: None, detail })?;
            undo(db, &intent)
        }
        Resolution::NotSent { .. } => undo(db, &intent),
    }
}

fn end(db: &Connection, intent: &Written, state: i64) -> Result<(), Trouble> {
    let sql = "UPDATE intent SET state = ?2, resolved = ?3 WHERE key = ?1";
    db.prepare_cached(sql)?.execute((intent.key, state, now()))?;
    Ok(())
}

fn undo(db: &Connection, intent: &Written) -> Result<(), Trouble> {
    end(db, intent, 2)?;
    memberships::restage(db, intent.item, intent.from)
}

/// `amend` and `orphan` are set at once where the source went on while the bytes were under way.
const PLACE: &str = "INSERT INTO placement
    (item, collection, target, intent, original, rendering, handle, version, digest, length, facts, revision, losses, at,
        amend, stale, orphan)
    SELECT i.key, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, i.revision <> ?12, i.original <> ?5,
        NOT EXISTS (SELECT 1 FROM membership WHERE item = ?1 AND collection = ?2)
    FROM item i WHERE i.key = ?1";

fn place(db: &Connection, run: Option<RunId>, intent: &Written, placed: &Placed) -> Result<(), Trouble> {
    let rendering = &intent.rendering;
    db.prepare_cached(PLACE)?.execute(rusqlite::params![
        intent.item,
        intent.from,
        intent.at,
        intent.key,
        rendering.original,
        rendering.key,
        placed.handle.as_ref().map(transhume_contract::Handle::as_str),
        placed.version.as_ref().map(transhume_contract::Version::as_str),
        Hash(rendering.stored.digest),
        signed(rendering.stored.length),
        intent.facts,
        intent.revision,
        Json(&placed.losses),
        now(),
    ])?;
    losses::replace(db, intent.item, Origin::Placement(db.last_insert_rowid()), &placed.losses)?;
    setbacks::clear_target(db, intent.item, intent.from)?;
    memberships::set_stage(db, intent.item, intent.from, Stage::Placed)?;
    let digest = Some(rendering.stored.digest);
    journal::note(db, run, &Event { name: "placed", item: intent.item, digest, detail: None })
}

fn open_intents(db: &Connection, at: TargetKey, after: i64, most: usize) -> Result<Vec<OpenIntent>, Trouble> {
    let sql =
        "SELECT n.id, n.item, i.id, n.collection, n.target, n.rendering, r.digest, r.length, r.message_id, n.facts,
            n.attempts, n.key
        FROM intent n JOIN item i ON i.key = n.item JOIN rendering r ON r.key = n.rendering
        WHERE n.state = 0 AND n.target = ?1 AND n.key > ?2 ORDER BY n.key LIMIT ?3";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map((at, after, limit(most)), open_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn open_row(row: &Row<'_>) -> rusqlite::Result<OpenIntent> {
    let Hash(digest) = row.get(6)?;
    Ok(OpenIntent {
        id: IntentId::new(row.get::<_, String>(0)?),
        item: row.get(1)?,
        item_id: ItemId::new(row.get::<_, String>(2)?),
        from: row.get(3)?,
        at: row.get(4)?,
        rendering: row.get(5)?,
        stored: Stored { digest, length: unsigned(row.get(7)?) },
        message_id: row.get(8)?,
        facts: row.get::<_, Json<Facts>>(9)?.0,
        attempts: row.get(10)?,
        number: row.get(11)?,
    })
}
