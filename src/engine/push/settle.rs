//! Finding out what became of things nobody answered for.

use super::{Push, versions::Likeness};
use crate::store::{OpenIntent, Placement, PlacementKey, Rendering, RenderingKey, Resolution, Stood, TargetKey};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};
use transhume_contract::{Collection, Digest, Facts, Fault, Found, Handle, IntentId, NaturalKey, Placed, Reach, What};

/// Things looked for at once.
const PAGE: usize = 500;

/// Something looked for, and with which facts it was placed.
pub(super) struct Sought {
    key: NaturalKey,
    facts: Facts,
    rendering: Option<RenderingKey>,
    /// What it takes the place of.
    instead: Option<Stood>,
    /// Whatever means the same is ours from now on, whoever put it there and in whatever words.
    adopts: bool,
}

impl Sought {
    pub fn of_placement(placement: &Placement) -> Self {
        let (key, facts) = (placement.natural_key(), placement.facts.clone());
        Self { key, facts, rendering: Some(placement.rendering), instead: None, adopts: false }
    }

    /// What nothing was intended with yet, and is to be taken for placed where it stands: it needs a name only while it is
    /// looked for.
    pub fn to_adopt(rendering: &Rendering, facts: Facts) -> Self {
        let (digest, length) = (rendering.stored.digest, rendering.stored.length);
        let intent = IntentId::new(format!("item {}", rendering.item.number()));
        let key = NaturalKey { intent, key: rendering.message_id.clone(), digest, length, name: None };
        Self { key, facts, rendering: Some(rendering.key), instead: None, adopts: true }
    }

    /// What was to be placed, where that is kept.
    pub const fn rendering(&self) -> Option<RenderingKey> {
        self.rendering
    }

    /// The hash of the bytes as they were, or would be, sent.
    pub const fn sent(&self) -> &Digest {
        &self.key.digest
    }

    pub const fn name(&self) -> &IntentId {
        &self.key.intent
    }

    /// Found in the version it had before: what was to take its place never came there, whatever the two mean.
    fn is_still_the_old(&self, found: &Found) -> bool {
        let old = self.instead.as_ref().filter(|old| old.handle == found.handle);
        old.is_some_and(|old| old.version.is_some() && old.version == found.version)
    }

    fn of_intent(intent: &OpenIntent) -> Self {
        let (key, facts, instead) = (intent.key(), intent.facts.clone(), intent.instead.clone());
        Self { key, facts, rendering: Some(intent.rendering), instead, adopts: false }
    }
}

