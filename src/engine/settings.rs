//! An account's settings: captured as data, and handed over to the administrator in files.

use super::{Engine, Event, Handover, rendering::Loaded};
use crate::store::{AccountStore, CollectionRow};
use std::{collections::BTreeMap, sync::Arc};
use transhume_contract::{Facts, Fault, Reach, Workload};

impl Engine {
    /// Captures the settings of a workload (rules, automatic replies, categories). That they cannot be read stops
    /// nothing.
    pub(super) async fn capture_settings(&self, store: &AccountStore, workload: Workload) -> Result<(), Fault> {
        let mut sink = store.settings_sink(workload).await?;
        match self.stop.unless(self.source.settings(store.account(), workload, &mut sink)).await {
            Ok(()) => sink.complete(&Facts::default()).await.map(|_| ()),
            Err(fault) if fault.reach >= Reach::Account && fault.what != transhume_contract::What::Forbidden => {
                Err(fault)
            }
            Err(fault) => {
                let sentence = format!("settings were not captured: {fault}");
                self.tell(Event::Note { account: Some(store.account().address.clone()), sentence });
                Ok(())
            }
        }
    }

    /// What an administrator takes over by hand (rules as Sieve), from the captured settings.
    pub async fn hand_over(&self, store: &AccountStore, workload: Workload) -> Result<Vec<Handover>, Fault> {
        let Some(original) = store.settings(workload).await? else { return Ok(Vec::new()) };
        let digests: Vec<_> = original.parts.iter().map(|part| part.digest).collect();
        let bodies = store.bodies(&digests).await?;
        let places = places(store, workload).await?;
        let (render, loaded) = (Arc::clone(&self.render), Loaded::of_settings(original, bodies));
        let work = move || render.handover(workload, &loaded, &|id| places.get(id).cloned());
        let cut_short = |_| super::defect("files for the administrator were cut short");
        tokio::task::spawn_blocking(work).await.map_err(cut_short)
    }
}

/// Where collections of the source stand at the target, as a path of names, by the source's id.
async fn places(store: &AccountStore, workload: Workload) -> Result<BTreeMap<String, String>, Fault> {
    let named = store.targets(workload).await?.into_iter().map(|row| (row.from, row.collection.name));
    let named: BTreeMap<_, _> = named.collect();
    let rows = store.collections(workload).await?;
    let by_id: BTreeMap<_, _> = rows.iter().map(|row| (&row.collection.id, row)).collect();
    let place = |row: &CollectionRow| {
        let (mut names, mut at) = (vec![named.get(&row.key)?.clone()], row);
        while let Some(above) = at.collection.parent.as_ref().and_then(|parent| by_id.get(parent)) {
            if names.len() > rows.len() {
                return None;
            }
            names.push(named.get(&above.key)?.clone());
            at = above;
        }
        names.reverse();
        Some((row.collection.id.as_str().to_owned(), names.join("/")))
    };
    Ok(rows.iter().filter_map(place).collect())
}
