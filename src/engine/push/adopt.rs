//! Taking for placed what stood at the target before anything of ours, where the policy says so.

use super::{Push, place::within, routes::Route, settle::Sought};
use crate::{
    engine::{Event, Existing, rendering::ToRender},
    store::{Adopting, CollectionKey, Intending, Mark, Rendering, Sending, ToPlace},
};
use transhume_contract::Fault;

/// Items looked for at once: every look reads the whole collection at the target.
const AT_ONCE: usize = 2000;

/// An item that may stand there already, with its rendering, which the store keeps.
type Candidate = (ToPlace, Rendering);

impl Push<'_> {
    /// Whether what stands there already is looked for before anything is placed.
    pub(super) fn adopts(&self) -> bool {
        self.engine.policy.existing == Existing::Adopt && !self.engine.rehearsing
    }

    /// Takes for placed what is ready, stands there byte for byte, and nothing of ours answers for.
    pub(super) async fn take_for_placed(&self, from: CollectionKey, route: &Route) -> Result<(), Fault> {
        if !self.adopts() {
            return Ok(());
        }
        // A placement without a handle claims nothing: its message would be taken for one of other origin.
        self.name_at(route.key, &route.at).await?;
        let (mut after, mut adopted) = (None, 0);
        loop {
            let candidates = self.candidates(from, &mut after).await?;
            if candidates.is_empty() {
                break;
            }
            adopted += self.adopt_some(route, candidates).await?;
        }
        if adopted > 0 {
            let sentence = format!(
                "stood in {} already, and not placed again: {}",
                self.routes.name(from),
                self.workload.items(adopted as u64)
            );
            self.engine.tell(Event::Note { account: Some(self.account()), sentence });
        }
        Ok(())
    }

    /// The next items that are ready, rendered a batch at a time. What cannot be rendered is told when it is to be
    /// placed.
    async fn candidates(&self, from: CollectionKey, after: &mut Option<Mark>) -> Result<Vec<Candidate>, Fault> {
        let mut candidates = Vec::new();
        while candidates.len() < AT_ONCE {
            self.engine.stop.check()?;
            let page = self.store.items_to_place(from, *after, self.traits.batch.items.max(1)).await?;
            let page = within(page, self.traits.batch.bytes);
            let Some(last) = page.last().map(|item| item.mark) else { break };
            let of: Vec<_> = page.iter().map(ToRender::from).collect();
            let mut kept = self.engine.keep_renderings_of(self.store, self.workload, &self.audience, &of).await?;
            let rendered = page.into_iter().filter_map(|item| {
                let rendering = kept.remove(&item.item)?.ok()?;
                Some((item, rendering))
            });
            candidates.extend(rendered);
            *after = Some(last);
        }
        Ok(candidates)
    }

    async fn adopt_some(&self, route: &Route, candidates: Vec<Candidate>) -> Result<usize, Fault> {
        let sought: Vec<_> = candidates
            .iter()
            .map(|(item, rendering)| Sought::to_adopt(rendering, self.facts_of(&item.facts, None).0))
            .collect();
        let mut found = self.unclaimed(route.key, &route.at, &sought).await?;
        let mut adopting = Vec::new();
        for ((ToPlace { item, from, facts, revision, .. }, rendering), sought) in candidates.into_iter().zip(sought) {
            let Some(found) = found.remove(sought.name()) else { continue };
            let (facts, losses) = self.facts_of(&facts, None);
            let (at, sending) = (route.key, Sending::Kept(rendering));
            // What people set there before stays set, and what the source set is added.
            let base = Some(facts.adopting(&found.facts));
            let intending = Intending { item, from, at, sending, facts, base, revision, losses, instead: None };
            adopting.push(Adopting { intending, found });
        }
        let adopted = adopting.len();
        self.store.adopt(adopting).await?;
        Ok(adopted)
    }
}
