//! Whether a rendering, or what a target made of it, says what its original says, but for the losses named.

use super::compare::Comparison;
use crate::{
    engine::{
        meaning::{Of, Said},
        rendering::Loaded,
    },
    store::{Placement, RenderingKey},
};
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::{Depth, Fault, Handle, Observed};

impl Comparison<'_> {
    const fn of(&self) -> Of<'_> {
        Of { store: self.store, workload: self.workload, setting: self.setting }
    }

    /// What renderings say differently from their originals, by rendering: those that the placements were made of, by
    /// whatever edition. Only asked of what is read at depth `content`, and whose bytes are not the original's own.
    pub(super) async fn unfaithful(&self, ours: &[Placement]) -> Result<BTreeMap<RenderingKey, Vec<String>>, Fault> {
        let read = |placement: &&Placement| {
            placement.handle.as_ref().is_some_and(|handle| self.look.depth_of(handle) == Depth::Content)
        };
        let keys: BTreeSet<_> = ours.iter().filter(read).map(|placement| placement.rendering).collect();
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let renderings = self.store.renderings_placed(keys.into_iter().collect()).await?;
        let originals = renderings.iter().map(|rendering| rendering.original).collect();
        let loaded = self.store.load_originals(originals).await?;
        let mut found = BTreeMap::new();
        for (rendering, (original, bodies)) in renderings.into_iter().zip(loaded) {
            self.engine.stop.check()?;
            // Of several parts none can be the whole message.
            let is_original = matches!(original.parts.as_slice(), [only] if only.digest == rendering.stored.digest);
            if !is_original {
                let loaded = Loaded::new(rendering.item, original, bodies);
                let said = Said::Rendered(self.store.body(&rendering.stored.digest).await?);
                let differences = self.engine.differences(self.of(), loaded, said, rendering.losses).await?;
                found.insert(rendering.key, differences);
            }
        }
        Ok(found)
    }

    /// What stands at a target that rewrites what it stores, and says otherwise than its original.
    pub(super) async fn said_otherwise(
        &self,
        ours: &BTreeMap<Handle, &Placement>,
        page: &[Observed],
    ) -> Result<BTreeMap<Handle, Vec<String>>, Fault> {
        let rewritten = |one: &Observed| {
            let (placement, content) = (*ours.get(&one.handle)?, one.content.clone()?);
            (one.digest != Some(placement.stored.digest)).then_some((placement, content))
        };
        let rewritten: Vec<_> = page.iter().filter_map(rewritten).collect();
        let there = rewritten
            .iter()
            .map(|(placement, content)| (placement.rendering, content.clone(), placement.losses.clone()));
        let said = self.engine.differences_there(self.of(), there.collect()).await?;
        let handles = rewritten.into_iter().filter_map(|(placement, _)| placement.handle.clone());
        Ok(handles.zip(said).collect())
    }
}
