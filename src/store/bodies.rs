//! Stored bytes as the bodies a target takes: at hand where they are small, streamed and checked where they are large.

use super::{
    account::AccountStore,
    blobs::{Blobs, Codec, Kept, Stored, altered, unpack},
    faults::{At, Trouble},
};
use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::Connection;
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};
use tokio::{io::AsyncRead, sync::mpsc, task::spawn_blocking};
use tokio_util::io::StreamReader;
use transhume_contract::{Body, Digest, Fault};

/// What is read ahead of the taker, at most [`AHEAD`] times.
const CHUNK: usize = 64 << 10;
const AHEAD: usize = 4;

/// Bytes of an original or a rendering, reopenable, of known length and hash.
#[derive(Clone, Debug)]
pub struct StoredBody {
    stored: Stored,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    AtHand(Bytes),
    File(PathBuf, Codec),
}

impl AccountStore {
    /// The bytes of a digest.
    pub async fn body(&self, digest: &Digest) -> Result<StoredBody, Fault> {
        let (blobs, digest) = (self.inner.blobs.clone(), *digest);
        self.read(move |db| load(&blobs, db, &digest)).await
    }

    /// The bytes of several digests in one read, in their order: a batch.
    pub async fn bodies(&self, digests: &[Digest]) -> Result<Vec<StoredBody>, Fault> {
        let (blobs, digests) = (self.inner.blobs.clone(), digests.to_vec());
        self.read(move |db| digests.iter().map(|digest| load(&blobs, db, digest)).collect()).await
    }
}

pub(super) fn load(blobs: &Blobs, db: &Connection, digest: &Digest) -> Result<StoredBody, Trouble> {
    let blob = blobs.find(db, digest)?;
    let place = match &blob.kept {
        Kept::InRow(data) => Place::AtHand(unpack(&blob, data)?),
        Kept::InFile(path) => Place::File(path.clone(), blob.codec),
    };
    Ok(StoredBody { stored: blob.stored, place })
}

fn open_file(path: &Path, codec: Codec) -> Result<Box<dyn Read>, Trouble> {
    let file = File::open(path).at(path)?;
    Ok(match codec {
        Codec::Plain => Box::new(file),
        Codec::Zstd => Box::new(zstd::stream::read::Decoder::new(file).at(path)?),
    })
}

impl StoredBody {
    /// Bytes in memory, on their way into the store.
    pub fn of(bytes: Bytes) -> Self {
        let stored = Stored { digest: Digest::of(&bytes), length: bytes.len() as u64 };
        Self { stored, place: Place::AtHand(bytes) }
    }

    pub fn stored(&self) -> Stored {
        self.stored
    }
}

#[async_trait]
impl Body for StoredBody {
    fn length(&self) -> u64 {
        self.stored.length
    }

    fn digest(&self) -> Digest {
        self.stored.digest
    }

    fn at_hand(&self) -> Option<Bytes> {
        match &self.place {
            Place::AtHand(bytes) => Some(bytes.clone()),
            Place::File(..) => None,
        }
    }

    async fn open(&self) -> Result<Box<dyn AsyncRead + Send + Unpin>, Fault> {
        match &self.place {
            Place::AtHand(bytes) => Ok(Box::new(io::Cursor::new(bytes.clone()))),
            Place::File(path, codec) => {
                if let Err(error) = tokio::fs::metadata(path).await {
                    return Err(Trouble::Disk(path.clone(), error).into_fault(path));
                }
                Ok(Box::new(stream(path.clone(), *codec, self.stored)))
            }
        }
    }
}

fn stream(path: PathBuf, codec: Codec, stored: Stored) -> impl AsyncRead + Send + Unpin {
    let (give, take) = mpsc::channel::<io::Result<Bytes>>(AHEAD);
    spawn_blocking(move || {
        if let Err(error) = pour(&path, codec, &stored, &give) {
            // The taker may have gone; then nobody needs to hear of it.
            give.blocking_send(Err(error)).ok();
        }
    });
    let chunks = futures::stream::unfold(take, |mut take| async move { Some((take.recv().await?, take)) });
    StreamReader::new(Box::pin(chunks))
}

/// Gives a file's bytes, and an error in place of the end where they are not those that were stored.
fn pour(path: &Path, codec: Codec, stored: &Stored, give: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let mut source = open_file(path, codec).map_err(|trouble| io::Error::other(trouble.into_fault(path)))?;
    let mut hasher = blake3::Hasher::new();
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = source.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        chunk.truncate(read);
        hasher.update(&chunk);
        if give.blocking_send(Ok(chunk.into())).is_err() {
            return Ok(());
        }
    }
    let whole = Digest::from(hasher.finalize()) == stored.digest;
    if whole { Ok(()) } else { Err(io::Error::other(altered(&stored.digest))) }
}
