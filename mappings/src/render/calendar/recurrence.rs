//! RRULE (RFC 5545 3.3.10).
//!
//! | pattern | rule |
//! |---|---|
//! | `daily` | `FREQ=DAILY` |
//! | `weekly` | `FREQ=WEEKLY;BYDAY;WKST` |
//! | `absoluteMonthly` | `FREQ=MONTHLY;BYMONTHDAY`; for days that some months lack, see [`clamped`] |
//! | `relativeMonthly` | `FREQ=MONTHLY;BYDAY;BYSETPOS`: the n-th day of the whole set, which `2MO,2TU` would not be |
//! | `absoluteYearly` | `FREQ=YEARLY;BYMONTH;BYMONTHDAY` |
//! | `relativeYearly` | `FREQ=YEARLY;BYMONTH;BYDAY;BYSETPOS` |

use super::entry;
use super::pattern::{End, Index, Kind, Series};
use super::zones::Zone;
use calcard::icalendar::{ICalendarDay, ICalendarFrequency, ICalendarMonth, ICalendarRecurrenceRule, ICalendarWeekday};
use jiff::civil::{Date, Weekday};

pub(in crate::render) fn rule(series: &Series, zone: &Zone, all_day: bool) -> ICalendarRecurrenceRule {
    let mut rule = ICalendarRecurrenceRule { interval: Some(series.interval), ..by_kind(&series.kind) };
    match series.end {
        End::Never => {}
        End::After(count) => rule.count = Some(count),
        End::On(day) if all_day => rule.until = Some(entry::day(day)),
        // The end of that day where the series lives, in UTC as RFC 5545 wants it.
        End::On(day) => rule.until = zone.instant(day.at(23, 59, 59, 0)).map(entry::utc),
    }
    rule
}

fn by_kind(kind: &Kind) -> ICalendarRecurrenceRule {
    let of = |freq| ICalendarRecurrenceRule { freq, ..ICalendarRecurrenceRule::default() };
    match kind {
        Kind::Daily => of(ICalendarFrequency::Daily),
        Kind::Weekly { days, first } => ICalendarRecurrenceRule {
            byday: by_day(days),
            wkst: Some(entry::weekday(*first)),
            ..of(ICalendarFrequency::Weekly)
        },
        Kind::AbsoluteMonthly { day } => clamped(of(ICalendarFrequency::Monthly), *day, 28),
        Kind::RelativeMonthly { days, index } => set_position(of(ICalendarFrequency::Monthly), days, *index),
        Kind::AbsoluteYearly { month, day } => {
            clamped(in_month(of(ICalendarFrequency::Yearly), *month), *day, shortest(*month))
        }
        Kind::RelativeYearly { month, days, index } => {
            set_position(in_month(of(ICalendarFrequency::Yearly), *month), days, *index)
        }
    }
}

fn in_month(rule: ICalendarRecurrenceRule, month: i8) -> ICalendarRecurrenceRule {
    ICalendarRecurrenceRule { bymonth: vec![ICalendarMonth::new(month.unsigned_abs(), false)], ..rule }
}

/// Exchange puts the 31st of a shorter month on its last day, RFC 5545 leaves the month out: the last of 28 to 31 that
/// the month has is the same day.
fn clamped(rule: ICalendarRecurrenceRule, day: i8, shortest: i8) -> ICalendarRecurrenceRule {
    if day <= shortest {
        return ICalendarRecurrenceRule { bymonthday: vec![day], ..rule };
    }
    ICalendarRecurrenceRule { bymonthday: (shortest..=day).collect(), bysetpos: vec![-1], ..rule }
}

fn set_position(rule: ICalendarRecurrenceRule, days: &[Weekday], index: Index) -> ICalendarRecurrenceRule {
    let position = match index {
        Index::Nth(number) => i32::from(number),
        Index::Last => -1,
    };
    ICalendarRecurrenceRule { byday: by_day(days), bysetpos: vec![position], ..rule }
}

fn by_day(days: &[Weekday]) -> Vec<ICalendarDay> {
    let mut days: Vec<ICalendarWeekday> = days.iter().map(|day| entry::weekday(*day)).collect();
    days.sort_unstable();
    days.dedup();
    days.into_iter().map(|weekday| ICalendarDay { ordwk: None, weekday }).collect()
}

/// Days the month has in every year.
fn shortest(month: i8) -> i8 {
    Date::new(2023, month, 1).map_or(28, Date::days_in_month)
}
