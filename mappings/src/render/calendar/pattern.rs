//! `patternedRecurrence` as a value, and the days it means.
//!
//! Shapes: Microsoft Graph docs, recurrencePattern and recurrenceRange. Reads fill members that a type does not use
//! with neutral values (`month` 0, `index` first, `endDate` 0001-01-01), so only those of the type are looked at.

use crate::render::json::{list, said};
use crate::{Unrendered, loss::Losses};
use jiff::Span;
use jiff::civil::{Date, Weekday};
use serde_json::Value;

/// No series is looked at beyond this year.
const LAST_YEAR: i16 = 9990;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::render) enum Kind {
    Daily,
    Weekly {
        days: Vec<Weekday>,
        first: Weekday,
    },
    /// Days 29 to 31 fall on the last day of months that have fewer.
    AbsoluteMonthly {
        day: i8,
    },
    RelativeMonthly {
        days: Vec<Weekday>,
        index: Index,
    },
    AbsoluteYearly {
        month: i8,
        day: i8,
    },
    RelativeYearly {
        month: i8,
        days: Vec<Weekday>,
        index: Index,
    },
}

/// The n-th (from 1) or the last of the days in a month that are in the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::render) enum Index {
    Nth(u8),
    Last,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::render) enum End {
    Never,
    /// The last day on which an occurrence may begin.
    On(Date),
    After(u32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::render) struct Series {
    pub kind: Kind,
    pub interval: u16,
    /// Weeks, months and years are counted from the one this day is in; it need not be an occurrence.
    pub start: Date,
    pub end: End,
}

impl Series {
    /// `begins` is the day of the master's own start, for what the recurrence leaves out.
    pub fn read(recurrence: &Value, begins: Date, losses: &mut Losses) -> Result<Self, Unrendered> {
        let pattern = &recurrence["pattern"];
        let series = Self {
            kind: kind(pattern, begins, losses)?,
            interval: interval(pattern)?,
            start: day(&recurrence["range"], "startDate").unwrap_or(begins),
            end: end(&recurrence["range"])?,
        };
        if series.dates().next().is_none() {
            let sentence =
                "This series ends before its first occurrence; mend or delete it at the source, then pull again.";
            return Err(Unrendered::unmappable(sentence));
        }
        Ok(series)
    }

    /// The days on which occurrences begin, changed and cancelled ones among them.
    pub fn dates(&self) -> impl Iterator<Item = Date> + '_ {
        let (until, count) = match self.end {
            End::Never => (Date::MAX, usize::MAX),
            End::On(day) => (day, usize::MAX),
            End::After(count) => (Date::MAX, count as usize),
        };
        let periods = (0..).map_while(|number| self.period(number));
        let days = periods.flatten().filter(|day| *day >= self.start);
        days.take_while(move |day| *day <= until && day.year() <= LAST_YEAR).take(count)
    }

    /// The days of the n-th day, week, month or year that counts.
    fn period(&self, number: i32) -> Option<Vec<Date>> {
        let steps = number.checked_mul(i32::from(self.interval))?;
        match &self.kind {
            Kind::Daily => Some(vec![later(self.start, days(steps))?]),
            Kind::Weekly { days: named, first } => {
                let back = i32::from(self.start.weekday().since(*first));
                let week = later(self.start, days(steps.checked_mul(7)?.checked_sub(back)?))?;
                let all = (0..7).filter_map(|offset| later(week, days(offset)));
                Some(all.filter(|day| named.contains(&day.weekday())).collect())
            }
            Kind::AbsoluteMonthly { day } => Some(vec![clamped(self.month(steps)?, *day)]),
            Kind::RelativeMonthly { days, index } => Some(chosen(self.month(steps)?, days, *index)),
            Kind::AbsoluteYearly { month, day } => Some(vec![clamped(self.year(steps, *month)?, *day)]),
            Kind::RelativeYearly { month, days, index } => Some(chosen(self.year(steps, *month)?, days, *index)),
        }
    }

    /// The first day of the month so many months later.
    fn month(&self, months: i32) -> Option<Date> {
        later(self.start.first_of_month(), Span::new().try_months(months).ok())
    }

    fn year(&self, years: i32, month: i8) -> Option<Date> {
        Date::new(i16::try_from(i32::from(self.start.year()).checked_add(years)?).ok()?, month, 1).ok()
    }
}

fn days(number: i32) -> Option<Span> {
    Span::new().try_days(number).ok()
}

fn later(day: Date, span: Option<Span>) -> Option<Date> {
    day.checked_add(span?).ok()
}

fn clamped(first: Date, day: i8) -> Date {
    let wanted = Date::new(first.year(), first.month(), day.min(first.days_in_month()));
    wanted.unwrap_or(first)
}

