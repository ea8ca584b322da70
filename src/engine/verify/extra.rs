//! What stands in a collection and is not ours: what people got or put there, or second copies of ours.
//!
//! A copy is recognised by its bytes, and where a target may rewrite what it stores also by its key (its UID), as far as
//! that is told. Of what is known by its bytes alone only what is as long as something of ours is looked at, so memory
//! grows with the number of such and of the copies, not with what others put there.

use super::compare::Comparison;
use crate::store::{OpenIntent, Placement};
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::{Depth, Digest, Fault, Handle, NaturalKey, Observed, What};

/// Placements looked for at once: a target may have to read through the whole collection for each call.
const PAGE: usize = 2000;

/// Extras of one collection.
pub(super) struct Extras {
    /// The target keeps these byte for byte.
    verbatim: bool,
    /// Lengths of what is placed there; empty at depth `presence`, where no length is seen.
    lengths: BTreeSet<u64>,
    candidates: Vec<Candidate>,
    /// Copies by what they have in common, with one of the placements.
    copies: BTreeMap<Mark, Copies>,
    /// Copies that answer for something of ours that stands in this very collection.
    answering: Vec<Handle>,
}

struct Candidate {
    handle: Handle,
    length: u64,
    digest: Option<Digest>,
}

/// What makes one thing a copy of another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Key(String),
    Bytes(Digest),
}

struct Copies {
    of: Placement,
    seconds: BTreeMap<Handle, Second>,
}

struct Second {
    /// As long as the target says.
    bytes: Option<u64>,
    /// It is known to say what was placed: the same key alone does not tell that.
    same: bool,
}

/// A copy that nothing answers for.
pub(super) struct Duplicate {
    pub handle: Handle,
    pub bytes: Option<u64>,
    pub of: Placement,
}

impl Extras {
    pub async fn of(within: &Comparison<'_>) -> Result<Self, Fault> {
        let lengths = match within.look.depth() {
            Depth::Presence => BTreeSet::new(),
            Depth::Shape | Depth::Content => within.store.placed_lengths(within.key).await?,
        };
        let (verbatim, copies) = (within.is_verbatim(), BTreeMap::new());
        Ok(Self { verbatim, lengths, candidates: Vec::new(), copies, answering: Vec::new() })
    }

    /// Takes in what stands there and bears no handle of ours.
    pub async fn note(&mut self, within: &Comparison<'_>, others: &[&Observed]) -> Result<(), Fault> {
        for seen in others {
            if let Some(length) = seen.length.filter(|length| self.lengths.contains(length)) {
                self.candidates.push(Candidate { handle: seen.handle.clone(), length, digest: seen.digest });
            }
        }
        if self.verbatim { Ok(()) } else { self.recognise_keys(within, others).await }
    }

