//! The tenant dump: what is written is read again, and what is wrong is said in a sentence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

use bytes::Bytes;
use serde_json::json;
use tempfile::TempDir;
use transhume_simulators::dump::{Content, Dump, Entry, Provider};

const FIRST: &str = r#"{"format": "tenant-dump/1", "provider": "graph"}"#;

fn folder(lines: &[&str]) -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("tenant.jsonl"), lines.join("\n")).unwrap();
    dir
}

/// The sentence with the folder's name taken out.
fn refusal(dir: &Path) -> String {
    Dump::load(dir).unwrap_err().to_string().replace(&format!("{}/", dir.display()), "")
}

fn refused(lines: &[&str]) -> String {
    refusal(folder(lines).path())
}

fn entry(kind: &str, content: Option<Content>) -> Entry {
    let resource = json!({ "id": "AAMk-", "unknown": { "future": [1, null, "\u{0}é"] } });
    let user = Some("émilie@valmont.example".to_owned());
    Entry { kind: kind.to_owned(), user, resource, parent: Some("inbox".to_owned()), content }
}

fn repeat(head: &'static str, line: &'static str, times: u64, tail: &'static str) -> Content {
    Content::Repeat { head: Bytes::from(head), line: Bytes::from(line), times, tail: Bytes::from(tail) }
}

fn every_content() -> Vec<Content> {
    vec![
        Content::Bytes(Bytes::new()),
        Content::Bytes(Bytes::from_static(b"From: a\r\n\r\n\0\xff")),
        Content::Bytes(Bytes::from(vec![7; 200_001])),
        repeat("head", "line\r\n", 0, "tail"),
        repeat("head", "line\r\n", 100_003, "tail"),
        repeat("", "", 1_000_000_000, ""),
        Content::Seeded { seed: 9, length: 0 },
        Content::Seeded { seed: 9, length: 131_075 },
    ]
}

#[test]
fn what_is_saved_is_loaded_again() {
    let entries = every_content().into_iter().map(|content| entry("message", Some(content)));
    let dump = Dump { provider: Provider::Graph, entries: entries.chain([entry("mailFolder", None)]).collect() };
    let dir = TempDir::new().unwrap();
    dump.save(dir.path()).unwrap();
    assert_eq!(Dump::load(dir.path()).unwrap(), dump);
}

#[test]
fn lines_with_bodies_in_them_are_a_dump_too() {
    let entries = every_content().into_iter().map(|content| entry("message", Some(content)));
    let dump = Dump { provider: Provider::Graph, entries: entries.chain([entry("mailFolder", None)]).collect() };
    let mut lines = Vec::new();
    dump.to_jsonl(&mut lines).unwrap();
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("tenant.jsonl"), lines).unwrap();
    assert_eq!(Dump::load(dir.path()).unwrap(), dump);
}

#[test]
fn equal_bodies_are_stored_once_and_a_second_save_replaces_the_first() {
    let body = || Some(Content::Bytes(Bytes::from_static(b"twice")));
    let dump = Dump { provider: Provider::Graph, entries: vec![entry("message", body()), entry("message", body())] };
    let dir = TempDir::new().unwrap();
    dump.save(dir.path()).unwrap();
    assert_eq!(fs::read_dir(dir.path().join("blobs")).unwrap().count(), 1);
    let shorter = Dump { provider: Provider::Google, entries: Vec::new() };
    shorter.save(dir.path()).unwrap();
    assert_eq!(Dump::load(dir.path()).unwrap(), shorter);
}

/// Whoever has a tenant of large files does not want them in memory.
#[test]
fn large_files_stay_on_disk() {
    let large = Content::Seeded { seed: 3, length: 9 << 20 };
    let entries = vec![entry("driveItem", Some(large.clone())), entry("message", Some(large.clone()))];
    let dir = TempDir::new().unwrap();
    Dump { provider: Provider::Graph, entries }.save(dir.path()).unwrap();
    let loaded = Dump::load(dir.path()).unwrap();
    let held: Vec<&Content> = loaded.entries.iter().map(|entry| entry.content.as_ref().unwrap()).collect();
    assert!(matches!(held[..], [Content::File { .. }, Content::Bytes(_)]));
    assert!(held.iter().all(|content| **content == large));
}

#[test]
fn pieces_are_small_and_make_up_the_body() {
    for content in every_content() {
        let whole: Vec<u8> = content.chunks().flatten().collect();
        assert!(content.chunks().all(|piece| !piece.is_empty() && piece.len() <= 64 * 1024));
        assert_eq!(whole.len() as u64, content.len());
        assert_eq!(whole, content.to_bytes());
    }
}

#[test]
fn a_line_longer_than_a_piece_is_cut() {
    let long: Bytes = (0..150_000_u32).map(|n| n as u8).collect::<Vec<_>>().into();
    let content = Content::Repeat { head: Bytes::new(), line: long.clone(), times: 3, tail: Bytes::new() };
    assert_eq!(content.to_bytes(), long.repeat(3));
    assert!(content.chunks().all(|piece| piece.len() <= 64 * 1024));
}

