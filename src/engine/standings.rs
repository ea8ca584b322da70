//! Where accounts stand: queries on the store, read with the policy that says what is to be pushed.

use super::{Policy, standing};
use crate::store::{
    AccountRow, AccountStore, CollectionRow, LossTotal, Project, Quarantined, RefusedCollection, Side, Tally,
    VerdictTotal,
};
use serde::Serialize;
use std::collections::BTreeMap;
use transhume_contract::{Collection, Fault, Timestamp, Workload};

/// Where one workload of an account stands.
#[derive(Clone, Debug, Serialize)]
pub struct AccountStanding {
    pub account: String,
    pub name: String,
    pub target: Option<String>,
    pub wave: Option<String>,
    pub workload: Workload,
    /// At the source, as last listed.
    pub listed: Tally,
    pub fetched: Tally,
    /// All that stands at the target, also what the source holds no longer or the policy no longer pushes.
    pub placed: Tally,
    /// What the source holds and is placed: all that is listed is this, or owed, in quarantine, or kept.
    pub done: Tally,
    /// To be tried again: not pulled yet, or not pushed yet where the policy pushes.
    pub owed: Tally,
    /// Of what is placed, or gone from the source: changes that the target does not show yet, pulled and not pushed since
    /// or refused, and that the next pass follows.
    pub changes: u64,
    /// Those of them that wait for people, who changed at the target what a newer one is to replace.
    pub conflicts: u64,
    /// Out of reach for good, with the cause.
    pub quarantined: Vec<Quarantined>,
    /// Held in the store and not pushed, by the policy.
    pub kept: Tally,
    /// Gone from the source; still in the store and, unless asked otherwise, at the target.
    pub gone: u64,
    pub withdrawn: u64,
    /// Removed by people at the target, who are left to it.
    pub lost_there: u64,
    pub losses: Vec<LossTotal>,
    pub verdicts: Vec<VerdictTotal>,
    /// Why it did not go on when it was last worked on, and when that was.
    pub stops: Vec<(Side, Fault, Timestamp)>,
    /// The last pass saw everything at the source.
    pub settled: bool,
    /// Folders that the source did not list to their end, or that the target does not take and the policy pushes.
    pub refused: Vec<RefusedFolder>,
}

/// A folder that one side refused as a whole when it was last asked.
#[derive(Clone, Debug, Serialize)]
pub struct RefusedFolder {
    pub side: Side,
    /// Names from the top, as the source has them, joined by `/`.
    pub folder: String,
    pub fault: Fault,
}

impl AccountStanding {
    /// Items that the next pass has something to do for.
    pub fn is_owing(&self) -> bool {
        self.owed.items + self.changes > 0
    }

    /// Stands at the target, though the source deleted it, or filed it where the policy does not push.
    pub fn left_there(&self) -> u64 {
        self.placed.items.saturating_sub(self.done.items)
    }

    pub fn quarantine(&self) -> u64 {
        self.quarantined.iter().map(|cause| cause.items).sum()
    }

    /// Folders that are missing at the target, or take nothing there.
    pub fn refused_at_target(&self) -> usize {
        self.refused.iter().filter(|folder| folder.side == Side::Target).count()
    }

    /// Some of it could not be listed to the end, though nothing stopped it: nobody knows what it holds.
    pub const fn is_unlisted(&self) -> bool {
        self.stops.is_empty() && !self.settled
    }

    /// Differences that `verify` found last.
    pub fn differences(&self) -> u64 {
        self.verdicts
            .iter()
            .filter(|verdict| !super::verdict::is_fine(&verdict.kind))
            .map(|verdict| verdict.items)
            .sum()
    }
}

