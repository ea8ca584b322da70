//! The account of the folders: everything the source holds, and what became of it.

use crate::{
    cli::terminal::Terminal,
    engine::{Compared, Reconciled, There},
    report::{self, Column, Of, count, grouped, table, wrapped},
};
use std::{collections::BTreeSet, fmt::Write};
use transhume_contract::Workload;

/// Tells every folder to scripts; to people the sum, and the folders that have something to say.
pub(super) fn tell(account: &Compared, terminal: &Terminal) {
    let line = |folder: &Reconciled| terminal.tell("reconciled", &Of { account: &account.address, what: folder });
    account.folders.iter().for_each(line);
    terminal.draw(&told(account, terminal.width(), terminal.room()));
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

/// Its table fits `width`, its sentences `room`.
fn told(account: &Compared, width: Option<usize>, room: Option<usize>) -> String {
    let of = |of: fn(&Reconciled) -> u64| account.folders.iter().map(of).sum::<u64>();
    let (source, done, owed) = (of(|folder| folder.source), of(|folder| folder.done), of(|folder| folder.owed));
    let sentence = format!(
        "{}: {} at the source = {done} done + {owed} owed + {} in quarantine + {} kept by policy, in {}",
        account.address,
        count(source, "item"),
        of(|folder| folder.quarantined),
        of(|folder| folder.excluded),
        collections(&account.folders.iter().collect::<Vec<_>>()),
    );
    let mut text = wrapped(&sentence, room);
    let telling: Vec<_> = account.folders.iter().filter(|folder| !folder.is_plain()).collect();
    if telling.is_empty() {
        return text;
    }
    text.push('\n');
    for workload in telling.iter().map(|folder| folder.workload).collect::<BTreeSet<_>>() {
        let rows = telling.iter().filter(|folder| folder.workload == workload).map(|folder| row(folder)).collect();
        let drawn = table(&columns(workload), rows, width.map(|width| width.saturating_sub(INDENT.len())));
        text.extend(drawn.lines().map(|line| format!("{INDENT}{line}\n")));
    }
    for (folder, told) in telling.iter().filter_map(|folder| Some((folder, folder.counted_by_source?))) {
        let why = match folder.workload {
            Workload::Mail => "it counts items that are no mail too (notes, posts), or it changed since",
            _ => "it changed since",
        };
        let sentence = format!("{INDENT}{}: the source itself counts {}; {why}", folder.folder, grouped(told));
        let _infallible = writeln!(text, "{}", wrapped(&sentence, room));
    }
    let plain: Vec<_> = account.folders.iter().filter(|folder| folder.is_plain()).collect();
    if !plain.is_empty() {
        let _infallible = writeln!(text, "{INDENT}{} more: nothing owed, nothing different", collections(&plain));
    }
    text
}

fn collections(all: &[&Reconciled]) -> String {
    report::collections(all.iter().map(|one| (one.workload, 1)))
}

const INDENT: &str = "  ";

/// Each workload has a table of its own: what a folder is to mail is a calendar to events.
const fn columns(workload: Workload) -> [Column; 10] {
    [
        Column::Words(workload.collection()),
        Column::Number("source"),
        Column::Number("done"),
        Column::Number("owed"),
        Column::Number("quarantine"),
        Column::Number("kept"),
        Column::Number("found"),
        Column::Number("moved"),
        Column::Number("missing"),
        Column::Number("copies"),
    ]
}

fn row(folder: &Reconciled) -> Vec<String> {
    let reason = folder.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let there =
        |of: fn(&There) -> u64| folder.there.as_ref().map_or_else(|| "-".to_owned(), |there| grouped(of(there)));
    vec![
        format!("{}{reason}", folder.folder),
        grouped(folder.source),
        grouped(folder.done),
        grouped(folder.owed),
        grouped(folder.quarantined),
        grouped(folder.excluded),
        there(|there| there.ours),
        there(|there| there.moved),
        there(|there| there.missing),
        there(|there| there.duplicates),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Compared, Reconciled, Workload, told};
    use std::collections::BTreeMap;

    fn owing(workload: Workload, folder: &str) -> Reconciled {
        Reconciled {
            workload,
            folder: folder.to_owned(),
            source: 3,
            done: 2,
            owed: 1,
            quarantined: 0,
            excluded: 0,
            reason: None,
            counted_by_source: None,
            there: None,
        }
    }

    #[test]
    fn each_workload_is_headed_by_its_own_word() {
        let all = [
            (Workload::Tasks, "Home"),
            (Workload::Mail, "Inbox"),
            (Workload::Calendar, "Council"),
            (Workload::Mail, "Sent"),
            (Workload::Contacts, "Press"),
        ];
        let folders = all.map(|(workload, name)| owing(workload, name)).into();
        let text = told(&Compared { address: "ada".into(), folders, ..Compared::default() }, None, None);
        let heads: BTreeMap<usize, &str> = ["folder ", "calendar ", "address book ", "task list "]
            .iter()
            .filter_map(|head| Some((text.find(&format!("\n  {head}"))?, *head)))
            .collect();
        assert_eq!(heads.len(), 4, "{text}");
        let place = |name: &str| text.find(&format!("\n  {name} ")).unwrap_or_default();
        let above = |name: &str| heads.range(..place(name)).next_back().map(|(_, head)| *head);
        assert_eq!(
            ["Inbox", "Sent", "Council", "Press", "Home"].map(above),
            [Some("folder "), Some("folder "), Some("calendar "), Some("address book "), Some("task list ")],
            "{text}"
        );
        assert_eq!(text.matches("source").count(), 5, "the first line, and a head for each workload: {text}");
    }
}
