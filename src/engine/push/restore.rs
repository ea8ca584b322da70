//! Bringing back from the store what is missing at the target and the source no longer holds: no push would.

use super::Push;
use crate::store::{Placement, PlacementKey, PlacementState, Restoring};
use std::collections::BTreeSet;
use transhume_contract::{Fault, Reach};

impl Push<'_> {
    /// Places again, where they stood, those that the source no longer holds there, but for what the policy would
    /// withdraw. Answers which it took care of.
    pub(super) async fn restore(&self, name: &str, missing: &[Placement]) -> Result<BTreeSet<PlacementKey>, Fault> {
        let keys = missing.iter().map(|placement| placement.key).collect();
        let restoring = self.store.placements_to_restore(keys, &self.routes.pushed()).await?;
        let taken = restoring.iter().map(|one| one.placement.key).collect();
        let (mut restored, mut withdrawn) = (0, 0);
        for one in restoring {
            self.engine.stop.check()?;
            if one.gone && self.engine.policy.withdraw_deleted {
                self.store.repair(one.placement.key).await?;
                withdrawn += 1;
            } else {
                restored += u64::from(self.restore_one(one).await?);
            }
        }
        if restored > 0 {
            let told = format!("{restored} missing in {name} were placed again from the store");
            self.note(format!("{told}: the source no longer holds them there"));
        }
        if withdrawn > 0 {
            let told = format!("{withdrawn} missing in {name} were deleted at the source");
            self.note(format!("{told}, and stay away (policy withdraw_deleted)"));
        }
        Ok(taken)
    }

    /// The old one is let go only once the new one is known to stand there: killed in between, the next repair finds that
    /// it does. What fails keeps its verdict, and is missing still. What may be on its way already is not sent again.
    async fn restore_one(&self, one: Restoring) -> Result<bool, Fault> {
        let Placement { key, item, from, .. } = one.placement;
        if !one.placed_anew && !one.on_its_way {
            match self.place_one(one.next, None).await {
                Err(fault) if fault.reach < Reach::Account => {
                    self.routes.refused(from, fault).await?;
                    return Ok(false);
                }
                placed => placed?,
            }
        }
        if !one.placed_anew {
            // Where the answer was lost, looking decides.
            self.settle_intents().await?;
        }
        let all = self.store.placements_of(item).await?;
        let stands = all.iter().any(|new| new.key > key && new.from == from && new.state == PlacementState::Present);
        if stands {
            self.store.repair(key).await?;
        }
        Ok(stands)
    }
}
