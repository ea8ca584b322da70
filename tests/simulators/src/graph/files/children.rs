//! What lies in a folder (Microsoft Graph docs: driveItem list children). Paging counts rows: what comes and goes meanwhile
//! shifts them, as the documentation warns.

use serde_json::{Map, Value};

use super::super::{Answer, Scene};
use super::page::{Window, collection};
use super::reach;
use super::row::View;
use crate::tenant::sharepoint::{Drive, Tree};
use crate::wire::{Refusal, Reply};

const USUAL: usize = 200;

pub(super) fn list(scene: &Scene<'_>, drive: &Drive, slot: u32) -> Answer {
    reach::listable(scene, drive)?;
    refuse_expansion(scene)?;
    let tree = drive.tree.read();
    let order = Order::of(scene)?;
    let item = tree.item(slot).ok_or_else(Refusal::drive_item_not_found)?;
    let most = scene.world.knobs().switches.files.folder_entries_most;
    if most > 0 && item.children.len() >= most {
        return Err(Refusal::new(504, "UnknownError", ""));
    }
    let place = format!("{} {}", drive.id, item.id);
    let window = Window::of(scene, &place, USUAL)?;
    let mut view = View::of(scene, drive, &tree);
    view.choice.url &= window.at == 0 || !view.switches.urls_on_first_page_only;
    let slots = order.map_or_else(|| item.children.clone(), |order| order.sorted(&tree, &item.children));
    let rows = slots.iter().skip(window.at).take(window.size);
    let rows = rows.filter_map(|slot| Some(Value::Object(view.row(*slot, tree.item(*slot)?)))).collect();
    let next = (slots.len() > window.at.saturating_add(window.size)).then(|| window.next(scene));
    let context = format!("drives('{}')/items('{}')/children", drive.id, item.id);
    Ok(Reply::json(collection(scene, &context, rows, next)))
}

/// Permissions cannot be expanded where there are several items, nor can anything else here but thumbnails, of which there
/// are none.
pub(super) fn refuse_expansion(scene: &Scene<'_>) -> Result<(), Refusal> {
    match scene.call.query.either("expand") {
        Some((expanded, _)) if expanded.to_ascii_lowercase().contains("permissions") => Err(permissions_unsupported()),
        Some((expanded, _)) if expanded != "thumbnails" => {
            Err(Refusal::invalid_request(format!("The expansion '{expanded}' is not supported here.")))
        }
        _ => Ok(()),
    }
}

pub(super) fn permissions_unsupported() -> Refusal {
    Refusal::new(400, "notSupported", "Permission is not supported in this item.")
}

/// `$orderby`, by what drives can sort.
struct Order {
    by: By,
    descending: bool,
}

enum By {
    Name,
    Size,
    Modified,
}

impl Order {
    fn of(scene: &Scene<'_>) -> Result<Option<Self>, Refusal> {
        if let Some((filter, _)) = scene.call.query.either("filter") {
            return Err(Refusal::invalid_request(format!("The filter '{filter}' is not supported here.")));
        }
        let Some((given, _)) = scene.call.query.either("orderby") else { return Ok(None) };
        let lower = given.trim().to_ascii_lowercase();
        let (by, direction) = lower.split_once(' ').unwrap_or((&lower, "asc"));
        let by = match by {
            "name" => By::Name,
            "size" => By::Size,
            "lastmodifieddatetime" => By::Modified,
            _ => return Err(Refusal::invalid_request(format!("Items cannot be ordered by '{given}'."))),
        };
        Ok(Some(Self { by, descending: direction.trim() == "desc" }))
    }

    fn sorted(&self, tree: &Tree, slots: &[u32]) -> Vec<u32> {
        let item = |slot: &u32| tree.item(*slot);
        let mut slots = slots.to_vec();
        match self.by {
            By::Name => slots.sort_by_cached_key(|slot| item(slot).map(|item| item.name.to_lowercase())),
            By::Size => slots.sort_by_key(|slot| item(slot).map(|item| item.bytes)),
            By::Modified => {
                let modified = |resource: Map<String, Value>| resource.get("lastModifiedDateTime").cloned();
                let key = |slot: &u32| item(slot).and_then(|item| modified(item.resource()));
                slots.sort_by_cached_key(|slot| key(slot).map(|when| when.as_str().unwrap_or_default().to_owned()));
            }
        }
        if self.descending {
            slots.reverse();
        }
        slots
    }
}
