//! What an interrupted run of ours left at the target beside the items.

use super::Push;
use crate::engine::Kind;
use transhume_contract::Fault;

impl Push<'_> {
    /// Has the target look, at the end of the pass, after collections where verification found something left behind:
    /// nothing else may have to be done there.
    pub(super) async fn look_after_what_was_left(&self) -> Result<(), Fault> {
        if self.engine.rehearsing {
            return Ok(());
        }
        for key in self.store.targets_with(self.workload, Kind::LeftBehind.name()).await? {
            self.routes.ensure_again(key).await?;
            self.routes.touch(key).await;
        }
        Ok(())
    }
}
