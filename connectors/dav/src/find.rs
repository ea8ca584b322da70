//! Looking for what was placed with an outcome nobody told: under the name it was or would be given, else by its UID.

use crate::{
    account::Unsettled,
    homes::Home,
    lines,
    paths::item_name,
    read::{Held, Listed, Reader, windows},
    reserve::is_reservation,
};
use bytes::Bytes;
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use transhume_contract::{Facts, Fault, Found, Handle, NaturalKey, Version, Workload};

/// A server works on through what it has read after the client is gone: so long, and so long for each item.
const GRACE: Duration = Duration::from_millis(1500);
const EACH: Duration = Duration::from_millis(5);
const STILL: Duration = Duration::from_millis(200);
/// Other people may keep writing there: the wait ends.
const MOST_LOOKS: usize = 20;
/// So many UIDs are searched for one by one; for more the whole collection is read.
const FEW: usize = 20;

/// The name a key was, or would have been, placed under.
pub fn name_of(workload: Workload, key: Option<&str>, digest: &transhume_contract::Digest) -> String {
    let stem = digest.hex();
    item_name(workload, key.unwrap_or(&stem[..40]))
}

/// Waits until nothing that was lost on the way can be changing the collection any more.
pub async fn await_still(reader: &Reader, lost: Unsettled, keys: usize) -> Result<(), Fault> {
    let work = GRACE + EACH.saturating_mul(u32::try_from(keys).unwrap_or(u32::MAX));
    // A server that fell silent is in trouble: it is given the time after which it counted as silent once more.
    let patience = if lost.silent { work.saturating_add(reader.link.config().silence()) } else { work };
    let left = patience.saturating_sub(lost.since.elapsed());
    if left.is_zero() {
        return Ok(());
    }
    tokio::time::sleep(left).await;
    let mut before = reader.list().await?.0.len();
    for _ in 0..MOST_LOOKS {
        tokio::time::sleep(STILL).await;
        let now = reader.list().await?.0.len();
        if now == before {
            break;
        }
        before = now;
    }
    Ok(())
}

/// Everything in a collection that matches a key: by its name or its UID. What it holds is told, for the engine to
/// judge by its meaning.
pub async fn find(reader: &Reader, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
    let (listed, _) = reader.list().await?;
    if listed.is_empty() || keys.is_empty() {
        return Ok(Vec::new());
    }
    let named: HashMap<String, Vec<&NaturalKey>> = by_name(reader.workload, keys);
    let (under_name, others): (Vec<_>, Vec<_>) = listed.into_iter().partition(|one| named.contains_key(&one.name));
    let mut found = Vec::new();
    let mut met = HashSet::new();
    for window in windows(under_name) {
        for held in reader.contents(&window).await?.into_iter().filter(is_an_item) {
            let uid = lines::uid(&held.content);
            for key in named.get(&held.name).into_iter().flatten().filter(|key| fits(key, uid.as_deref())) {
                met.insert(&key.intent);
                found.push(told(key, &held));
            }
        }
    }
    let rest: Vec<&NaturalKey> = keys.iter().filter(|key| key.key.is_some() && !met.contains(&key.intent)).collect();
    found.extend(elsewhere(reader, &rest, others).await?);
    Ok(found)
}

fn by_name(workload: Workload, keys: &[NaturalKey]) -> HashMap<String, Vec<&NaturalKey>> {
    let mut named: HashMap<String, Vec<&NaturalKey>> = HashMap::new();
    for key in keys {
        let ours = name_of(workload, key.key.as_deref(), &key.digest);
        // Cyrus names by itself what it gets many at once.
        let given = key.name.clone().filter(|given| *given != ours);
        given.into_iter().chain([ours]).for_each(|name| named.entry(name).or_default().push(key));
    }
    named
}

/// What stands under the name has the UID too; a rendering without one got one of the server's.
fn fits(key: &NaturalKey, uid: Option<&str>) -> bool {
    key.key.as_deref().is_none_or(|own| uid == Some(own))
}

/// Under other names: what other programs put there.
async fn elsewhere(reader: &Reader, keys: &[&NaturalKey], others: Vec<Listed>) -> Result<Vec<Found>, Fault> {
    if keys.is_empty() || others.is_empty() {
        return Ok(Vec::new());
    }
    if keys.len() <= FEW && others.len() > keys.len() {
        return one_by_one(reader, keys).await;
    }
    let mut by_uid: HashMap<&str, Vec<&NaturalKey>> = HashMap::new();
    for key in keys {
        by_uid.entry(key.key.as_deref().unwrap_or_default()).or_default().push(key);
    }
    let mut found = Vec::new();
    for window in windows(others) {
        for held in reader.contents(&window).await?.into_iter().filter(is_an_item) {
            let uid = lines::uid(&held.content).unwrap_or_default();
            found.extend(by_uid.get(uid.as_str()).into_iter().flatten().map(|key| told(key, &held)));
        }
    }
    Ok(found)
}

async fn one_by_one(reader: &Reader, keys: &[&NaturalKey]) -> Result<Vec<Found>, Fault> {
    let mut found = Vec::new();
    for key in keys {
        let held = reader.with_uid(key.key.as_deref().unwrap_or_default()).await?;
        found.extend(held.iter().filter(|held| is_an_item(held)).map(|held| told(key, held)));
    }
    Ok(found)
}

/// Where a place is reserved, what it is for has not come.
fn is_an_item(held: &Held) -> bool {
    !is_reservation(&held.content)
}

/// A meeting that is not silent was not written by us, or people wrote into it. Replacing it, or removing it, would tell
/// the people in it (Cyrus cancels it for whoever the newer one does not name): without a version it is neither.
pub fn left_alone_where_it_invites(found: Found, home: &Home) -> Found {
    let invites = |content: &Bytes| lines::would_invite(content, home.scheduling(), &home.addresses).is_some();
    let version = match &found.content {
        Some(content) if invites(content) => None,
        _ => found.version,
    };
    Found { version, ..found }
}

fn told(key: &NaturalKey, held: &Held) -> Found {
    Found {
        intent: key.intent.clone(),
        handle: Handle::new(&*held.name),
        version: held.etag.clone().map(Version::new),
        facts: Facts { message_id: lines::uid(&held.content), ..Facts::default() },
        deleted: false,
        content: Some(held.content.clone()),
    }
}
