//! Takes an original from a source: small parts in memory, large ones into a file that a later attempt goes on with.
//!
//! Each part becomes durable when it is closed, except that small ones wait, up to a mebibyte together, for a commit
//! they share; most originals are one small part and cost one commit.

use super::{
    account::AccountStore,
    blobs::{self, CHUNK, SMALL, Stored, disk_work, sync_dir},
    faults::{At, Trouble, broken},
    originals::{self, ClosedPart, Completing},
    rows::{Hash, ItemKey, OriginalKey, signed, unsigned},
};
use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, Row};
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};
use transhume_contract::{Facts, Fault, OriginalSink, Part, Version, What, Workload};

/// Closed small parts wait for company up to this many bytes together.
const MOST_WAITING: usize = 1 << 20;
/// A large part is durable up to its last multiple of this; after a crash the rest comes again.
const DURABLE_STEP: u64 = 8 << 20;

/// What became of an original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completed {
    pub original: OriginalKey,
    pub bytes: u64,
    /// False where the source gave again what the store held already.
    pub changed: bool,
}

/// The store's end of `Source::fetch`. Nothing of it counts before [`complete`](Self::complete).
pub struct StoredSink {
    store: AccountStore,
    item: ItemKey,
    version: Version,
    /// Parts that earlier attempts at this version left.
    held: HashMap<String, HeldPart>,
    closed: Vec<ClosedPart>,
    open: Option<OpenPart>,
}

#[derive(Clone)]
struct HeldPart {
    key: i64,
    whole: Option<Stored>,
    length: u64,
}

struct OpenPart {
    part: Part,
    hasher: blake3::Hasher,
    length: u64,
    waiting: Vec<u8>,
    place: Place,
}

enum Place {
    Memory,
    File {
        key: i64,
        file: Arc<File>,
        durable: u64,
    },
    /// An earlier attempt closed it, and nothing was written to it since.
    Whole(Stored),
}

impl AccountStore {
    /// Takes the original of an item at a version, going on where an attempt at the same version stopped.
    pub async fn original_sink(&self, item: ItemKey, version: &Version) -> Result<StoredSink, Fault> {
        let wanted = version.clone();
        let held = self.read(move |db| held(db, item, &wanted)).await?;
        let (store, version) = (self.clone(), version.clone());
        Ok(StoredSink { store, item, version, held, closed: Vec::new(), open: None })
    }

    /// Takes the account's settings for a workload, as an original of their own that is no item.
    pub async fn settings_sink(&self, workload: Workload) -> Result<StoredSink, Fault> {
        let item = self.write(move |db| originals::keep_settings_item(db, workload)).await?;
        self.original_sink(item, &Version::new("")).await
    }
}

type Held = HashMap<String, HeldPart>;

