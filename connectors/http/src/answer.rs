//! What an answer means for the road: go on, wait, try again, sign in again.

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// Reads an answer of status 400 or above. The bytes are the body's beginning (64 KiB at most).
pub type Classify = fn(StatusCode, &HeaderMap, &[u8]) -> Reading;

/// What an answer means to the road.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub verdict: Verdict,
    /// The service's own code; it ends up in the fault.
    pub code: Option<String>,
}

/// What is to be done with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is for the connector, whatever its status.
    Final,
    /// The same request may succeed later.
    Transient,
    /// Too many requests. The pause falls on the request's key of this class, or on its first key.
    Throttled(Option<&'static str>),
    /// Too many requests at the same time: as `Throttled`, and that key loses a lane.
    Crowded(Option<&'static str>),
    /// The token was refused. Once a fresh one is tried, then the run stops.
    TokenRefused,
}

impl Reading {
    pub fn new(verdict: Verdict, code: Option<String>) -> Self {
        Self { verdict, code }
    }
}

/// The reading that goes by the status alone.
pub fn http_only(status: StatusCode, _: &HeaderMap, _: &[u8]) -> Reading {
    let verdict = match status.as_u16() {
        401 => Verdict::TokenRefused,
        429 => Verdict::Throttled(None),
        408 | 500 | 502 | 503 | 504 | 509 => Verdict::Transient,
        _ => Verdict::Final,
    };
    Reading::new(verdict, None)
}

/// The pause an answer asks for. Whole seconds and dates are RFC 9110 section 10.2.3; fractions of a second are not,
/// yet the Microsoft Graph throttling guidance shows `2.128`.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}
