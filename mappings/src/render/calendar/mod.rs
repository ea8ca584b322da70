//! An event with its series, from Microsoft Graph's data to one iCalendar object (RFC 5545).
//!
//! One file for each family of properties; [`FAMILIES`] is the list of those that stand in every VEVENT.

mod alarms;
pub(in crate::render) mod attachments;
pub(in crate::render) mod bundle;
mod busy;
mod categories;
mod colour;
pub(in crate::render) mod entry;
mod exceptions;
mod identity;
mod meeting;
pub(in crate::render) mod pattern;
mod people;
mod priority;
mod privacy;
pub(in crate::render) mod recurrence;
mod room;
pub(in crate::render) mod text;
mod unmapped;
mod vtimezone;
mod when;
pub(in crate::render) mod zones;

use crate::loss::Losses;
use crate::render::json::yes;
use crate::{CalendarProfile, CalendarSetting, Parts, RenderedObject, Tables, Unrendered};
use bundle::Bundle;
use calcard::icalendar::{ICalendarComponentType, ICalendarEntry, ICalendarProperty, ICalendarValue};
use entry::Node;
use exceptions::Fates;
use jiff::civil::{Date, Time};
use pattern::{End, Series};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use zones::Zone;

/// What is common to all VEVENTs of an object.
struct Scene<'a> {
    bundle: &'a Bundle,
    series: Option<Series>,
    /// The zone the series lives in, or the single event.
    zone: Zone,
    all_day: bool,
    /// Wall clock at which occurrences begin.
    time: Time,
    uid: String,
    profile: &'a CalendarProfile,
    setting: &'a CalendarSetting,
    tables: &'a Tables,
}

/// One VEVENT to be written: the event itself, or a changed occurrence with the day it replaces.
struct Occasion<'a> {
    event: &'a Value,
    replaces: Option<Date>,
}

type Family = fn(&mut Node, &Occasion<'_>, &Scene<'_>, &mut Losses);

/// Properties of every VEVENT beside its times and attachments.
const FAMILIES: [Family; 12] = [
    identity::add,
    text::add,
    people::add,
    privacy::add,
    busy::add,
    priority::add,
    categories::add,
    colour::add,
    meeting::add,
    alarms::add,
    identity::add_dates,
    unmapped::name,
];

/// Writes the iCalendar object of an event's original into `out`: VTIMEZONEs, the master, its changed occurrences.
///
/// The parts are described at [`Parts`]. JSON parts are held in memory, up to 64 MiB each, and those attachments that
/// the profile lets in.
///
/// # Errors
/// [`Unrendered::Unmappable`] when the original has no `event`, or one without a start, or a recurrence that cannot be
/// read or has no occurrence; [`Unrendered::Io`] when a part or `out` fails.
pub fn calendar(
    original: &dyn Parts,
    profile: &CalendarProfile,
    setting: &CalendarSetting,
    tables: &Tables,
    out: &mut dyn Write,
) -> Result<RenderedObject, Unrendered> {
    let mut losses = Losses::default();
    let bundle = bundle::read(original, &mut losses)?;
    let scene = scene(&bundle, profile, setting, tables, &mut losses)?;
    let fates = scene.series.as_ref().map(|series| exceptions::fates(&scene, series, &mut losses)).unwrap_or_default();
    let mut events = events(&scene, &fates, &mut losses)?;
    room::make(&mut events, &scene, &mut losses);
    attachments::add(&mut events, original, &scene, &mut losses)?;
    let events = events.into_iter().map(|(_, node)| node).collect();
    let text = object(&scene, events, &mut losses).object().to_string();
    out.write_all(text.as_bytes())?;
    Ok(RenderedObject { losses: losses.finish(), uid: scene.uid, size: text.len() as u64 })
}

fn scene<'a>(
    bundle: &'a Bundle,
    profile: &'a CalendarProfile,
    setting: &'a CalendarSetting,
    tables: &'a Tables,
    losses: &mut Losses,
) -> Result<Scene<'a>, Unrendered> {
    let (event, mut unnamed) = (&bundle.event, Losses::default());
    let all_day = yes(event, "isAllDay");
    // Days are no hours of a zone; it is asked only where an occurrence lies.
    let zone = zones::meant(event, setting, tables, if all_day { &mut unnamed } else { losses });
    let uid = identity::uid(event, profile.own_uid, losses);
    let mut scene =
        Scene { bundle, series: None, zone, all_day, time: Time::midnight(), uid, profile, setting, tables };
    let Some(begins) = scene.begins() else { return Ok(scene) };
    scene.time = begins.time();
    if event["recurrence"].is_object() {
        scene.series = Some(Series::read(&event["recurrence"], begins.date(), losses)?);
    }
    Ok(scene)
}

