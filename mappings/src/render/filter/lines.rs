//! NUL bytes and line ends.

use crate::loss::Losses;
use memchr::{memchr, memchr_iter};

/// Removes NUL bytes and writes bare LF as CRLF where the profile refuses them. A bare CR stays: servers keep it.
#[derive(Debug)]
pub(super) struct LineStage {
    nul_accepted: bool,
    bare_lf_accepted: bool,
    /// The last byte given out, since CR and LF may fall into different chunks.
    last: u8,
    nuls: u64,
    bare_lfs: u64,
    mended: Vec<u8>,
}

impl LineStage {
    pub const fn new(nul_accepted: bool, bare_lf_accepted: bool) -> Self {
        Self { nul_accepted, bare_lf_accepted, last: 0, nuls: 0, bare_lfs: 0, mended: Vec::new() }
    }

    /// The chunk as the target wants it: itself when it is clean.
    pub fn feed<'a>(&'a mut self, chunk: &'a [u8]) -> &'a [u8] {
        if self.is_clean(chunk) {
            self.last = chunk.last().copied().unwrap_or(self.last);
            return chunk;
        }
        self.mend(chunk);
        &self.mended
    }

    pub fn tell(&self, losses: &mut Losses) {
        losses.count("nul_removed", self.nuls, ["NUL byte removed", "NUL bytes removed"]);
        losses.count("line_ends_normalised", self.bare_lfs, ["bare LF written as CRLF", "bare LFs written as CRLF"]);
    }

    fn is_clean(&self, chunk: &[u8]) -> bool {
        (self.nul_accepted || memchr(0, chunk).is_none()) && (self.bare_lf_accepted || self.has_no_bare_lf(chunk))
    }

    fn has_no_bare_lf(&self, chunk: &[u8]) -> bool {
        memchr_iter(b'\n', chunk).all(|at| at.checked_sub(1).map_or(self.last, |before| chunk[before]) == b'\r')
    }

    fn mend(&mut self, chunk: &[u8]) {
        self.mended.clear();
        self.mended.reserve(chunk.len() + chunk.len() / 16);
        for &byte in chunk {
            if byte == 0 && !self.nul_accepted {
                self.nuls += 1;
                continue;
            }
            if byte == b'\n' && self.last != b'\r' && !self.bare_lf_accepted {
                self.bare_lfs += 1;
                self.mended.push(b'\r');
            }
            self.mended.push(byte);
            self.last = byte;
        }
    }
}
