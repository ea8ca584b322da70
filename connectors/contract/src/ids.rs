//! Opaque newtypes: stored and compared, never parsed outside the connector that made them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Ids are shown by their last characters only: foreign ids are long, alike at the front, and no business of a log.
fn shorten(f: &mut fmt::Formatter<'_>, kind: &str, text: &str) -> fmt::Result {
    const SHOWN: usize = 12;
    let count = text.chars().count();
    if count <= SHOWN {
        return write!(f, "{kind}({text})");
    }
    let tail: String = text.chars().skip(count - SHOWN).collect();
    write!(f, "{kind}(…{tail})")
}

macro_rules! opaque {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The whole text, for storing and for the connector that made it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                shorten(f, stringify!($name), &self.0)
            }
        }
    )+};
}

opaque! {
    /// An account on one side: a directory id at a source, a login at a target.
    AccountId;
    /// A mail folder or label, calendar, address book, task list or drive, within its account.
    CollectionId;
    /// What a source's cursor speaks of: an Outlook folder, a whole Gmail mailbox, a drive.
    FeedId;
    /// One item, unique within its account and workload, stable while it moves between collections.
    ItemId;
    /// The source's or target's version of an item: equal means unchanged, nothing else is implied.
    Version;
    /// The source's opaque delta or page token for one feed.
    Cursor;
    /// What a target calls a thing placed there: UID, href, file id. Unique within its collection.
    Handle;
    /// The engine's name for one attempt to place one rendering; the same after a restart.
    IntentId;
}

/// The BLAKE3 hash of exact bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
    /// Of several texts, none of which can run into the next.
    pub fn of_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for text in texts {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        hasher.finalize().into()
    }
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
    pub fn hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
    /// Its first hexadecimal digits, for names.
    pub fn front(&self, digits: usize) -> String {
        self.hex().chars().take(digits).collect()
    }
    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|hash| Self(*hash.as_bytes()))
    }
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl From<blake3::Hash> for Digest {
    fn from(hash: blake3::Hash) -> Self {
        Self(*hash.as_bytes())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({}…)", &self.hex()[..12])
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::from_hex(&text).ok_or_else(|| serde::de::Error::custom("a digest is 64 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands at targets has names made from it.
    #[test]
    fn a_digest_of_texts_is_the_same_in_every_version() {
        assert_eq!(
            Digest::of_texts(["a", "b"]).hex(),
            "237238bc1341a057099f91fc90c2271e7e46c06f721604aac598b322cea79554"
        );
        assert_eq!(Digest::of_texts(["a", "b"]).front(8), "237238bc");
        assert_ne!(Digest::of_texts(["a", "b"]), Digest::of_texts(["ab"]));
    }
}
