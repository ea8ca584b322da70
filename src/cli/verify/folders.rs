//! The account of the folders: everything the source holds, and what became of it.

use crate::{
    cli::terminal::Terminal,
    engine::{Compared, Reconciled},
    report::{Of, count},
};
use std::fmt::Write;

/// Tells every folder to scripts; to people the sum, and the folders that have something to say.
pub(super) fn tell(account: &Compared, terminal: &Terminal) {
    let line = |folder: &Reconciled| terminal.tell("reconciled", &Of { account: &account.address, what: folder });
    account.folders.iter().for_each(line);
    terminal.print(&told(account));
}

pub(super) fn sum(accounts: &[Compared], of: fn(&Reconciled) -> u64) -> u64 {
    accounts.iter().flat_map(|account| &account.folders).map(of).sum()
}

/// Several folders may stand in one at the target: it is counted once.
pub(super) fn duplicates(account: &Compared) -> u64 {
    let mut seen: Vec<_> = account.folders.iter().filter_map(|folder| folder.there.as_ref()).collect();
    seen.sort_by(|a, b| a.at.cmp(&b.at));
    seen.dedup();
    seen.into_iter().map(|there| there.duplicates).sum()
}

fn told(account: &Compared) -> String {
    let of = |of: fn(&Reconciled) -> u64| account.folders.iter().map(of).sum::<u64>();
    let (source, done, owed) = (of(|folder| folder.source), of(|folder| folder.done), of(|folder| folder.owed));
    let mut text = format!(
        "{}: {} at the source = {done} done + {owed} owed + {} in quarantine + {} kept by policy, in {}",
        account.address,
        count(source, "item"),
        of(|folder| folder.quarantined),
        of(|folder| folder.excluded),
        count(account.folders.len() as u64, "folder"),
    );
    let telling: Vec<_> = account.folders.iter().filter(|folder| !folder.is_plain()).collect();
    if telling.is_empty() {
        return text;
    }
    let _infallible = write!(text, "\n{}", line(&HEADS.map(str::to_owned)));
    for folder in &telling {
        let _infallible = write!(text, "\n{}", line(&columns(folder)));
        if let Some(told) = folder.counted_by_source {
            let why = "it counts items that are no mail too (notes, posts), or it changed since";
            let _infallible = write!(text, "\n    the source itself counts {told} there: {why}");
        }
    }
    let plain = account.folders.len() - telling.len();
    if plain > 0 {
        let _infallible = write!(text, "\n  {} more: all done, and found as placed", count(plain as u64, "folder"));
    }
    text
}

const HEADS: [&str; 9] = ["folder", "source", "done", "owed", "quarantine", "by policy", "found", "missing", "copies"];

fn columns(folder: &Reconciled) -> [String; 9] {
    let reason = folder.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let there = |of: fn(&crate::engine::There) -> u64| {
        folder.there.as_ref().map_or_else(|| "-".to_owned(), |there| of(there).to_string())
    };
    [
        format!("{}{reason}", folder.folder),
        folder.source.to_string(),
        folder.done.to_string(),
        folder.owed.to_string(),
        folder.quarantined.to_string(),
        folder.excluded.to_string(),
        there(|there| there.ours),
        there(|there| there.missing),
        there(|there| there.duplicates),
    ]
}

fn line(columns: &[String; 9]) -> String {
    let [folder, rest @ ..] = columns;
    let rest: Vec<_> = rest.iter().map(|column| format!("{column:>10}")).collect();
    format!("  {folder:<38} {}", rest.join(" "))
}
