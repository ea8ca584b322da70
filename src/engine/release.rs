//! Taking items out of quarantine, once what kept them there is mended.

use super::{Engine, Event, Half, Mover};
use crate::store::{AccountStore, Project, Side};
use transhume_contract::{Fault, Reach};

/// The store of an account, unless its own damage keeps it shut.
pub(super) async fn opened(project: &Project, mover: &Mover) -> Result<Option<AccountStore>, Fault> {
    match project.open_account(&mover.row.account.id).await {
        Err(fault) if fault.reach <= Reach::Account => Ok(None),
        opened => opened.map(Some),
    }
}

impl Engine {
    /// Takes everything of these accounts out of quarantine on the sides that the pass that follows tries, so that it is
    /// tried again: after a mapping was corrected, a limit raised, a message decrypted. What still cannot be moved goes back.
    /// Answers how many items.
    pub async fn release(&self, project: &Project, movers: &[Mover], half: Half) -> Result<u64, Fault> {
        let mut released = 0;
        for mover in movers {
            // What stops one account is told by the pass that follows.
            let Some(store) = opened(project, mover).await? else { continue };
            let mut of_one = 0;
            for workload in self.workloads() {
                for side in [Side::Source, Side::Target].into_iter().filter(|side| half.tries(*side)) {
                    of_one += store.release(workload, side, None).await?;
                }
            }
            if of_one > 0 {
                let sentence = format!("{of_one} taken out of quarantine, to be tried again");
                self.tell(Event::Note { account: Some(mover.address().into()), sentence });
            }
            released += of_one;
        }
        Ok(released)
    }
}
