//! The days of a pattern, found by asking of each day in turn whether it is one.

use super::{OCCURRENCES, YEARS};
use jiff::civil::{Date, Weekday};
use serde_json::Value;

/// The days, and whether there are more than those looked at. None where the recurrence cannot be read.
pub(in crate::meaning) fn days(recurrence: &Value, begins: Date) -> Option<(Vec<Date>, bool)> {
    let range = &recurrence["range"];
    let asked = Asked::of(recurrence, begins)?;
    let (last, count) = match range["type"].as_str()? {
        "noEnd" => (None, None),
        "endDate" => (Some(date(&range["endDate"])?), None),
        "numbered" => (None, Some(usize::try_from(range["numberOfOccurrences"].as_u64()?).ok()?)),
        _ => return None,
    };
    let mut days = Vec::new();
    let mut day = asked.start;
    loop {
        if last.is_some_and(|last| day > last) || count.is_some_and(|count| days.len() >= count) {
            return Some((days, false));
        }
        if days.len() >= OCCURRENCES || day.year() > days.first().map_or(asked.start, |day: &Date| *day).year() + YEARS
        {
            return Some((days, true));
        }
        if asked.has(day) {
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

/// A pattern as a question about a day.
pub(in crate::meaning) struct Asked {
    start: Date,
    every: i64,
    of: Of,
    /// Days of the week, Monday first.
    named: [bool; 7],
    month: Option<i8>,
    number: i8,
    place: Place,
    week_start: Weekday,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Days,
    Weeks,
    /// Months and years: a day by its number, or by its place among the named ones.
    Months(By),
    Years(By),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Number,
    Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// So many named days of the month stand before it.
    After(usize),
    Last,
}

impl Asked {
    /// None where the pattern cannot be read.
    pub fn of(recurrence: &Value, begins: Date) -> Option<Self> {
        let pattern = &recurrence["pattern"];
        let number = |name: &str| i8::try_from(pattern[name].as_i64()?).ok();
        let of = match pattern["type"].as_str()? {
            "daily" => Of::Days,
            "weekly" => Of::Weeks,
            "absoluteMonthly" => Of::Months(By::Number),
            "relativeMonthly" => Of::Months(By::Place),
            "absoluteYearly" => Of::Years(By::Number),
            "relativeYearly" => Of::Years(By::Place),
            _ => return None,
        };
        let mut named = named_days(pattern);
        if of == Of::Weeks && !named.contains(&true) {
            named[place_of(begins.weekday())] = true;
        }
        let by_number = matches!(of, Of::Months(By::Number) | Of::Years(By::Number));
        let by_place = matches!(of, Of::Months(By::Place) | Of::Years(By::Place));
        if by_place && !named.contains(&true) {
            return None;
        }
        Some(Self {
            start: date(&recurrence["range"]["startDate"]).unwrap_or(begins),
            every: pattern["interval"].as_i64().filter(|every| *every > 0).unwrap_or(1),
            of,
            named,
            month: if matches!(of, Of::Years(_)) { Some(number("month")?) } else { None },
            number: if by_number { number("dayOfMonth")? } else { 0 },
            place: if by_place { place(pattern)? } else { Place::Last },
            week_start: pattern["firstDayOfWeek"].as_str().and_then(weekday).unwrap_or(Weekday::Sunday),
        })
    }

    /// Whether the pattern has an occurrence on this day.
    pub fn has(&self, day: Date) -> bool {
        let years = i64::from(day.year()) - i64::from(self.start.year());
        let months = years * 12 + i64::from(day.month()) - i64::from(self.start.month());
        match self.of {
            Of::Days => (ordinal(day) - ordinal(self.start)) % self.every == 0,
            Of::Weeks => self.names(day) && (self.week(day) - self.week(self.start)) % self.every == 0,
            Of::Months(by) => months % self.every == 0 && self.is_chosen(by, day),
            Of::Years(by) => years % self.every == 0 && self.month == Some(day.month()) && self.is_chosen(by, day),
        }
    }

    fn names(&self, day: Date) -> bool {
        self.named[place_of(day.weekday())]
    }

    /// Number of the week.
    fn week(&self, day: Date) -> i64 {
        // 1 January 1970 was a Thursday.
        let into_week = i64::from(Weekday::Thursday.since(self.week_start));
        (ordinal(day) + into_week).div_euclid(7)
    }

    fn is_chosen(&self, by: By, day: Date) -> bool {
        match by {
            By::Number => day.day() == self.number.min(day.days_in_month()),
            By::Place => self.names(day) && self.stands_at_its_place(day),
        }
    }

    /// Of the month's named days, whether this is the n-th or the last: counted from either end.
    fn stands_at_its_place(&self, day: Date) -> bool {
        let named = |number: &i8| Date::new(day.year(), day.month(), *number).is_ok_and(|other| self.names(other));
        match self.place {
            Place::After(many) => (1..day.day()).filter(named).count() == many,
            Place::Last => !(day.day() + 1..=day.days_in_month()).any(|number| named(&number)),
        }
    }
}

/// Days since 1970.
fn ordinal(day: Date) -> i64 {
    i64::from(day.since(Date::constant(1970, 1, 1)).map_or(0, |span| span.get_days()))
}

fn place(pattern: &Value) -> Option<Place> {
    match pattern["index"].as_str().filter(|index| !index.is_empty()).unwrap_or("first") {
        "first" => Some(Place::After(0)),
        "second" => Some(Place::After(1)),
        "third" => Some(Place::After(2)),
        "fourth" => Some(Place::After(3)),
        "last" => Some(Place::Last),
        _ => None,
    }
}

fn named_days(pattern: &Value) -> [bool; 7] {
    let mut named = [false; 7];
    let days = pattern["daysOfWeek"].as_array().into_iter().flatten();
    days.filter_map(|name| weekday(name.as_str()?)).for_each(|day| named[place_of(day)] = true);
    named
}

fn place_of(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}

fn weekday(name: &str) -> Option<Weekday> {
    let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let place = names.iter().position(|other| *other == name)?;
    Weekday::from_monday_zero_offset(i8::try_from(place).ok()?).ok()
}
