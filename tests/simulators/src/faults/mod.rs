//! Faults on demand: rules that strike some requests, each in its own way.

mod rule;
mod spoil;

use parking_lot::Mutex;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) use rule::{Fault, Rule};
pub(crate) use spoil::raw_controls;

use crate::stats::Stats;
use crate::wire::Call;

/// The rules in force, and the dice that decide rates.
pub(crate) struct Faults {
    inner: Mutex<Inner>,
}

struct Inner {
    rules: Vec<Armed>,
    dice: ChaCha8Rng,
}

/// A rule, and what it has seen and done.
struct Armed {
    rule: Rule,
    matched: u64,
    struck: u64,
}

impl Faults {
    pub fn new(seed: u64) -> Self {
        Self { inner: Mutex::new(Inner { rules: Vec::new(), dice: ChaCha8Rng::seed_from_u64(seed) }) }
    }

    pub fn replace(&self, rules: Vec<Rule>) {
        let armed = rules.into_iter().map(|rule| Armed { rule, matched: 0, struck: 0 });
        self.inner.lock().rules = armed.collect();
    }

    pub fn reseed(&self, seed: u64) {
        self.inner.lock().dice = ChaCha8Rng::seed_from_u64(seed);
    }

    /// The fault that strikes a request, if one does: of the first rule whose turn it is.
    pub fn strike(&self, call: &Call, stats: &Stats) -> Option<Fault> {
        let mut inner = self.inner.lock();
        let Inner { rules, dice } = &mut *inner;
        let struck = rules.iter_mut().find_map(|armed| armed.strike(call, dice))?;
        stats.fault(struck.name());
        Some(struck)
    }
}

impl Armed {
    fn strike(&mut self, call: &Call, dice: &mut ChaCha8Rng) -> Option<Fault> {
        if self.rule.times.is_some_and(|times| self.struck >= times) || !self.rule.matches(call) {
            return None;
        }
        self.matched += 1;
        let turn = match self.rule.nth {
            Some(nth) => self.matched == nth,
            None => dice.random_bool(self.rule.rate.clamp(0.0, 1.0)),
        };
        turn.then(|| {
            self.struck += 1;
            self.rule.fault.clone()
        })
    }
}
