//! Intents: written before the first byte leaves, resolved by what came of it, never by a second blind write.

use super::{
    account::AccountStore,
    blobs::{Blobs, Stored, disk_work},
    faults::{Trouble, unknown},
    journal::{self, Event},
    losses::{self, Origin},
    memberships::{self, Stage},
    placements,
    renderings::{self, NewRendering, Pressed, Rendering},
    rows::{
        CollectionKey, Hash, ItemKey, Json, OriginalKey, PlacementKey, RenderingKey, RunId, Side, TargetKey, Work,
        limit, now, signed, unsigned,
    },
    setbacks::{self, Whose},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use transhume_contract::{
    Digest, Facts, Fault, Found, Handle, IntentId, ItemId, Loss, NaturalKey, Placed, Reach, Version, Workload,
};

/// The rendering an intent sends.
#[derive(Clone, Debug)]
pub enum Sending {
    /// One that is kept already.
    Kept(Rendering),
    /// One that is kept in the commit that writes down the intent.
    New(NewRendering),
}

impl Sending {
    /// What the rendering itself is known by.
    pub fn natural_key(&self) -> Option<&str> {
        match self {
            Self::Kept(rendering) => rendering.message_id.as_deref(),
            Self::New(rendering) => rendering.message_id.as_deref(),
        }
    }

    pub fn losses(&self) -> &[Loss] {
        match self {
            Self::Kept(rendering) => &rendering.losses,
            Self::New(rendering) => &rendering.losses,
        }
    }
}

/// A placing that is about to be tried.
#[derive(Clone, Debug)]
pub struct Intending {
    pub item: ItemKey,
    /// The membership it answers to.
    pub from: CollectionKey,
    pub at: TargetKey,
    pub sending: Sending,
    /// The target's own facts, as they will be placed.
    pub facts: Facts,
    /// What the source wants of them, where people decided otherwise; else just them.
    pub base: Option<Facts>,
    /// The revision of the item's facts they were made from.
    pub revision: u64,
    /// Of its facts, and of what its bytes are to people there; those of the bytes themselves stand with the
    /// rendering. However the placing turns out to have been done, they are its losses.
    pub losses: Vec<Loss>,
    /// The placement whose place it takes at the target.
    pub instead: Option<PlacementKey>,
}

/// Something of other origin that is taken for placed.
#[derive(Clone, Debug)]
pub struct Adopting {
    pub intending: Intending,
    /// What stands there, with its facts as they stand there.
    pub found: Found,
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
    /// What the placement whose place it takes stood as.
    pub instead: Option<Stood>,
    /// Hand the last one back to go on.
    pub number: i64,
}

/// What something was known by at the target before it was to be replaced there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stood {
    pub handle: Handle,
    /// Where the target tells versions.
    pub version: Option<Version>,
}

