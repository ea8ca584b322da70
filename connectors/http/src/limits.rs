//! What a road may do per key, and how it stands. Plain data.

use std::time::Duration;
use tokio::time::Instant;

/// One thing a service counts by: an app, a mailbox, a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneKey {
    /// The kind, as the connector names it; limits are set per class.
    pub class: &'static str,
    pub of: String,
}

impl LaneKey {
    pub fn new(class: &'static str, of: impl Into<String>) -> Self {
        Self { class, of: of.into() }
    }
}

/// What one key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Requests at the same time, bodies included. It steps down when the service refuses and recovers slowly.
    pub lanes: usize,
    pub window: Option<Window>,
}

/// At most so many requests in any stretch of so much time. Set it below what the service allows: the road keeps
/// this number exactly, but the service counts at its own door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub requests: u32,
    pub per: Duration,
}

/// The limits of a service, by class of key, the narrowest class first.
#[derive(Clone, Debug)]
pub struct Limits {
    classes: Vec<(&'static str, Limit)>,
    others: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        Self { classes: Vec::new(), others: Limit { lanes: 3, window: None } }
    }
}

impl Limits {
    /// Declare the narrowest class first (mailbox, then app): keys are waited for in this order.
    #[must_use]
    pub fn with(mut self, class: &'static str, limit: Limit) -> Self {
        self.classes.retain(|(known, _)| *known != class);
        self.classes.push((class, limit));
        self
    }
    pub fn of(&self, class: &str) -> Limit {
        self.classes.iter().find(|(known, _)| *known == class).map_or(self.others, |(_, limit)| *limit)
    }
    pub(crate) fn rank(&self, class: &str) -> usize {
        self.classes.iter().position(|(known, _)| *known == class).unwrap_or(usize::MAX)
    }
}

/// What a road has done so far, for a progress display.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests sent, repetitions included.
    pub requests: u64,
    /// Answers that said "too many".
    pub throttled: u64,
    /// Answers that were transient refusals, and connections that broke.
    pub refused: u64,
    /// The time requests stood waiting for their keys, added up over all requests.
    pub waited: Duration,
    /// Requests under way now.
    pub in_flight: u64,
}

/// How one key stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneView {
    /// Lanes it may use now; fewer than its limit after refusals.
    pub lanes: usize,
    pub in_flight: usize,
    pub paused_until: Option<Instant>,
}
