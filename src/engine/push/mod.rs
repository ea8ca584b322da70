//! Pushing one workload of one account: what arrived is placed, what changed is brought up to date, and what nobody
//! knows the outcome of is looked for before anything is sent again.

mod adopt;
mod apart;
mod change;
mod in_place;
mod left;
mod moves;
mod owed;
mod place;
mod repair;
mod replace;
mod restore;
mod routes;
mod settle;
mod unnamed;
mod versions;

use super::{Audience, Engine, Event, Mover, Phase};
use crate::store::{AccountStore, CollectionKey, ItemKey, TargetKey};
use futures::{StreamExt, stream};
use routes::Routes;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{Mutex, Semaphore};
use transhume_contract::{Collection, Fault, Reach, Target, TargetTraits, Workload};

/// Rounds of looking and placing again after lost answers, within one pass.
const ROUNDS: usize = 4;
/// Collections worked on for each call the target takes at once: while the answer of one is written down, another's
/// batch is on its way.
const PER_LANE: usize = 2;

/// One account's push of one workload.
pub(super) struct Push<'a> {
    engine: &'a Engine,
    store: &'a AccountStore,
    target: &'a Arc<dyn Target>,
    workload: Workload,
    traits: TargetTraits,
    /// Calls that may still be made at once.
    calls: Semaphore,
    audience: Audience,
    routes: Routes<'a>,
    /// Refusals that are not told yet, since another key may bring the item through.
    withheld: Mutex<BTreeMap<ItemKey, Fault>>,
}

impl Engine {
    /// Connects, learns what the target accepts, and settles what an earlier run left open.
    pub(super) async fn begin_push<'a>(
        &'a self,
        store: &'a AccountStore,
        mover: &Mover,
        workload: Workload,
    ) -> Result<Push<'a>, Fault> {
        let target = self.target(workload)?;
        self.tell(Event::Started { account: mover.address().into(), phase: Phase::Push });
        let traits = self.target_traits(workload, &mover.target).await?;
        self.heed_canary(workload, &mover.target).await?;
        let audience = self.audience(store, workload, traits.profile.clone()).await?;
        self.heed_what_stood_before(store, &mover.target, workload).await?;
        let routes = Routes::new(self, store, target, mover, workload).await?;
        let calls = Semaphore::new(traits.lanes.max(1));
        let withheld = Mutex::default();
        let push = Push { engine: self, store, target, workload, traits, calls, audience, routes, withheld };
        push.ensure_open().await?;
        push.settle_intents().await?;
        push.settle_moves().await?;
        push.expect().await?;
        Ok(push)
    }
}

impl Push<'_> {
    fn account(&self) -> String {
        self.store.account().address.clone()
    }

    /// The collection at the target that a placement stands in.
    async fn collections(&self) -> Result<BTreeMap<TargetKey, Collection>, Fault> {
        Ok(self.store.target_collections(self.workload).await?.into_iter().collect())
    }

    async fn expect(&self) -> Result<(), Fault> {
        let (mut items, mut bytes) = (0, 0);
        for of_one in self.store.collection_totals(self.workload).await? {
            if self.routes.pushes(of_one.collection) {
                items += of_one.stages.owed().items;
                bytes += of_one.stages.owed().bytes;
            }
        }
        self.engine.tell(Event::Expected { account: self.account(), phase: Phase::Push, items, bytes });
        Ok(())
    }

    /// Places what is ready in every pushed collection, several collections at a time. A fault that reaches no further
    /// than a collection leaves that one owed.
    pub async fn place_ready(&self) -> Result<(), Fault> {
        let ready = self.ready().await?;
        let placing = stream::iter(ready).map(|from| async move { (from, self.place_collection(from).await) });
        let mut placing = placing.buffer_unordered(self.traits.lanes.max(1) * PER_LANE);
        let mut worst: Option<Fault> = None;
        while let Some((from, outcome)) = placing.next().await {
            let Err(fault) = outcome else {
                self.routes.taken(from).await;
                continue;
            };
            if fault.reach < Reach::Account {
                self.routes.refused(from, fault).await?;
            } else if worst.as_ref().is_none_or(|known| fault.reach > known.reach) {
                worst = Some(fault);
            }
        }
        worst.map_or(Ok(()), Err)
    }

    async fn ready(&self) -> Result<Vec<CollectionKey>, Fault> {
        let totals = self.store.collection_totals(self.workload).await?;
        let ready = totals.into_iter().filter(|of_one| of_one.stages.ready.items > 0);
        Ok(ready.map(|of_one| of_one.collection).filter(|from| self.routes.pushes(*from)).collect())
    }

    /// Whether what arrives is placed at once. A rehearsal takes nothing away from what is ready, so it plays its part
    /// once, at the end; and what stands there already is looked for once a collection, not once a round.
    pub fn places_as_it_arrives(&self) -> bool {
        !self.engine.rehearsing && !self.adopts()
    }

    async fn place_rest(&self) -> Result<(), Fault> {
        for _ in 0..ROUNDS {
            self.place_ready().await?;
            // Only what is known to stand there stands in the way of another.
            if self.settle_intents().await? == 0 && self.set_apart().await? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Does all that is left once nothing more arrives.
    pub async fn finish(&self) -> Result<(), Fault> {
        self.place_rest().await?;
        self.routes.ensure_all().await?;
        self.name_placements().await?;
        self.follow_moves().await?;
        self.settle_moves().await?;
        // What was moved or placed anew may have changed too: without a handle it could not be brought up to date.
        self.name_placements().await?;
        let looked = self.learn_placed(None).await?;
        self.supersede().await?;
        self.name_placements().await?;
        self.learn_placed(looked).await?;
        self.amend().await?;
        self.withdraw().await?;
        self.place_freed().await?;
        let unread = self.name_placements().await?;
        self.owe_unnamed(&unread).await?;
        self.routes.settle().await?;
        self.look_after_what_was_left().await?;
        self.routes.forgive().await?;
        self.engine.tell(Event::Finished { account: self.account(), phase: Phase::Push });
        Ok(())
    }
}
