//! `status --items`: every folder and every item that met a refusal not yet overcome, with its reason.

use super::{exit::Failure, terminal::Terminal};
use crate::{
    report::{Of, bytes, fate, fault_lines, moment, one_line, shorten, standing, why},
    store::{AccountRow, AccountStore, CollectionKey, ItemKey, Project, RefusedCollection, Setback},
};
use serde::Serialize;
use std::collections::BTreeMap;
use transhume_contract::{Facts, Timestamp, Workload};

/// Setbacks read at once.
const PAGE: usize = 500;

/// What a script reads of one item.
#[derive(Serialize)]
struct Line<'a> {
    folder: Option<&'a str>,
    subject: Option<&'a str>,
    message_id: Option<&'a str>,
    received: Option<Timestamp>,
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
            let (folder, facts) = (folder.as_deref(), item.map(|item| item.facts).unwrap_or_default());
            terminal.print(&sentence((account, workload), setback, &facts, folder));
            let Facts { subject, message_id, received, size, .. } = &facts;
            let (subject, message_id, received, size) = (subject.as_deref(), message_id.as_deref(), *received, *size);
            let line = Line { folder, subject, message_id, received, size, setback };
            terminal.tell("item", &Of { account, what: &line });
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

/// What a row has for a subject, and for what stands in its place.
const SUBJECT: usize = 60;

/// By what people know the item: where it stands, its date, its size, and its subject or name.
fn known(workload: Workload, facts: &Facts, folder: Option<&str>) -> Vec<String> {
    let quoted = |subject: &str| format!("\"{}\"", shorten(&one_line(subject), SUBJECT));
    let subject = facts.subject.as_deref().filter(|subject| !subject.trim().is_empty()).map(quoted);
    let word = if workload == Workload::Mail { "message id" } else { "uid" };
    let id = || facts.message_id.as_deref().map(|id| format!("{word} {}", shorten(&one_line(id), SUBJECT)));
    let named = subject.or_else(id);
    let untold = match (workload, facts.received, &named) {
        (_, _, Some(_)) => None,
        (Workload::Mail, None, None) => Some("the source told neither subject nor date"),
        (Workload::Mail, Some(_), None) => Some("the source told no subject"),
        (_, _, None) => Some("the source told no name"),
    };
    let known = [
        folder.map(|folder| format!("in {folder}")),
        facts.received.map(moment),
        facts.size.map(bytes),
        named,
        untold.map(str::to_owned),
    ];
    known.into_iter().flatten().collect()
}

fn sentence((account, workload): (&str, Workload), setback: &Setback, facts: &Facts, folder: Option<&str>) -> String {
    let known = known(workload, facts, folder).join(", ");
    let reason = fault_lines(&setback.fault).join("\n    ");
    let (fate, number, side) = (standing(setback), setback.item.number(), setback.side.name());
    let thing = if workload == Workload::Mail { "item" } else { workload.item() };
    format!("{account}, {thing} {number}: {fate} at the {side}; {known}\n    {reason}")
}

#[cfg(test)]
mod tests {
    use super::{Facts, Workload, known};

    fn facts(subject: Option<&str>, message_id: Option<&str>) -> Facts {
        Facts { subject: subject.map(str::to_owned), message_id: message_id.map(str::to_owned), ..Facts::default() }
    }

    #[test]
    fn an_item_is_known_by_its_subject_or_else_by_its_id() {
        let both = facts(Some("first\r\nsecond"), Some("<a@b>"));
        assert_eq!(known(Workload::Mail, &both, Some("Inbox")), ["in Inbox", "\"first second\""]);
        assert_eq!(known(Workload::Mail, &facts(Some(" "), Some("<a@b>")), None), ["message id <a@b>"]);
        assert_eq!(known(Workload::Calendar, &facts(None, Some("0400")), None), ["uid 0400"]);
        let long = known(Workload::Mail, &facts(Some(&"word ".repeat(40)), None), None).concat();
        assert!(long.contains('…') && long.chars().count() == super::SUBJECT + 2, "{long}");
    }

    #[test]
    fn what_the_source_never_told_is_said_to_be_so() {
        let nothing = facts(None, None);
        assert_eq!(known(Workload::Mail, &nothing, None), ["the source told neither subject nor date"]);
        assert_eq!(known(Workload::Tasks, &nothing, Some("Home")), ["in Home", "the source told no name"]);
        let dated = Facts { received: "2026-11-20T10:00:00Z".parse().ok(), size: Some(7), ..nothing };
        assert_eq!(known(Workload::Mail, &dated, None)[1..], ["7 B", "the source told no subject"]);
    }
}
