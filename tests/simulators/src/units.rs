//! Throttling as SharePoint does it: each request costs resource units, of which an application has so many in a minute and
//! in a day (SharePoint docs: avoid throttling). Of the first of these limits answers tell once most of it is spent.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::options::Limits;
use crate::stats::Stats;
use crate::wire::{Refusal, Reply};
use crate::world::World;

/// What an application spent.
#[derive(Default)]
pub(crate) struct Units {
    accounts: Mutex<HashMap<String, Account>>,
}

#[derive(Default)]
struct Account {
    minute: Window,
    day: Window,
}

#[derive(Default)]
struct Window {
    began: Option<Instant>,
    spent: u32,
}

/// What a request found when it paid.
pub(crate) struct Charge {
    /// The limit of the minute, what is left of it, and the seconds until it is whole again.
    limit: u32,
    left: u32,
    reset: u64,
    /// Enough of it is spent for answers to tell.
    told: bool,
    refused: Option<Spent>,
}

/// Which limit is spent, and how many seconds that will last.
#[derive(Clone, Copy)]
enum Spent {
    Minute(u64),
    Day(u64),
}

impl Units {
    /// Charges a request. Refused ones are charged like others.
    pub fn charge(&self, app: &str, cost: u32, limits: &Limits, stats: &Stats) -> Charge {
        let now = Instant::now();
        let mut accounts = self.accounts.lock();
        let account = accounts.entry(app.to_owned()).or_default();
        let reset = account.minute.spend(now, limits.resource_window_s, cost);
        let day = account.day.spend(now, limits.resource_day_s, cost);
        let (spent, limit) = (account.minute.spent, limits.resource_units);
        let refused = match (spent > limit, account.day.spent > limits.resource_units_day) {
            (true, _) => Some(Spent::Minute(reset)),
            (false, true) => Some(Spent::Day(day)),
            (false, false) => None,
        };
        stats.charged(cost, refused.is_some());
        let told = f64::from(spent) >= f64::from(limit) * limits.rate_limit_from;
        Charge { limit, left: limit.saturating_sub(spent), reset, told, refused }
    }
}

impl Window {
    /// Counts a cost, in a new window if the last one is over; answers the seconds that are left of it, rounded up.
    fn spend(&mut self, now: Instant, length_s: f64, cost: u32) -> u64 {
        let length = Duration::try_from_secs_f64(length_s).unwrap_or_default();
        if self.began.is_none_or(|began| now.duration_since(began) >= length) {
            *self = Self { began: Some(now), spent: 0 };
        }
        self.spent = self.spent.saturating_add(cost);
        let gone = self.began.map_or(Duration::ZERO, |began| now.duration_since(began));
        let left = length.saturating_sub(gone);
        left.as_secs() + u64::from(left.subsec_nanos() > 0)
    }
}

impl Charge {
    pub fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// The refusal of a request that could not be paid.
    pub fn refusal(&self, world: &World, key: &crate::pace::Key) -> Refusal {
        let seconds = match self.refused {
            Some(Spent::Minute(seconds) | Spent::Day(seconds)) => seconds.max(1),
            None => 1,
        };
        world.pace.told(key, seconds as f64);
        let status = world.knobs().switches.files.throttled_as;
        let (code, message) = match status {
            503 => ("serviceNotAvailable", "The server is too busy. Please try again later."),
            _ => ("activityLimitReached", "The app or user has been throttled."),
        };
        Refusal::new(status, code, message).with("retry-after", seconds.to_string())
    }

    /// Tells of the limit, on answers and on refusals for it; never on refusals for another one.
    pub fn dress(&self, world: &World, reply: Reply) -> Reply {
        let by_minute = matches!(self.refused, Some(Spent::Minute(_)));
        let foretold = self.refused.is_none() && self.told && world.knobs().switches.files.rate_limit_foretold;
        if !by_minute && !foretold {
            return reply;
        }
        reply
            .with("ratelimit-limit", &self.limit.to_string())
            .with("ratelimit-remaining", &self.left.to_string())
            .with("ratelimit-reset", &self.reset.max(1).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(units: u32, day: u32) -> Limits {
        Limits { resource_units: units, resource_units_day: day, ..Limits::default() }
    }

    #[test]
    fn a_minute_holds_so_many_units() {
        let (units, stats) = (Units::default(), Stats::default());
        let charge = |cost| units.charge("app", cost, &limits(10, 100), &stats);
        assert!(!charge(5).told);
        let near = charge(3);
        assert!(near.told && near.left == 2 && !near.is_refused());
        assert!(!charge(2).is_refused(), "all of them can be spent");
        assert!(matches!(charge(1).refused, Some(Spent::Minute(1..=60))));
        assert!(!units.charge("other", 1, &limits(10, 100), &stats).is_refused(), "each application has its own");
        assert_eq!((stats.counts().resource_units, stats.counts().unit_breaches), (12, 1));
    }

    #[test]
    fn a_day_holds_so_many_units() {
        let (units, stats) = (Units::default(), Stats::default());
        let charge = || units.charge("app", 5, &limits(1000, 12), &stats);
        assert!(!charge().is_refused() && !charge().is_refused());
        assert!(matches!(charge().refused, Some(Spent::Day(80_000..))));
    }
}
