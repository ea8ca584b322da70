//! What a test asks afterwards: who called what, how hard, how early.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Serialize;

use crate::pace::Overrun;

/// The counters, as `GET /_sim/stats` shows them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// Requests by `METHOD /endpoint/{id}` and by status.
    pub requests: BTreeMap<String, BTreeMap<u16, u64>>,
    pub total: u64,
    /// The most requests at the same time, by the id of the mailbox's owner; refused ones are counted too.
    pub peak_concurrency: BTreeMap<String, u32>,
    /// Requests refused because too many ran at once.
    pub concurrency_breaches: u64,
    /// Requests refused because a window was full.
    pub window_breaches: u64,
    /// The same request sent again before the `Retry-After` it was answered with.
    pub early_retries: u64,
    /// Requests to a mailbox or service that had told the caller to wait, sent a quarter second or more after that.
    pub early_calls: u64,
    /// `$value` answers that were begun with 200.
    pub bodies: u64,
    /// Contents of files that were begun, whole or in part.
    pub downloads: u64,
    /// The most contents of files that were under way at the same time.
    pub peak_transfers: u32,
    /// Resource units that SharePoint charged, refused requests included.
    pub resource_units: u64,
    /// Requests refused because the resource units of a minute or a day were spent.
    pub unit_breaches: u64,
    /// Requests that would have written.
    pub writes: u64,
    /// Requests for access tokens that were granted.
    pub tokens: u64,
    /// Bytes of answers.
    pub bytes: u64,
    /// Faults that a script injected, by kind.
    pub faults: BTreeMap<String, u64>,
}

/// The endpoint of the contents of files.
pub(crate) const FILES: &str = "GET /_layouts/15/download.aspx";

#[derive(Default)]
pub(crate) struct Stats {
    counts: Mutex<Counts>,
    bytes: AtomicU64,
    deadlines: Mutex<HashMap<String, Instant>>,
    transfers: AtomicU32,
}

/// A content of a file that is under way, until it is dropped.
pub(crate) struct Transfer(Arc<Stats>);

impl Transfer {
    pub fn begin(stats: &Arc<Stats>) -> Self {
        let now = stats.transfers.fetch_add(1, Ordering::Relaxed) + 1;
        let mut counts = stats.counts.lock();
        counts.peak_transfers = counts.peak_transfers.max(now);
        Self(stats.clone())
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.0.transfers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Stats {
    /// Notes a request when it arrives: whether it comes before its deadline.
    pub fn arrived(&self, request: &str) {
        let deadline = self.deadlines.lock().remove(request);
        if deadline.is_some_and(|deadline| Instant::now() < deadline) {
            self.counts.lock().early_retries += 1;
        }
    }

    /// Notes that a request was answered with a time to wait.
    pub fn deadline(&self, request: &str, seconds: f64) {
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        self.deadlines.lock().insert(request.to_owned(), Instant::now() + wait);
    }

    pub fn answered(&self, endpoint: &str, status: u16) {
        let mut counts = self.counts.lock();
        counts.total += 1;
        *counts.requests.entry(endpoint.to_owned()).or_default().entry(status).or_default() += 1;
        if status == 200 && endpoint.ends_with("/messages/{id}/$value") {
            counts.bodies += 1;
        }
        if endpoint == FILES && matches!(status, 200 | 206) {
            counts.downloads += 1;
        }
    }

    pub fn entered(&self, mailbox: &str, running: u32, refusal: Option<&Overrun>) {
        let mut counts = self.counts.lock();
        let peak = counts.peak_concurrency.entry(mailbox.to_owned()).or_default();
        *peak = running.max(*peak);
        match refusal {
            Some(Overrun::Concurrency(_)) => counts.concurrency_breaches += 1,
            Some(Overrun::Window(_)) => counts.window_breaches += 1,
            None => {}
        }
    }

    pub fn charged(&self, units: u32, refused: bool) {
        let mut counts = self.counts.lock();
        counts.resource_units += u64::from(units);
        counts.unit_breaches += u64::from(refused);
    }

    pub fn early_call(&self) {
        self.counts.lock().early_calls += 1;
    }

    pub fn write(&self) {
        self.counts.lock().writes += 1;
    }

    pub fn token(&self) {
        self.counts.lock().tokens += 1;
    }

    pub fn fault(&self, kind: &str) {
        *self.counts.lock().faults.entry(kind.to_owned()).or_default() += 1;
    }

    pub fn sent(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn counts(&self) -> Counts {
        Counts { bytes: self.bytes.load(Ordering::Relaxed), ..self.counts.lock().clone() }
    }

    pub fn reset(&self) {
        *self.counts.lock() = Counts::default();
        self.bytes.store(0, Ordering::Relaxed);
    }
}
