//! A library as a list: its columns, and what they hold for an item (Microsoft Graph docs: list, listItem).

use serde_json::{Map, Value, json};

use super::super::view::unknown_member;
use super::super::{Answer, Scene};
use super::page::of_rows;
use super::reach;
use crate::tenant::sharepoint::{Drive, DriveItem, DriveKind, Site, unique};
use crate::wire::{Refusal, Reply};

/// The id of the list that a drive is.
pub(super) fn list_id(drive: &Drive) -> String {
    let said = drive.resource.get("sharePointIds").and_then(|ids| ids["listId"].as_str());
    said.map_or_else(|| unique(&drive.id), str::to_owned)
}

fn row(drive: &Drive) -> Map<String, Value> {
    let said = drive.resource.get("list").and_then(Value::as_object).cloned().unwrap_or_default();
    let of = |name: &str| drive.resource.get(name).cloned().unwrap_or_default();
    let mut row = Map::new();
    row.insert("id".to_owned(), list_id(drive).into());
    for (name, value) in [
        ("name", of("name")),
        ("displayName", of("name")),
        ("webUrl", of("webUrl")),
        ("createdDateTime", of("createdDateTime")),
        ("lastModifiedDateTime", of("lastModifiedDateTime")),
        ("list", json!({"contentTypesEnabled": false, "hidden": false, "template": "documentLibrary"})),
    ] {
        row.insert(name.to_owned(), said.get(name).cloned().unwrap_or(value));
    }
    row
}

pub(super) fn lists(scene: &Scene<'_>, site: &Site) -> Answer {
    reach::open_site(scene, site)?;
    let libraries = scene.world.tenant.sharepoint.libraries(&site.id);
    let rows = libraries.map(|drive| Value::Object(row(drive))).collect();
    let context = format!("sites('{}')/lists", site.id);
    Ok(Reply::json(of_rows(scene, &context, &context, rows)?))
}

/// The library of a site that is a list.
///
/// # Errors
/// 404 for lists that are none, and for other lists than libraries.
pub(super) fn library<'a>(scene: &Scene<'a>, site: &'a Site, list: &str) -> Result<&'a Drive, Refusal> {
    let meant = |drive: &&Drive| {
        list_id(drive).eq_ignore_ascii_case(list) || drive.resource.get("name").is_some_and(|name| name == list)
    };
    scene.world.tenant.sharepoint.libraries(&site.id).find(meant).ok_or_else(Refusal::drive_item_not_found)
}

pub(super) fn one(scene: &Scene<'_>, drive: &Drive) -> Answer {
    let mut answer = Map::new();
    answer.insert("@odata.context".to_owned(), scene.call.context("lists/$entity").into());
    answer.extend(row(drive));
    Ok(Reply::json(answer))
}

pub(super) fn columns(scene: &Scene<'_>, drive: &Drive) -> Answer {
    let said = drive.resource.get("list").and_then(|list| list["columns"].as_array()).cloned();
    let rows = said.unwrap_or_else(usual);
    let context = format!("lists('{}')/columns", list_id(drive));
    Ok(Reply::json(of_rows(scene, &context, &context, rows)?))
}

/// The columns that every library has.
fn usual() -> Vec<Value> {
    let column = |name: &str, display: &str, read_only: bool, kind: &str| {
        let mut column = json!({
            "id": unique(name), "name": name, "displayName": display, "description": "", "columnGroup": "Core Document Columns",
            "hidden": false, "indexed": false, "readOnly": read_only, "required": false, "enforceUniqueValues": false,
        });
        column[kind] = json!({});
        column
    };
    vec![
        column("FileLeafRef", "Name", false, "text"),
        column("Title", "Title", false, "text"),
        column("Modified", "Modified", true, "dateTime"),
        column("Created", "Created", true, "dateTime"),
        column("Author", "Created By", true, "personOrGroup"),
        column("Editor", "Modified By", true, "personOrGroup"),
        column("ContentType", "Content Type", false, "text"),
        column("_ComplianceTag", "Retention label", true, "text"),
        column("_DisplayName", "Sensitivity", true, "text"),
    ]
}