impl Push<'_> {
    /// Resolves every open intent by looking: what is found stands there, what is not will be offered again. Where it cannot
    /// be looked they stay open, and nothing is sent in their stead. Answers how many it resolved.
    pub(super) async fn settle_intents(&self) -> Result<usize, Fault> {
        if self.engine.rehearsing {
            return Ok(0);
        }
        let (open, mut settled) = (self.store.targets_with_open_intents(self.workload).await?, 0);
        if open.is_empty() {
            return Ok(0);
        }
        let at = self.collections().await?;
        for key in open {
            let Some(collection) = at.get(&key) else { continue };
            let came = self.settle_at(key, collection).await;
            settled += self.or_refused(key, came).await?.unwrap_or(0);
        }
        Ok(settled)
    }

    /// Where something may be on its way is ensured before it is looked for.
    pub(super) async fn ensure_open(&self) -> Result<(), Fault> {
        if self.engine.rehearsing {
            return Ok(());
        }
        for key in self.store.targets_with_open_intents(self.workload).await? {
            self.routes.ensure_again(key).await?;
        }
        Ok(())
    }

    async fn settle_at(&self, key: TargetKey, at: &Collection) -> Result<usize, Fault> {
        // A placement without a handle claims nothing: its message would be taken for that of an equal one.
        self.name_at(key, at).await?;
        let (mut settled, mut after) = (0, None::<OpenIntent>);
        loop {
            self.engine.stop.check()?;
            let page = self.store.open_intents(key, after.as_ref(), PAGE).await?;
            let Some(last) = page.last().cloned() else { return Ok(settled) };
            let sought: Vec<_> = page.iter().map(Sought::of_intent).collect();
            let found = self.unclaimed(key, at, &sought).await?;
            let resolve = |intent: &OpenIntent| match found.get(&intent.id) {
                Some(found) => {
                    let (handle, version) = (Some(found.handle.clone()), found.version.clone());
                    // Refused, or cut off before they were set: the amending of this pass tries them once more.
                    let left_out = intent.facts.keywords_missing_in(&found.facts);
                    let placed = Placed { handle, version, losses: Vec::new(), left_out };
                    Resolution::Placed { intent: intent.id.clone(), placed }
                }
                None => Resolution::NotSent { intent: intent.id.clone() },
            };
            self.store.resolve(page.iter().map(resolve).collect()).await?;
            // Whatever a killed run left there is looked after at the end.
            self.routes.touch(key).await;
            settled += page.len();
            after = Some(last);
        }
    }

    /// Looks for things at the target and gives each a match of its own that no placement names. Of those with the same
    /// bytes each gets the one that is most like it. What is marked as deleted may be what a move left behind.
    pub(super) async fn unclaimed(
        &self,
        key: TargetKey,
        at: &Collection,
        sought: &[Sought],
    ) -> Result<BTreeMap<IntentId, Found>, Fault> {
        let mut found = self.matches(at, sought).await?;
        found.retain(|one| !one.deleted);
        self.share_out(key, found, sought).await
    }

    /// Gives each thing looked for a match of its own that no placement names.
    pub(super) async fn share_out(
        &self,
        key: TargetKey,
        found: Vec<Found>,
        sought: &[Sought],
    ) -> Result<BTreeMap<IntentId, Found>, Fault> {
        let handles: Vec<_> = found.iter().map(|found| found.handle.clone()).collect();
        let mut claimed: BTreeSet<_> = self.store.claimed(key, handles).await?.into_iter().collect();
        // What is replaced in its place is claimed by the one that goes.
        claimed.retain(|handle| {
            sought.iter().all(|sought| sought.instead.as_ref().is_none_or(|old| old.handle != *handle))
        });
        Ok(share(found, sought, claimed))
    }

    /// Everything there that is what is sought: byte for byte, or in its meaning where the target rewrites. There the
    /// version is told only of what nobody else wrote into, or what is adopted: whatever was, stands there as it was placed,
    /// and is ours to replace; the rest is only known to be there.
    pub(super) async fn matches(&self, at: &Collection, sought: &[Sought]) -> Result<Vec<Found>, Fault> {
        let keys: Vec<_> = sought.iter().map(|sought| sought.key.clone()).collect();
        match self.engine.stop.unless(self.target.find(at, &keys)).await {
            // The whole collection is gone, and all that was in it.
            Err(fault) if fault.what == What::Vanished => Ok(Vec::new()),
            found => self.like(found?, sought).await,
        }
    }

    /// Leaves out what was found by its key alone and says something else.
    async fn like(&self, found: Vec<Found>, sought: &[Sought]) -> Result<Vec<Found>, Fault> {
        let by_name: BTreeMap<_, _> = sought.iter().map(|sought| (sought.name(), sought)).collect();
        let mut alike = Vec::with_capacity(found.len());
        for mut one in found {
            let sought = by_name.get(&one.intent);
            let likeness = match (sought, &one.content) {
                (Some(sought), _) if sought.is_still_the_old(&one) => Likeness::None,
                (Some(sought), Some(content)) => self.likeness(sought, content).await?,
                _ => Likeness::AsSent,
            };
            let ours = likeness == Likeness::AsSent || sought.is_some_and(|sought| sought.adopts);
            one.version = one.version.filter(|_| ours);
            if likeness != Likeness::None {
                alike.push(one);
            }
        }
        Ok(alike)
    }

    /// Learns the handles that the target did not tell. Answers of which collections they cannot be learnt now, and why.
    pub(super) async fn name_placements(&self) -> Result<BTreeMap<TargetKey, Fault>, Fault> {
        let mut unread = BTreeMap::new();
        if self.engine.rehearsing {
            return Ok(unread);
        }
        for (key, at) in self.collections().await? {
            match self.name_at(key, &at).await {
                Err(fault) if fault.reach < Reach::Account => drop(unread.insert(key, fault)),
                named => named?,
            }
        }
        Ok(unread)
    }

    pub(super) async fn name_at(&self, key: TargetKey, at: &Collection) -> Result<(), Fault> {
        let mut after: Option<PlacementKey> = None;
        loop {
            let page = self.store.placements_unnamed(key, after, PAGE).await?;
            let Some(last) = page.last().map(|placement| placement.key) else { return Ok(()) };
            let sought: Vec<_> = page.iter().map(Sought::of_placement).collect();
            let found = self.unclaimed(key, at, &sought).await?;
            let named = page.iter().filter_map(|placement| {
                let found = found.get(&placement.intent)?;
                Some((placement.key, found.handle.clone(), found.version.clone()))
            });
            self.store.name_placements(named.collect()).await?;
            after = Some(last);
        }
    }
}

