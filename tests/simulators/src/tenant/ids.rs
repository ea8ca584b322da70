//! Ids as Outlook forms them: long, opaque, in base64url with padding. A message has one id for where it lies, which
//! a move changes, and one that never changes (Microsoft Graph docs: immutable identifiers).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use jiff::Span;
use jiff::civil::Date;
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

    /// The id of whoever owns the mailbox.
    pub fn owner(&self) -> &str {
        &self.mailbox
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

    /// A thing of a room: an event, a contact, a task.
    pub fn thing(&self, step: u64) -> String {
        self.make("AAMkAG", "thing", &step.to_string(), 108)
    }

    /// What holds things of one kind; those that every mailbox has go by their name.
    pub fn collection(&self, kind: &str, which: &str) -> String {
        self.make("AQMkAG", kind, which, 82)
    }

    /// The id of one day of a series, from an id of its master in either form. It says which day of which series it is,
    /// as the service's own do, so that it need not be remembered.
    pub fn occurrence(&self, master: &str, date: Date) -> String {
        let prefix = if master.starts_with("AAkA") { "AAkALg" } else { "AAMkAG" };
        let what = format!("{master} {date}");
        let rest = Sha256::new().chain_update(&self.mailbox).chain_update("occurrence\0").chain_update(what).finalize();
        let mut bytes = short(master).to_be_bytes().to_vec();
        bytes.extend(days(date).to_be_bytes());
        bytes.extend(rest.iter().cycle().take(120));
        format!("{prefix}{}", URL_SAFE.encode(bytes))
    }

    /// Which series, as the digest of its id, and which day an id names.
    #[allow(clippy::unused_self)]
    pub fn occurrence_of(&self, id: &str) -> Option<(u64, Date)> {
        let bytes = URL_SAFE.decode(id.get(6..22)?).ok()?;
        let (series, day) = bytes.split_at_checked(8)?;
        let series = u64::from_be_bytes(series.try_into().ok()?);
        let day = i32::from_be_bytes(day.get(..4)?.try_into().ok()?);
        let date = EPOCH.checked_add(Span::new().try_days(day).ok()?).ok()?;
        Some((series, date))
    }

    fn make(&self, prefix: &str, kind: &str, what: &str, bytes: usize) -> String {
        let digest = Sha256::new().chain_update(&self.mailbox).chain_update(kind).chain_update("\0").chain_update(what);
        let digest = digest.finalize();
        let filled: Vec<u8> = digest.iter().copied().cycle().take(bytes).collect();
        format!("{prefix}{}", URL_SAFE.encode(filled))
    }
}

const EPOCH: Date = Date::constant(1970, 1, 1);

fn days(date: Date) -> i32 {
    EPOCH.until(date).map_or(0, |span| span.get_days())
}

/// Whether a text has the form of an Outlook id; the service calls the others malformed rather than absent.
pub(crate) fn looks_like_an_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+/.".contains(&byte);
    text.len() >= 16 && text.bytes().all(plain)
}

/// A short name of an immutable id for an index.
pub(crate) fn short(id: &str) -> u64 {
    let digest = Sha256::digest(id.as_bytes());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
