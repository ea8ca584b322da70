//! What held things of ours at a target and is not there as a whole: a disk that is not mounted, a directory that somebody
//! removed. What people delete in it is theirs; this is told before anything is placed, or a pass would begin a second
//! one in its place.

use super::Engine;
use crate::store::{AccountStore, Begun, Project};
use transhume_contract::{AccountId, Fault, Reach, What, Workload};

const STEP: &str = "Mount its disk or put it back, then run again: nothing was written. If it is gone for good, \
    `transhume verify` and then `transhume push --repair` place everything there anew, from the store; what was handed over and moved away on purpose \
    needs a project of its own for those who come next.";

impl Engine {
    /// Stops a pass into a target that is not there, though something was begun there. Who repairs may mean just that, to
    /// begin anew: but only once verification missed all that was placed.
    pub(super) async fn heed_vanished_targets(&self, project: &Project, repair: bool) -> Result<(), Fault> {
        for (&workload, target) in &self.targets {
            let Some(place) = self.stop.unless(target.not_there(None, workload)).await? else { continue };
            let known = match repair {
                true => project.should_stand(workload).await?,
                false => project.has_begun(workload).await?,
            };
            if known == Begun::Yes {
                let items = workload.item();
                let sentence = format!("{place}, to which this project moves {items}s, is not there, or empty");
                return Err(Fault::new(What::Vanished, sentence).reaching(Reach::Run).ask(STEP));
            }
        }
        Ok(())
    }

    /// Stops one account whose place at the target is not there, though something of it was placed in it; who repairs, as
    /// long as verification did not miss all of it.
    pub(super) async fn heed_vanished(
        &self,
        store: &AccountStore,
        login: &AccountId,
        workload: Workload,
        repair: bool,
    ) -> Result<(), Fault> {
        let not_there = self.target(workload)?.not_there(Some(login), workload);
        let Some(place) = self.stop.unless(not_there).await? else { return Ok(()) };
        let placed = store.totals(workload).await?.placed.items;
        let begun = store.target_collections(workload).await?;
        if placed == 0 || begun.iter().all(|(_, at)| at.account != *login) {
            return Ok(());
        }
        if repair && !store.should_stand(workload).await? {
            return Ok(());
        }
        let sentence = format!("{place}, which held {} of this account, is not there", workload.items(placed));
        Err(Fault::new(What::Vanished, sentence).reaching(Reach::Account).ask(STEP))
    }
}