impl OpenIntent {
    /// By what `find` recognises it.
    pub fn key(&self) -> NaturalKey {
        NaturalKey {
            intent: self.id.clone(),
            key: self.message_id.clone(),
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
        let (run, blobs) = (self.inner.run, self.inner.blobs.clone());
        let pressed = disk_work(move || batch.into_iter().map(|one| Pending::new(&blobs, one)).collect());
        let batch: Vec<Pending> = pressed.await?;
        let weight = batch.iter().map(Pending::weight).sum();
        let open_all = move |db: &Connection| batch.iter().map(|pending| open(db, run, pending)).collect();
        self.inner.db.write_heavy(weight, open_all).await
    }

    /// Writes down what came of intents, with their placements, in one commit. An intent of unknown outcome
    /// is not resolved: it stays open until `find` decides. Resolving twice is a fault.
    pub async fn resolve(&self, batch: Vec<Resolution>) -> Result<(), Fault> {
        let run = self.inner.run;
        self.write(move |db| batch.iter().try_for_each(|resolution| resolve(db, run, resolution))).await
    }

    /// Takes what stands there already for placed, in one commit. Our own facts are brought to it as to everything that
    /// changed since it was placed; what differs from the base they are given is people's.
    pub async fn adopt(&self, batch: Vec<Adopting>) -> Result<(), Fault> {
        let (run, blobs) = (self.inner.run, self.inner.blobs.clone());
        let pending = move |one: Adopting| Ok((Pending::new(&blobs, one.intending)?, one.found));
        let batch: Vec<_> = disk_work(move || batch.into_iter().map(pending).collect()).await?;
        self.write(move |db| batch.iter().try_for_each(|(pending, found)| adopt(db, run, pending, found))).await
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

/// An intent with its rendering ready to be written.
struct Pending {
    item: ItemKey,
    from: CollectionKey,
    at: TargetKey,
    making: Making,
    facts: Facts,
    base: Option<Facts>,
    revision: u64,
    losses: Vec<Loss>,
    instead: Option<PlacementKey>,
}

enum Making {
    Kept(Box<Rendering>),
    New(Box<Pressed>),
}

impl Pending {
    fn new(blobs: &Blobs, intending: Intending) -> Result<Self, Trouble> {
        let Intending { item, from, at, sending, facts, base, revision, losses, instead } = intending;
        let making = match sending {
            Sending::Kept(rendering) => Making::Kept(Box::new(rendering)),
            Sending::New(new) => Making::New(Box::new(Pressed::new(blobs, new)?)),
        };
        Ok(Self { item, from, at, making, facts, base, revision, losses, instead })
    }

    fn weight(&self) -> usize {
        match &self.making {
            Making::Kept(_) => 0,
            Making::New(pressed) => pressed.weight(),
        }
    }
}

/// The same attempt has the same name after a restart; after its placement was lost, withdrawn or superseded, the next
/// attempt has another, and so has the attempt of another project: it fetched the original at another moment. Where a
/// target names files by it, the two would be taken for one. It begins with the item, so that a batch of them lies together in the index.
fn name(db: &Connection, pending: &Pending, original: OriginalKey) -> Result<IntentId, Trouble> {
    let sql = "SELECT i.id, i.workload, c.id, t.account, t.id, o.seq,
            (SELECT count(*) FROM placement WHERE item = ?1 AND collection = ?2), o.at
        FROM item i, collection c, target t, original o WHERE i.key = ?1 AND c.key = ?2 AND t.key = ?3 AND o.key = ?4";
    let mut hasher = blake3::Hasher::new();
    let hash = |row: &Row<'_>| {
        for column in [0, 2, 3, 4] {
            let text = row.get_ref(column)?.as_str()?;
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        for column in [1, 5, 6, 7] {
            hasher.update(&row.get::<_, i64>(column)?.to_le_bytes());
        }
        Ok(())
    };
    let key = (pending.item, pending.from, pending.at, original);
    db.prepare_cached(sql)?.query_row(key, hash).optional()?.ok_or_else(|| unknown("item, collection or target"))?;
    Ok(IntentId::new(format!("{:08x}{}", pending.item.number(), &hasher.finalize().to_hex()[..24])))
}

const OPEN: &str = "INSERT OR IGNORE INTO intent (rendering, facts, losses, base, instead, revision, at, id, item,
        collection, target, original)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

/// The same attempt, made again.
const REOPEN: &str = "UPDATE intent SET rendering = ?1, facts = ?2, losses = ?3, base = ?4, instead = ?5,
        revision = ?6, at = ?7, state = 0, attempts = attempts + 1, resolved = NULL WHERE id = ?8";

fn open(db: &Connection, run: Option<RunId>, pending: &Pending) -> Result<IntentId, Trouble> {
    let kept;
    let rendering = match &pending.making {
        Making::Kept(rendering) => rendering,
        Making::New(pressed) => {
            kept = renderings::keep(db, run, pressed)?;
            &kept
        }
    };
    let id = name(db, pending, rendering.original)?;
    let Pending { item, from, at, facts, base, revision, losses, instead, .. } = pending;
    let (original, key, revision) = (rendering.original, rendering.key, signed(*revision));
    let (told, base) = ((Json(facts), Json(losses)), base.as_ref().map(Json));
    let told = params![key, told.0, told.1, base, instead, revision, now(), id.as_str(), item, from, at, original];
    if db.prepare_cached(OPEN)?.execute(told)? == 0 {
        db.prepare_cached(REOPEN)?.execute(&told[..8])?;
    }
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
    digest: Digest,
    losses: Vec<Loss>,
    instead: Option<PlacementKey>,
}

fn written(db: &Connection, id: &IntentId) -> Result<Written, Trouble> {
    let sql =
        "SELECT n.key, n.item, n.collection, r.digest, n.losses, n.instead FROM intent n JOIN rendering r ON r.key = n.rendering
        WHERE n.id = ?1 AND n.state = 0";
    let row = |row: &Row<'_>| {
        let Hash(digest) = row.get(3)?;
        let Json(losses) = row.get(4)?;
        Ok(Written { key: row.get(0)?, item: row.get(1)?, from: row.get(2)?, digest, losses, instead: row.get(5)? })
    };
    db.prepare_cached(sql)?.query_row([id.as_str()], row).optional()?.ok_or_else(|| unknown("open intent"))
}

fn resolve(db: &Connection, run: Option<RunId>, resolution: &Resolution) -> Result<(), Trouble> {
    let intent = written(db, resolution.intent())?;
    match resolution {
        Resolution::Placed { placed, .. } => {
            end(db, &intent, 1)?;
            if let Some(old) = intent.instead {
                placements::supersede(db, run, old)?;
            }
            place(db, run, &intent, placed, None)
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

fn adopt(db: &Connection, run: Option<RunId>, pending: &Pending, found: &Found) -> Result<(), Trouble> {
    let intent = written(db, &open(db, run, pending)?)?;
    end(db, &intent, 1)?;
    let placed = Placed { handle: Some(found.handle.clone()), version: found.version.clone(), ..Placed::default() };
    place(db, run, &intent, &placed, Some(&found.facts))
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

/// `amend` and `orphan` are set at once where the source went on while the bytes were under way. ?6 and ?7 are facts and
/// base where they are not those of the intent.
const PLACE: &str = "INSERT OR FAIL INTO placement
    (item, collection, target, intent, original, rendering, handle, version, digest, length, facts, revision, losses, at,
        base, amend, stale, orphan)
    SELECT n.item, n.collection, n.target, n.key, n.original, n.rendering, ?2, ?3, r.digest, r.length,
        ifnull(?6, n.facts), n.revision, ?4, ?5, ifnull(?7, n.base), ?8 OR i.revision <> n.revision, i.original <> n.original,
        NOT EXISTS (SELECT 1 FROM membership m WHERE m.item = n.item AND m.collection = n.collection)
    FROM intent n JOIN item i ON i.key = n.item JOIN rendering r ON r.key = n.rendering WHERE n.key = ?1";

/// To facts that stood there before ours are still to be brought.
fn place(
    db: &Connection,
    run: Option<RunId>,
    intent: &Written,
    placed: &Placed,
    stood: Option<&Facts>,
) -> Result<(), Trouble> {
    let losses: Vec<_> = placed.losses.iter().chain(&intent.losses).cloned().collect();
    let (facts, base) = match (stood, placed.left_out.is_empty()) {
        (Some(stood), _) => (Some(stood.clone()), None),
        (None, true) => (None, None),
        (None, false) => without_left_out(db, intent, &placed.left_out)?,
    };
    // What is missing and was not named as lost is to be set still.
    let unfinished = stood.is_some() || (!placed.left_out.is_empty() && placed.losses.is_empty());
    db.prepare_cached(PLACE)?.execute((
        intent.key,
        placed.handle.as_ref().map(transhume_contract::Handle::as_str),
        placed.version.as_ref().map(transhume_contract::Version::as_str),
        Json(&losses),
        now(),
        facts.as_ref().map(Json),
        base.as_ref().map(Json),
        unfinished,
    ))?;
    losses::add(db, intent.item, Origin::Placement(db.last_insert_rowid()), &losses)?;
    setbacks::clear_target(db, intent.item, intent.from)?;
    memberships::set_stage(db, intent.item, intent.from, Stage::Placed)?;
    let digest = Some(intent.digest);
    journal::note(db, run, &Event { name: "placed", item: intent.item, digest, detail: None })
}

/// Facts and base of an intent, where the target did without some keywords: they stand there for nobody.
fn without_left_out(
    db: &Connection,
    intent: &Written,
    left_out: &[String],
) -> Result<(Option<Facts>, Option<Facts>), Trouble> {
    let facts = |row: &Row<'_>| Ok((row.get::<_, Json<Facts>>(0)?, row.get::<_, Option<Json<Facts>>>(1)?));
    let sql = "SELECT facts, base FROM intent WHERE key = ?1";
    let (Json(facts), base) = db.prepare_cached(sql)?.query_row([intent.key], facts)?;
    let base = base.map(|Json(base)| base.without_keywords(left_out));
    Ok((Some(facts.without_keywords(left_out)), base))
}

fn open_intents(db: &Connection, at: TargetKey, after: i64, most: usize) -> Result<Vec<OpenIntent>, Trouble> {
    let sql =
        "SELECT n.id, n.item, i.id, n.collection, n.target, n.rendering, r.digest, r.length, r.message_id, n.facts,
            n.attempts, n.key, o.handle, o.version
        FROM intent n JOIN item i ON i.key = n.item JOIN rendering r ON r.key = n.rendering
            LEFT JOIN placement o ON o.key = n.instead
        WHERE n.state = 0 AND n.target = ?1 AND n.key > ?2 ORDER BY n.key LIMIT ?3";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map((at, after, limit(most)), open_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn stood(row: &Row<'_>) -> rusqlite::Result<Option<Stood>> {
    let (handle, version): (Option<String>, Option<String>) = (row.get(12)?, row.get(13)?);
    Ok(handle.map(|handle| Stood { handle: Handle::new(handle), version: version.map(Version::new) }))
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
        instead: stood(row)?,
    })
}
