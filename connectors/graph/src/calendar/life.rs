//! From when to when a series has days, in windows that the service lists at once.

use crate::wire::{Pattern, Range, Recurrence};
use std::time::Duration;
use transhume_contract::{Date, Timestamp};

/// The service lists no more days of a series at once: "Maximum number of days: 1825" (microsoft-graph-docs#6284).
const WINDOW: i64 = 1825;
/// How far a day may have been moved out of the life of its series, and still be seen.
const MOVED: i64 = 730;
/// So many years from now on, a series is listed at least: nobody changes its days further ahead, but for those who do.
const AHEAD: i16 = 20;
/// So far it is followed where people change its days years ahead.
const FARTHEST: i16 = 50;

/// When a series has days. What is changed of an endless one beyond [`AHEAD`] years, behind five years without a change,
/// is not seen; the original tells how far it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    pub from: Date,
    /// The last day listed in any case.
    pub until: Date,
    /// Where days are changed up to the end of what was listed, listing goes on to here.
    pub farthest: Date,
}

/// A stretch of time to list: its first day, and the one after its last.
pub type Window = (Date, Date);

impl Life {
    /// `None` where nobody tells when the series begins.
    pub fn of(recurrence: &Recurrence, begins: Option<&str>, today: Date) -> Option<Self> {
        let range = recurrence.range.clone().unwrap_or_default();
        let first = day(range.start_date.as_deref()).or_else(|| day(begins))?;
        let (ahead, farthest) = (end_of_year(today, AHEAD), end_of_year(today, FARTHEST));
        let (ahead, farthest) = (ahead.max(later(first, WINDOW)), farthest.max(later(first, WINDOW)));
        // One that ends in a thousand years is as good as endless.
        let end = last(first, &range, recurrence.pattern.as_ref()).map_or(farthest, |last| later(last, MOVED));
        Some(Self { from: later(first, -MOVED), until: end.min(ahead), farthest: end.min(farthest) })
    }

    /// The last day of the pattern that listing until here shows, wherever it was moved.
    pub fn seen(listed: Date) -> Date {
        later(listed, -MOVED)
    }

    /// The window that follows a day already listed; `busy` says whether the last one held a changed day.
    pub fn window(&self, listed: Option<Date>, busy: bool) -> Option<Window> {
        let from = listed.unwrap_or(self.from);
        let end = if busy { self.farthest } else { self.until };
        (from < end).then(|| (from, later(from, WINDOW).min(end)))
    }
}

/// How many windows a series without end takes that begins today, and whose days nobody changes.
pub fn windows_of_an_endless_series() -> u64 {
    let today = today();
    let days = later(today, -MOVED).duration_until(end_of_year(today, AHEAD)).as_hours() / 24;
    days.unsigned_abs().div_ceil(WINDOW.unsigned_abs())
}

/// The last day a series may have; `None` for one without end, or with an end this version does not know.
fn last(first: Date, range: &Range, pattern: Option<&Pattern>) -> Option<Date> {
    match range.kind.as_deref() {
        Some("endDate") => day(range.end_date.as_deref()),
        Some("numbered") => {
            let number = range.number_of_occurrences.filter(|number| *number > 0)?;
            let days = number.saturating_mul(pattern?.interval.unwrap_or(1).max(1)).saturating_mul(longest(pattern?)?);
            Some(later(first, days))
        }
        _ => None,
    }
}

/// The most days between two occurrences at an interval of one.
fn longest(pattern: &Pattern) -> Option<i64> {
    match pattern.kind.as_deref()? {
        "daily" => Some(1),
        "weekly" => Some(7),
        "absoluteMonthly" | "relativeMonthly" => Some(31),
        "absoluteYearly" | "relativeYearly" => Some(366),
        _ => None,
    }
}

/// The date at the beginning of a text; `0001-01-01` stands for none.
fn day(text: Option<&str>) -> Option<Date> {
    let date: Date = text?.get(..10)?.parse().ok()?;
    (date.year() > 1).then_some(date)
}

fn later(date: Date, days: i64) -> Date {
    let (least, most) = (Date::constant(1, 1, 2), Date::constant(9999, 12, 30));
    let length = Duration::from_secs(days.unsigned_abs().saturating_mul(86_400));
    let moved = if days < 0 { date.checked_sub(length) } else { date.checked_add(length) };
    moved.unwrap_or(if days < 0 { least } else { most }).clamp(least, most)
}

/// The day it is now in UTC.
pub fn today() -> Date {
    day(Some(&Timestamp::now().to_string())).unwrap_or(Date::ZERO)
}

