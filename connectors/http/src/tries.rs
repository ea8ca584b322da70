//! How often a request has failed, and whether it may try once more.

use crate::{Patience, pacer::jittered};
use std::time::Duration;
use tokio::time::Instant;
use transhume_contract::Fault;

/// What went wrong with one attempt. Each has its own budget: a request that met a throttled minute still has all its
/// chances against a broken connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setback {
    /// The service said "too many". The pause is kept at the key, not here.
    Throttled,
    /// The service said "not now".
    Refused,
    /// The connection broke with the request under way.
    Broken,
    /// No connection was made.
    Unreached,
    /// The token was refused.
    Token,
    /// Trying again is pointless.
    Hopeless,
}

/// The failures of one request so far.
pub(crate) struct Tries {
    patience: Patience,
    first_failure: Option<Instant>,
    throttled: u32,
    refused: u32,
    broken: u32,
    unreached: u32,
    token: u32,
}

impl Tries {
    pub fn new(patience: Patience) -> Self {
        Self { patience, first_failure: None, throttled: 0, refused: 0, broken: 0, unreached: 0, token: 0 }
    }

    /// The pause before the next attempt, or the fault when there is none. `asked` is the pause the service named.
    pub fn after(&mut self, setback: Setback, asked: Option<Duration>, fault: Fault) -> Result<Duration, Fault> {
        let now = Instant::now();
        let since = now - *self.first_failure.get_or_insert(now);
        let (spent, budget) = match setback {
            Setback::Throttled => (&mut self.throttled, self.patience.throttled),
            Setback::Refused => (&mut self.refused, self.patience.refused),
            Setback::Broken => (&mut self.broken, self.patience.broken),
            Setback::Unreached => (&mut self.unreached, self.patience.unreached),
            Setback::Token => (&mut self.token, 1),
            Setback::Hopeless => return Err(fault),
        };
        let so_far = *spent;
        *spent += 1;
        let pause = match setback {
            Setback::Throttled | Setback::Token | Setback::Hopeless => Duration::ZERO,
            Setback::Refused | Setback::Broken | Setback::Unreached => {
                asked.unwrap_or_else(|| jittered(self.patience.pause, self.patience.pause_max, so_far))
            }
        };
        if so_far >= budget || since.saturating_add(pause) > self.patience.total {
            return Err(fault);
        }
        Ok(pause)
    }

    /// A service that never answered gets two chances to be reached.
    pub fn never_reached(&mut self) {
        self.patience.unreached = self.patience.unreached.min(2);
    }
}
