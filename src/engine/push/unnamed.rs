//! What cannot be done for want of a handle: at a target that does not tell handles, what people moved or removed before
//! it was looked for.

use super::Push;
use crate::store::TargetKey;
use std::collections::BTreeMap;
use transhume_contract::{Fault, What, Workload};

/// Placements looked at in one read of the store.
const PAGE: usize = 500;

impl Push<'_> {
    /// What is due for a placement that was looked for and not found is owed, with its reason; where it cannot be looked for
    /// now, with that. Where verification saw it where people filed it, it is theirs, and nothing is due.
    pub(super) async fn owe_unnamed(&self, unread: &BTreeMap<TargetKey, Fault>) -> Result<(), Fault> {
        if self.engine.rehearsing {
            return Ok(());
        }
        for fault in unread.values() {
            tracing::warn!(%fault, "what was placed in a collection has no handle yet, and cannot be looked for now");
        }
        let (pushed, withdraws, mut after) = (self.routes.pushed(), self.engine.policy.withdraw_deleted, None);
        loop {
            let page = self.store.placements_overdue(self.workload, &pushed, withdraws, after, PAGE).await?;
            let Some(last) = page.last().map(|one| one.placement.key) else { return Ok(()) };
            for one in page {
                match (one.placement.key, unread.get(&one.placement.at)) {
                    (key, _) if !one.due => self.store.forgive(key).await?,
                    (key, Some(why)) => self.put_off(key, why.clone()).await?,
                    (key, None) if one.filed => self.store.record_lost(key, one.home).await?,
                    (key, None) => self.put_off(key, not_found(self.workload)).await?,
                }
            }
            after = Some(last);
        }
    }
}

fn not_found(workload: Workload) -> Fault {
    let sentence = format!(
        "The {} changed, moved or was deleted at the source since it was placed, but it is not found where it was placed: \
         somebody moved or removed it before its number there was known.",
        workload.item()
    );
    Fault::new(What::Vanished, sentence).ask(
        "Run `transhume verify`, which looks whether it was filed elsewhere; if it stands nowhere, \
         `transhume push --repair` places it again.",
    )
}
