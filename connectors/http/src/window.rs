//! "At most N in any stretch of T", kept exactly, in memory that does not grow with N.

use crate::Window;
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// Time is cut into slices; a slice is forgotten when a whole window has passed since its end, so that what is counted
/// is never less than the truth and at most one slice (1/120) more.
///
/// Why not the crate governor: its algorithm (GCRA) lets a full burst and a full rate overlap, so that one stretch can
/// see nearly twice the limit unless both are halved, and it cannot ask several keys before taking from all of them.
pub(crate) struct Meter {
    window: Window,
    origin: Instant,
    slices: VecDeque<(u32, u32)>,
    used: u32,
    last: Instant,
}

const SLICES: u32 = 120;

impl Meter {
    pub fn new(window: Window, now: Instant) -> Self {
        Self { window, origin: now, slices: VecDeque::new(), used: 0, last: now }
    }

    /// When `cost` may be taken: `now` or later. The first half of a window is free, the second is spread over the
    /// time until the oldest slice is forgotten, so that a key slows down instead of standing still for minutes.
    pub fn ready_at(&mut self, cost: u32, now: Instant) -> Instant {
        self.forget(now);
        let cost = self.bounded(cost);
        let Some(oldest) = self.slices.front().map(|slice| self.forgotten_at(slice.0)) else { return now };
        let left = self.window.requests.saturating_sub(self.used);
        if left < cost {
            return oldest;
        }
        if left > self.window.requests / 2 {
            return now;
        }
        let spread = oldest.saturating_duration_since(self.last).as_secs_f64() * f64::from(cost) / f64::from(left + 1);
        (self.last + Duration::from_secs_f64(spread)).max(now)
    }

    pub fn take(&mut self, cost: u32, now: Instant) {
        let cost = self.bounded(cost);
        let slice = self.slice_of(now);
        match self.slices.back_mut() {
            Some((last, used)) if *last == slice => *used += cost,
            _ => self.slices.push_back((slice, cost)),
        }
        self.used += cost;
        self.last = now;
    }

    pub fn is_idle(&mut self, now: Instant) -> bool {
        self.forget(now);
        self.used == 0
    }

    fn forget(&mut self, now: Instant) {
        while let Some(&(slice, used)) = self.slices.front() {
            if self.forgotten_at(slice) > now {
                break;
            }
            self.used -= used;
            self.slices.pop_front();
        }
    }

    /// What costs more than the whole window would never get through.
    fn bounded(&self, cost: u32) -> u32 {
        cost.min(self.window.requests.max(1))
    }

    fn slice_of(&self, now: Instant) -> u32 {
        let slice = now.saturating_duration_since(self.origin).as_secs_f64() / self.slice().as_secs_f64();
        slice as u32
    }

    fn forgotten_at(&self, slice: u32) -> Instant {
        self.origin + self.slice() * slice.saturating_add(1) + self.window.per
    }

    fn slice(&self) -> Duration {
        (self.window.per / SLICES).max(Duration::from_micros(1))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    const OUTLOOK: Window = Window { requests: 9_600, per: Duration::from_secs(600) };

    /// Takes as fast as the meter allows, with so much time between two requests at least, and tells when.
    fn greedy(window: Window, cost: u32, step: Duration, until: Duration) -> Vec<Duration> {
        let start = Instant::now();
        let mut meter = Meter::new(window, start);
        let mut taken = Vec::new();
        let mut now = start;
        while now - start < until {
            match meter.ready_at(cost, now) {
                at if at > now => now = at,
                _ => {
                    meter.take(cost, now);
                    taken.push(now - start);
                    now += step;
                }
            }
        }
        taken
    }

    fn most_in_a_window(taken: &[Duration], per: Duration) -> usize {
        let mut first = 0;
        let counts = taken.iter().enumerate().map(|(last, at)| {
            while *at - taken[first] >= per {
                first += 1;
            }
            last - first + 1
        });
        counts.max().unwrap_or(0)
    }

    #[test]
    fn no_stretch_of_a_window_ever_holds_more_than_its_limit() {
        for step in [1, 20, 60, 62, 63, 200] {
            let taken = greedy(OUTLOOK, 1, Duration::from_millis(step), OUTLOOK.per * 4);
            assert!(most_in_a_window(&taken, OUTLOOK.per) <= 9_600, "a request every {step} ms");
        }
    }

    #[test]
    fn what_the_limit_allows_is_used() {
        let taken = greedy(OUTLOOK, 1, Duration::from_millis(10), OUTLOOK.per * 10);
        assert!(taken.len() > 9_600 * 10 * 97 / 100, "{} in ten windows", taken.len());
    }

    #[test]
    fn nobody_stands_still_for_long() {
        let taken = greedy(OUTLOOK, 1, Duration::from_millis(10), OUTLOOK.per * 5);
        let longest = taken.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(longest < Duration::from_secs(10), "{longest:?}");
    }

    #[test]
    fn a_small_mailbox_never_waits() {
        let taken = greedy(OUTLOOK, 1, Duration::from_millis(1), Duration::from_millis(4_000));
        assert_eq!(taken.len(), 4_000);
    }

    #[test]
    fn costs_are_counted_in_units() {
        let units = Window { requests: 100, per: Duration::from_secs(10) };
        let taken = greedy(units, 5, Duration::from_millis(1), units.per * 3);
        assert!(most_in_a_window(&taken, units.per) <= 20);
    }

    #[test]
    fn what_costs_more_than_everything_gets_through_alone() {
        let tiny = Window { requests: 2, per: Duration::from_secs(1) };
        assert_eq!(most_in_a_window(&greedy(tiny, 50, Duration::from_millis(1), tiny.per * 5), tiny.per), 1);
    }
}
