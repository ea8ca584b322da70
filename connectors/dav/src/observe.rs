//! Reading a collection back, window by window.

use crate::{
    read::{Held, Listed, Reader, of_collection, windows},
    reserve::reserved_among,
};
use std::collections::VecDeque;
use transhume_contract::{Depth, Digest, Facts, Fault, Handle, Look, Observed, Version};

/// One walk through a collection: it lists when it is first asked, and ends at its first fault.
pub struct Walk {
    reader: Reader,
    look: Look,
    listed: bool,
    ready: VecDeque<Observed>,
    waiting: VecDeque<Vec<Listed>>,
}

impl Walk {
    pub fn new(reader: Reader, look: Look) -> Self {
        Self { reader, look, listed: false, ready: VecDeque::new(), waiting: VecDeque::new() }
    }

    /// The next item.
    pub async fn step(&mut self) -> Result<Option<Observed>, Fault> {
        if !self.listed {
            self.list().await?;
        }
        while self.ready.is_empty() {
            let Some(window) = self.waiting.pop_front() else { return Ok(None) };
            let held = self.reader.contents(&window).await.map_err(of_collection)?;
            let ours = held.into_iter().filter(|held| self.reader.is_ours(&held.content));
            self.ready.extend(ours.map(observed));
        }
        Ok(self.ready.pop_front())
    }

    async fn list(&mut self) -> Result<(), Fault> {
        let (listed, _) = self.reader.list().await.map_err(of_collection)?;
        self.listed = true;
        let deep = |one: &Listed| self.look.depth_of(&Handle::new(&*one.name)) == Depth::Content;
        let (deep, mut shallow): (Vec<_>, Vec<_>) = listed.into_iter().partition(deep);
        // What only holds a place is told with what it says, at any depth: else it would pass for somebody's item.
        let reserved = reserved_among(&self.reader, &shallow).await.map_err(of_collection)?;
        shallow.retain(|one| reserved.iter().all(|held| held.name != one.name));
        self.ready = shallow.into_iter().map(seen).chain(reserved.into_iter().map(observed)).collect();
        self.waiting = windows(deep).into();
        Ok(())
    }
}

fn seen(listed: Listed) -> Observed {
    Observed {
        handle: Handle::new(listed.name),
        version: listed.etag.map(Version::new),
        facts: Facts::default(),
        length: listed.length,
        digest: None,
        content: None,
    }
}

/// Servers rewrite what they store: the bytes are told with their hash, for their meaning counts.
fn observed(held: Held) -> Observed {
    Observed {
        handle: Handle::new(held.name),
        version: held.etag.map(Version::new),
        facts: Facts { message_id: crate::lines::uid(&held.content), ..Facts::default() },
        length: Some(held.content.len() as u64),
        digest: Some(Digest::of(&held.content)),
        content: Some(held.content),
    }
}
