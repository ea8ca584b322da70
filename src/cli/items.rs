//! `status --items`: every folder and every item that met a refusal not yet overcome, with its reason.

use super::{exit::Failure, terminal::Terminal};
use crate::{
    report::{Of, bytes, fate, fault_lines, moment, standing, why},
    store::{AccountRow, AccountStore, CollectionKey, ItemKey, Project, RefusedCollection, Setback},
};
use serde::Serialize;
use std::collections::BTreeMap;
use transhume_contract::{Facts, Workload};

/// Setbacks read at once.
const PAGE: usize = 500;

/// What a script reads of one item.
#[derive(Serialize)]
struct Line<'a> {
    folder: Option<&'a str>,
    subject: Option<&'a str>,
    size: Option<u64>,
    #[serde(flatten)]
    setback: &'a Setback,
}

pub async fn tell(
    project: &Project,
    rows: impl Iterator<Item = &AccountRow>,
    workloads: &[Workload],
    terminal: &Terminal,
) -> Result<(), Failure> {
    for row in rows {
        if project.has_store(row).await {
            // Why a store cannot be opened is told with the account's standing.
            let Ok(store) = project.open_account(&row.account.id).await else { continue };
            for workload in workloads {
                tell_account(&store, &row.account.address, *workload, terminal).await?;
            }
        }
    }
    Ok(())
}

async fn tell_account(
    store: &AccountStore,
    account: &str,
    workload: Workload,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let rows = store.collections(workload).await?;
    let folders: BTreeMap<CollectionKey, String> = rows.into_iter().map(|row| (row.key, row.collection.name)).collect();
    for refused in store.refused_collections(workload).await? {
        terminal.print(&refused_collection(account, workload, &refused));
        terminal.tell("refused_folder", &Of { account, what: &refused });
    }
    let mut after: Option<Setback> = None;
    loop {
        let page = store.setbacks(workload, after.as_ref(), PAGE).await?;
        for setback in &page {
            let item = store.item(setback.item).await?;
            // What could not be pulled has no folder of its own in the setback: it stands in every one that holds it.
            let folder = match setback.from.and_then(|key| folders.get(&key)) {
                Some(folder) => Some(folder.clone()),
                None => folders_of(store, setback.item).await?,
            };
            let folder = folder.as_deref();
            let of = (account, workload);
            terminal.print(&sentence(of, setback, item.as_ref().map(|item| &item.facts), folder));
            let facts = item.as_ref().map(|item| &item.facts);
            let (subject, size) =
                (facts.and_then(|facts| facts.subject.as_deref()), facts.and_then(|facts| facts.size));
            terminal.tell("item", &Of { account, what: &Line { folder, subject, size, setback } });
        }
        let Some(last) = page.into_iter().next_back() else { return Ok(()) };
        after = Some(last);
    }
}

async fn folders_of(store: &AccountStore, item: ItemKey) -> Result<Option<String>, Failure> {
    let names: Vec<_> = store.collections_of(item).await?.into_iter().map(|collection| collection.name).collect();
    Ok((!names.is_empty()).then(|| names.join(", ")))
}

fn refused_collection(account: &str, workload: Workload, refused: &RefusedCollection) -> String {
    let (name, fate, since) = (&refused.name, fate(refused.side), moment(refused.first));
    let what = workload.collection();
    format!("{account}, {what} {name}: {fate}, since {since}\n    {}", why(&refused.fault).join("\n    "))
}

fn sentence(
    (account, workload): (&str, Workload),
    setback: &Setback,
    facts: Option<&Facts>,
    folder: Option<&str>,
) -> String {
    let fate = standing(setback);
    let known = [
        folder.map(|folder| format!("in {folder}")),
        facts.and_then(|facts| facts.received).map(moment),
        facts.and_then(|facts| facts.size).map(bytes),
        facts.and_then(|facts| facts.subject.as_ref()).map(|subject| format!("\"{subject}\"")),
    ];
    let known: Vec<_> = known.into_iter().flatten().collect();
    let reason = fault_lines(&setback.fault).join("\n    ");
    let (number, side) = (setback.item.number(), setback.side.name());
    let known = if known.is_empty() { String::new() } else { format!("; {}", known.join(", ")) };
    let thing = if workload == Workload::Mail { "item" } else { workload.item() };
    format!("{account}, {thing} {number}: {fate} at the {side}{known}\n    {reason}")
}
