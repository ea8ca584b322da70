//! The one client: TLS, timeouts, the server's clock.

use crate::WireConfig;
use transhume_contract::Fault;

/// The way to the network, shared by the road and its token cache. Cheap to clone.
#[derive(Clone)]
pub struct Wire {
    _private: (),
}

impl Wire {
    /// `Malformed`, reaching the run, when the file of certificate authorities cannot be read.
    pub fn new(config: &WireConfig) -> Result<Self, Fault> {
        let _ = config;
        Ok(Self { _private: () })
    }
    /// The servers' clock minus ours, in seconds, as the latest Date header told. `None` before the first answer.
    pub fn clock_skew(&self) -> Option<i64> {
        None
    }
}
