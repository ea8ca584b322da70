//! For whom renderings are made: what the target accepts and, where there are people in them, who is who.

use super::{Audience, Engine, Setting, rendering::Loaded};
use crate::store::AccountStore;
use std::sync::Arc;
use transhume_contract::{Fault, Profile, Workload};

impl Engine {
    pub(super) async fn audience(
        &self,
        store: &AccountStore,
        workload: Workload,
        profile: Profile,
    ) -> Result<Audience, Fault> {
        match workload {
            Workload::Calendar => Audience::among(profile, self.setting(store).await?),
            Workload::Mail | Workload::Contacts | Workload::Tasks | Workload::Files => Audience::of(profile),
        }
    }

    async fn setting(&self, store: &AccountStore) -> Result<Setting, Fault> {
        let owner = store.account().address.clone();
        Ok(Setting { owner, zone: self.zone(store).await?, people: Arc::clone(&self.people) })
    }

    /// The account's own time zone, where its settings were captured.
    async fn zone(&self, store: &AccountStore) -> Result<Option<String>, Fault> {
        for workload in [Workload::Calendar, Workload::Mail] {
            let Some(original) = store.settings(workload).await? else { continue };
            let digests: Vec<_> = original.parts.iter().map(|part| part.digest).collect();
            let bodies = store.bodies(&digests).await?;
            let (render, loaded) = (Arc::clone(&self.render), Loaded::of_settings(original, bodies));
            let cut_short = |_| super::defect("reading the settings was cut short");
            let zone = tokio::task::spawn_blocking(move || render.zone(&loaded)).await.map_err(cut_short)?;
            if zone.is_some() {
                return Ok(zone);
            }
        }
        Ok(None)
    }
}
