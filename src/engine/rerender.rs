//! Rendering anew what stands at the target, after the conversions or their tables were corrected. It is done when
//! somebody asks: what is placed anew is new to the people there.

use super::{
    Engine, Event, Mover,
    release::opened,
    rendering::{Audience, ToRender},
};
use crate::store::{AccountStore, Placement, PlacementKey, Project, Rerendered, TargetKey};
use transhume_contract::{Fault, Workload};

/// Placements rendered at once.
const PAGE: usize = 200;

impl Engine {
    /// Renders anew everything that stands at the target by an earlier edition, other tables or another profile. What
    /// comes out otherwise is marked: the next push places it anew and withdraws the old one if nobody touched it; of
    /// the rest only the facts are looked at again. Answers how many are to be placed anew.
    pub async fn rerender(&self, project: &Project, movers: &[Mover]) -> Result<u64, Fault> {
        let mut changed = 0;
        for mover in movers {
            let Some(store) = opened(project, mover).await? else { continue };
            for workload in self.workloads() {
                let of_one = self.rerender_workload(&store, mover, workload).await?;
                if of_one > 0 {
                    let sentence = format!("{of_one} messages read otherwise now, and are to be placed anew");
                    self.tell(Event::Note { account: Some(mover.address().into()), sentence });
                }
                changed += of_one;
            }
        }
        Ok(changed)
    }

    async fn rerender_workload(&self, store: &AccountStore, mover: &Mover, workload: Workload) -> Result<u64, Fault> {
        let audience = Audience::of(self.target(workload)?.traits(&mover.target).await?.profile)?;
        let mut changed = 0;
        for (key, _) in store.target_collections(workload).await? {
            changed += self.rerender_at(store, workload, &audience, key).await?;
        }
        Ok(changed)
    }

    async fn rerender_at(
        &self,
        store: &AccountStore,
        workload: Workload,
        audience: &Audience,
        key: TargetKey,
    ) -> Result<u64, Fault> {
        let made_by = (self.render.edition(workload), self.render.tables(), audience.digest);
        let (mut changed, mut after) = (0, None::<PlacementKey>);
        loop {
            self.stop.check()?;
            let page = store.placements_otherwise(key, made_by, after, PAGE).await?;
            let Some(last) = page.last().map(|placement| placement.key) else { return Ok(changed) };
            let rerendered = self.rerender_page(store, workload, audience, &page).await?;
            changed += rerendered.iter().filter(|one| one.differs).count() as u64;
            if !self.rehearsing {
                store.record_rerendered(rerendered).await?;
            }
            after = Some(last);
        }
    }

    /// What cannot be rendered any more stays as it stands.
    async fn rerender_page(
        &self,
        store: &AccountStore,
        workload: Workload,
        audience: &Audience,
        page: &[Placement],
    ) -> Result<Vec<Rerendered>, Fault> {
        let to_render = |placement: &Placement| {
            let (item, original) = (placement.item, placement.original);
            ToRender { item, original, rendered_before: true }
        };
        let of: Vec<_> = page.iter().map(to_render).collect();
        let renderings = self.keep_renderings_of(store, workload, audience, &of).await?;
        let compared = page.iter().filter_map(|placement| {
            let made = renderings.get(&placement.item)?.as_ref().ok()?;
            let differs = made.stored != placement.stored;
            Some(Rerendered { placement: placement.key, rendering: made.key, differs })
        });
        Ok(compared.collect())
    }
}
