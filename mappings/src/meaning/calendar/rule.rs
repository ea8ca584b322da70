//! RRULE, expanded period by period on the clock of the wall (RFC 5545 3.3.10).

use super::{OCCURRENCES, Unreadable, YEARS, unreadable};
use jiff::civil::{Date, DateTime, Weekday};
use jiff::{Span, ToSpan};

/// As far as calendars of people use it: by days, not by hours or numbers of weeks.
#[derive(Debug)]
pub(in crate::meaning) struct Rule {
    frequency: Frequency,
    interval: i32,
    count: Option<usize>,
    /// As written: a date, a wall clock, or an instant with `Z`.
    pub until: Option<String>,
    by_day: Vec<(i32, Weekday)>,
    by_month_day: Vec<i32>,
    by_month: Vec<i8>,
    by_set_pos: Vec<i32>,
    week_start: Weekday,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

impl Rule {
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            by_day: Vec::new(),
            by_month_day: Vec::new(),
            by_month: Vec::new(),
            by_set_pos: Vec::new(),
            week_start: Weekday::Monday,
        };
        let mut named = false;
        for part in text.trim().split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            named |= name.eq_ignore_ascii_case("FREQ");
            if rule.part(&name.to_uppercase(), &value.to_uppercase()).is_none() {
                return unreadable(format!("the rule `{text}` cannot be compared because of `{part}`"));
            }
        }
        if named { Ok(rule) } else { unreadable(format!("the rule `{text}` has no FREQ")) }
    }

    fn part(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "FREQ" => {
                self.frequency = match value {
                    "DAILY" => Frequency::Daily,
                    "WEEKLY" => Frequency::Weekly,
                    "MONTHLY" => Frequency::Monthly,
                    "YEARLY" => Frequency::Yearly,
                    _ => return None,
                }
            }
            "INTERVAL" => self.interval = value.parse().ok().filter(|every| *every > 0)?,
            "COUNT" => self.count = Some(value.parse().ok()?),
            "UNTIL" => self.until = Some(value.to_owned()),
            "BYDAY" => self.by_day = value.split(',').map(day).collect::<Option<_>>()?,
            "BYMONTHDAY" => self.by_month_day = numbers(value)?,
            "BYMONTH" => self.by_month = numbers(value)?,
            "BYSETPOS" => self.by_set_pos = numbers(value)?,
            "WKST" => self.week_start = day(value)?.1,
            // Servers may name the calendar that is meant anyway.
            "RSCALE" if value == "GREGORIAN" => {}
            _ => return None,
        }
        Some(())
    }

    /// Days from the start on, which is the first of them, whether it fits the rule or not; and whether there are more
    /// than those looked at. `until` judges a day; `years` bounds the search.
    pub fn days(&self, start: Date, until: &dyn Fn(Date) -> bool, years: i16) -> (Vec<Date>, bool) {
        let mut days = vec![start];
        if !until(start) {
            return (days, false);
        }
        for number in 0.. {
            let Some(period) = self.period(start, number) else { return (days, false) };
            for day in period.into_iter().filter(|day| *day > start) {
                if self.count.is_some_and(|count| days.len() >= count) || !until(day) {
                    return (days, false);
                }
                if days.len() >= OCCURRENCES || day.year() > start.year().saturating_add(years) {
                    return (days, true);
                }
                days.push(day);
            }
        }
        (days, false)
    }

    pub fn bounded(&self, start: Date, until: &dyn Fn(Date) -> bool) -> (Vec<Date>, bool) {
        self.days(start, until, YEARS)
    }

    fn period(&self, start: Date, number: i32) -> Option<Vec<Date>> {
        let steps = number.checked_mul(self.interval)?;
        let (first, last) = match self.frequency {
            Frequency::Daily => {
                let day = start.checked_add(Span::new().try_days(steps).ok()?).ok()?;
                (day, day)
            }
            Frequency::Weekly => {
                let back = i32::from(start.weekday().since(self.week_start));
                let first =
                    start.checked_add(Span::new().try_days(steps.checked_mul(7)?.checked_sub(back)?).ok()?).ok()?;
                (first, first.checked_add(6.days()).ok()?)
            }
            Frequency::Monthly => {
                let first = start.first_of_month().checked_add(Span::new().try_months(steps).ok()?).ok()?;
                (first, first.last_of_month())
            }
            Frequency::Yearly => {
                let year = i16::try_from(i32::from(start.year()).checked_add(steps)?).ok()?;
                let months = self.by_month.iter().copied();
                let (from, to) = (months.clone().min().unwrap_or(1), months.max().unwrap_or(12));
                (Date::new(year, from, 1).ok()?, Date::new(year, to, 1).ok()?.last_of_month())
            }
        };
        let days = first.series(1.day()).take_while(|day| *day <= last);
        let days: Vec<Date> = days.filter(|day| self.has(*day, start)).collect();
        Some(self.positions(days))
    }

    /// Whether a day of the period is in its set. What the rule leaves open, the start decides.
    fn has(&self, day: Date, start: Date) -> bool {
        let month = self.by_month.is_empty() || self.by_month.contains(&day.month());
        let length = i32::from(day.days_in_month());
        let number = i32::from(day.day());
        let by_number = |wanted: &i32| *wanted == number || *wanted == number - length - 1;
        let month_day = self.by_month_day.is_empty() || self.by_month_day.iter().any(by_number);
        let weekday = self.by_day.is_empty() || self.by_day.iter().any(|wanted| self.is_named(*wanted, day));
        month && month_day && weekday && self.open_parts(day, start)
    }

    fn open_parts(&self, day: Date, start: Date) -> bool {
        let nothing = self.by_day.is_empty() && self.by_month_day.is_empty();
        match self.frequency {
            Frequency::Daily => true,
            Frequency::Weekly => !nothing || day.weekday() == start.weekday(),
            Frequency::Monthly => !nothing || day.day() == start.day(),
            Frequency::Yearly => {
                let month = !self.by_month.is_empty() || !self.by_day.is_empty() || !self.by_month_day.is_empty();
                (month || day.month() == start.month()) && (!nothing || day.day() == start.day())
            }
        }
    }

    /// `MO`, or the n-th Monday of the month (of the year, in a yearly rule without months).
    fn is_named(&self, (place, weekday): (i32, Weekday), day: Date) -> bool {
        let of_year = self.frequency == Frequency::Yearly && self.by_month.is_empty();
        let (before, length) = if of_year {
            (i32::from(day.day_of_year()) - 1, i32::from(day.days_in_year()))
        } else {
            (i32::from(day.day()) - 1, i32::from(day.days_in_month()))
        };
        let from_front = before / 7 + 1;
        let from_back = -((length - before - 1) / 7 + 1);
        day.weekday() == weekday && (place == 0 || place == from_front || place == from_back)
    }

    fn positions(&self, days: Vec<Date>) -> Vec<Date> {
        if self.by_set_pos.is_empty() {
            return days;
        }
        let length = i32::try_from(days.len()).unwrap_or(i32::MAX);
        let wanted = |at: usize| {
            let at = i32::try_from(at).unwrap_or(i32::MAX);
            self.by_set_pos.iter().any(|place| *place == at + 1 || *place == at - length)
        };
        days.iter().enumerate().filter(|(at, _)| wanted(*at)).map(|(_, day)| *day).collect()
    }
}

