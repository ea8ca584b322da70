//! The engine: both sides, the conversions between them, and what it was told to keep to.

use super::{Event, Meaning, Observer, Policy, Render, Stop};
use crate::store::{Project, Side};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use transhume_contract::{AccountId, Fault, Reach, Source, Target, TargetTraits, Workload};

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
    /// Ties the project to both sides, or refuses a project that belongs to others.
    pub async fn bind(&self, project: &Project) -> Result<(), Fault> {
        for (&workload, target) in &self.targets {
            project.bind(Side::Source, workload, self.source.identity()).await?;
            project.bind(Side::Target, workload, target.identity()).await?;
        }
        Ok(())
    }

    /// Refuses a project that belongs to other sides, without tying a new one to these: a first attempt may name the
    /// wrong ones.
    pub async fn recognise(&self, project: &Project) -> Result<(), Fault> {
        let source = Workload::ALL.map(|workload| (Side::Source, workload, self.source.identity()));
        let targets = self.targets.iter().map(|(workload, target)| (Side::Target, *workload, target.identity()));
        for (side, workload, identity) in source.into_iter().chain(targets) {
            if project.bound(side, workload).await?.is_some() {
                project.bind(side, workload, identity).await?;
            }
        }
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
