//! What counts as a difference between an event at the source and one at the target, and what does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod events;

use events::{json_of, original, rendered, setting};
use serde_json::Value;
use transhume_mappings::meaning::calendar;
use transhume_mappings::{Loss, Tables};

/// A weekly private meeting with a cancelled and a moved occurrence, a reminder, a category, and two people invited.
fn meeting() -> Value {
    let cases = json_of("whole/cases.json");
    cases.as_array().unwrap().iter().find(|case| case["case"] == "weekly_meeting").unwrap().clone()
}

/// What verification tells after the target changed the text so.
fn found(change: impl Fn(&str) -> String) -> Vec<String> {
    let row = meeting();
    let (text, rendered) = rendered(&row).unwrap();
    let text = text.replace("\r\n ", "");
    let changed = change(&text);
    judged(&row, &changed, &rendered.losses)
}

fn judged(row: &Value, text: &str, losses: &[Loss]) -> Vec<String> {
    calendar::compare(&original(row), text, losses, &setting(row), &Tables::embedded()).unwrap()
}

fn replaced(from: &str, to: &str) -> Vec<String> {
    found(|text| {
        assert!(text.contains(from), "{from} is not in\n{text}");
        text.replacen(from, to, 1)
    })
}

/// The text without the lines that begin so.
fn without(beginning: &str) -> Vec<String> {
    found(|text| {
        let kept: Vec<&str> = text.split("\r\n").filter(|line| !line.starts_with(beginning)).collect();
        assert!(kept.len() < text.split("\r\n").count(), "no line begins with {beginning}");
        kept.join("\r\n")
    })
}

/// A UID that stands in another calendar gives way to the one that the loss names, and to no other.
#[test]
fn another_uid_than_the_derived_one_is_told() {
    let mut row = meeting();
    row["profile"]["own_uid"] = false.into();
    let (text, rendered) = rendered(&row).unwrap();
    assert_eq!(judged(&row, &text, &rendered.losses), Vec::<String>::new());
    let uid = &rendered.uid;
    assert!(
        text.contains(uid) && !text.contains(row["event"]["iCalUId"].as_str().unwrap_or("040000008200E")),
        "{text}"
    );
    let other = text.replace(uid, &uid.to_uppercase());
    assert_eq!(judged(&row, &other, &rendered.losses).len(), 1, "{other}");
    let original = text.replace(uid, "somebody-elses");
    assert_eq!(judged(&row, &original, &rendered.losses).len(), 1, "{original}");
    assert_eq!(judged(&row, &text, &[]).len(), 1, "without the loss it is a difference");
}

#[test]
fn nothing_changed() {
    assert_eq!(found(str::to_owned), Vec::<String>::new());
}

/// What servers do to what they store.
#[test]
fn what_servers_rewrite_does_not_count() {
    assert_eq!(found(|text| text.replace("\r\n", "\n")), Vec::<String>::new());
    assert_eq!(replaced("PRODID:", "CALSCALE:GREGORIAN\r\nPRODID:"), Vec::<String>::new());
    assert_eq!(replaced("SUMMARY:", "X-OTHER;A=\"b;c:d\",e:f\r\nsummary;LANGUAGE=de:"), Vec::<String>::new());
    assert_eq!(replaced("ATTENDEE;", "ATTENDEE;SCHEDULE-STATUS=\"2.0;Success\";"), Vec::<String>::new());
    assert_eq!(without("DTSTAMP"), Vec::<String>::new());
    let no_zone = found(|text| {
        let (before, rest) = text.split_once("BEGIN:VTIMEZONE").unwrap();
        let (_, after) = rest.split_once("END:VTIMEZONE\r\n").unwrap();
        format!("{before}{after}")
    });
    assert_eq!(no_zone, Vec::<String>::new());
    assert_eq!(without("X-MICROSOFT-CDO-BUSYSTATUS"), Vec::<String>::new());
    let named = found(|text| text.replace("Europe/Berlin", "/freeassociation.sourceforge.net/Europe/Berlin"));
    assert_eq!(named, Vec::<String>::new());
    let length = found(|text| {
        let end = text.split("\r\n").find(|line| line.starts_with("DTEND")).unwrap();
        text.replacen(end, "DURATION:PT1H30M", 1)
    });
    assert_eq!(length, Vec::<String>::new());
}

