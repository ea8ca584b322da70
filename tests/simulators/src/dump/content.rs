//! Bodies, small and huge.

use bytes::{BufMut, Bytes, BytesMut};

/// The most bytes one piece of [`Content::chunks`] holds.
const PIECE: usize = 64 * 1024;

/// The bytes of one thing.
#[derive(Debug, Clone)]
pub enum Content {
    Bytes(Bytes),
    /// A body that is made when it is read: `head`, then `line` so many `times`, then `tail`. A tenant with 60 MB
    /// messages, or with 200,000 equal bodies under different heads, costs no more memory than its heads.
    Repeat {
        head: Bytes,
        line: Bytes,
        times: u64,
        tail: Bytes,
    },
}

impl Content {
    /// How many bytes the body has.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // nobody asks whether a body is empty without wanting its length
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Repeat { head, line, times, tail } => (head.len() + tail.len()) as u64 + line.len() as u64 * times,
        }
    }

    /// The body in order, in pieces of at most 64 KiB, none of them empty. Borrows nothing, so that it can outlive
    /// the tenant it was taken from.
    pub fn chunks(&self) -> impl Iterator<Item = Bytes> + Send + use<> {
        let (head, line, times, tail) = self.clone().parts();
        pieces(head).chain(repeated(line, times)).chain(pieces(tail))
    }

    /// The whole body in memory: for small ones, and for tests.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Repeat { .. } => {
                let mut whole = BytesMut::with_capacity(usize::try_from(self.len()).unwrap_or(0));
                self.chunks().for_each(|piece| whole.put(piece));
                whole.freeze()
            }
        }
    }

    fn parts(self) -> (Bytes, Bytes, u64, Bytes) {
        match self {
            Self::Bytes(bytes) => (bytes, Bytes::new(), 0, Bytes::new()),
            Self::Repeat { head, line, times, tail } => (head, line, times, tail),
        }
    }
}

/// Bodies are equal when their bytes are, however they are held.
impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.chunks().flatten().eq(other.chunks().flatten())
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

fn pieces(mut rest: Bytes) -> impl Iterator<Item = Bytes> + Send {
    std::iter::from_fn(move || {
        let piece = rest.split_to(rest.len().min(PIECE));
        (!piece.is_empty()).then_some(piece)
    })
}

/// `line` so many times, as many at once as a piece holds. A line longer than a piece is cut into pieces.
fn repeated(line: Bytes, times: u64) -> Box<dyn Iterator<Item = Bytes> + Send> {
    if line.is_empty() || times == 0 {
        return Box::new(std::iter::empty());
    }
    if line.len() > PIECE {
        return Box::new((0..times).flat_map(move |_| pieces(line.clone())));
    }
    let at_once = ((PIECE / line.len()) as u64).min(times);
    let rest = usize::try_from(times % at_once).unwrap_or(0) * line.len();
    let block = Bytes::from(line.repeat(usize::try_from(at_once).unwrap_or(1)));
    let last = block.slice(..rest);
    Box::new((0..times / at_once).map(move |_| block.clone()).chain((rest > 0).then_some(last)))
}
