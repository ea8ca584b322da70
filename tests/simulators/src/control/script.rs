//! Fault scripts.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::faults::Rule;
use crate::options::Knobs;
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
    /// Mailboxes whose delta tokens die now; true for all.
    expire_delta_tokens: Option<Expire>,
    /// By address.
    #[serde(default)]
    mailboxes: HashMap<String, MailboxState>,
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
    for address in script.mailboxes.keys().chain(script.expire_delta_tokens.iter().flat_map(Expire::named)) {
        let mailbox = world.tenant.any_address(address).and_then(|user| user.mailbox.as_ref());
        mailbox.ok_or_else(|| format!("There is no mailbox {address}."))?;
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
    Ok(())
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

/// Members of objects replace those of the same name; anything else replaces the whole.
fn merge(into: &mut Value, part: &Value) {
    match (into, part) {
        (Value::Object(into), Value::Object(part)) => {
            part.iter().for_each(|(name, value)| drop(into.insert(name.clone(), value.clone())));
        }
        (into, part) => *into = part.clone(),
    }
}

impl Expire {
    fn named(&self) -> &[String] {
        match self {
            Self::All(_) => &[],
            Self::Some(names) => names,
        }
    }

    fn apply(&self, world: &World) {
        for (user, mailbox) in world.tenant.mailboxes() {
            let meant = match self {
                Self::All(all) => *all,
                Self::Some(names) => {
                    names.iter().any(|name| world.tenant.any_address(name).is_some_and(|named| named.id == user.id))
                }
            };
            mailbox.write().generation += u64::from(meant);
        }
    }
}

impl MailboxState {
    fn apply(&self, world: &World, address: &str) {
        let Some(mailbox) = world.tenant.any_address(address).and_then(|user| user.mailbox.as_ref()) else { return };
        let mut mailbox = mailbox.write();
        mailbox.over_quota = self.over_quota.unwrap_or(mailbox.over_quota);
        mailbox.scoped_out = self.scoped_out.unwrap_or(mailbox.scoped_out);
        mailbox.disabled = self.disabled.unwrap_or(mailbox.disabled);
    }
}