/// The same over a whole year, so that what is listed of an endless series does not grow every day.
fn end_of_year(today: Date, years: i16) -> Date {
    Date::new(today.year().saturating_add(years).min(9999), 12, 30).unwrap_or(today)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    const TODAY: Date = Date::constant(2026, 3, 1);

    fn life(kind: &str, interval: i64, range: Value) -> Life {
        let recurrence = json!({"pattern": {"type": kind, "interval": interval}, "range": range});
        Life::of(&serde_json::from_value(recurrence).unwrap(), None, TODAY).unwrap()
    }

    fn windows(life: Life, busy: bool) -> Vec<Window> {
        let mut all: Vec<Window> = Vec::new();
        while let Some(window) = life.window(all.last().map(|last| last.1), busy) {
            all.push(window);
        }
        all
    }

    #[test]
    fn thirty_years_of_weeks_are_listed_without_a_gap() {
        let range = json!({"type": "endDate", "startDate": "1996-01-01", "endDate": "2026-01-01"});
        let all = windows(life("weekly", 1, range), false);
        assert_eq!(
            (all.first().unwrap().0, all.last().unwrap().1),
            ("1994-01-01".parse().unwrap(), "2028-01-01".parse().unwrap())
        );
        assert!(all.windows(2).all(|pair| pair[0].1 == pair[1].0));
        assert!(all.iter().all(|(from, to)| from.until(*to).unwrap().get_days() <= 1825));
    }

    #[test]
    fn a_number_of_days_reaches_to_the_last_of_them() {
        for (kind, interval, number, last) in [
            ("daily", 2, 10, "2020-01-21"),
            ("weekly", 2, 3, "2020-02-12"),
            ("relativeMonthly", 1, 12, "2021-01-07"),
            ("absoluteYearly", 1, 4, "2024-01-04"),
        ] {
            let range = json!({"type": "numbered", "startDate": "2020-01-01", "numberOfOccurrences": number});
            let expected = later(last.parse().unwrap(), MOVED);
            assert_eq!(life(kind, interval, range).until, expected, "{kind}");
        }
    }

    #[test]
    fn an_endless_series_is_listed_for_years_to_come_and_further_where_it_was_changed() {
        let range = json!({"type": "noEnd", "startDate": "2019-05-06", "endDate": "0001-01-01"});
        let endless = life("weekly", 1, range);
        assert_eq!((endless.until, endless.farthest), (Date::constant(2046, 12, 30), Date::constant(2076, 12, 30)));
        assert_eq!(windows(endless, false).last().unwrap().1, endless.until);
        assert_eq!(windows(endless, true).last().unwrap().1, endless.farthest);
        let recurrence = json!({"pattern": {"type": "weekly"}, "range": {"type": "noEnd", "startDate": "2019-05-06"}});
        let tomorrow = Life::of(&serde_json::from_value(recurrence).unwrap(), None, Date::constant(2026, 3, 2));
        assert_eq!(tomorrow.map(|life| life.until), Some(endless.until), "the same all year long");
    }

    #[test]
    fn what_an_endless_series_costs_is_what_is_listed() {
        let recurrence =
            json!({"pattern": {"type": "weekly"}, "range": {"type": "noEnd", "startDate": today().to_string()}});
        let life = Life::of(&serde_json::from_value(recurrence).unwrap(), None, today()).unwrap();
        assert_eq!(windows(life, false).len() as u64, windows_of_an_endless_series());
    }

    #[test]
    fn an_end_in_a_thousand_years_is_listed_as_none() {
        let range = json!({"type": "endDate", "startDate": "2020-01-01", "endDate": "9999-12-31"});
        let long = life("daily", 1, range);
        assert_eq!((long.until, long.farthest), (Date::constant(2046, 12, 30), Date::constant(2076, 12, 30)));
        let ends = life("daily", 1, json!({"type": "endDate", "startDate": "2020-01-01", "endDate": "2030-01-01"}));
        assert_eq!(Life::seen(ends.until), Date::constant(2030, 1, 1), "up to its end");
    }

    #[test]
    fn without_a_beginning_nothing_can_be_listed() {
        let none: Recurrence = serde_json::from_value(json!({"range": {"startDate": "0001-01-01"}})).unwrap();
        assert_eq!(Life::of(&none, None, TODAY), None);
        assert!(Life::of(&none, Some("2020-01-01T08:00:00.0000000"), TODAY).is_some());
    }
}
