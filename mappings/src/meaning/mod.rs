//! The comparable value of mail: what a reader gets from it, whatever bytes carry it. That of events is in [`calendar`],
//! that of contacts in [`contact`], that of tasks in [`task`]; whether people wrote into what was sent is told by
//! [`changed`].
//!
//! Written apart from [`crate::render`] on purpose and sharing no code with it: what converts must not judge itself.
//! Two messages have the same meaning when their fields, texts and attachments read alike; encodings, folding,
//! boundaries, line ends and NUL bytes do not count.

pub mod calendar;
pub mod changed;
mod charset;
pub mod contact;
mod content;
mod difference;
mod excuse;
mod fields;
mod source;
pub mod task;
mod walk;

pub use difference::{About, Difference, difference, differences};
pub use excuse::unexcused;
pub use source::original;

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailMeaning {
    /// Header fields of the message and of messages nested in it, in their order, without those of MIME structure.
    pub fields: Vec<Field>,
    /// Texts and attachments, in their order; containers are not parts.
    pub parts: Vec<Part>,
    /// What a field says among other things that cannot be compared.
    pub mentions: Vec<Field>,
    /// By the number of a part that is a file and a message at once: what the message says.
    pub nested: BTreeMap<String, MailMeaning>,
    /// All there is. A meaning read from a service's data knows only the fields that the service tells, and nothing of
    /// how parts were nested; then only what both sides know is compared.
    pub complete: bool,
}

/// A header field, decoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field {
    /// Number of the part whose header it is, as in IMAP (`2.1`); empty for the message itself.
    pub at: String,
    /// In lower case.
    pub name: String,
    pub value: String,
}

/// A text or an attachment, decoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// As in IMAP: `1`, `2.1`.
    pub at: String,
    /// Media type in lower case.
    pub kind: String,
    /// File name; empty without one.
    pub name: String,
    /// Content-ID without its brackets; empty without one.
    pub id: String,
    /// Bytes after decoding. Text counts as UTF-8 with LF.
    pub size: u64,
    /// BLAKE3 of the same bytes.
    pub digest: [u8; 32],
}

/// Reads a message in RFC 5322 form with bounded memory. Anything can be read: what is no message is text.
///
/// # Errors
/// Only what `bytes` itself answers.
pub fn mail(bytes: &mut dyn Read) -> io::Result<MailMeaning> {
    let mut walk = walk::Walk::new(String::new());
    walk.read(bytes)?;
    Ok(walk.finish())
}
