//! What the engine tells while it works. The engine says what happened; how it is shown is the report's business.

use serde::Serialize;
use transhume_contract::{Fault, Loss, Workload};

/// One thing that happened. Counts are of this event alone; totals are queries on the store.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Work on an account began in this phase.
    Started { account: String, phase: Phase },
    /// A page of a feed was listed and is in the store.
    Listed { account: String, workload: Workload, collection: String, items: u64 },
    /// How much there is to do in this phase, once the listing is drained.
    Expected { account: String, phase: Phase, items: u64, bytes: u64 },
    /// Originals arrived in the store.
    Fetched { account: String, items: u64, bytes: u64 },
    /// Renderings stand at the target.
    Placed { account: String, collection: String, items: u64, bytes: u64 },
    /// Facts were brought up to date in place.
    Amended { account: String, items: u64 },
    /// Items moved at the source were moved at the target.
    Relocated { account: String, items: u64 },
    /// What changed at the source, or reads otherwise now, took the place of what stood at the target, under the address
    /// that it had there.
    Replaced { account: String, items: u64 },
    /// Placements were withdrawn: a newer original was placed anew beside them (targets that replace nothing in its place
    /// know no other way), or they were deleted at the source and their removal was asked for.
    Withdrawn { account: String, items: u64 },
    /// Items that stand at the target and were deleted at the source: what becomes of them there, told before anything is
    /// done.
    Deleted { account: String, workload: Workload, items: u64, withdrawn: bool },
    /// People decided otherwise at the target; their decision stays.
    ChangedThere { account: String, item: String, fields: Vec<String> },
    /// Items were compared.
    Verified { account: String, items: u64, differences: u64 },
    /// Something could not be carried.
    Lost { account: String, item: String, loss: Loss },
    /// Items at the source that rights management protects, and what rescues them: only their owner can, and only while
    /// the source still lives.
    Protected { account: String, items: u64, rescue: String },
    /// An item stays owed or goes into quarantine.
    Refused { account: String, item: String, quarantined: bool, fault: Fault },
    /// An account cannot go on in this pass.
    Stopped { account: String, fault: Fault },
    /// Work on an account ended in this phase.
    Finished { account: String, phase: Phase },
    /// Something people should know that stops nothing.
    Note { account: Option<String>, sentence: String },
}

/// The half of the work an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    List,
    Pull,
    Push,
    Verify,
}

/// Hears what happens. Called from many tasks; returns at once.
pub trait Observer: Send + Sync {
    fn hear(&self, event: Event);
}

/// Hears nothing.
pub struct Silence;

impl Observer for Silence {
    fn hear(&self, _event: Event) {}
}
