//! Calendars, their groups and their permissions (Microsoft Graph docs: list calendars, calendarGroup,
//! calendarPermission). `/calendars` lists those of the default group.

use serde_json::{Map, Value, json};

use super::access::{READ_BASIC_CALENDARS, READ_CALENDARS};
use super::list::Window;
use super::rooms::{collection_at, page};
use super::shape::{Look, Shape};
use super::{Answer, Scene, event_view, events, settings, view_delta};
use crate::tenant::{Collection, Mailbox, RoomKind};
use crate::wire::{Refusal, Reply};

/// Microsoft Graph v1.0 schema: calendar.
#[rustfmt::skip]
const CALENDAR: Shape = Shape {
    name: "calendar",
    members: &[
        "id", "name", "color", "hexColor", "isDefaultCalendar", "changeKey", "canShare", "canViewPrivateItems", "canEdit",
        "allowedOnlineMeetingProviders", "defaultOnlineMeetingProvider", "isTallyingResponses", "isRemovable", "owner",
    ],
    apart: &["calendarPermissions"],
};
const GROUP: Shape = Shape { name: "calendarGroup", members: &["id", "name", "classId", "changeKey"], apart: &[] };
const PERMISSION: Shape = Shape {
    name: "calendarPermission",
    members: &["id", "emailAddress", "isRemovable", "isInsideOrganization", "role", "allowedRoles"],
    apart: &[],
};

/// The name by which the default calendar goes beside its id.
const DEFAULT: &str = "calendar";

pub(super) fn answer(scene: &Scene<'_>, user: &str, rest: &[&str]) -> Answer {
    match rest {
        ["calendar", rest @ ..] => of_calendar(scene, user, DEFAULT, rest),
        ["calendarView", ..] => of_calendar(scene, user, DEFAULT, rest),
        ["events", rest @ ..] => events::answer(scene, user, None, rest),
        ["calendars"] => list(scene, user, None),
        ["calendars", calendar, rest @ ..] => of_calendar(scene, user, calendar, rest),
        ["calendarGroups"] => groups(scene, user),
        ["calendarGroups", group] => one_group(scene, user, group),
        ["calendarGroups", group, "calendars"] => list(scene, user, Some(group)),
        ["calendarGroups", group, "calendars", calendar, rest @ ..] => {
            belongs(scene, user, group, calendar)?;
            of_calendar(scene, user, calendar, rest)
        }
        [.., other] => Err(Refusal::no_such_segment(other)),
        [] => Err(Refusal::no_such_segment("")),
    }
}

fn of_calendar(scene: &Scene<'_>, user: &str, calendar: &str, rest: &[&str]) -> Answer {
    match rest {
        [] => one(scene, user, calendar),
        ["calendarPermissions"] => permissions(scene, user, calendar),
        ["calendarPermissions", id] => permission(scene, user, calendar, id),
        ["events", rest @ ..] => events::answer(scene, user, Some(calendar), rest),
        ["calendarView"] => event_view::in_window(scene, user, calendar),
        ["calendarView", "delta"] => view_delta::answer(scene, user, calendar),
        ["calendarView", ..] => Err(Refusal::odata_unsupported()),
        [other, ..] => Err(Refusal::no_such_segment(other)),
    }
}

/// Where a calendar stands.
///
/// # Errors
/// As for [`collection_at`].
pub(super) fn calendar_at(mailbox: &Mailbox, key: &str) -> Result<u32, Refusal> {
    collection_at(mailbox, RoomKind::Calendars, DEFAULT, key)
}

fn list(scene: &Scene<'_>, user: &str, group: Option<&str>) -> Answer {
    let look = Look::of(scene, &CALENDAR)?;
    no_expansion(scene, "calendar")?;
    let window = Window::of_outlook(scene)?;
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    if let Some(group) = group {
        known_group(&mailbox, group)?;
    }
    let shown = |calendar: &Collection| !calendar.is_hidden() && in_group(&mailbox, calendar, group);
    let calendars = mailbox.calendars.living().filter(|(_, calendar)| shown(calendar));
    let rows = calendars.map(|(_, calendar)| row(&look, calendar).into()).collect();
    page(scene, &format!("users('{user}')/calendars"), rows, window)
}

pub(super) fn no_expansion(scene: &Scene<'_>, of: &str) -> Result<(), Refusal> {
    let expand = super::expand::Expand::parse(scene.call.query.get("$expand"), of)?;
    drop(expand);
    Ok(())
}

fn row(look: &Look, calendar: &Collection) -> Map<String, Value> {
    look.row(&calendar.id, calendar.resource.clone())
}

/// Without a group the default one is meant.
fn in_group(mailbox: &Mailbox, calendar: &Collection, group: Option<&str>) -> bool {
    let default = mailbox.default_group();
    let known = |id: &&str| mailbox.calendar_groups.iter().any(|group| group["id"] == **id);
    let own = calendar.parent.as_deref().filter(known).or(default);
    own == group.or(default) || (own.is_none() && group.is_none_or(|group| group == implied_group(mailbox)))
}

/// A mailbox whose dump names no group has the one that every mailbox has.
fn implied_group(mailbox: &Mailbox) -> String {
    mailbox.ids.collection("calendarGroup", "default")
}

