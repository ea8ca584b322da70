//! One golden case per row: a task as the service tells it, the object that must come of it, and its losses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod events;

use events::{Memory, losses, unfolded, writes};
use proptest::prelude::*;
use serde_json::{Value, json};
use transhume_mappings::meaning::task;
use transhume_mappings::{CalendarProfile, RenderedObject, TASKS_EDITION, Tables, Unrendered, render};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/tasks/rows.json");

fn rows() -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap()
}

fn original(row: &Value) -> Memory {
    let mut original = Memory::default().with("task", "application/json", row["task"].to_string().as_bytes());
    for name in ["checklistItems", "linkedResources", "attachments"] {
        if !row[name].is_null() {
            original = original.with(name, "application/json", row[name].to_string().as_bytes());
        }
    }
    for (number, attachment) in row["attachments"].as_array().into_iter().flatten().enumerate() {
        let bytes = attachment["bytes"].as_str().unwrap().as_bytes();
        original = original.with(&format!("attachment/{number}"), "application/octet-stream", bytes);
    }
    original
}

fn rendered(row: &Value) -> Result<(String, RenderedObject), Unrendered> {
    let mut out = Vec::new();
    let rendered = render::task(&original(row), &CalendarProfile::strict(), &Tables::embedded(), &mut out)?;
    Ok((String::from_utf8(out).unwrap(), rendered))
}

#[test]
fn every_row_gives_its_task_and_losses() {
    let mut rows = rows();
    for row in &mut rows {
        let (text, rendered) = rendered(row).unwrap();
        let (out, losses) = (json!(unfolded(&text)), json!(losses(&rendered.losses)));
        if writes() {
            (row["out"], row["losses"]) = (out, losses);
            continue;
        }
        assert_eq!(row["out"], out, "{} (GOLDEN=write renews it)", row["case"]);
        assert_eq!(row["losses"], losses, "{}", row["case"]);
    }
    if writes() {
        std::fs::write(FILE, serde_json::to_string_pretty(&rows).unwrap() + "\n").unwrap();
    }
    assert!(rows.len() >= 30, "{}", rows.len());
}

#[test]
fn every_task_means_what_the_service_told() {
    for row in rows() {
        let (text, rendered) = rendered(&row).unwrap();
        let (told, read) = (task::original(&original(&row), &Tables::embedded()).unwrap(), task::text(&text).unwrap());
        assert_eq!(task::differences(&told, &read, &rendered.losses), Vec::<String>::new(), "{}\n{text}", row["case"]);
        // Not its strict mode, which refuses components inside components (seen with calcard 0.3.14).
        let read = calcard::Parser::new(&text).entry();
        assert!(matches!(read, calcard::Entry::ICalendar(_)), "{}: {read:?}", row["case"]);
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{}", row["case"]);
    }
}

#[test]
fn every_change_is_told() {
    let changed = |case: &str, from: &str, to: &str| {
        let row = rows().into_iter().find(|row| row["case"] == case).unwrap();
        let (text, rendered) = rendered(&row).unwrap();
        let text = text.replace("\r\n ", "");
        assert!(text.contains(from), "{from} is not in\n{text}");
        let told = task::original(&original(&row), &Tables::embedded()).unwrap();
        let read = task::text(&text.replace(from, to)).unwrap();
        assert!(!task::differences(&told, &read, &rendered.losses).is_empty(), "{case}: {from} -> {to}");
    };
    changed("completed", "STATUS:COMPLETED", "STATUS:NEEDS-ACTION");
    changed("completed", "COMPLETED:20250105T080000Z", "X-GONE:1");
    changed("due", "DUE;VALUE=DATE:20250201", "DUE;VALUE=DATE:20250202");
    changed("repeats", "INTERVAL=2", "INTERVAL=3");
    changed("reminder", "20250131T080000Z", "20250131T090000Z");
    changed("steps", "- [x] Paint", "- [ ] Paint");
    changed("categories", "CATEGORIES", "X-GONE");
    changed("attachment", "aGVsbG8=", "aGVsbA==");
    changed("importance_high", "PRIORITY:1", "PRIORITY:9");
    changed("text", "Two", "2");
}

#[test]
fn the_edition_speaks_for_these_answers() {
    let mut hasher = blake3::Hasher::new();
    for row in rows() {
        hasher.update(rendered(&row).unwrap().0.as_bytes());
    }
    let answers = &hasher.finalize().to_hex()[..16];
    insta::assert_snapshot!(format!("edition {TASKS_EDITION} gives {answers}"));
}

fn day() -> impl Strategy<Value = Value> {
    let told = |day: i64| {
        let day = jiff::civil::date(1990, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
        json!({ "dateTime": format!("{day}T00:00:00.0000000"), "timeZone": "UTC" })
    };
    prop_oneof![2 => (8_000_i64..18_000).prop_map(told), 1 => Just(Value::Null)]
}

fn recurrence() -> impl Strategy<Value = Value> {
    let days = prop::sample::subsequence(
        vec!["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
        1..7,
    );
    let kinds = prop::sample::select(vec![
        "daily",
        "weekly",
        "absoluteMonthly",
        "relativeMonthly",
        "absoluteYearly",
        "relativeYearly",
    ]);
    let ends = prop::sample::select(vec!["noEnd", "endDate", "numbered"]);
    (kinds, ends, days, 6_000_i64..18_000, 1_u8..5, 1_u8..32, 1_u8..13, 1_u16..300).prop_map(|(kind, end, days, start, every, day, month, count)| {
        let start = jiff::civil::date(1990, 1, 1).checked_add(jiff::Span::new().days(start)).unwrap();
        let last = start.checked_add(jiff::Span::new().days(i64::from(count) * 20)).unwrap();
        json!({
            "pattern": { "type": kind, "interval": every, "daysOfWeek": days, "dayOfMonth": day, "month": month, "index": "second" },
            "range": { "type": end, "startDate": start.to_string(), "endDate": last.to_string(), "numberOfOccurrences": count }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// The inverse: what is read from the text is what the service told, but for what is named.
    #[test]
    fn any_task_comes_back(
        words in prop::collection::vec("[a-zé日🎉,;:\\\\\"\n\r >&^=\u{1}]{0,30}", 5),
        steps in prop::collection::vec(("[a-z,;\\\\\n ]{0,12}", any::<bool>()), 0..4),
        days in (day(), day()),
        repeats in prop::option::of(recurrence()),
        states in (prop::sample::select(vec!["notStarted", "inProgress", "completed", "waitingOnOthers"]), prop::sample::select(vec!["low", "normal", "high"])),
        html in any::<bool>(),
    ) {
        let steps: Vec<Value> = steps.iter().map(|(name, done)| json!({ "displayName": name, "isChecked": done })).collect();
        let row = json!({ "task": {
            "id": "x", "title": words[0], "status": states.0, "importance": states.1, "categories": [words[1], words[2]],
            "body": { "content": words[3], "contentType": if html { "html" } else { "text" } }, "checklistItems": steps,
            "startDateTime": days.0, "dueDateTime": days.1, "recurrence": repeats,
        }});
        let (text, rendered) = rendered(&row).unwrap();
        let found = task::compare(&original(&row), &text, &rendered.losses, &Tables::embedded()).unwrap();
        prop_assert_eq!(found, Vec::<String>::new(), "{}", text);
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')), "{}", text);
    }
}
