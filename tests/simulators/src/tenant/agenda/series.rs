//! A series: on which days it takes place, and from when to when on each of them. It keeps its wall clock in its own zone
//! across changes of the clock; a series of whole days keeps its midnights.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::Recurrence;
use super::times::{Window, civil};
use super::zones::zone;

pub(crate) struct Series {
    recurrence: Recurrence,
    zone: TimeZone,
    clock: Time,
    /// From the beginning to the end of one day's event, by the wall clock.
    length: SignedDuration,
    all_day: bool,
    /// Where whole days begin when they are matched with a window.
    midnights: TimeZone,
    /// The zone of the recurrence, also that of a series of whole days: their `originalStart` is midnight there.
    home: TimeZone,
    cancelled: BTreeSet<Date>,
}

impl Series {
    /// None for an event that is no series, or none that can be expanded. `known` is the zone where its own is opaque.
    pub fn of(master: &Map<String, Value>, known: Option<&str>) -> Option<Self> {
        let stated = master.get("recurrence")?;
        let all_day = master.get("isAllDay").and_then(Value::as_bool).unwrap_or_default();
        let home = own_zone(master, stated, known);
        let zone = if all_day { TimeZone::UTC } else { home.clone() };
        let local = |name: &str| {
            let (clock, printed) = civil(master.get(name)?)?;
            if all_day {
                return Some(clock);
            }
            Some(zone.to_datetime(printed.to_timestamp(clock).ok()?))
        };
        let (start, end) = (local("start")?, local("end")?);
        Some(Self {
            recurrence: Recurrence::read(stated)?,
            clock: start.time(),
            length: start.duration_until(end),
            zone,
            all_day,
            midnights: TimeZone::UTC,
            home,
            cancelled: cancelled(master),
        })
    }

    /// Matches whole days where they begin for somebody, rather than in UTC.
    #[must_use]
    pub fn beginning(self, midnights: TimeZone) -> Self {
        Self { midnights, ..self }
    }

    /// The days in a window that are not cancelled, with exceptions not regarded.
    pub fn dates(&self, window: Window) -> impl Iterator<Item = Date> + '_ {
        let begun = move |date: &Date| self.span(*date).is_some_and(|(start, _)| start < window.to);
        let inside = move |date: &Date| self.span(*date).is_some_and(|span| window.holds(span));
        let days = self.recurrence.dates().take_while(begun).filter(inside);
        days.filter(|date| !self.cancelled.contains(date))
    }

    /// Whether the series takes place on a day, exceptions not regarded.
    pub fn has(&self, date: Date) -> bool {
        !self.cancelled.contains(&date) && self.recurrence.dates().take_while(|one| *one <= date).any(|one| one == date)
    }

    /// The wall clock of a day's event in the zone of the series.
    fn clocks(&self, date: Date) -> Option<(DateTime, DateTime)> {
        let start = date.to_datetime(self.clock);
        Some((start, start.checked_add(self.length).ok()?))
    }

    /// From when to when a day's event lasts.
    pub fn span(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        let (start, end) = self.clocks(date)?;
        let zone = if self.all_day { &self.midnights } else { &self.zone };
        Some((zone.to_timestamp(start).ok()?, zone.to_timestamp(end).ok()?))
    }

    /// As an event states them: in UTC, or as bare midnights for whole days.
    pub fn printed(&self, date: Date) -> Option<(DateTime, DateTime)> {
        if self.all_day {
            return self.clocks(date);
        }
        let (start, end) = self.span(date)?;
        Some((TimeZone::UTC.to_datetime(start), TimeZone::UTC.to_datetime(end)))
    }

    /// The instant at which a day's event begins as the series has it, and which is not changed with the day: that of
    /// whole days is midnight in the zone of the recurrence (microsoft-graph-docs#2804, #7163).
    pub fn original(&self, date: Date) -> Option<Timestamp> {
        if self.all_day {
            return self.home.to_timestamp(date.to_datetime(self.clock)).ok();
        }
        self.span(date).map(|(start, _)| start)
    }

    /// The day of the series that an exception stands for.
    pub fn day_of(&self, exception: &Map<String, Value>) -> Option<Date> {
        let original = exception.get("originalStart").and_then(Value::as_str);
        let instant: Option<Timestamp> = original.and_then(|text| text.parse().ok());
        match instant {
            Some(instant) => Some(self.day_at(instant)),
            None => {
                let (clock, zone) = civil(exception.get("start")?)?;
                Some(self.zone.to_datetime(zone.to_timestamp(clock).ok()?).date())
            }
        }
    }

    /// Dumps that others made may state whole days at midnight in UTC, as the documentation has it.
    fn day_at(&self, original: Timestamp) -> Date {
        let (here, utc) = (self.home.to_datetime(original), TimeZone::UTC.to_datetime(original));
        let plain = self.all_day && here.time() != Time::midnight() && utc.time() == Time::midnight();
        if plain { utc.date() } else { here.date() }
    }
}

/// The zone whose clock a series keeps: that of its recurrence, else the one it was made in.
fn own_zone(master: &Map<String, Value>, recurrence: &Value, known: Option<&str>) -> TimeZone {
    let stated = recurrence["range"]["recurrenceTimeZone"].as_str();
    let made_in = master.get("originalStartTimeZone").and_then(Value::as_str);
    [known, stated, made_in].into_iter().flatten().find_map(zone).unwrap_or(TimeZone::UTC)
}

