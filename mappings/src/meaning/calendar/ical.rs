//! The meaning of an iCalendar text.

use super::lines::{self, Component, Line};
use super::rule::{Rule, clock};
use super::words::{digest, letters, letters_read, plain, uri};
use super::zone::{Zones, duration};
use super::{CalendarMeaning, Facts, Occurrence, Unreadable, When, beside_series, unreadable};
use base64::Engine;
use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use std::collections::{BTreeMap, BTreeSet};

/// Reads one iCalendar object: the VEVENTs of one UID.
///
/// # Errors
/// When the text is no such object, or says what cannot be compared.
pub fn text(text: &str) -> Result<CalendarMeaning, Unreadable> {
    let calendar = lines::only("VCALENDAR", text)?;
    read(&calendar, Zones::of(&calendar)?)
}

/// The same with zones by their names; none where no zone of the text has a name that says its rules.
pub(super) fn by_name(text: &str) -> Result<Option<CalendarMeaning>, Unreadable> {
    let calendar = lines::only("VCALENDAR", text)?;
    let mut zones = Zones::of(&calendar)?;
    if zones.by_name() { read(&calendar, zones).map(Some) } else { Ok(None) }
}

fn read(calendar: &Component, mut zones: Zones) -> Result<CalendarMeaning, Unreadable> {
    let events: Vec<&Component> = calendar.kids("VEVENT").collect();
    let uids: BTreeSet<String> =
        events.iter().filter_map(|event| event.line("UID")).map(|line| plain(&line.text())).collect();
    if uids.len() > 1 {
        return unreadable("events with different UIDs stand in one object");
    }
    let (masters, changed): (Vec<&Component>, Vec<&Component>) =
        events.into_iter().partition(|event| event.line("RECURRENCE-ID").is_none());
    let [master] = masters.as_slice() else {
        return unreadable(format!("there are {} events without RECURRENCE-ID, and one is wanted", masters.len()));
    };
    let uid = uids.into_iter().next().unwrap_or_default();
    let mut meaning = CalendarMeaning { uid, facts: facts(master), ..CalendarMeaning::default() };
    (meaning.occurrences, meaning.more) = occurrences(master, &mut zones)?;
    let begins = wall(moment(line(master, "DTSTART")?, &mut zones)?);
    for event in changed {
        let id = line(event, "RECURRENCE-ID")?;
        let place = place(moment(id, &mut zones)?, master, begins, &mut zones)?;
        let (start, end) = times(event, &mut zones)?;
        meaning
            .occurrences
            .insert(place, Occurrence { start, end, facts: Some(beside_series(facts(event), &meaning.facts)) });
    }
    Ok(meaning)
}

fn line<'a>(event: &'a Component, name: &str) -> Result<&'a Line, Unreadable> {
    event.lines.iter().find(|line| line.name == name).ok_or_else(|| Unreadable(format!("an event has no {name}")))
}

fn wall(when: When) -> DateTime {
    match when {
        When::Day(day) => day.to_datetime(Time::midnight()),
        When::Moment { wall, .. } => wall,
    }
}

/// A date, or a wall clock with its zone, or an instant.
fn moment(line: &Line, zones: &mut Zones) -> Result<When, Unreadable> {
    one(&line.value, line, zones)
}

fn one(value: &str, line: &Line, zones: &mut Zones) -> Result<When, Unreadable> {
    let Some(wall) = clock(value) else {
        return unreadable(format!("`{}` is no time", value.chars().take(40).collect::<String>()));
    };
    let is_date = line.param("VALUE").is_some_and(|kind| kind.eq_ignore_ascii_case("DATE"));
    if is_date || value.trim().len() == 8 {
        return Ok(When::Day(wall.date()));
    }
    let at = match line.param("TZID").filter(|_| !value.trim().ends_with(['Z', 'z'])) {
        None => Offset::UTC.to_timestamp(wall).ok(),
        Some(zone) => zones.get(zone)?.instant(wall),
    };
    at.map(|at| When::Moment { at, wall }).ok_or_else(|| Unreadable("a time beyond all years".to_owned()))
}

fn times(event: &Component, zones: &mut Zones) -> Result<(When, When), Unreadable> {
    let start = moment(line(event, "DTSTART")?, zones)?;
    if let Some(end) = event.line("DTEND") {
        return Ok((start, moment(end, zones)?));
    }
    let length = event.line("DURATION").and_then(|line| duration(&line.value));
    let end = match start {
        When::Day(day) => {
            let days = length.map_or(1, |length| length.as_hours() / 24);
            When::Day(
                day.checked_add(jiff::SignedDuration::from_hours(days.clamp(-400_000, 400_000) * 24)).unwrap_or(day),
            )
        }
        When::Moment { at, .. } => {
            let at = at.checked_add(length.unwrap_or_default()).unwrap_or(at);
            When::Moment { at, wall: wall_at(event, at, zones)? }
        }
    };
    Ok((start, end))
}

