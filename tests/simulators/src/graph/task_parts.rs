//! What belongs to a task: its checklist, its links, its attachments (Microsoft Graph docs: checklistItem,
//! linkedResource, taskFileAttachment). A list of attachments comes without their bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Map, Value};

use super::calendars::entity;
use super::list::Window;
use super::rooms::page;
use super::shape::{Look, Shape};
use super::{Answer, Scene, todo};
use crate::wire::{Payload, Refusal, Reply};

const CHECKLIST: Shape = Shape {
    name: "checklistItem",
    members: &["id", "displayName", "isChecked", "createdDateTime", "checkedDateTime"],
    apart: &[],
};
const LINK: Shape = Shape {
    name: "linkedResource",
    members: &["id", "webUrl", "applicationName", "displayName", "externalId"],
    apart: &[],
};
const ATTACHMENT: Shape = Shape {
    name: "taskFileAttachment",
    members: &["id", "name", "contentType", "size", "lastModifiedDateTime", "contentBytes"],
    apart: &[],
};

pub(super) fn answer(scene: &Scene<'_>, user: &str, list: &str, task: &str, rest: &[&str]) -> Answer {
    let (name, rest) = rest.split_first().ok_or_else(|| Refusal::no_such_segment(""))?;
    let shape = match *name {
        "checklistItems" => &CHECKLIST,
        "linkedResources" => &LINK,
        "attachments" => &ATTACHMENT,
        other => return Err(Refusal::no_such_segment(other)),
    };
    let look = Look::of(scene, shape)?;
    let item = todo::opened(scene, user, list, task)?;
    let all = item.resource().get(*name).and_then(Value::as_array).cloned().unwrap_or_default();
    let context = format!("users('{user}')/todo/lists('{list}')/tasks('{task}')/{name}");
    let files = *name == "attachments";
    match rest {
        [] => {
            let rows = all.iter().map(|one| row(&look, one, files).into()).collect();
            page(scene, &context, rows, Window::of_size(scene, 100)?)
        }
        [id] => Ok(entity(scene, &format!("{context}/$entity"), row(&look, found(&all, id)?, false))),
        [id, "$value"] if files => value(found(&all, id)?),
        [_, other, ..] => Err(Refusal::no_such_segment(other)),
    }
}

/// Attachments as an expansion shows them.
pub(super) fn without_bytes(mut all: Value) -> Value {
    for one in all.as_array_mut().into_iter().flatten() {
        one.as_object_mut().and_then(|one| one.shift_remove("contentBytes"));
    }
    all
}

fn found<'a>(all: &'a [Value], id: &str) -> Result<&'a Value, Refusal> {
    all.iter().find(|one| one["id"] == id).ok_or_else(Refusal::item_not_found)
}

fn row(look: &Look, one: &Value, without_bytes: bool) -> Map<String, Value> {
    let mut whole = one.as_object().cloned().unwrap_or_default();
    if without_bytes {
        whole.shift_remove("contentBytes");
    }
    look.row(one["id"].as_str().unwrap_or_default(), whole)
}

fn value(one: &Value) -> Answer {
    let bytes = one["contentBytes"].as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    let kind = one["contentType"].as_str().unwrap_or("application/octet-stream");
    Ok(Reply::of(StatusCode::OK, Payload::Bytes(bytes.into())).with("content-type", kind))
}
