//! One golden case per row, a file for each family of properties: what the service tells, the lines that must come of
//! it, and which losses are named. Whole objects stand in `golden/calendar/whole`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod events;

use events::{families, golden, lines_of, losses, original, rendered, rows, setting, writes};
use serde_json::{Value, json};
use transhume_mappings::meaning::calendar;
use transhume_mappings::{CALENDAR_EDITION, Tables};

/// What a row's rendering says, in the row's own form.
fn answer(row: &Value) -> (Value, Value) {
    match rendered(row) {
        Err(error) => (json!(format!("refused: {error}")), json!([])),
        Ok((text, rendered)) => {
            let names: Vec<&str> = row["of"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            (json!(lines_of(&text, &names)), json!(losses(&rendered.losses)))
        }
    }
}

#[test]
fn every_row_gives_its_lines_and_losses() {
    for family in families() {
        let mut rows = rows(&family);
        for row in &mut rows {
            let (out, losses) = answer(row);
            if writes() {
                (row["out"], row["losses"]) = (out, losses);
                continue;
            }
            assert_eq!(row["out"], out, "{family}: {} (GOLDEN=write renews it)", row["case"]);
            assert_eq!(row["losses"], losses, "{family}: {}", row["case"]);
        }
        if writes() {
            let text = serde_json::to_string_pretty(&rows).unwrap() + "\n";
            std::fs::write(golden(&format!("rows/{family}")), text).unwrap();
        }
    }
}

/// The rendering says what the service told, but for the losses it names: judged by code that shares none with it.
#[test]
fn every_row_means_what_the_service_told() {
    for (family, row) in families().iter().flat_map(|family| rows(family).into_iter().map(move |row| (family, row))) {
        let Ok((text, rendered)) = rendered(&row) else { continue };
        let told = calendar::original(&original(&row), &setting(&row), &Tables::embedded()).unwrap();
        let read = calendar::text(&text).unwrap_or_else(|error| panic!("{family}: {}: {error}\n{text}", row["case"]));
        let found = calendar::differences(&told, &read, &rendered.losses);
        assert_eq!(found, Vec::<String>::new(), "{family}: {}\n{text}", row["case"]);
    }
}

/// What servers demand of any object (seen with Radicale, Cyrus, Nextcloud, Xandikos), looked at line by line.
#[test]
fn every_object_is_well_formed() {
    for row in families().iter().flat_map(|family| rows(family)) {
        let Ok((text, rendered)) = rendered(&row) else { continue };
        let case = &row["case"];
        assert_eq!(rendered.size, text.len() as u64, "{case}");
        assert!(
            text.ends_with("END:VCALENDAR\r\n") && !text.replace("\r\n", "").contains(['\r', '\n', '\0']),
            "{case}"
        );
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{case}: a line is longer than 75 bytes");
        let begins = lines_of(&text, &["BEGIN", "END"]).iter().filter(|line| line.ends_with("VEVENT")).count();
        assert_eq!(lines_of(&text, &["UID"]).len() * 2, begins, "{case}: one UID in each event");
        assert_eq!(lines_of(&text, &["DTSTAMP"]).len() * 2, begins, "{case}: one DTSTAMP in each event");
        assert!(lines_of(&text, &["METHOD"]).is_empty(), "{case}");
        // Not its strict mode, which refuses components inside components (seen with calcard 0.3.14).
        let read = calcard::Parser::new(&text).entry();
        assert!(matches!(read, calcard::Entry::ICalendar(_)), "{case}: {read:?}");
    }
}

/// Whom the target would mail stands in no line that it heeds, whatever else an event says, and all of it is named.
#[test]
fn nobody_is_named_to_a_target_that_would_mail_them() {
    let mut set_aside = 0;
    for mut row in families().iter().flat_map(|family| rows(family)) {
        row["profile"]["scheduling"] = json!("no_organizer");
        let Ok((text, rendered)) = rendered(&row) else { continue };
        assert_eq!(lines_of(&text, &["ORGANIZER", "ATTENDEE"]), Vec::<String>::new(), "{}", row["case"]);
        let told = calendar::original(&original(&row), &setting(&row), &Tables::embedded()).unwrap();
        let read = calendar::text(&text).unwrap();
        assert_eq!(calendar::differences(&told, &read, &rendered.losses), Vec::<String>::new(), "{}", row["case"]);
        let kept = lines_of(&text, &["X-TRANSHUME-ATTENDEE"]).len();
        let named =
            losses(&rendered.losses).iter().any(|loss| loss.starts_with(&format!("attendees_dropped: {kept} ")));
        assert_eq!(named, kept > 0, "{}", row["case"]);
        set_aside += kept;
    }
    assert!(set_aside > 20, "{set_aside}");
}

#[test]
fn whole_objects() {
    for row in rows_of_whole() {
        let (text, _) = rendered(&row).unwrap();
        let path = golden("whole").join(format!("{}.ics", row["case"].as_str().unwrap()));
        if writes() {
            std::fs::write(&path, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(text, expected, "{} (GOLDEN=write renews it)", path.display());
    }
}

fn rows_of_whole() -> Vec<Value> {
    events::json_of("whole/cases.json").as_array().unwrap().clone()
}

#[test]
fn there_are_enough_rows() {
    let count = families().iter().map(|family| rows(family).len()).sum::<usize>();
    assert!(count >= 90, "{count} rows");
}

/// The lines and objects all golden cases give, as one number. When it changes, so do renderings in people's stores:
/// raise `CALENDAR_EDITION`, then renew the number.
#[test]
fn the_edition_speaks_for_these_answers() {
    let mut hasher = blake3::Hasher::new();
    for row in families().iter().flat_map(|family| rows(family)) {
        hasher.update(rendered(&row).map_or_else(|error| error.to_string(), |(text, _)| text).as_bytes());
    }
    let answers = &hasher.finalize().to_hex()[..16];
    insta::assert_snapshot!(format!("edition {CALENDAR_EDITION} gives {answers}"));
}
