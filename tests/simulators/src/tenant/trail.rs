//! The history of a mailbox: every change is a step with a number, and each step carries a digest of all before it.
//!
//! A delta token names the step it stands at and its digest. A token from another history (an older process that saw
//! other changes) does not match and is refused as an unknown sync state, as the service refuses one it has forgotten;
//! the same tenant loaded again has the same history, so that tokens survive a restart.

use std::hash::{DefaultHasher, Hasher};

#[derive(Default)]
pub(crate) struct Trail {
    digests: Vec<u64>,
}

impl Trail {
    /// Records a change and answers its number, which is never 0.
    pub fn step(&mut self, what: &[&str]) -> u64 {
        let mut hash = DefaultHasher::new();
        hash.write_u64(self.digests.last().copied().unwrap_or_default());
        what.iter().for_each(|part| {
            hash.write(part.as_bytes());
            hash.write_u8(0xff);
        });
        self.digests.push(hash.finish());
        self.head()
    }

    /// The number of the last change.
    pub fn head(&self) -> u64 {
        self.digests.len() as u64
    }

    /// The digest of the history up to a step; 0 for the beginning.
    pub fn digest(&self, step: u64) -> Option<u64> {
        let at = usize::try_from(step).ok()?;
        if at == 0 { Some(0) } else { self.digests.get(at - 1).copied() }
    }
}
