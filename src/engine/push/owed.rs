//! What fails is owed. A fault that reaches no further than a collection puts off what was to be done there, and lets the
//! rest of the account go on.

use super::Push;
use crate::{
    engine::Event,
    store::{PlacementKey, TargetKey},
};
use transhume_contract::{Fault, Reach, Remedy};

impl Push<'_> {
    /// A change that failed is owed, or in quarantine; a fault that reaches the account or further ends the pass.
    pub(super) async fn put_off(&self, key: PlacementKey, fault: Fault) -> Result<(), Fault> {
        if fault.reach >= Reach::Account {
            return Err(fault);
        }
        let fault = owed(fault);
        if !self.engine.rehearsing {
            self.store.postpone(key, &fault).await?;
        }
        let quarantined = matches!(fault.remedy, Remedy::Skip(_));
        let (account, item) = (self.account(), format!("placement {}", key.number()));
        self.engine.tell(Event::Refused { account, item, quarantined, fault });
        Ok(())
    }

    /// What came of something that was to be done for these placements; `None` where it is put off.
    pub(super) async fn or_put_off<T>(
        &self,
        keys: &[PlacementKey],
        came: Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let fault = match came {
            Err(fault) if fault.reach < Reach::Account => fault,
            came => return came.map(Some),
        };
        for key in keys {
            self.put_off(*key, fault.clone()).await?;
        }
        Ok(None)
    }

    /// What came of looking into one of the target for what is owed there anyhow; `None` where that cannot be looked into
    /// now. It is told of the collections that lead there, once a pass.
    pub(super) async fn or_refused<T>(&self, at: TargetKey, came: Result<T, Fault>) -> Result<Option<T>, Fault> {
        match came {
            Err(fault) if fault.reach < Reach::Account => self.routes.refused_there(at, &fault).await.map(|()| None),
            came => came.map(Some),
        }
    }
}

/// What reaches further than one item is nothing against this one: it is owed, however sure the target is.
fn owed(fault: Fault) -> Fault {
    match fault.remedy {
        Remedy::Skip(_) if fault.reach > Reach::Item => Fault { remedy: Remedy::Later, ..fault },
        _ => fault,
    }
}
