//! Replacing what stands at the target by something newer: another original, or another rendering of the same.

use super::{Push, change::UpToDate, place::fitting, settle::Sought};
use crate::{
    engine::Event,
    store::{CollectionKey, Placement, PlacementState, Superseding, TargetKey, ToAmend},
};
use std::collections::BTreeMap;
use transhume_contract::{Amended, Collection, Fault, Known, Reach, What};

/// Placements looked at in one read of the store.
const PAGE: usize = 500;

type Collections = BTreeMap<TargetKey, Collection>;

/// What came of replacing one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Replaced {
    /// The newer one stands there, and the old one is gone.
    Done,
    /// People changed the old one: it stays, and nothing is placed beside it.
    Kept,
    /// The newer one stands there, beside the old one that people changed.
    Beside,
    /// Nothing to tell: it is owed, or people removed the old one.
    Not,
}

/// Whether something newer may take the place of what stands there.
enum May {
    /// It may, looking like this, where people decided anything.
    Replace(Option<Box<Amended>>),
    Not(Replaced),
}

impl Push<'_> {
    /// A newer original (a draft that changed) is placed anew, then the old placement is withdrawn if nobody touched it.
    /// Another rendering of the same original replaces only what still stands as it was placed.
    pub(super) async fn supersede(&self) -> Result<(), Fault> {
        let (mut after, mut replaced) = (None, Vec::new());
        let at = self.collections().await?;
        loop {
            let page = self.store.placements_to_supersede(self.workload, after, PAGE).await?;
            let Some(last) = page.last().map(|one| one.placement.key) else { break };
            if self.traits.replaces {
                replaced.extend(self.replace_page(&at, page).await?);
            } else {
                for one in page {
                    self.engine.stop.check()?;
                    let key = one.placement.key;
                    let came = self.replace(&at, one).await;
                    replaced.push(self.or_put_off(&[key], came).await?.unwrap_or(Replaced::Not));
                }
            }
            after = Some(last);
        }
        self.tell_replaced(&replaced);
        Ok(())
    }

    /// Collection by collection, as much at once as the target takes in one call.
    async fn replace_page(&self, at: &Collections, page: Vec<Superseding>) -> Result<Vec<Replaced>, Fault> {
        let mut by_place: BTreeMap<(TargetKey, CollectionKey), Vec<Superseding>> = BTreeMap::new();
        for one in page {
            by_place.entry((one.placement.at, one.next.from)).or_default().push(one);
        }
        let mut replaced = Vec::new();
        for ((key, from), mut all) in by_place {
            let Some(collection) = at.get(&key) else { continue };
            while !all.is_empty() {
                self.engine.stop.check()?;
                let fit = fitting(&all, |one| one.next.bytes, self.traits.batch.bytes);
                let rest = all.split_off(fit.min(self.traits.batch.items.max(1)).min(all.len()));
                replaced.extend(self.replace_in_place(collection, from, all).await?);
                all = rest;
            }
        }
        Ok(replaced)
    }

    fn tell_replaced(&self, replaced: &[Replaced]) {
        let count = |which: Replaced| replaced.iter().filter(|one| **one == which).count() as u64;
        let note = |sentence: String| self.engine.tell(Event::Note { account: Some(self.account()), sentence });
        if count(Replaced::Done) > 0 {
            let (account, items) = (self.account(), count(Replaced::Done));
            self.engine.tell(match self.traits.replaces {
                true => Event::Replaced { account, items },
                false => Event::Withdrawn { account, items },
            });
        }
        if count(Replaced::Kept) > 0 {
            let kept = self.workload.items(count(Replaced::Kept));
            note(format!(
                "left as they stand at the target, which is not as they were placed, though they read otherwise now: {kept}"
            ));
        }
        if count(Replaced::Beside) > 0 {
            let beside = self.workload.items(count(Replaced::Beside));
            note(format!("placed anew beside the old ones, which people changed at the target: {beside}"));
        }
    }

    async fn replace(&self, at: &Collections, mut one: Superseding) -> Result<Replaced, Fault> {
        let Some(stands_in) = at.get(&one.placement.at) else { return Ok(Replaced::Not) };
        if one.placed_anew {
            return self.withdraw_old(stands_in, &one.placement).await;
        }
        let may = match one.placement.original == one.next.original && !self.engine.rehearsing {
            true => self.may_rerender(stands_in, &mut one).await?,
            false => self.may_succeed(stands_in, &mut one).await?,
        };
        let like = match may {
            May::Replace(like) => like,
            May::Not(why) => return Ok(why),
        };
        self.place_one(one.next, like.as_deref()).await?;
        if self.engine.rehearsing {
            // Nothing stands there anew that could be found.
            return self.withdraw_old(stands_in, &one.placement).await;
        }
        // Only what is known to stand there may take the old one's place.
        let anew = self.store.placements_of(one.placement.item).await?;
        let is_new = |new: &Placement| new.key > one.placement.key && new.state == PlacementState::Present;
        if !anew.iter().any(is_new) {
            return Ok(Replaced::Not);
        }
        self.withdraw_old(stands_in, &one.placement).await
    }

    /// Looks before anything is placed: what people removed or filed elsewhere stays as they want it, what they wrote
    /// into stays theirs, and what they flagged keeps its flags.
    async fn may_rerender(&self, at: &Collection, one: &mut Superseding) -> Result<May, Fault> {
        let key = one.placement.key;
        let amended = match self.catch_up(at, one).await? {
            UpToDate::Is(amended) => amended,
            UpToDate::Vanished => return self.lose(key).await.map(|()| May::Not(Replaced::Not)),
            UpToDate::PutOff => return Ok(May::Not(Replaced::Not)),
        };
        let found = self.matches(at, &[Sought::of_placement(&one.placement)]).await?;
        if found.iter().any(|found| !found.deleted && Some(&found.handle) == one.placement.handle.as_ref()) {
            return Ok(May::Replace(Some(amended)));
        }
        self.store.record_kept(key).await.map(|()| May::Not(Replaced::Kept))
    }

    /// Another original comes whatever people did to the one before it. Where an amending of that one was cut in half,
    /// it is finished first: else our own doing would look like theirs, and the old one stay beside the new.
    async fn may_succeed(&self, at: &Collection, one: &mut Superseding) -> Result<May, Fault> {
        let half_done = !one.placement.begun.is_empty() && !self.engine.rehearsing;
        if half_done && matches!(self.catch_up(at, one).await?, UpToDate::PutOff) {
            return Ok(May::Not(Replaced::Not));
        }
        Ok(May::Replace(self.theirs(one)))
    }

    /// Brings the facts of the old one up to date.
    async fn catch_up(&self, at: &Collection, one: &mut Superseding) -> Result<UpToDate, Fault> {
        let (placement, facts, revision) = (one.placement.clone(), one.next.facts.clone(), one.next.revision);
        let change = ToAmend { placement, facts, revision };
        let came = self.bring_up_to_date(at, &change).await?;
        if let UpToDate::Is(amended) = &came {
            one.placement = change.placement.amended(amended);
        }
        Ok(came)
    }

    /// How another original looks where people decided otherwise of the one before it; `None` where they did not.
    fn theirs(&self, one: &Superseding) -> Option<Box<Amended>> {
        let Placement { facts, base, .. } = &one.placement;
        if *base == facts.amendable() || base == facts {
            return None;
        }
        let (want, losses) = self.facts_of(&one.next.facts, None);
        let known = Known { base: base.clone(), stood: facts.clone(), begun: Vec::new() };
        let merge = want.merge(&known, facts);
        let mut facts = facts.amendable();
        facts.apply(&merge.set);
        Some(Box::new(Amended { facts, base: merge.base, changed_there: Vec::new(), losses }))
    }

    async fn withdraw_old(&self, at: &Collection, old: &Placement) -> Result<Replaced, Fault> {
        let Some(standing) = old.at_target(at) else { return Ok(Replaced::Not) };
        if self.engine.rehearsing {
            return Ok(Replaced::Done);
        }
        match self.engine.stop.settling(self.target.withdraw(&standing)).await {
            Ok(losses) => self.store.record_superseded(old.key, losses).await.map(|()| Replaced::Done),
            // People removed the old one, or changed it: it is theirs now.
            Err(fault) if fault.what == What::Vanished => {
                self.store.record_superseded(old.key, Vec::new()).await.map(|()| Replaced::Not)
            }
            Err(fault) if fault.what == What::Forbidden && fault.reach == Reach::Item => {
                self.store.record_superseded(old.key, Vec::new()).await.map(|()| Replaced::Beside)
            }
            Err(fault) => self.put_off(old.key, fault).await.map(|()| Replaced::Not),
        }
    }
}
