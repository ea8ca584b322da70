//! Versions of a file, newest first. The present one is among them, and its content is refused there (onedrive-api-docs#1112).

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::{Answer, Scene};
use super::content::fetchable;
use super::page::of_rows;
use crate::downloads;
use crate::tenant::sharepoint::{Drive, DriveItem, Version};
use crate::wire::{Payload, Refusal, Reply};

pub(super) fn list(scene: &Scene<'_>, drive: &Drive, slot: u32) -> Answer {
    if scene.call.query.either("orderby").is_some() {
        return Err(Refusal::invalid_request("The $orderby query option is not supported for versions."));
    }
    let tree = drive.tree.read();
    let item = tree.item(slot).filter(|item| item.facets.file).ok_or_else(no_versions)?;
    let rows = std::iter::once(present(item)).chain(item.versions.iter().map(former)).map(Value::Object).collect();
    let context = format!("drives('{}')/items('{}')/versions", drive.id, item.id);
    Ok(Reply::json(of_rows(scene, &context, &context, rows)?))
}

fn no_versions() -> Refusal {
    Refusal::invalid_request("Versions are not supported for this item.")
}

fn present(item: &DriveItem) -> Map<String, Value> {
    let about = item.resource();
    let mut row = Map::new();
    row.insert("id".to_owned(), item.version_id().into());
    for name in ["lastModifiedBy", "lastModifiedDateTime"] {
        row.extend(about.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    row.insert("size".to_owned(), item.bytes.into());
    row
}

fn former(version: &Version) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("id".to_owned(), version.id.as_str().into());
    row.extend(version.resource.clone().into_iter().filter(|(name, _)| !name.starts_with('_')));
    if let Some(content) = version.content.as_ref().filter(|_| !row.contains_key("size")) {
        row.insert("size".to_owned(), json!(content.len()));
    }
    row
}

pub(super) fn one(scene: &Scene<'_>, drive: &Drive, slot: u32, id: &str) -> Answer {
    let tree = drive.tree.read();
    let item = tree.item(slot).filter(|item| item.facets.file).ok_or_else(no_versions)?;
    let row = match item.versions.iter().find(|version| version.id == id) {
        Some(version) => former(version),
        None if item.version_id() == id => present(item),
        None => return Err(Refusal::drive_item_not_found()),
    };
    let mut answer = Map::new();
    let context = format!("drives('{}')/items('{}')/versions/$entity", drive.id, item.id);
    answer.insert("@odata.context".to_owned(), scene.call.context(&context).into());
    answer.extend(row);
    Ok(Reply::json(answer))
}

pub(super) fn content(scene: &Scene<'_>, drive: &Drive, slot: u32, id: &str) -> Answer {
    let tree = drive.tree.read();
    let item = tree.item(slot).ok_or_else(Refusal::drive_item_not_found)?;
    fetchable(item)?;
    if item.version_id() == id {
        return Err(Refusal::invalid_request("You cannot get the content of the current version."));
    }
    let version = item.versions.iter().find(|version| version.id == id && version.content.is_some());
    let version = version.ok_or_else(Refusal::drive_item_not_found)?;
    let lifetime = scene.world.knobs().switches.files.redirect_lifetime_s;
    let location = downloads::of_file(scene, drive, item, Some(&version.id), lifetime);
    Ok(Reply::of(StatusCode::FOUND, Payload::Empty).with("location", &location))
}
