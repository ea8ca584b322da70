//! DTSTART, DUE, RRULE, VALARM, and when the task was made and changed.

use crate::loss::Losses;
use crate::render::calendar::entry::{self, Node};
use crate::render::calendar::pattern::{End, Series};
use crate::render::calendar::{recurrence, zones::Zone};
use crate::render::json::{said, yes};
use crate::render::plain::clean;
use crate::{CalendarSetting, Tables};
use calcard::icalendar::{
    ICalendarAction, ICalendarComponentType, ICalendarEntry, ICalendarParameter, ICalendarParameterName,
    ICalendarProperty, ICalendarValueType,
};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde_json::Value;

pub(super) fn add(node: &mut Node, task: &Value, tables: &Tables, losses: &mut Losses) {
    let due = day(task, "dueDateTime", losses);
    let start = day(task, "startDateTime", losses);
    let late = start.zip(due).is_some_and(|(start, due)| start > due);
    if late {
        losses.add("task_start_dropped", "the task starts after it is due; only the due day stands");
    }
    let start = start.filter(|_| !late);
    let repeats = repeat(task, start.or(due), losses);
    // A rule counts from DTSTART (RFC 5545 3.8.5.3): the due day begins a series that has no other beginning.
    let begins = start.or(due.filter(|_| repeats.is_some()));
    node.entries.extend(begins.map(|day| entry::date(ICalendarProperty::Dtstart, day)));
    node.entries.extend(due.map(|day| entry::date(ICalendarProperty::Due, day)));
    node.entries.extend(repeats);
    reminder(node, task, tables, losses);
    stamps(node, task);
}

/// A day without hours: the service's time and zone say nothing (Microsoft To Do shows the date alone).
fn day(task: &Value, name: &str, losses: &mut Losses) -> Option<Date> {
    let told = said(&task[name], "dateTime")?;
    let day = told.get(..10).and_then(|day| day.parse::<Date>().ok()).filter(|day| (2..=9990).contains(&day.year()));
    if day.is_none() {
        losses.add("date_unreadable", format!("`{told}` is no day; it is not carried"));
    }
    day
}

fn repeat(task: &Value, begins: Option<Date>, losses: &mut Losses) -> Option<ICalendarEntry> {
    let told = task["recurrence"].is_object().then_some(&task["recurrence"])?;
    let mut unread = |why: &str| {
        losses.add("task_recurrence", format!("{why}; the task stands once"));
        None
    };
    let Some(begins) = begins else { return unread("a recurrence without a day to begin on") };
    let Ok(mut series) = Series::read(told, begins, &mut Losses::default()) else {
        return unread("a recurrence that cannot be read");
    };
    // The task is the present one of its series; what was before it is done.
    let after = || series.dates().filter(|day| *day > begins);
    after().next()?;
    if let End::After(_) = series.end {
        series.end = End::After(u32::try_from(after().count()).unwrap_or(u32::MAX).saturating_add(1));
    }
    if !series.dates().take_while(|day| *day <= begins).any(|day| day == begins) {
        let detail = format!("the task is for {begins}, which its recurrence does not have; it repeats from there on");
        losses.add("start_not_in_pattern", detail);
    }
    let rule = recurrence::rule(&series, &Zone::utc(), true);
    Some(ICalendarEntry::new(ICalendarProperty::Rrule).with_value(rule))
}

/// An instant, with the zone it is told in.
pub(super) fn instant(told: &Value, tables: &Tables) -> Option<Timestamp> {
    let wall: DateTime = said(told, "dateTime")?.trim_end_matches('Z').parse().ok()?;
    let zone = match said(told, "timeZone") {
        None => Zone::utc(),
        Some(name) => Zone::named(name, &CalendarSetting::default(), tables)?,
    };
    zone.instant(wall).filter(|_| (2..=9990).contains(&wall.year()))
}

fn reminder(node: &mut Node, task: &Value, tables: &Tables, losses: &mut Losses) {
    if !yes(task, "isReminderOn") {
        return;
    }
    let Some(at) = instant(&task["reminderDateTime"], tables) else {
        losses.add("reminder_unreadable", "a reminder without a readable time; it is not carried");
        return;
    };
    let mut alarm = Node::new(ICalendarComponentType::VAlarm);
    let absolute = ICalendarParameter::new(ICalendarParameterName::Value, ICalendarValueType::DateTime);
    alarm.entries.push(ICalendarEntry::new(ICalendarProperty::Action).with_value(ICalendarAction::Display));
    let trigger = ICalendarEntry::new(ICalendarProperty::Trigger).with_param(absolute);
    alarm.entries.push(trigger.with_value(entry::utc(at)));
    alarm.text(ICalendarProperty::Description, &clean(said(task, "title").unwrap_or("Reminder"), losses));
    node.children.push(alarm);
}

fn stamps(node: &mut Node, task: &Value) {
    let at = |name: &str| said(task, name)?.parse::<Timestamp>().ok().filter(|at| entry::utc(*at).year > Some(1));
    let (created, modified) = (at("createdDateTime"), at("lastModifiedDateTime"));
    let mut add = |name, at| node.entries.push(ICalendarEntry::new(name).with_value(entry::utc(at)));
    add(ICalendarProperty::Dtstamp, modified.or(created).unwrap_or(Timestamp::UNIX_EPOCH));
    if let Some(created) = created {
        add(ICalendarProperty::Created, created);
    }
    if let Some(modified) = modified {
        add(ICalendarProperty::LastModified, modified);
    }
}