/// The wall clock where DTSTART is.
fn wall_at(event: &Component, at: Timestamp, zones: &mut Zones) -> Result<DateTime, Unreadable> {
    match line(event, "DTSTART")?.param("TZID") {
        Some(zone) => Ok(zones.get(zone)?.wall(at)),
        None => Ok(Offset::UTC.to_datetime(at)),
    }
}

/// The occurrences of the rule, with RDATE and without EXDATE.
fn occurrences(master: &Component, zones: &mut Zones) -> Result<(BTreeMap<DateTime, Occurrence>, bool), Unreadable> {
    let (start, end) = times(master, zones)?;
    let begins = wall(start);
    let (mut places, mut more) = (BTreeSet::from([begins]), false);
    for line in master.all("RRULE") {
        let rule = Rule::parse(&line.value)?;
        let (days, cut) =
            rule.bounded(begins.date(), &|day| within(&rule, day.to_datetime(begins.time()), master, zones));
        places.extend(days.into_iter().map(|day| day.to_datetime(begins.time())));
        more |= cut;
    }
    for added in master.all("RDATE") {
        for value in added.value.split(',') {
            let place = one(value, added, zones)?;
            places.insert(self::place(place, master, begins, zones)?);
        }
    }
    for excluded in master.all("EXDATE") {
        for value in excluded.value.split(',') {
            let place = one(value, excluded, zones)?;
            places.remove(&self::place(place, master, begins, zones)?);
        }
    }
    let mut found = BTreeMap::new();
    for place in places {
        found.insert(place, shifted(place, (start, end), master, zones)?);
    }
    Ok((found, more))
}

/// Whether the rule's UNTIL lets this one in.
fn within(rule: &Rule, wall: DateTime, master: &Component, zones: &Zones) -> bool {
    let Some((text, until)) = rule.until.as_deref().and_then(|text| Some((text, clock(text)?))) else { return true };
    if text.len() == 8 {
        return wall.date() <= until.date();
    }
    let zone = master.line("DTSTART").and_then(|line| line.param("TZID"));
    let at = match zone.and_then(|zone| zones.seen(zone)) {
        Some(rules) if text.ends_with('Z') => rules.instant(wall),
        _ => Offset::UTC.to_timestamp(wall).ok(),
    };
    at.zip(Offset::UTC.to_timestamp(until).ok()).is_some_and(|(at, until)| at <= until)
}

/// Where in the pattern: as wall clock of the master's own zone.
fn place(when: When, master: &Component, begins: DateTime, zones: &mut Zones) -> Result<DateTime, Unreadable> {
    match when {
        When::Day(day) => Ok(day.to_datetime(begins.time())),
        When::Moment { at, wall } => {
            let local = wall_at(master, at, zones)?;
            // A wall clock that a gap leaps over stands where the pattern has it.
            Ok(if local.date() == wall.date() && local != wall && wall.time() == begins.time() { wall } else { local })
        }
    }
}

fn shifted(
    place: DateTime,
    (start, end): (When, When),
    master: &Component,
    zones: &mut Zones,
) -> Result<Occurrence, Unreadable> {
    let (start, end) = match (start, end) {
        (When::Day(first), When::Day(last)) => {
            let days = first.until(last).map_or(1, |span| span.get_days());
            let day: Date = place.date();
            (When::Day(day), When::Day(day.checked_add(days.days()).unwrap_or(day)))
        }
        (When::Moment { wall: begins, .. }, When::Moment { .. }) if place == begins => (start, end),
        (When::Moment { at: first, wall: begins }, When::Moment { at: last, wall: ends }) => {
            let zone = line(master, "DTSTART")?.param("TZID").map(|zone| zones.get(zone)).transpose()?;
            let instant = |wall: DateTime| match zone {
                Some(zone) => zone.instant(wall),
                None => Offset::UTC.to_timestamp(wall).ok(),
            };
            let Some(at) = instant(place) else { return unreadable("an occurrence beyond all years") };
            // RFC 5545 3.8.5.3 has DTEND mean the same exact length each time; calendar programs add it by the clock on
            // the wall, as Outlook does. DURATION in hours is exact to all.
            let length = Some(begins.duration_until(ends)).filter(|length| length.is_positive() && by_clocks(master));
            let until = match length.and_then(|length| place.checked_add(length).ok()) {
                Some(until) => instant(until).unwrap_or(at),
                None => at.checked_add(last.duration_since(first)).unwrap_or(at),
            };
            let wall = wall_at(master, at, zones)?;
            (When::Moment { at, wall }, When::Moment { at: until, wall: wall_at(master, until, zones)? })
        }
        _ => return unreadable("an event begins with a day and ends at an hour, or the other way round"),
    };
    Ok(Occurrence { start, end, facts: None })
}

