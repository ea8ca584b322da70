//! `verify` catches what was done to a mailbox by hand.

use crate::mailbox::{Mail, done, look, open, remove, to};
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
    story.run(&["push"]);
    assert_eq!(look(&story, 1).len(), before - 1, "a push alone does not undo what people did");
    story.run(&["push", "--repair"]).ok();
    assert_eq!(look(&story, 1).len(), before);
    story.run(&["verify", "--depth", "content"]).tells(0, &["0 differences"]);
}

#[test]
fn changed_flags_are_named() {
    let (story, mail) = story();
    let word = if mail.flags.contains("\\Flagged") { "-FLAGS (\\Flagged)" } else { "+FLAGS (\\Flagged)" };
    to(&story, &mail, &format!("UID STORE {{}} {word}"));
    story.run(&["verify"]).tells(4, &["1 difference.", "flag"]);
}

#[test]
fn another_date_is_named() {
    let (story, mail) = story();
    let bytes = source(&story, &mail);
    again(&story, &mail, " 1-Feb-2003 04:05:06 +0000", &bytes);
    story.run(&["verify"]).tells(4, &["difference", "received"]);
}

#[test]
fn an_altered_byte_is_named_though_its_size_is_right() {
    let (story, mail) = story();
    let file = file_of(&story, &mail);
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.iter().rposition(u8::is_ascii_alphanumeric).unwrap();
    bytes[last] = if bytes[last] == b'x' { b'y' } else { b'x' };
    std::fs::write(&file, bytes).unwrap();
    story.run(&["verify", "--depth", "content"]).tells(4, &["1 difference."]);
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

fn source(story: &Story, mail: &Mail) -> Vec<u8> {
    let mut imap = open(story, 1);
    done(&mut imap, "SELECT INBOX");
    let reply = imap.command(&format!("UID FETCH {} (BODY.PEEK[])", mail.uid)).unwrap();
    let line = reply.untagged.into_iter().find(|line| line.windows(7).any(|part| part == b" FETCH ")).unwrap();
    let start = line.windows(3).position(|part| part == b"}\r\n").unwrap() + 3;
    line[start..line.len() - 1].to_vec()
}

/// Puts the same message in the place of one, with another date.
fn again(story: &Story, mail: &Mail, date: &str, bytes: &[u8]) {
    remove(story, mail);
    let flags = mail.flags.clone();
    let reply = open(story, 1).append("INBOX", &format!("({flags}) \"{date}\""), bytes).unwrap();
    assert!(reply.is_ok(), "{}", reply.text());
}
