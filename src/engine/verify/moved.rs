//! What people moved at the target: missing where it was placed, and byte for byte the same in another collection where
//! nothing of ours answers for it, also in one of their own making. It is theirs where they filed it, and no difference.

use super::There;
use crate::{
    engine::{Engine, Kind, verdict::CHANGED_THERE},
    store::{AccountStore, NewVerdict, Placement, PlacementKey, Subject, TargetKey, Verdict},
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::{AccountId, Collection, CollectionId, Fault, Found, Handle, IntentId, What, Workload};

/// Placements looked for at once: a target may have to read through a whole collection for each call.
const PAGE: usize = 2000;

/// What people moved.
#[derive(Default)]
pub(in crate::engine) struct Moved {
    /// How many: from a collection into another, and whether they were told as second copies of other placements there.
    between_ours: BTreeMap<(TargetKey, TargetKey, bool), u64>,
    /// How many: from a collection into those of their own making.
    into_theirs: BTreeMap<TargetKey, u64>,
    /// What answers for a placement in a collection of theirs, or, in a dry run, anywhere.
    taken: BTreeSet<(CollectionId, Handle)>,
    /// Which, where nothing is written down.
    rehearsed: BTreeSet<PlacementKey>,
}

impl Moved {
    /// Whether a dry run saw this one where people filed it.
    pub(in crate::engine) fn rehearsed(&self, key: PlacementKey) -> bool {
        self.rehearsed.contains(&key)
    }

    /// Corrects what was counted of each collection before anybody knew.
    pub(super) fn correct(&self, seen: &mut BTreeMap<TargetKey, There>) {
        for (from, moved) in &self.into_theirs {
            seen.entry(*from).and_modify(|from| from.moved_away(*moved));
        }
        for ((from, to, as_copies), moved) in &self.between_ours {
            seen.entry(*from).and_modify(|from| from.moved_away(*moved));
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

impl There {
    fn moved_away(&mut self, moved: u64) {
        self.missing = self.missing.saturating_sub(moved);
        self.differences = self.differences.saturating_sub(moved);
        self.moved += moved;
    }
}

/// Missing placements of one page, by what verification said of them.
struct Search<'a> {
    engine: &'a Engine,
    store: &'a AccountStore,
    workload: Workload,
    ours: &'a BTreeMap<TargetKey, Collection>,
    theirs: &'a [Collection],
    missing: Vec<(Placement, Verdict)>,
}

impl Engine {
    /// Looks in every other collection for what verification found missing, and notes what people moved. Memory
    /// grows with a page of what is missing and with what people filed in collections of their own; in a dry run, where
    /// nothing is noted, with all that they moved; never with the mail of others.
    pub(in crate::engine) async fn recognise_moved(
        &self,
        store: &AccountStore,
        workload: Workload,
    ) -> Result<Moved, Fault> {
        let (ours, mut after) = (store.target_collections(workload).await?.into_iter().collect(), 0);
        let taken = store.filed(workload).await?.into_iter().collect();
        let (mut moved, mut theirs) = (Moved { taken, ..Moved::default() }, None);
        loop {
            let page = store.missing(workload, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(moved) };
            after = last.number;
            let theirs = match &theirs {
                Some(theirs) => theirs,
                None => theirs.insert(self.made_by_people(workload, &ours).await?),
            };
            let missing = pair(store, page).await?;
            let mut search = Search { engine: self, store, workload, ours: &ours, theirs, missing };
            search.look(&mut moved).await?;
        }
    }

    /// Collections of the same accounts in which nothing of ours was ever placed.
    async fn made_by_people(
        &self,
        workload: Workload,
        ours: &BTreeMap<TargetKey, Collection>,
    ) -> Result<Vec<Collection>, Fault> {
        let accounts: BTreeSet<&AccountId> = ours.values().map(|collection| &collection.account).collect();
        let known: Vec<_> = ours.values().map(|collection| collection.id.clone()).collect();
        let mut theirs = Vec::new();
        for account in accounts {
            let others = self.target(workload)?.others(account, workload, &known);
            theirs.extend(self.stop.unless(others).await?);
        }
        Ok(theirs)
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
        // A server may write events, contacts and tasks anew when people move them, so their length tells nothing.
        let lengths = (self.workload == Workload::Mail)
            .then(|| self.missing.iter().map(|(placement, _)| placement.stored.length).collect());
        for key in self.store.targets_with_extras(self.workload, lengths).await? {
            self.engine.stop.check()?;
            if let Some(at) = self.ours.get(&key) {
                self.look_at_ours(key, at, moved).await?;
            }
        }
        for at in self.theirs {
            self.engine.stop.check()?;
            self.look_at_theirs(at, moved).await?;
        }
        Ok(())
    }

    async fn look_at_ours(&mut self, key: TargetKey, at: &Collection, moved: &mut Moved) -> Result<(), Fault> {
        let found = self.find(at, |placement| placement.at != key).await?;
        let handles = found.iter().map(|found| found.handle.clone()).collect();
        let mut free = self.store.extras_among(key, handles).await?;
        free.retain(|handle, _| !moved.taken.contains(&(at.id.clone(), handle.clone())));
        let given = share(found, free);
        let mut noted = Vec::new();
        for (placement, missing) in std::mem::take(&mut self.missing) {
            match given.get(&placement.intent) {
                Some((handle, kind)) => {
                    *moved.between_ours.entry((placement.at, key, kind == Kind::Duplicate.name())).or_default() += 1;
                    if self.engine.rehearsing {
                        moved.rehearsed.insert(placement.key);
                        moved.taken.insert((at.id.clone(), handle.clone()));
                    } else {
                        noted.push((self.verdict(missing, at), key, handle.clone()));
                    }
                }
                None => self.missing.push((placement, missing)),
            }
        }
        if noted.is_empty() { Ok(()) } else { self.store.record_moved_there(noted).await }
    }

    async fn look_at_theirs(&mut self, at: &Collection, moved: &mut Moved) -> Result<(), Fault> {
        let mut found = self.find(at, |_| true).await?;
        found.retain(|found| !moved.taken.contains(&(at.id.clone(), found.handle.clone())));
        let handles = found.iter().map(|found| (found.handle.clone(), String::new())).collect();
        let given = share(found, handles);
        let mut noted = Vec::new();
        for (placement, missing) in std::mem::take(&mut self.missing) {
            match given.get(&placement.intent) {
                Some((handle, _)) => {
                    *moved.into_theirs.entry(placement.at).or_default() += 1;
                    moved.taken.insert((at.id.clone(), handle.clone()));
                    if self.engine.rehearsing {
                        moved.rehearsed.insert(placement.key);
                    } else {
                        let mut verdict = self.verdict(missing, at);
                        verdict.detail["filed"] = json!({ "collection": at.id, "handle": handle });
                        noted.push(verdict);
                    }
                }
                None => self.missing.push((placement, missing)),
            }
        }
        if noted.is_empty() { Ok(()) } else { self.store.record_verdicts(noted).await }
    }

    /// What stands there of those that are meant, and is not about to be expunged; nothing where the collection is gone.
    async fn find(&self, at: &Collection, meant: impl Fn(&Placement) -> bool) -> Result<Vec<Found>, Fault> {
        let meant = self.missing.iter().filter(|(placement, _)| meant(placement));
        let keys: Vec<_> = meant.map(|(placement, _)| placement.natural_key()).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let find = self.engine.target(self.workload)?.find(at, &keys);
        match self.engine.stop.unless(find).await {
            Err(fault) if fault.what == What::Vanished => Ok(Vec::new()),
            found => Ok(found?.into_iter().filter(|one| !one.deleted).collect()),
        }
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
