//! The readable list of connectors: what a configuration's words stand for.

mod conversions;
mod credential;
mod dav;
mod graph;
mod imap;

use crate::{
    config::{Config, ConfigError, DavConfig, SourceConfig, TargetConfig},
    engine::{Engine, Lanes, Observer, Stop},
};
use conversions::Conversions;
use std::{collections::BTreeMap, path::Path, sync::Arc};
use transhume_contract::{Fault, Source, Target, Workload, wrappers::Rehearsal};
use transhume_mappings::Tables;

/// Why no engine could be built.
#[derive(Debug)]
pub enum NotBuilt {
    Config(ConfigError),
    Fault(Fault),
}

impl From<ConfigError> for NotBuilt {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<Fault> for NotBuilt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Builds the engine that a configuration describes. Nothing is connected yet.
pub async fn engine(
    config: &Config,
    dry_run: bool,
    observer: Arc<dyn Observer>,
    stop: Stop,
) -> Result<Engine, NotBuilt> {
    let source = source(config, &stop).await?;
    let conversions = Arc::new(Conversions::new(tables(config.tables.as_deref())?));
    let targets = targets(config, dry_run)?;
    let lanes = Lanes { accounts: config.limits.accounts, bodies: config.limits.lanes };
    let (render, meaning) = (Arc::clone(&conversions) as _, conversions as _);
    Ok(Engine {
        source,
        targets,
        render,
        meaning,
        observer,
        policy: config.policy,
        people: Arc::default(),
        proven: Arc::default(),
        lanes,
        stop,
        rehearsing: dry_run,
    })
}

async fn source(config: &Config, stop: &Stop) -> Result<Arc<dyn Source>, NotBuilt> {
    match &config.source {
        SourceConfig::Graph(graph) => graph::source(graph, &config.limits, stop).await,
    }
}

/// What is configured alike is one target: logins are counted, and lanes shared, for all that moves to one server.
fn targets(config: &Config, dry_run: bool) -> Result<BTreeMap<Workload, Arc<dyn Target>>, NotBuilt> {
    let mut servers: Vec<(&DavConfig, Arc<dyn Target>)> = Vec::new();
    let mut targets = BTreeMap::new();
    for (workload, config) in config.target.each() {
        let known = servers.iter().find(|(known, _)| matches!(config, TargetConfig::Dav(dav) if dav == *known));
        let target = match known {
            Some((_, target)) => Arc::clone(target),
            None if dry_run => Arc::new(Rehearsal::new(target(workload, config)?)),
            None => target(workload, config)?,
        };
        if let TargetConfig::Dav(dav) = config {
            servers.push((dav, Arc::clone(&target)));
        }
        targets.insert(workload, target);
    }
    Ok(targets)
}

fn target(workload: Workload, config: &TargetConfig) -> Result<Arc<dyn Target>, NotBuilt> {
    match config {
        TargetConfig::Imap(imap) => imap::target(imap),
        TargetConfig::Dav(dav) => dav::target(dav),
        TargetConfig::Folder(folder) => Ok(transhume_folder::open(&folder.path, workload)?),
    }
}

/// The built-in tables, with those of the project's own folder in their place.
fn tables(folder: Option<&Path>) -> Result<Tables, ConfigError> {
    let Some(folder) = folder else { return Ok(Tables::embedded()) };
    let unreadable = |error: std::io::Error| ConfigError::Unreadable(folder.display().to_string(), error);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.insert(name, std::fs::read_to_string(&path).map_err(unreadable)?);
    }
    Tables::with_overrides(&files).map_err(|error| ConfigError::Sense(error.to_string()))
}
