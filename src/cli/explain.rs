//! `explain`: everything known of one item, or which items lost something.

mod listed;
mod losses;

use super::{
    args::{self, Common, MEANT},
    exit::{Exit, Failure},
    session::{all_rows, is_meant},
    terminal::Terminal,
};
use crate::{
    report::{Of, explained},
    store::{AccountRow, AccountStore, Explained, Opening, Project, StoreOptions},
};
use listed::Line;
use serde::Serialize;
use transhume_contract::Reach;

pub async fn run(common: &Common, explain: &args::Explain, terminal: &Terminal) -> Result<Exit, Failure> {
    if let Some(loss) = &explain.loss {
        return losses::tell(common, loss.trim(), terminal).await;
    }
    let meant = explain.item.as_deref().unwrap_or_default();
    if meant.trim().is_empty() {
        return Err(unnamed());
    }
    let project = Project::open(&common.project, Opening::Reading, StoreOptions::default()).await?;
    let found = find(&project, common, meant).await?;
    for (account, what) in &found {
        terminal.tell("explained", &Of { account, what });
    }
    terminal.summary("explain", &Summary { items: found.len() });
    match found.as_slice() {
        [] => Err(unknown(meant)),
        [(account, item)] => {
            terminal.answer(&explained(account, item));
            Ok(Exit::Done)
        }
        several => {
            let lines: Vec<_> = several.iter().map(line).collect();
            let (number, command) = (several.len(), listed::first(&lines));
            listed::show(place(several), &lines, terminal);
            terminal.print(&format!(
                "{number} items are meant (at most 20 of an account are shown). {command} tells all of the first."
            ));
            Ok(Exit::Done)
        }
    }
}

/// What the readable form says below its table.
#[derive(Serialize)]
struct Summary {
    /// That are meant, at most 20 of an account.
    items: usize,
}

async fn find(project: &Project, common: &Common, meant: &str) -> Result<Vec<(String, Explained)>, Failure> {
    let mut found = Vec::new();
    for row in all_rows(project).await?.into_iter().filter(|row| is_meant(row, common)) {
        if let Some(store) = opened(project, &row, common).await? {
            let items = store.explain(meant).await?;
            found.extend(items.into_iter().map(|item| (row.account.address.clone(), item)));
        }
    }
    Ok(found)
}

/// One damaged store hides no other account's items.
async fn opened(project: &Project, row: &AccountRow, common: &Common) -> Result<Option<AccountStore>, Failure> {
    if !project.has_store(row).await {
        return Ok(None);
    }
    match project.open_account(&row.account.id).await {
        Err(fault) if fault.reach <= Reach::Account && common.accounts.is_empty() => Ok(None),
        opened => Ok(Some(opened?)),
    }
}

fn unnamed() -> Failure {
    Failure::usage(format!("no item is named\nAn item is named by one of these: {}.", lower(MEANT)))
}

fn unknown(meant: &str) -> Failure {
    let chosen = "Correct it, or --account and --wave where they were given.";
    Failure::usage(format!("no item is known as {meant}\nAn item is named by one of these: {}. {chosen}", lower(MEANT)))
}

fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// What people call that in which these stand.
fn place(several: &[(String, Explained)]) -> &'static str {
    match several {
        [(_, first), rest @ ..] if rest.iter().all(|(_, item)| item.workload == first.workload) => {
            first.workload.collection()
        }
        _ => "stands in",
    }
}

fn line((account, item): &(String, Explained)) -> Line<'_> {
    let Explained { item, facts, collections, .. } = item;
    let collections = collections.iter().map(|collection| collection.name.as_str());
    Line {
        account,
        number: item.number(),
        received: facts.received,
        stands_in: collections.collect::<Vec<_>>().join(", "),
        subject: facts.subject.as_deref().or(facts.message_id.as_deref()).unwrap_or_default(),
    }
}