/// Gives every intent its own match, the likest first and those marked as deleted last; a match is given once.
pub(super) fn share(
    mut found: Vec<Found>,
    sought: &[Sought],
    mut taken: BTreeSet<Handle>,
) -> BTreeMap<IntentId, Found> {
    let facts: BTreeMap<_, _> = sought.iter().map(|sought| (&sought.key.intent, &sought.facts)).collect();
    let alike = |one: &Found| facts.get(&one.intent).map_or(0, |facts| likeness(facts, &one.facts));
    found.sort_by_cached_key(|one| (one.deleted, Reverse(alike(one))));
    let mut given = BTreeMap::new();
    for one in found {
        if !given.contains_key(&one.intent) && taken.insert(one.handle.clone()) {
            given.insert(one.intent.clone(), one);
        }
    }
    given
}

/// In how many facts two agree.
fn likeness(one: &Facts, other: &Facts) -> usize {
    let keywords = |facts: &Facts| facts.categories.iter().flatten().cloned().collect::<BTreeSet<_>>();
    let agree = [
        one.read == other.read,
        one.flag == other.flag,
        one.answered == other.answered,
        one.forwarded == other.forwarded,
        one.draft == other.draft,
        one.received == other.received,
        keywords(one) == keywords(other),
    ];
    agree.into_iter().filter(|agree| *agree).count()
}

#[cfg(test)]
mod tests {
    use super::{Sought, share};
    use std::collections::BTreeSet;
    use transhume_contract::{Digest, Facts, Found, Handle, IntentId, NaturalKey};

    fn found(intent: &str, handle: &str, read: bool) -> Found {
        let facts = Facts { read: Some(read), ..Facts::default() };
        Found {
            intent: IntentId::new(intent),
            handle: Handle::new(handle),
            version: None,
            facts,
            deleted: false,
            content: None,
        }
    }

    fn sought(intent: &str, read: bool) -> Sought {
        let key =
            NaturalKey { intent: IntentId::new(intent), key: None, digest: Digest::of(b""), length: 0, name: None };
        let facts = Facts { read: Some(read), ..Facts::default() };
        Sought { key, facts, rendering: None, instead: None, adopts: false }
    }

    #[test]
    fn equal_copies_are_shared_out_one_each() {
        let all = [("a", "1"), ("a", "2"), ("a", "3"), ("b", "1"), ("b", "2"), ("b", "3"), ("c", "9")];
        let all = all.map(|(intent, handle)| found(intent, handle, false)).to_vec();
        let given = share(all, &[], BTreeSet::from([Handle::new("1")]));
        let handles: BTreeSet<_> = given.values().map(|found| found.handle.as_str().to_owned()).collect();
        assert_eq!(given.len(), 3);
        assert_eq!(handles, BTreeSet::from(["2".to_owned(), "3".to_owned(), "9".to_owned()]));
    }

    #[test]
    fn twins_keep_their_own_flags() {
        let sought = [sought("unread", false), sought("read", true)];
        let all = ["unread", "read"].map(|intent| [found(intent, "1", true), found(intent, "2", false)]).concat();
        let given = share(all, &sought, BTreeSet::new());
        let of = |intent: &str| given[&IntentId::new(intent)].handle.as_str().to_owned();
        assert_eq!((of("unread"), of("read")), ("2".to_owned(), "1".to_owned()));
    }
}
