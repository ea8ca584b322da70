//! What a rendering could not carry, and why a rendering may not exist.

use std::collections::BTreeMap;

/// A named field that could not be carried, and why. The original keeps the value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Loss {
    /// Stable name, for scripts and totals: `nul_removed`, `header_recoded`, `date_clamped`, `reassembled`.
    pub name: String,
    /// One clause for people: what was changed or dropped, and why.
    pub detail: String,
}

impl Loss {
    pub(crate) fn new(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.to_owned(), detail: detail.into() }
    }
}

/// What [`crate::render::mail`] tells of the bytes it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub losses: Vec<Loss>,
    /// The bytes written equal the original's `mime` part, so a store may share its blob. Then `losses` is empty.
    pub identical: bool,
    /// The Message-ID of the bytes written, where they have exactly one and it is written as RFC 5322 has it.
    pub message_id: Option<String>,
}

/// What [`crate::render::calendar`] tells of the iCalendar object it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedObject {
    pub losses: Vec<Loss>,
    /// The object's UID: the natural key to find it by.
    pub uid: String,
    /// Bytes written.
    pub size: u64,
}

/// This original has no standard form. It is true of the item for ever (until a newer edition), not of the moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Unmappable {
    /// What is wrong with the original, for people, with the next step.
    pub sentence: String,
}

/// Why no rendering was written. The two are kept apart because only the first speaks of the item: a full disk must
/// never put mail into quarantine.
#[derive(Debug, thiserror::Error)]
pub enum Unrendered {
    #[error(transparent)]
    Unmappable(#[from] Unmappable),
    /// Reading a part or writing the rendering failed; trying again may succeed.
    #[error("the rendering could not be read or written: {0}")]
    Io(#[from] std::io::Error),
}

impl Unrendered {
    pub(crate) fn unmappable(sentence: impl Into<String>) -> Self {
        Self::Unmappable(Unmappable { sentence: sentence.into() })
    }
}

/// Collects losses; what happens many times in one message is counted into one loss.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    list: Vec<Loss>,
    counted: BTreeMap<&'static str, (u64, [&'static str; 2])>,
}

impl Losses {
    pub fn add(&mut self, name: &'static str, detail: impl Into<String>) {
        self.list.push(Loss::new(name, detail));
    }

    /// `said` words one and many.
    pub fn count(&mut self, name: &'static str, times: u64, said: [&'static str; 2]) {
        if times > 0 {
            self.counted.entry(name).or_insert((0, said)).0 += times;
        }
    }

    pub fn extend(&mut self, others: Vec<Loss>) {
        self.list.extend(others);
    }

    /// The losses in a stable order, equal ones once.
    pub fn finish(self) -> Vec<Loss> {
        let counted = self.counted.into_iter();
        let counted =
            counted.map(|(name, (times, said))| Loss::new(name, format!("{times} {}", said[usize::from(times > 1)])));
        let mut list: Vec<Loss> = self.list.into_iter().chain(counted).collect();
        list.sort();
        list.dedup();
        list
    }
}
