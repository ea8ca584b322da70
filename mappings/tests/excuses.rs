//! A named loss accounts for a difference in the thing it names, and for nothing else. Every loss that a rendering can
//! have is here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rows;

use rows::{Memory, bytes, cases, filter, profile, render, rows};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use transhume_mappings::{
    Loss, MailProfile,
    meaning::{self, MailMeaning, Part, differences, unexcused},
};

/// What came of rendering one message.
struct Case {
    name: String,
    told: MailMeaning,
    read: MailMeaning,
    losses: Vec<Loss>,
}

impl Case {
    fn filtered(name: &str, input: &[u8], profile: &MailProfile) -> Self {
        let (out, rendered) = filter(input, profile);
        let (told, read) = (meaning::mail(&mut &*input).unwrap(), meaning::mail(&mut &*out).unwrap());
        Self { name: name.to_owned(), told, read, losses: rendered.losses }
    }

    fn put_together(name: &str, original: &Memory) -> Self {
        let (out, rendered) = render(original, &MailProfile::strict()).unwrap();
        let (told, read) = (meaning::original(original).unwrap(), meaning::mail(&mut &*out).unwrap());
        Self { name: name.to_owned(), told, read, losses: rendered.losses }
    }

    fn found(&self, losses: &[Loss]) -> Vec<String> {
        unexcused(differences(&self.told, &self.read), losses)
    }

    fn has(&self, loss: &str) -> bool {
        self.losses.iter().any(|one| one.name == loss)
    }

    /// The same, with something done to what was read back.
    fn tampered(&self, tamper: impl FnOnce(&mut MailMeaning)) -> Vec<String> {
        let mut read = self.read.clone();
        tamper(&mut read);
        unexcused(differences(&self.told, &read), &self.losses)
    }
}

fn original(case: &Value) -> Memory {
    let mut original = Memory::default().with("message", "application/json", case["message"].to_string().as_bytes());
    for (number, attachment) in case["attachments"].as_array().into_iter().flatten().enumerate() {
        let part = format!("attachment/{number}");
        if let Some(meta) = attachment.get("meta") {
            original = original.with(&format!("{part}/meta"), "application/json", meta.to_string().as_bytes());
        }
        if let Some(content) = attachment["bytes"].as_str() {
            let kind = attachment["stored_as"].as_str().unwrap_or("application/octet-stream");
            original = original.with(&part, kind, &bytes(content));
        }
    }
    original
}

fn plain(message: &Value) -> Memory {
    Memory::default().with("message", "application/json", message.to_string().as_bytes())
}

/// A header of more than 4 MiB.
fn long_header() -> Vec<u8> {
    let fields = (0..10_000).flat_map(|n| format!("X-Field-{n}: {}\r\n", "y".repeat(450)).into_bytes());
    b"Subject: a\r\n".iter().copied().chain(fields).chain(*b"\r\nbody\r\n").collect()
}

fn all() -> Vec<Case> {
    let mut all: Vec<Case> = Vec::new();
    for row in rows("filter.json") {
        all.push(Case::filtered(&row["case"].to_string(), &bytes(row["in"].as_str().unwrap()), &profile(&row)));
    }
    for path in cases("reassembly") {
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        all.push(Case::put_together(&path.display().to_string(), &original(&case)));
    }
    all.push(Case::filtered("long header", &long_header(), &MailProfile::strict()));
    let raw = "{\"subject\":\"a\u{1}b\",\"body\":{\"contentType\":\"text\",\"content\":\"c\"}}";
    all.push(Case::put_together("raw control", &Memory::default().with("message", "application/json", raw.as_bytes())));
    all.push(Case::put_together("no body", &plain(&json!({ "subject": "a" }))));
    let text = json!({ "contentType": "text", "content": "c" });
    all.push(Case::put_together("date", &plain(&json!({ "subject": "a", "sentDateTime": "yesterday", "body": text }))));
    let odd = plain(&json!({ "subject": "a", "body": text })).with("attachment/x", "text/plain", b"y");
    all.push(Case::put_together("odd part", &odd));
    all
}

/// Every loss of bytes that the conversions can name.
const NAMES: [&str; 30] = [
    "address_missing",
    "address_not_smtp",
    "attachment_kind_unknown",
    "attachment_missing",
    "attachment_reference",
    "attachment_untold",
    "body_missing",
    "body_type_unknown",
    "date_from_received",
    "date_missing",
    "date_unreadable",
    "header_added",
    "header_cut",
    "header_dropped",
    "header_end_added",
    "header_line_repaired",
    "header_recoded",
    "importance_unknown",
    "json_repaired",
    "line_ends_normalised",
    "media_type_changed",
    "media_type_unreadable",
    "meeting_not_carried",
    "message_id_recoded",
    "message_kind_unknown",
    "nul_removed",
    "part_unknown",
    "property_unknown",
    "reassembled",
    "surplus_cr_removed",
];

