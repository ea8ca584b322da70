//! Groups, their members, and how many conversations a Microsoft 365 group holds: its mail has no folders and cannot
//! be moved as a mailbox is, but it can be counted (Microsoft Graph docs: list conversations, list threads).

use serde_json::{Value, json};

use super::access::{READ_CONVERSATIONS, READ_GROUPS, READ_USERS};
use super::list::{Window, chosen, directory_page, outlook_page};
use super::users::directory_filter;
use super::{Answer, Scene};
use crate::tenant::Group;
use crate::wire::{Refusal, Reply};

pub(super) fn answer(scene: &Scene<'_>, rest: &[&str]) -> Answer {
    match rest {
        [] => list(scene),
        [group] => one(scene, group),
        [group, "members" | "transitiveMembers"] => members(scene, group),
        [group, kind @ ("conversations" | "threads")] => mail(scene, group, kind),
        [group, "conversations" | "threads", "$count"] => count(scene, group),
        ["delta", ..] => Err(Refusal::not_simulated("group delta")),
        [_, other, ..] => Err(Refusal::not_simulated(&format!("groups/{other}"))),
    }
}

fn list(scene: &Scene<'_>) -> Answer {
    scene.need_directory(READ_GROUPS)?;
    let filter = directory_filter(scene)?;
    let groups = scene.world.tenant.groups.iter().map(|group| &group.resource);
    let rows: Vec<&Value> = groups.filter(|group| filter.as_ref().is_none_or(|filter| filter.holds(group))).collect();
    let select = scene.call.query.select();
    let page = directory_page(scene, "groups", &rows, |group| chosen(group, select.as_deref()))?;
    Ok(Reply::json(page).with("odata-version", "4.0").with("x-ms-resource-unit", "2"))
}

fn found<'a>(scene: &Scene<'a>, id: &str) -> Result<&'a Group, Refusal> {
    scene.world.tenant.group(id).ok_or_else(|| Refusal::no_such_resource(id))
}

fn one(scene: &Scene<'_>, id: &str) -> Answer {
    scene.need_directory(READ_GROUPS)?;
    let mut row = chosen(&found(scene, id)?.resource, scene.call.query.select().as_deref());
    row["@odata.context"] = scene.call.context("groups/$entity").into();
    Ok(Reply::json(row).with("odata-version", "4.0"))
}

fn members(scene: &Scene<'_>, id: &str) -> Answer {
    scene.need_directory(READ_GROUPS)?;
    let rows: Vec<&Value> = found(scene, id)?.members.iter().map(|member| &member.resource).collect();
    let select = scene.call.query.select();
    Ok(Reply::json(directory_page(scene, "directoryObjects", &rows, |member| chosen(member, select.as_deref()))?))
}

pub(super) fn of_user(scene: &Scene<'_>, key: &str) -> Answer {
    scene.need_directory(READ_USERS)?;
    let user = scene.user(key)?;
    let holds = |group: &&Group| group.members.iter().any(|member| member.resource["id"] == user.id);
    let rows: Vec<&Value> = scene.world.tenant.groups.iter().filter(holds).map(|group| &group.resource).collect();
    Ok(Reply::json(directory_page(scene, "directoryObjects", &rows, |group| chosen(group, None))?))
}

/// How many conversations the dump says that a Microsoft 365 group holds; other groups hold none.
fn conversations(scene: &Scene<'_>, id: &str) -> Result<usize, Refusal> {
    scene.need_exchange(READ_CONVERSATIONS)?;
    let group = found(scene, id)?;
    let unified = group.resource["groupTypes"].as_array().is_some_and(|types| types.iter().any(|one| one == "Unified"));
    if !unified {
        return Err(Refusal::new(
            404,
            "MailboxNotEnabledForRESTAPI",
            "REST API is not yet supported for this mailbox.",
        ));
    }
    let number = group.notes["conversations"].as_u64().unwrap_or_default();
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

fn count(scene: &Scene<'_>, id: &str) -> Answer {
    Ok(Reply::text(conversations(scene, id)?.to_string()))
}

fn mail(scene: &Scene<'_>, id: &str, kind: &str) -> Answer {
    let total = conversations(scene, id)?;
    let window = Window::of_outlook(scene)?;
    let rows: Vec<Value> =
        (window.skip..total.min(window.skip + window.size)).map(|number| conversation(id, number)).collect();
    let more = total > window.skip + window.size;
    Ok(Reply::json(outlook_page(scene.call, window, &format!("groups('{id}')/{kind}"), rows, more)))
}

fn conversation(group: &str, number: usize) -> Value {
    let ids = crate::tenant::Ids::of(group);
    json!({
        "id": ids.conversation(&number.to_string()),
        "topic": format!("Conversation {}", number + 1),
        "hasAttachments": number.is_multiple_of(5),
        "lastDeliveredDateTime": "2025-01-31T08:15:00Z",
        "uniqueSenders": ["Somebody"],
        "preview": "",
    })
}
