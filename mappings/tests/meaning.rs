//! What counts as a difference between two messages, and what does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use transhume_mappings::meaning::{self, MailMeaning, difference};

fn read(message: &str) -> MailMeaning {
    meaning::mail(&mut message.as_bytes()).unwrap()
}

fn same(a: &str, b: &str) {
    assert_eq!(difference(&read(a), &read(b)), Vec::<String>::new());
}

fn differ(a: &str, b: &str) -> String {
    difference(&read(a), &read(b)).join("\n")
}

const MIXED: &str = "Subject: s\r\nContent-Type: multipart/mixed; boundary=\"b b\"\r\n\r\npreamble\r\n--b b\r\n\r\none\r\n--b b  \r\n\
    Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b b--\r\nepilogue\r\n";

#[test]
fn encodings_do_not_count() {
    same("Subject: été\r\n\r\nx", "Subject: =?utf-8?B?w6l0w6k=?=\r\n\r\nx");
    same("Subject: été\r\n\r\nx", "Subject: =?iso-8859-1?Q?=E9t=E9?=\r\n\r\nx");
    same("From: \"Zoé, D\" <z@x>\r\n\r\nx", "From: =?utf-8?Q?Zo=C3=A9=2C_D?= <z@x>\r\n\r\nx");
    same("Subject: a\r\n b\r\n\r\nx", "Subject: a b\r\n\r\nx");
    let quoted = "S: s\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E9t=\r\n=E9\r\n";
    let base64 =
        "S: s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nw6l0w6kNCg==";
    same(quoted, base64);
}

/// What the strictest server wants mended is one field without a name, before and after.
#[test]
fn a_name_ends_with_its_line() {
    same("Subject: s\r\nword\r\n : text\r\n\r\nx", "Subject: s\r\nX-Invalid-Header: word\r\n : text\r\n\r\nx");
    assert!(differ("Subject: s\r\nword\r\n : text\r\n\r\nx", "Subject: s\r\nWord: text\r\n\r\nx").contains("word"));
}

#[test]
fn line_ends_and_nul_do_not_count() {
    same("Subject: a\n\nb\nc\n", "Subject: a\r\n\r\nb\r\nc\r\n");
    same("Subject: a\r\n\r\nb\0c", "Subject: a\r\n\r\nbc");
}

#[test]
fn the_added_header_does_not_count() {
    same("just text\r\n", "MIME-Version: 1.0\r\n\r\njust text\r\n");
    same("", "MIME-Version: 1.0\r\n\r\n");
}

#[test]
fn boundaries_do_not_count() {
    same(MIXED, &MIXED.replace("b b", "other"));
}

#[test]
fn parts_are_found() {
    let found = read(MIXED);
    let parts: Vec<String> =
        found.parts.iter().map(|part| format!("{} {} {:?} {}", part.at, part.kind, part.name, part.size)).collect();
    assert_eq!(parts, ["1 text/plain \"\" 3", "2 application/pdf \"a.pdf\" 5"]);
    assert_eq!(found.parts[1].digest, *blake3::hash(b"hello").as_bytes());
}

#[test]
fn nested_messages_are_taken_apart() {
    let inner = MIXED.replace("b b", "inner");
    let outer = format!(
        "Subject: o\r\nContent-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\n\r\nx\r\n--out\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--out--\r\n"
    );
    let found = read(&outer);
    let places: Vec<&str> = found.parts.iter().map(|part| part.at.as_str()).collect();
    assert_eq!(places, ["1", "2.1", "2.2"]);
    assert!(found.fields.iter().any(|field| field.at == "2" && field.value == "s"));
}

#[test]
fn every_change_is_told() {
    let told = [
        differ("Subject: a\r\n\r\nx", "Subject: b\r\n\r\nx"),
        differ("Subject: a\r\nTo: b@x\r\n\r\nx", "Subject: a\r\n\r\nx"),
        differ("Subject: a\r\n\r\nx", "Subject: a\r\n\r\ny"),
        differ("Subject: a\r\n\r\nx", "Subject: a\r\n\r\nx\r\n"),
        differ(MIXED, &MIXED.replace("aGVsbG8=", "aGVsbHA=")),
        differ(MIXED, &MIXED.replace("aGVsbG8=", "aGVsbA==")),
        differ(MIXED, &MIXED.replace("a.pdf", "b.pdf")),
        differ(MIXED, &MIXED.replace("application/pdf", "image/png")),
        differ(MIXED, &MIXED[..MIXED.find("Content-Type: app").unwrap()]),
        differ("Received: a\r\nReceived: b\r\n\r\nx", "Received: b\r\nReceived: a\r\n\r\nx"),
        differ("Subject: a\r\n\r\nx", &format!("Subject: {}\r\n\r\nx", "long ".repeat(40))),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn parts_beyond_reason_become_one() {
    let mut message = String::from("S: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n");
    message.push_str(&"--b\r\n\r\nx\r\n".repeat(20_000));
    assert_eq!(read(&message).parts.len(), 10_001);
    let nested = "--b\r\nContent-Type: message/rfc822\r\n\r\nS: s\r\nT: t\r\n\r\n".repeat(30_000);
    let many = format!("S: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{nested}");
    assert!(read(&many).fields.len() <= 50_001);
    assert_ne!(read(&many), read(&format!("{many}--b\r\n\r\ny")));
    let deep: String = (0..200)
        .map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"))
        .collect();
    assert_eq!(read(&format!("S: s\r\n{deep}")).parts.len(), 1);
}

#[test]
fn surplus_carriage_returns_do_not_count() {
    same("Subject: a\r\r\n\r\nb\r\r\r\nc\rd\r\n", "Subject: a\r\n\r\nb\r\nc\rd\r\n");
    assert!(!differ("Subject: a\r\n\r\nc\rd", "Subject: a\r\n\r\ncd").is_empty());
}
