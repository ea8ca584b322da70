//! Renderings: the same original, edition, tables and profile give the same bytes, and are kept once.

use super::{
    account::AccountStore,
    blobs::{self, Prepared, Stored, disk_work},
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
    pub stored: Stored,
    pub losses: Vec<Loss>,
    pub message_id: Option<String>,
}

impl AccountStore {
    /// The rendering of an original by an edition and tables for a profile, where it was made before.
    pub async fn rendering(
        &self,
        original: OriginalKey,
        edition: u32,
        tables: Digest,
        profile: Digest,
    ) -> Result<Option<Rendering>, Fault> {
        self.read(move |db| find(db, original, edition, &tables, &profile)).await
    }

    /// Keeps renderings, in one commit, and answers them in their order. One that is kept already must be the same,
    /// byte for byte.
    pub async fn record_renderings(&self, renderings: Vec<NewRendering>) -> Result<Vec<Rendering>, Fault> {
        let blobs = self.inner.blobs.clone();
        let prepared = disk_work(move || prepare(&blobs, renderings)).await?;
        let weight = prepared.iter().filter_map(|(_, bytes)| bytes.as_ref()).map(Prepared::weight).sum();
        let run = self.inner.run;
        let keep =
            move |db: &Connection| prepared.iter().map(|(new, bytes)| keep(db, run, new, bytes.as_ref())).collect();
        self.inner.db.write_heavy(weight, keep).await
    }
}

type WithBytes = (NewRendering, Option<Prepared>);

fn prepare(blobs: &blobs::Blobs, renderings: Vec<NewRendering>) -> Result<Vec<WithBytes>, Trouble> {
    let prepare = |new: NewRendering| match &new.shape {
        Shape::Held(_) => Ok((new, None)),
        Shape::Bytes(bytes) => {
            let prepared = blobs.prepare(bytes)?;
            Ok((new, Some(prepared)))
        }
    };
    renderings.into_iter().map(prepare).collect()
}

const ROW: &str = "key, item, original, edition, digest, length, losses, message_id";

fn rendering_row(row: &Row<'_>) -> rusqlite::Result<Rendering> {
    let Hash(digest) = row.get(4)?;
    Ok(Rendering {
        key: row.get(0)?,
        item: row.get(1)?,
        original: row.get(2)?,
        edition: row.get(3)?,
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

fn keep(
    db: &Connection,
    run: Option<RunId>,
    new: &NewRendering,
    bytes: Option<&Prepared>,
) -> Result<Rendering, Trouble> {
    let stored = match (&new.shape, bytes) {
        (Shape::Held(stored), _) => *stored,
        (Shape::Bytes(_), Some(prepared)) => prepared.stored,
        (Shape::Bytes(_), None) => return Err(broken("a rendering came without its bytes").into()),
    };
    let known = find(db, new.original, new.edition, &new.tables, &new.profile)?;
    let rendering = match known {
        Some(known) if known.stored == stored => known,
        Some(_) => return Err(broken("the same original was rendered twice with different results").into()),
        None => insert(db, run, new, stored, bytes)?,
    };
    make_present(db, &rendering)?;
    Ok(rendering)
}

fn insert(
    db: &Connection,
    run: Option<RunId>,
    new: &NewRendering,
    stored: Stored,
    bytes: Option<&Prepared>,
) -> Result<Rendering, Trouble> {
    if let Some(prepared) = bytes {
        blobs::insert(db, prepared)?;
    }
    let sql = "INSERT INTO rendering (item, original, edition, tables, profile, digest, length, losses, message_id)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    db.prepare_cached(sql)?.execute((
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
    let key = RenderingKey(db.last_insert_rowid());
    journal::note(db, run, &Event { name: "rendered", item: new.item, digest: Some(stored.digest), detail: None })?;
    by_key(db, key)
}

/// The latest rendering of an item's latest original is the one whose losses count.
fn make_present(db: &Connection, rendering: &Rendering) -> Result<(), Trouble> {
    let sql = "UPDATE item SET rendering = ?2 WHERE key = ?1 AND original = ?3 AND rendering IS NOT ?2";
    let present = db.prepare_cached(sql)?.execute((rendering.item, rendering.key, rendering.original))?;
    if present > 0 { losses::replace(db, rendering.item, Origin::Rendering, &rendering.losses) } else { Ok(()) }
}
