//! Giving a key of its own to what a target refuses because it takes a key once, where the policy says so.

use super::Push;
use crate::engine::{DuplicateUid, Event};
use transhume_contract::Fault;

impl Push<'_> {
    /// Where a UID is taken once in each calendar, what was refused for it met something in its own calendar, which is none
    /// of ours to double. What is in quarantine because its UID stands in another calendar, placed by us, is to be rendered with one of its
    /// own, and placed. Answers how many.
    pub(super) async fn set_apart(&self) -> Result<u64, Fault> {
        let once = self.traits.one_of_a_key && self.engine.policy.duplicate_uid == DuplicateUid::Derive;
        if !once || self.engine.rehearsing {
            return Ok(0);
        }
        let items = self.store.set_apart(self.workload).await?;
        if items > 0 {
            let (account, items_named) = (Some(self.account()), self.workload.items(items));
            let sentence =
                format!("given a UID of their own, for theirs stand in another calendar already: {items_named}");
            self.engine.tell(Event::Note { account, sentence });
        }
        Ok(items)
    }
}
