//! What real servers made of what they were given: Radicale 3.9.0 and Xandikos 0.4.10 write everything anew, Cyrus 3.6.1
//! much of it. None of it is a difference.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod events;

use events::{Memory, json_of, original, rendered, setting};
use serde_json::Value;
use std::path::PathBuf;
use transhume_mappings::meaning::{calendar, contact, task};
use transhume_mappings::{CalendarProfile, ContactProfile, RenderedObject, Tables, render};

const SERVERS: [&str; 3] = ["radicale", "xandikos", "cyrus"];

fn stored(server: &str, file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/servers").join(server).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn row(file: &str, case: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(file);
    let rows: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    rows.into_iter().find(|row| row["case"] == case).unwrap()
}

fn strict(case: &str) -> Value {
    let cases = json_of("whole/cases.json");
    let mut row = cases.as_array().unwrap().iter().find(|row| row["case"] == case).unwrap().clone();
    row["profile"] = serde_json::json!({ "strict": true });
    row
}

#[test]
fn events_come_back_as_they_were() {
    for case in ["weekly_meeting", "morocco", "all_day_series", "new_york_since_2005"] {
        let row = strict(case);
        let (_, RenderedObject { losses, .. }) = rendered(&row).unwrap();
        for server in SERVERS {
            let text = stored(server, &format!("{case}.ics"));
            let found = calendar::compare(&original(&row), &text, &losses, &setting(&row), &Tables::embedded());
            assert_eq!(found.unwrap(), Vec::<String>::new(), "{server}: {case}");
        }
    }
}

#[test]
fn a_contact_comes_back_as_it_was() {
    let row = row("contacts/rows.json", "everything");
    let original = Memory::default().with("contact", "application/json", row["contact"].to_string().as_bytes());
    let original = original.with("photo", "image/jpeg", row["photo"].as_str().unwrap().as_bytes());
    let losses = render::contact(&original, &ContactProfile::strict(), &mut Vec::new()).unwrap().losses;
    for server in SERVERS {
        let text = stored(server, "everything.vcf");
        assert_eq!(contact::compare(&original, &text, &losses).unwrap(), Vec::<String>::new(), "{server}");
        let silent = text.replacen("TEL;", "X-GONE;", 1);
        assert_eq!(contact::compare(&original, &silent, &losses).unwrap().len(), 1, "{server}");
    }
}

#[test]
fn tasks_come_back_as_they_were() {
    for case in ["steps", "repeats"] {
        let row = row("tasks/rows.json", case);
        let original = Memory::default().with("task", "application/json", row["task"].to_string().as_bytes());
        let tables = Tables::embedded();
        let losses = render::task(&original, &CalendarProfile::strict(), &tables, &mut Vec::new()).unwrap().losses;
        for server in SERVERS {
            let text = stored(server, &format!("{case}.ics"));
            let found = task::compare(&original, &text, &losses, &tables).unwrap();
            assert_eq!(found, Vec::<String>::new(), "{server}: {case}");
        }
    }
}
