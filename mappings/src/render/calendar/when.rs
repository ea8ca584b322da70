//! DTSTART, DTEND and RECURRENCE-ID.

use super::entry::{self, Node};
use super::zones::Zone;
use super::{Occasion, Scene};
use crate::render::json::{said, yes};
use crate::{Unrendered, loss::Losses};
use calcard::icalendar::{ICalendarDuration, ICalendarEntry, ICalendarProperty};
use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::Value;

/// `dateTimeTimeZone`: a wall clock of seven fractional digits, without offset, in the zone beside it. Without a zone
/// it is UTC, as answers are unless asked otherwise.
pub(super) fn instant(told: &Value, scene: &Scene<'_>) -> Option<Timestamp> {
    let text = said(told, "dateTime")?;
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at).filter(|at| in_reach(Zone::utc().local(*at)));
    }
    let zone = match said(told, "timeZone") {
        None => Zone::utc(),
        Some(name) => Zone::named(name, scene.setting, scene.tables)?,
    };
    zone.instant(text.parse().ok().filter(|wall| in_reach(*wall))?)
}

/// The day and time printed, whatever the zone: all-day events are midnight to midnight in any (Microsoft Graph docs:
/// event resource), so they are never converted.
fn printed(told: &Value) -> Option<DateTime> {
    said(told, "dateTime")?.trim_end_matches('Z').parse().ok().filter(|wall| in_reach(*wall))
}

/// Years of four digits, with room for zones and lengths on either side; 0001 means never.
fn in_reach(wall: DateTime) -> bool {
    (2..=9990).contains(&wall.year())
}

pub(super) fn printed_day(told: &Value) -> Option<Date> {
    printed(told).map(DateTime::date)
}

pub(super) fn add(
    node: &mut Node,
    occasion: &Occasion<'_>,
    scene: &Scene<'_>,
    losses: &mut Losses,
) -> Result<(), Unrendered> {
    if yes(occasion.event, "isAllDay") {
        days(node, occasion, scene, losses)?;
    } else {
        hours(node, occasion, scene, losses)?;
    }
    if let Some(day) = occasion.replaces {
        let name = ICalendarProperty::RecurrenceId;
        node.entries.push(scene.occurrence(name, day));
    }
    Ok(())
}

fn no_start() -> Unrendered {
    Unrendered::unmappable("This event has no readable start; save it again at the source, then pull.")
}

fn days(node: &mut Node, occasion: &Occasion<'_>, scene: &Scene<'_>, losses: &mut Losses) -> Result<(), Unrendered> {
    let (start, end) = (printed(&occasion.event["start"]), printed(&occasion.event["end"]));
    let start = start.ok_or_else(no_start)?;
    let odd = |at: &DateTime| at.time() != Time::midnight();
    if odd(&start) || end.as_ref().is_some_and(odd) {
        losses.add(
            "all_day_time_dropped",
            "an all-day event that did not begin and end at midnight: only its days stand",
        );
    }
    // The day an odd end falls on is meant as a whole.
    let last = end.map(|end| if odd(&end) { end.date().tomorrow().unwrap_or(end.date()) } else { end.date() });
    let first = scene.first(occasion, start.date(), losses);
    let length = last.and_then(|last| start.date().until(last).ok()).map_or(0, |span| span.get_days());
    let length = if length < 1 { shorter(losses, last.is_some(), "one day") } else { length };
    let last = first.checked_add(length.days()).map_err(|_| no_start())?;
    node.entries.push(entry::date(ICalendarProperty::Dtstart, first));
    node.entries.push(entry::date(ICalendarProperty::Dtend, last));
    Ok(())
}

/// Names what was wrong with the end; the length that stands for it is one day or one minute.
fn shorter(losses: &mut Losses, told: bool, stands: &str) -> i32 {
    if told {
        losses.add(
            "end_before_start",
            format!("the event ended before it began, or as it began; {stands} stands for it"),
        );
    } else {
        losses.add("end_missing", format!("no readable end was told; {stands} stands for it"));
    }
    1
}

