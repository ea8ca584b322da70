//! The one door for the bytes of an account: they are hashed, compressed where it pays, and kept in the database
//! beside their row when small, in a file named by their hash when large. Whoever encrypts them one day does it here.
//! Equal bytes are kept once.

use super::{
    account::AccountStore,
    faults::{At, Trouble, broken, damaged},
    options::Life,
    rows::{Hash, signed, unsigned},
};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension};
use std::{
    cell::RefCell,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::task::spawn_blocking;
use transhume_contract::{Digest, Fault, Reach};

/// Bytes up to this length are held in memory while they arrive; longer ones go to a file at once.
pub(super) const SMALL: usize = 128 << 10;
/// What is shorter than this after compression lives in the database.
const INLINE: usize = 64 << 10;
/// Shorter bytes are not worth compressing.
const WORTH_TRYING: usize = 256;
/// How much of a long file is compressed to see whether the rest is worth it.
const SAMPLE: usize = 256 << 10;
/// Level 1 takes two thirds of what level 3 saves at three times its speed; pulls must not wait for it.
const LEVEL: i32 = 1;
/// Files are written in pieces of this size.
pub(super) const CHUNK: usize = 256 << 10;

/// Bytes the store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    pub digest: Digest,
    pub length: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Plain,
    Zstd,
}

/// Bytes that are durable, or will be with the row that [`insert`] writes.
pub(super) struct Prepared {
    pub stored: Stored,
    codec: Codec,
    /// Length as kept.
    kept: u64,
    data: Option<Vec<u8>>,
}

impl Prepared {
    /// How much it adds to the commit that names it.
    pub fn weight(&self) -> usize {
        self.data.as_ref().map_or(0, Vec::len)
    }
}

/// Where the bytes of a blob are.
pub(super) enum Kept {
    InRow(Vec<u8>),
    InFile(PathBuf),
}

/// A blob as its row tells it.
pub(super) struct Blob {
    pub stored: Stored,
    pub codec: Codec,
    pub kept: Kept,
}

#[derive(Clone)]
pub(super) struct Blobs {
    dir: PathBuf,
    life: Arc<Life>,
}

impl Blobs {
    pub fn new(dir: &Path, life: Arc<Life>) -> Self {
        Self { dir: dir.to_owned(), life }
    }

    /// Where bytes lie that are still arriving.
    pub fn held_dir(&self) -> PathBuf {
        self.dir.join("held")
    }

    pub fn held_path(&self, part: i64) -> PathBuf {
        self.held_dir().join(part.to_string())
    }

