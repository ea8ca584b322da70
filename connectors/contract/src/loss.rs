//! A named thing that a rendering or a target could not carry.

use serde::{Deserialize, Serialize};

/// A named field that could not be carried, and why. The original keeps the value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Loss {
    /// Stable name, for scripts and totals: `nul_bytes`, `date_clamped`, `keyword_refused`, `reassembled`.
    pub name: String,
    /// One clause for people: what was changed or dropped, and why.
    pub detail: String,
}

impl Loss {
    pub fn new(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), detail: detail.into() }
    }
}
