//! Sends requests, and sends them again where that is right.

use crate::{Counters, LaneKey, LaneView, Request, Response, RoadConfig, Tokens, Whole, Wire};
use std::sync::Arc;
use transhume_contract::{Fault, What};

/// The road to one service. Cheap to share behind an `Arc`.
pub struct Road {
    wire: Wire,
    _config: RoadConfig,
    _tokens: Option<Arc<dyn Tokens>>,
}

impl Road {
    pub fn new(wire: Wire, config: RoadConfig, tokens: Option<Arc<dyn Tokens>>) -> Self {
        Self { wire, _config: config, _tokens: tokens }
    }

    /// Sends a request when its keys allow, and again where that is right. Returns every final answer, redirects and
    /// refusals included: what a 404 means is the connector's to say.
    ///
    /// Faults: `Throttled` or `Unreachable` when patience has ended, `Unauthenticated` when the token was refused
    /// twice or cannot be had, `Forbidden` (reaching the run, remedy `Report`) for an address that must not be
    /// reached. The code is the service's own, or `HTTP 504` and the like where it gave none.
    pub async fn send(&self, request: Request) -> Result<Response, Fault> {
        let _ = request;
        Err(Fault::new(What::Unsupported, "not yet"))
    }

    /// As `send`, with the whole body, at most `limit` bytes. A body that breaks is asked for again where the request
    /// is idempotent.
    pub async fn whole(&self, request: Request, limit: usize) -> Result<Whole, Fault> {
        let _ = (request, limit);
        Err(Fault::new(What::Unsupported, "not yet"))
    }

    /// The request that follows a redirect. It carries the token only where the new host is of this service, and
    /// never any header that proves who asks anywhere else. Asked from https it never leads to http.
    pub fn follow(&self, from: &Request, location: &str) -> Result<Request, Fault> {
        let _ = (from, location);
        Err(Fault::new(What::Unsupported, "not yet"))
    }

    pub fn counters(&self) -> Counters {
        Counters::default()
    }
    /// How a key stands now; `None` when it was not used lately.
    pub fn lane(&self, key: &LaneKey) -> Option<LaneView> {
        let _ = key;
        None
    }
    /// The servers' clock minus ours, in seconds.
    pub fn clock_skew(&self) -> Option<i64> {
        self.wire.clock_skew()
    }
}
