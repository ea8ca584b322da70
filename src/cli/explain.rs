//! `explain`: everything known of one item.

use super::{
    args::{self, Common},
    exit::{Exit, Failure},
    session::select_rows,
    terminal::Terminal,
};
use crate::store::{Explained, Opening, Project, StoreOptions};
use serde::Serialize;

pub async fn run(common: &Common, explain: &args::Explain, terminal: &Terminal) -> Result<Exit, Failure> {
    let project = Project::open(&common.project, Opening::Reading, StoreOptions::default()).await?;
    let mut found = 0;
    for row in select_rows(&project, common).await? {
        if !project.has_store(&row).await {
            continue;
        }
        let store = project.open_account(&row.account.id).await?;
        for explained in store.explain(&explain.item).await? {
            found += 1;
            terminal.line(&Line { r#type: "explained", account: &row.account.address, explained: &explained });
            terminal.print(&told(&row.account.address, &explained));
        }
    }
    if found > 0 {
        return Ok(Exit::Done);
    }
    let sentence = format!(
        "no item is known as {}\nGive the number that a run or verify printed, a Message-ID, or the beginning of the source's id.",
        explain.item
    );
    Err(Failure::usage(sentence))
}

#[derive(Serialize)]
struct Line<'a> {
    r#type: &'static str,
    account: &'a str,
    #[serde(flatten)]
    explained: &'a Explained,
}

/// The item as indented JSON under a heading: complete, and readable by people and scripts alike.
fn told(account: &str, explained: &Explained) -> String {
    let body = serde_json::to_string_pretty(explained).unwrap_or_default();
    format!("{account}, item {}\n{body}", explained.item.number())
}