#[test]
fn resources_are_kept_as_they_are() {
    let dir = folder(&[
        "\u{feff}{\"provider\": \"google\", \"format\": \"tenant-dump/1\", \"written\": \"by hand\"}\r",
        "",
        r#"{"kind": "label", "user": "a@b", "resource": {"z": 1, "a": 1.5, "nobody": "expected"}}"#,
        "",
    ]);
    let dump = Dump::load(dir.path()).unwrap();
    assert_eq!(dump.provider, Provider::Google);
    assert_eq!(dump.entries[0].resource.to_string(), r#"{"z":1,"a":1.5,"nobody":"expected"}"#);
}

#[test]
fn a_folder_that_is_no_dump_is_refused() {
    let empty = TempDir::new().unwrap();
    assert_eq!(refusal(empty.path()), "tenant.jsonl: cannot be opened: No such file or directory (os error 2)");
    assert_eq!(
        refused(&[]),
        r#"tenant.jsonl: is empty; its first line must be {"format": "tenant-dump/1", "provider": "graph"}"#
    );
}

#[test]
fn first_lines_that_are_none_are_refused() {
    let write = r#"; write {"format": "tenant-dump/1", "provider": "graph"} there"#;
    for (line, why) in [
        (r#"{"kind": "user"}"#, "missing field `format` (column 16)"),
        ("kind,user", "expected value (column 1)"),
        (r#"{"format": "tenant-dump/1"}"#, "it names no provider"),
        (r#"{"format": "tenant-dump/1", "provider": "yahoo"}"#, "the provider \"yahoo\" is neither graph nor google"),
    ] {
        let sentence = format!("tenant.jsonl line 1: is not the first line of a tenant dump ({why}){write}");
        assert_eq!(refused(&[line]), sentence);
    }
    assert_eq!(
        refused(&[r#"{"format": "tenant-dump/2", "provider": "graph"}"#]),
        "tenant.jsonl line 1: has the format \"tenant-dump/2\"; this version reads \"tenant-dump/1\" only"
    );
}

#[test]
fn lines_that_are_none_are_refused() {
    for (line, sentence) in [
        (
            r#"{"kind": "user", "resource": {}"#,
            "is not a line of a tenant dump: EOF while parsing an object (column 31)",
        ),
        (r#"{"kind": "user"}"#, "is not a line of a tenant dump: missing field `resource` (column 16)"),
        (
            r#"{"kind": "user", "resource": {}, "contents": 1}"#,
            "is not a line of a tenant dump: unknown field `contents`, expected one of `kind`, `user`, `resource`, \
             `parent`, `content` (column 43)",
        ),
        (r#"{"kind": "user", "resource": []}"#, r#"has a "resource" that is not a JSON object"#),
        (r#"{"kind": "message", "resource": {}}"#, r#"is a message without "user"; name the mailbox it belongs to"#),
        (
            r#"{"kind": "label", "user": "a", "resource": {}}"#,
            "has the kind \"label\", which a graph dump does not know; it knows user, group, member, mailFolder, message, \
             messageRule, mailboxSettings, masterCategory, calendarGroup, calendar, event, contactFolder, contact, \
             todoTaskList, todoTask, drive, driveItem, permission, site, driveItemVersion, channel",
        ),
    ] {
        assert_eq!(refused(&[FIRST, "", line]), format!("tenant.jsonl line 3: {sentence}"));
    }
}

#[test]
fn bodies_that_are_not_what_the_line_says_are_refused() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (content, sentence) in [
        ("{}", "has a content that names both \"file\" and \"base64\", or neither; name one of them".to_owned()),
        (
            r#"{"file": "blobs/a", "base64": ""}"#,
            "has a content that names both \"file\" and \"base64\", or neither; name one of them".to_owned(),
        ),
        (r#"{"base64": "?"}"#, "has a content that is not base64: Invalid symbol 63, offset 0.".to_owned()),
        (
            r#"{"file": "blobs/absent"}"#,
            "names the file \"blobs/absent\", which cannot be read: No such file or directory (os error 2)".to_owned(),
        ),
        (
            r#"{"file": "../secret"}"#,
            "names the file \"../secret\", which is not inside the dump's folder; use a relative path without \"..\""
                .to_owned(),
        ),
        (
            r#"{"file": "/etc/passwd"}"#,
            "names the file \"/etc/passwd\", which is not inside the dump's folder; use a relative path without \"..\""
                .to_owned(),
        ),
        (
            r#"{"base64": "", "size": 5}"#,
            "says that its content has 5 bytes, but it has 0; the dump was altered or cut".to_owned(),
        ),
        (
            r#"{"base64": "", "sha256": "00"}"#,
            format!("says that its content has the sha256 00, but it has {empty}; the dump was altered"),
        ),
        (
            r#"{"exports": {}}"#,
            "has Google documents in export formats, which the simulator does not serve yet; remove the line"
                .to_owned(),
        ),
    ] {
        let line = format!(r#"{{"kind": "message", "user": "a", "resource": {{}}, "content": {content}}}"#);
        assert_eq!(refused(&[FIRST, &line]), format!("tenant.jsonl line 2: {sentence}"));
    }
}

#[test]
fn a_body_altered_on_disk_is_refused() {
    let dir = TempDir::new().unwrap();
    let content = Some(Content::Bytes(Bytes::from_static(b"abc")));
    Dump { provider: Provider::Graph, entries: vec![entry("message", content)] }.save(dir.path()).unwrap();
    let blob = fs::read_dir(dir.path().join("blobs")).unwrap().next().unwrap().unwrap().path();
    fs::write(blob, "abd").unwrap();
    assert_eq!(
        refusal(dir.path()),
        "tenant.jsonl line 2: says that its content has the sha256 \
         ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad, but it has \
         a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9; the dump was altered"
    );
}

#[test]
fn lines_in_latin_1_are_refused() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("tenant.jsonl"), [FIRST.as_bytes(), b"\n{\"kind\": \"\xe9\"}"].concat()).unwrap();
    assert_eq!(refusal(dir.path()), "tenant.jsonl line 2: is not valid UTF-8; write the dump in UTF-8");
}
