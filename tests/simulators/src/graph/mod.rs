//! Microsoft Graph v1.0, as far as it is built: directory, mail, calendars, contacts, tasks, drives, sites, reports.

mod access;
mod attachments;
pub(crate) mod batch;
mod calendars;
mod changes;
mod contact_folders;
mod contacts;
mod delta;
mod event_attachments;
mod event_delta;
mod event_row;
mod event_view;
mod events;
mod expand;
mod files;
mod flagged;
mod folder_delta;
mod folders;
mod groups;
mod list;
mod messages;
mod mime;
mod properties;
mod reports;
mod rooms;
mod settings;
mod shape;
mod task_parts;
mod todo;
mod usage;
mod users;
mod view;
mod view_delta;

use http::Method;
use serde_json::Value;

pub(crate) use access::Scene;
pub(crate) use event_row::whole as event_whole;
pub(crate) use files::{delivered, fetchable, present, units};
pub(crate) use reports::csv;

use crate::wire::{Call, Refusal, Reply};

type Answer = Result<Reply, Refusal>;

/// Rooms that are not built yet, by the segment below a user, a group or the version.
#[rustfmt::skip]
const NOT_BUILT: &[&str] = &[
    "onenote", "planner", "teams", "photo", "photos", "settings",
];

/// Answers a call of an authenticated caller.
pub(crate) fn answer(scene: &Scene<'_>) -> Answer {
    let parts = scene.call.parts();
    if parts.iter().any(|part| part.is_empty()) {
        return Err(Refusal::bad_query("Resource not found for the segment ''."));
    }
    let extracts = scene.call.method == Method::POST && parts.last() == Some(&files::EXTRACTION);
    if scene.call.method != Method::GET && !extracts {
        return Err(write_refused(scene));
    }
    match parts.as_slice() {
        ["me", rest @ ..] => of_user(scene, scene.person()?, rest),
        ["users"] => users::list(scene),
        ["users", "$count"] => users::count(scene),
        ["users", user] => users::one(scene, user),
        ["users", user, rest @ ..] => of_user(scene, user, rest),
        ["groups", _, "drive" | "drives" | "sites", ..] => files::answer(scene, &parts),
        ["groups", rest @ ..] => groups::answer(scene, rest),
        ["organization"] => users::organization(scene),
        ["subscribedSkus"] => users::subscribed_skus(scene),
        ["admin", "reportSettings"] => reports::settings(scene),
        ["reports", rest @ ..] => reports::answer(scene, rest),
        ["sites" | "drives" | "teams", ..] => files::answer(scene, &parts),
        ["admin" | "shares", ..] => Err(Refusal::not_simulated(parts[0])),
        [other, ..] => Err(Refusal::no_such_segment(other)),
        [] => Err(Refusal::bad_query("Empty Path")),
    }
}

/// Whether a call counts against the limits of a mailbox, and of whose.
pub(crate) fn mailbox_of(call: &Call) -> Option<&str> {
    if units(call).is_some() {
        return None;
    }
    let parts = &call.segments;
    match parts.first().map(String::as_str) {
        Some("users") if parts.len() > 2 => parts.get(1).map(String::as_str),
        Some("me") if parts.len() > 1 => Some("me"),
        _ => None,
    }
}

fn of_user(scene: &Scene<'_>, user: &str, rest: &[&str]) -> Answer {
    match rest {
        [] => users::one(scene, user),
        ["drive" | "drives", ..] => files::answer(scene, &[&["users", user], rest].concat()),
        ["mailboxSettings", rest @ ..] => settings::mailbox_settings(scene, user, rest),
        ["outlook", "masterCategories", rest @ ..] => settings::categories(scene, user, rest),
        ["inferenceClassification", "overrides"] => settings::overrides(scene, user),
        ["calendar" | "calendars" | "calendarGroups" | "calendarView" | "events", ..] => {
            calendars::answer(scene, user, rest)
        }
        ["contacts" | "contactFolders", ..] => contacts::answer(scene, user, rest),
        ["todo", rest @ ..] => todo::answer(scene, user, rest),
        ["licenseDetails"] => users::licences(scene, user),
        ["memberOf" | "transitiveMemberOf"] => groups::of_user(scene, user),
        ["mailFolders", rest @ ..] => of_folders(scene, user, rest),
        ["messages", rest @ ..] => of_messages(scene, user, None, rest),
        [built, ..] if NOT_BUILT.contains(built) => Err(Refusal::not_simulated(built)),
        [other, ..] => Err(Refusal::no_such_segment(other)),
    }
}

fn of_folders(scene: &Scene<'_>, user: &str, rest: &[&str]) -> Answer {
    match rest {
        [] => folders::list(scene, user, None),
        ["$count"] => folders::count(scene, user, None),
        ["delta"] => folder_delta::answer(scene, user),
        [folder] => folders::one(scene, user, folder),
        [folder, "childFolders"] => folders::list(scene, user, Some(folder)),
        [folder, "childFolders", "$count"] => folders::count(scene, user, Some(folder)),
        [_, "childFolders", child] => folders::one(scene, user, child),
        [_, "childFolders", child, rest @ ..] => of_folders(scene, user, &[&[*child], rest].concat()),
        [folder, "messageRules"] => settings::rules(scene, user, folder),
        [folder, "messages", rest @ ..] => of_messages(scene, user, Some(folder), rest),
        [_, other, ..] => Err(Refusal::no_such_segment(other)),
    }
}

