//! Whether a rendering says what its original says, but for the losses named.

use super::compare::Comparison;
use crate::{
    engine::rendering::{Loaded, blocking_reader},
    store::{Placement, Rendering, RenderingKey},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use transhume_contract::{Depth, Fault, Reach, What};

impl Comparison<'_> {
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
                found.insert(rendering.key, self.compare_meaning(loaded, &rendering).await?);
            }
        }
        Ok(found)
    }

    async fn compare_meaning(&self, loaded: Loaded, rendering: &Rendering) -> Result<Vec<String>, Fault> {
        let body = self.store.body(&rendering.stored.digest).await?;
        let (meaning, workload, losses) = (Arc::clone(&self.engine.meaning), self.workload, rendering.losses.clone());
        let handle = tokio::runtime::Handle::current();
        let work = move || {
            let mut reader = blocking_reader(&body, &handle)?;
            meaning.differences(workload, &loaded, &mut *reader, &losses)
        };
        let broken = |error: std::io::Error| {
            Fault::new(What::StoreBroken, format!("an original could not be read: {error}")).reaching(Reach::Account)
        };
        let cut_short = |_| crate::engine::defect("a comparison was cut short");
        tokio::task::spawn_blocking(work).await.map_err(cut_short)?.map_err(broken)
    }
}
