//! The demo's simulated tenant, which lasts from one demo to the next.

use super::{args, exit::Failure};
use serde_json::json;
use std::{collections::BTreeSet, fs, path::Path};
use transhume_simulators::{
    Options, Running, Simulator,
    dump::Dump,
    seed::{Recipe, tenant},
};

/// Where the demo keeps the tenant as its last run left it, below the project.
const TENANT: &str = "tenant";

pub fn stands(project: &Path) -> bool {
    project.join(TENANT).is_dir()
}

/// Serves the tenant as the last demo left it, or a fresh one.
pub async fn serve(project: &Path, demo: &args::Demo, again: bool) -> Result<Running, Failure> {
    let dump = if again {
        Dump::load(&project.join(TENANT)).map_err(|error| Failure::stuck(error.to_string()))?
    } else {
        let args::Demo { accounts, messages, events, contacts, tasks, seed, .. } = *demo;
        tenant(&Recipe { accounts, messages, events, contacts, tasks, seed, hostile: true, ..Recipe::default() })
    };
    Simulator::start(dump, Options::default()).await.map_err(|error| Failure::stuck(error.to_string()))
}

/// A day at the office: small changes for everybody, in mail, calendars, contacts and tasks.
pub fn work_on(simulator: &Running, seed: u64) -> Result<(), Failure> {
    let mut day = vec![json!({ "op": "churn", "seed": seed, "count": 40 })];
    for (kind, op, count) in
        [("event", "churn_events", 6), ("contact", "churn_contacts", 4), ("todoTask", "churn_tasks", 4)]
    {
        let owners = owners(&simulator.tenant(), kind).into_iter();
        day.extend(owners.map(|user| json!({ "op": op, "user": user, "seed": seed, "count": count })));
    }
    simulator.mutate(day.into()).map(drop).map_err(Failure::stuck)
}

/// Who has something of that kind.
fn owners(dump: &Dump, kind: &str) -> BTreeSet<String> {
    dump.entries.iter().filter(|entry| entry.kind == kind).filter_map(|entry| entry.user.clone()).collect()
}

/// Writes the tenant beside the old one and then in its place, so that an interrupted demo keeps one of them.
pub fn keep(dump: &Dump, project: &Path) -> Result<(), Failure> {
    let folder = project.join(TENANT);
    let fresh = folder.with_extension("new");
    let _left_by_an_interrupted_demo = fs::remove_dir_all(&fresh);
    dump.save(&fresh).map_err(|error| Failure::stuck(error.to_string()))?;
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    Ok(fs::rename(fresh, folder)?)
}
