//! Rendering anew what stands at the target, after the conversions or their tables were corrected. It is done when
//! somebody asks: what is placed anew is new to the people there.

use super::{Audience, Engine, Event, Mover, release::opened, rendering::ToRender};
use crate::store::{AccountStore, MadeBy, Placement, PlacementKey, Project, Rerendered, TargetKey};
use std::collections::BTreeMap;
use transhume_contract::{Fault, Reach, What, Workload};

/// Placements rendered at once.
const PAGE: usize = 200;

/// What rendering anew came to, for one workload of an account.
#[derive(Clone, Copy, Default)]
struct Sum {
    changed: u64,
    refused: u64,
}

impl Engine {
    /// Renders anew everything that stands at the target by an earlier edition, other tables or another profile. What
    /// comes out otherwise is marked: the next push places it anew and withdraws the old one if nobody touched it; of
    /// the rest only the facts are looked at again. Answers how many are to be placed anew.
    pub async fn rerender(&self, project: &Project, movers: &[Mover]) -> Result<u64, Fault> {
        let mut changed = 0;
        for mover in movers {
            let mut sums = BTreeMap::new();
            let outcome = self.rerender_account(project, mover, &mut sums).await;
            for (workload, sum) in sums {
                self.tell_rerendered(mover, workload, sum);
                changed += sum.changed;
            }
            match outcome {
                Err(fault) if fault.reach == Reach::Run || fault.what == What::Interrupted => return Err(fault),
                Err(fault) => self.tell(Event::Stopped { account: mover.address().into(), fault }),
                Ok(()) => {}
            }
        }
        Ok(changed)
    }

    async fn rerender_account(
        &self,
        project: &Project,
        mover: &Mover,
        sums: &mut BTreeMap<Workload, Sum>,
    ) -> Result<(), Fault> {
        let Some(store) = opened(project, mover).await? else { return Ok(()) };
        for workload in self.workloads() {
            let profile = self.target_traits(workload, &mover.target).await?.profile;
            let audience = self.audience(&store, workload, profile).await?;
            for (key, _) in store.target_collections(workload).await? {
                self.rerender_at(&store, workload, &audience, key, sums.entry(workload).or_default()).await?;
            }
        }
        Ok(())
    }

    fn tell_rerendered(&self, mover: &Mover, workload: Workload, Sum { changed, refused }: Sum) {
        let note = |sentence| self.tell(Event::Note { account: Some(mover.address().into()), sentence });
        if changed > 0 {
            note(format!("to be placed anew, for they read otherwise now: {}", workload.items(changed)));
        }
        if refused > 0 {
            note(format!("left as they stand, for they could not be rendered anew: {}", workload.items(refused)));
        }
    }

    /// What a rendering made now would be made by.
    pub(super) fn made_by(&self, workload: Workload, audience: &Audience) -> MadeBy {
        let profiles = [false, true].map(|apart| audience.of_one(apart).digest);
        (self.render.edition(workload), self.render.tables(workload), profiles)
    }

    async fn rerender_at(
        &self,
        store: &AccountStore,
        workload: Workload,
        audience: &Audience,
        key: TargetKey,
        sum: &mut Sum,
    ) -> Result<(), Fault> {
        let (made_by, mut after) = (self.made_by(workload, audience), None::<PlacementKey>);
        loop {
            self.stop.check()?;
            let page = store.placements_otherwise(key, made_by, after, PAGE).await?;
            let Some(last) = page.last().map(|placement| placement.key) else { return Ok(()) };
            let rerendered = self.rerender_page(store, workload, audience, &page).await?;
            sum.refused += (page.len() - rerendered.len()) as u64;
            sum.changed += rerendered.iter().filter(|one| one.differs).count() as u64;
            if !self.rehearsing {
                store.record_rerendered(rerendered).await?;
            }
            after = Some(last);
        }
    }

    /// What cannot be rendered any more stays as it stands, and is told.
    async fn rerender_page(
        &self,
        store: &AccountStore,
        workload: Workload,
        audience: &Audience,
        page: &[Placement],
    ) -> Result<Vec<Rerendered>, Fault> {
        let to_render = |placement: &Placement| {
            let (item, original) = (placement.item, placement.original);
            ToRender { item, original, rendered_before: true, apart: placement.apart }
        };
        let of: Vec<_> = page.iter().map(to_render).collect();
        let renderings = self.keep_renderings_of(store, workload, audience, &of).await?;
        let compared = page.iter().filter_map(|placement| match renderings.get(&placement.item)? {
            Ok(made) => {
                let differs = made.stored != placement.stored;
                Some(Rerendered { placement: placement.key, rendering: made.key, differs })
            }
            Err(fault) => {
                let (account, item) = (store.account().address.clone(), placement.item.number().to_string());
                self.tell(Event::Refused { account, item, quarantined: false, fault: fault.clone() });
                None
            }
        });
        Ok(compared.collect())
    }
}
