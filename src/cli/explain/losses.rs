//! `explain --loss`: which items lost something of one name.

use super::{
    all_rows, is_meant,
    listed::{self, Line},
    opened,
};
use crate::{
    cli::{
        args::Common,
        exit::{Exit, Failure},
        terminal::Terminal,
    },
    report::{Of, count, grouped},
    store::{Lossy, Opening, Project, StoreOptions},
};
use serde::Serialize;
use std::collections::BTreeSet;
use transhume_contract::Workload;

/// Items told of all accounts together: in the order of the accounts, and of each the newest first.
const SHOWN: usize = 100;

#[derive(Serialize)]
struct Summary<'a> {
    loss: &'a str,
    /// That have it.
    items: u64,
    /// Those of them that are told.
    shown: usize,
}

/// What was found in the stores.
#[derive(Default)]
struct Found {
    items: u64,
    /// With their accounts; of each the newest first.
    shown: Vec<(String, Lossy)>,
    /// The names of all losses that were met.
    met: BTreeSet<String>,
}

pub(super) async fn tell(common: &Common, name: &str, terminal: &Terminal) -> Result<Exit, Failure> {
    let found = find(common, name).await?;
    for (account, what) in &found.shown {
        terminal.tell("loss", &Of { account, what });
    }
    terminal.summary("explain", &Summary { loss: name, items: found.items, shown: found.shown.len() });
    if found.items == 0 {
        return Err(none(name, &found.met));
    }
    let lines: Vec<_> = found.shown.iter().map(line).collect();
    listed::show("stands in", &lines, terminal);
    terminal.print(&sentence(name, &found, &listed::first(&lines)));
    Ok(Exit::Done)
}

async fn find(common: &Common, name: &str) -> Result<Found, Failure> {
    let project = Project::open(&common.project, Opening::Reading, StoreOptions::default()).await?;
    let mut found = Found::default();
    let is_asked_for = |workload: &Workload| common.only.is_empty() || common.only.contains(workload);
    for row in all_rows(&project).await?.into_iter().filter(|row| is_meant(row, common)) {
        let Some(store) = opened(&project, &row, common).await? else { continue };
        for workload in Workload::ALL.into_iter().filter(is_asked_for) {
            let (items, newest) = store.items_with_loss(workload, name, SHOWN - found.shown.len()).await?;
            found.items += items;
            found.shown.extend(newest.into_iter().map(|item| (row.account.address.clone(), item)));
            found.met.extend(store.totals(workload).await?.losses.into_iter().map(|loss| loss.name));
        }
    }
    Ok(found)
}

/// A name that no loss has is a mistake in writing it; one that nothing met so far may be met later.
fn none(name: &str, met: &BTreeSet<String>) -> Failure {
    let known = match met.is_empty() {
        true => "No loss was met so far; `transhume plan --sample 20` looks for some, and a run finds all.".to_owned(),
        false => {
            let names: Vec<_> = met.iter().map(String::as_str).collect();
            format!("These were met: {}. What only placing loses shows once it is placed.", names.join(", "))
        }
    };
    Failure::usage(format!("no item has the loss {name}\n{known}"))
}

fn sentence(name: &str, found: &Found, command: &str) -> String {
    let have = if found.items == 1 { "has" } else { "have" };
    let shown = match found.items > found.shown.len() as u64 {
        true => format!(" ({} of them are shown)", grouped(found.shown.len() as u64)),
        false => String::new(),
    };
    let items = count(found.items, "item");
    format!("{items} {have} the loss {name}{shown}. {command} tells what the first of them lost.")
}

fn line((account, item): &(String, Lossy)) -> Line<'_> {
    Line {
        account,
        number: item.item.number(),
        received: item.received,
        stands_in: item.collections.join(", "),
        subject: item.subject.as_deref().or(item.message_id.as_deref()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::{BTreeSet, none};

    #[test]
    fn a_name_that_nothing_has_is_answered_with_those_that_were_met() {
        assert!(
            none("nul", &BTreeSet::new()).sentence.contains("No loss was met so far; `transhume plan --sample 20`")
        );
        let met = BTreeSet::from(["date_clamped".to_owned(), "nul_removed".to_owned()]);
        let said = none("nul", &met).sentence;
        assert!(said.starts_with("no item has the loss nul\nThese were met: date_clamped, nul_removed. "), "{said}");
    }
}
