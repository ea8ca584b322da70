//! The days of a series (Microsoft Graph docs: recurrencePattern, recurrenceRange).
//!
//! A pattern is walked period by period (days, weeks from the first day of the week, months, years), every `interval`-th
//! one; each period has its days, and those from the start of the range to its end are the series. A day that a month
//! does not have is its last one, as Exchange does it.

use jiff::Span;
use jiff::civil::{Date, Weekday};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recurrence {
    pattern: Pattern,
    pub start: Date,
    end: End,
}

#[derive(Debug, Clone, PartialEq)]
struct Pattern {
    kind: Kind,
    interval: i32,
    month: i8,
    day: i8,
    days: Vec<Weekday>,
    first: Weekday,
    index: Index,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Daily,
    Weekly,
    AbsoluteMonthly,
    RelativeMonthly,
    AbsoluteYearly,
    RelativeYearly,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Index {
    Nth(usize),
    Last,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Never,
    On(Date),
    After(usize),
}

impl Recurrence {
    /// None for a recurrence that is none: no start, or a type that nobody knows.
    pub fn read(recurrence: &Value) -> Option<Self> {
        let range = &recurrence["range"];
        let start: Date = range["startDate"].as_str()?.parse().ok()?;
        let end = match range["type"].as_str()? {
            "endDate" => End::On(range["endDate"].as_str()?.parse().ok()?),
            "numbered" => End::After(usize::try_from(range["numberOfOccurrences"].as_u64()?).ok()?),
            "noEnd" => End::Never,
            _ => return None,
        };
        Some(Self { pattern: Pattern::read(&recurrence["pattern"], start)?, start, end })
    }

    /// Every day in order. It ends where the calendar ends, if the series has no end.
    pub fn dates(&self) -> impl Iterator<Item = Date> + '_ {
        let most = match self.end {
            End::After(count) => count,
            End::Never | End::On(_) => usize::MAX,
        };
        let last = match self.end {
            End::On(date) => date,
            End::Never | End::After(_) => Date::MAX,
        };
        let periods = (0..).map_while(|number| self.pattern.period(self.start, number));
        let days = periods.flatten().filter(|date| *date >= self.start);
        days.take(most).take_while(move |date| *date <= last)
    }
}

impl Pattern {
    fn read(pattern: &Value, start: Date) -> Option<Self> {
        let kind = match pattern["type"].as_str()? {
            "daily" => Kind::Daily,
            "weekly" => Kind::Weekly,
            "absoluteMonthly" => Kind::AbsoluteMonthly,
            "relativeMonthly" => Kind::RelativeMonthly,
            "absoluteYearly" => Kind::AbsoluteYearly,
            "relativeYearly" => Kind::RelativeYearly,
            _ => return None,
        };
        let number = |name: &str| pattern[name].as_i64().and_then(|number| i8::try_from(number).ok()).unwrap_or(0);
        let named = pattern["daysOfWeek"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let days: Vec<Weekday> = named.filter_map(weekday).collect();
        Some(Self {
            kind,
            interval: pattern["interval"].as_i64().and_then(|n| i32::try_from(n).ok()).unwrap_or(1).max(1),
            month: if number("month") > 0 { number("month") } else { start.month() },
            day: if number("dayOfMonth") > 0 { number("dayOfMonth") } else { start.day() },
            days: if days.is_empty() { vec![start.weekday()] } else { days },
            first: pattern["firstDayOfWeek"].as_str().and_then(weekday).unwrap_or(Weekday::Sunday),
            index: index(pattern["index"].as_str()),
        })
    }

    /// The days of a period, in order; none where the calendar ends.
    fn period(&self, start: Date, number: i32) -> Option<Vec<Date>> {
        let ahead = number.checked_mul(self.interval)?;
        match self.kind {
            Kind::Daily => Some(vec![start.checked_add(Span::new().try_days(ahead).ok()?).ok()?]),
            Kind::Weekly => self.week(start, ahead),
            Kind::AbsoluteMonthly => Some(vec![clamped(month_after(start, ahead)?, self.day)?]),
            Kind::RelativeMonthly => Some(vec![self.nth(month_after(start, ahead)?)?]),
            Kind::AbsoluteYearly => Some(vec![clamped(self.month_of(start, ahead)?, self.day)?]),
            Kind::RelativeYearly => Some(vec![self.nth(self.month_of(start, ahead)?)?]),
        }
    }

    fn week(&self, start: Date, ahead: i32) -> Option<Vec<Date>> {
        let into = start.weekday().since(self.first);
        let first = start.checked_add(Span::new().try_days(i64::from(ahead) * 7 - i64::from(into)).ok()?).ok()?;
        let offsets = (0..7).filter(|offset| self.days.contains(&self.first.wrapping_add(*offset)));
        Some(offsets.filter_map(|offset| first.checked_add(Span::new().days(offset)).ok()).collect())
    }

    /// The first day of the pattern's month so many years later.
    fn month_of(&self, start: Date, years: i32) -> Option<Date> {
        let year = i32::from(start.year()).checked_add(years)?;
        Date::new(i16::try_from(year).ok()?, self.month, 1).ok()
    }

    /// The n-th day of a month that is one of the days of the week, or the last.
    fn nth(&self, month: Date) -> Option<Date> {
        let days = (1..=month.days_in_month()).filter_map(|day| Date::new(month.year(), month.month(), day).ok());
        let matching: Vec<Date> = days.filter(|date| self.days.contains(&date.weekday())).collect();
        match self.index {
            Index::Nth(at) => matching.get(at).or(matching.last()).copied(),
            Index::Last => matching.last().copied(),
        }
    }
}

fn month_after(start: Date, months: i32) -> Option<Date> {
    start.first_of_month().checked_add(Span::new().try_months(months).ok()?).ok()
}

/// A day of a month, or the last one of a month that is too short for it.
fn clamped(month: Date, day: i8) -> Option<Date> {
    Date::new(month.year(), month.month(), day.min(month.days_in_month())).ok()
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "sunday" => Weekday::Sunday,
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        _ => return None,
    })
}

