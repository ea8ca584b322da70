//! Calendars, contact folders and task lists from the dump, and what lies in them. Every mailbox has a default one of
//! each, whether its dump names it or not.

use serde_json::{Map, Value, json};

use super::load::place;
use super::{Collection, Item, Mailbox, RoomKind, Tenant};
use crate::dump::Entry;

/// The kinds of lines that rooms are made of.
pub(super) const KINDS: &[&str] =
    &["calendarGroup", "calendar", "event", "contactFolder", "contact", "todoTaskList", "todoTask"];

/// The class of the group that `/calendars` lists; every mailbox has the same.
const MY_CALENDARS: &str = "0006f0b7-0000-0000-c000-000000000046";

/// Collections first, then what lies in them, then exceptions, which need their series.
pub(super) fn fill(tenant: &mut Tenant, entries: Vec<Entry>) {
    let (collections, things): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(is_collection);
    each(tenant, collections, collection);
    for user in &mut tenant.users {
        let Some(mailbox) = user.mailbox.as_mut().map(parking_lot::RwLock::get_mut) else { continue };
        default_calendar(mailbox, &user.upn, user.resource["displayName"].as_str().unwrap_or_default());
        let own = |entry: &&Entry| entry.user.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&user.upn));
        default_contacts(mailbox, things.iter().filter(own));
        default_lists(mailbox);
    }
    let (exceptions, things): (Vec<Entry>, Vec<Entry>) = things.into_iter().partition(is_exception);
    each(tenant, things, thing);
    each(tenant, exceptions, thing);
}

fn is_collection(entry: &Entry) -> bool {
    matches!(entry.kind.as_str(), "calendarGroup" | "calendar" | "contactFolder" | "todoTaskList")
}

fn is_exception(entry: &Entry) -> bool {
    entry.kind == "event" && entry.resource["seriesMasterId"].as_str().is_some_and(|id| !id.is_empty())
}

/// Gives each line to its mailbox; what cannot be placed is kept as it is.
fn each(tenant: &mut Tenant, entries: Vec<Entry>, take: fn(&mut Mailbox, Entry) -> Option<Entry>) {
    for entry in entries {
        let at = place(tenant, &entry);
        let left = match at.and_then(|at| tenant.users[at].mailbox.as_mut()) {
            Some(mailbox) => take(mailbox.get_mut(), entry),
            None => Some(entry),
        };
        tenant.rest.extend(left);
    }
}

fn collection(mailbox: &mut Mailbox, entry: Entry) -> Option<Entry> {
    let kind = match entry.kind.as_str() {
        "calendarGroup" => {
            mailbox.calendar_groups.push(entry.resource);
            return None;
        }
        "calendar" => RoomKind::Calendars,
        "contactFolder" => RoomKind::Contacts,
        _ => RoomKind::Tasks,
    };
    let Value::Object(resource) = entry.resource else { return None };
    let id = text(&resource, "id");
    let mut collection = Collection::new(&id, resource);
    collection.parent = entry.parent;
    let (room, mut pen) = mailbox.room_mut(kind);
    room.add_collection(collection, &mut pen);
    None
}

