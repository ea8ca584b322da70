//! What happens to messages that stand: finding, amending, moving and removing them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use transhume_contract::{
    Amended, Amending, Facts, Fault, Found, Handle, IntentId, Known, NaturalKey, Placed, Placement, What,
};

use crate::account::sync_directory;
use crate::faults::{message_gone, on};
use crate::flags::{self, FileName};
use crate::keywords::Keywords;
use crate::listing::{self, Entry};
use crate::message;

pub(crate) type Answers = Vec<(IntentId, Result<Amended, Fault>)>;

/// Every file that is byte for byte what a key says.
pub(crate) fn find(folder: &Path, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
    let mut by_length: BTreeMap<u64, Vec<&NaturalKey>> = BTreeMap::new();
    for key in keys {
        by_length.entry(key.length).or_default().push(key);
    }
    let keywords = Keywords::load(folder).map_err(on("read the keywords of", folder))?;
    let mut found = Vec::new();
    for entry in listing::entries(folder)? {
        let mut entry = entry?;
        let stated = entry.name.size();
        let length = match stated {
            Some(size) => size,
            None => listing::with(folder, &mut entry, "look at", |entry| fs::metadata(&entry.path))?.len(),
        };
        let Some(keys) = by_length.get(&length) else { continue };
        let contents = listing::with(folder, &mut entry, "read", |entry| message::read(&entry.path))?;
        let same = keys.iter().filter(|key| key.digest == contents.digest && key.length == contents.length);
        found.extend(same.map(|key| Found {
            intent: key.intent.clone(),
            handle: Handle::new(&entry.name.base),
            version: None,
            facts: entry.name.facts(&keywords),
            deleted: false,
            content: None,
        }));
    }
    Ok(found)
}

/// Brings facts up to date, merged three ways; one look through the folder and one flush for the batch.
pub(crate) fn amend(folder: &Path, changes: &[Amending]) -> Result<Answers, Fault> {
    let wanted: BTreeSet<&str> = changes.iter().flat_map(|change| flags::needed(&change.want)).collect();
    let keywords = Keywords::with(folder, &wanted).map_err(on("write the keywords of", folder))?;
    let mut entries = entries_of(folder, changes)?;
    let mut amend = |change: &Amending| {
        let entry = entries.get_mut(change.placement.handle.as_str()).ok_or_else(message_gone)?;
        amend_one(folder, change, &keywords, entry)
    };
    let mut answers: Answers = changes.iter().map(|change| (change.intent.clone(), amend(change))).collect();
    if let Err(fault) = sync_directory(&folder.join("cur")) {
        for (_, answer) in answers.iter_mut().filter(|(_, answer)| answer.is_ok()) {
            *answer = Err(fault.clone().outcome_unknown());
        }
    }
    Ok(answers)
}

fn entries_of(folder: &Path, changes: &[Amending]) -> Result<HashMap<String, Entry>, Fault> {
    let bases: BTreeSet<&str> = changes.iter().map(|change| change.placement.handle.as_str()).collect();
    let all = listing::entries(folder)?;
    let ours = all.filter(|entry| entry.as_ref().map_or(true, |entry| bases.contains(entry.name.base.as_str())));
    ours.map(|entry| entry.map(|entry| (entry.name.base.clone(), entry))).collect()
}

fn amend_one(folder: &Path, change: &Amending, keywords: &Keywords, entry: &mut Entry) -> Result<Amended, Fault> {
    let known = known(change, keywords);
    let want = representable(&change.want, keywords);
    let cur = folder.join("cur");
    let amended = listing::with(folder, entry, "rename", |entry| {
        let merge = want.merge(&known, &entry.name.facts(keywords));
        let mut name = entry.name.clone();
        name.set(&merge.set, keywords);
        if name != entry.name {
            fs::rename(&entry.path, cur.join(name.text()))?;
        }
        Ok((name, merge))
    });
    let (name, merge) = amended?;
    if name != entry.name {
        *entry = Entry { path: cur.join(name.text()), name };
    }
    Ok(Amended {
        facts: Facts { received: change.placement.facts.received, ..entry.name.facts(keywords) },
        base: merge.base,
        changed_there: merge.changed_there.into_iter().map(str::to_owned).collect(),
        losses: flags::losses(&change.want, keywords),
    })
}

