//! Stays below the limits of a service, per key: lanes, windows and pauses.
//!
//! A request that counts under several keys waits for them from the narrowest to the widest, first come first served
//! at each, so that a mailbox that must wait never stands in the way of another at the key of the app.

use crate::{
    Patience, Window,
    limits::{Counters, LaneKey, LaneView, Limits},
    window::Meter,
};
use rand::Rng;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Mutex as Turn, Notify, OwnedMutexGuard},
    time::{Instant, sleep_until},
};

/// A lane lost to a refusal comes back after so long without another, and the next one after as long again.
const RECOVERY: Duration = Duration::from_secs(300);
/// More than any clock arithmetic overflows with; nobody waits so long (see `enter`).
const LONGEST_PAUSE: Duration = Duration::from_secs(365 * 86_400);
/// Keys that stand idle are forgotten when there are more than this.
const KEYS_KEPT: usize = 1024;

#[derive(Clone)]
pub(crate) struct Pacer(Arc<Shared>);

struct Shared {
    limits: Limits,
    recovery: Duration,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    keys: HashMap<LaneKey, Key>,
    /// When there are more keys than this, the idle ones are looked for.
    crowd: usize,
    counters: Counters,
}

struct Key {
    turn: Arc<Turn<()>>,
    changed: Arc<Notify>,
    ceiling: usize,
    lanes: usize,
    in_flight: usize,
    /// When the last lane was lost or won back.
    stepped: Option<Instant>,
    paused_until: Option<Instant>,
    /// When the pause was asked for.
    paused_at: Option<Instant>,
    /// Refusals without a named pause, one after the other.
    streak: u32,
    meter: Option<Meter>,
}

/// The lanes of a request under way. Dropping it frees them.
pub(crate) struct Permit {
    pacer: Pacer,
    keys: Vec<LaneKey>,
    pub entered: Instant,
}

enum Readiness {
    Now,
    At(Instant),
    Paused(Instant),
    Crowded,
}

impl Pacer {
    pub fn new(limits: Limits) -> Self {
        Self::recovering(limits, RECOVERY)
    }

    fn recovering(limits: Limits, recovery: Duration) -> Self {
        Self(Arc::new(Shared { limits, recovery, book: Mutex::default() }))
    }

    /// Waits until every key has a lane free, room in its window and no pause. A pause longer than `longest` is not
    /// waited for: its length comes back as the error.
    pub async fn enter(&self, lanes: &[LaneKey], cost: u32, longest: Duration) -> Result<Permit, Duration> {
        let began = Instant::now();
        let keys = self.ordered(lanes);
        let mut turns: Vec<OwnedMutexGuard<()>> = Vec::with_capacity(keys.len());
        let mut at = 0;
        loop {
            while let Some(key) = keys.get(at) {
                if turns.len() == at {
                    let turn = self.turn(key);
                    turns.push(turn.lock_owned().await);
                }
                self.until_ready(key, cost, longest).await?;
                at += 1;
            }
            match self.take(&keys, cost, began) {
                None => return Ok(Permit { pacer: self.clone(), keys, entered: Instant::now() }),
                Some(first) => {
                    turns.truncate(first + 1);
                    at = first;
                }
            }
        }
    }

    /// The pause a refusal asks for; without one, exponential with jitter. Returns when the key may be used again.
    /// `entered` is when the refused request got its lanes: those that were under way together are one refusal.
    pub fn pause(&self, key: &LaneKey, asked: Option<Duration>, entered: Instant, patience: &Patience) -> Instant {
        let mut book = self.book();
        let now = Instant::now();
        let key = self.key(&mut book, key);
        let before = key.paused_until.filter(|until| *until > now);
        let pause = match (asked, before, key.paused_at) {
            (Some(asked), ..) => asked.min(LONGEST_PAUSE),
            (None, Some(until), Some(at)) if entered < at => return until,
            (None, ..) => {
                key.streak = key.streak.saturating_add(1);
                jittered(patience.pause, patience.pause_max, key.streak - 1)
            }
        };
        let until = before.map_or(now + pause, |before| before.max(now + pause));
        (key.paused_at, key.paused_until) = (Some(now), Some(until));
        until
    }

    /// The service refused for being asked too much at once. All requests that were under way when the last lane was
    /// lost are one refusal, not several.
    pub fn step_down(&self, key: &LaneKey, entered: Instant) {
        let mut book = self.book();
        let name = key;
        let key = self.key(&mut book, key);
        if key.stepped.is_some_and(|stepped| entered < stepped) {
            return;
        }
        key.stepped = Some(Instant::now());
        key.lanes = key.lanes.saturating_sub(1).max(1);
        tracing::info!(class = name.class, lanes = key.lanes, "the service is crowded, one lane less");
    }

    pub fn count(&self, change: impl FnOnce(&mut Counters)) {
        change(&mut self.book().counters);
    }

    pub fn counters(&self) -> Counters {
        self.book().counters
    }

    pub fn view(&self, key: &LaneKey) -> Option<LaneView> {
        let book = self.book();
        let key = book.keys.get(key)?;
        let paused_until = key.paused_until.filter(|until| *until > Instant::now());
        Some(LaneView { lanes: key.lanes, in_flight: key.in_flight, paused_until })
    }

