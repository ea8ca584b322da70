//! Bodies, small and huge.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

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
    /// A body that is made when it is read: `length` bytes that look random and do not compress, the same for the same
    /// seed on every machine. Reading may begin anywhere at no cost.
    Seeded {
        seed: u64,
        length: u64,
    },
    /// A blob of a dump's folder that is read when it is asked for, so that large files need no memory. If the file
    /// shrinks meanwhile, the body ends early.
    File {
        path: Arc<Path>,
        length: u64,
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
            Self::Seeded { length, .. } | Self::File { length, .. } => *length,
        }
    }

    /// The body in order, in pieces of at most 64 KiB, none of them empty. Borrows nothing, so that it can outlive
    /// the tenant it was taken from.
    pub fn chunks(&self) -> impl Iterator<Item = Bytes> + Send + use<> {
        self.range(0..self.len())
    }

    /// As [`Content::chunks`], from one place up to another; what lies beyond the end is left out.
    pub fn range(&self, range: Range<u64>) -> Box<dyn Iterator<Item = Bytes> + Send> {
        let range = overlap(&range, 0, self.len());
        match self.clone() {
            Self::Bytes(bytes) => Box::new(cut(&bytes, &range)),
            Self::Repeat { head, line, times, tail } => {
                let (above, below) = (head.len() as u64, line.len() as u64 * times);
                let first = cut(&head, &overlap(&range, 0, above));
                let middle = repeated(line, times, overlap(&range, above, below));
                let last = cut(&tail, &overlap(&range, above + below, tail.len() as u64));
                Box::new(first.chain(middle).chain(last))
            }
            Self::Seeded { seed, .. } => Box::new(seeded(seed, range)),
            Self::File { path, .. } => Box::new(of_file(&path, &range)),
        }
    }

    /// The whole body in memory: for small ones, and for tests.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            _ => {
                let mut whole = BytesMut::with_capacity(usize::try_from(self.len()).unwrap_or(0));
                self.chunks().for_each(|piece| whole.put(piece));
                whole.freeze()
            }
        }
    }

    /// Whether two bodies are held in the same way, so that their bytes need not be compared.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Seeded { seed, length }, Self::Seeded { seed: with, length: long }) => {
                (seed, length) == (with, long)
            }
            (Self::File { path, length }, Self::File { path: with, length: long }) => (path, length) == (with, long),
            _ => false,
        }
    }
}

/// Bodies are equal when their bytes are, however they are held.
impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || (self.len() == other.len() && self.chunks().flatten().eq(other.chunks().flatten()))
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

/// What a range covers of a part that begins at `from`, counted from the beginning of that part.
fn overlap(range: &Range<u64>, from: u64, length: u64) -> Range<u64> {
    let within = |place: u64| place.clamp(from, from + length) - from;
    within(range.start)..within(range.end).max(within(range.start))
}

fn cut(bytes: &Bytes, range: &Range<u64>) -> impl Iterator<Item = Bytes> + Send + use<> {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    pieces(bytes.slice(place(range.start)..place(range.end)))
}

fn pieces(mut rest: Bytes) -> impl Iterator<Item = Bytes> + Send {
    std::iter::from_fn(move || {
        let piece = rest.split_to(rest.len().min(PIECE));
        (!piece.is_empty()).then_some(piece)
    })
}

/// A part of `line` so many times.
fn repeated(line: Bytes, times: u64, range: Range<u64>) -> Box<dyn Iterator<Item = Bytes> + Send> {
    if range.is_empty() {
        return Box::new(std::iter::empty());
    }
    let length = line.len() as u64;
    let (lines, skipped) = (range.start / length, range.start % length);
    Box::new(trimmed(whole_lines(line, times - lines), skipped, range.end - range.start))
}

/// `line` so many times, as many at once as a piece holds. A line longer than a piece is cut into pieces.
fn whole_lines(line: Bytes, times: u64) -> Box<dyn Iterator<Item = Bytes> + Send> {
    if line.len() > PIECE {
        return Box::new((0..times).flat_map(move |_| pieces(line.clone())));
    }
    let at_once = ((PIECE / line.len()) as u64).min(times);
    let rest = usize::try_from(times % at_once).unwrap_or(0) * line.len();
    let block = Bytes::from(line.repeat(usize::try_from(at_once).unwrap_or(1)));
    let last = block.slice(..rest);
    Box::new((0..times / at_once).map(move |_| block.clone()).chain((rest > 0).then_some(last)))
}

