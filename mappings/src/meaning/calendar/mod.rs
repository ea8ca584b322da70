//! The comparable value of an event and its series: what people see in their calendars, whatever text carries it.
//!
//! Written apart from [`crate::render`] on purpose and sharing no code with it: what converts must not judge itself. The
//! series is expanded twice over, on the service's side day by day from its pattern (or taken from the occurrences the
//! service lists), on the text's side from RRULE, EXDATE and overrides, with the zone rules that the text itself
//! carries. Not even the library that writes iCalendar reads it here.

mod compare;
pub(in crate::meaning) mod days;
mod difference;
pub(in crate::meaning) mod graph;
pub(in crate::meaning) mod ical;
pub(in crate::meaning) mod lines;
mod people;
pub(in crate::meaning) mod rule;
pub(in crate::meaning) mod words;
mod zone;

pub(in crate::meaning) use compare::changed;
pub use compare::compare;
pub use difference::{Difference, difference, differences};
pub(in crate::meaning) use difference::{facts as compare_facts, said_elsewhere};
pub use graph::original;
pub use ical::text;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use std::collections::BTreeMap;

/// Endless series, and those that might as well be, are looked at for so many occurrences and years.
const OCCURRENCES: usize = 15_000;
const YEARS: i16 = 40;

/// What an event says, by names such as `summary`, `class`, `attendee b@x.example`.
pub type Facts = BTreeMap<String, String>;

/// An event, or a series with its changed and cancelled occurrences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CalendarMeaning {
    /// Empty where the service told none.
    pub uid: String,
    /// Of the event, or of the occurrences that were not changed.
    pub facts: Facts,
    /// By the wall clock at which the pattern has them, which a moved one no longer has.
    pub occurrences: BTreeMap<DateTime, Occurrence>,
    /// There are more occurrences than those looked at.
    pub more: bool,
}

/// One occurrence; a single event has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    pub start: When,
    pub end: When,
    /// What a changed occurrence says; none where it says what the series says.
    pub facts: Option<Facts>,
}

/// What a changed occurrence says, without the attachments that it shares with its series: the service shows them with
/// each of its days, and calendars hold them once.
fn beside_series(mut facts: Facts, series: &Facts) -> Facts {
    facts.retain(|name, value| !name.starts_with("attachment ") || series.get(name) != Some(value));
    facts
}

/// A beginning or an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Of an all-day event; the end is the day after the last.
    Day(Date),
    /// An instant, and the clock on the wall there.
    Moment { at: Timestamp, wall: DateTime },
}

/// The text is no iCalendar object that can be compared, with the reason for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

pub(in crate::meaning) fn unreadable<T>(sentence: impl Into<String>) -> Result<T, Unreadable> {
    Err(Unreadable(sentence.into()))
}
