//! VTIMEZONE: a zone's rules for the years concerned (RFC 5545 3.6.5).

use super::entry::{self, Node};
use super::zones::Zone;
use crate::loss::Losses;
use calcard::icalendar::{
    ICalendarComponentType, ICalendarDay, ICalendarEntry, ICalendarFrequency, ICalendarMonth, ICalendarProperty,
    ICalendarRecurrenceRule,
};
use jiff::civil::{Date, DateTime, date};
use jiff::tz::{Dst, Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// Rules of an endless series are written as far as the IANA database lists single changes (Morocco: 2087).
const HORIZON: i16 = 2100;
const LAST_YEAR: i16 = 9990;

/// A change of a zone's offset.
#[derive(Clone, Debug)]
struct Turn {
    at: Timestamp,
    /// Wall clock at which it happens, by the offset before.
    local: DateTime,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Kind {
    from: Offset,
    to: Offset,
    name: String,
    daylight: bool,
}

/// Turns of one kind on the same weekday of the same month, year after year.
#[derive(Debug)]
struct Run {
    turns: Vec<Turn>,
    rule: Rule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Once,
    Last,
    Nth(i8),
    /// The weekday within seven days from this day of the month on, as in `Sun>=2`.
    From(i8),
}

/// The zone from the beginning of the year before `from` to the end of the year after `to`; without `to`, for ever.
pub(super) fn vtimezone(zone: &Zone, from: i16, to: Option<i16>, losses: &mut Losses) -> Node {
    let last = to.map_or(HORIZON.max(from.saturating_add(30)), |to| to.saturating_add(1)).min(LAST_YEAR);
    let turns = turns(&zone.rules, from.saturating_sub(1).max(1), last);
    if turns.iter().any(|turn| turn.kind.to.seconds() % 60 != 0 || turn.kind.from.seconds() % 60 != 0) {
        let detail = format!("{} had an offset with seconds in those years; whole minutes stand for it", zone.name);
        losses.add("zone_offset_rounded", detail);
    }
    let mut node = Node::new(ICalendarComponentType::VTimezone);
    node.text(ICalendarProperty::Tzid, &zone.name);
    let (runs, single): (Vec<Run>, Vec<Run>) = runs(turns).into_iter().partition(|run| run.rule != Rule::Once);
    let mut observances: Vec<(DateTime, Node)> =
        runs.iter().map(|run| (run.turns[0].local, yearly(run, last))).collect();
    observances.extend(listed(single.into_iter().flat_map(|run| run.turns).collect()));
    observances.sort_by_key(|(local, _)| *local);
    node.children.extend(observances.into_iter().map(|(_, observance)| observance));
    node
}

/// All turns of these years, and the one that was in force when they began.
fn turns(rules: &TimeZone, first: i16, last: i16) -> Vec<Turn> {
    let begin = date(first, 1, 1).at(0, 0, 0, 0);
    let Ok(begins) = Offset::UTC.to_timestamp(begin) else { return Vec::new() };
    let before = rules.preceding(begins).find(|turn| changes(rules, turn.timestamp()).is_some());
    let mut turns: Vec<Turn> = match before.and_then(|turn| changes(rules, turn.timestamp())) {
        Some(turn) => vec![turn],
        None => vec![always(rules, begins, begin)],
    };
    let following = rules.following(begins).take_while(|turn| Offset::UTC.to_datetime(turn.timestamp()).year() <= last);
    turns.extend(following.filter_map(|turn| changes(rules, turn.timestamp())));
    turns
}

/// The zone's offset before its first change.
fn always(rules: &TimeZone, at: Timestamp, local: DateTime) -> Turn {
    let info = rules.to_offset_info(at);
    let (offset, name) = (info.offset(), info.abbreviation().to_owned());
    Turn { at, local, kind: Kind { from: offset, to: offset, name, daylight: false } }
}

/// None where only the name of the offset changes.
fn changes(rules: &TimeZone, at: Timestamp) -> Option<Turn> {
    let before = rules.to_offset(at - 1.nanosecond());
    let info = rules.to_offset_info(at);
    let daylight = info.dst() == Dst::Yes;
    let kind = Kind { from: before, to: info.offset(), name: info.abbreviation().to_owned(), daylight };
    (kind.from != kind.to).then(|| Turn { at, local: before.to_datetime(at), kind })
}

fn runs(turns: Vec<Turn>) -> Vec<Run> {
    let mut done: Vec<Run> = Vec::new();
    for turn in turns {
        let fits = |run: &&mut Run| continues(run, &turn);
        match done.iter_mut().rev().take(4).find(fits) {
            Some(run) => {
                run.turns.push(turn);
                run.rule = rule(&run.turns);
            }
            None => done.push(Run { turns: vec![turn], rule: Rule::Once }),
        }
    }
    done
}

fn continues(run: &Run, turn: &Turn) -> bool {
    let Some(last) = run.turns.last() else { return false };
    let same = last.kind == turn.kind
        && last.local.year() + 1 == turn.local.year()
        && last.local.month() == turn.local.month()
        && last.local.weekday() == turn.local.weekday()
        && last.local.time() == turn.local.time();
    same && rule(&[run.turns.as_slice(), std::slice::from_ref(turn)].concat()) != Rule::Once
}

/// The rule that gives exactly these days, if there is one.
fn rule(turns: &[Turn]) -> Rule {
    let days = || turns.iter().map(|turn| turn.local.date());
    let nth = |day: Date| (day.day() - 1) / 7 + 1;
    let (Some(least), Some(most)) = (days().map(Date::day).min(), days().map(Date::day).max()) else {
        return Rule::Once;
    };
    if turns.len() < 2 || most - least > 6 {
        Rule::Once
    } else if days().all(|day| day.day() + 7 > day.days_in_month()) {
        Rule::Last
    } else if days().all(|day| nth(day) == nth(days().next().unwrap_or(day))) {
        Rule::Nth(days().next().map_or(1, nth))
    } else if days().all(|day| least + 6 <= day.days_in_month()) {
        Rule::From(least)
    } else {
        Rule::Once
    }
}

/// One observance for a run; open when it lasts as long as the years looked at.
fn yearly(run: &Run, last: i16) -> Node {
    let (first, end) = (&run.turns[0], &run.turns[run.turns.len() - 1]);
    let mut node = observance(first);
    let until = (end.local.year() < last).then(|| entry::utc(end.at));
    let weekday = entry::weekday(first.local.weekday());
    let (ordwk, bymonthday) = match run.rule {
        Rule::Once | Rule::Last => (Some(-1), Vec::new()),
        Rule::Nth(nth) => (Some(i16::from(nth)), Vec::new()),
        Rule::From(day) => (None, (day..day + 7).collect()),
    };
    let rule = ICalendarRecurrenceRule {
        freq: ICalendarFrequency::Yearly,
        until,
        byday: vec![ICalendarDay { ordwk, weekday }],
        bymonthday,
        bymonth: vec![ICalendarMonth::new(first.local.month().unsigned_abs(), false)],
        ..ICalendarRecurrenceRule::default()
    };
    node.entries.push(ICalendarEntry::new(ICalendarProperty::Rrule).with_value(rule));
    node
}

/// Observances for turns that follow no rule, those of one kind together.
fn listed(turns: Vec<Turn>) -> Vec<(DateTime, Node)> {
    let mut groups: Vec<Vec<Turn>> = Vec::new();
    for turn in turns {
        match groups.iter_mut().find(|group| group[0].kind == turn.kind) {
            Some(group) => group.push(turn),
            None => groups.push(vec![turn]),
        }
    }
    groups.iter().map(|group| (group[0].local, dated(group))).collect()
}

fn dated(group: &[Turn]) -> Node {
    let mut node = observance(&group[0]);
    for turn in &group[1..] {
        node.entries.push(ICalendarEntry::new(ICalendarProperty::Rdate).with_value(entry::floating(turn.local)));
    }
    node
}

fn observance(turn: &Turn) -> Node {
    let kind = if turn.kind.daylight { ICalendarComponentType::Daylight } else { ICalendarComponentType::Standard };
    let mut node = Node::new(kind);
    let mut add = |name, value| node.entries.push(ICalendarEntry::new(name).with_value(value));
    add(ICalendarProperty::Dtstart, entry::floating(turn.local));
    add(ICalendarProperty::Tzoffsetfrom, entry::offset(turn.kind.from));
    add(ICalendarProperty::Tzoffsetto, entry::offset(turn.kind.to));
    node.text(ICalendarProperty::Tzname, &turn.kind.name);
    node
}