/// Of `OID.<id of the master>.<date>` only the date is read.
fn cancelled(master: &Map<String, Value>) -> BTreeSet<Date> {
    let stated = master.get("cancelledOccurrences").and_then(Value::as_array);
    let last_ten = |text: &str| text.get(text.len().checked_sub(10)?..)?.parse().ok();
    stated.into_iter().flatten().filter_map(Value::as_str).filter_map(last_ten).collect()
}

/// What a UID that Exchange made begins with, and where the date of an occurrence stands in it ([MS-OXOCAL], 2.2.1.27).
const MADE_BY_EXCHANGE: &str = "040000008200E00074C5B7101A82E008";

/// The `iCalUId` of one day of a series, which differs from that of the series and of every other day.
pub(crate) fn occurrence_uid(series: &str, date: Date) -> String {
    let day = format!("{:04X}{:02X}{:02X}", date.year(), date.month(), date.day());
    match series.get(..40) {
        Some(head) if head.to_ascii_uppercase().starts_with(MADE_BY_EXCHANGE) => {
            format!("{}{day}{}", &series[..32], &series[40..])
        }
        _ => format!("{MADE_BY_EXCHANGE}{day}{}", wrapped(series)),
    }
}

/// A UID that another system made, as Exchange packs it: no time of creation, a length, `vCal-Uid`, the UID.
fn wrapped(uid: &str) -> String {
    let length = u32::try_from(uid.len() + 13).unwrap_or_default();
    let mut bytes = vec![0; 16];
    bytes.extend(length.to_le_bytes());
    bytes.extend(b"vCal-Uid\x01\0\0\0");
    bytes.extend(uid.as_bytes());
    bytes.push(0);
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn series(event: Value) -> Series {
        Series::of(event.as_object().unwrap(), None).unwrap()
    }

    fn weekly(start: &str, end: &str, zone: &str, from: &str) -> Value {
        json!({
            "start": {"dateTime": start, "timeZone": "UTC"}, "end": {"dateTime": end, "timeZone": "UTC"},
            "recurrence": {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["sunday", "saturday"]},
                "range": {"type": "numbered", "startDate": from, "numberOfOccurrences": 4, "recurrenceTimeZone": zone}},
        })
    }

    #[test]
    fn the_wall_clock_stays_across_a_change_of_the_clock() {
        let series =
            series(weekly("2026-03-28T22:30:00", "2026-03-29T00:30:00", "W. Europe Standard Time", "2026-03-28"));
        let starts: Vec<String> = series
            .dates(Window::ALWAYS)
            .map(|date| series.printed(date).map(|(start, end)| format!("{start} {end}")).unwrap())
            .collect();
        assert_eq!(starts[0], "2026-03-28T22:30:00 2026-03-29T00:30:00");
        assert_eq!(starts[1], "2026-03-29T21:30:00 2026-03-29T23:30:00", "an hour earlier in UTC");
    }

    #[test]
    fn a_day_in_the_zone_of_the_series_is_not_the_day_in_utc() {
        let series = series(weekly("2026-05-01T22:00:00", "2026-05-01T23:00:00", "Tokyo Standard Time", "2026-05-02"));
        let dates: Vec<String> = series.dates(Window::ALWAYS).map(|date| date.to_string()).collect();
        assert_eq!(dates, ["2026-05-02", "2026-05-03", "2026-05-09", "2026-05-10"]);
        assert_eq!(series.printed(Date::constant(2026, 5, 3)).unwrap().0.to_string(), "2026-05-02T22:00:00");
    }

    #[test]
    fn whole_days_were_made_at_midnight_in_their_zone() {
        let mut event = weekly("2026-05-02T00:00:00", "2026-05-03T00:00:00", "Romance Standard Time", "2026-05-02");
        event["isAllDay"] = true.into();
        let series = series(event);
        let day = Date::constant(2026, 5, 3);
        assert_eq!(series.original(day).unwrap().to_string(), "2026-05-02T22:00:00Z");
        assert_eq!(series.printed(day).unwrap().0.to_string(), "2026-05-03T00:00:00", "and shown at midnight anywhere");
        for original in ["2026-05-02T22:00:00Z", "2026-05-03T00:00:00Z"] {
            assert_eq!(series.day_of(json!({"originalStart": original}).as_object().unwrap()), Some(day), "{original}");
        }
    }

    #[test]
    fn uids_of_occurrences_hold_their_day() {
        let made = "040000008200E00074C5B7101A82E0080000000040A1B2C3D4E5D601000000000000000010000000";
        let day = Date::constant(2026, 5, 3);
        assert_eq!(&occurrence_uid(made, day)[..48], "040000008200E00074C5B7101A82E00807EA050340A1B2C3");
        assert!(occurrence_uid("abc@google.com", day).starts_with("040000008200E00074C5B7101A82E00807EA0503"));
        assert!(occurrence_uid("abc@google.com", day).ends_with("61626340676F6F676C652E636F6D00"));
    }
}