fn hours(node: &mut Node, occasion: &Occasion<'_>, scene: &Scene<'_>, losses: &mut Losses) -> Result<(), Unrendered> {
    let start = instant(&occasion.event["start"], scene).ok_or_else(no_start)?;
    let end = instant(&occasion.event["end"], scene);
    let seconds = end.map_or(0, |end| end.as_second() - start.as_second());
    let (end, written) = match (end, seconds) {
        (Some(end), 1..) => (end, true),
        // Without DTEND the event ends as it begins (RFC 5545 3.6.1).
        (Some(_), 0) if scene.profile.zero_length => (start, false),
        (told, 0) if told.is_some() => {
            losses
                .add("zero_length", "the event ended as it began, which the target refuses; one minute stands for it");
            (later(start, 60), true)
        }
        (told, _) => (later(start, 60 * i64::from(shorter(losses, told.is_some(), "one minute"))), true),
    };
    if scene.series.is_some() && occasion.replaces.is_none() {
        first_hours(node, occasion, scene, (start, written.then_some(end)), losses);
        return Ok(());
    }
    node.entries.push(entry::instant(ICalendarProperty::Dtstart, start, &scene.zone, losses));
    if written {
        let zone = end_zone(occasion.event, scene);
        node.entries.push(entry::instant(ICalendarProperty::Dtend, end, &zone, losses));
    }
    Ok(())
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(at)
}

/// The first occurrence of a series: on the first day of its pattern, at the time of day the master tells.
fn first_hours(
    node: &mut Node,
    occasion: &Occasion<'_>,
    scene: &Scene<'_>,
    (start, end): (Timestamp, Option<Timestamp>),
    losses: &mut Losses,
) {
    let wall = scene.zone.local(start);
    let first = scene.first(occasion, wall.date(), losses).to_datetime(wall.time());
    let begins = scene.zone.instant(first).unwrap_or(start);
    if wall == first && begins.as_second() != start.as_second() {
        losses.add(
            "hour_ambiguous",
            format!("{wall} happens twice in {}; the series begins in the first one", scene.zone.name),
        );
    }
    node.entries.push(entry::local(ICalendarProperty::Dtstart, first, &scene.zone));
    node.entries.extend(end.map(|end| first_end(first, (start, end), scene, losses)));
}

/// DTEND, as much later by the clock on the wall as the service told: so Outlook keeps it, and so programs add it to each
/// occurrence. DURATION where that clock shows no later time, since all lies in the hour that happens twice.
fn first_end(
    first: DateTime,
    (start, end): (Timestamp, Timestamp),
    scene: &Scene<'_>,
    losses: &mut Losses,
) -> ICalendarEntry {
    let length = scene.zone.local(start).duration_until(scene.zone.local(end));
    let wall = first.checked_add(length).ok().filter(|_| length.is_positive());
    let Some(wall) = wall else {
        let seconds = u32::try_from(end.as_second() - start.as_second()).unwrap_or(u32::MAX);
        let length = ICalendarDuration { seconds, ..ICalendarDuration::default() };
        return ICalendarEntry::new(ICalendarProperty::Duration).with_value(length);
    };
    if !scene.zone.shows_once(wall) {
        let detail =
            format!("{wall} happens twice in {}, or never; the first occurrence ends about then", scene.zone.name);
        losses.add("hour_ambiguous", detail);
    }
    entry::local(ICalendarProperty::Dtend, wall, &scene.zone)
}

/// A flight ends in another zone than it begins in.
fn end_zone(event: &Value, scene: &Scene<'_>) -> Zone {
    let told = said(event, "originalEndTimeZone").filter(|_| scene.series.is_none());
    let zone = told.and_then(|name| Zone::named(name, scene.setting, scene.tables));
    zone.filter(|zone| !zone.is_utc()).unwrap_or_else(|| scene.zone.clone())
}
