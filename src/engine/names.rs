//! Folders that will stand under another name at the target, told before they are made.

use super::{
    Engine, Mover,
    policy::{Existing, standing},
};
use crate::store::AccountStore;
use serde::Serialize;
use std::{collections::BTreeSet, sync::Arc};
use transhume_contract::{Appearance, Collection, Fault, Role, Wanted, Workload};

/// A folder whose name changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rename {
    /// Names from the top, as the source has them, joined by ` > `.
    pub folder: String,
    pub becomes: String,
    /// It lands in the server's own folder of its role, as those of all other accounts do.
    pub servers_own: bool,
    /// Without it, the target may refuse the name, or another folder has it; then the run finds another.
    pub sure: bool,
}

impl Engine {
    /// The folders of an account, not made yet, that will not have their own name.
    pub(super) async fn renames(
        &self,
        store: &AccountStore,
        mover: &Mover,
        workload: Workload,
    ) -> Result<Vec<Rename>, Fault> {
        let rows = store.collections(workload).await?;
        let standing_there = store.targets(workload).await?;
        let claimed = Arc::new(standing_there.iter().map(|row| row.collection.id.clone()).collect());
        let made: BTreeSet<_> = standing_there.into_iter().map(|row| row.from).collect();
        let collections: Vec<Collection> = rows.iter().map(|row| row.collection.clone()).collect();
        let standing = standing(&collections, &self.policy);
        let (mut renames, mut taken) = (Vec::new(), BTreeSet::new());
        for row in rows.iter().filter(|row| !row.gone && !made.contains(&row.key)) {
            let Some(standing) = standing.get(&row.collection.id).filter(|standing| standing.pushed) else { continue };
            let path = standing.path.clone();
            let (own, above) = path.split_last().map_or(("", &[][..]), |(own, above)| (own.as_str(), above));
            let want = Wanted {
                account: mover.target.clone(),
                workload,
                path: path.clone(),
                parent: None,
                role: row.collection.role,
                known: None,
                adopt: self.policy.existing == Existing::Adopt,
                claimed: Arc::clone(&claimed),
                appearance: Appearance::default(),
            };
            let foreseen = self.stop.unless(self.target(workload)?.foresee(&want)).await?;
            let free = taken.insert((above.to_vec(), foreseen.name.to_lowercase()));
            let sure = foreseen.sure && free;
            if !sure || !foreseen.name.eq_ignore_ascii_case(own) {
                let servers_own = row.collection.role != Role::Ordinary;
                renames.push(Rename { folder: path.join(" > "), becomes: foreseen.name, servers_own, sure });
            }
        }
        Ok(renames)
    }
}
