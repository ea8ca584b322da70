//! The original of a task.
//!
//! Parts: `task` (the todoTask resource, with its checklist and its links where the service expands them),
//! `checklistItems` and `linkedResources` (arrays, where they had to be asked for apart), `attachments` (an array of
//! `{"attachment"}`, each without bytes) and `attachment/<n>` (the bytes of its n-th entry).

use super::rows::{TASKS, list_in};
use crate::{
    attached::{Attachments, put_json},
    calendar::WISHES,
    endpoint::segment,
    faults::Asked,
    json,
    service::Service,
    wire::Task,
};
use bytes::Bytes;
use serde_json::{Value, json};
use transhume_contract::{Facts, Fault, ItemRef, OriginalSink, What};

const EXPAND: &str = "?$expand=checklistItems,linkedResources";
const ATTACHMENT: &str = "id,name,contentType,size,lastModifiedDateTime";

/// Gives the original of one task.
pub async fn fetch(service: &Service, item: &ItemRef, into: &mut dyn OriginalSink) -> Result<Facts, Fault> {
    into.clear().await?;
    let user = item.account.id.as_str();
    let path = (TASKS.one)(&segment(user), &segment(list_in(&item.version)), &segment(item.id.as_str()));
    let (task, bytes) = task(service, user, &path).await?;
    put_json(into, "task", bytes).await?;
    if task.checklist_items.is_none() {
        apart(service, user, &path, "checklistItems", into).await?;
    }
    if task.linked_resources.is_none() {
        apart(service, user, &path, "linkedResources", into).await?;
    }
    if task.has_attachments != Some(false) {
        attachments(service, user, path, into).await?;
    }
    Ok(Facts::default())
}

async fn task(service: &Service, user: &str, path: &str) -> Result<(Task, Vec<u8>), Fault> {
    match service.item(user, &format!("{path}{EXPAND}"), WISHES, "a task").await {
        Err(fault) if fault.what == What::Unsupported => service.item(user, path, WISHES, "a task").await,
        other => other,
    }
}

async fn apart(
    service: &Service,
    user: &str,
    path: &str,
    name: &str,
    into: &mut dyn OriginalSink,
) -> Result<(), Fault> {
    let path = format!("{path}/{name}");
    let rows = service.rows_verbatim(user, &path, Asked::Item, "the parts of a task").await?;
    if rows.is_empty() { Ok(()) } else { put_json(into, name, json::array(rows.iter().map(Bytes::as_ref))).await }
}

async fn attachments(service: &Service, user: &str, item: String, into: &mut dyn OriginalSink) -> Result<(), Fault> {
    let of = Attachments { service, user, item, select: ATTACHMENT };
    let mut all = Vec::new();
    for (n, mut meta) in of.listed().await?.into_iter().enumerate() {
        of.take(n, &mut meta, into).await?;
        all.push(json!({"attachment": meta}));
    }
    if all.is_empty() { Ok(()) } else { put_json(into, "attachments", Value::Array(all).to_string()).await }
}
