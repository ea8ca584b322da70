//! Replacing what stands at the target by something newer: another original, or another rendering of the same.

use super::{Push, change::amending, settle::Sought};
use crate::{
    engine::Event,
    store::{Placement, PlacementState, Superseding, TargetKey, ToAmend},
};
use std::collections::BTreeMap;
use transhume_contract::{Amended, Collection, Fault, Known, Reach, What};

/// Placements looked at in one read of the store.
const PAGE: usize = 500;

type Collections = BTreeMap<TargetKey, Collection>;

/// What came of replacing one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Replaced {
    /// The newer one stands there, and the old one is gone.
    Done,
    /// People changed the old one: it stays, and nothing is placed beside it.
    Kept,
    /// The newer one stands there, beside the old one that people changed.
    Beside,
    /// Nothing to tell: it is owed, or people removed the old one.
    Not,
}

/// Whether another rendering of what stands there may take its place.
enum May {
    /// It may, looking like this.
    Replace(Box<Amended>),
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
            for one in page {
                self.engine.stop.check()?;
                replaced.push(self.replace(&at, one).await?);
            }
            after = Some(last);
        }
        self.tell_replaced(&replaced);
        Ok(())
    }

    fn tell_replaced(&self, replaced: &[Replaced]) {
        let count = |which: Replaced| replaced.iter().filter(|one| **one == which).count() as u64;
        let note = |sentence: String| self.engine.tell(Event::Note { account: Some(self.account()), sentence });
        if count(Replaced::Done) > 0 {
            self.engine.tell(Event::Withdrawn { account: self.account(), items: count(Replaced::Done) });
        }
        if count(Replaced::Kept) > 0 {
            let kept = count(Replaced::Kept);
            note(format!(
                "{kept} messages read otherwise now, but people changed them at the target: they stay as they are"
            ));
        }
        if count(Replaced::Beside) > 0 {
            let beside = count(Replaced::Beside);
            note(format!(
                "{beside} messages were placed anew; the old ones were changed at the target, and stay beside them"
            ));
        }
    }

    async fn replace(&self, at: &Collections, one: Superseding) -> Result<Replaced, Fault> {
        let Some(stands_in) = at.get(&one.placement.at) else { return Ok(Replaced::Not) };
        let (mut placement, item) = (one.placement.clone(), one.placement.item);
        if !one.placed_anew {
            let same_original = placement.original == one.next.original && !self.engine.rehearsing;
            let like = match same_original {
                true => match self.may_replace(stands_in, &one).await? {
                    May::Replace(amended) => Some(amended),
                    May::Not(why) => return Ok(why),
                },
                false => self.theirs(&one),
            };
            if let Some(like) = like.as_ref().filter(|_| same_original) {
                placement.facts = like.facts.clone();
            }
            self.place_one(one.next, like.as_deref()).await?;
            // Only what is known to stand there may take the old one's place.
            let anew = self.store.placements_of(item).await?;
            let is_new = |new: &Placement| new.key > placement.key && new.state == PlacementState::Present;
            if !anew.iter().any(is_new) {
                return Ok(Replaced::Not);
            }
        }
        self.withdraw_old(stands_in, &placement).await
    }

    /// Looks before anything is placed: what people removed or filed elsewhere stays as they want it, what they wrote
    /// into stays theirs, and what they flagged keeps its flags.
    async fn may_replace(&self, at: &Collection, one: &Superseding) -> Result<May, Fault> {
        let (key, old) = (one.placement.key, one.placement.clone());
        let (facts, revision) = (one.next.facts.clone(), one.next.revision);
        let change = ToAmend { placement: old, facts, revision };
        let amended = match self.amend_one(at, &change).await {
            Ok(amended) => amended,
            Err(fault) if fault.what == What::Vanished => {
                return self.lose(key).await.map(|()| May::Not(Replaced::Not));
            }
            Err(fault) => return self.put_off(key, fault).await.map(|()| May::Not(Replaced::Not)),
        };
        self.tell_changed_there(&change, &amended.changed_there);
        self.store.record_amended(vec![(key, revision, amended.clone())]).await?;
        let found = self.matches(at, &[Sought::of_placement(&change.placement)]).await?;
        if found.iter().any(|found| !found.deleted && Some(&found.handle) == change.placement.handle.as_ref()) {
            return Ok(May::Replace(Box::new(amended)));
        }
        self.store.record_kept(key).await.map(|()| May::Not(Replaced::Kept))
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

    /// Brings the facts of one up to date, and tells what stands there then.
    async fn amend_one(&self, at: &Collection, change: &ToAmend) -> Result<Amended, Fault> {
        let (want, losses) = self.facts_of(&change.facts, Some(&change.placement));
        let unnamed = || Fault::new(What::Vanished, "the message has no handle");
        let amending = amending(change, at, want.clone()).ok_or_else(unnamed)?;
        self.store.begin_amending(vec![(change.placement.key, want)]).await?;
        let mut answers = self.engine.stop.settling(self.target.amend(at, vec![amending])).await?;
        let unanswered = || crate::engine::defect("a target did not answer for a change");
        let (_, answer) = answers.pop().ok_or_else(unanswered)?;
        let mut amended = answer?;
        amended.losses.extend(losses);
        Ok(amended)
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
