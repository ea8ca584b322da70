//! One golden case per row: a contact as the service tells it, the card that must come of it, and its losses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod events;

use events::{Memory, losses, unfolded, writes};
use proptest::prelude::*;
use serde_json::{Value, json};
use transhume_mappings::meaning::contact;
use transhume_mappings::{CONTACTS_EDITION, ContactProfile, RenderedObject, Unrendered, render};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/contacts/rows.json");

fn rows() -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap()
}

fn original(row: &Value) -> Memory {
    let original = Memory::default().with("contact", "application/json", row["contact"].to_string().as_bytes());
    match row["photo"].as_str() {
        Some(bytes) => original.with("photo", "image/jpeg", bytes.as_bytes()),
        None if row["photo_error"] == true => original.with("photoError", "application/json", b"{\"code\":\"x\"}"),
        None => original,
    }
}

fn rendered(row: &Value) -> Result<(String, RenderedObject), Unrendered> {
    let mut profile = if row["form"] == "V4" { ContactProfile::lenient() } else { ContactProfile::strict() };
    profile.photo_max = row["photo_max"].as_u64().unwrap_or(profile.photo_max);
    let mut out = Vec::new();
    let rendered = render::contact(&original(row), &profile, &mut out)?;
    Ok((String::from_utf8(out).unwrap(), rendered))
}

#[test]
fn every_row_gives_its_card_and_losses() {
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
fn every_card_means_what_the_service_told() {
    for row in rows() {
        let (text, rendered) = rendered(&row).unwrap();
        let (told, read) = (contact::original(&original(&row)).unwrap(), contact::text(&text).unwrap());
        assert_eq!(
            contact::differences(&told, &read, &rendered.losses),
            Vec::<String>::new(),
            "{}\n{text}",
            row["case"]
        );
        let strict = calcard::Parser::new(&text).strict().entry();
        assert!(matches!(strict, calcard::Entry::VCard(_)), "{}: {strict:?}", row["case"]);
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{}", row["case"]);
        for name in ["\r\nFN", "\r\nN:", "\r\nN;", "\r\nUID:", "\r\nVERSION:"] {
            assert!(text.matches(name).count() <= 1, "{name} in {text}");
        }
    }
}

#[test]
fn every_change_is_told() {
    let row = rows().into_iter().find(|row| row["case"] == "everything").unwrap();
    let (text, rendered) = rendered(&row).unwrap();
    let text = text.replace("\r\n ", "");
    let told = contact::original(&original(&row)).unwrap();
    for line in text.split("\r\n").filter(|line| !line.is_empty()) {
        let name = line.split([':', ';']).next().unwrap();
        if ["BEGIN", "END", "VERSION", "PRODID", "UID", "REV"].contains(&name) {
            continue;
        }
        let without = text.replacen(&format!("{line}\r\n"), "", 1);
        let found = contact::differences(&told, &contact::text(&without).unwrap(), &rendered.losses);
        assert!(!found.is_empty(), "nobody missed {line}");
    }
}

#[test]
fn the_name_it_is_filed_under_is_missed_in_4_too() {
    let row = rows().into_iter().find(|row| row["case"] == "everything_in_4").unwrap();
    let (text, rendered) = rendered(&row).unwrap();
    let without = text.replace("\r\n ", "").replace(";SORT-AS=\"Doe, Jane\"", "");
    assert_eq!(
        contact::compare(&original(&row), &without, &rendered.losses).unwrap(),
        ["the name it is filed under was `Doe, Jane` and is gone"]
    );
}

#[test]
fn what_is_no_contact_is_refused() {
    let sentence = |original: Memory| {
        render::contact(&original, &ContactProfile::strict(), &mut Vec::new()).unwrap_err().to_string()
    };
    assert_eq!(sentence(Memory::default()), "This original has no part `contact`; pull the item again.");
    assert!(
        sentence(Memory::default().with("contact", "application/json", b"{"))
            .starts_with("The part `contact` is no JSON")
    );
    assert!(contact::text("BEGIN:VCARD\r\n").is_err());
}

#[test]
fn the_edition_speaks_for_these_answers() {
    let mut hasher = blake3::Hasher::new();
    for row in rows() {
        hasher.update(rendered(&row).unwrap().0.as_bytes());
    }
    let answers = &hasher.finalize().to_hex()[..16];
    insta::assert_snapshot!(format!("edition {CONTACTS_EDITION} gives {answers}"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_words_come_back(
        words in prop::collection::vec("[a-zé日🎉,;:\\\\\"\n\r ^=\u{1}]{0,30}", 12),
        mails in prop::collection::vec("[a-z]{1,8}@[a-z]{1,8}", 0..4),
        phones in prop::collection::vec("[+0-9 /-]{0,12}", 0..3),
        form in prop::sample::select(vec!["V3", "V4"]),
    ) {
        let members = ["displayName", "givenName", "surname", "middleName", "nickName", "companyName", "department", "jobTitle", "personalNotes", "manager", "profession", "fileAs"];
        let mut contact: serde_json::Map<String, Value> =
            members.iter().zip(&words).map(|(name, word)| ((*name).to_owned(), json!(word))).collect();
        let mails: Vec<Value> = mails.iter().map(|mail| json!({ "address": mail, "name": words[0] })).collect();
        contact.insert("emailAddresses".to_owned(), json!(mails));
        contact.insert("businessPhones".to_owned(), json!(phones));
        contact.insert("homeAddress".to_owned(), json!({ "street": words[1], "city": words[2] }));
        contact.insert("children".to_owned(), json!([words[3]]));
        let row = json!({ "contact": contact, "form": form });
        let (text, rendered) = rendered(&row).unwrap();
        let (told, read) = (contact::original(&original(&row)).unwrap(), contact::text(&text).unwrap());
        prop_assert_eq!(contact::differences(&told, &read, &rendered.losses), Vec::<String>::new(), "{}", text);
    }
}