    fn loose_path(&self) -> PathBuf {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        self.held_dir().join(format!("w{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    fn path(&self, digest: &Digest, codec: Codec) -> PathBuf {
        let hex = digest.hex();
        let suffix = if codec == Codec::Zstd { ".zst" } else { "" };
        self.dir.join(&hex[..2]).join(format!("{}{suffix}", &hex[2..]))
    }

    /// Takes bytes that are in memory. Blocks on the disk only where they are too large for a row.
    pub fn prepare(&self, bytes: &[u8]) -> Result<Prepared, Trouble> {
        let stored = Stored { digest: Digest::of(bytes), length: bytes.len() as u64 };
        let (codec, data) = compress(bytes)?;
        let kept = data.len() as u64;
        if data.len() < INLINE {
            return Ok(Prepared { stored, codec, kept, data: Some(data) });
        }
        let loose = self.loose_path();
        File::create(&loose).and_then(|mut file| file.write_all(&data)).at(&loose)?;
        self.move_in(&loose, &stored.digest, codec)?;
        Ok(Prepared { stored, codec, kept, data: None })
    }

    /// Takes a file of bytes that arrived there, compressing it where that pays. Blocks. Tried again after a crash,
    /// it does the same.
    pub fn adopt(&self, held: &Path, stored: Stored) -> Result<Prepared, Trouble> {
        let codec = if pays(held).at(held)? { Codec::Zstd } else { Codec::Plain };
        let source = if codec == Codec::Zstd { self.compress_file(held)? } else { held.to_owned() };
        self.move_in(&source, &stored.digest, codec)?;
        let path = self.path(&stored.digest, codec);
        let kept = fs::metadata(&path).at(&path)?.len();
        Ok(Prepared { stored, codec, kept, data: None })
    }

    fn compress_file(&self, held: &Path) -> Result<PathBuf, Trouble> {
        let loose = self.loose_path();
        let source = File::open(held).at(held)?;
        File::create(&loose).and_then(|file| zstd::stream::copy_encode(source, file, LEVEL)).at(&loose)?;
        Ok(loose)
    }

    /// Gives a complete file its name: the bytes are durable first, then the name.
    fn move_in(&self, from: &Path, digest: &Digest, codec: Codec) -> Result<(), Trouble> {
        self.life.alive()?;
        let path = self.path(digest, codec);
        let folder = path.parent().unwrap_or(&self.dir);
        File::open(from).and_then(|file| file.sync_all()).at(from)?;
        if !folder.is_dir() {
            fs::create_dir_all(folder).at(folder)?;
            sync_dir(&self.dir)?;
        }
        fs::rename(from, &path).at(&path)?;
        sync_dir(folder)
    }

    /// Finds where the bytes of a digest are.
    pub fn find(&self, db: &Connection, digest: &Digest) -> Result<Blob, Trouble> {
        let sql = "SELECT length, codec, data FROM blob WHERE digest = ?1";
        let row = db.prepare_cached(sql)?.query_row([Hash(*digest)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<Vec<u8>>>(2)?))
        });
        let (length, codec, data) = row.optional()?.ok_or_else(|| broken("the store has no bytes of that hash"))?;
        let codec = if codec == 1 { Codec::Zstd } else { Codec::Plain };
        let kept = data.map_or_else(|| Kept::InFile(self.path(digest, codec)), Kept::InRow);
        Ok(Blob { stored: Stored { digest: *digest, length: unsigned(length) }, codec, kept })
    }

    /// Removes what a killed run was still writing, except parts that can go on.
    pub fn sweep(&self, db: &Connection) -> Result<(), Trouble> {
        let held = self.held_dir();
        for entry in fs::read_dir(&held).at(&held)? {
            let entry = entry.at(&held)?;
            let part = entry.file_name().to_str().and_then(|name| name.parse::<i64>().ok());
            if !part.map_or(Ok(false), |part| is_arriving(db, part))? {
                fs::remove_file(entry.path()).at(&entry.path())?;
            }
        }
        Ok(())
    }
}

fn is_arriving(db: &Connection, part: i64) -> Result<bool, Trouble> {
    let sql = "SELECT count(*) FROM part WHERE key = ?1 AND whole = 0";
    Ok(db.prepare_cached(sql)?.query_row([part], |row| row.get(0))?)
}

/// Names bytes in a row. They are durable already, or become so with this commit.
pub(super) fn insert(db: &Connection, prepared: &Prepared) -> Result<(), Trouble> {
    let sql = "INSERT INTO blob (digest, length, codec, stored, data) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT DO NOTHING";
    let Prepared { stored, codec, kept, data } = prepared;
    let codec = i64::from(*codec == Codec::Zstd);
    db.prepare_cached(sql)?.execute((Hash(stored.digest), signed(stored.length), codec, signed(*kept), data))?;
    Ok(())
}

/// The bytes of a row, checked against their hash.
pub(super) fn unpack(blob: &Blob, data: &[u8]) -> Result<Bytes, Trouble> {
    let length = usize::try_from(blob.stored.length).unwrap_or(usize::MAX);
    let bytes = match blob.codec {
        Codec::Plain => data.to_vec(),
        Codec::Zstd => decompress(data, length).map_err(|_| altered(&blob.stored.digest))?,
    };
    if Digest::of(&bytes) == blob.stored.digest { Ok(bytes.into()) } else { Err(altered(&blob.stored.digest).into()) }
}

/// Setting up zstd costs as much as unpacking a message; each thread does it once.
fn decompress(data: &[u8], length: usize) -> io::Result<Vec<u8>> {
    thread_local! {
        static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
    }
    DECOMPRESSOR.with_borrow_mut(|kept| match kept {
        Some(decompressor) => decompressor.decompress(data, length),
        None => kept.insert(zstd::bulk::Decompressor::new()?).decompress(data, length),
    })
}