impl AccountStanding {
    /// Of an account whose store cannot be read: nothing is known but why.
    pub fn unread(row: &AccountRow, workload: Workload, fault: Fault) -> Self {
        Self {
            account: row.account.address.clone(),
            name: row.account.name.clone(),
            target: row.target.as_ref().map(|target| target.as_str().to_owned()),
            wave: row.wave.clone(),
            workload,
            listed: Tally::default(),
            fetched: Tally::default(),
            placed: Tally::default(),
            done: Tally::default(),
            owed: Tally::default(),
            changes: 0,
            conflicts: 0,
            quarantined: Vec::new(),
            kept: Tally::default(),
            gone: 0,
            withdrawn: 0,
            lost_there: 0,
            losses: Vec::new(),
            verdicts: Vec::new(),
            stops: vec![(Side::Source, fault, Timestamp::now())],
            settled: false,
            refused: Vec::new(),
        }
    }
}

/// Reads where an account stands in a workload.
pub async fn account_standing(
    project: &Project,
    store: &AccountStore,
    row: &AccountRow,
    workload: Workload,
    policy: &Policy,
) -> Result<AccountStanding, Fault> {
    let totals = store.totals(workload).await?;
    let (done, owed, kept) = fates(store, workload, policy).await?;
    let stops = project.stops(&row.account.id).await?.into_iter().filter(|(_, of, _, _)| *of == workload);
    Ok(AccountStanding {
        account: row.account.address.clone(),
        name: row.account.name.clone(),
        target: row.target.as_ref().map(|target| target.as_str().to_owned()),
        wave: row.wave.clone(),
        workload,
        listed: totals.listed,
        fetched: totals.fetched,
        placed: totals.placed,
        done,
        owed,
        changes: totals.changes,
        conflicts: totals.conflicts,
        quarantined: totals.quarantined,
        kept,
        gone: totals.gone.items,
        withdrawn: totals.withdrawn.items,
        lost_there: totals.lost.items,
        losses: totals.losses,
        verdicts: totals.verdicts,
        stops: stops.map(|(side, _, fault, at)| (side, fault, at)).collect(),
        settled: totals.settled,
        refused: refused(store, workload, policy).await?,
    })
}

/// Splits what the source holds: placed, still to come, and kept in the store by the policy.
async fn fates(store: &AccountStore, workload: Workload, policy: &Policy) -> Result<(Tally, Tally, Tally), Fault> {
    let rows = store.collections(workload).await?;
    let pushed = pushed(&rows, policy);
    let (mut done, mut owed, mut kept) = (Tally::default(), Tally::default(), Tally::default());
    for of_one in store.collection_totals(workload).await? {
        done += of_one.stages.placed;
        if pushed.get(&of_one.collection).copied().unwrap_or(false) {
            owed += of_one.stages.owed();
        } else {
            owed += of_one.stages.waiting;
            kept += of_one.stages.ready;
        }
    }
    Ok((done, owed, kept))
}

async fn refused(store: &AccountStore, workload: Workload, policy: &Policy) -> Result<Vec<RefusedFolder>, Fault> {
    let refused = store.refused_collections(workload).await?;
    if refused.is_empty() {
        return Ok(Vec::new());
    }
    let rows = store.collections(workload).await?;
    let collections: Vec<Collection> = rows.iter().map(|row| row.collection.clone()).collect();
    let standing = standing(&collections, policy);
    let folder = |one: RefusedCollection| {
        let row = rows.iter().find(|row| row.key == one.collection)?;
        let standing = standing.get(&row.collection.id)?;
        // What the policy does not push any more, the target was not asked for again.
        (one.side == Side::Source || standing.pushed).then(|| RefusedFolder {
            side: one.side,
            folder: standing.path.join("/"),
            fault: one.fault,
        })
    };
    Ok(refused.into_iter().filter_map(folder).collect())
}

/// Which collections the policy pushes.
pub(super) fn pushed(rows: &[CollectionRow], policy: &Policy) -> BTreeMap<crate::store::CollectionKey, bool> {
    let collections: Vec<Collection> = rows.iter().map(|row| row.collection.clone()).collect();
    let standing = standing(&collections, policy);
    let of_row =
        |row: &CollectionRow| (row.key, standing.get(&row.collection.id).is_some_and(|standing| standing.pushed));
    rows.iter().map(of_row).collect()
}