#[test]
fn every_change_is_told() {
    let told = [
        (
            "a moved occurrence",
            replaced("DTSTART;TZID=Europe/Berlin:20250403T140000", "DTSTART;TZID=Europe/Berlin:20250403T130000"),
        ),
        ("a lost cancellation", without("EXDATE")),
        ("a private event made public", replaced("CLASS:PRIVATE", "CLASS:PUBLIC")),
        ("a dropped attendee", without("ATTENDEE;CN=Carol")),
        ("another answer", replaced("PARTSTAT=DECLINED", "PARTSTAT=ACCEPTED")),
        ("no organiser", without("ORGANIZER")),
        ("a lost alarm", replaced("TRIGGER:-PT15M", "TRIGGER:-PT30M")),
        ("a lost category", without("CATEGORIES")),
        ("a lost form of the text", without("X-ALT-DESC")),
        ("a cut text", replaced("<p>Agenda</p>", "<p>Age")),
        ("another text", replaced("DESCRIPTION:Agenda", "DESCRIPTION:")),
        ("another subject", replaced("SUMMARY:Jour fixe", "SUMMARY:Jour")),
        ("a rewritten UID", found(|text| text.replace("UID:0400", "UID:0500"))),
        ("an end to the series", replaced("RRULE:FREQ=WEEKLY;", "RRULE:FREQ=WEEKLY;COUNT=5;")),
        ("free instead of busy", replaced("TRANSP:OPAQUE", "TRANSP:TRANSPARENT")),
    ];
    let told: Vec<String> = told
        .iter()
        .map(|(what, found)| {
            assert!(!found.is_empty(), "{what} was not told");
            let shown: Vec<&str> = found.iter().take(3).map(String::as_str).collect();
            format!("{what} ({}): {}", found.len(), shown.join(" | "))
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

/// A lost exception: the whole VEVENT with the RECURRENCE-ID is gone.
#[test]
fn a_lost_exception_is_told() {
    let found = found(|text| {
        let from = text.rfind("BEGIN:VEVENT").unwrap();
        format!("{}END:VCALENDAR\r\n", &text[..from])
    });
    assert!(found.iter().any(|one| one.starts_with("the start on 2025-04-02T09:00:00")), "{found:?}");
    assert!(found.iter().any(|one| one.contains("Jour fixe, moved")), "{found:?}");
}

/// A series moved to UTC is right in winter and wrong in summer; one moved to a zone with the same rules is the same.
#[test]
fn a_changed_zone_is_told() {
    let utc = found(|text| {
        let text = text.replace("DTSTART;TZID=Europe/Berlin:20250312T090000", "DTSTART:20250312T080000Z");
        text.replace("DTEND;TZID=Europe/Berlin:20250312T103000", "DTEND:20250312T093000Z")
    });
    assert!(utc.len() > 10, "{utc:?}");
    let shifted = replaced("TZOFFSETTO:+0200", "TZOFFSETTO:+0300");
    assert!(shifted.len() > 10, "{shifted:?}");
}

/// A server puts the rules of its own library in the place of ours, without those that were in force before 2007. What
/// it did to the name's rules of late is a difference all the same.
#[test]
fn rules_of_the_past_may_go_where_the_name_says_them() {
    let cases = json_of("whole/cases.json");
    let row = cases.as_array().unwrap().iter().find(|case| case["case"] == "new_york_since_2005").unwrap().clone();
    let (text, rendered) = rendered(&row).unwrap();
    let from = text.find("BEGIN:STANDARD").unwrap();
    let to = from + text[from..].find("BEGIN:DAYLIGHT\r\nDTSTART:2007").unwrap();
    let shorter = format!("{}{}", &text[..from], &text[to..]);
    let read = calendar::text(&shorter).unwrap();
    let told = calendar::original(&original(&row), &setting(&row), &Tables::embedded()).unwrap();
    assert!(!calendar::differences(&told, &read, &rendered.losses).is_empty());
    assert_eq!(judged(&row, &shorter, &rendered.losses), Vec::<String>::new());
    let shifted = shorter.replace("TZOFFSETTO:-0400", "TZOFFSETTO:-0300");
    assert!(!judged(&row, &shifted, &rendered.losses).is_empty());
}

/// Clean, but for the one thing whose loss is looked at.
#[test]
fn what_no_calendar_program_reads_is_told_too() {
    assert_eq!(replaced("BEGIN:VCALENDAR", "BEGIN:VCALENDER").len(), 1);
}

#[test]
fn a_loss_excuses_what_it_names_and_nothing_else() {
    let loss = |name: &str| Loss { name: name.to_owned(), detail: String::new() };
    let row = meeting();
    let told = calendar::original(&original(&row), &setting(&row), &Tables::embedded()).unwrap();
    let (text, _) = rendered(&row).unwrap();
    let judged = |from: &str, to: &str, losses: &[Loss]| {
        let read = calendar::text(&text.replace("\r\n ", "").replace(from, to)).unwrap();
        calendar::differences(&told, &read, losses)
    };
    let private = ("CLASS:PRIVATE", "CLASS:CONFIDENTIAL");
    assert_eq!(judged(private.0, private.1, &[loss("sensitivity_unknown")]), Vec::<String>::new());
    assert!(!judged(private.0, "CLASS:PUBLIC", &[loss("sensitivity_unknown")]).is_empty());
    assert!(!judged(private.0, private.1, &[loss("busy_unknown")]).is_empty());
    assert_eq!(judged("PRIORITY:5", "PRIORITY:1", &[loss("importance_unknown")]).len(), 2);
    assert!(!judged("CN=Carol", "CN=Dora", &[loss("attachment_too_large")]).is_empty());
}

#[test]
fn what_is_no_calendar_is_said_so() {
    let said = |text: &str| calendar::text(text).unwrap_err().to_string();
    let event = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let told = [
        said(""),
        said("hello"),
        said("BEGIN:VCALENDAR\r\n"),
        said("BEGIN:VCALENDAR\r\nEND:VEVENT\r\n"),
        said("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
        said(event),
        said(&event.replace("UID:1", "DTSTART;TZID=Mars/Olympus:20250101T000000")),
        said(&event.replace("UID:1", "DTSTART:tomorrow")),
        said(&event.replace("UID:1", "DTSTART:20250101T000000Z\r\nRRULE:FREQ=SECONDLY")),
        said(&"BEGIN:X\r\n".repeat(100)),
    ];
    insta::assert_snapshot!(told.join("\n"));
}