fn all_groups(mailbox: &Mailbox) -> Vec<Value> {
    if !mailbox.calendar_groups.is_empty() {
        return mailbox.calendar_groups.clone();
    }
    let class = "0006f0b7-0000-0000-c000-000000000046";
    vec![
        json!({"id": implied_group(mailbox), "name": "My Calendars", "classId": class, "changeKey": mailbox.ids.change_key(0)}),
    ]
}

fn known_group(mailbox: &Mailbox, id: &str) -> Result<Value, Refusal> {
    all_groups(mailbox).into_iter().find(|group| group["id"] == id).ok_or_else(Refusal::item_not_found)
}

fn belongs(scene: &Scene<'_>, user: &str, group: &str, calendar: &str) -> Result<(), Refusal> {
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    known_group(&mailbox, group)?;
    let at = calendar_at(&mailbox, calendar)?;
    let there = in_group(&mailbox, mailbox.calendars.collection(at), Some(group));
    if there { Ok(()) } else { Err(Refusal::item_not_found()) }
}

fn group_row(look: &Look, group: &Value) -> Map<String, Value> {
    look.row(group["id"].as_str().unwrap_or_default(), group.as_object().cloned().unwrap_or_default())
}

fn groups(scene: &Scene<'_>, user: &str) -> Answer {
    let look = Look::of(scene, &GROUP)?;
    let window = Window::of_outlook(scene)?;
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    let rows = all_groups(&mailbox).iter().map(|group| group_row(&look, group).into()).collect();
    page(scene, &format!("users('{user}')/calendarGroups"), rows, window)
}

fn one_group(scene: &Scene<'_>, user: &str, id: &str) -> Answer {
    let look = Look::of(scene, &GROUP)?;
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    let found = known_group(&mailbox, id)?;
    Ok(entity(scene, &format!("users('{user}')/calendarGroups/$entity"), group_row(&look, &found)))
}

/// One thing with its context.
pub(super) fn entity(scene: &Scene<'_>, context: &str, row: Map<String, Value>) -> Reply {
    let mut whole = Map::new();
    whole.insert("@odata.context".to_owned(), scene.call.context(context).into());
    whole.extend(row);
    Reply::json(whole)
}

fn one(scene: &Scene<'_>, user: &str, calendar: &str) -> Answer {
    let look = Look::of(scene, &CALENDAR)?;
    no_expansion(scene, "calendar")?;
    let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
    let at = calendar_at(&mailbox, calendar)?;
    Ok(holding(scene, user, &look, mailbox.calendars.collection(at)))
}

fn holding(scene: &Scene<'_>, user: &str, look: &Look, calendar: &Collection) -> Reply {
    entity(scene, &format!("users('{user}')/calendars/$entity"), row(look, calendar))
}

/// The calendar that an event lies in.
///
/// # Errors
/// 400 for members that calendars do not have.
pub(super) fn of_event(scene: &Scene<'_>, user: &str, calendar: &Collection) -> Answer {
    Ok(holding(scene, user, &Look::of(scene, &CALENDAR)?, calendar))
}

/// As `$expand=calendar` shows it.
pub(super) fn expanded(calendar: &Collection) -> Value {
    let mut row = Map::new();
    row.insert("id".to_owned(), json!(&*calendar.id));
    row.extend(
        calendar
            .resource
            .iter()
            .filter(|(name, _)| !CALENDAR.apart.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    row.into()
}

fn permissions(scene: &Scene<'_>, user: &str, calendar: &str) -> Answer {
    let (stated, own) = {
        let mailbox = scene.mailbox(user, READ_BASIC_CALENDARS)?.read();
        let at = calendar_at(&mailbox, calendar)?;
        let stated = mailbox.calendars.collection(at).resource.get("calendarPermissions").cloned();
        (stated, mailbox.default_of(RoomKind::Calendars) == Some(at))
    };
    let Some(stated) = stated else {
        return if own { settings::calendar_permissions(scene, user) } else { permission_page(scene, user, &[]) };
    };
    permission_page(scene, user, stated.as_array().map_or(&[], Vec::as_slice))
}

fn permission_page(scene: &Scene<'_>, user: &str, all: &[Value]) -> Answer {
    let look = Look::of(scene, &PERMISSION)?;
    let rows = all.iter().map(|one| group_row(&look, one).into()).collect();
    page(scene, &format!("users('{user}')/calendar/calendarPermissions"), rows, Window::of_outlook(scene)?)
}

fn permission(scene: &Scene<'_>, user: &str, calendar: &str, id: &str) -> Answer {
    let look = Look::of(scene, &PERMISSION)?;
    let mailbox = scene.mailbox(user, READ_CALENDARS)?.read();
    let at = calendar_at(&mailbox, calendar)?;
    let stated = mailbox.calendars.collection(at).resource.get("calendarPermissions");
    let all = stated.or_else(|| mailbox.settings.get("_calendarPermissions")).and_then(Value::as_array);
    let found = all.into_iter().flatten().find(|one| one["id"] == id).ok_or_else(Refusal::item_not_found)?;
    Ok(entity(scene, &format!("users('{user}')/calendar/calendarPermissions/$entity"), group_row(&look, found)))
}
