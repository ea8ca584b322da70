//! Repairing, when asked: what verification found missing is looked for, and placed again where it stands nowhere.

use super::{
    Push,
    settle::{Sought, share},
};
use crate::{
    engine::{Event, Kind},
    store::{Placement, PlacementState, Subject, TargetKey},
};
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::{Collection, Fault, Found, IntentId};

/// Under which handles things stand, by intent.
type Standing = BTreeMap<IntentId, Found>;

impl Push<'_> {
    /// Allows what verification found missing to be placed again, unless the same bytes stand there under a handle
    /// that nothing else has: a server that numbered its messages anew would else hold everything twice.
    pub async fn repair(&self) -> Result<(), Fault> {
        // What only lacked a handle was never missing.
        self.name_placements().await?;
        if !self.engine.rehearsing {
            // What people moved is theirs where they filed it.
            self.engine.recognise_moved(self.store, self.workload).await?;
        }
        let (at, mut after) = (self.collections().await?, 0);
        loop {
            let page = self.store.differences(self.workload, after, 500).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.number;
            let missing = page.iter().filter(|verdict| verdict.kind == Kind::Missing.name());
            let keys = missing.filter_map(|verdict| match verdict.subject {
                Subject::Placement(key) => Some(key),
                Subject::Extra(..) => None,
            });
            let mut by_place: BTreeMap<TargetKey, Vec<Placement>> = BTreeMap::new();
            for placement in self.store.placements(keys.collect()).await? {
                by_place.entry(placement.at).or_default().push(placement);
            }
            for (key, missing) in by_place {
                if let Some(at) = at.get(&key) {
                    self.repair_at(key, at, missing).await?;
                }
            }
        }
    }

    async fn repair_at(&self, key: TargetKey, at: &Collection, missing: Vec<Placement>) -> Result<(), Fault> {
        let mut anew = self.standing_again(key, at, &missing).await?;
        let (mut found, mut gone) = (Vec::new(), Vec::new());
        for placement in missing {
            match anew.remove(&placement.intent) {
                Some(one) => found.push((placement.key, one.handle, one.version)),
                None => gone.push(placement.key),
            }
        }
        if self.engine.rehearsing {
            let (anew, again, name) = (found.len(), gone.len(), &at.name);
            let sentence =
                format!("{again} missing in {name} would be placed again, {anew} taken over where they stand anew");
            self.engine.tell(Event::Note { account: Some(self.account()), sentence });
            return Ok(());
        }
        self.store.record_found(found).await?;
        for key in gone {
            self.store.repair(key).await?;
        }
        Ok(())
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
