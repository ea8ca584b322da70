//! NUL bytes and line ends.

use crate::loss::Losses;
use memchr::{memchr, memchr_iter};

/// Removes NUL bytes and writes line ends as CRLF where the profile refuses others. A bare CR stays, since servers keep
/// it; of several before an LF one stays, since Dovecot drops one of them (seen with Dovecot 2.3.19).
#[derive(Debug)]
pub(super) struct LineStage {
    nul_accepted: bool,
    bare_lf_accepted: bool,
    /// CRs held back until the next byte says what they are, since CR and LF may fall into different chunks.
    held: usize,
    nuls: u64,
    bare_lfs: u64,
    surplus_crs: u64,
    mended: Vec<u8>,
}

impl LineStage {
    pub const fn new(nul_accepted: bool, bare_lf_accepted: bool) -> Self {
        Self { nul_accepted, bare_lf_accepted, held: 0, nuls: 0, bare_lfs: 0, surplus_crs: 0, mended: Vec::new() }
    }

    /// The chunk as the target wants it: itself when it is clean, without the CRs at its end.
    pub fn feed<'a>(&'a mut self, chunk: &'a [u8]) -> &'a [u8] {
        if self.held == 0 && self.is_clean(chunk) {
            let body = if self.bare_lf_accepted { chunk } else { without_crs(chunk) };
            self.held = chunk.len() - body.len();
            return body;
        }
        self.mend(chunk);
        &self.mended
    }

    /// What was held back: no LF came.
    pub fn finish(&mut self) -> &[u8] {
        self.mended.clear();
        self.release();
        &self.mended
    }

    pub fn tell(&self, losses: &mut Losses) {
        losses.count("nul_removed", self.nuls, ["NUL byte removed", "NUL bytes removed"]);
        losses.count("line_ends_normalised", self.bare_lfs, ["bare LF written as CRLF", "bare LFs written as CRLF"]);
        let said = ["line end with several CRs written as CRLF", "line ends with several CRs written as CRLF"];
        losses.count("surplus_cr_removed", self.surplus_crs, said);
    }

    fn is_clean(&self, chunk: &[u8]) -> bool {
        (self.nul_accepted || memchr(0, chunk).is_none()) && (self.bare_lf_accepted || ends_well(chunk))
    }

    fn mend(&mut self, chunk: &[u8]) {
        self.mended.clear();
        self.mended.reserve(chunk.len() + chunk.len() / 16);
        for &byte in chunk {
            match byte {
                0 if !self.nul_accepted => self.nuls += 1,
                b'\r' if !self.bare_lf_accepted => self.held += 1,
                b'\n' if !self.bare_lf_accepted => self.end_line(),
                _ => {
                    self.release();
                    self.mended.push(byte);
                }
            }
        }
    }

    fn end_line(&mut self) {
        self.bare_lfs += u64::from(self.held == 0);
        self.surplus_crs += u64::from(self.held > 1);
        self.held = 0;
        self.mended.extend_from_slice(b"\r\n");
    }

    /// The CRs held back were no part of a line end.
    fn release(&mut self) {
        self.mended.resize(self.mended.len() + self.held, b'\r');
        self.held = 0;
    }
}

/// Every LF has just one CR before it.
fn ends_well(chunk: &[u8]) -> bool {
    let before = |at: usize, back: usize| at.checked_sub(back).map(|at| chunk[at]);
    memchr_iter(b'\n', chunk).all(|at| before(at, 1) == Some(b'\r') && before(at, 2) != Some(b'\r'))
}

/// Up to the CRs at the end.
pub(super) fn without_crs(chunk: &[u8]) -> &[u8] {
    let crs = chunk.iter().rev().take_while(|byte| **byte == b'\r').count();
    &chunk[..chunk.len() - crs]
}
