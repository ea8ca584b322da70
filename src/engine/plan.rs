//! The plan: what would move, what it costs under the service's limits, what blocks. Every mailbox is really listed, and
//! the listing is kept: the run then asks only for what changed.

use super::{AccountStanding, Engine, Mover, account_standing, policy::standing};
use crate::store::{AccountStore, LossTotal, Project, Tally};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};
use transhume_contract::{Collection, Fault, Reach, TargetTraits, Unreachable, What, Workload};

/// How a figure is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Known {
    /// Every item was listed.
    Counted,
    /// From the originals fetched so far.
    Sampled,
    Unknown,
}

/// What moving one workload of an account takes.
#[derive(Clone, Debug, Serialize)]
pub struct AccountPlan {
    pub standing: AccountStanding,
    /// Originals still to fetch.
    pub to_fetch: Tally,
    /// Requests to the source for it.
    pub requests: u64,
    /// The time those take under the limits of one mailbox.
    pub seconds: u64,
    /// How the sizes are known: the source states them, or only a sample does.
    pub sizes: Known,
    /// Collections that are pulled and not pushed, with the policy's reason and their items.
    pub kept: BTreeMap<String, u64>,
    /// From the originals fetched so far.
    pub losses: Vec<LossTotal>,
    pub losses_known: Known,
    /// Why it cannot move, or not all of it.
    pub blockers: Vec<String>,
}

/// The plan of a wave.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    pub accounts: Vec<AccountPlan>,
    pub unreachable: Vec<Unreachable>,
    pub requests: u64,
    /// The shortest time under the service's limits, with the accounts side by side as configured.
    pub seconds: u64,
    /// Hours of work for people: a rule of thumb, printed with its terms.
    pub human_hours: f64,
}

/// Minutes a person spends per account (telling its owner, setting up their program, answering once) and per blocker.
/// A rule of thumb from staged migrations; the plan prints it as one.
pub const MINUTES_PER_ACCOUNT: f64 = 15.0;
pub const MINUTES_PER_BLOCKER: f64 = 30.0;

impl Engine {
    /// Lists every mover and says what moving them takes. No body is fetched but for a sample of the newest.
    pub async fn plan(&self, project: &Project, movers: &[Mover], sample: usize) -> Result<Plan, Fault> {
        let planning = stream::iter(movers).map(|mover| self.plan_account(project, mover, sample));
        let accounts: Vec<Vec<AccountPlan>> = planning.buffered(self.lanes.accounts).try_collect().await?;
        let accounts: Vec<_> = accounts.into_iter().flatten().collect();
        let blockers: usize = accounts.iter().map(|account| account.blockers.len()).sum();
        let minutes = accounts.len() as f64 * MINUTES_PER_ACCOUNT + blockers as f64 * MINUTES_PER_BLOCKER;
        Ok(Plan {
            unreachable: project.unreachable().await?,
            requests: accounts.iter().map(|account| account.requests).sum(),
            seconds: side_by_side(&accounts, self.lanes.accounts),
            human_hours: minutes / 60.0,
            accounts,
        })
    }

    async fn plan_account(&self, project: &Project, mover: &Mover, sample: usize) -> Result<Vec<AccountPlan>, Fault> {
        let store = project.open_account(&mover.row.account.id).await?;
        let mut plans = Vec::new();
        for workload in self.workloads() {
            let mut blockers: Vec<String> =
                super::moving::absent(mover, workload).map(|fault| fault.sentence).into_iter().collect();
            if blockers.is_empty() {
                blockers.extend(self.look(&store, workload, sample).await?);
            }
            plans.push(self.plan_workload(project, &store, mover, workload, blockers).await?);
        }
        Ok(plans)
    }

    /// Lists, and fetches the sample. What stops this account is a blocker; only what reaches the run is a fault.
    async fn look(&self, store: &AccountStore, workload: Workload, sample: usize) -> Result<Option<String>, Fault> {
        let looked = async {
            self.list(store, workload).await?;
            self.capture_settings(store, workload).await?;
            self.pull(store, workload, Some(sample)).await
        };
        match looked.await {
            Ok(_) => Ok(None),
            Err(fault) if fault.reach == Reach::Run || fault.what == What::Interrupted => Err(fault),
            Err(fault) => Ok(Some(fault.sentence)),
        }
    }

    async fn plan_workload(
        &self,
        project: &Project,
        store: &AccountStore,
        mover: &Mover,
        workload: Workload,
        mut blockers: Vec<String>,
    ) -> Result<AccountPlan, Fault> {
        let traits = self.target(workload)?.traits(&mover.target).await;
        let rendered = match traits {
            Ok(traits) => self.foresee(store, workload, &traits, &mut blockers).await?,
            Err(fault) => {
                blockers.push(fault.sentence);
                0
            }
        };
        let standing = account_standing(project, store, &mover.row, workload, &self.policy).await?;
        let to_fetch = store.to_fetch(workload).await?;
        let requests = to_fetch.items + store.collections(workload).await?.len() as u64;
        let known = |known: bool| if known { Known::Counted } else { Known::Unknown };
        Ok(AccountPlan {
            requests,
            seconds: requests * 3600 / self.source.traits().requests_per_hour.max(1),
            sizes: known(standing.listed.bytes > 0 || standing.listed.items == 0),
            kept: self.kept(store, workload).await?,
            losses: standing.losses.clone(),
            losses_known: if rendered > 0 { Known::Sampled } else { Known::Unknown },
            blockers,
            to_fetch,
            standing,
        })
    }

    /// Renders what the store holds, which tells its losses, and counts what the target would refuse for its size.
    async fn foresee(
        &self,
        store: &AccountStore,
        workload: Workload,
        traits: &TargetTraits,
        blockers: &mut Vec<String>,
    ) -> Result<u64, Fault> {
        if let Some(limit) = traits.max_item_bytes {
            let larger = store.items_larger_than(workload, limit).await?;
            if larger > 0 {
                blockers.push(format!("{larger} items are larger than the target accepts ({limit} bytes)"));
            }
        }
        self.render_ahead(store, workload, traits).await
    }

    /// What the policy keeps in the store, by reason.
    async fn kept(&self, store: &AccountStore, workload: Workload) -> Result<BTreeMap<String, u64>, Fault> {
        let rows = store.collections(workload).await?;
        let collections: Vec<Collection> = rows.iter().map(|row| row.collection.clone()).collect();
        let standing = standing(&collections, &self.policy);
        let mut kept = BTreeMap::new();
        for of_one in store.collection_totals(workload).await? {
            let row = rows.iter().find(|row| row.key == of_one.collection);
            let reason = row.and_then(|row| standing.get(&row.collection.id)).and_then(|standing| standing.reason);
            if let Some(reason) = reason {
                *kept.entry(reason.to_owned()).or_default() += of_one.stages.listed().items;
            }
        }
        Ok(kept)
    }
}

/// The longest account, or the sum spread over the lanes, whichever is longer.
fn side_by_side(accounts: &[AccountPlan], lanes: usize) -> u64 {
    let longest = accounts.iter().map(|account| account.seconds).max().unwrap_or(0);
    let sum: u64 = accounts.iter().map(|account| account.seconds).sum();
    longest.max(sum / lanes.max(1) as u64)
}

impl Plan {
    pub const fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}