pub(super) fn altered(digest: &Digest) -> Fault {
    damaged(
        Path::new("the account's store"),
        &format!("the bytes kept under {digest:?} are not those that were stored"),
    )
    .reaching(Reach::Account)
}

/// The bytes in the shorter of both forms.
fn compress(bytes: &[u8]) -> Result<(Codec, Vec<u8>), Trouble> {
    thread_local! {
        static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    }
    if bytes.len() < WORTH_TRYING {
        return Ok((Codec::Plain, bytes.to_vec()));
    }
    let packed = COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(zstd::bulk::Compressor::new(LEVEL)?),
        };
        compressor.compress(bytes)
    });
    let packed = packed.map_err(|error| broken(format!("compressing failed: {error}")))?;
    Ok(if is_worth(packed.len(), bytes.len()) { (Codec::Zstd, packed) } else { (Codec::Plain, bytes.to_vec()) })
}

/// An eighth must be saved.
const fn is_worth(packed: usize, plain: usize) -> bool {
    packed < plain - plain / 8
}

fn pays(held: &Path) -> io::Result<bool> {
    let mut sample = Vec::with_capacity(SAMPLE);
    File::open(held)?.take(SAMPLE as u64).read_to_end(&mut sample)?;
    let packed = zstd::bulk::compress(&sample, LEVEL)?;
    Ok(is_worth(packed.len(), sample.len()))
}

/// A new name is durable once its folder is.
pub(super) fn sync_dir(dir: &Path) -> Result<(), Trouble> {
    if cfg!(unix) {
        File::open(dir).and_then(|folder| folder.sync_all()).at(dir)?;
    }
    Ok(())
}

/// Takes bytes of any length that are made here: a rendering that differs from its original.
pub struct BlobWriter {
    store: AccountStore,
    hasher: blake3::Hasher,
    length: u64,
    waiting: Vec<u8>,
    file: Option<(File, PathBuf)>,
}

impl AccountStore {
    /// Takes the bytes of a rendering as they are made; memory does not grow with their length.
    pub fn blob_writer(&self) -> BlobWriter {
        let hasher = blake3::Hasher::new();
        BlobWriter { store: self.clone(), hasher, length: 0, waiting: Vec::new(), file: None }
    }
}

impl BlobWriter {
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() > CHUNK { self.spill().await } else { Ok(()) }
    }

    async fn spill(&mut self) -> Result<(), Fault> {
        let (waiting, file) = (std::mem::take(&mut self.waiting), self.file.take());
        let path = self.store.inner.blobs.loose_path();
        let (file, waiting) = disk_work(move || append(file, path, waiting)).await?;
        (self.file, self.waiting) = (Some(file), waiting);
        Ok(())
    }

    /// Makes the bytes durable and tells their hash and length.
    pub async fn finish(mut self) -> Result<Stored, Fault> {
        let stored = Stored { digest: self.hasher.finalize().into(), length: self.length };
        if self.file.is_some() && !self.waiting.is_empty() {
            self.spill().await?;
        }
        let (blobs, file, waiting) = (self.store.inner.blobs.clone(), self.file.take(), self.waiting);
        let prepared = disk_work(move || match file {
            Some((_, path)) => blobs.adopt(&path, stored).inspect(|_| drop(fs::remove_file(&path))),
            None => blobs.prepare(&waiting),
        });
        let prepared = prepared.await?;
        let weight = prepared.weight();
        self.store.inner.db.write_heavy(weight, move |db| insert(db, &prepared)).await?;
        Ok(stored)
    }
}

type Held = (File, PathBuf);

fn append(file: Option<Held>, path: PathBuf, mut bytes: Vec<u8>) -> Result<(Held, Vec<u8>), Trouble> {
    let (mut file, path) = match file {
        Some(held) => held,
        None => (File::create(&path).at(&path)?, path),
    };
    file.write_all(&bytes).at(&path)?;
    bytes.clear();
    Ok(((file, path), bytes))
}

/// Work on files, off the async threads.
pub(super) async fn disk_work<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Fault> {
    let done = spawn_blocking(move || work().map_err(|trouble| trouble.into_fault(Path::new("the store"))));
    done.await.map_err(|_| broken("work on the store's files did not come to its end"))?
}