/// Start and end are told in one zone.
fn by_clocks(master: &Component) -> bool {
    let zone = |name: &str| master.line(name).map(|line| line.param("TZID"));
    zone("DTEND").is_some_and(|end| Some(end) == zone("DTSTART"))
}

fn facts(event: &Component) -> Facts {
    let mut facts = Facts::new();
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            facts.insert(name.to_owned(), value);
        }
    };
    let text = |name: &str| event.line(name).map(|line| plain(&line.text())).unwrap_or_default();
    let word = |name: &str, missing: &str| {
        let told = text(name).to_uppercase();
        if told.is_empty() { missing.to_owned() } else { told }
    };
    fact("summary", text("SUMMARY"));
    fact("description", letters_read(&text("DESCRIPTION")));
    fact("html", text("X-ALT-DESC"));
    fact("location", text("LOCATION"));
    fact("class", word("CLASS", "PUBLIC"));
    fact("transparency", word("TRANSP", "OPAQUE"));
    fact("busy", word("X-MICROSOFT-CDO-BUSYSTATUS", ""));
    fact("status", word("STATUS", "CONFIRMED"));
    fact("priority", priority(&text("PRIORITY")).to_owned());
    fact("categories", super::graph::sorted(event.all("CATEGORIES").flat_map(Line::texts)));
    fact("colour", text("COLOR").to_lowercase());
    fact("alarm", alarms(event));
    fact("meeting", meeting(event));
    event.all("ATTACH").for_each(|line| attachment(line).into_iter().for_each(|(name, value)| fact(&name, value)));
    facts.extend(people(event));
    facts
}

pub(in crate::meaning) fn priority(told: &str) -> &'static str {
    match told {
        "1" | "2" | "3" | "4" => "high",
        "6" | "7" | "8" | "9" => "low",
        _ => "normal",
    }
}

/// Seconds from the start, in order.
pub(in crate::meaning) fn alarms(event: &Component) -> String {
    let triggers = event.kids("VALARM").filter_map(|alarm| alarm.line("TRIGGER"));
    let told = |line: &Line| match duration(&line.value) {
        Some(length) if line.param("RELATED").is_none_or(|to| to.eq_ignore_ascii_case("START")) => {
            length.as_secs().to_string()
        }
        _ => line.value.clone(),
    };
    let mut told: Vec<String> = triggers.map(told).collect();
    told.sort();
    told.join(" ")
}

fn meeting(event: &Component) -> String {
    let online = |line: &&Line| !line.value.to_lowercase().starts_with("tel:");
    let conference = event.all("CONFERENCE").find(online).or_else(|| event.line("URL"));
    conference.map(|line| uri(&line.text())).unwrap_or_default()
}

pub(in crate::meaning) fn attachment(line: &Line) -> Option<(String, String)> {
    let engine = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let inline = line.param("ENCODING").is_some_and(|how| how.eq_ignore_ascii_case("BASE64"));
    let bytes = inline.then(|| engine.decode(line.value.trim()).ok()).flatten()?;
    let name = line.param("FILENAME").or(line.param("X-FILENAME")).map(letters).unwrap_or_default();
    Some((format!("attachment {}", digest(&bytes)), name))
}

/// `organizer` and `attendee <address>`.
fn people(event: &Component) -> Facts {
    let mut facts = Facts::new();
    if let Some(organizer) = event.line("ORGANIZER") {
        facts.insert("organizer".to_owned(), key(organizer));
    }
    for attendee in event.all("ATTENDEE") {
        let param = |name: &str| attendee.param(name).unwrap_or_default().to_uppercase();
        let role = match (param("CUTYPE").as_str(), param("ROLE").as_str()) {
            ("RESOURCE" | "ROOM", _) => "resource".to_owned(),
            (_, "" | "REQ-PARTICIPANT" | "CHAIR") => "required".to_owned(),
            (_, "OPT-PARTICIPANT") => "optional".to_owned(),
            (_, other) => other.to_lowercase(),
        };
        let answer = match param("PARTSTAT").as_str() {
            "" | "NEEDS-ACTION" => "unanswered".to_owned(),
            other => other.to_lowercase(),
        };
        let name = attendee.param("CN").map(letters).unwrap_or_default();
        let said = format!("{role} {answer} {name}").trim_end().to_owned();
        facts.insert(format!("attendee {}", key(attendee)), said);
    }
    facts
}

fn key(line: &Line) -> String {
    let value = line.value.trim();
    match value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")) {
        Some(_) => value[7..].to_lowercase(),
        None => format!("named {}", line.param("CN").map(letters).unwrap_or_default()),
    }
}
