//! Giving a key of its own to what a target refuses because it takes a key once, where the policy says so.

use super::Push;
use crate::{
    engine::{DuplicateUid, Event},
    store::ItemKey,
};
use transhume_contract::{Cause, Fault, Remedy};

impl Push<'_> {
    /// Where a UID is taken once in each calendar, what was refused for it met something in its own calendar, which is
    /// none of ours to double.
    fn derives(&self) -> bool {
        let once = self.traits.one_of_a_key && self.engine.policy.duplicate_uid == DuplicateUid::Derive;
        once && !self.engine.rehearsing
    }

    /// What is in quarantine because its UID stands in another calendar, placed by us, is to be rendered with one of its
    /// own, and placed. Answers how many.
    pub(super) async fn set_apart(&self) -> Result<usize, Fault> {
        if !self.derives() {
            return Ok(0);
        }
        let apart = self.store.set_apart(self.workload, self.engine.policy.withdraw_deleted).await?;
        if !apart.is_empty() {
            self.withheld.lock().await.retain(|item, _| !apart.contains(item));
            let (account, items) = (Some(self.account()), self.workload.items(apart.len() as u64));
            let sentence = format!("given a UID of their own, for theirs stand in another calendar already: {items}");
            self.engine.tell(Event::Note { account, sentence });
        }
        Ok(apart.len())
    }

    /// Places what was refused because of a key that only what was withdrawn since had, in this pass or in one that was
    /// cut off after it had withdrawn it.
    pub(super) async fn place_freed(&self) -> Result<(), Fault> {
        if self.engine.rehearsing {
            return Ok(());
        }
        let freed = self.store.release_freed(self.workload).await?;
        if freed.is_empty() {
            return Ok(());
        }
        self.withheld.lock().await.retain(|item, _| !freed.contains(item));
        self.place_rest().await
    }

    /// Withholds the news of a refusal that this very pass may get round. False where it has to be told now.
    pub(super) async fn withhold(&self, item: ItemKey, fault: &Fault) -> bool {
        let withheld = self.derives() && fault.remedy == Remedy::Skip(Cause::DuplicateUid);
        if withheld {
            self.withheld.lock().await.insert(item, fault.clone());
        }
        withheld
    }

    /// Tells what stays refused after all: once the pass ends, however it does.
    pub async fn tell_withheld(&self) {
        let withheld = std::mem::take(&mut *self.withheld.lock().await);
        withheld.into_iter().for_each(|(item, fault)| self.tell_refusal(item, &fault));
    }
}