    /// A request ended well: refusals are forgotten, and in time a lost lane comes back.
    pub fn went_well(&self, keys: &[LaneKey]) {
        let mut book = self.book();
        let now = Instant::now();
        for key in keys {
            let Some(key) = book.keys.get_mut(key) else { continue };
            key.streak = 0;
            if key.lanes < key.ceiling && key.stepped.is_none_or(|stepped| now >= stepped + self.0.recovery) {
                key.lanes += 1;
                key.stepped = Some(now);
                key.changed.notify_one();
            }
        }
    }

    async fn until_ready(&self, key: &LaneKey, cost: u32, longest: Duration) -> Result<(), Duration> {
        loop {
            let (readiness, changed) = {
                let mut book = self.book();
                let key = self.key(&mut book, key);
                (key.readiness(cost, Instant::now()), key.changed.clone())
            };
            let until = match readiness {
                Readiness::Now => return Ok(()),
                Readiness::Crowded => {
                    changed.notified().await;
                    continue;
                }
                Readiness::At(until) => until,
                Readiness::Paused(until) => {
                    let pause = until.saturating_duration_since(Instant::now());
                    if pause > longest {
                        return Err(pause);
                    }
                    until
                }
            };
            sleep_until(until).await;
        }
    }

    /// Takes from all keys, or from none: then the first that is not ready.
    fn take(&self, keys: &[LaneKey], cost: u32, began: Instant) -> Option<usize> {
        let mut book = self.book();
        let now = Instant::now();
        for (at, key) in keys.iter().enumerate() {
            if !matches!(self.key(&mut book, key).readiness(cost, now), Readiness::Now) {
                return Some(at);
            }
        }
        for key in keys {
            let key = self.key(&mut book, key);
            key.in_flight += 1;
            if let Some(meter) = &mut key.meter {
                meter.take(cost, now);
            }
        }
        book.counters.in_flight += 1;
        book.counters.waited += now.saturating_duration_since(began);
        None
    }

    fn leave(&self, keys: &[LaneKey]) {
        let mut book = self.book();
        book.counters.in_flight = book.counters.in_flight.saturating_sub(1);
        for key in keys {
            let Some(key) = book.keys.get_mut(key) else { continue };
            key.in_flight = key.in_flight.saturating_sub(1);
            key.changed.notify_one();
        }
    }

    /// The order in which keys are waited for is the same for all requests, or two could wait for each other.
    fn ordered(&self, lanes: &[LaneKey]) -> Vec<LaneKey> {
        let mut keys = lanes.to_vec();
        keys.sort_by(|a, b| (self.0.limits.rank(a.class), a).cmp(&(self.0.limits.rank(b.class), b)));
        keys.dedup();
        keys
    }

    fn turn(&self, key: &LaneKey) -> Arc<Turn<()>> {
        let mut book = self.book();
        if book.keys.len() > book.crowd.max(KEYS_KEPT) {
            book.forget_idle(key);
            // Thousands of busy keys are not searched again at every request.
            book.crowd = book.keys.len() * 2;
        }
        self.key(&mut book, key).turn.clone()
    }

    fn key<'a>(&self, book: &'a mut Book, key: &LaneKey) -> &'a mut Key {
        let limit = self.0.limits.of(key.class);
        book.keys.entry(key.clone()).or_insert_with(|| Key::new(limit.lanes, limit.window))
    }

    /// A poisoned book is still a book: its numbers are changed one statement at a time.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn forget_idle(&mut self, wanted: &LaneKey) {
        let now = Instant::now();
        self.keys.retain(|name, key| name == wanted || !key.is_idle(now));
    }
}

impl Key {
    fn new(lanes: usize, window: Option<Window>) -> Self {
        let ceiling = lanes.max(1);
        Self {
            turn: Arc::default(),
            changed: Arc::default(),
            ceiling,
            lanes: ceiling,
            in_flight: 0,
            stepped: None,
            paused_until: None,
            paused_at: None,
            streak: 0,
            meter: window.map(|window| Meter::new(window, Instant::now())),
        }
    }

    fn readiness(&mut self, cost: u32, now: Instant) -> Readiness {
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Readiness::Paused(until);
        }
        if self.in_flight >= self.lanes {
            return Readiness::Crowded;
        }
        match self.meter.as_mut().map(|meter| meter.ready_at(cost, now)) {
            Some(at) if at > now => Readiness::At(at),
            _ => Readiness::Now,
        }
    }

    /// Nobody holds it or waits for it, and it would stand the same if it were made anew.
    fn is_idle(&mut self, now: Instant) -> bool {
        Arc::strong_count(&self.turn) == 1
            && self.in_flight == 0
            && self.lanes == self.ceiling
            && self.paused_until.is_none_or(|until| until <= now)
            && self.meter.as_mut().is_none_or(|meter| meter.is_idle(now))
    }
}

impl Permit {
    pub fn keys(&self) -> &[LaneKey] {
        &self.keys
    }
    pub fn went_well(&self) {
        self.pacer.went_well(&self.keys);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.pacer.leave(&self.keys);
    }
}

/// Doubling from `first` up to `most`, of which a random half is taken away, so that lanes do not return as one.
pub(crate) fn jittered(first: Duration, most: Duration, streak: u32) -> Duration {
    let full = first.saturating_mul(1 << streak.min(20)).min(most);
    full.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
#[path = "pacer_tests.rs"]
mod tests;
