//! An event being made: as it is meant, by the wall clock of a zone; written as the service answers it, in UTC.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::dump::Entry;
use crate::seed::dice::Dice;
use crate::tenant::agenda::{written, zone};

/// An event, and the exceptions of a series.
#[derive(Clone)]
pub(crate) struct Event {
    pub resource: Value,
    pub exceptions: Vec<Value>,
    /// Which of the odd calendars it stands in, if that matters.
    pub place: Option<usize>,
    /// Its id, if that matters.
    id: Option<String>,
    zone: TimeZone,
    start: DateTime,
    length: jiff::SignedDuration,
    all_day: bool,
}

fn clock(text: &str) -> DateTime {
    text.parse().unwrap_or(DateTime::constant(2026, 1, 1, 0, 0, 0, 0))
}

impl Event {
    /// From and to by the wall clock of a zone, named as Windows names it.
    pub(super) fn new(name: &str, zone_name: &str, start: &str, end: &str) -> Self {
        Self::in_zone(name, zone_name, zone(zone_name).unwrap_or(TimeZone::UTC), start, end)
    }

    /// In a zone whose name says nothing; the note tells the simulator what it is.
    pub(super) fn in_custom_zone(name: &str, shown: &str, real: &str, start: &str, end: &str) -> Self {
        let event = Self::in_zone(name, shown, zone(real).unwrap_or(TimeZone::UTC), start, end);
        event.with(json!({ "_sim": { "zone": real } }))
    }

    fn in_zone(name: &str, shown: &str, zone: TimeZone, start: &str, end: &str) -> Self {
        let (start, end) = (clock(start), clock(end));
        let mut event = Self {
            resource: blank(name, shown),
            exceptions: Vec::new(),
            place: None,
            id: None,
            zone,
            start,
            length: start.duration_until(end),
            all_day: false,
        };
        (event.resource["start"], event.resource["end"]) = (event.utc(start), event.utc(end));
        event
    }

    /// Whole days, from the first to the day after the last, made in some zone.
    pub(super) fn all_day(name: &str, made_in: &str, from: &str, to: &str) -> Self {
        let mut event = Self::in_zone(name, made_in, TimeZone::UTC, from, to);
        event.all_day = true;
        event.with(json!({ "isAllDay": true, "showAs": "free" }))
    }

    fn utc(&self, clock: DateTime) -> Value {
        let shown = self.zone.to_timestamp(clock).map(|instant| TimeZone::UTC.to_datetime(instant));
        written(shown.unwrap_or(clock), "UTC")
    }

    pub(super) fn with(mut self, members: Value) -> Self {
        for (name, value) in members.as_object().into_iter().flatten() {
            self.resource[name.as_str()] = value.clone();
        }
        self
    }

    pub(super) fn without(mut self, members: &[&str]) -> Self {
        for name in members {
            self.resource.as_object_mut().and_then(|event| event.shift_remove(*name));
        }
        self
    }

    pub(super) fn standing_in(self, calendar: usize) -> Self {
        Self { place: Some(calendar), ..self }
    }

    /// With ids that are odd themselves, in both forms.
    pub(super) fn called(self, rest: &str) -> Self {
        let event = self.with(json!({ "_sim": { "lasting": format!("AAkALg{rest}") } }));
        Self { id: Some(format!("AAMkAG{rest}")), ..event }
    }

    /// Makes it a series. The range begins on its first day, and its zone is that of the event unless it says otherwise.
    pub(super) fn repeating(mut self, pattern: Value, mut range: Value) -> Self {
        range["startDate"] = self.start.date().to_string().into();
        if range.get("recurrenceTimeZone").is_none() {
            range["recurrenceTimeZone"] = self.resource["originalStartTimeZone"].clone();
        }
        self.resource["recurrence"] = json!({ "pattern": pattern, "range": range });
        self.resource["type"] = "seriesMaster".into();
        self.resource["cancelledOccurrences"] = json!([]);
        self
    }

    /// Changes one day of the series. `at` moves it, by the wall clock.
    pub(super) fn except(mut self, date: &str, at: Option<(&str, &str)>, change: Value) -> Self {
        let day: Date = date.parse().unwrap_or(self.start.date());
        let original = day.to_datetime(self.start.time());
        let (start, end) = match at {
            Some((start, end)) => (clock(start), clock(end)),
            None => (original, original.checked_add(self.length).unwrap_or(original)),
        };
        let instant = self.home().to_timestamp(original).unwrap_or(Timestamp::UNIX_EPOCH);
        let own = json!({
            "type": "exception", "start": self.utc(start), "end": self.utc(end), "recurrence": null,
            "originalStart": instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        });
        let mut exception = self.resource.clone();
        for apart in ["cancelledOccurrences", "attachments", "_sim"] {
            exception.as_object_mut().and_then(|members| members.shift_remove(apart));
        }
        for (name, value) in own.as_object().into_iter().flatten().chain(change.as_object().into_iter().flatten()) {
            exception[name.as_str()] = value.clone();
        }
        self.exceptions.push(exception);
        self
    }