fn held(db: &Connection, item: ItemKey, version: &Version) -> Result<Held, Trouble> {
    let Some((key, at)) = originals::unfinished(db, item)? else { return Ok(Held::default()) };
    if at != *version {
        return Ok(Held::default());
    }
    let mut query = db.prepare_cached("SELECT name, key, whole, digest, length FROM part WHERE original = ?1")?;
    let rows = query.query_map([key], held_part)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn held_part(row: &Row<'_>) -> rusqlite::Result<(String, HeldPart)> {
    let length = unsigned(row.get(4)?);
    let digest = if row.get(2)? { row.get::<_, Option<Hash>>(3)? } else { None };
    let whole = digest.map(|Hash(digest)| Stored { digest, length });
    Ok((row.get(0)?, HeldPart { key: row.get(1)?, whole, length }))
}

impl StoredSink {
    /// `fetch` returned: the original is whole. It counts from this commit on, together with the facts learned by
    /// reading it.
    pub async fn complete(mut self, patch: &Facts) -> Result<Completed, Fault> {
        if self.open.is_some() {
            return Err(misuse("an original was completed while a part of it was open"));
        }
        let parts = std::mem::take(&mut self.closed);
        let weight = weight(&parts);
        let run = self.store.inner.run;
        let what = Completing { item: self.item, version: self.version.clone(), parts, patch: patch.clone() };
        self.store.inner.db.write_heavy(weight, move |db| originals::complete(db, run, &what)).await
    }

    /// Writes down what is closed, so that it outlives this process; answers the original's row.
    async fn make_durable(&mut self) -> Result<OriginalKey, Fault> {
        let (item, version, parts) = (self.item, self.version.clone(), std::mem::take(&mut self.closed));
        self.closed = parts.iter().map(ClosedPart::without_bytes).collect();
        let written = self.store.inner.db.write_heavy(weight(&parts), move |db| {
            let original = originals::begin(db, item, &version)?;
            for (seq, part) in (0..).zip(&parts) {
                originals::write_part(db, original, seq, part)?;
            }
            Ok(original)
        });
        written.await
    }

    fn path(&self, key: i64) -> PathBuf {
        self.store.inner.blobs.held_path(key)
    }

    fn open_part(&mut self) -> Result<&mut OpenPart, Fault> {
        self.open.as_mut().ok_or_else(|| misuse("bytes came while no part was open"))
    }

    /// The open part outgrew memory: it goes on in a file whose row is durable first.
    async fn spill(&mut self) -> Result<(), Fault> {
        let original = self.make_durable().await?;
        let part = self.open_part()?.part.clone();
        let key = self.store.write(move |db| begin_part(db, original, &part)).await?;
        let path = self.path(key);
        let file = Arc::new(disk_work(move || create(&path)).await?);
        self.open_part()?.place = Place::File { key, file, durable: 0 };
        self.flush().await
    }

    /// Writes what waits to the open part's file, and makes it durable when that is due.
    async fn flush(&mut self) -> Result<(), Fault> {
        let open = self.open_part()?;
        let Place::File { key, file, durable } = &mut open.place else { return Ok(()) };
        let (key, file, length) = (*key, Arc::clone(file), open.length);
        let due = length - *durable >= DURABLE_STEP;
        if due {
            *durable = length;
        }
        let waiting = std::mem::take(&mut open.waiting);
        open.waiting = disk_work(move || append(&file, waiting, due)).await?;
        if due { self.store.write(move |db| note_length(db, key, length)).await } else { Ok(()) }
    }

    /// More came for a part that an earlier attempt had closed: one of the two was wrong, so neither is kept.
    async fn refuse_more(&mut self) -> Result<(), Fault> {
        let name = self.open_part()?.part.name.clone();
        self.forget(&name).await?;
        self.open = None;
        Err(Fault::new(What::Malformed, format!("the source gave more of the part `{name}` after its end")))
    }

    /// Drops what an earlier attempt left of a part.
    async fn forget(&mut self, name: &str) -> Result<(), Fault> {
        let Some(held) = self.held.remove(name) else { return Ok(()) };
        let path = self.path(held.key);
        self.store.write(move |db| drop_part(db, held.key)).await?;
        disk_work(move || remove(&path)).await
    }

    async fn take(&mut self, bytes: Bytes) -> Result<(), Fault> {
        let open = self.open_part()?;
        open.hasher.update(&bytes);
        open.length += bytes.len() as u64;
        open.waiting.extend_from_slice(&bytes);
        match open.place {
            Place::Memory if open.waiting.len() > SMALL => self.spill().await,
            Place::File { .. } if open.waiting.len() > CHUNK => self.flush().await,
            Place::File { .. } | Place::Memory => Ok(()),
            Place::Whole(_) => self.refuse_more().await,
        }
    }

    async fn close_part(&mut self, open: OpenPart) -> Result<ClosedPart, Fault> {
        let stored = Stored { digest: open.hasher.finalize().into(), length: open.length };
        let prepared = match &open.place {
            Place::Whole(stored) => return Ok(closed(open.part, *stored, None)),
            Place::Memory => self.prepare(open.waiting).await?,
            Place::File { key, .. } => {
                let (blobs, path) = (self.store.inner.blobs.clone(), self.path(*key));
                disk_work(move || blobs.adopt(&path, stored)).await?
            }
        };
        Ok(closed(open.part, stored, Some(prepared)))
    }

    /// Compressing a few kilobytes is quicker than handing them to another thread.
    async fn prepare(&self, bytes: Vec<u8>) -> Result<blobs::Prepared, Fault> {
        const QUICK: usize = 32 << 10;
        let blobs = self.store.inner.blobs.clone();
        if bytes.len() <= QUICK {
            return blobs.prepare(&bytes).map_err(|trouble| trouble.into_fault(Path::new("the store")));
        }
        disk_work(move || blobs.prepare(&bytes)).await
    }

    /// Goes on with a part that an earlier attempt left unclosed: its file, as far as it was durable.
    async fn resume(&self, held: &HeldPart) -> Result<(Place, blake3::Hasher, u64), Fault> {
        let (key, path, length) = (held.key, self.path(held.key), held.length);
        let (file, hasher) = disk_work(move || reread(&path, length)).await?;
        let held = if hasher.is_some() { length } else { 0 };
        let place = Place::File { key, file: Arc::new(file), durable: held };
        Ok((place, hasher.unwrap_or_default(), held))
    }

    async fn start(&mut self, part: Part) -> Result<OpenPart, Fault> {
        let (place, hasher, length) = match self.held.get(&part.name) {
            Some(HeldPart { whole: Some(stored), .. }) => (Place::Whole(*stored), blake3::Hasher::new(), stored.length),
            Some(held) => self.resume(held).await?,
            None => (Place::Memory, blake3::Hasher::new(), 0),
        };
        Ok(OpenPart { part, hasher, length, waiting: Vec::new(), place })
    }
}

#[async_trait]
impl OriginalSink for StoredSink {
    async fn open(&mut self, part: Part) -> Result<u64, Fault> {
        if self.open.is_some() || self.closed.iter().any(|closed| closed.name == part.name) {
            return Err(misuse("a part was opened twice, or while another was open"));
        }
        let announced = part.length;
        self.open = Some(self.start(part).await?);
        let held = self.open_part()?.length;
        if announced.is_some_and(|length| held > length) {
            self.restart().await?;
        }
        Ok(self.open_part()?.length)
    }

    async fn write(&mut self, bytes: Bytes) -> Result<(), Fault> {
        if bytes.is_empty() { Ok(()) } else { self.take(bytes).await }
    }

    async fn restart(&mut self) -> Result<(), Fault> {
        let part = self.open_part()?.part.clone();
        let spilled = matches!(self.open_part()?.place, Place::File { .. });
        if spilled || self.held.contains_key(&part.name) {
            self.forget_open(&part.name).await?;
        }
        let (hasher, waiting) = (blake3::Hasher::new(), Vec::new());
        self.open = Some(OpenPart { part, hasher, length: 0, waiting, place: Place::Memory });
        Ok(())
    }

    async fn close(&mut self) -> Result<(), Fault> {
        if matches!(self.open_part()?.place, Place::File { .. }) {
            self.flush().await?;
        }
        let Some(open) = self.open.take() else { return Ok(()) };
        must_be_whole(&open)?;
        let file = if let Place::File { key, .. } = &open.place { Some(self.path(*key)) } else { None };
        let closed = self.close_part(open).await?;
        self.closed.push(closed);
        if file.is_some() || weight(&self.closed) > MOST_WAITING {
            self.make_durable().await?;
        }
        match file {
            Some(path) => disk_work(move || remove(&path)).await,
            None => Ok(()),
        }
    }

    async fn clear(&mut self) -> Result<(), Fault> {
        (self.open, self.closed) = (None, Vec::new());
        let keys: Vec<i64> = std::mem::take(&mut self.held).into_values().map(|held| held.key).collect();
        let item = self.item;
        self.store.write(move |db| drop_attempt(db, item)).await?;
        let paths: Vec<PathBuf> = keys.into_iter().map(|key| self.path(key)).collect();
        disk_work(move || paths.iter().try_for_each(|path| remove(path))).await
    }
}

impl StoredSink {
    /// Drops the file and row of the open part, whether it is of this attempt or an earlier one.
    async fn forget_open(&mut self, name: &str) -> Result<(), Fault> {
        if let Place::File { key, durable, .. } = &self.open_part()?.place {
            let held = HeldPart { key: *key, whole: None, length: *durable };
            self.held.insert(name.to_owned(), held);
        }
        self.forget(name).await
    }
}

fn closed(part: Part, stored: Stored, prepared: Option<blobs::Prepared>) -> ClosedPart {
    ClosedPart { name: part.name, media_type: part.media_type, stored, prepared }
}

fn weight(parts: &[ClosedPart]) -> usize {
    parts.iter().filter_map(|part| part.prepared.as_ref()).map(blobs::Prepared::weight).sum()
}

fn misuse(sentence: &str) -> Fault {
    broken(sentence)
}

/// A length that was announced is a promise: a stream that merely ended early is not the part.
fn must_be_whole(open: &OpenPart) -> Result<(), Fault> {
    match open.part.length {
        Some(announced) if announced != open.length => {
            let sentence = format!("the source announced {announced} bytes and gave {}", open.length);
            Err(Fault::new(What::Malformed, sentence))
        }
        Some(_) | None => Ok(()),
    }
}

fn begin_part(db: &Connection, original: OriginalKey, part: &Part) -> Result<i64, Trouble> {
    let sql = "INSERT INTO part (original, seq, name, media_type) VALUES (?1, -1, ?2, ?3)";
    db.prepare_cached(sql)?.execute((original, &part.name, &part.media_type))?;
    Ok(db.last_insert_rowid())
}

fn note_length(db: &Connection, part: i64, length: u64) -> Result<(), Trouble> {
    db.prepare_cached("UPDATE part SET length = ?2 WHERE key = ?1")?.execute((part, signed(length)))?;
    Ok(())
}

fn drop_part(db: &Connection, part: i64) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM part WHERE key = ?1")?.execute([part])?;
    Ok(())
}

