//! For whom renderings are made: what the target accepts and, where there are people in them, who is who.

use super::{Audience, Engine, Own, Setting, rendering::Loaded};
use crate::store::AccountStore;
use std::sync::Arc;
use transhume_contract::{Fault, Profile, Reach, What, Workload};

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
        let Own { zone, territory, colours } = self.own(store).await?;
        Ok(Setting { owner, zone, territory, colours: Arc::new(colours), people: Arc::clone(&self.people) })
    }

    /// What the account's settings say of it, where they were captured. What those of its calendars leave open is asked
    /// of those of its mail.
    async fn own(&self, store: &AccountStore) -> Result<Own, Fault> {
        let mut own = Own::default();
        for workload in [Workload::Calendar, Workload::Mail] {
            let Some(original) = store.settings(workload).await? else { continue };
            let digests: Vec<_> = original.parts.iter().map(|part| part.digest).collect();
            let bodies = store.bodies(&digests).await?;
            let (render, loaded) = (Arc::clone(&self.render), Loaded::of_settings(original, bodies));
            let cut_short = |_| super::defect("reading the settings was cut short");
            let told = tokio::task::spawn_blocking(move || render.own(&loaded)).await.map_err(cut_short)?;
            let told = told.map_err(|error| unread(&error))?;
            own.zone = own.zone.or(told.zone);
            own.territory = own.territory.or(told.territory);
            if own.colours.is_empty() {
                own.colours = told.colours;
            }
        }
        Ok(own)
    }
}

/// Without them events would fall back to another zone, in silence.
fn unread(error: &std::io::Error) -> Fault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()).cloned();
    let sentence = || format!("the settings of the account cannot be read in the store: {error}");
    inner.unwrap_or_else(|| {
        Fault::new(What::StoreBroken, sentence())
            .reaching(Reach::Account)
            .ask("Run `transhume pull`, which captures them anew, then run again.")
    })
}
