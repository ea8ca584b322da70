//! Permissions: those of an item itself, and those of what lies above it (Microsoft Graph docs: driveItem list
//! permissions).

use serde_json::{Map, Value, json};

use super::super::{Answer, Scene};
use super::page::of_rows;
use super::reach;
use crate::tenant::sharepoint::{Drive, Tree};
use crate::wire::{Refusal, Reply};

pub(super) fn list(scene: &Scene<'_>, drive: &Drive, slot: u32) -> Answer {
    let tree = drive.tree.read();
    let rows = effective(scene, drive, &tree, slot).into_iter().map(Value::Object).collect();
    let id = tree.item(slot).map(|item| item.id.to_string()).unwrap_or_default();
    let context = format!("drives('{}')/items('{id}')/permissions", drive.id);
    Ok(Reply::json(of_rows(scene, &context, &context, rows)?))
}

pub(super) fn one(scene: &Scene<'_>, drive: &Drive, slot: u32, id: &str) -> Answer {
    let tree = drive.tree.read();
    let mut all = effective(scene, drive, &tree, slot).into_iter();
    let found = all.find(|row| row.get("id").is_some_and(|own| own == id)).ok_or_else(Refusal::drive_item_not_found)?;
    let mut answer = Map::new();
    let context = format!("drives('{}')/items/permissions/$entity", drive.id);
    answer.insert("@odata.context".to_owned(), scene.call.context(&context).into());
    answer.extend(found);
    Ok(Reply::json(answer))
}

/// What applies to an item, its own first; nothing from above an item that does not inherit.
fn effective(scene: &Scene<'_>, drive: &Drive, tree: &Tree, slot: u32) -> Vec<Map<String, Value>> {
    let tells = scene.world.knobs().switches.files.inherited_from;
    let mut found = Vec::new();
    for (at, item) in tree.lineage(slot) {
        for permission in &item.permissions {
            let mut row = shown(scene, permission);
            if tells && at != slot {
                let from = json!({"driveId": &*drive.id, "id": &*item.id, "path": drive.path(tree, at)});
                row.insert("inheritedFrom".to_owned(), from);
            }
            found.push(row);
        }
        if item.marks.as_deref().is_some_and(|marks| marks.unique) {
            break;
        }
    }
    found
}

/// With the deprecated members that repeat the others, and without the secrets of shares for those who could not make them.
fn shown(scene: &Scene<'_>, permission: &Value) -> Map<String, Value> {
    let mut row = permission.as_object().cloned().unwrap_or_default();
    row.retain(|name, _| !name.starts_with('_'));
    for (old, new) in [("grantedTo", "grantedToV2"), ("grantedToIdentities", "grantedToIdentitiesV2")] {
        let repeated = row.get(new).and_then(deprecated).filter(|_| !row.contains_key(old));
        row.extend(repeated.map(|value| (old.to_owned(), value)));
    }
    if !reach::sees_secrets(scene) {
        row.shift_remove("shareId");
        if let Some(link) = row.get_mut("link").and_then(Value::as_object_mut) {
            link.shift_remove("webUrl");
        }
    }
    row
}

/// The older form knows people, applications and devices only.
fn deprecated(identities: &Value) -> Option<Value> {
    let known = |set: &Value| -> Option<Value> {
        let kept = ["user", "application", "device"]
            .into_iter()
            .filter_map(|kind| Some((kind.to_owned(), set.get(kind)?.clone())));
        let kept: Map<String, Value> = kept.collect();
        (!kept.is_empty()).then_some(Value::Object(kept))
    };
    match identities {
        Value::Array(several) => Some(several.iter().filter_map(known).collect()),
        one => known(one),
    }
}
