//! The days of a pattern, found by asking of each day in turn whether it is one.

use super::{OCCURRENCES, YEARS};
use jiff::civil::{Date, Weekday};
use serde_json::Value;

/// The days, and whether there are more than those looked at. None where the recurrence cannot be read.
pub(in crate::meaning) fn days(recurrence: &Value, begins: Date) -> Option<(Vec<Date>, bool)> {
    let (pattern, range) = (&recurrence["pattern"], &recurrence["range"]);
    let start = date(&range["startDate"]).unwrap_or(begins);
    let (last, count) = match range["type"].as_str()? {
        "noEnd" => (None, None),
        "endDate" => (Some(date(&range["endDate"])?), None),
        "numbered" => (None, Some(usize::try_from(range["numberOfOccurrences"].as_u64()?).ok()?)),
        _ => return None,
    };
    let mut days = Vec::new();
    let mut day = start;
    loop {
        if last.is_some_and(|last| day > last) || count.is_some_and(|count| days.len() >= count) {
            return Some((days, false));
        }
        if days.len() >= OCCURRENCES || day.year() > days.first().map_or(start, |day: &Date| *day).year() + YEARS {
            return Some((days, true));
        }
        if has(pattern, start, begins, day)? {
            days.push(day);
        }
        let Ok(next) = day.tomorrow() else { return Some((days, false)) };
        day = next;
    }
}

fn date(value: &Value) -> Option<Date> {
    let day: Date = value.as_str()?.get(..10)?.parse().ok()?;
    (day.year() > 1).then_some(day)
}

/// Whether the pattern has an occurrence on this day.
pub(in crate::meaning) fn has(pattern: &Value, start: Date, begins: Date, day: Date) -> Option<bool> {
    let every = pattern["interval"].as_i64().filter(|every| *every > 0).unwrap_or(1);
    let number = |name: &str| pattern[name].as_i64();
    let months = i64::from(day.year() - start.year()) * 12 + i64::from(day.month() - start.month());
    let years = i64::from(day.year() - start.year());
    let in_month = || Some(i64::from(day.month()) == number("month")?);
    let on_day = || Some(i64::from(day.day()) == number("dayOfMonth")?.min(i64::from(day.days_in_month())));
    Some(match pattern["type"].as_str()? {
        "daily" => ordinal(day).checked_sub(ordinal(start))? % every == 0,
        "weekly" => {
            let first = pattern["firstDayOfWeek"].as_str().and_then(weekday).unwrap_or(Weekday::Sunday);
            let mut named = named_days(pattern);
            if named.is_empty() {
                named.push(begins.weekday());
            }
            named.contains(&day.weekday()) && (week(day, first) - week(start, first)) % every == 0
        }
        "absoluteMonthly" => months % every == 0 && on_day()?,
        "relativeMonthly" => months % every == 0 && is_chosen(pattern, day)?,
        "absoluteYearly" => years % every == 0 && in_month()? && on_day()?,
        "relativeYearly" => years % every == 0 && in_month()? && is_chosen(pattern, day)?,
        _ => return None,
    })
}

/// Days since 1970.
fn ordinal(day: Date) -> i64 {
    i64::from(day.since(Date::constant(1970, 1, 1)).map_or(0, |span| span.get_days()))
}

/// Number of the week, where weeks begin on this day.
fn week(day: Date, first: Weekday) -> i64 {
    // 1 January 1970 was a Thursday.
    let into_week = i64::from(Weekday::Thursday.since(first));
    (ordinal(day) + into_week).div_euclid(7)
}

fn named_days(pattern: &Value) -> Vec<Weekday> {
    pattern["daysOfWeek"].as_array().into_iter().flatten().filter_map(|name| weekday(name.as_str()?)).collect()
}

fn weekday(name: &str) -> Option<Weekday> {
    let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let place = names.iter().position(|other| *other == name)?;
    Weekday::from_monday_zero_offset(i8::try_from(place).ok()?).ok()
}

/// Of the month's days in the set, whether this is the n-th or the last: counted from either end.
fn is_chosen(pattern: &Value, day: Date) -> Option<bool> {
    let set = named_days(pattern);
    if set.is_empty() {
        return None;
    }
    let in_set = |number: &i8| {
        Date::new(day.year(), day.month(), *number).is_ok_and(|other| set.contains(&other.weekday()))
    };
    let before = (1..day.day()).filter(in_set).count();
    let after = (day.day() + 1..=day.days_in_month()).filter(in_set).count();
    let index = pattern["index"].as_str().filter(|index| !index.is_empty()).unwrap_or("first");
    let place = match index {
        "first" => before == 0,
        "second" => before == 1,
        "third" => before == 2,
        "fourth" => before == 3,
        "last" => after == 0,
        _ => return None,
    };
    Some(place && set.contains(&day.weekday()))
}
