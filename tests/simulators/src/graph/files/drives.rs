//! Drives: whose they are, what they hold (Microsoft Graph docs: drive resource, list drives).

use serde_json::{Map, Value};

use super::super::{Answer, Scene};
use super::page::of_rows;
use super::{of_drive, reach, sites};
use crate::tenant::sharepoint::{Drive, Owner};
use crate::wire::{Refusal, Reply};

/// Answers `drive` and `drives` of somebody.
pub(super) fn of_user(scene: &Scene<'_>, user: &str, rest: &[&str]) -> Answer {
    reach::need_files(scene)?;
    let user = scene.user(user)?;
    let owner = Owner::User(user.id.clone());
    let drives: Vec<&Drive> = scene.world.tenant.sharepoint.drives_of(&owner).collect();
    let first = drives.first().copied().ok_or_else(|| reach::no_drive(scene))?;
    match rest {
        ["drives"] => list(scene, &format!("users('{}')/drives", user.id), drives),
        ["drive", rest @ ..] => of_drive(scene, first, rest),
        _ => Err(Refusal::no_such_segment("drives")),
    }
}

/// Answers `drive`, `drives` and `sites` of a group. Groups without files have none of them.
pub(super) fn of_group(scene: &Scene<'_>, group: &str, rest: &[&str]) -> Answer {
    reach::need_files(scene)?;
    let group = scene.world.tenant.group(group).ok_or_else(|| Refusal::no_such_resource(group))?;
    let sharepoint = &scene.world.tenant.sharepoint;
    let drives: Vec<&Drive> = sharepoint.drives_of_group(&group.id).collect();
    match rest {
        ["drives"] => list(scene, &format!("groups('{}')/drives", group.id), drives),
        ["drive", rest @ ..] => {
            let first = drives.first().copied().ok_or_else(Refusal::drive_item_not_found)?;
            of_drive(scene, first, rest)
        }
        ["sites", "root", rest @ ..] => {
            let site = sharepoint.site_of_group(&group.id).ok_or_else(Refusal::drive_item_not_found)?;
            sites::of_site(scene, site, rest)
        }
        _ => Err(Refusal::not_simulated("sites of a group other than its root")),
    }
}

/// A page of drives. Those of the system come only to those who select `system`.
pub(super) fn list(scene: &Scene<'_>, context: &str, drives: Vec<&Drive>) -> Answer {
    reach::need_files(scene)?;
    for drive in &drives {
        reach::open(scene, drive)?;
    }
    let select = scene.call.query.either("select").map_or("", |(select, _)| select);
    let with_system = select.split(',').any(|name| name.trim() == "system");
    let shown = drives.into_iter().filter(|drive| with_system || !drive.resource.contains_key("system"));
    let rows = shown.map(|drive| Value::Object(row(scene, drive))).collect();
    Ok(Reply::json(of_rows(scene, context, context, rows)?))
}

pub(super) fn one(scene: &Scene<'_>, drive: &Drive) -> Answer {
    let mut answer = Map::new();
    answer.insert("@odata.context".to_owned(), scene.call.context("drives/$entity").into());
    answer.extend(row(scene, drive));
    Ok(Reply::json(answer))
}

fn row(scene: &Scene<'_>, drive: &Drive) -> Map<String, Value> {
    let select = scene.call.query.either("select");
    let names: Option<Vec<&str>> = select.map(|(names, _)| names.split(',').map(str::trim).collect());
    let shown = |name: &str| match &names {
        Some(names) => name == "id" || (names.contains(&name) && name != "list"),
        None => name != "list" && name != "sharePointIds",
    };
    drive.shown().into_iter().filter(|(name, _)| !name.starts_with('_') && shown(name)).collect()
}
