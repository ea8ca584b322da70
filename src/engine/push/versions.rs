//! Versions that a target did not tell: many servers tell none of what they store in other words than they were sent.

use super::{Push, settle::Sought};
use crate::store::Placement;
use transhume_contract::{Collection, Fault};

impl Push<'_> {
    /// Learns the versions of those placements that have none, where the target puts one thing in the place of another
    /// and must know it. What stands there and says what was placed is ours as it stands; where it says something else,
    /// people wrote into it, and nothing is learnt. So no version is ever taken on trust from what was asked later.
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
}
