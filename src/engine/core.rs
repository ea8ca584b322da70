//! The engine: both sides, the conversions between them, and what it was told to keep to.

use super::{Event, Meaning, Observer, Policy, Render, Stop};
use crate::store::{Project, Side};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use transhume_contract::{AccountId, Fault, Identity, Reach, Source, Target, TargetTraits, Workload};

/// How much happens at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// Accounts worked on at the same time.
    pub accounts: usize,
    /// Bodies asked of one account at once.
    pub bodies: usize,
}

/// Both sides, the conversions between them, and what the engine was told to keep to. Cloning is cheap.
#[derive(Clone)]
pub struct Engine {
    pub source: Arc<dyn Source>,
    pub targets: BTreeMap<Workload, Arc<dyn Target>>,
    pub render: Arc<dyn Render>,
    pub meaning: Arc<dyn Meaning>,
    pub observer: Arc<dyn Observer>,
    pub policy: Policy,
    /// The addresses at the target of everyone who moves, by each of their addresses at the source in small letters.
    pub people: Arc<BTreeMap<String, String>>,
    /// Ways of keeping a target from mailing people that were seen to work.
    pub proven: Arc<BTreeSet<String>>,
    pub lanes: Lanes,
    pub stop: Stop,
    /// Play everything that writes to a target, and record nothing as done.
    pub rehearsing: bool,
}

impl Engine {
    /// Ties the project to its source, or refuses a project that belongs to another. To its targets it is tied by the
    /// first pass that may begin something there: until then they may be mistyped.
    pub async fn bind(&self, project: &Project) -> Result<(), Fault> {
        for workload in self.workloads() {
            project.bind(Side::Source, workload, self.source.identity()).await?;
        }
        Ok(())
    }

    /// Ties the project to its targets, before anything is begun there.
    pub(super) async fn bind_targets(&self, project: &Project) -> Result<(), Fault> {
        for (&workload, target) in &self.targets {
            project.bind(Side::Target, workload, target.identity()).await?;
        }
        Ok(())
    }

    /// Refuses a project that belongs to other sides, without tying a new one to these: a first attempt may name the
    /// wrong ones. A target at which nothing was ever begun was such an attempt.
    pub async fn recognise(&self, project: &Project) -> Result<(), Fault> {
        for workload in Workload::ALL {
            if project.bound(Side::Source, workload).await?.is_some() {
                project.bind(Side::Source, workload, self.source.identity()).await?;
            }
        }
        for (&workload, target) in &self.targets {
            self.recognise_target(project, workload, target.identity()).await?;
        }
        Ok(())
    }

    async fn recognise_target(&self, project: &Project, workload: Workload, now: &Identity) -> Result<(), Fault> {
        let Some(known) = project.bound(Side::Target, workload).await? else { return Ok(()) };
        let is_another = known != *now && !now.place.is_empty();
        if !is_another || !project.untie_target(workload).await? {
            return project.bind(Side::Target, workload, now).await;
        }
        let sentence = format!(
            "nothing of {workload} was ever begun at the target {} ({}); it goes to {} ({}) instead",
            known.place, known.connector, now.place, now.connector
        );
        self.tell(Event::Note { account: None, sentence });
        Ok(())
    }

    /// What is moved in this run.
    pub fn workloads(&self) -> impl Iterator<Item = Workload> {
        self.targets.keys().copied()
    }

    pub fn target(&self, workload: Workload) -> Result<&Arc<dyn Target>, Fault> {
        self.targets.get(&workload).ok_or_else(|| {
            let sentence = format!("no target is configured for {workload}");
            Fault::new(transhume_contract::What::Unsupported, sentence).reaching(Reach::Run)
        })
    }

    /// Each target once, however many workloads go there.
    pub(super) fn distinct_targets(&self) -> Vec<&Arc<dyn Target>> {
        let mut distinct: Vec<&Arc<dyn Target>> = Vec::new();
        for target in self.targets.values() {
            if !distinct.iter().any(|known| Arc::ptr_eq(known, target)) {
                distinct.push(target);
            }
        }
        distinct
    }

    /// What the target accepts for this login.
    pub(super) async fn target_traits(&self, workload: Workload, login: &AccountId) -> Result<TargetTraits, Fault> {
        self.stop.unless(self.target(workload)?.traits(login)).await
    }

    pub(super) fn tell(&self, event: Event) {
        self.observer.hear(event);
    }
}
