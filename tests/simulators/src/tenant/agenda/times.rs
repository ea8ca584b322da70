//! Times as events state them: a wall clock without offset, and the name of a zone (Microsoft Graph docs:
//! dateTimeTimeZone).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::zones::zone;

/// A window from its beginning, included, to its end, excluded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Window {
    pub const ALWAYS: Self = Self { from: Timestamp::MIN, to: Timestamp::MAX };

    /// Whether something lies in it at least partly; a thing without length does if it begins in it.
    pub fn holds(&self, (start, end): (Timestamp, Timestamp)) -> bool {
        (start < self.to && end > self.from) || (start == end && start >= self.from && start < self.to)
    }
}

/// The wall clock and the zone of a `dateTimeTimeZone`; UTC where the zone is nobody's.
pub(crate) fn civil(time: &Value) -> Option<(DateTime, TimeZone)> {
    let clock = time["dateTime"].as_str()?.trim_end_matches('Z').parse().ok()?;
    let named = time["timeZone"].as_str().and_then(zone);
    Some((clock, named.unwrap_or(TimeZone::UTC)))
}

/// From when to when an event lasts. All-day events last from midnight to midnight in `midnights`, whatever is printed.
pub(crate) fn span_of(event: &Map<String, Value>, midnights: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let whole_days = event.get("isAllDay").and_then(Value::as_bool).unwrap_or_default();
    let instant = |name: &str| {
        let (clock, zone) = civil(event.get(name)?)?;
        let zone = if whole_days { midnights.clone() } else { zone };
        zone.to_timestamp(clock).ok()
    };
    Some((instant("start")?, instant("end")?))
}

/// As the service writes it: seven digits, no offset, the zone beside it.
pub(crate) fn written(clock: DateTime, zone: &str) -> Value {
    json!({"dateTime": clock.strftime("%Y-%m-%dT%H:%M:%S.0000000").to_string(), "timeZone": zone})
}

/// An instant as events carry it: seven digits and a Z.
pub(crate) fn stamp(instant: Timestamp) -> String {
    let micros = instant.subsec_nanosecond() / 100;
    format!("{}.{micros:07}Z", instant.strftime("%Y-%m-%dT%H:%M:%S"))
}
