//! Whether a rendering, or what a target made of it, says what its original says, but for the losses named.

use super::{compare::Comparison, judge::Reading};
use crate::{
    engine::{
        Audience,
        meaning::{Of, Said},
        rendering::{Loaded, ToRender},
    },
    store::{Placement, Rendering, RenderingKey},
};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::{Depth, Fault, Handle, Observed};

impl Comparison<'_> {
    const fn of(&self) -> Of<'_> {
        Of { store: self.store, workload: self.workload, setting: &self.audience.setting }
    }

    /// How renderings read beside their originals: those that the placements were made of, by whatever edition. Only
    /// asked of what is read at depth `content`, and whose bytes are not the original's own.
    pub(super) async fn readings(&self, ours: &[Placement]) -> Result<BTreeMap<RenderingKey, Reading>, Fault> {
        let read = |placement: &&Placement| {
            placement.handle.as_ref().is_some_and(|handle| self.look.depth_of(handle) == Depth::Content)
        };
        let read: Vec<_> = ours.iter().filter(read).collect();
        let keys: BTreeSet<_> = read.iter().map(|placement| placement.rendering).collect();
        let apart: BTreeSet<_> = read.iter().filter(|one| one.apart).map(|placement| placement.rendering).collect();
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
                let audience = self.audience.of_one(apart.contains(&rendering.key));
                found.insert(rendering.key, self.reading(&rendering, loaded, &audience).await?);
            }
        }
        Ok(found)
    }

    async fn reading(&self, rendering: &Rendering, loaded: Loaded, audience: &Audience) -> Result<Reading, Fault> {
        let said = Said::Rendered(self.store.body(&rendering.stored.digest).await?);
        let found = self.engine.differences(self.of(), loaded, said, rendering.losses.clone()).await?;
        if found.is_empty() {
            return Ok(Reading::Faithful);
        }
        let others = rendering.profile != audience.digest;
        if others && self.is_mended_by_rendering_anew(rendering, audience.apart).await? {
            return Ok(Reading::Outdated(found));
        }
        Ok(Reading::Unfaithful(found))
    }

    /// Who is who is known only as it is now. What was rendered for others is not to blame if rendering it now says what
    /// the original says.
    async fn is_mended_by_rendering_anew(&self, rendering: &Rendering, apart: bool) -> Result<bool, Fault> {
        let anew = [ToRender { item: rendering.item, original: rendering.original, rendered_before: true, apart }];
        let made = self.engine.renderings_of(self.store, self.workload, self.audience, &anew).await?;
        let Some(Ok(made)) = made.into_values().next() else { return Ok(false) };
        let body = match made.body {
            Some(body) => body,
            None => self.store.body(&made.stored.digest).await?,
        };
        let Some((original, bodies)) = self.store.load_originals(vec![rendering.original]).await?.pop() else {
            return Ok(false);
        };
        let (loaded, losses) = (Loaded::new(rendering.item, original, bodies), made.sending.losses().to_vec());
        let left = self.engine.differences(self.of(), loaded, Said::Rendered(body), losses).await?;
        Ok(left.is_empty())
    }

    /// What stands at a target that rewrites what it stores, and says otherwise than its original. Two readers of an
    /// original need not agree in each letter of its text; what was placed and what stands there have to.
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
        let mut said = self.engine.differences_there(self.of(), there.collect()).await?;
        for ((placement, content), said) in rewritten.iter().zip(&mut said) {
            let reworded = self.engine.reworded_there(self.of(), &placement.stored.digest, content).await?;
            let is_told = |one: &String| said.iter().any(|known| about(known) == about(one));
            let more: Vec<_> = reworded.into_iter().filter(|one| !is_told(one)).collect();
            said.extend(more);
        }
        let handles = rewritten.into_iter().filter_map(|(placement, _)| placement.handle.clone());
        Ok(handles.zip(said).collect())
    }
}

impl Comparison<'_> {
    /// Whether what stands there under a handle of others says what was placed: as it was sent, or in its meaning.
    pub(super) async fn says_the_same(&self, placement: &Placement, content: &Bytes) -> Result<bool, Fault> {
        if self.engine.changed_there(self.of(), &placement.stored.digest, content).await?.is_empty() {
            return Ok(true);
        }
        let there = vec![(placement.rendering, content.clone(), placement.losses.clone())];
        let said = self.engine.differences_there(self.of(), there).await?;
        Ok(said.iter().all(Vec::is_empty))
    }
}

/// `the description` of "the description was ...": what a sentence speaks of.
fn about(sentence: &str) -> &str {
    let words = sentence.split_once('`').map_or(sentence, |(words, _)| words);
    words.split(' ').nth(1).unwrap_or_default()
}
