//! One golden case per row: what goes in, what must come out, and which losses are named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rows;

use rows::{Memory, bytes, cases, expected_losses, filter, golden, hold, losses, profile, render, rows, text};
use serde_json::{Value, json};
use transhume_mappings::render::{FlagState, Importance, MailFacts, keyword, mail_facts, sieve};
use transhume_mappings::{MailProfile, Tables};

fn string<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{name} is missing in {row}"))
}

#[test]
fn filter_rows() {
    for row in rows("filter.json") {
        let input = bytes(string(&row, "in"));
        let expected = row.get("out").map_or(string(&row, "in"), |out| out.as_str().unwrap());
        let (out, rendered) = filter(&input, &profile(&row));
        let case = string(&row, "case");
        assert_eq!(text(&out), expected, "{case}");
        assert_eq!(losses(&rendered.losses), expected_losses(&row), "{case}");
        assert_eq!(rendered.identical, out == input, "{case}: identical");
    }
}

#[test]
fn keyword_rows() {
    let tables = Tables::embedded();
    for row in rows("keywords.json") {
        let found = keyword(string(&row, "category"), &profile(&row), &tables);
        let expected = row.get("keyword").and_then(Value::as_str);
        assert_eq!(found.as_ref().map(|keyword| keyword.text.as_str()), expected, "{row}");
        let faithful = row.get("marked").is_none();
        assert!(found.is_none_or(|keyword| keyword.faithful == faithful), "{row}");
    }
}

fn facts(row: &Value) -> MailFacts {
    let facts = &row["facts"];
    let yes = |name: &str| facts.get(name).and_then(Value::as_bool).unwrap_or_default();
    let word = |name: &str| facts.get(name).and_then(Value::as_str);
    let list = |name: &str| facts.get(name).and_then(Value::as_array).into_iter().flatten();
    MailFacts {
        read: yes("read"),
        answered: yes("answered"),
        forwarded: yes("forwarded"),
        draft: yes("draft"),
        flag: word("flag").map(FlagState::from).unwrap_or_default(),
        importance: word("importance").map(Importance::from).unwrap_or_default(),
        receipt_requested: yes("receipt_requested"),
        categories: list("categories").map(|category| category.as_str().unwrap().to_owned()).collect(),
        received: facts.get("received").and_then(Value::as_i64),
        sent: facts.get("sent").and_then(Value::as_i64),
    }
}

#[test]
fn facts_rows() {
    let tables = Tables::embedded();
    for row in rows("facts.json") {
        let (target, found) = mail_facts(&facts(&row), &profile(&row), &tables);
        let flags = [
            ("seen", target.seen),
            ("answered", target.answered),
            ("flagged", target.flagged),
            ("draft", target.draft),
        ];
        let flags: Vec<&str> = flags.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
        let case = string(&row, "case");
        let told = json!({ "flags": flags, "keywords": target.keywords, "date": target.date });
        assert_eq!(told, row["target"], "{case}");
        assert_eq!(losses(&found), expected_losses(&row), "{case}");
    }
}

#[test]
fn sieve_cases() {
    for path in cases("sieve") {
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let folder = |id: &str| case["folders"].get(id).and_then(Value::as_str).map(str::to_owned);
        let sieve = sieve(&case["rules"], &folder, &profile(&case), &Tables::embedded());
        let losses: String = losses(&sieve.losses).iter().map(|loss| format!("#! {loss}\n")).collect();
        hold(&path.with_extension("sieve"), format!("{losses}{}", sieve.script).as_bytes());
    }
}

fn original(case: &Value) -> Memory {
    let mut original = Memory::default().with("message", "application/json", case["message"].to_string().as_bytes());
    for (number, attachment) in case.get("attachments").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let part = format!("attachment/{number}");
        if let Some(meta) = attachment.get("meta") {
            original = original.with(&format!("{part}/meta"), "application/json", meta.to_string().as_bytes());
        }
        if let Some(content) = attachment.get("bytes").and_then(Value::as_str) {
            let kind = attachment.get("stored_as").and_then(Value::as_str).unwrap_or("application/octet-stream");
            original = original.with(&part, kind, &bytes(content));
        }
    }
    original
}

#[test]
fn reassembly_cases() {
    for path in cases("reassembly") {
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let (out, rendered) = render(&original(&case), &MailProfile::strict()).unwrap();
        assert!(!rendered.identical);
        hold(&path.with_extension("eml"), &out);
        let mut losses = losses(&rendered.losses);
        losses.retain(|loss| !loss.starts_with("reassembled: "));
        assert_eq!(losses, expected_losses(&case), "{}", path.display());
    }
}

#[test]
fn there_are_enough_rows() {
    let rows = rows("filter.json").len() + rows("keywords.json").len() + rows("facts.json").len();
    let cases = cases("sieve").len() + cases("reassembly").len();
    assert!(rows + cases >= 120, "{rows} rows and {cases} cases");
    assert!(golden("filter.json").exists());
}

/// The bytes and facts all golden rows give, as one number. When it changes, so do renderings in people's stores: raise
/// `EDITION`, then renew the number.
#[test]
fn the_edition_speaks_for_these_answers() {
    let mut hasher = blake3::Hasher::new();
    for row in rows("filter.json") {
        hasher.update(&filter(&bytes(string(&row, "in")), &profile(&row)).0);
    }
    for path in cases("reassembly") {
        hasher.update(&std::fs::read(path.with_extension("eml")).unwrap());
    }
    for row in rows("keywords.json") {
        hasher.update(row["keyword"].to_string().as_bytes());
    }
    for row in rows("facts.json") {
        hasher.update(row["target"].to_string().as_bytes());
    }
    let answers = &hasher.finalize().to_hex()[..16];
    insta::assert_snapshot!(format!("edition {} gives {answers}", transhume_mappings::EDITION));
}
