//! Versions that a target did not tell: many servers tell none of what they store in other words than they were sent.

use super::{Push, settle::Sought};
use crate::{
    engine::meaning::Of,
    store::{Placement, PlacementKey, TargetKey},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use transhume_contract::{Collection, Fault, Reach};

/// Placements looked at in one read of the store.
const PAGE: usize = 2000;

/// How much what stands at a target is like what was sent there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// Nobody but the target itself wrote into it.
    AsSent,
    /// It says what its original says, as far as that can be compared; people may have written into it.
    InMeaning,
    None,
}

impl Push<'_> {
    /// Learns the versions of what was placed or moved and has none, in the pass that did it: what people write
    /// afterwards is theirs then. Answers up to where it looked, to go on after.
    pub(super) async fn learn_placed(&self, after: Option<PlacementKey>) -> Result<Option<PlacementKey>, Fault> {
        if self.engine.rehearsing || !self.traits.replaces {
            return Ok(after);
        }
        let learn = |(key, at): (TargetKey, Collection)| async move { self.learn_at(key, &at, after).await };
        let collections = stream::iter(self.collections().await?).map(learn);
        let mut learnt = collections.buffer_unordered(self.traits.lanes.max(1));
        let mut last = after;
        while let Some(here) = learnt.next().await {
            match here {
                Ok(here) => last = last.max(here),
                // One that cannot be read now keeps nothing from the others: its versions are learnt in a later pass.
                Err(fault) if fault.reach < Reach::Account => {
                    tracing::warn!(%fault, "what was placed in a collection cannot be read back now");
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(last)
    }

    async fn learn_at(
        &self,
        key: TargetKey,
        at: &Collection,
        mut after: Option<PlacementKey>,
    ) -> Result<Option<PlacementKey>, Fault> {
        loop {
            let mut page = self.store.placements_untold(key, after, PAGE).await?;
            let Some(last) = page.last().map(|placement| placement.key) else { return Ok(after) };
            self.engine.stop.check()?;
            self.learn_versions(at, &mut page).await?;
            // What people wrote into tells nothing in the next pass either.
            self.store.record_asked(page.iter().map(|placement| placement.key).collect()).await?;
            after = Some(last);
        }
    }

    /// Learns the versions of those placements that have none, where the target puts one thing in the place of another
    /// and must know it. What stands there as it was sent is ours; where anybody wrote into it, nothing is learnt. So no
    /// version is ever taken on trust from what was asked later.
    pub(super) async fn learn_versions<'a>(
        &self,
        at: &Collection,
        placements: impl IntoIterator<Item = &'a mut Placement>,
    ) -> Result<(), Fault> {
        if self.engine.rehearsing || !self.traits.replaces {
            return Ok(());
        }
        let untold = |one: &&mut Placement| one.version.is_none() && one.handle.is_some();
        let (mut some, mut bytes) = (Vec::new(), 0);
        for placement in placements.into_iter().filter(untold) {
            bytes += placement.stored.length;
            some.push(placement);
            // What stands there is read whole: no more of it at once than is placed at once.
            if bytes >= self.traits.batch.bytes {
                self.learn(at, std::mem::take(&mut some)).await?;
                bytes = 0;
            }
        }
        self.learn(at, some).await
    }

    async fn learn(&self, at: &Collection, placements: Vec<&mut Placement>) -> Result<(), Fault> {
        if placements.is_empty() {
            return Ok(());
        }
        let sought: Vec<_> = placements.iter().map(|placement| Sought::of_placement(placement)).collect();
        let found = self.matches(at, &sought).await?;
        let mut learnt = Vec::new();
        for placement in placements {
            let own = found
                .iter()
                .find(|found| found.intent == placement.intent && Some(&found.handle) == placement.handle.as_ref());
            let Some(found) = own.filter(|found| found.version.is_some()) else { continue };
            placement.version.clone_from(&found.version);
            learnt.push((placement.key, found.handle.clone(), found.version.clone()));
        }
        self.store.name_placements(learnt).await
    }

    /// How much what was found is like what was sent. Where it is not as it was sent, its meaning tells whether it is
    /// ours nevertheless.
    pub(super) async fn likeness(&self, sought: &Sought, content: &Bytes) -> Result<Likeness, Fault> {
        let of = Of { store: self.store, workload: self.workload, setting: &self.audience.setting };
        let Some(rendering) = sought.rendering() else { return Ok(Likeness::AsSent) };
        if self.engine.changed_there(of, sought.sent(), content).await?.is_empty() {
            return Ok(Likeness::AsSent);
        }
        let said = self.engine.differences_there(of, vec![(rendering, content.clone(), Vec::new())]).await?;
        Ok(if said.iter().all(Vec::is_empty) { Likeness::InMeaning } else { Likeness::None })
    }
}
