//! What a calendar shows in a window: singles, days of series, exceptions. Cancelled days are gaps.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::Series;
use super::times::{Window, span_of};
use super::zones::zone;
use crate::tenant::{Item, ItemKind, Room};

/// One row of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A single or an exception.
    Item(u32),
    Occurrence {
        master: u32,
        date: Date,
    },
}

/// Everything of a calendar in a window, by its beginning. `utc_days` matches whole days as days of UTC.
pub(crate) fn seen(room: &Room, calendar: u32, window: Window, utc_days: bool) -> Vec<(Timestamp, Seen)> {
    let of_item = |(slot, item): (u32, &Item)| shown_of(room, slot, item, &item.resource(), window, utc_days);
    let mut rows: Vec<(Timestamp, Seen)> = room.items_of(calendar).flat_map(of_item).collect();
    rows.sort_by_key(|(start, _)| *start);
    rows
}

/// The days of one series in a window and its exceptions there, by their beginning.
pub(crate) fn seen_of(room: &Room, master: u32, window: Window, utc_days: bool) -> Vec<(Timestamp, Seen)> {
    let own = room.item(master).map(|item| (master, item)).into_iter().chain(room.exceptions_of(master));
    let of_item = |(slot, item): (u32, &Item)| shown_of(room, slot, item, &item.resource(), window, utc_days);
    let mut rows: Vec<(Timestamp, Seen)> = own.flat_map(of_item).collect();
    rows.sort_by_key(|(start, _)| *start);
    rows
}

/// What one event, in one of its states, shows in a window: itself, or the days of its series without exceptions.
pub(crate) fn shown_of(
    room: &Room,
    slot: u32,
    item: &Item,
    state: &Map<String, Value>,
    window: Window,
    utc_days: bool,
) -> Vec<(Timestamp, Seen)> {
    if item.kind != ItemKind::Master {
        let span = span_of(state, &midnights(state, utc_days)).filter(|span| window.holds(*span));
        return span.map(|(start, _)| (start, Seen::Item(slot))).into_iter().collect();
    }
    let marks = item.marks.as_deref();
    let Some(series) = Series::of(state, marks.and_then(|marks| marks.zone.as_deref())) else { return Vec::new() };
    let series = series.beginning(midnights(state, utc_days));
    let excepted = room.exceptions_of(slot).filter_map(|(_, exception)| series.day_of(&exception.resource()));
    let excepted: Vec<Date> = excepted.collect();
    let days = series.dates(window).filter(|date| !excepted.contains(date));
    let row = |date: Date| Some((series.span(date)?.0, Seen::Occurrence { master: slot, date }));
    days.filter_map(row).collect()
}

/// Where whole days begin: in the zone of whoever made the event, so that dates shown and dates matched can disagree
/// (microsoft-graph-docs#1802); or in UTC, as others measured.
fn midnights(event: &Map<String, Value>, utc_days: bool) -> TimeZone {
    let made_in = event.get("originalStartTimeZone").and_then(Value::as_str).filter(|_| !utc_days);
    made_in.and_then(zone).unwrap_or(TimeZone::UTC)
}
