//! What holds for any event: it renders or is refused with a sentence, what is rendered can be read back, and says what
//! the service told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod events;

use calcard::icalendar::{ICalendar, ICalendarComponentType, ICalendarProperty, ICalendarValue};
use events::{event, lines_of, original, rendered, setting};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use transhume_mappings::Tables;
use transhume_mappings::meaning::calendar;

fn words() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a",
        "Zoé",
        "日本",
        "🎉",
        "שלום",
        ",",
        ";",
        ":",
        "\\",
        "\\n",
        "\n",
        "\r\n",
        "\r",
        "\t",
        " ",
        "\"",
        "'",
        "^",
        "=",
        "BEGIN:VEVENT",
        "\u{1}",
        "\u{0}",
        "\u{7f}",
        "\u{85}",
        "<p>",
        "</p>",
        "&amp;",
        "&",
        "<br>",
        "long-word-".repeat(9).leak(),
    ];
    prop::collection::vec(select(pieces), 0..25).prop_map(|pieces| pieces.concat())
}

/// Within what the service answers, and a little beyond.
fn word(known: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![20 => select(known).prop_map(Value::from), 1 => Just(json!("odd")), 1 => Just(Value::Null)]
}

fn attendee() -> impl Strategy<Value = Value> {
    let address = prop_oneof![
        8 => "[a-z]{1,8}@[a-z]{1,8}\\.example".prop_map(Value::from),
        1 => Just(json!("/o=Ex/cn=Recipients/cn=x")),
        1 => Just(json!("alice@old.example")),
    ];
    let kinds = word(&["required", "optional", "resource"]);
    let answers = word(&["none", "organizer", "tentativelyAccepted", "accepted", "declined", "notResponded"]);
    (address, words(), kinds, answers).prop_map(|(address, name, kind, answer)| {
        json!({ "type": kind, "status": { "response": answer }, "emailAddress": { "address": address, "name": name } })
    })
}

fn moment() -> impl Strategy<Value = i64> {
    // 1950 to 2100, in quarters of an hour.
    (-630_720_000_i64..4_102_444_800).prop_map(|at| at / 900 * 900)
}

fn told(seconds: i64) -> Value {
    let at = jiff::Timestamp::from_second(seconds).unwrap();
    let text = jiff::tz::TimeZone::UTC.to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S.0000000").to_string();
    json!({ "dateTime": text, "timeZone": "UTC" })
}

fn any_event() -> impl Strategy<Value = Value> {
    let zones =
        word(&["W. Europe Standard Time", "Eastern Standard Time", "UTC", "Asia/Tokyo", "tzone://Microsoft/Custom"]);
    let texts = (words(), words(), words(), select(vec!["html", "text"]), prop::collection::vec(words(), 0..4));
    let states = (
        word(&["normal", "personal", "private", "confidential"]),
        word(&["free", "tentative", "busy", "oof", "workingElsewhere", "unknown"]),
        word(&["low", "normal", "high"]),
        any::<[bool; 4]>(),
        -60_i64..50_000,
    );
    let times = (moment(), -100_i64..100_000, zones, prop::option::weighted(0.2, 1_i64..30));
    (texts, states, times, prop::collection::vec(attendee(), 0..4)).prop_map(|(texts, states, times, attendees)| {
        let (subject, body, place, kind, categories) = texts;
        let (sensitivity, state, importance, [alarm, cancelled, own, all_day], minutes) = states;
        let (start, length, zone, days) = times;
        let mut patch = json!({
            "subject": subject, "body": { "contentType": kind, "content": body }, "categories": categories,
            "location": { "displayName": place }, "sensitivity": sensitivity, "showAs": state, "importance": importance,
            "isReminderOn": alarm, "isCancelled": cancelled, "isOrganizer": own, "reminderMinutesBeforeStart": minutes,
            "attendees": attendees, "start": told(start), "end": told(start + length * 60),
            "originalStartTimeZone": zone, "originalEndTimeZone": zone
        });
        if let Some(days) = days.filter(|_| all_day) {
            let midnight = start.div_euclid(86_400) * 86_400;
            patch["isAllDay"] = json!(true);
            patch["start"] = told(midnight);
            patch["end"] = told(midnight + days * 86_400);
        }
        json!({ "event": event(&patch) })
    })
}

fn profiles() -> impl Strategy<Value = Value> {
    select(vec![
        json!({}),
        json!({ "strict": true }),
        json!({ "scheduling": "no_organizer" }),
        json!({ "zero_length": false }),
    ])
}

fn parsed(text: &str) -> ICalendar {
    match calcard::Parser::new(text).entry() {
        calcard::Entry::ICalendar(calendar) => calendar,
        other => panic!("{other:?}\n{text}"),
    }
}

fn text_of(calendar: &ICalendar, name: &ICalendarProperty) -> Option<String> {
    let event = calendar.components.iter().find(|one| one.component_type == ICalendarComponentType::VEvent).unwrap();
    event.entries.iter().find(|entry| entry.name == *name).map(|entry| match entry.values.first() {
        Some(ICalendarValue::Text(text)) => text.clone(),
        other => panic!("{other:?}"),
    })
}