    /// The zone of the recurrence, which that of whole days is not.
    fn home(&self) -> TimeZone {
        let stated =
            [&self.resource["recurrence"]["range"]["recurrenceTimeZone"], &self.resource["originalStartTimeZone"]];
        let named = || stated.into_iter().filter_map(Value::as_str).find_map(zone);
        if self.all_day { named().unwrap_or(TimeZone::UTC) } else { self.zone.clone() }
    }

    pub(super) fn cancelling(mut self, dates: &[&str]) -> Self {
        self.resource["cancelledOccurrences"] = json!(dates);
        self
    }

    /// The lines of a dump, with ids.
    pub(crate) fn lines(mut self, dice: &mut Dice, user: &str, calendar: &str) -> Vec<Entry> {
        let drawn = dice.outlook_id("AAMkAG", 152);
        let id = self.id.take().unwrap_or(drawn);
        let made =
            format!("040000008200E00074C5B7101A82E00800000000{}000000000000000010000000{}", dice.hex(8), dice.hex(16));
        let uid = self.resource["iCalUId"].as_str().map_or_else(|| made.to_uppercase(), str::to_owned);
        let cancelled = self.resource["cancelledOccurrences"].as_array().cloned().unwrap_or_default();
        if self.resource["type"] == "seriesMaster" {
            let named = cancelled.iter().filter_map(Value::as_str).map(|date| format!("OID.{id}.{date}"));
            self.resource["cancelledOccurrences"] = named.collect();
        }
        let line = |resource: Value| Entry {
            kind: "event".to_owned(),
            user: Some(user.to_owned()),
            resource,
            parent: Some(calendar.to_owned()),
            content: None,
        };
        let keyed = |mut resource: Value, id: &str, uid: &str, dice: &mut Dice| {
            resource["id"] = id.into();
            resource["changeKey"] = dice.outlook_id("CQAAABYAAAB", 40).into();
            resource["iCalUId"] = uid.into();
            resource
        };
        let mut lines = vec![line(keyed(self.resource.clone(), &id, &uid, dice))];
        for exception in self.exceptions {
            let own = dice.outlook_id("AAMkAG", 152);
            let day =
                exception["originalStart"].as_str().and_then(|text| text.get(..10)).and_then(|day| day.parse().ok());
            let own_uid = day.map_or_else(|| uid.clone(), |day| crate::tenant::agenda::occurrence_uid(&uid, day));
            let mut resource = keyed(exception, &own, &own_uid, dice);
            resource["seriesMasterId"] = id.as_str().into();
            lines.push(line(resource));
        }
        lines
    }
}

/// Microsoft Graph docs: event.
fn blank(name: &str, zone: &str) -> Value {
    let mut event = settings(name, zone);
    event["responseStatus"] = json!({ "response": "organizer", "time": "0001-01-01T00:00:00Z" });
    event["body"] = json!({
        "contentType": "html",
        "content": "<html><body><p>Voir <b>ci-dessous</b>.</p></body></html>\r\n",
    });
    event["location"] = json!({
        "displayName": "Salle du Conseil", "locationType": "default", "uniqueId": "Salle du Conseil",
        "uniqueIdType": "private", "address": {}, "coordinates": {},
    });
    event["locations"] =
        json!([{ "displayName": "Salle du Conseil", "locationType": "default", "uniqueIdType": "private" }]);
    event["organizer"] =
        json!({ "emailAddress": { "name": "Émilie Lefèvre", "address": "emilie.lefevre@valmont.example" } });
    event
}

/// The members of an event that are plain values.
fn settings(name: &str, zone: &str) -> Value {
    json!({
        "id": "", "createdDateTime": "2025-01-05T10:00:00.1234567Z", "lastModifiedDateTime": "2025-01-06T10:00:00.7654321Z",
        "changeKey": "", "categories": [], "transactionId": null, "originalStartTimeZone": zone,
        "originalEndTimeZone": zone, "iCalUId": null, "reminderMinutesBeforeStart": 15, "isReminderOn": true,
        "hasAttachments": false, "subject": name.replace('-', " "), "bodyPreview": "Voir ci-dessous.",
        "importance": "normal", "sensitivity": "normal", "isAllDay": false, "isCancelled": false, "isOrganizer": true,
        "responseRequested": true, "seriesMasterId": null, "showAs": "busy", "type": "singleInstance",
        "webLink": "https://outlook.office365.com/owa/?itemid=simulated&exvsurl=1&path=/calendar/item",
        "onlineMeetingUrl": null, "isOnlineMeeting": false, "onlineMeetingProvider": "unknown",
        "allowNewTimeProposals": true, "isDraft": false, "hideAttendees": false, "recurrence": null,
        "onlineMeeting": null, "start": null, "end": null, "attendees": [],
    })
}