/// `$expand=fields`, or with `$select` or `select` inside.
enum Fields {
    Untold,
    All,
    Some(Vec<String>),
}

impl Fields {
    fn of(expand: &str) -> Result<Self, Refusal> {
        let (name, inside) = expand.split_once('(').unwrap_or((expand, ""));
        match name.trim() {
            "" => Ok(Self::Untold),
            "fields" => {
                let inside = inside.trim_end_matches(')').trim_start_matches('$');
                let names = inside.strip_prefix("select=");
                Ok(names.map_or(Self::All, |names| {
                    Self::Some(names.split(',').map(|name| name.trim().to_owned()).collect())
                }))
            }
            other => Err(unknown_member(other, "listItem")),
        }
    }
}

pub(super) fn item(scene: &Scene<'_>, drive: &Drive, slot: u32) -> Answer {
    let tree = drive.tree.read();
    let item = tree.item(slot).ok_or_else(Refusal::drive_item_not_found)?;
    let expand = scene.call.query.either("expand").map_or("", |(expand, _)| expand);
    let mut answer = Map::new();
    answer.insert("@odata.context".to_owned(), scene.call.context("listItems/$entity").into());
    answer.extend(list_item(drive, slot, item, expand)?);
    Ok(Reply::json(answer))
}

/// # Errors
/// 400 on personal drives, which are no lists, and for expansions that a list item has not.
pub(super) fn list_item(
    drive: &Drive,
    slot: u32,
    item: &DriveItem,
    expand: &str,
) -> Result<Map<String, Value>, Refusal> {
    if drive.kind == DriveKind::Personal {
        return Err(Refusal::new(400, "notSupported", "Operation not supported"));
    }
    let about = item.resource();
    let mut row = beneath(drive, slot, item, &about);
    let said = about.get("listItem").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut fields = usual_fields(slot, item, &about);
    fields.extend(said.get("fields").and_then(Value::as_object).cloned().unwrap_or_default());
    row.extend(said.into_iter().filter(|(name, _)| name != "fields"));
    match Fields::of(expand)? {
        Fields::Untold => {}
        Fields::All => drop(row.insert("fields".to_owned(), fields.into())),
        Fields::Some(names) => {
            fields.retain(|name, _| names.contains(name));
            row.insert("fields".to_owned(), fields.into());
        }
    }
    Ok(row)
}

/// What a list item says of itself.
fn beneath(drive: &Drive, slot: u32, item: &DriveItem, about: &Map<String, Value>) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("id".to_owned(), (slot + 1).to_string().into());
    for name in ["eTag", "createdDateTime", "lastModifiedDateTime", "webUrl", "createdBy", "lastModifiedBy"] {
        row.extend(about.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    let kind = if item.facets.folder { ("0x0120", "Folder") } else { ("0x0101", "Document") };
    row.insert("contentType".to_owned(), json!({"id": kind.0, "name": kind.1}));
    row.insert("parentReference".to_owned(), json!({"siteId": drive.site, "id": unique(&item.id)}));
    row
}

fn usual_fields(slot: u32, item: &DriveItem, about: &Map<String, Value>) -> Map<String, Value> {
    let of = |name: &str| about.get(name).cloned().unwrap_or_default();
    let mut fields = Map::new();
    for (name, value) in [
        ("@odata.etag", of("eTag")),
        ("id", json!((slot + 1).to_string())),
        ("FileLeafRef", json!(item.name)),
        ("ContentType", json!(if item.facets.folder { "Folder" } else { "Document" })),
        ("Created", of("createdDateTime")),
        ("Modified", of("lastModifiedDateTime")),
        ("AuthorLookupId", json!("7")),
        ("EditorLookupId", json!("7")),
        ("FileSizeDisplay", json!(item.bytes.to_string())),
        ("_ComplianceTag", of("retentionLabel").get("name").cloned().unwrap_or_else(|| json!(""))),
    ] {
        fields.insert(name.to_owned(), value);
    }
    fields
}
