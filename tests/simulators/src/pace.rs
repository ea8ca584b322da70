//! Throttling as Outlook does it: four requests at once and ten thousand in ten minutes, per application and mailbox
//! (Microsoft Graph docs: Outlook service limits). Whoever is told to wait and does not is counted.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::options::Limits;
use crate::stats::Stats;

/// What is limited together: an application and a mailbox, or a report.
pub(crate) type Key = (String, String);

#[derive(Default)]
pub(crate) struct Pace {
    meters: Arc<Mutex<HashMap<Key, Meter>>>,
}

#[derive(Default)]
struct Meter {
    running: u32,
    recent: VecDeque<Instant>,
    /// When a refused caller was told, and until when it was told to wait.
    told: Option<(Instant, Instant)>,
}

/// One of the lanes of a mailbox, taken until it is dropped.
pub(crate) struct Lane {
    meters: Arc<Mutex<HashMap<Key, Meter>>>,
    key: Key,
}

/// Why a call is refused, and how many seconds it has to wait.
pub(crate) enum Overrun {
    Concurrency(f64),
    Window(f64),
}

/// A call that is on its way while another one is refused is no sign of impatience.
const IN_TRANSIT: Duration = Duration::from_millis(250);

impl Pace {
    /// Lets a call in or refuses it. Refused calls count against the window, as they do at the service.
    pub fn enter(&self, key: &Key, limits: &Limits, stats: &Stats) -> Result<Lane, Overrun> {
        let now = Instant::now();
        let mut meters = self.meters.lock();
        let meter = meters.entry(key.clone()).or_default();
        if meter.is_told(now) {
            stats.early_call();
        }
        let refusal = meter.refusal(now, limits);
        stats.entered(&key.1, meter.running + 1, refusal.as_ref());
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        meter.running += 1;
        Ok(Lane { meters: self.meters.clone(), key: key.clone() })
    }

    /// Counts a call against a limit within ten minutes that has no lanes.
    pub fn tick(&self, key: &Key, limit: u32) -> Option<f64> {
        let limits = Limits { requests: limit, concurrency: u32::MAX, ..Limits::default() };
        let mut meters = self.meters.lock();
        meters.entry(key.clone()).or_default().refusal(Instant::now(), &limits).map(|refusal| refusal.seconds())
    }

    /// Notes a call to a service that has no lanes: whether it comes although the caller was told to wait.
    pub fn called(&self, key: &Key, stats: &Stats) {
        let now = Instant::now();
        if self.meters.lock().get(key).is_some_and(|meter| meter.is_told(now)) {
            stats.early_call();
        }
    }

    /// Notes that a caller is told to wait, when the answer leaves.
    pub fn told(&self, key: &Key, seconds: f64) {
        self.meters.lock().entry(key.clone()).or_default().tell(Instant::now(), seconds);
    }
}

impl Meter {
    fn refusal(&mut self, now: Instant, limits: &Limits) -> Option<Overrun> {
        let window = Duration::try_from_secs_f64(limits.window_s).unwrap_or_default();
        while self.recent.front().is_some_and(|first| now.duration_since(*first) >= window) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        if self.recent.len() > limits.requests as usize {
            let oldest = self.recent.front().map_or(window, |first| window.saturating_sub(now.duration_since(*first)));
            return Some(Overrun::Window(oldest.as_secs_f64()));
        }
        (self.running >= limits.concurrency).then_some(Overrun::Concurrency(limits.retry_after_s))
    }

    fn is_told(&self, now: Instant) -> bool {
        self.told.is_some_and(|(told, until)| now > told + IN_TRANSIT && now < until)
    }

    fn tell(&mut self, now: Instant, seconds: f64) {
        self.told = Some((now, now + Duration::try_from_secs_f64(seconds).unwrap_or_default()));
    }
}

impl Overrun {
    pub fn seconds(&self) -> f64 {
        match self {
            Self::Concurrency(seconds) | Self::Window(seconds) => *seconds,
        }
    }

    pub fn message(&self) -> &'static str {
        match self {
            Self::Concurrency(_) => "Application is over its MailboxConcurrency limit.",
            Self::Window(_) => "Application is over its MailboxRequests limit.",
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if let Some(meter) = self.meters.lock().get_mut(&self.key) {
            meter.running = meter.running.saturating_sub(1);
        }
    }
}
