//! Calendars as arithmetic: zones, times, recurrences, and what a calendar shows in a window. Written from what Exchange
//! documents and shows; it shares nothing with the conversions that it helps to test.

mod recurrence;
mod series;
mod times;
mod view;
mod zones;

pub(crate) use recurrence::Recurrence;
pub(crate) use series::{Series, occurrence_uid};
pub(crate) use times::{Window, civil, span_of, stamp, written};
pub(crate) use view::{Seen, seen, seen_of, shown_of};
pub(crate) use zones::zone;