/// What is known of it, as a file name holds it.
fn known(change: &Amending, keywords: &Keywords) -> Known {
    let held = |facts: &Facts| flags::as_held(facts, keywords);
    let begun = change.begun.iter().map(|begun| representable(begun, keywords)).collect();
    Known { base: held(&change.base), stood: held(&change.placement.facts), begun }
}

/// What is wanted, as far as a file name can hold it; what is unsaid stays unsaid.
fn representable(want: &Facts, keywords: &Keywords) -> Facts {
    let held = flags::as_held(want, keywords);
    Facts { flag: want.flag.and(held.flag), categories: want.categories.as_ref().and(held.categories), ..want.clone() }
}

/// Moves a message between two folders of one account. Its keywords get the letters they have there.
pub(crate) fn relocate(what: &Placement, from: &Path, to: &Path) -> Result<Placed, Fault> {
    let keywords = Keywords::load(from).map_err(on("read the keywords of", from))?;
    let base = what.handle.as_str();
    let likely = likely(what, &keywords);
    let Some(mut entry) = listing::find(from, base, Some(&likely))? else {
        return arrived(to, what);
    };
    let facts = entry.name.facts(&keywords);
    let needed: BTreeSet<&str> = flags::needed(&facts).collect();
    let there = Keywords::with(to, &needed).map_err(on("write the keywords of", to))?;
    let cur = to.join("cur");
    listing::with(from, &mut entry, "move", |entry| {
        let mut name = entry.name.clone();
        name.letters.retain(char::is_ascii_uppercase);
        name.set(&entry.name.facts(&keywords), &there);
        fs::rename(&entry.path, cur.join(name.text()))
    })?;
    sync_directory(&cur).and_then(|()| sync_directory(&from.join("cur"))).map_err(Fault::outcome_unknown)?;
    Ok(placed(base, &facts, &there))
}

/// A message that is not where it was may have arrived before a crash.
fn arrived(to: &Path, what: &Placement) -> Result<Placed, Fault> {
    let base = what.handle.as_str();
    let there = Keywords::load(to).map_err(on("read the keywords of", to))?;
    match listing::find(to, base, None)? {
        Some(_) => Ok(placed(base, &what.facts, &there)),
        None => Err(message_gone()),
    }
}

/// What stands with these facts, as far as the folder's keywords can say them.
fn placed(base: &str, facts: &Facts, there: &Keywords) -> Placed {
    let (losses, left_out) = (flags::losses(facts, there), flags::left_out(facts, there));
    Placed { handle: Some(Handle::new(base)), version: None, losses, left_out }
}

/// Removes a message that is still as it was placed.
pub(crate) fn withdraw(what: &Placement, folder: &Path) -> Result<(), Fault> {
    let keywords = Keywords::load(folder).map_err(on("read the keywords of", folder))?;
    let base = what.handle.as_str();
    let found = listing::find(folder, base, Some(&likely(what, &keywords)))?;
    let mut entry = found.ok_or_else(message_gone)?;
    let digest = listing::with(folder, &mut entry, "read", |entry| message::read(&entry.path))?.digest;
    let changed = || Fault::new(What::Forbidden, "the message was changed there since it was placed");
    if digest != what.digest || !same(&flags::as_held(&what.facts, &keywords), &entry.name.facts(&keywords)) {
        return Err(changed());
    }
    // Not under another name: whoever renamed it just now changed it.
    fs::remove_file(&entry.path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => changed(),
        _ => on("remove", &entry.path)(error),
    })?;
    sync_directory(&folder.join("cur"))
}

/// Compares amendable facts, keywords as a set.
fn same(one: &Facts, other: &Facts) -> bool {
    let set = |facts: &Facts| facts.categories.iter().flatten().cloned().collect::<BTreeSet<_>>();
    let bare = |facts: &Facts| Facts { categories: None, ..facts.clone() };
    set(one) == set(other) && bare(one) == bare(other)
}

/// The name a placement's file has if nobody touched it.
fn likely(what: &Placement, keywords: &Keywords) -> FileName {
    let mut name = FileName { base: what.handle.as_str().to_owned(), letters: BTreeSet::new() };
    name.set(&what.facts, keywords);
    name
}
