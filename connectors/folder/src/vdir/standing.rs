//! What happens to items that stand: finding, amending, moving and removing them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use transhume_contract::{
    Amended, Amending, Facts, Fault, Found, Handle, IntentId, NaturalKey, Placed, Placement, Workload,
};

use crate::account::sync_directory;
use crate::faults::{changed_there, item_gone, on, taken};
use crate::vdir::item::{Item, file_name, names_in, version_of};
use crate::vdir::names;
use crate::vdir::place::link_anew;

/// Everything that is byte for byte what a key says, or has its UID: what other programs wrote anew is judged by its
/// meaning.
pub(super) fn find(directory: &Path, workload: Workload, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
    let mut own: BTreeMap<String, Vec<&NaturalKey>> = BTreeMap::new();
    for key in keys {
        own.entry(names::item(workload, key.key.as_deref(), &key.digest)).or_default().push(key);
    }
    let (mut found, mut met) = (Vec::new(), BTreeSet::new());
    for (name, keys) in &own {
        let Some(item) = Item::read(&directory.join(name))? else { continue };
        found.extend(keys.iter().filter_map(|key| matching(key, name, &item)));
    }
    met.extend(found.iter().map(|found| found.intent.clone()));
    let missed: Vec<_> = keys.iter().filter(|key| !met.contains(&key.intent)).collect();
    if missed.is_empty() {
        return Ok(found);
    }
    for name in names_in(directory, workload)?.into_iter().filter(|name| !own.contains_key(name)) {
        let Some(item) = Item::read(&directory.join(&name))? else { continue };
        found.extend(missed.iter().filter_map(|key| matching(key, &name, &item)));
    }
    Ok(found)
}

fn matching(key: &NaturalKey, name: &str, item: &Item) -> Option<Found> {
    let same = item.digest == key.digest;
    let uid = item.uid();
    if !same && (key.key.is_none() || key.key != uid) {
        return None;
    }
    Some(Found {
        intent: key.intent.clone(),
        handle: Handle::new(name),
        version: Some(item.version()),
        facts: Facts { message_id: uid, ..Facts::default() },
        deleted: false,
        content: (!same).then(|| item.bytes.clone()),
    })
}

pub(super) type Answers = Vec<(IntentId, Result<Amended, Fault>)>;

/// Nothing of an event, a contact or a task lives beside its file: amending only looks whether it is still there.
pub(super) fn amend(directory: &Path, changes: &[Amending]) -> Answers {
    let amend = |change: &Amending| {
        let path = directory.join(file_name(&change.placement.handle)?);
        if !path.try_exists().map_err(on("look at", &path))? {
            return Err(item_gone());
        }
        let facts = change.want.amendable();
        Ok(Amended { base: facts.clone(), facts, changed_there: Vec::new(), losses: Vec::new() })
    };
    changes.iter().map(|change| (change.intent.clone(), amend(change))).collect()
}

/// Moves an item into another folder, under the name it has. What people wrote into it goes with it, and stays theirs.
pub(super) fn relocate(what: &Placement, from: &Path, to: &Path, copy: Option<&Handle>) -> Result<Placed, Fault> {
    let name = file_name(copy.unwrap_or(&what.handle))?;
    let (old, new) = (from.join(file_name(&what.handle)?), to.join(name));
    match link_anew(&old, &new) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return arrived(what, &new, name),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => half_moved(&old, &new, copy)?,
        Err(error) => return Err(on("move", &old)(error)),
    }
    match fs::remove_file(&old) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(on("remove", &old)(error).outcome_unknown()),
        _ => sync_directory(to).and_then(|()| sync_directory(from)).map_err(Fault::outcome_unknown),
    }?;
    Ok(placed(what, name))
}

/// An item that is not where it was may have arrived before a crash.
fn arrived(what: &Placement, new: &Path, name: &str) -> Result<Placed, Fault> {
    match Item::read(new)? {
        Some(item) if item.is_as_placed(what) => Ok(placed(what, name)),
        _ => Err(item_gone()),
    }
}

/// One file under both names is a move that was cut in half, and so is the copy that was found of the same bytes.
/// Anything else under the new name is somebody's.
fn half_moved(old: &Path, new: &Path, copy: Option<&Handle>) -> Result<(), Fault> {
    let file = |path: &Path| fs::metadata(path).map(|data| (data.dev(), data.ino())).map_err(on("look at", path));
    if file(old)? == file(new)? {
        return Ok(());
    }
    let digest = |path: &Path| Item::read(path).map(|item| item.map(|item| item.digest));
    if copy.is_some() && digest(old)? == digest(new)? { Ok(()) } else { Err(taken(new)) }
}

/// In the version that was placed: what people wrote into it since is still seen to differ.
fn placed(what: &Placement, name: &str) -> Placed {
    Placed { handle: Some(Handle::new(name)), version: Some(version_of(what)), ..Placed::default() }
}

/// Removes an item that is still as it was placed.
pub(super) fn withdraw(what: &Placement, directory: &Path) -> Result<(), Fault> {
    let path = directory.join(file_name(&what.handle)?);
    let there = Item::read(&path)?.ok_or_else(item_gone)?;
    if !there.is_as_placed(what) {
        return Err(changed_there());
    }
    fs::remove_file(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => item_gone(),
        _ => on("remove", &path)(error),
    })?;
    sync_directory(directory)
}
