//! What is sent to a target, what stands there, and what was seen there.

use crate::{Collection, Digest, Facts, Fault, Handle, IntentId, Loss, Version};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncRead;

/// The bytes of a rendering: of exact length, and reopenable, because a refused batch is sent again in halves.
#[async_trait]
pub trait Body: Send + Sync {
    /// The exact number of bytes `open` gives.
    fn length(&self) -> u64;
    /// The hash of those bytes.
    fn digest(&self) -> Digest;
    /// The bytes at once where they are small and at hand, so that a batch is one write.
    fn at_hand(&self) -> Option<bytes::Bytes>;
    /// The bytes as a stream, from the first.
    async fn open(&self) -> Result<Box<dyn AsyncRead + Send + Unpin>, Fault>;
}

/// One rendering to place. `facts` are the target's own (keywords, a date it can hold), as the mapping made them.
#[derive(Clone)]
pub struct Placing {
    pub intent: IntentId,
    pub facts: Facts,
    /// The name it shall carry, where a target names its items.
    pub name: Option<String>,
    /// What the rendering itself is known by: its UID, its Message-ID.
    pub key: Option<String>,
    /// It takes the place of this, if that still stands as it is written here. `Vanished` where it is no longer there;
    /// `Forbidden`, reach item, where people changed it since. Only where the target's traits say `replaces`.
    pub instead: Option<Placement>,
    pub body: std::sync::Arc<dyn Body>,
}

/// The answer to a placing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// `None` when the server does not tell (no UIDPLUS): the engine asks `find` before the pass ends.
    pub handle: Option<Handle>,
    pub version: Option<Version>,
    /// What this target refused of the facts and did without (a keyword), by name.
    pub losses: Vec<Loss>,
    /// The keywords of the facts that do not stand there, as they were wanted. They count as never placed: their absence
    /// is nobody's change, and the next amending tries them again.
    pub left_out: Vec<String>,
}

/// The record that a rendering stands at a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub at: Collection,
    pub handle: Handle,
    pub version: Option<Version>,
    /// The hash of the rendering that was placed.
    pub digest: Digest,
    /// The facts as they stood there when we last looked: as placed, or as they were after the last amending.
    pub facts: Facts,
}

/// By what an item can be recognised at a target that did not tell its handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NaturalKey {
    pub intent: IntentId,
    /// What the rendering itself is known by (its UID, its Message-ID); absent where it has none.
    pub key: Option<String>,
    /// The hash and length of the bytes as they were sent.
    pub digest: Digest,
    pub length: u64,
    /// The name it was given, where the target names its items.
    pub name: Option<String>,
}

/// Something at a target that matches a key: byte for byte, or, where the target rewrites what it stores, by what the
/// rendering itself is known by. Several may match one key: duplicates are legal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub intent: IntentId,
    pub handle: Handle,
    pub version: Option<Version>,
    /// As they stand there: of several with the same bytes, the one most like what was placed is taken.
    pub facts: Facts,
    /// Somebody marked it as deleted: it goes with the next expunge. What a move left behind is marked so, too.
    pub deleted: bool,
    /// The bytes as they stand there, where the target rewrites what it stores: whether they say what the rendering
    /// says is told by their meaning.
    pub content: Option<bytes::Bytes>,
}

/// Something seen at a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub handle: Handle,
    pub version: Option<Version>,
    pub facts: Facts,
    /// The length the server states.
    pub length: Option<u64>,
    /// The hash of the bytes read back, at depth `Content`.
    pub digest: Option<Digest>,
    /// Those bytes, at depth `Content`, where the target rewrites what it stores.
    pub content: Option<bytes::Bytes>,
}
