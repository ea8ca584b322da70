//! `verify` catches what was done to a mailbox by hand.

use crate::mailbox::{Mail, look, remove, to};
use crate::setting::{Story, ordinary, server};

fn story() -> (Story, Mail) {
    let story = Story::with_server(&ordinary(1, 10), server(1));
    story.run(&["run"]).ok();
    story.run(&["verify", "--depth", "content"]).tells(0, &["0 differences"]);
    let mail = look(&story, 1).into_iter().find(|mail| mail.folder == "INBOX").unwrap();
    (story, mail)
}

#[test]
fn a_removed_message_is_missing_and_only_repair_brings_it_back() {
    let (story, mail) = story();
    let before = look(&story, 1).len();
    remove(&story, &mail);
    story.run(&["verify", "--depth", "presence"]).tells(4, &["is missing", "1 difference."]);
    story.run(&["status"]).tells(4, &["The last `verify` found 1 difference."]);
    story.run(&["push"]).tells(0, &["push: nothing moved: nothing waits to be placed, in "]);
    assert_eq!(look(&story, 1).len(), before - 1, "a push alone does not undo what people did");
    story.run(&["push", "--repair"]).ok();
    assert_eq!(look(&story, 1).len(), before);
    story.run(&["verify", "--depth", "content"]).tells(0, &["0 differences"]);
    assert!(!story.run(&["status"]).out.contains("difference"), "it was mended");
    story.run(&["push", "--repair"]).tells(0, &["the last `verify` on record found nothing missing"]);
}

#[test]
fn a_mailbox_that_cannot_be_opened_is_not_told_as_compared() {
    let (mut story, _) = story();
    story.password = "wrong".into();
    let said = story.run(&["verify"]);
    said.tells(1, &["could not be compared", "1 account not compared to the end"]);
    assert!(!said.out.contains(" at the source = "), "{}", said.out);
}

#[test]
fn a_message_filed_elsewhere_is_theirs_and_no_repair_doubles_it() {
    let (story, mail) = story();
    let folder = look(&story, 1).into_iter().find(|other| other.folder != "INBOX").unwrap().folder;
    to(&story, &mail, &format!("UID MOVE {{}} \"{folder}\""));
    let before = look(&story, 1).len();
    for depth in ["shape", "content"] {
        story.run(&["verify", "--depth", depth]).tells(0, &["0 differences", "1 item moved there by people"]);
    }
    story.run(&["push", "--repair"]).ok();
    assert_eq!(look(&story, 1).len(), before);
}

#[test]
fn changed_flags_are_named() {
    let (story, mail) = story();
    let word = if mail.flags.contains("\\Flagged") { "-FLAGS (\\Flagged)" } else { "+FLAGS (\\Flagged)" };
    to(&story, &mail, &format!("UID STORE {{}} {word}"));
    story.run(&["verify"]).tells(4, &["is reflagged", &mail.id, "is reflagged: flag", "1 difference."]);
}

#[test]
fn another_date_is_named() {
    let (story, mail) = story();
    let file = file_of(&story, &mail);
    let touched = std::process::Command::new("touch").args(["-d", "2003-02-01T04:05:06Z"]).arg(&file).status().unwrap();
    assert!(touched.success());
    forget(&story);
    story.run(&["verify"]).tells(4, &["is redated", &mail.id, "2003-02-01T04:05:06Z", "1 difference."]);
}

/// Lets Dovecot read its files anew.
fn forget(story: &Story) {
    let dir = story.dovecot.as_ref().unwrap().mail_dir("account1").join("Maildir");
    let index = |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("dovecot.index");
    crate::setting::files(&dir).into_iter().filter(index).for_each(|path| std::fs::remove_file(path).unwrap());
}

#[test]
fn an_altered_byte_is_named_though_its_size_is_right() {
    let (story, mail) = story();
    alter_a_byte(&story, &mail);
    let verdict = only_difference(&story, "content");
    assert_eq!((verdict["kind"].as_str(), verdict["detail"]["at"].as_str()), (Some("altered"), Some("INBOX")));
    assert_eq!(verdict["detail"]["message_id"], format!("<{}>", mail.id));
    let detail = &verdict["detail"];
    assert_eq!(detail["expected_bytes"], detail["seen_bytes"], "{detail}");
    assert!(detail["expected_hash"].is_string() && detail["expected_hash"] != detail["seen_hash"], "{detail}");
    story.run(&["verify", "--depth", "shape"]).tells(0, &["0 differences"]);
}

