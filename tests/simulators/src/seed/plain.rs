//! Benchmark mails: alike, of one size, and cheap. Two hundred thousand of them cost the memory of their heads.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::mailbox::Mailbox;
use super::{NOW, Recipe};
use crate::dump::Content;

const LINE: &[u8] = b"The quick brown fox jumps over the lazy dog while the clerk files form 27-B.\r\n";

/// Fills the inbox with `recipe.messages` mails of about `size` bytes.
pub(super) fn fill(mailbox: &mut Mailbox, recipe: &Recipe, size: u32, dice: &mut Dice) {
    let inbox = mailbox.id_of("inbox");
    for number in 0..recipe.messages {
        let mail = Plain::new(&mailbox.user, number, dice);
        mailbox.push(mail.resource(&inbox, dice), mail.content(size));
    }
}

struct Plain<'a> {
    to: &'a str,
    number: u32,
    mark: String,
    received: Timestamp,
}

impl<'a> Plain<'a> {
    fn new(to: &'a str, number: u32, dice: &mut Dice) -> Self {
        let back = SignedDuration::from_mins(i64::from(number) * 7);
        let received = NOW.checked_sub(back).unwrap_or(NOW);
        Self { to, number, mark: dice.hex(8), received }
    }

    fn is_read(&self) -> bool {
        !self.number.is_multiple_of(3)
    }

    fn message_id(&self) -> String {
        format!("<{}.{}@bench.valmont.example>", self.mark, self.number)
    }

    fn subject(&self) -> String {
        format!("File {} of the registry", self.number)
    }

    fn content(&self, size: u32) -> Content {
        let head = self.head();
        let line = Bytes::from_static(LINE);
        let left = u64::from(size).saturating_sub(head.len() as u64);
        let times = (left + line.len() as u64 / 2) / line.len() as u64;
        Content::Repeat { head: head.into(), line, times, tail: Bytes::new() }
    }

    fn head(&self) -> String {
        format!(
            "From: Registry <registry@valmont.example>\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\n\
             Message-ID: {}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
             File {}, mark {}.\r\n\r\n",
            self.to,
            self.subject(),
            self.received.strftime("%a, %d %b %Y %H:%M:%S +0000"),
            self.message_id(),
            self.number,
            self.mark
        )
    }

    /// The fields that tell one mail from another and those that every answer has; collected at once, so that the
    /// map holds no room to spare.
    fn resource(&self, folder: &str, dice: &mut Dice) -> Value {
        let fields = [
            ("id", json!(dice.outlook_id("AAMkAG", 152))),
            ("changeKey", json!(dice.outlook_id("CQAAABYAAAB", 40))),
            ("lastModifiedDateTime", json!(self.received)),
            ("receivedDateTime", json!(self.received)),
            ("sentDateTime", json!(self.received)),
            ("hasAttachments", json!(false)),
            ("internetMessageId", json!(self.message_id())),
            ("subject", json!(self.subject())),
            ("importance", json!("normal")),
            ("parentFolderId", json!(folder)),
            ("isRead", json!(self.is_read())),
            ("isDraft", json!(false)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
    }
}
