//! How a store is opened, and how a test makes it die.

use super::faults::Trouble;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use transhume_contract::{Fault, Reach, What};

/// On which side of the fatal commit the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing of that commit is kept.
    Before,
    /// The commit is durable, but nobody was told.
    After,
}

/// How a store is opened. The default is what every run uses; the rest lets a test make the store die or fill up.
#[derive(Clone, Debug, Default)]
pub struct StoreOptions {
    /// The store refuses everything from the n-th commit on (the first is 1), counted over the whole project,
    /// as if the process had died there.
    pub stop_at_commit: Option<(u64, Stop)>,
    /// A database larger than this many pages is refused as a full disk would refuse it.
    pub most_pages: Option<u64>,
}

/// What the parts of one opened project share: how many commits there were, and whether the end has come.
#[derive(Debug, Default)]
pub(super) struct Life {
    commits: AtomicU64,
    stopped: AtomicBool,
    stop: Option<(u64, Stop)>,
}

impl Life {
    pub fn new(options: &StoreOptions) -> Self {
        Self { stop: options.stop_at_commit, ..Self::default() }
    }

    /// Commits so far, the fatal one included.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    pub fn alive(&self) -> Result<(), Trouble> {
        if self.stopped.load(Ordering::SeqCst) { Err(stopped().into()) } else { Ok(()) }
    }

    /// Counts a commit and says on which side of it to die, if this is the one.
    pub fn count(&self) -> Option<Stop> {
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        let (at, side) = self.stop?;
        if number < at {
            return None;
        }
        self.stopped.store(true, Ordering::SeqCst);
        Some(if number == at { side } else { Stop::Before })
    }
}

pub(super) fn stopped() -> Fault {
    Fault::new(What::Interrupted, "the store was told to stop here").reaching(Reach::Run).report().outcome_unknown()
}
