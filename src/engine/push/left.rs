//! What an interrupted run of ours left at the target beside the items.

use super::Push;
use crate::engine::Kind;
use futures::StreamExt;
use std::collections::BTreeSet;
use transhume_contract::{Collection, Depth, Fault, Handle, Reach, What};

impl Push<'_> {
    /// Has the target look, at the end of the pass, after collections where verification found something left behind:
    /// nothing else may have to be done there. It is asked where they stood, and nothing is ensured: in what people
    /// deleted nothing is left. What is gone is no difference any longer.
    pub(super) async fn look_after_what_was_left(&self) -> Result<(), Fault> {
        let (kind, rehearsing) = (Kind::LeftBehind.name(), self.engine.rehearsing);
        let left = if rehearsing { BTreeSet::new() } else { self.store.targets_with(self.workload, kind).await? };
        if left.is_empty() {
            return Ok(());
        }
        for (key, at) in self.collections().await?.into_iter().filter(|(key, _)| left.contains(key)) {
            match self.sweep(&at).await {
                Ok(still) => self.store.forget_extras(key, kind, still).await?,
                Err(fault) if fault.reach < Reach::Account => {
                    tracing::warn!(%fault, "what an interrupted run left in a collection cannot be looked after now");
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Answers what is left there still.
    async fn sweep(&self, at: &Collection) -> Result<BTreeSet<Handle>, Fault> {
        match self.engine.stop.settling(self.target.settle(at)).await {
            Err(fault) if fault.what == What::Vanished => return Ok(BTreeSet::new()),
            settled => settled?,
        }
        let (mut still, mut seen) = (BTreeSet::new(), self.target.observe(at, Depth::Presence.into()));
        while let Some(one) = self.engine.stop.unless(async { Ok(seen.next().await) }).await? {
            match one {
                Ok(one) if self.target.is_left_behind(&one) => drop(still.insert(one.handle)),
                Ok(_) => {}
                Err(fault) if fault.what == What::Vanished => return Ok(BTreeSet::new()),
                Err(fault) => return Err(fault),
            }
        }
        Ok(still)
    }
}