/// As a text may stand in a calendar.
fn allowed(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// The rendering says what the service told, but for what it names.
    #[test]
    fn what_is_rendered_means_what_was_told(mut row in any_event(), profile in profiles()) {
        row["profile"] = profile;
        let (text, rendered) = rendered(&row).unwrap();
        let told = calendar::original(&original(&row), &setting(&row), &Tables::embedded()).unwrap();
        let read = calendar::text(&text).unwrap();
        let found = calendar::differences(&told, &read, &rendered.losses);
        prop_assert_eq!(found, Vec::<String>::new(), "{}\n{:?}", text, rendered.losses);
    }

    /// The inverse: another reader finds in the text what went in.
    #[test]
    fn another_reader_finds_what_went_in(row in any_event()) {
        let (text, _) = rendered(&row).unwrap();
        let calendar = parsed(&text);
        let event = &row["event"];
        let subject = Some(allowed(event["subject"].as_str().unwrap())).filter(|text| !text.trim().is_empty());
        prop_assert_eq!(text_of(&calendar, &ICalendarProperty::Summary), subject);
        let html = ICalendarProperty::Other("X-ALT-DESC".to_owned());
        let name = if event["body"]["contentType"] == "html" { html } else { ICalendarProperty::Description };
        let body = Some(allowed(event["body"]["content"].as_str().unwrap())).filter(|text| !text.trim().is_empty());
        prop_assert_eq!(text_of(&calendar, &name), body);
        prop_assert_eq!(lines_of(&text, &["ATTENDEE"]).len() >= event["attendees"].as_array().unwrap().len(), true);
    }

    /// Physical lines fit, no character of a value makes a line of its own, and what must be there is there once.
    #[test]
    fn every_object_is_well_formed(mut row in any_event(), profile in profiles()) {
        row["profile"] = profile;
        let (text, _) = rendered(&row).unwrap();
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 75));
        prop_assert!(!text.replace("\r\n", "").contains(|c: char| c.is_control() && c != '\t'));
        for name in ["UID", "DTSTAMP", "DTSTART", "CLASS", "TRANSP", "STATUS", "PRIORITY"] {
            prop_assert_eq!(lines_of(&text, &[name]).len(), 1, "{} in\n{}", name, text);
        }
        prop_assert_eq!(text.matches("\r\nBEGIN:VEVENT\r\n").count(), 1);
    }

    /// Any JSON at all is rendered or refused with a sentence.
    #[test]
    fn nothing_panics(members in prop::collection::btree_map(select(MEMBERS.to_vec()), any_value(), 0..12)) {
        let event: Value = json!(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<serde_json::Map<_, _>>());
        let original = events::Memory::of(&event);
        let (profile, setting, tables) = (events::profile(&json!({})), setting(&json!({})), Tables::embedded());
        let mut out = Vec::new();
        match transhume_mappings::render::calendar(&original, &profile, &setting, &tables, &mut out) {
            Ok(_) => { calendar::text(std::str::from_utf8(&out).unwrap()).unwrap(); }
            Err(error) => prop_assert!(error.to_string().ends_with('.') || error.to_string().ends_with("may"), "{}", error),
        }
        let _ = calendar::original(&original, &setting, &tables);
    }

    #[test]
    fn reading_text_never_panics(text in "(BEGIN:VCALENDAR\r\n)?(BEGIN:V(EVENT|TIMEZONE)\r\n|DTSTART[;:A-Z=0-9]{0,20}\r\n|RRULE:FREQ=(DAILY|YEARLY)[;=A-Z0-9,-]{0,20}\r\n|END:VEVENT\r\n|[ -~]{0,30}\r\n){0,12}(END:VCALENDAR\r\n)?") {
        let _ = calendar::text(&text);
    }
}

const MEMBERS: [&str; 16] = [
    "start",
    "end",
    "recurrence",
    "attendees",
    "organizer",
    "body",
    "location",
    "locations",
    "categories",
    "isAllDay",
    "cancelledOccurrences",
    "exceptionOccurrences",
    "onlineMeeting",
    "originalStartTimeZone",
    "reminderMinutesBeforeStart",
    "isReminderOn",
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        select(vec![
            "",
            "x",
            "2025-03-12T08:00:00.0000000",
            "9999-12-31T23:59:59.0000000",
            "-9999-01-01T00:00:00",
            "2025-02-30",
            "UTC",
            "0001-01-01",
            "noEnd",
            "daily",
            "weekly",
            "OID.x.2025-03-12"
        ])
        .prop_map(Value::from),
    ];
    let names = vec![
        "dateTime",
        "timeZone",
        "pattern",
        "range",
        "type",
        "interval",
        "startDate",
        "endDate",
        "emailAddress",
        "address",
        "name",
        "status",
        "content",
        "displayName",
        "originalStart",
        "start",
        "end",
        "daysOfWeek",
        "dayOfMonth",
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(select(names.clone()), inner, 0..6).prop_map(|members| json!(
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<serde_json::Map<_, _>>()
            )),
        ]
    })
}
