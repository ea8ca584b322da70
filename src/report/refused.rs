//! Folders that one side refused as a whole: which, why, and the next step; folders with one cause together.

use super::{
    standings::accounts,
    words::{collections, count, fault_lines, kinds_of_collections},
};
use crate::{engine::AccountStanding, store::Side};
use transhume_contract::{Fault, Workload};

/// Folders named of each cause.
const NAMED: usize = 10;
/// Where no person has to act first.
const AGAIN: &str =
    "The next run tries it again; if it is refused again, ask who runs that side, or rename the folder at the source.";

struct Group<'a> {
    side: Side,
    workload: Workload,
    first: &'a Fault,
    /// Account and folder.
    folders: Vec<(&'a str, &'a str)>,
}

/// Every cause once: what the first folder met, the next step, and the folders it met.
pub fn refused_folders(all: &[&AccountStanding]) -> String {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for standing in all {
        for refused in &standing.refused {
            let (side, fault) = (refused.side, &refused.fault);
            let folder = (standing.account.as_str(), refused.folder.as_str());
            let workload = standing.workload;
            let alike = |group: &&mut Group<'_>| (group.side, group.workload) == (side, workload);
            match groups.iter_mut().filter(alike).find(|group| is_same(group.first, fault)) {
                Some(group) => group.folders.push(folder),
                None => groups.push(Group { side, workload, first: fault, folders: vec![folder] }),
            }
        }
    }
    groups.iter().map(told).collect()
}

/// `2 calendars and 1 task list`: what the target does not take, each by the word of its workload.
pub fn refused_at_target<'a>(all: impl IntoIterator<Item = &'a AccountStanding>) -> String {
    collections(all.into_iter().map(|standing| (standing.workload, standing.refused_at_target() as u64)))
}

/// `2 accounts with folders and calendars not listed to the end (run again)`: where nothing else stopped them.
pub fn not_listed<'a>(all: impl IntoIterator<Item = &'a AccountStanding>) -> String {
    let unlisted: Vec<_> = all.into_iter().filter(|standing| standing.is_unlisted()).collect();
    let kinds = kinds_of_collections(unlisted.iter().map(|standing| standing.workload));
    let accounts = count(accounts(unlisted) as u64, "account");
    format!("{accounts} with {kinds} not listed to the end (run again)")
}

/// The sentence names the folder; all else says whether it is the same matter.
fn is_same(one: &Fault, other: &Fault) -> bool {
    (one.what, &one.code, &one.remedy) == (other.what, &other.code, &other.remedy)
}

fn told(group: &Group<'_>) -> String {
    let (fate, what) = (fate(group.side), group.workload.collection());
    let lines = why(group.first).join("\n    ");
    match group.folders.as_slice() {
        [(account, folder)] => format!("{what} {folder} of {account} {fate}: {lines}\n"),
        many => {
            let one_account = many.iter().all(|(account, _)| *account == many[0].0);
            let name = |(account, folder): &(&str, &str)| match one_account {
                true => (*folder).to_owned(),
                false => format!("{folder} of {account}"),
            };
            let named = many.iter().take(NAMED).map(name).collect::<Vec<_>>().join(", ");
            let whose = if one_account { format!(" of {}", many[0].0) } else { String::new() };
            let more = match many.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more (`transhume status --items` names each)"),
            };
            let folders = count(many.len() as u64, what);
            format!("{folders}{whose}, each of which {fate}; the first: {lines}\n    {named}{more}\n")
        }
    }
}

/// What a refused folder did not come through.
pub const fn fate(side: Side) -> &'static str {
    match side {
        Side::Source => "could not be listed to its end",
        Side::Target => "is not taken by the target",
    }
}

/// What happened and the next step, for one folder.
pub fn why(fault: &Fault) -> Vec<String> {
    let mut lines = fault_lines(fault);
    if fault.next_step().is_none() {
        lines.insert(1, AGAIN.to_owned());
    }
    lines
}