fn drop_attempt(db: &Connection, item: ItemKey) -> Result<(), Trouble> {
    match originals::unfinished(db, item)? {
        Some((key, _)) => originals::drop_unfinished(db, key),
        None => Ok(()),
    }
}

fn create(path: &Path) -> Result<File, Trouble> {
    let file = File::create(path).at(path)?;
    sync_dir(path.parent().unwrap_or(path))?;
    Ok(file)
}

/// Gives the emptied buffer back.
fn append(mut file: &File, mut bytes: Vec<u8>, durably: bool) -> Result<Vec<u8>, Trouble> {
    let place = Path::new("the store");
    file.write_all(&bytes).at(place)?;
    if durably {
        file.sync_data().at(place)?;
    }
    bytes.clear();
    Ok(bytes)
}

/// What of a file is durable, hashed again; `None` where less is there than was promised.
fn reread(path: &Path, length: u64) -> Result<(File, Option<blake3::Hasher>), Trouble> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).at(path)?;
    let there = file.metadata().at(path)?.len();
    file.set_len(if there < length { 0 } else { length }).at(path)?;
    if there < length {
        return Ok((file, None));
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(&mut file).at(path)?;
    Ok((file, Some(hasher)))
}

fn remove(path: &Path) -> Result<(), Trouble> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Trouble::Disk(path.to_owned(), error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
