//! The account of every folder: what the source holds is done, owed, in quarantine, or kept by the policy.

use super::super::{Engine, policy::standing};
use crate::store::{AccountStore, StageTotals, TargetKey};
use serde::Serialize;
use std::collections::BTreeMap;
use transhume_contract::{Collection, Fault, Workload};

/// What was seen in one collection of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct There {
    /// Its name.
    pub at: String,
    /// Placements that were seen.
    pub ours: u64,
    /// Those of them whose bytes were read back.
    pub read_back: u64,
    /// Placements that were not.
    pub missing: u64,
    /// Placements that people moved into another collection there. No differences.
    pub moved: u64,
    /// Second copies of ours.
    pub duplicates: u64,
    /// Mail of other origin.
    pub others: u64,
    /// Differences of every kind, those missing and the copies among them.
    pub differences: u64,
}

impl There {
    pub fn at(name: &str) -> Self {
        Self { at: name.to_owned(), ..Self::default() }
    }
}

/// One folder of the source: `source` is the sum of the four that follow it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    pub workload: Workload,
    /// Names from the top, joined by `/`.
    pub folder: String,
    /// As listed.
    pub source: u64,
    pub done: u64,
    /// To be tried again: not pulled yet, or not pushed yet.
    pub owed: u64,
    pub quarantined: u64,
    /// Held in the store and not pushed, by the policy.
    pub excluded: u64,
    /// The policy's reason, where it does not push the folder.
    pub reason: Option<&'static str>,
    /// What the source itself counts in the folder, where that is another number than it lists.
    pub counted_by_source: Option<u64>,
    /// What was seen where it stands at the target; several folders may stand in one.
    pub there: Option<There>,
}

impl Reconciled {
    /// Everything is done and found, and nothing else needs to be said.
    pub fn is_plain(&self) -> bool {
        let found = self.there.as_ref().is_none_or(|there| there.differences == 0);
        self.done == self.source && self.counted_by_source.is_none() && found
    }
}

impl Engine {
    pub(super) async fn reconcile(
        &self,
        store: &AccountStore,
        workload: Workload,
        seen: &BTreeMap<TargetKey, There>,
    ) -> Result<Vec<Reconciled>, Fault> {
        let rows = store.collections(workload).await?;
        let collections: Vec<Collection> = rows.iter().map(|row| row.collection.clone()).collect();
        let standing = standing(&collections, &self.policy);
        let at: BTreeMap<_, _> = store.targets(workload).await?.into_iter().map(|row| (row.from, row.at)).collect();
        let stages: BTreeMap<_, _> =
            store.collection_totals(workload).await?.into_iter().map(|one| (one.collection, one.stages)).collect();
        let mut folders = Vec::new();
        for row in rows {
            let stages = stages.get(&row.key).copied().unwrap_or_default();
            let Some(standing) = standing.get(&row.collection.id) else { continue };
            if row.gone && stages.listed().items == 0 {
                continue;
            }
            let there = at.get(&row.key).and_then(|key| seen.get(key)).cloned();
            let told = row.collection.expected.items.filter(|told| *told != stages.listed().items && !row.gone);
            let folder = Reconciled { there, counted_by_source: told, ..split(workload, stages, standing.pushed) };
            folders.push(Reconciled { folder: standing.path.join("/"), reason: standing.reason, ..folder });
        }
        folders.sort_by(|a, b| a.folder.cmp(&b.folder));
        Ok(folders)
    }
}

fn split(workload: Workload, stages: StageTotals, pushed: bool) -> Reconciled {
    let (owed, excluded) = match pushed {
        true => (stages.owed().items, 0),
        false => (stages.waiting.items + stages.sent.items, stages.ready.items),
    };
    Reconciled {
        workload,
        folder: String::new(),
        source: stages.listed().items,
        done: stages.placed.items,
        owed,
        quarantined: stages.barred.items,
        excluded,
        reason: None,
        counted_by_source: None,
        there: None,
    }
}