    /// What has the key of something that was placed in this collection is a copy of it, in whatever words.
    async fn recognise_keys(&mut self, within: &Comparison<'_>, others: &[&Observed]) -> Result<(), Fault> {
        let keys: BTreeSet<String> = others.iter().filter_map(|seen| seen.facts.message_id.clone()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let ours = within.store.placements_by_message_id(within.key, keys).await?;
        let ours: BTreeMap<_, _> = ours.iter().map(|placement| (placement.message_id.as_ref(), placement)).collect();
        for seen in others.iter().filter(|seen| seen.facts.message_id.is_some()) {
            let Some(of) = ours.get(&seen.facts.message_id.as_ref()) else { continue };
            let same = match &seen.content {
                Some(content) => within.says_the_same(of, content).await?,
                None => false,
            };
            self.add(of, seen.handle.clone(), Second { bytes: seen.length, same });
        }
        Ok(())
    }

    fn mark(&self, key: Option<&str>, digest: Digest) -> Mark {
        match key {
            Some(key) if !self.verbatim => Mark::Key(key.to_owned()),
            _ => Mark::Bytes(digest),
        }
    }

    fn add(&mut self, of: &Placement, handle: Handle, second: Second) {
        let fresh = || Copies { of: of.clone(), seconds: BTreeMap::new() };
        let copies = self.copies.entry(self.mark(of.message_id.as_deref(), of.stored.digest)).or_insert_with(fresh);
        copies.seconds.entry(handle).and_modify(|known| known.same |= second.same).or_insert(second);
    }

    /// Tells by their bytes which candidates equal something of ours.
    pub async fn recognise(&mut self, within: &Comparison<'_>) -> Result<(), Fault> {
        let lengths: BTreeSet<_> = self.candidates.iter().map(|one| one.length).collect();
        let (mut known, mut after) = (BTreeSet::new(), None);
        while !lengths.is_empty() {
            let page = within.store.placements_at(within.key, after, PAGE).await?;
            let Some(last) = page.last().map(|placement| placement.key) else { break };
            let alike = page.into_iter().filter(|placement| lengths.contains(&placement.stored.length));
            // One of several with the same bytes is enough to look for.
            let alike = alike.filter(|placement| !known.contains(&placement.stored.digest)).collect();
            known.extend(self.recognise_page(within, alike).await?);
            after = Some(last);
        }
        if self.copies.is_empty() { Ok(()) } else { self.leave_open_intents(within).await }
    }

    /// Answers of which bytes there are copies.
    async fn recognise_page(&mut self, within: &Comparison<'_>, page: Vec<Placement>) -> Result<Vec<Digest>, Fault> {
        let mut by_digest: BTreeMap<Digest, Placement> = BTreeMap::new();
        page.into_iter().for_each(|placement| drop(by_digest.insert(placement.stored.digest, placement)));
        let equal = match self.candidates.iter().all(|one| one.digest.is_some()) {
            true => self.by_digest(),
            false => self.by_looking(within, &by_digest).await?,
        };
        let mut recognised = Vec::new();
        for (digest, handle) in equal {
            if let Some(of) = by_digest.get(&digest) {
                self.add(of, handle, Second { bytes: Some(of.stored.length), same: true });
                recognised.push(digest);
            }
        }
        Ok(recognised)
    }

    fn by_digest(&self) -> Vec<(Digest, Handle)> {
        let known = |one: &Candidate| Some((one.digest?, one.handle.clone()));
        self.candidates.iter().filter_map(known).collect()
    }

    /// The target compares every byte, or finds by the key and tells what stands there in its own words.
    async fn by_looking(
        &self,
        within: &Comparison<'_>,
        ours: &BTreeMap<Digest, Placement>,
    ) -> Result<Vec<(Digest, Handle)>, Fault> {
        let keys: Vec<NaturalKey> = ours.values().map(Placement::natural_key).collect();
        let by_intent: BTreeMap<_, _> = ours.values().map(|placement| (&placement.intent, placement)).collect();
        let extra: BTreeSet<_> = self.candidates.iter().map(|one| &one.handle).collect();
        let find = within.engine.target(within.workload)?.find(within.at, &keys);
        let found = match within.engine.stop.unless(find).await {
            Err(fault) if fault.what == What::Vanished => Vec::new(),
            found => found?,
        };
        let mut equal = Vec::new();
        for one in found.into_iter().filter(|one| extra.contains(&one.handle)) {
            let Some(of) = by_intent.get(&one.intent) else { continue };
            let same = match &one.content {
                Some(content) => within.says_the_same(of, content).await?,
                None => true,
            };
            equal.extend(same.then_some((of.stored.digest, one.handle)));
        }
        Ok(equal)
    }

    /// What was sent and nobody answered for is ours, though no placement says so yet. What was to take the place of
    /// something of ours has its handle.
    async fn leave_open_intents(&mut self, within: &Comparison<'_>) -> Result<(), Fault> {
        let mut after = None::<OpenIntent>;
        loop {
            let page = within.store.open_intents(within.key, after.as_ref(), PAGE).await?;
            let Some(last) = page.last().cloned() else { return Ok(()) };
            for intent in page.iter().filter(|intent| intent.instead.is_none()) {
                self.take(&intent.key());
            }
            after = Some(last);
        }
    }

    /// One copy that says the same answers for something else. Where none does, one that only has its key is no second
    /// copy either: the first is not there.
    pub fn take(&mut self, of: &NaturalKey) -> bool {
        let mark = self.mark(of.key.as_deref(), of.digest);
        let Some(Copies { seconds, .. }) = self.copies.get_mut(&mark) else { return false };
        let same = seconds.iter().find(|(_, second)| second.same).map(|(handle, _)| handle.clone());
        let Some(handle) = same else {
            seconds.pop_first();
            return false;
        };
        seconds.remove(&handle);
        self.answering.push(handle);
        true
    }

    /// Copies that answer for something.
    pub fn answering(&mut self) -> Vec<Handle> {
        std::mem::take(&mut self.answering)
    }

    /// Copies that nothing answers for.
    pub fn left(self) -> Vec<Duplicate> {
        let of_one = |Copies { of, seconds }: Copies| {
            seconds.into_iter().map(move |(handle, second)| Duplicate { handle, bytes: second.bytes, of: of.clone() })
        };
        self.copies.into_values().flat_map(of_one).collect()
    }
}
