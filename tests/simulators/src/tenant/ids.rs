//! Ids as Outlook forms them: long, opaque, in base64url with padding. A message has one id for where it lies, which
//! a move changes, and one that never changes (Microsoft Graph docs: immutable identifiers).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use sha2::{Digest, Sha256};

/// Makes the ids of one mailbox.
#[derive(Clone)]
pub(crate) struct Ids {
    mailbox: String,
}

impl Ids {
    pub fn of(mailbox: &str) -> Self {
        Self { mailbox: mailbox.to_owned() }
    }

    /// The id of a message that came to lie somewhere at a step of the mailbox's history.
    pub fn message(&self, step: u64) -> String {
        self.make("AAMkAG", "message", &step.to_string(), 108)
    }

    pub fn folder(&self, step: u64) -> String {
        self.make("AQMkAG", "folder", &step.to_string(), 82)
    }

    /// The immutable id of the message that was born with this id.
    pub fn immutable(&self, born: &str) -> String {
        self.make("AAkALg", "immutable", born, 100)
    }

    pub fn attachment(&self, message: &str, at: usize) -> String {
        self.make("AAMkAG", "attachment", &format!("{message} {at}"), 120)
    }

    pub fn conversation(&self, topic: &str) -> String {
        self.make("AAQkAG", "conversation", topic, 52)
    }

    pub fn change_key(&self, step: u64) -> String {
        self.make("CQAAABYAAAB", "change", &step.to_string(), 16)
    }

    fn make(&self, prefix: &str, kind: &str, what: &str, bytes: usize) -> String {
        let digest = Sha256::new().chain_update(&self.mailbox).chain_update(kind).chain_update("\0").chain_update(what);
        let digest = digest.finalize();
        let filled: Vec<u8> = digest.iter().copied().cycle().take(bytes).collect();
        format!("{prefix}{}", URL_SAFE.encode(filled))
    }
}

/// Whether a text has the form of an Outlook id; the service calls the others malformed rather than absent.
pub(crate) fn looks_like_an_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+/".contains(&byte);
    text.len() >= 16 && text.bytes().all(plain)
}

/// A short name of an immutable id for an index.
pub(crate) fn short(id: &str) -> u64 {
    let digest = Sha256::digest(id.as_bytes());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