fn chosen(first: Date, days: &[Weekday], index: Index) -> Vec<Date> {
    let month = (1..=first.days_in_month()).filter_map(|day| Date::new(first.year(), first.month(), day).ok());
    let mut matching = month.filter(|day| days.contains(&day.weekday()));
    let one = match index {
        Index::Nth(number) => matching.nth(usize::from(number.saturating_sub(1))),
        Index::Last => matching.next_back(),
    };
    one.into_iter().collect()
}

fn kind(pattern: &Value, begins: Date, losses: &mut Losses) -> Result<Kind, Unrendered> {
    let month = || within(pattern, "month", 12).ok_or_else(|| unreadable("month"));
    let day = || within(pattern, "dayOfMonth", 31).ok_or_else(|| unreadable("dayOfMonth"));
    match pattern["type"].as_str().unwrap_or_default() {
        "daily" => Ok(Kind::Daily),
        "weekly" => Ok(Kind::Weekly {
            days: weekdays(pattern, Some(begins), losses)?,
            first: match said(pattern, "firstDayOfWeek") {
                None => Weekday::Sunday,
                Some(name) => weekday(name).ok_or_else(|| unreadable("firstDayOfWeek"))?,
            },
        }),
        "absoluteMonthly" => Ok(Kind::AbsoluteMonthly { day: day()? }),
        "relativeMonthly" => {
            Ok(Kind::RelativeMonthly { days: weekdays(pattern, None, losses)?, index: index(pattern)? })
        }
        "absoluteYearly" => Ok(Kind::AbsoluteYearly { month: month()?, day: day()? }),
        "relativeYearly" => {
            Ok(Kind::RelativeYearly { month: month()?, days: weekdays(pattern, None, losses)?, index: index(pattern)? })
        }
        other => Err(Unrendered::unmappable(format!(
            "This series repeats by the pattern `{other}`, which this version does not know; a newer one may."
        ))),
    }
}

fn unreadable(member: &str) -> Unrendered {
    let sentence =
        format!("The recurrence of this series has no readable `{member}`; save it again at the source, then pull.");
    Unrendered::unmappable(sentence)
}

fn interval(pattern: &Value) -> Result<u16, Unrendered> {
    match pattern["interval"].as_i64() {
        // Neutral padding.
        None | Some(0) => Ok(1),
        Some(number) => u16::try_from(number).map_err(|_| unreadable("interval")),
    }
}

fn within(of: &Value, name: &str, most: i8) -> Option<i8> {
    let number = i8::try_from(of[name].as_i64()?).ok()?;
    (1..=most).contains(&number).then_some(number)
}

fn weekdays(pattern: &Value, begins: Option<Date>, losses: &mut Losses) -> Result<Vec<Weekday>, Unrendered> {
    let told = list(pattern, "daysOfWeek").iter().map(|name| weekday(name.as_str().unwrap_or_default()));
    let days = told.collect::<Option<Vec<Weekday>>>().ok_or_else(|| unreadable("daysOfWeek"))?;
    match (days.is_empty(), begins) {
        (false, _) => Ok(days),
        (true, None) => Err(unreadable("daysOfWeek")),
        (true, Some(begins)) => {
            losses.add("pattern_completed", "no weekday was told; the one of the first occurrence stands for it");
            Ok(vec![begins.weekday()])
        }
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    match name {
        "sunday" => Some(Weekday::Sunday),
        "monday" => Some(Weekday::Monday),
        "tuesday" => Some(Weekday::Tuesday),
        "wednesday" => Some(Weekday::Wednesday),
        "thursday" => Some(Weekday::Thursday),
        "friday" => Some(Weekday::Friday),
        "saturday" => Some(Weekday::Saturday),
        _ => None,
    }
}

fn index(pattern: &Value) -> Result<Index, Unrendered> {
    match said(pattern, "index") {
        // The documented default.
        None | Some("first") => Ok(Index::Nth(1)),
        Some("second") => Ok(Index::Nth(2)),
        Some("third") => Ok(Index::Nth(3)),
        Some("fourth") => Ok(Index::Nth(4)),
        Some("last") => Ok(Index::Last),
        Some(_) => Err(unreadable("index")),
    }
}

fn end(range: &Value) -> Result<End, Unrendered> {
    match range["type"].as_str().unwrap_or_default() {
        "noEnd" => Ok(End::Never),
        "endDate" => Ok(End::On(day(range, "endDate").ok_or_else(|| unreadable("endDate"))?)),
        "numbered" => {
            let count = range["numberOfOccurrences"].as_u64().and_then(|count| u32::try_from(count).ok());
            Ok(End::After(count.filter(|count| *count > 0).ok_or_else(|| unreadable("numberOfOccurrences"))?))
        }
        other => Err(Unrendered::unmappable(format!(
            "This series ends by the rule `{other}`, which this version does not know; a newer one may."
        ))),
    }
}

/// A plain date; the service writes 0001-01-01 for none.
fn day(of: &Value, name: &str) -> Option<Date> {
    let day: Date = said(of, name)?.get(..10)?.parse().ok()?;
    (day.year() > 1).then_some(day)
}
