//! The rivals: a client that does nothing but MULTIAPPEND, and `mbsync` from a Maildir.

use crate::{
    tenants::MAILBOXES,
    watched::{self, Watched},
};
use jiff::Timestamp;
use std::{fmt::Write, fs, path::Path, process::Command, thread, time::Instant};
use transhume_servers::RawImap;

/// A message as it is appended.
pub struct Message {
    pub bytes: Vec<u8>,
    pub seen: bool,
    pub received: Timestamp,
}

const BATCH: usize = 100;
const CONNECTIONS: usize = 4;

/// Seconds to append everything in batches over as many connections as the program uses.
pub fn multiappend(port: u16, user: &str, mailboxes: &[Vec<Message>]) -> f64 {
    let begun = Instant::now();
    create_all(port, user);
    thread::scope(|scope| {
        for lane in 0..CONNECTIONS {
            scope.spawn(move || append_lane(port, user, mailboxes, lane));
        }
    });
    begun.elapsed().as_secs_f64()
}

/// On one connection: Dovecot refuses some of several that make a new user's first mailboxes at once.
fn create_all(port: u16, user: &str) {
    let mut session = RawImap::login(port, user, "secret").unwrap();
    for name in MAILBOXES {
        let answer = session.command(&format!("CREATE {name}")).unwrap();
        assert!(answer.is_ok(), "{answer:?}");
    }
}

fn append_lane(port: u16, user: &str, mailboxes: &[Vec<Message>], lane: usize) {
    let mut session = RawImap::login(port, user, "secret").unwrap();
    for (name, messages) in MAILBOXES.iter().zip(mailboxes).skip(lane).step_by(CONNECTIONS) {
        for (number, batch) in messages.chunks(BATCH).enumerate() {
            let tag = format!("b{number}");
            session.send(&command(&tag, name, batch)).unwrap();
            assert!(session.finish(&tag).unwrap().is_ok());
        }
    }
}

fn command(tag: &str, mailbox: &str, batch: &[Message]) -> Vec<u8> {
    let mut text = format!("{tag} APPEND {mailbox}").into_bytes();
    for message in batch {
        let mut head = String::new();
        let flags = if message.seen { "\\Seen" } else { "" };
        let date = message.received.strftime("%d-%b-%Y %H:%M:%S +0000");
        write!(head, " ({flags}) \"{date}\" {{{}+}}\r\n", message.bytes.len()).unwrap();
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(&message.bytes);
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// Writes the Maildir that `mbsync` starts from.
pub fn write_maildir(dir: &Path, mailboxes: &[Vec<Message>]) {
    for (name, messages) in MAILBOXES.iter().zip(mailboxes) {
        let folder = dir.join(name);
        ["cur", "new", "tmp"].iter().for_each(|part| fs::create_dir_all(folder.join(part)).unwrap());
        for (number, message) in messages.iter().enumerate() {
            let flags = if message.seen { "S" } else { "" };
            let second = message.received.as_second();
            fs::write(folder.join(format!("cur/{second}.{number}.bench:2,{flags}")), &message.bytes).unwrap();
        }
    }
}

/// Lets `mbsync` push a Maildir of its own (it renames the files).
pub fn mbsync(port: u16, user: &str, maildir: &Path) -> Watched {
    let config = maildir.with_extension("mbsyncrc");
    let at = maildir.display();
    let text = format!(
        "IMAPStore far\nHost 127.0.0.1\nPort {port}\nUser {user}\nPass secret\nSSLType None\nAuthMechs LOGIN\n\n\
         MaildirStore near\nPath {at}/\nInbox {at}/INBOX\nSubFolders Verbatim\n\n\
         Channel push\nFar :far:\nNear :near:\nPatterns *\nCreate Far\nSync Push\nCopyArrivalDate yes\nSyncState *\n"
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new("mbsync");
    command.arg("--quiet").arg("--config").arg(&config).arg("push");
    watched::watch(command)
}