/// The pieces without what stands before `skip`, and no more than `take` bytes of the rest.
fn trimmed(
    mut pieces: impl Iterator<Item = Bytes> + Send,
    mut skip: u64,
    mut take: u64,
) -> impl Iterator<Item = Bytes> + Send {
    std::iter::from_fn(move || {
        while take > 0 {
            let mut piece = pieces.next()?;
            let left_out = skip.min(piece.len() as u64);
            piece.advance(usize::try_from(left_out).unwrap_or(piece.len()));
            piece.truncate(usize::try_from(take).unwrap_or(usize::MAX));
            skip -= left_out;
            take -= piece.len() as u64;
            if !piece.is_empty() {
                return Some(piece);
            }
        }
        None
    })
}

/// The stream of a seed counts in words of four bytes, and can be entered at any of them.
fn seeded(seed: u64, range: Range<u64>) -> impl Iterator<Item = Bytes> + Send {
    let mut stream = ChaCha8Rng::seed_from_u64(seed);
    let mut at = range.start;
    std::iter::from_fn(move || {
        let length = usize::try_from(range.end - at).unwrap_or(PIECE).min(PIECE);
        if length == 0 {
            return None;
        }
        let lead = usize::try_from(at % 4).unwrap_or(0);
        let mut bytes = vec![0; lead + length];
        stream.set_word_pos(u128::from(at / 4));
        stream.fill_bytes(&mut bytes);
        at += length as u64;
        Some(Bytes::from(bytes).slice(lead..))
    })
}

fn of_file(path: &Path, range: &Range<u64>) -> impl Iterator<Item = Bytes> + Send + use<> {
    let start = range.start;
    let mut left = range.end - start;
    let opened = File::open(path).and_then(|mut file| file.seek(SeekFrom::Start(start)).map(|_| file));
    let mut file = opened.ok();
    std::iter::from_fn(move || {
        let mut bytes = vec![0; usize::try_from(left).unwrap_or(PIECE).min(PIECE)];
        if bytes.is_empty() {
            return None;
        }
        file.as_mut()?.read_exact(&mut bytes).ok()?;
        left -= bytes.len() as u64;
        Some(bytes.into())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn every() -> Vec<Content> {
        let bytes = |length: usize| Bytes::from((0..length).map(|at| (at % 251) as u8).collect::<Vec<u8>>());
        let repeat = |line: usize, times| Content::Repeat { head: bytes(7), line: bytes(line), times, tail: bytes(11) };
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes(150_000)).unwrap();
        let path = file.into_temp_path().keep().unwrap();
        vec![
            Content::Bytes(bytes(200_000)),
            repeat(79, 3_000),
            repeat(70_000, 3),
            repeat(0, 9),
            Content::Seeded { seed: 5, length: 200_003 },
            Content::Seeded { seed: 5, length: 0 },
            Content::File { path: path.into(), length: 150_000 },
        ]
    }

    #[test]
    fn a_body_can_be_read_from_any_place() {
        for content in every() {
            let whole: Vec<u8> = content.chunks().flatten().collect();
            assert_eq!(whole.len() as u64, content.len());
            let length = whole.len();
            for (from, to) in
                [(0, length), (1, 2), (3, 65_537), (6, 8), (65_536, 65_536), (100_001, length), (length, length + 9)]
            {
                let part: Vec<u8> = content.range(from as u64..to as u64).flatten().collect();
                let (from, to) = (from.min(length), to.min(length));
                assert_eq!(part, whole[from..to], "{content:?} {from}..{to}");
            }
            if let Content::File { path, .. } = &content {
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    #[test]
    fn seeds_differ_and_repeat() {
        let body = |seed| Content::Seeded { seed, length: 64 }.to_bytes();
        assert_eq!(body(1), body(1));
        assert_ne!(body(1), body(2));
    }

    #[test]
    fn the_end_of_a_huge_body_is_near() {
        let huge = Content::Seeded { seed: 1, length: 60 << 30 };
        let end: Vec<u8> = huge.range((60 << 30) - 5..u64::MAX).flatten().collect();
        assert_eq!(end.len(), 5);
    }
}
