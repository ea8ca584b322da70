//! One rule of a fault script, and the fault it lets strike.

use regex::Regex;
use serde::{Deserialize, Deserializer};

use crate::login::EXPIRED;
use crate::pace::Key;
use crate::wire::{Call, Refusal};
use crate::world::World;

/// Which requests, and what becomes of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// A regular expression that the path and query must match somewhere; all if absent.
    #[serde(default, deserialize_with = "regex")]
    path: Option<Regex>,
    method: Option<String>,
    /// How many of the matching requests are struck, from 0 to 1.
    #[serde(default = "always")]
    pub rate: f64,
    /// Only the matching request of this number is struck, counted from 1.
    pub nth: Option<u64>,
    /// No more than so many are struck.
    pub times: Option<u64>,
    pub fault: Fault,
}

fn always() -> f64 {
    1.0
}

fn regex<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Regex>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    text.map(|text| Regex::new(&text)).transpose().map_err(serde::de::Error::custom)
}

/// What happens to a request.
#[derive(Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fault {
    /// 429 (or another status) with a time to wait.
    Throttle {
        #[serde(default = "a_second")]
        retry_after: f64,
        /// How that time is written.
        #[serde(default)]
        form: RetryAfter,
        #[serde(default = "too_many")]
        status: u16,
    },
    Status {
        code: u16,
        /// The error code in the body; a usual one for the status if absent.
        error: Option<String>,
        #[serde(default)]
        message: String,
        /// The answer has no body.
        #[serde(default)]
        empty: bool,
        retry_after: Option<f64>,
    },
    /// The connection breaks, before the answer or after so many bytes of its body.
    Reset { after: Option<u64> },
    /// The body ends early, and the answer is closed as if it were whole.
    Truncate {
        after: u64,
        /// Only bodies whose true end shows (multiparts, base64): of a text cut at the end of a line nobody can tell.
        #[serde(default)]
        tellable: bool,
    },
    /// 401 although the token is good.
    TokenExpired,
    /// The page comes again: its link leads back to itself, or its rows stand in it twice.
    DuplicatePage,
    /// An answer takes longer.
    Latency { ms: u64 },
    /// Bytes of the body are turned into others.
    Corrupt { at: Option<usize> },
    /// The thing is gone.
    Vanish,
}

/// How a time to wait is written into `Retry-After`.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RetryAfter {
    #[default]
    Integer,
    Fractional,
    Date,
    /// The header is missing.
    Absent,
}

fn a_second() -> f64 {
    1.0
}

fn too_many() -> u16 {
    429
}

impl Rule {
    pub fn matches(&self, call: &Call) -> bool {
        let method = self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(call.method.as_str()));
        method && self.path.as_ref().is_none_or(|path| path.is_match(&call.target))
    }
}

impl Fault {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Throttle { .. } => "throttle",
            Self::Status { .. } => "status",
            Self::Reset { .. } => "reset",
            Self::Truncate { .. } => "truncate",
            Self::TokenExpired => "token_expired",
            Self::DuplicatePage => "duplicate_page",
            Self::Latency { .. } => "latency",
            Self::Corrupt { .. } => "corrupt",
            Self::Vanish => "vanish",
        }
    }

    /// The refusal that takes the place of an answer, in the dialect of drives or in that of Outlook.
    pub fn instead(&self, world: &World, key: Option<&Key>, of_drive: bool) -> Option<Refusal> {
        match self {
            Self::Throttle { retry_after, form, status } => {
                if let Some(key) = key {
                    world.pace.told(key, *retry_after);
                }
                let refusal = Refusal::new(*status, "TooManyRequests", "Too many requests.");
                Some(told(world, refusal, *retry_after, *form))
            }
            Self::Status { code, error, message, empty, retry_after } => {
                let error = error.clone().unwrap_or_else(|| usual_code(*code, of_drive).to_owned());
                let refusal = Refusal { empty: *empty, ..Refusal::new(*code, error, message.clone()) };
                Some(match retry_after {
                    Some(seconds) => told(world, refusal, *seconds, RetryAfter::Integer),
                    None => refusal,
                })
            }
            Self::TokenExpired => Some(Refusal::unauthenticated(EXPIRED)),
            Self::Vanish if of_drive => Some(Refusal::drive_item_not_found()),
            Self::Vanish => Some(Refusal::item_not_found()),
            _ => None,
        }
    }

    /// Whether there is no answer at all.
    pub fn breaks(&self) -> bool {
        matches!(self, Self::Reset { after: None })
    }

    pub fn latency_ms(&self) -> u64 {
        match self {
            Self::Latency { ms } => *ms,
            _ => 0,
        }
    }
}

fn told(world: &World, refusal: Refusal, seconds: f64, form: RetryAfter) -> Refusal {
    #[allow(clippy::cast_possible_truncation)]
    let whole = seconds.ceil() as i64;
    match form {
        RetryAfter::Integer => refusal.with("retry-after", whole.to_string()),
        RetryAfter::Fractional => refusal.with("retry-after", format!("{seconds:.3}")),
        RetryAfter::Absent => refusal,
        RetryAfter::Date => {
            // a date has whole seconds only, so that the moment it names is never too early
            let until =
                world.now().checked_add(jiff::SignedDuration::from_secs(whole + 1)).unwrap_or_else(|_| world.now());
            refusal.with("retry-after", httpdate::fmt_http_date(until.into()))
        }
    }
}

fn usual_code(status: u16, of_drive: bool) -> &'static str {
    match status {
        403 if of_drive => "accessDenied",
        404 if of_drive => "itemNotFound",
        423 => "resourceLocked",
        400 => "BadRequest",
        401 => "InvalidAuthenticationToken",
        403 => "ErrorAccessDenied",
        404 => "ErrorItemNotFound",
        429 => "TooManyRequests",
        500 => "InternalServerError",
        502 => "BadGateway",
        503 => "serviceNotAvailable",
        _ => "UnknownError",
    }
}