fn index(name: Option<&str>) -> Index {
    match name {
        Some("second") => Index::Nth(1),
        Some("third") => Index::Nth(2),
        Some("fourth") => Index::Nth(3),
        Some("last") => Index::Last,
        _ => Index::Nth(0),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn days(pattern: Value, range: Value, most: usize) -> Vec<String> {
        let recurrence = Recurrence::read(&json!({"pattern": pattern, "range": range})).unwrap();
        recurrence.dates().take(most).map(|date| date.to_string()).collect()
    }

    #[test]
    fn a_day_that_a_month_lacks_is_its_last() {
        let pattern = json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31});
        let range = json!({"type": "noEnd", "startDate": "2024-01-31"});
        assert_eq!(days(pattern, range, 4), ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]);
        let leap = json!({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2});
        let range = json!({"type": "numbered", "startDate": "2024-02-29", "numberOfOccurrences": 5});
        assert_eq!(days(leap, range, 9), ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]);
    }

    #[test]
    fn weeks_begin_where_the_pattern_says() {
        let pattern = |first: &str| json!({"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "tuesday"], "firstDayOfWeek": first});
        let range = json!({"type": "endDate", "startDate": "1997-08-05", "endDate": "1997-08-31"});
        assert_eq!(days(pattern("monday"), range.clone(), 9), ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]);
        assert_eq!(days(pattern("sunday"), range, 9), ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]);
    }

    #[test]
    fn the_last_weekday_and_the_second_of_several() {
        let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday"];
        let last = json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": weekdays, "index": "last"});
        let range = json!({"type": "numbered", "startDate": "2026-01-30", "numberOfOccurrences": 3});
        assert_eq!(days(last, range.clone(), 9), ["2026-01-30", "2026-02-27", "2026-03-31"]);
        let second = json!({"type": "relativeYearly", "interval": 1, "daysOfWeek": ["saturday", "sunday"], "index": "second", "month": 5});
        assert_eq!(days(second, range, 2), ["2026-05-03", "2027-05-02"]);
    }

    #[test]
    fn a_series_ends_where_the_calendar_ends() {
        let daily = json!({"type": "daily", "interval": 300, "month": 0, "dayOfMonth": 0, "index": "first"});
        let range = json!({"type": "noEnd", "startDate": "9998-12-01", "endDate": "0001-01-01"});
        assert_eq!(days(daily, range, 9), ["9998-12-01", "9999-09-27"]);
        assert!(
            Recurrence::read(
                &json!({"pattern": {"type": "hourly"}, "range": {"type": "noEnd", "startDate": "2026-01-01"}})
            )
            .is_none()
        );
    }
}