impl Scene<'_> {
    /// Wall clock of the event's start.
    fn begins(&self) -> Option<jiff::civil::DateTime> {
        let start = &self.bundle.event["start"];
        if self.all_day {
            return when::printed_day(start).map(|day| day.to_datetime(Time::midnight()));
        }
        when::instant(start, self).map(|at| self.zone.local(at))
    }

    /// A property that names an occurrence of the series: written as DTSTART of the master is.
    fn occurrence(&self, name: ICalendarProperty, day: Date) -> ICalendarEntry {
        if self.all_day {
            return entry::date(name, day);
        }
        entry::local(name, day.to_datetime(self.time), &self.zone)
    }

    /// The day of DTSTART: of a series the first of its pattern, since DTSTART counts as an occurrence (RFC 5545
    /// 3.8.5.3).
    fn first(&self, occasion: &Occasion<'_>, told: Date, losses: &mut Losses) -> Date {
        let series = self.series.as_ref().filter(|_| occasion.replaces.is_none());
        let first = series.and_then(|series| series.dates().next()).unwrap_or(told);
        if first != told {
            losses.add(
                "start_not_in_pattern",
                format!("the series was told to start on {told}; its first occurrence is on {first}"),
            );
        }
        first
    }
}

/// The VEVENTs, each with the id of the event it was made from.
fn events(scene: &Scene<'_>, fates: &Fates<'_>, losses: &mut Losses) -> Result<Vec<(String, Node)>, Unrendered> {
    let master = Occasion { event: &scene.bundle.event, replaces: None };
    let mut events = vec![event(&master, scene, losses)?];
    if let Some(series) = &scene.series {
        repeat(&mut events[0].1, scene, series, fates)?;
    }
    for (day, exception) in &fates.changed {
        let occasion = Occasion { event: exception, replaces: Some(*day) };
        events.push(event(&occasion, scene, losses)?);
    }
    Ok(events)
}

fn event(occasion: &Occasion<'_>, scene: &Scene<'_>, losses: &mut Losses) -> Result<(String, Node), Unrendered> {
    let mut node = Node::new(ICalendarComponentType::VEvent);
    when::add(&mut node, occasion, scene, losses)?;
    for family in FAMILIES {
        family(&mut node, occasion, scene, losses);
    }
    let id = occasion.event["id"].as_str().unwrap_or_default().to_owned();
    Ok((id, node))
}

/// RRULE, EXDATE and RDATE.
fn repeat(master: &mut Node, scene: &Scene<'_>, series: &Series, fates: &Fates<'_>) -> Result<(), Unrendered> {
    let left = |day: &Date| !fates.cancelled.contains(day);
    if series.end != End::Never && fates.added.is_empty() && !series.dates().any(|day| left(&day)) {
        let sentence = "Every occurrence of this series is cancelled, and servers refuse a series without occurrences; \
                        delete it at the source, or leave it behind.";
        return Err(Unrendered::unmappable(sentence));
    }
    let rule = recurrence::rule(series, &scene.zone, scene.all_day);
    master.entries.push(ICalendarEntry::new(ICalendarProperty::Rrule).with_value(rule));
    let exdates = fates.cancelled.iter().map(|day| scene.occurrence(ICalendarProperty::Exdate, *day));
    let rdates = fates.added.iter().map(|day| scene.occurrence(ICalendarProperty::Rdate, *day));
    master.entries.extend(exdates.chain(rdates));
    Ok(())
}

fn object(scene: &Scene<'_>, events: Vec<Node>, losses: &mut Losses) -> Node {
    let mut object = Node::new(ICalendarComponentType::VCalendar);
    object.text(ICalendarProperty::Version, "2.0");
    object.text(ICalendarProperty::Prodid, "-//transhume//transhume//EN");
    let zones = zones_used(scene, &events);
    object.children.extend(
        zones
            .into_iter()
            .filter_map(|(name, (from, to))| Some(vtimezone::vtimezone(&Zone::iana(&name)?, from, to, losses))),
    );
    object.children.extend(events);
    object
}

/// The zones that entries name, with the first and the last year concerned; no last one for endless series.
fn zones_used(scene: &Scene<'_>, events: &[Node]) -> BTreeMap<String, (i16, Option<i16>)> {
    let mut used: BTreeMap<String, (i16, Option<i16>)> = BTreeMap::new();
    for (zone, year) in events.iter().flat_map(|event| &event.entries).filter_map(zone_and_year) {
        let (from, to) = used.entry(zone.to_owned()).or_insert((year, Some(year)));
        *from = year.min(*from);
        *to = to.map(|to| to.max(year));
    }
    if let Some((series, (_, to))) = scene.series.as_ref().zip(used.get_mut(&scene.zone.name)) {
        *to = match series.end {
            End::Never => None,
            End::On(_) | End::After(_) => (*to).max(series.dates().last().map(Date::year)),
        };
    }
    used
}

fn zone_and_year(entry: &ICalendarEntry) -> Option<(&str, i16)> {
    let zone = entry.params.iter().find(|param| param.name == calcard::icalendar::ICalendarParameterName::Tzid)?;
    let calcard::icalendar::ICalendarParameterValue::Text(zone) = &zone.value else { return None };
    let Some(ICalendarValue::PartialDateTime(at)) = entry.values.first() else { return None };
    Some((zone, i16::try_from(at.year?).ok()?))
}

/// Sets of names told in a loss.
fn names(names: BTreeSet<&str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}
