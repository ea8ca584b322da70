//! Moving what was moved at the source: intended, then done; where the answer was lost, found out by looking.
//!
//! On a server without MOVE a move is a copy and a removal, and may end between the two: done again blindly, it would
//! leave the message twice.

use super::{Push, routes::Route, settle::Sought};
use crate::{
    engine::Event,
    store::{Moving, OpenMove, Placement, TargetKey},
};
use std::collections::{BTreeMap, BTreeSet};
use transhume_contract::{Collection, Fault, Found, IntentId, Outcome, Placed, Reach, What};

/// Moves written down at once.
const PAGE: usize = 500;

type Collections = BTreeMap<TargetKey, Collection>;

/// What stands where messages were to go.
struct Copies {
    found: BTreeMap<IntentId, Found>,
    /// Nobody knows: what would tell stands in a collection that cannot be looked into now.
    doubted: BTreeSet<IntentId>,
}

impl Push<'_> {
    /// What was moved at the source is moved at the target.
    pub(super) async fn follow_moves(&self) -> Result<(), Fault> {
        let (pushed, mut after, mut moved) = (self.routes.pushed(), None, 0);
        let at = self.collections().await?;
        loop {
            let page = self.store.placements_to_move(self.workload, &pushed, after, PAGE).await?;
            let Some(last) = page.last().map(|moving| moving.placement.key) else { break };
            for (moving, route) in self.intend_moves(&at, page).await? {
                self.engine.stop.check()?;
                moved += u64::from(self.follow(&at, &moving, &route).await?);
            }
            after = Some(last);
        }
        self.tell_moved(moved);
        Ok(())
    }

    fn tell_moved(&self, items: u64) {
        if items > 0 {
            self.engine.tell(Event::Relocated { account: self.account(), items });
        }
    }

    /// Writes down what is about to be moved, and where to.
    async fn intend_moves(&self, at: &Collections, page: Vec<Moving>) -> Result<Vec<(Moving, Route)>, Fault> {
        let mut intended = Vec::with_capacity(page.len());
        for moving in page.into_iter().filter(|moving| at.contains_key(&moving.placement.at)) {
            match self.routes.route(moving.to).await {
                Ok(route) => intended.push((moving, route)),
                Err(fault) => self.put_off(moving.placement.key, fault).await?,
            }
        }
        if !self.engine.rehearsing {
            let rows = intended.iter().map(|(moving, route)| (moving.placement.key, moving.to, route.key));
            self.store.intend_moves(rows.collect()).await?;
        }
        Ok(intended)
    }

    async fn follow(&self, at: &Collections, moving: &Moving, route: &Route) -> Result<bool, Fault> {
        let placement = &moving.placement;
        let Some(standing) = standing(at, placement) else { return Ok(false) };
        if self.engine.rehearsing {
            return Ok(true);
        }
        match self.engine.stop.settling(self.target.relocate(&standing, &route.at, None)).await {
            Ok(placed) => {
                self.store.record_moved(placement.key, moving.to, route.key, &placed).await?;
                self.routes.touch(route.key).await;
                Ok(true)
            }
            Err(fault) if fault.what == What::Vanished => {
                self.store.record_lost(placement.key, Some(moving.to)).await.map(|()| false)
            }
            Err(fault) => {
                if fault.outcome == Outcome::NotDone && fault.reach < Reach::Account {
                    self.store.forget_move(placement.key).await?;
                }
                self.put_off(placement.key, fault).await.map(|()| false)
            }
        }
    }

    /// Resolves every move nobody answered for: where a copy is found, what it was made from is removed; where none is,
    /// nothing was done, and the move is offered again.
    pub(super) async fn settle_moves(&self) -> Result<(), Fault> {
        if self.engine.rehearsing {
            return Ok(());
        }
        let (mut after, mut moved) = (None, 0);
        loop {
            let page = self.store.open_moves(self.workload, after, PAGE).await?;
            let Some(last) = page.last().map(|open| open.placement.key) else { break };
            let at = self.collections().await?;
            let mut by_target = BTreeMap::<TargetKey, Vec<OpenMove>>::new();
            page.into_iter().for_each(|open| by_target.entry(open.at).or_default().push(open));
            for (key, open) in by_target {
                self.engine.stop.check()?;
                moved += self.settle_moves_to(&at, key, open).await?;
            }
            after = Some(last);
        }
        self.tell_moved(moved);
        Ok(())
    }

    async fn settle_moves_to(&self, at: &Collections, key: TargetKey, open: Vec<OpenMove>) -> Result<u64, Fault> {
        let Some(to) = at.get(&key) else { return Ok(0) };
        let looked = self.copies(at, key, to, &open).await;
        let Some(Copies { found, doubted }) = self.or_refused(key, looked).await? else { return Ok(0) };
        let mut moved = 0;
        for open in open.into_iter().filter(|open| !doubted.contains(&open.placement.intent)) {
            match found.get(&open.placement.intent) {
                Some(copy) => moved += u64::from(self.adopt(at, to, &open, copy).await?),
                None => self.store.forget_move(open.placement.key).await?,
            }
        }
        Ok(moved)
    }

    /// The copies that stand where messages were to go. A copy is marked as deleted where the message is: people did
    /// that, or it would not stand there any more. Any other that is marked is what an earlier move left behind.
    async fn copies(
        &self,
        at: &Collections,
        key: TargetKey,
        to: &Collection,
        open: &[OpenMove],
    ) -> Result<Copies, Fault> {
        // A placement without a handle claims nothing: its message would be taken for the copy of an equal one.
        self.name_at(key, to).await?;
        let sought: Vec<_> = open.iter().map(|open| Sought::of_placement(&open.placement)).collect();
        let mut found = self.matches(to, &sought).await?;
        let marked: BTreeSet<_> = found.iter().filter(|one| one.deleted).map(|one| one.intent.clone()).collect();
        let of_marked = open.iter().filter(|open| marked.contains(&open.placement.intent));
        let (unmarked, doubted) = self.stand_unmarked(at, of_marked.map(|open| &open.placement)).await?;
        found.retain(|one| !doubted.contains(&one.intent) && (!one.deleted || !unmarked.contains(&one.intent)));
        let found = self.share_out(key, found, &sought).await?;
        Ok(Copies { found, doubted })
    }

    /// Which of these stand where they were placed, and nobody marked them as deleted; and of which that cannot be told.
    async fn stand_unmarked(
        &self,
        at: &Collections,
        placements: impl Iterator<Item = &Placement>,
    ) -> Result<(BTreeSet<IntentId>, BTreeSet<IntentId>), Fault> {
        let mut by_place = BTreeMap::<TargetKey, Vec<&Placement>>::new();
        placements.for_each(|placement| by_place.entry(placement.at).or_default().push(placement));
        let (mut unmarked, mut doubted) = (BTreeSet::new(), BTreeSet::new());
        for (key, placements) in by_place {
            let Some(from) = at.get(&key) else { continue };
            let sought: Vec<_> = placements.iter().map(|placement| Sought::of_placement(placement)).collect();
            let handles: BTreeMap<_, _> = placements.iter().map(|one| (&one.intent, one.handle.as_ref())).collect();
            let looked = self.matches(from, &sought).await;
            let Some(found) = self.or_refused(key, looked).await? else {
                doubted.extend(placements.iter().map(|one| one.intent.clone()));
                continue;
            };
            let standing = found.into_iter().filter(|one| !one.deleted);
            let own = standing.filter(|one| handles.get(&one.intent) == Some(&Some(&one.handle)));
            unmarked.extend(own.map(|one| one.intent));
        }
        Ok((unmarked, doubted))
    }

    /// A copy stands where the message was to go: it takes the place of the one it was made from.
    async fn adopt(&self, at: &Collections, to: &Collection, open: &OpenMove, copy: &Found) -> Result<bool, Fault> {
        let mut placement = open.placement.clone();
        if let Some(from) = at.get(&placement.at) {
            let learnt = self.learn_versions(from, [&mut placement]).await;
            if self.or_refused(placement.at, learnt).await?.is_none() {
                return Ok(false);
            }
        }
        let Some(standing) = standing(at, &placement) else { return Ok(false) };
        let order = self.target.relocate(&standing, to, Some(&copy.handle));
        let placed = match self.engine.stop.settling(order).await {
            Err(fault) if fault.what == What::Vanished => {
                Placed { handle: Some(copy.handle.clone()), version: copy.version.clone(), ..Placed::default() }
            }
            Err(fault) => return self.put_off(open.placement.key, fault).await.map(|()| false),
            Ok(placed) => placed,
        };
        // As it was found, and compared.
        let placed = Placed { version: placed.version.or_else(|| copy.version.clone()), ..placed };
        self.store.record_moved(open.placement.key, open.to, open.at, &placed).await?;
        self.routes.touch(open.at).await;
        Ok(true)
    }
}

fn standing(at: &Collections, placement: &Placement) -> Option<transhume_contract::Placement> {
    at.get(&placement.at).and_then(|at| placement.at_target(at))
}
