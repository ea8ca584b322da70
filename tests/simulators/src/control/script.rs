//! Fault scripts.

use std::collections::HashMap;

use parking_lot::RwLock;
use serde::Deserialize;
use serde_json::Value;

use crate::faults::Rule;
use crate::options::Knobs;
use crate::tenant::Mailbox;
use crate::tenant::sharepoint::{Drive, Owner, State};
use crate::world::World;

/// What `POST /_sim/faults` takes. What it does not mention stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    /// Replace all rules in force.
    rules: Option<Vec<Rule>>,
    /// Throw the dice anew from here.
    seed: Option<u64>,
    token_lifetime_s: Option<Value>,
    latency_ms: Option<Value>,
    clock_offset_s: Option<Value>,
    limits: Option<Value>,
    switches: Option<Value>,
    roles: Option<Value>,
    /// Mailboxes and drives whose delta tokens die now, by address or the id of a drive; true for all.
    expire_delta_tokens: Option<Expire>,
    /// By address.
    #[serde(default)]
    mailboxes: HashMap<String, MailboxState>,
    /// Drives and sites, by their id; also a person's drives, by address.
    #[serde(default)]
    drives: HashMap<String, DriveState>,
    /// Back to no rules and the knobs it started with, before the rest applies.
    #[serde(default)]
    clear: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expire {
    All(bool),
    Some(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailboxState {
    over_quota: Option<bool>,
    scoped_out: Option<bool>,
    disabled: Option<bool>,
}

/// Applies a script.
pub(crate) fn faults(world: &World, script: Value) -> Result<(), String> {
    let script: Script = serde_json::from_value(script).map_err(|why| format!("Not a fault script: {why}."))?;
    let knobs = turned(world, &script)?;
    for address in script.mailboxes.keys() {
        mailbox(world, address).ok_or_else(|| format!("There is no mailbox {address}."))?;
    }
    for name in script.drives.keys() {
        states(world, name).next().ok_or_else(|| format!("There is no drive or site {name}."))?;
    }
    for name in script.expire_delta_tokens.iter().flat_map(Expire::named) {
        let known = mailbox(world, name).is_some() || drives(world, name).next().is_some();
        known.then_some(()).ok_or_else(|| format!("There is no mailbox or drive {name}."))?;
    }
    if script.clear {
        world.faults.replace(Vec::new());
    }
    world.turn(knobs);
    if let Some(seed) = script.seed {
        world.faults.reseed(seed);
    }
    if let Some(rules) = script.rules {
        world.faults.replace(rules);
    }
    if let Some(expire) = &script.expire_delta_tokens {
        expire.apply(world);
    }
    script.mailboxes.iter().for_each(|(address, state)| state.apply(world, address));
    script.drives.iter().for_each(|(name, state)| states(world, name).for_each(|lock| state.apply(lock)));
    Ok(())
}

fn mailbox<'a>(world: &'a World, address: &str) -> Option<&'a RwLock<Mailbox>> {
    world.tenant.any_address(address)?.mailbox.as_ref()
}

/// The drive of an id, or those of a person.
fn drives<'a>(world: &'a World, name: &'a str) -> impl Iterator<Item = &'a Drive> {
    let person = world.tenant.any_address(name).map(|user| Owner::User(user.id.clone()));
    let meant = move |drive: &&Drive| &*drive.id == name || person.as_ref().is_some_and(|owner| drive.owner == *owner);
    world.tenant.sharepoint.drives.iter().filter(meant)
}

/// What stands in the way of those drives, or of the site of an id.
fn states<'a>(world: &'a World, name: &'a str) -> impl Iterator<Item = &'a RwLock<State>> {
    let site = world.tenant.sharepoint.site(name).map(|site| &site.state);
    drives(world, name).map(|drive| &drive.state).chain(site)
}

/// The knobs after the script.
fn turned(world: &World, script: &Script) -> Result<Knobs, String> {
    let now = if script.clear { world.options.knobs.clone() } else { (*world.knobs()).clone() };
    let mut whole = serde_json::to_value(now).map_err(|why| why.to_string())?;
    let parts = [
        ("token_lifetime_s", &script.token_lifetime_s),
        ("latency_ms", &script.latency_ms),
        ("clock_offset_s", &script.clock_offset_s),
        ("limits", &script.limits),
        ("switches", &script.switches),
        ("roles", &script.roles),
    ];
    for (name, part) in parts {
        if let Some(part) = part {
            merge(&mut whole[name], part);
        }
    }
    serde_json::from_value(whole).map_err(|why| format!("Not a fault script: {why}."))
}

/// Members of objects replace those of the same name; anything else replaces the whole. The switches of files are a group
/// of their own, into which members are merged likewise.
fn merge(into: &mut Value, part: &Value) {
    match (into, part) {
        (Value::Object(into), Value::Object(part)) => {
            for (name, value) in part {
                let member = into.entry(name.clone()).or_insert(Value::Null);
                if ["files", "lies"].contains(&name.as_str()) { merge(member, value) } else { *member = value.clone() }
            }
        }
        (into, part) => *into = part.clone(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DriveState {
    locked: Option<bool>,
    forbidden: Option<bool>,
    missing: Option<bool>,
}

impl Expire {
    fn named(&self) -> &[String] {
        match self {
            Self::All(_) => &[],
            Self::Some(names) => names,
        }
    }

    fn apply(&self, world: &World) {
        let meant = |owner: Option<&str>, own: &str| match self {
            Self::All(all) => *all,
            Self::Some(names) => names.iter().any(|name| {
                let named = world.tenant.any_address(name).map(|named| named.id.as_str());
                name == own || (named.is_some() && named == owner)
            }),
        };
        for (user, mailbox) in world.tenant.mailboxes() {
            mailbox.write().generation += u64::from(meant(Some(&user.id), &user.id));
        }
        for drive in &world.tenant.sharepoint.drives {
            let owner = match &drive.owner {
                Owner::User(id) => Some(id.as_str()),
                Owner::Group(_) | Owner::Site(_) | Owner::Nobody => None,
            };
            drive.tree.write().generation += u64::from(meant(owner, &drive.id));
        }
    }
}

impl DriveState {
    fn apply(&self, lock: &RwLock<State>) {
        let mut state = lock.write();
        state.locked = self.locked.unwrap_or(state.locked);
        state.forbidden = self.forbidden.unwrap_or(state.forbidden);
        state.missing = self.missing.unwrap_or(state.missing);
    }
}

impl MailboxState {
    fn apply(&self, world: &World, address: &str) {
        let Some(mailbox) = mailbox(world, address) else { return };
        let mut mailbox = mailbox.write();
        mailbox.over_quota = self.over_quota.unwrap_or(mailbox.over_quota);
        mailbox.scoped_out = self.scoped_out.unwrap_or(mailbox.scoped_out);
        mailbox.disabled = self.disabled.unwrap_or(mailbox.disabled);
    }
}
