//! Mailbox settings, categories, rules, the focused inbox.

use serde_json::{Value, json};

use super::access::{READ_BASIC_CALENDARS, READ_MAIL, READ_SETTINGS, folder_at};
use super::list::{Window, chosen, outlook_page};
use super::{Answer, Scene};
use crate::wire::{Refusal, Reply};

#[rustfmt::skip]
const SETTINGS: &[&str] = &[
    "archiveFolder", "automaticRepliesSetting", "dateFormat", "delegateMeetingMessageDeliveryOptions", "language",
    "timeFormat", "timeZone", "workingHours", "userPurpose",
];

pub(super) fn mailbox_settings(scene: &Scene<'_>, user: &str, rest: &[&str]) -> Answer {
    let settings = scene.mailbox(user, READ_SETTINGS)?.read().settings.clone();
    let context = scene.call.context(&format!("users('{user}')/mailboxSettings"));
    match rest {
        [] => {
            let mut whole = chosen(&settings, None);
            whole["@odata.context"] = context.into();
            Ok(Reply::json(whole))
        }
        [name] if SETTINGS.contains(name) => {
            let context = format!("{context}/{name}");
            Ok(Reply::json(named(&settings, name, &context)))
        }
        [other, ..] => Err(Refusal::no_such_segment(other)),
    }
}

/// A plain value stands in `value`; an object stands for itself.
fn named(settings: &Value, name: &str, context: &str) -> Value {
    match &settings[name] {
        Value::Object(map) => {
            let mut whole = Value::Object(map.clone());
            whole["@odata.context"] = context.into();
            whole
        }
        Value::Null if name == "userPurpose" => json!({"@odata.context": context, "value": "user"}),
        plain => json!({"@odata.context": context, "value": plain}),
    }
}

pub(super) fn categories(scene: &Scene<'_>, user: &str, rest: &[&str]) -> Answer {
    if !scene.world.knobs().switches.cloud.has_categories() {
        return Err(Refusal::no_such_segment("masterCategories"));
    }
    let all = scene.mailbox(user, READ_SETTINGS)?.read().categories.clone();
    match rest {
        [] => page(scene, &format!("users('{user}')/outlook/masterCategories"), &all),
        [id] => {
            let found = all.iter().find(|one| one["id"] == *id).ok_or_else(Refusal::item_not_found)?;
            Ok(Reply::json(chosen(found, None)))
        }
        [_, other, ..] => Err(Refusal::no_such_segment(other)),
    }
}

fn page(scene: &Scene<'_>, context: &str, all: &[Value]) -> Answer {
    let window = Window::of_outlook(scene)?;
    let select = scene.call.query.select();
    let rows = all.iter().skip(window.skip).take(window.size).map(|one| chosen(one, select.as_deref())).collect();
    let more = all.len() > window.skip + window.size;
    Ok(Reply::json(outlook_page(scene.call, window, context, rows, more)))
}

/// Rules exist for the inbox only.
pub(super) fn rules(scene: &Scene<'_>, user: &str, folder: &str) -> Answer {
    let mailbox = scene.mailbox(user, READ_SETTINGS)?.read();
    let at = folder_at(&mailbox, folder)?;
    if mailbox.folder(at).role.as_deref() != Some("inbox") {
        return Err(Refusal::new(400, "ErrorInvalidRequest", "Message rules can be read from the inbox only."));
    }
    let rules = mailbox.rules.clone();
    page(scene, &format!("users('{user}')/mailFolders('{folder}')/messageRules"), &rules)
}

/// With whom the calendar is shared, and who is a delegate (Microsoft Graph docs: calendarPermission).
pub(super) fn calendar_permissions(scene: &Scene<'_>, user: &str) -> Answer {
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    let all = mailbox.settings["_calendarPermissions"].as_array().cloned().unwrap_or_default();
    page(scene, &format!("users('{user}')/calendar/calendarPermissions"), &all)
}

pub(super) fn overrides(scene: &Scene<'_>, user: &str) -> Answer {
    let mailbox = scene.mailbox(user, READ_MAIL)?.read();
    let all = mailbox.settings["_overrides"].as_array().cloned().unwrap_or_default();
    page(scene, &format!("users('{user}')/inferenceClassification/overrides"), &all)
}