#[test]
fn every_loss_is_here() {
    let found: BTreeSet<String> = all().into_iter().flat_map(|case| case.losses).map(|loss| loss.name).collect();
    let known: BTreeSet<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, known);
}

#[test]
fn what_a_rendering_says_differently_is_named() {
    for case in all() {
        assert_eq!(case.found(&case.losses), Vec::<String>::new(), "{} with {:?}", case.name, case.losses);
    }
}

/// Whatever losses a message has, these are found.
#[test]
fn another_difference_in_the_same_message_is_found() {
    for case in all().into_iter().filter(|case| !case.losses.is_empty()) {
        let part = Part {
            at: "9".into(),
            kind: "image/png".into(),
            name: "x.png".into(),
            size: 1,
            ..case.read.parts[0].clone()
        };
        let added = case.tampered(|read| read.parts.push(Part { digest: [7; 32], ..part }));
        assert_eq!(added.len(), 1, "{}: an attachment that nobody sent: {added:?}", case.name);
        let gone = case.tampered(|read| drop(read.parts.remove(0)));
        assert!(!gone.is_empty(), "{}: the text is gone", case.name);
        if case.told.fields.iter().any(|field| field.at.is_empty() && field.name == "subject")
            && !recodes(&case, "Subject")
        {
            let other = case.tampered(|read| {
                read.fields.iter_mut().filter(|field| field.name == "subject").for_each(|field| field.value += "!");
            });
            assert!(!other.is_empty(), "{}: another subject", case.name);
        }
        if !case.has("header_cut") {
            let altered = case.tampered(|read| read.parts[0].digest = [7; 32]);
            assert!(!altered.is_empty(), "{}: another text", case.name);
        }
    }
}

fn recodes(case: &Case, field: &str) -> bool {
    case.losses.iter().any(|loss| loss.name == "header_recoded" && loss.detail.starts_with(field))
}

/// These differ, and it takes the loss to account for it.
#[test]
fn without_its_loss_a_difference_stands() {
    for name in ["header_recoded", "header_cut", "attachment_missing", "attachment_reference"] {
        let other = |loss: &&Loss| loss.name != name;
        let stands = all().into_iter().filter(|case| case.has(name)).any(|case| {
            let losses: Vec<Loss> = case.losses.iter().filter(other).cloned().collect();
            !case.found(&losses).is_empty()
        });
        assert!(stands, "{name} accounts for nothing");
    }
}

/// What one loss accounts for is no excuse in the place of another.
#[test]
fn a_loss_accounts_only_for_what_it_names() {
    let recoded = Case::filtered("to", "To: zo\u{e9}@x\r\nSubject: a\r\n\r\nb".as_bytes(), &MailProfile::strict());
    assert!(recoded.has("header_recoded") && !recoded.found(&[]).is_empty());
    let elsewhere = [Loss { name: "header_recoded".into(), detail: "Cc: bytes beyond ASCII read as UTF-8".into() }];
    assert!(!recoded.found(&elsewhere).is_empty());
    let named = recoded.tampered(|read| {
        read.parts.push(Part { at: "2".into(), digest: [7; 32], ..read.parts[0].clone() });
    });
    assert_eq!(named.len(), 1, "a text in the place of an attachment, though none is missing: {named:?}");
}

#[test]
fn beside_an_address_that_mail_cannot_hold_the_others_are_compared() {
    let to = |address: &str| json!({ "emailAddress": { "name": "n", "address": address } });
    let text = json!({ "contentType": "text", "content": "c" });
    let message = json!({ "subject": "a", "body": text, "toRecipients": [to("/o=X/cn=y"), to("bob@y.example")] });
    let case = Case::put_together("x500", &plain(&message));
    assert!(case.has("address_not_smtp") && case.found(&case.losses).is_empty());
    let other = case.tampered(|read| {
        let bob = |value: &str| value.replace("bob@y.example", "eve@y.example");
        read.fields.iter_mut().filter(|field| field.name == "to").for_each(|field| field.value = bob(&field.value));
    });
    assert_eq!(other, ["the field to no longer says `bob@y.example`"]);
}
