//! What stands in a collection and is not ours: mail that people got or put there, or second copies of ours.
//!
//! A copy is recognised by its bytes. Only what is as long as something of ours is looked at, so memory grows with
//! the number of such, not with the mail that others put there.

use super::compare::Comparison;
use crate::store::{AccountStore, OpenIntent, Placement, TargetKey};
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::{Depth, Digest, Fault, Handle, NaturalKey, Observed, What};

/// Placements looked for at once: a target may have to read through the whole collection for each call.
const PAGE: usize = 2000;

/// Extras of one collection.
pub(super) struct Extras {
    /// Lengths of what is placed there; empty at depth `presence`, where no length is seen.
    lengths: BTreeSet<u64>,
    candidates: Vec<Candidate>,
    /// Copies by the digest of what they equal, with one of the placements.
    copies: BTreeMap<Digest, Copies>,
    /// Copies that answer for something of ours that stands in this very collection.
    answering: Vec<Handle>,
}

struct Candidate {
    handle: Handle,
    length: u64,
    digest: Option<Digest>,
}

struct Copies {
    of: Placement,
    handles: Vec<Handle>,
}

impl Extras {
    pub async fn of(store: &AccountStore, key: TargetKey, depth: Depth) -> Result<Self, Fault> {
        let lengths = if depth == Depth::Presence { BTreeSet::new() } else { store.placed_lengths(key).await? };
        Ok(Self { lengths, candidates: Vec::new(), copies: BTreeMap::new(), answering: Vec::new() })
    }

    pub fn note(&mut self, seen: &Observed) {
        if let Some(length) = seen.length.filter(|length| self.lengths.contains(length)) {
            self.candidates.push(Candidate { handle: seen.handle.clone(), length, digest: seen.digest });
        }
    }

    /// Tells by their bytes which candidates equal something of ours.
    pub async fn recognise(&mut self, within: &Comparison<'_>) -> Result<(), Fault> {
        let (lengths, mut after) = (self.candidates.iter().map(|one| one.length).collect::<BTreeSet<_>>(), None);
        if lengths.is_empty() {
            return Ok(());
        }
        loop {
            let page = within.store.placements_at(within.key, after, PAGE).await?;
            let Some(last) = page.last().map(|placement| placement.key) else { break };
            let alike = page.into_iter().filter(|placement| lengths.contains(&placement.stored.length));
            // One of several with the same bytes is enough to look for.
            let alike = alike.filter(|placement| !self.copies.contains_key(&placement.stored.digest)).collect();
            self.recognise_page(within, alike).await?;
            after = Some(last);
        }
        self.leave_open_intents(within).await
    }

    async fn recognise_page(&mut self, within: &Comparison<'_>, page: Vec<Placement>) -> Result<(), Fault> {
        let mut by_digest: BTreeMap<Digest, Placement> = BTreeMap::new();
        page.into_iter().for_each(|placement| drop(by_digest.insert(placement.stored.digest, placement)));
        let equal = match self.candidates.iter().all(|one| one.digest.is_some()) {
            true => self.by_digest(),
            false => self.by_looking(within, by_digest.values()).await?,
        };
        for (digest, handle) in equal {
            if let Some(of) = by_digest.get(&digest) {
                let fresh = || Copies { of: of.clone(), handles: Vec::new() };
                self.copies.entry(digest).or_insert_with(fresh).handles.push(handle);
            }
        }
        Ok(())
    }

    fn by_digest(&self) -> Vec<(Digest, Handle)> {
        let known = |one: &Candidate| Some((one.digest?, one.handle.clone()));
        self.candidates.iter().filter_map(known).collect()
    }

    /// The target compares every byte.
    async fn by_looking(
        &self,
        within: &Comparison<'_>,
        ours: impl Iterator<Item = &Placement>,
    ) -> Result<Vec<(Digest, Handle)>, Fault> {
        let keys: Vec<NaturalKey> = ours.map(Placement::natural_key).collect();
        let digests: BTreeMap<_, _> = keys.iter().map(|key| (key.intent.clone(), key.digest)).collect();
        let extra: BTreeSet<_> = self.candidates.iter().map(|one| &one.handle).collect();
        let find = within.engine.target(within.workload)?.find(within.at, &keys);
        let found = match within.engine.stop.unless(find).await {
            Err(fault) if fault.what == What::Vanished => Vec::new(),
            found => found?,
        };
        let found = found.into_iter().filter(|found| extra.contains(&found.handle));
        Ok(found.filter_map(|found| Some((*digests.get(&found.intent)?, found.handle))).collect())
    }

    /// What was sent and nobody answered for is ours, though no placement says so yet.
    async fn leave_open_intents(&mut self, within: &Comparison<'_>) -> Result<(), Fault> {
        let mut after = None::<OpenIntent>;
        loop {
            let page = within.store.open_intents(within.key, after.as_ref(), PAGE).await?;
            let Some(last) = page.last().cloned() else { return Ok(()) };
            for intent in &page {
                self.take(&intent.stored.digest);
            }
            after = Some(last);
        }
    }

    /// One copy of these bytes answers for something else.
    pub fn take(&mut self, digest: &Digest) -> bool {
        let taken = self.copies.get_mut(digest).and_then(|copies| copies.handles.pop());
        self.answering.extend(taken.clone());
        taken.is_some()
    }

    /// Copies that answer for something.
    pub fn answering(&mut self) -> Vec<Handle> {
        std::mem::take(&mut self.answering)
    }

    /// Copies that nothing answers for.
    pub fn left(self) -> Vec<(Handle, Placement)> {
        let of_one = |copies: Copies| copies.handles.into_iter().map(move |handle| (handle, copies.of.clone()));
        self.copies.into_values().flat_map(of_one).collect()
    }
}
