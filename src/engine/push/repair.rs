//! Repairing, when asked: what verification found missing is looked for, and placed again where it stands nowhere, also
//! where the source no longer holds it.

use super::{
    Push,
    settle::{Sought, share},
};
use crate::{
    engine::{Event, Kind},
    store::{Placement, PlacementKey, PlacementState, Subject, TargetKey, Verdict},
};
use futures::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::{Collection, Depth, Fault, Found, Handle, IntentId, What};

/// Under which handles things stand, by intent.
type Standing = BTreeMap<IntentId, Found>;

/// Handles looked at in one go.
const SEEN: usize = 1000;

impl Push<'_> {
    /// Allows what verification found missing to be placed again, unless people filed it elsewhere, or it stands where
    /// it was after all: as it was, altered by people, or under a handle that nothing else has. A server that numbered
    /// its messages anew would else hold everything twice.
    pub async fn repair(&self) -> Result<(), Fault> {
        // What only lacked a handle was never missing.
        self.name_placements().await?;
        // What people moved is theirs where they filed it.
        let moved = self.engine.recognise_moved(self.store, self.workload).await?;
        let (at, mut after, mut filed) = (self.collections().await?, 0, 0);
        loop {
            let page = self.store.differences(self.workload, after, 500).await?;
            let Some(last) = page.last() else { break };
            after = last.number;
            let (elsewhere, missing) = missing(&page).partition::<Vec<_>, _>(|key| moved.rehearsed(*key));
            filed += elsewhere.len();
            let mut by_place: BTreeMap<TargetKey, Vec<Placement>> = BTreeMap::new();
            for placement in self.store.placements(missing).await? {
                by_place.entry(placement.at).or_default().push(placement);
            }
            for (key, missing) in by_place {
                if let Some(at) = at.get(&key) {
                    // What was not looked for keeps its verdict, and is missing still.
                    let repaired = self.repair_at(key, at, missing).await;
                    self.or_refused(key, repaired).await?;
                }
            }
        }
        if filed > 0 {
            self.note(format!("{filed} that people filed elsewhere would stay there"));
        }
        Ok(())
    }

    pub(super) fn note(&self, sentence: String) {
        self.engine.tell(Event::Note { account: Some(self.account()), sentence });
    }

    async fn repair_at(&self, key: TargetKey, at: &Collection, missing: Vec<Placement>) -> Result<(), Fault> {
        // What was placed again a moment ago claims its own message only once it has its handle.
        if !self.engine.rehearsing {
            self.name_at(key, at).await?;
        }
        let mut anew = self.standing_again(key, at, &missing).await?;
        let (mut found, mut gone) = (Vec::new(), Vec::new());
        for placement in missing {
            match anew.remove(&placement.intent) {
                Some(one) => found.push((placement.key, one.handle, one.version)),
                None => gone.push(placement),
            }
        }
        let altered = self.standing_otherwise(key, at, &gone).await?;
        gone.retain(|placement| !altered.contains_key(&placement.key));
        self.tell_repaired(&at.name, found.len(), gone.len(), altered.len());
        if self.engine.rehearsing {
            return Ok(());
        }
        found.extend(altered.into_iter().map(|(key, handle)| (key, handle, None)));
        self.store.record_found(found).await?;
        let restored = self.restore(&at.name, &gone).await?;
        for placement in gone.iter().filter(|placement| !restored.contains(&placement.key)) {
            self.store.repair(placement.key).await?;
        }
        Ok(())
    }

    fn tell_repaired(&self, name: &str, anew: usize, again: usize, altered: usize) {
        if self.engine.rehearsing {
            self.note(format!(
                "{again} missing in {name} would be placed again, {anew} taken over where they stand anew"
            ));
        }
        if altered > 0 {
            let told = format!("{altered} missing in {name} stand there again with other bytes");
            self.note(format!("{told}: they are left as people made them, and `verify` tells them as altered"));
        }
    }

    /// Which of them stand there under their own handles after all, though not byte for byte: people put them back
    /// and changed them. Beside them nothing is placed.
    async fn standing_otherwise(
        &self,
        key: TargetKey,
        at: &Collection,
        gone: &[Placement],
    ) -> Result<BTreeMap<PlacementKey, Handle>, Fault> {
        let handles: Vec<_> = gone.iter().filter_map(|placement| placement.handle.clone()).collect();
        if handles.is_empty() {
            return Ok(BTreeMap::new());
        }
        // A handle that a lost placement had may be another's by now.
        let claimed: BTreeSet<_> = self.store.claimed(key, handles).await?.into_iter().collect();
        let own = gone.iter().filter_map(|placement| Some((placement.handle.clone()?, placement)));
        let own = own.filter(|(handle, one)| one.state == PlacementState::Present || !claimed.contains(handle));
        let own: BTreeMap<_, _> = own.map(|(handle, placement)| (handle, placement.key)).collect();
        let (mut standing, mut seen) = (BTreeMap::new(), self.target.observe(at, Depth::Presence.into()).chunks(SEEN));
        while let Some(page) = self.engine.stop.unless(async { Ok(seen.next().await) }).await? {
            for one in page {
                match one {
                    Err(fault) if fault.what == What::Vanished => return Ok(standing),
                    one => standing.extend(own.get_key_value(&one?.handle).map(|(handle, key)| (*key, handle.clone()))),
                }
            }
        }
        Ok(standing)
    }

    /// Which of them stand there after all: first each under its own handle (people put it back, or an administrator
    /// restored the folder), then under handles that no placement names.
    async fn standing_again(&self, key: TargetKey, at: &Collection, missing: &[Placement]) -> Result<Standing, Fault> {
        let sought: Vec<_> = missing.iter().map(Sought::of_placement).collect();
        let mut found = self.matches(at, &sought).await?;
        found.retain(|one| !one.deleted);
        let handles: Vec<_> = found.iter().map(|found| found.handle.clone()).collect();
        let mut taken: BTreeSet<_> = self.store.claimed(key, handles).await?.into_iter().collect();
        let own: BTreeMap<_, _> = missing.iter().map(|placement| (&placement.intent, placement)).collect();
        let (mut standing, mut rest) = (BTreeMap::new(), Vec::new());
        for one in found {
            let placement = own.get(&one.intent).filter(|own| own.handle.as_ref() == Some(&one.handle));
            // A handle that a lost placement had may be another's by now.
            match placement.is_some_and(|own| own.state == PlacementState::Present || taken.insert(one.handle.clone()))
            {
                true => drop(standing.insert(one.intent.clone(), one)),
                false => rest.push(one),
            }
        }
        rest.retain(|one| !standing.contains_key(&one.intent));
        standing.extend(share(rest, &sought, taken));
        Ok(standing)
    }
}

/// The placements that verification found missing.
fn missing(page: &[Verdict]) -> impl Iterator<Item = PlacementKey> {
    let missing = page.iter().filter(|verdict| verdict.kind == Kind::Missing.name());
    missing.filter_map(|verdict| match verdict.subject {
        Subject::Placement(key) => Some(key),
        Subject::Extra(..) => None,
    })
}
