//! A mail folder: its messages in the order of listings, and the log from which delta rounds are served.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde_json::{Map, Value};

use super::Message;

/// A folder. Counts are computed, names and parents stand apart from the rest of the resource.
pub(crate) struct Folder {
    pub id: Arc<str>,
    pub name: String,
    pub parent: Option<u32>,
    /// The parent's id as the dump has it, where it names nothing that the dump holds (the root above the root).
    pub foreign_parent: Option<String>,
    /// The well-known name, in lower case.
    pub role: Option<String>,
    pub rest: Map<String, Value>,
    pub children: Vec<u32>,
    pub listing: Listing,
    pub log: BTreeMap<u64, Logged>,
    pub unread: usize,
    pub bytes: u64,
    /// What the dump's `totalItemCount` counted beyond its messages: items of other classes.
    pub excess: usize,
    pub changed: u64,
    /// Delta rounds that were finished.
    pub rounds: AtomicU64,
    pub deleted: bool,
}

/// What a folder's log knows at a step. A message that changes again moves to its new step.
pub(crate) enum Logged {
    Here(u32),
    /// It left: the id it had, and the id that never changes.
    Gone {
        id: Arc<str>,
        born: Arc<str>,
    },
}

impl Folder {
    pub fn new(id: &str, name: &str) -> Self {
        Self {
            id: Arc::from(id),
            name: name.to_owned(),
            parent: None,
            foreign_parent: None,
            role: None,
            rest: Map::new(),
            children: Vec::new(),
            listing: Listing::default(),
            log: BTreeMap::new(),
            unread: 0,
            bytes: 0,
            excess: 0,
            changed: 0,
            rounds: AtomicU64::new(0),
            deleted: false,
        }
    }

    pub fn is_hidden(&self) -> bool {
        self.rest.get("isHidden").and_then(Value::as_bool).unwrap_or_default()
    }

    pub fn is_search(&self) -> bool {
        self.rest.get("@odata.type").and_then(Value::as_str) == Some("#microsoft.graph.mailSearchFolder")
    }

    pub fn count_in(&mut self, message: &Message) {
        self.unread += usize::from(!message.is_read);
        self.bytes += message.size();
    }

    pub fn count_out(&mut self, message: &Message) {
        self.unread -= usize::from(!message.is_read);
        self.bytes -= message.size();
    }
}

/// Messages, newest first, as `(received, slot)` kept sorted: any page is found without walking those before it.
#[derive(Default)]
pub(crate) struct Listing(Vec<(i64, u32)>);

impl Listing {
    /// Adds without sorting; [`Listing::sort`] must follow.
    pub fn push(&mut self, received: i64, slot: u32) {
        self.0.push((received, slot));
    }

    pub fn sort(&mut self) {
        self.0.sort_unstable_by_key(|(received, slot)| (std::cmp::Reverse(*received), *slot));
    }

    pub fn insert(&mut self, received: i64, slot: u32) {
        let at = self.place(received, slot);
        self.0.insert(at, (received, slot));
    }

    pub fn remove(&mut self, received: i64, slot: u32) {
        let at = self.place(received, slot);
        if self.0.get(at) == Some(&(received, slot)) {
            self.0.remove(at);
        }
    }

    /// Where an entry stands or would stand.
    fn place(&self, received: i64, slot: u32) -> usize {
        let key = (std::cmp::Reverse(received), slot);
        self.0.partition_point(|(received, slot)| (std::cmp::Reverse(*received), *slot) < key)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Slots from a position on.
    pub fn from(&self, position: usize) -> impl Iterator<Item = u32> {
        self.0.iter().skip(position).map(|(_, slot)| *slot)
    }

    /// Entries after one that need not be there any more.
    pub fn after(&self, last: Option<(i64, u32)>) -> impl Iterator<Item = (i64, u32)> {
        let start = last.map_or(0, |(received, slot)| self.place(received, slot.saturating_add(1)));
        self.0[start..].iter().copied()
    }
}
