//! Drives, sites and the files of teams: routes.

mod address;
mod children;
mod columns;
mod content;
mod costs;
mod delta;
mod drives;
mod labels;
mod lies;
mod page;
mod reach;
mod row;
mod sharing;
mod sites;
mod teams;
mod versions;

use serde_json::{Map, Value};

pub(crate) use content::fetchable;
pub(crate) use costs::units;
pub(crate) use lies::delivered;

use self::row::View;
use super::{Answer, Scene, expand};
use crate::tenant::sharepoint::Drive;
use crate::wire::{Refusal, Reply};
use crate::world::World;

/// The action that is a POST and writes nothing anybody would miss.
pub(super) const EXTRACTION: &str = "extractSensitivityLabels";

/// Answers a call to SharePoint or Teams by its first segments.
pub(super) fn answer(scene: &Scene<'_>, parts: &[&str]) -> Answer {
    let answer = match parts {
        ["drives"] => Err(Refusal::invalid_request("Name the user, group or site whose drives are meant.")),
        ["drives", id, rest @ ..] => of_drive(scene, drive(scene, id)?, rest),
        ["sites", rest @ ..] => sites::answer(scene, rest),
        ["teams", rest @ ..] => teams::answer(scene, rest),
        ["users", user, rest @ ..] => drives::of_user(scene, user, rest),
        ["groups", group, rest @ ..] => drives::of_group(scene, group, rest),
        [other, ..] => Err(Refusal::no_such_segment(other)),
        [] => Err(Refusal::bad_query("Empty Path")),
    };
    answer.map(|reply| reply.with("sprequestguid", &scene.world.guid()))
}

/// # Errors
/// 400 for what cannot be the id of a drive, 404 for what is none.
fn drive<'a>(scene: &Scene<'a>, id: &str) -> Result<&'a Drive, Refusal> {
    reach::need_files(scene)?;
    let found = scene.world.tenant.sharepoint.drive(id);
    found.ok_or_else(|| {
        match id.starts_with("b!") || (id.len() <= 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            true => Refusal::drive_item_not_found(),
            false => {
                let message = "The provided drive id appears to be malformed, or does not represent a valid drive.";
                Refusal::invalid_request(message)
            }
        }
    })
}

/// What drives have and the simulator does not serve.
#[rustfmt::skip]
const NOT_BUILT: &[&str] = &[
    "special", "bundles", "following", "recent", "sharedWithMe", "thumbnails", "workbook", "analytics", "activities",
    "subscriptions", "preview", "createdByUser", "lastModifiedByUser",
];

fn not_built(segment: &str) -> Refusal {
    let name = segment.split('(').next().unwrap_or(segment);
    match NOT_BUILT.contains(&name) || name == "search" {
        true => Refusal::not_simulated(&format!("{name} of drives")),
        false => Refusal::no_such_segment(segment),
    }
}

fn of_drive(scene: &Scene<'_>, drive: &Drive, rest: &[&str]) -> Answer {
    reach::open(scene, drive)?;
    match rest {
        [] => drives::one(scene, drive),
        ["root" | "root:", ..] | ["items", _, ..] => of_item(scene, drive, rest),
        ["list"] => columns::one(scene, drive),
        ["list", "columns"] => columns::columns(scene, drive),
        ["items"] => Err(Refusal::invalid_request("The items of a drive are not listed; use delta.")),
        [other, ..] => Err(not_built(other)),
    }
}

fn of_item(scene: &Scene<'_>, drive: &Drive, rest: &[&str]) -> Answer {
    let (slot, rest) = address::item(&drive.tree.read(), rest)?;
    present(scene.world, drive, slot)?;
    match rest {
        [] => one(scene, drive, slot),
        ["children"] => children::list(scene, drive, slot),
        ["delta"] => delta::answer(scene, drive, slot, None),
        [function] if function.starts_with("delta(token=") => {
            let token = function.trim_start_matches("delta(token=").trim_end_matches(')').trim_matches('\'');
            delta::answer(scene, drive, slot, Some(token))
        }
        ["content"] => content::redirect(scene, drive, slot),
        ["versions"] => versions::list(scene, drive, slot),
        ["versions", version] => versions::one(scene, drive, slot, version),
        ["versions", version, "content"] => versions::content(scene, drive, slot, version),
        ["permissions"] => sharing::list(scene, drive, slot),
        ["permissions", permission] => sharing::one(scene, drive, slot, permission),
        ["listItem"] => columns::item(scene, drive, slot),
        ["retentionLabel"] => labels::retention(scene, drive, slot),
        [EXTRACTION] => labels::sensitivity(scene, drive, slot),
        [other, ..] => Err(not_built(other)),
    }
}

/// Deletes an item that is marked to vanish when it is first read.
///
/// # Errors
/// 404 if it did.
pub(crate) fn present(world: &World, drive: &Drive, slot: u32) -> Result<(), Refusal> {
    let marked =
        drive.tree.read().item(slot).is_some_and(|item| item.marks.as_deref().is_some_and(|marks| marks.vanishes));
    if !marked {
        return Ok(());
    }
    drive.tree.write().remove(slot, world.now());
    Err(Refusal::drive_item_not_found())
}

/// An item by itself, with what it is asked to bring along.
fn one(scene: &Scene<'_>, drive: &Drive, slot: u32) -> Answer {
    let tree = drive.tree.read();
    let item = tree.item(slot).ok_or_else(Refusal::drive_item_not_found)?;
    let view = View::of(scene, drive, &tree);
    let mut answer = Map::new();
    let context = format!("drives('{}')/items/$entity", drive.id);
    answer.insert("@odata.context".to_owned(), scene.call.context(&context).into());
    answer.extend(view.row(slot, item));
    let expanded = scene.call.query.either("expand").map_or("", |(expanded, _)| expanded);
    for one in expand::split(expanded) {
        let (name, inside) = one.split_once('(').unwrap_or((one, ""));
        let value = match name {
            "permissions" => return Err(children::permissions_unsupported()),
            "listItem" => {
                let inside = inside.strip_suffix(')').unwrap_or(inside).trim_start_matches('$');
                let inside = inside.strip_prefix("expand=").unwrap_or_default();
                columns::list_item(drive, slot, item, inside)?.into()
            }
            "retentionLabel" => item.resource().get("retentionLabel").cloned().unwrap_or_default(),
            "children" => {
                let below =
                    item.children.iter().filter_map(|slot| Some(Value::Object(view.row(*slot, tree.item(*slot)?))));
                below.collect()
            }
            "thumbnails" => Value::Array(Vec::new()),
            other => return Err(Refusal::invalid_request(format!("The expansion '{other}' is not supported here."))),
        };
        answer.insert(name.to_owned(), value);
    }
    Ok(Reply::json(answer))
}
