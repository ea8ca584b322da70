//! Stays below the limits of a service, per key.

use std::{collections::HashMap, time::Duration};
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

/// At most so many requests in any stretch of so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub requests: u32,
    pub per: Duration,
}

/// The limits of a service, by class of key.
#[derive(Clone, Debug)]
pub struct Limits {
    classes: HashMap<&'static str, Limit>,
    others: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        Self { classes: HashMap::new(), others: Limit { lanes: 3, window: None } }
    }
}

impl Limits {
    #[must_use]
    pub fn with(mut self, class: &'static str, limit: Limit) -> Self {
        self.classes.insert(class, limit);
        self
    }
    pub fn of(&self, class: &str) -> Limit {
        self.classes.get(class).copied().unwrap_or(self.others)
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
