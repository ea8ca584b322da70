//! Verification: what stands at the target against what was rendered, and what was rendered against the original. It
//! changes nothing at either side.

mod compare;
mod extra;
mod faithful;
mod judge;
mod moved;
mod reconcile;

use super::{Audience, Engine, Event, Mover, Phase};
use crate::store::{AccountStore, Project, TargetKey};
use compare::Comparison;
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::BTreeMap;
use transhume_contract::{Fault, Look, Reach, What, Workload};

pub use reconcile::{Reconciled, There};

/// Placements compared at once.
const PAGE: usize = 200;
/// ... where each comes with its bytes.
const PAGE_WITH_BYTES: usize = 25;

/// What comparing an account came to.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    pub address: String,
    pub compared: u64,
    /// Those of them whose bytes were read back.
    pub read_back: u64,
    pub differences: u64,
    /// Filed elsewhere at the target by people, which is theirs: no differences.
    pub moved: u64,
    /// Stands at the target and is not ours: mail that arrived there, or was there before. Second copies of ours are
    /// differences, and not among these.
    pub others: u64,
    /// Placed from a rendering by another edition of the conversions, or other tables, or for another
    /// profile of the target or other people, than are in force now.
    pub outdated: u64,
    /// The source's folders, and what became of everything in them.
    pub folders: Vec<Reconciled>,
    /// Why it could not be compared to the end.
    pub fault: Option<Fault>,
}

impl Engine {
    /// Compares every mover's placements with what stands there.
    pub async fn verify(
        &self,
        project: &Project,
        movers: &[Mover],
        look: impl Into<Look>,
    ) -> Result<Vec<Compared>, Fault> {
        let look = look.into();
        let comparing = stream::iter(movers).map(|mover| self.verify_account(project, mover, look));
        comparing.buffered(self.lanes.accounts).try_collect().await
    }

    async fn verify_account(&self, project: &Project, mover: &Mover, look: Look) -> Result<Compared, Fault> {
        let account = mover.address().to_owned();
        self.tell(Event::Started { account: account.clone(), phase: Phase::Verify });
        let mut sum = Compared { address: account.clone(), ..Compared::default() };
        if let Err(fault) = self.verify_workloads(project, mover, look, &mut sum).await {
            if fault.reach == Reach::Run || fault.what == What::Interrupted {
                return Err(fault);
            }
            self.tell(Event::Stopped { account: account.clone(), fault: fault.clone() });
            sum.fault = Some(fault);
        }
        self.tell(Event::Finished { account, phase: Phase::Verify });
        Ok(sum)
    }

    async fn verify_workloads(
        &self,
        project: &Project,
        mover: &Mover,
        look: Look,
        sum: &mut Compared,
    ) -> Result<(), Fault> {
        let store = project.open_account(&mover.row.account.id).await?;
        for workload in self.workloads() {
            self.refuse_another_login(&store, &mover.target, workload).await?;
            let profile = self.target_traits(workload, &mover.target).await?.profile;
            let audience = self.audience(&store, workload, profile).await?;
            let mut seen = BTreeMap::new();
            let looking = (look, &audience);
            let outcome = self.verify_workload(&store, workload, looking, &sum.address, &mut seen).await;
            sum.add(&seen);
            sum.folders.extend(self.reconcile(&store, workload, &seen).await?);
            outcome?;
            sum.outdated += store.placed_otherwise(workload, self.made_by(workload, &audience)).await?;
        }
        Ok(())
    }

    async fn verify_workload(
        &self,
        store: &AccountStore,
        workload: Workload,
        looking: (Look, &Audience),
        account: &str,
        seen: &mut BTreeMap<TargetKey, There>,
    ) -> Result<(), Fault> {
        let placed = store.totals(workload).await?.placed;
        let phase = Phase::Verify;
        self.tell(Event::Expected { account: account.to_owned(), phase, items: placed.items, bytes: placed.bytes });
        for (key, at) in store.target_collections(workload).await? {
            let comparison = Comparison::new(self, store, workload, (key, &at), looking);
            seen.insert(key, comparison.compare(account).await?);
        }
        self.recognise_moved(store, workload).await?.correct(seen);
        Ok(())
    }
}

impl Compared {
    fn add(&mut self, seen: &BTreeMap<TargetKey, There>) {
        for there in seen.values() {
            self.compared += there.ours + there.missing + there.moved + there.duplicates;
            self.read_back += there.read_back;
            self.differences += there.differences;
            self.moved += there.moved;
            self.others += there.others;
        }
    }
}