#[test]
fn a_sample_is_read_back_byte_for_byte_and_the_others_are_not() {
    let (story, mail) = story();
    let summary = story.run(&["verify", "--sample", "40%", "--json"]).summary();
    let [read, compared] = ["read_back", "compared"].map(|name| summary[name].as_u64().unwrap());
    assert!(0 < read && read < compared, "{summary}");
    story.run(&["verify", "--sample", "40%"]).tells(0, &[&format!("sizes, {read} of them byte for byte; 0 diff")]);
    alter_a_byte(&story, &mail);
    assert_eq!(difference(&story, &["--sample", "100"])["kind"], "altered");
    story.run(&["verify", "--sample", "0.001%"]).tells(0, &["0 differences"]);
}

#[test]
fn what_is_no_share_or_contradicts_a_depth_is_refused() {
    let story = Story::new(&ordinary(1, 1));
    for share in ["0", "101%", "some", "-5%"] {
        story.run(&["verify", &format!("--sample={share}")]).complains(2, &["as in 5%"]);
    }
    story.run(&["verify", "--sample", "5%", "--depth", "content"]).complains(2, &["--sample", "--depth"]);
}

/// The one difference that `verify` finds at this depth.
#[track_caller]
fn only_difference(story: &Story, depth: &str) -> serde_json::Value {
    difference(story, &["--depth", depth])
}

#[track_caller]
fn difference(story: &Story, how: &[&str]) -> serde_json::Value {
    let events = story.run(&[&["verify", "--json"], how].concat()).events();
    let mut differences: Vec<_> = events.into_iter().filter(|event| event["type"] == "difference").collect();
    assert_eq!(differences.len(), 1, "{differences:#?}");
    differences.remove(0)
}

#[test]
fn a_second_copy_is_named_and_mail_of_others_is_only_listed() {
    let (story, mail) = story();
    let file = file_of(&story, &mail);
    let bytes = std::fs::read(&file).unwrap();
    let mut imap = crate::mailbox::open(&story, 1);
    for message in [bytes.as_slice(), b"Message-ID: <theirs@example>\r\n\r\nnew mail\r\n"] {
        assert!(imap.append("INBOX", "", message).unwrap().is_ok());
    }
    for depth in ["shape", "content"] {
        let verdict = only_difference(&story, depth);
        assert_eq!(verdict["kind"], "duplicate", "{verdict}");
        assert_eq!(verdict["detail"]["message_id"], format!("<{}>", mail.id));
    }
    story
        .run(&["verify"])
        .tells(4, &["a second copy of item", &mail.id, "1 item at the target not placed by transhume"]);
}

fn alter_a_byte(story: &Story, mail: &Mail) {
    let file = file_of(story, mail);
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.iter().rposition(u8::is_ascii_alphanumeric).unwrap();
    bytes[last] = if bytes[last] == b'x' { b'y' } else { b'x' };
    std::fs::write(&file, bytes).unwrap();
}

/// The file of a message in Dovecot's Maildir.
fn file_of(story: &Story, mail: &Mail) -> std::path::PathBuf {
    let dir = story.dovecot.as_ref().unwrap().mail_dir("account1").join("Maildir");
    let holds = |path: &std::path::PathBuf| {
        let bytes = std::fs::read(path).unwrap_or_default();
        let id = format!("<{}>", mail.id);
        path.display().to_string().contains("/cur/") && String::from_utf8_lossy(&bytes).contains(&id)
    };
    let in_folders = crate::setting::files(&dir).into_iter().find(holds);
    in_folders.expect("no file holds the message")
}

/// Mail that people got there meanwhile is found by what their mail program shows of it.
#[test]
fn mail_of_other_origin_is_named_by_its_message_id() {
    let (story, _) = story();
    let mut imap = crate::mailbox::open(&story, 1);
    let text = "Message-ID: <theirs@example.org>\r\nSubject: x\r\n\r\nx\r\n";
    imap.append("INBOX", "", text.as_bytes()).unwrap();
    let events = story.run(&["verify", "--depth", "content", "--json"]).events();
    let extra: Vec<_> = events.iter().filter(|event| event["type"] == "extra").collect();
    assert_eq!(extra.len(), 1, "{extra:#?}");
    assert_eq!(extra[0]["detail"]["message_id"], "<theirs@example.org>", "{extra:#?}");
}
