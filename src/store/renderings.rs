//! Renderings: the same original, edition, tables and profile give the same bytes, and are kept once.

use super::{
    account::AccountStore,
    blobs::{self, Blobs, Prepared, Stored, disk_work},
    faults::{Trouble, broken},
    journal::{self, Event},
    losses::{self, Origin},
    rows::{Hash, ItemKey, Json, OriginalKey, RenderingKey, RunId, signed, unsigned},
};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row};
use transhume_contract::{Digest, Fault, Loss};

/// The bytes of a rendering.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Bytes the store holds already: a part of the original, unchanged, or what a [`BlobWriter`](super::BlobWriter)
    /// took.
    Held(Stored),
    /// Bytes in memory.
    Bytes(Bytes),
}

/// A rendering to keep.
#[derive(Clone, Debug)]
pub struct NewRendering {
    pub item: ItemKey,
    pub original: OriginalKey,
    pub edition: u32,
    /// The digest of the mapping tables.
    pub tables: Digest,
    /// The digest of the target profile.
    pub profile: Digest,
    pub shape: Shape,
    pub losses: Vec<Loss>,
    /// As the rendering carries it: by this, its hash and its length it is found at a target.
    pub message_id: Option<String>,
}

/// A rendering the store keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    pub key: RenderingKey,
    pub item: ItemKey,
    pub original: OriginalKey,
    pub edition: u32,
    /// The digest of the target profile, and of the people it was made for.
    pub profile: Digest,
    pub stored: Stored,
    pub losses: Vec<Loss>,
    pub message_id: Option<String>,
}

impl AccountStore {
    /// Keeps renderings, in one commit, and answers them in their order. One that is kept already must be the same,
    /// byte for byte.
    pub async fn record_renderings(&self, renderings: Vec<NewRendering>) -> Result<Vec<Rendering>, Fault> {
        let blobs = self.inner.blobs.clone();
        let prepared = disk_work(move || renderings.into_iter().map(|new| Pressed::new(&blobs, new)).collect());
        let prepared: Vec<Pressed> = prepared.await?;
        let (run, weight) = (self.inner.run, prepared.iter().map(Pressed::weight).sum());
        let keep_all = move |db: &Connection| prepared.iter().map(|new| keep(db, run, new)).collect();
        self.inner.db.write_heavy(weight, keep_all).await
    }
}

/// A rendering whose bytes are hashed and compressed: what is left is to write its rows.
pub(super) struct Pressed {
    new: NewRendering,
    stored: Stored,
    bytes: Option<Prepared>,
}

impl Pressed {
    /// Blocks on the disk where bytes are too large for a row.
    pub fn new(blobs: &Blobs, new: NewRendering) -> Result<Self, Trouble> {
        let (stored, bytes) = match &new.shape {
            Shape::Held(stored) => (*stored, None),
            Shape::Bytes(bytes) => {
                let prepared = blobs.prepare(bytes)?;
                (prepared.stored, Some(prepared))
            }
        };
        Ok(Self { new, stored, bytes })
    }

    pub fn weight(&self) -> usize {
        self.bytes.as_ref().map_or(0, Prepared::weight)
    }
}

const ROW: &str = "key, item, original, edition, digest, length, losses, message_id, profile";

fn rendering_row(row: &Row<'_>) -> rusqlite::Result<Rendering> {
    let (Hash(digest), Hash(profile)) = (row.get(4)?, row.get(8)?);
    Ok(Rendering {
        key: row.get(0)?,
        item: row.get(1)?,
        original: row.get(2)?,
        edition: row.get(3)?,
        profile,
        stored: Stored { digest, length: unsigned(row.get(5)?) },
        losses: row.get::<_, Json<Vec<Loss>>>(6)?.0,
        message_id: row.get(7)?,
    })
}

pub(super) fn find(
    db: &Connection,
    original: OriginalKey,
    edition: u32,
    tables: &Digest,
    profile: &Digest,
) -> Result<Option<Rendering>, Trouble> {
    let sql =
        format!("SELECT {ROW} FROM rendering WHERE original = ?1 AND edition = ?2 AND tables = ?3 AND profile = ?4");
    let key = (original, edition, Hash(*tables), Hash(*profile));
    Ok(db.prepare_cached(&sql)?.query_row(key, rendering_row).optional()?)
}

pub(super) fn by_key(db: &Connection, key: RenderingKey) -> Result<Rendering, Trouble> {
    let sql = format!("SELECT {ROW} FROM rendering WHERE key = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([key], rendering_row)?)
}

/// Keeps one rendering. A second making of what is kept already must be the same, byte for byte.
pub(super) fn keep(db: &Connection, run: Option<RunId>, pressed: &Pressed) -> Result<Rendering, Trouble> {
    let Pressed { new, stored, .. } = pressed;
    let rendering = match insert(db, run, pressed)? {
        Some(key) => as_kept(key, pressed),
        None => match find(db, new.original, new.edition, &new.tables, &new.profile)? {
            Some(known) if known.stored == *stored => known,
            _ => return Err(broken("the same original was rendered twice with different results").into()),
        },
    };
    make_present(db, &rendering)?;
    Ok(rendering)
}

fn as_kept(key: RenderingKey, pressed: &Pressed) -> Rendering {
    let NewRendering { item, original, edition, profile, losses, message_id, .. } = pressed.new.clone();
    Rendering { key, item, original, edition, profile, stored: pressed.stored, losses, message_id }
}

/// `None` where one is kept already.
fn insert(db: &Connection, run: Option<RunId>, pressed: &Pressed) -> Result<Option<RenderingKey>, Trouble> {
    let Pressed { new, stored, bytes } = pressed;
    // `reworded` is told by the workload: see step 10 of the schema.
    let sql = "INSERT INTO rendering
            (item, original, edition, tables, profile, digest, length, losses, message_id, reworded)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, (SELECT workload NOT IN (1, 5) FROM item WHERE key = ?1))
        ON CONFLICT (original, edition, tables, profile) DO NOTHING";
    let inserted = db.prepare_cached(sql)?.execute((
        new.item,
        new.original,
        new.edition,
        Hash(new.tables),
        Hash(new.profile),
        Hash(stored.digest),
        signed(stored.length),
        Json(&new.losses),
        &new.message_id,
    ))?;
    if inserted == 0 {
        return Ok(None);
    }
    let key = RenderingKey(db.last_insert_rowid());
    if let Some(prepared) = bytes {
        blobs::insert(db, prepared)?;
    }
    journal::note(db, run, &Event { name: "rendered", item: new.item, digest: Some(stored.digest), detail: None })?;
    Ok(Some(key))
}

/// The latest rendering of an item's latest original is the one whose losses count.
fn make_present(db: &Connection, rendering: &Rendering) -> Result<(), Trouble> {
    let sql = "UPDATE OR FAIL item SET rendering = ?2 WHERE key = ?1 AND original = ?3 AND rendering IS NOT ?2";
    let present = db.prepare_cached(sql)?.execute((rendering.item, rendering.key, rendering.original))?;
    if present > 0 { losses::replace(db, rendering.item, Origin::Rendering, &rendering.losses) } else { Ok(()) }
}