fn of_messages(scene: &Scene<'_>, user: &str, folder: Option<&str>, rest: &[&str]) -> Answer {
    match (folder, rest) {
        (_, []) => messages::list(scene, user, folder),
        (_, ["$count"]) => messages::count(scene, user, folder),
        (Some(folder), ["delta"]) => delta::answer(scene, user, folder),
        (None, ["delta"]) => Err(Refusal::new(
            400,
            "ErrorInvalidRequest",
            "Change tracking is not supported against 'microsoft.graph.message'.",
        )),
        (_, [message]) => messages::one(scene, user, folder, message),
        (None, [message, "$value"]) => mime::value(scene, user, message),
        // The documentation prints this form, the service refuses it (microsoft-graph-docs-contrib#5546).
        (Some(_), [_, "$value"]) => Err(Refusal::odata_unsupported()),
        (_, [message, "attachments", rest @ ..]) => attachments::answer(scene, user, folder, message, rest),
        (_, [_, other, ..]) => Err(Refusal::no_such_segment(other)),
    }
}

/// Sources never write. Who tries is counted, and refused as an application is that may only read.
fn write_refused(scene: &Scene<'_>) -> Refusal {
    scene.world.stats.write();
    let of_drive = units(scene.call).is_some();
    let may_write = scene.granted(&["Mail.ReadWrite", "MailboxSettings.ReadWrite", "Directory.ReadWrite.All"])
        || (of_drive && scene.granted(&["Files.ReadWrite.All", "Sites.ReadWrite.All", "Sites.FullControl.All"]));
    match (may_write, of_drive) {
        (true, _) => Refusal::not_simulated("writes"),
        (false, true) => Refusal::drive_forbidden(),
        (false, false) => Refusal::exchange_forbidden(),
    }
}

/// The name of an endpoint for statistics: ids are replaced.
pub(crate) fn template(method: &Method, segments: &[String]) -> String {
    let mut path = String::new();
    let (mut after_collection, mut named) = (false, false);
    for segment in segments {
        let leads_on = segment.ends_with(':');
        if named {
            path.push_str(if leads_on { "/{path}:" } else { "" });
            named = !leads_on;
            continue;
        }
        if leads_on {
            path.push_str(if segment == "root:" { "/root:" } else { "/{id}:" });
            (named, after_collection) = (true, false);
            continue;
        }
        let known = COLLECTIONS.contains(&segment.as_str());
        let word = known || WORDS.contains(&segment.as_str()) || segment.starts_with("get");
        let shown = if word || !after_collection { plain(segment) } else { "{id}" };
        path.push('/');
        path.push_str(shown);
        after_collection = known && shown != "{id}";
    }
    format!("{method} {path}")
}

/// A function without the values in its parentheses.
fn plain(segment: &str) -> &str {
    segment.split('(').next().unwrap_or(segment)
}

#[rustfmt::skip]
const COLLECTIONS: &[&str] = &[
    "users", "groups", "mailFolders", "childFolders", "messages", "attachments", "conversations", "threads",
    "masterCategories", "messageRules", "members", "calendars", "calendarGroups", "calendarPermissions", "events",
    "instances", "contactFolders", "contacts", "lists", "tasks", "checklistItems", "linkedResources", "drives", "items",
    "versions", "permissions", "sites", "teams", "channels", "allChannels",
];
const WORDS: &[&str] = &["$value", "$count", "delta", "calendarView", "root", "oneDrive.getAllSites"];

/// The members of a collection answer.
pub(crate) fn rows(body: &mut Value) -> Option<&mut Vec<Value>> {
    body.get_mut("value").and_then(Value::as_array_mut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_named_without_ids() {
        let path = ["users", "a@x", "mailFolders", "inbox", "messages", "AAMk", "$value"].map(str::to_owned);
        assert_eq!(template(&Method::GET, &path), "GET /users/{id}/mailFolders/{id}/messages/{id}/$value");
        let delta = ["users", "a@x", "mailFolders", "inbox", "messages", "delta"].map(str::to_owned);
        assert_eq!(template(&Method::GET, &delta), "GET /users/{id}/mailFolders/{id}/messages/delta");
        for (path, name) in [
            ("drives b!1 root delta(token='x')", "/drives/{id}/root/delta"),
            ("drives b!1 items 01A content", "/drives/{id}/items/{id}/content"),
            ("drives b!1 root: items b.txt: children", "/drives/{id}/root:/{path}:/children"),
            ("drives b!1 items 01A: b.txt", "/drives/{id}/items/{id}:"),
            ("users a@x drive root", "/users/{id}/drive/root"),
            ("sites x.example: sites a: drives", "/sites/{id}:/{path}:/drives"),
            ("sites root", "/sites/root"),
            ("groups g sites root drives", "/groups/{id}/sites/root/drives"),
        ] {
            let segments: Vec<String> = path.split(' ').map(str::to_owned).collect();
            assert_eq!(template(&Method::GET, &segments), format!("GET {name}"));
        }
    }
}