fn numbers<T: std::str::FromStr>(value: &str) -> Option<Vec<T>> {
    value.split(',').map(|number| number.trim().parse().ok()).collect()
}

/// `MO`, `-1FR`.
fn day(value: &str) -> Option<(i32, Weekday)> {
    let value = value.trim();
    let (place, name) = value.split_at_checked(value.len().checked_sub(2)?)?;
    let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let weekday = names.iter().position(|other| *other == name)?;
    let weekday = Weekday::from_monday_zero_offset(i8::try_from(weekday).ok()?).ok()?;
    let place = if place.is_empty() { 0 } else { place.parse().ok()? };
    Some((place, weekday))
}

/// `19970714` or `19970714T133000`, with or without `Z`.
pub(in crate::meaning) fn clock(text: &str) -> Option<DateTime> {
    let text = text.trim().trim_end_matches(['Z', 'z']);
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
    let small = |from: usize, to: usize| i8::try_from(number(from, to)?).ok();
    let day = Date::new(number(0, 4)?, small(4, 6)?, small(6, 8)?).ok()?;
    if text.len() == 8 {
        return Some(day.at(0, 0, 0, 0));
    }
    let whole = text.len() == 15 && text.as_bytes().get(8).is_some_and(|c| c.eq_ignore_ascii_case(&b'T'));
    // A leap second is no wall clock.
    let second = small(13, 15)?.min(59);
    whole.then_some(())?;
    let time = jiff::civil::Time::new(small(9, 11)?, small(11, 13)?, second, 0).ok()?;
    Some(day.to_datetime(time))
}
