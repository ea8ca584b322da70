//! What people moved at the target: missing where it was placed, and byte for byte the same in another collection where
//! nothing of ours answers for it. It is theirs where they filed it, and no difference.

use super::There;
use crate::{
    engine::{Engine, Kind, verdict::CHANGED_THERE},
    store::{AccountStore, NewVerdict, Placement, PlacementKey, Subject, TargetKey, Verdict},
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::{Collection, Fault, Found, Handle, IntentId, What, Workload};

/// Placements looked for at once: a target may have to read through a whole collection for each call.
const PAGE: usize = 2000;

/// What people moved.
#[derive(Default)]
pub(in crate::engine) struct Moved {
    /// How many: from a collection into another, and whether they were told as second copies of other placements there.
    counts: BTreeMap<(TargetKey, TargetKey, bool), u64>,
    /// Which, where nothing is written down.
    rehearsed: BTreeSet<PlacementKey>,
    /// Where those stand.
    taken: BTreeSet<(TargetKey, Handle)>,
}

impl Moved {
    /// Whether a dry run saw this one where people filed it.
    pub(in crate::engine) fn rehearsed(&self, key: PlacementKey) -> bool {
        self.rehearsed.contains(&key)
    }

    /// Corrects what was counted of each collection before anybody knew.
    pub(super) fn correct(&self, seen: &mut BTreeMap<TargetKey, There>) {
        for ((from, to, as_copies), moved) in &self.counts {
            if let Some(from) = seen.get_mut(from) {
                from.missing = from.missing.saturating_sub(*moved);
                from.differences = from.differences.saturating_sub(*moved);
                from.moved += moved;
            }
            match seen.get_mut(to) {
                Some(to) if *as_copies => {
                    to.duplicates = to.duplicates.saturating_sub(*moved);
                    to.differences = to.differences.saturating_sub(*moved);
                }
                Some(to) => to.others = to.others.saturating_sub(*moved),
                None => {}
            }
        }
    }
}

/// Missing placements of one page, by what verification said of them.
struct Search<'a> {
    engine: &'a Engine,
    store: &'a AccountStore,
    workload: Workload,
    at: &'a BTreeMap<TargetKey, Collection>,
    missing: Vec<(Placement, Verdict)>,
}

impl Engine {
    /// Looks in every other collection for what verification found missing, and notes what people moved. Memory
    /// grows with a page of what is missing, never with the mail of others; in a dry run, where nothing is noted, with
    /// what people moved.
    pub(in crate::engine) async fn recognise_moved(
        &self,
        store: &AccountStore,
        workload: Workload,
    ) -> Result<Moved, Fault> {
        let (at, mut after) = (store.target_collections(workload).await?.into_iter().collect(), 0);
        let mut moved = Moved::default();
        loop {
            let page = store.missing(workload, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(moved) };
            after = last.number;
            let mut search = Search { engine: self, store, workload, at: &at, missing: pair(store, page).await? };
            search.look(&mut moved).await?;
        }
    }
}

/// Placements with their verdicts; those that stand anew where they were are left out.
async fn pair(store: &AccountStore, page: Vec<Verdict>) -> Result<Vec<(Placement, Verdict)>, Fault> {
    let sought = page.into_iter().filter(|verdict| verdict.detail["stands_there_anew"] != true);
    let keyed = sought.filter_map(|verdict| match verdict.subject {
        Subject::Placement(key) => Some((key, verdict)),
        Subject::Extra(..) => None,
    });
    let (keys, verdicts): (Vec<_>, Vec<_>) = keyed.unzip();
    Ok(store.placements(keys).await?.into_iter().zip(verdicts).collect())
}

impl Search<'_> {
    async fn look(&mut self, moved: &mut Moved) -> Result<(), Fault> {
        let lengths: BTreeSet<u64> = self.missing.iter().map(|(placement, _)| placement.stored.length).collect();
        for key in self.store.targets_with_extras(self.workload, lengths).await? {
            self.engine.stop.check()?;
            if let Some(at) = self.at.get(&key) {
                self.look_at(key, at, moved).await?;
            }
        }
        Ok(())
    }

    async fn look_at(&mut self, key: TargetKey, at: &Collection, moved: &mut Moved) -> Result<(), Fault> {
        let elsewhere = self.missing.iter().filter(|(placement, _)| placement.at != key);
        let keys: Vec<_> = elsewhere.map(|(placement, _)| placement.natural_key()).collect();
        let found = match self.engine.target(self.workload)?.find(at, &keys).await {
            Err(fault) if fault.what == What::Vanished => return Ok(()),
            found => found?,
        };
        let handles = found.iter().map(|found| found.handle.clone()).collect();
        let mut free = self.store.extras_among(key, handles).await?;
        free.retain(|handle, _| !moved.taken.contains(&(key, handle.clone())));
        let given = share(found, free);
        let mut noted = Vec::new();
        for (placement, missing) in std::mem::take(&mut self.missing) {
            match given.get(&placement.intent) {
                Some((handle, kind)) => {
                    *moved.counts.entry((placement.at, key, kind == Kind::Duplicate.name())).or_default() += 1;
                    if self.engine.rehearsing {
                        moved.rehearsed.insert(placement.key);
                        moved.taken.insert((key, handle.clone()));
                    } else {
                        noted.push((self.verdict(missing, at), key, handle.clone()));
                    }
                }
                None => self.missing.push((placement, missing)),
            }
        }
        if noted.is_empty() { Ok(()) } else { self.store.record_moved_there(noted).await }
    }

    fn verdict(&self, missing: Verdict, to: &Collection) -> NewVerdict {
        let Verdict { subject, depth, mut detail, .. } = missing;
        detail["moved_to"] = json!(to.name);
        NewVerdict { workload: self.workload, subject, depth, kind: CHANGED_THERE.into(), detail }
    }
}

/// Gives each its own match among what nothing of ours answers for; a match is given once.
fn share(found: Vec<Found>, mut free: BTreeMap<Handle, String>) -> BTreeMap<IntentId, (Handle, String)> {
    let mut given = BTreeMap::new();
    for one in found {
        if !given.contains_key(&one.intent)
            && let Some(kind) = free.remove(&one.handle)
        {
            given.insert(one.intent, (one.handle, kind));
        }
    }
    given
}