fn text(resource: &Map<String, Value>, name: &str) -> String {
    resource.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn thing(mailbox: &mut Mailbox, entry: Entry) -> Option<Entry> {
    let (kind, holder) = match entry.kind.as_str() {
        "event" if entry.resource["type"] == "occurrence" => return Some(entry), // the series says it already
        "event" => (RoomKind::Calendars, entry.parent.as_deref()),
        "contact" => (RoomKind::Contacts, entry.resource["parentFolderId"].as_str().or(entry.parent.as_deref())),
        _ => (RoomKind::Tasks, entry.parent.as_deref()),
    };
    let default = mailbox.default_of(kind);
    let master = entry.resource["seriesMasterId"].as_str();
    let (room, mut pen) = mailbox.room_mut(kind);
    let master = master.and_then(|id| room.item_named(id, pen.ids)).filter(|_| kind == RoomKind::Calendars);
    let beside = master.and_then(|slot| room.item(slot)).map(|master| master.collection);
    let at = beside.or_else(|| holder.and_then(|id| room.named(id))).or(default);
    let (Some(at), Value::Object(resource)) = (at, entry.resource.clone()) else { return Some(entry) };
    let mut item = Item::new(&text(&resource, "id"), at, resource, entry.content);
    item.master = master;
    room.add_item(item, &mut pen);
    None
}

impl Mailbox {
    /// The calendar, contact folder or list that serves where none is named.
    pub fn default_of(&self, kind: RoomKind) -> Option<u32> {
        let room = self.room(kind);
        let told = |collection: &Collection| match kind {
            RoomKind::Calendars => collection.is("isDefaultCalendar"),
            RoomKind::Contacts => {
                collection.parent.as_deref().is_some_and(|role| role.eq_ignore_ascii_case("contacts"))
            }
            RoomKind::Tasks => collection.text("wellknownListName") == "defaultList",
        };
        let found = room.living().find(|(_, collection)| told(collection));
        found.or_else(|| room.living().next()).map(|(at, _)| at)
    }

    /// The id of the group that `/calendars` lists.
    pub fn default_group(&self) -> Option<&str> {
        let told = self.calendar_groups.iter().find(|group| group["classId"] == MY_CALENDARS);
        told.or(self.calendar_groups.first()).and_then(|group| group["id"].as_str())
    }
}

fn implied(mailbox: &mut Mailbox, kind: RoomKind, id: &str, resource: &Value, parent: Option<&str>) {
    let resource = resource.as_object().cloned().unwrap_or_default();
    let mut collection = Collection::new(id, resource);
    collection.implied = true;
    collection.parent = parent.map(str::to_owned);
    let (room, mut pen) = mailbox.room_mut(kind);
    room.add_collection(collection, &mut pen);
}

fn default_calendar(mailbox: &mut Mailbox, address: &str, name: &str) {
    if mailbox.calendars.living().next().is_some() {
        return;
    }
    let id = mailbox.ids.collection("calendar", "default");
    let resource = json!({
        "name": "Calendar", "color": "auto", "hexColor": "", "isDefaultCalendar": true, "isRemovable": false,
        "changeKey": mailbox.ids.change_key(0), "canShare": true, "canViewPrivateItems": true, "canEdit": true,
        "isTallyingResponses": true, "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness", "owner": {"name": name, "address": address},
    });
    implied(mailbox, RoomKind::Calendars, &id, &resource, None);
}

/// The default folder need not be among those that the API lists, so that contacts may name a folder that no line
/// describes: that is the one.
fn default_contacts<'a>(mailbox: &mut Mailbox, things: impl Iterator<Item = &'a Entry>) {
    let named = |role: Option<&str>| role.is_some_and(|role| role.eq_ignore_ascii_case("contacts"));
    if mailbox.contacts.living().any(|(_, folder)| named(folder.parent.as_deref())) {
        return;
    }
    let contacts = things.filter(|entry| entry.kind == "contact");
    let mut unknown = contacts.filter_map(|entry| entry.resource["parentFolderId"].as_str());
    let unknown = unknown.find(|id| mailbox.contacts.named(id).is_none()).map(str::to_owned);
    let plain = mailbox.contacts.living().find(|(_, folder)| folder.text("displayName") == "Contacts");
    if let (None, Some((at, _))) = (&unknown, plain) {
        mailbox.contacts.collection_mut(at).parent = Some("contacts".to_owned());
        return;
    }
    let id = unknown.unwrap_or_else(|| mailbox.ids.collection("contactFolder", "contacts"));
    implied(mailbox, RoomKind::Contacts, &id, &json!({"displayName": "Contacts"}), Some("contacts"));
}

fn default_lists(mailbox: &mut Mailbox) {
    for (role, name) in [("defaultList", "Tasks"), ("flaggedEmails", "Flagged Emails")] {
        if mailbox.tasks.living().any(|(_, list)| list.text("wellknownListName") == role) {
            continue;
        }
        let id = mailbox.ids.collection("todoTaskList", role);
        let resource = json!({"displayName": name, "isOwner": true, "isShared": false, "wellknownListName": role});
        implied(mailbox, RoomKind::Tasks, &id, &resource, None);
    }
}
