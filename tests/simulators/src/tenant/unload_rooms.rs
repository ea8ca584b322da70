//! The lines of a dump for calendars, contacts and tasks.

use serde_json::{Map, Value, json};

use super::unload::entry;
use super::{Collection, Item, Mailbox, RoomKind};
use crate::dump::Entry;

pub(super) fn of_mailbox(user: &str, mailbox: &Mailbox, into: &mut Vec<Entry>) {
    into.extend(mailbox.calendar_groups.iter().map(|group| entry("calendarGroup", user, group.clone())));
    for kind in [RoomKind::Calendars, RoomKind::Contacts, RoomKind::Tasks] {
        let room = mailbox.room(kind);
        let held = room.living().filter(|(at, one)| !one.implied || !room.is_empty(*at));
        into.extend(held.map(|(_, one)| collection_entry(kind, user, one)));
        into.extend(room.in_dump_order().map(|item| item_entry(kind, user, mailbox, item)));
    }
}

fn collection_entry(kind: RoomKind, user: &str, collection: &Collection) -> Entry {
    let name = match kind {
        RoomKind::Calendars => "calendar",
        RoomKind::Contacts => "contactFolder",
        RoomKind::Tasks => "todoTaskList",
    };
    let mut resource = with_id(&collection.id, collection.resource.clone());
    if !collection.notes.is_null() {
        resource.insert("_sim".to_owned(), collection.notes.clone());
    }
    Entry { parent: collection.parent.clone(), ..entry(name, user, resource.into()) }
}

fn with_id(id: &str, rest: Map<String, Value>) -> Map<String, Value> {
    let mut resource = Map::new();
    resource.insert("id".to_owned(), json!(id));
    resource.extend(rest);
    resource
}

fn item_entry(kind: RoomKind, user: &str, mailbox: &Mailbox, item: &Item) -> Entry {
    let room = mailbox.room(kind);
    let holder = room.collection(item.collection).id.to_string();
    let mut resource = with_id(&item.id, item.resource());
    if let Some(master) = item.master.and_then(|slot| room.item(slot)) {
        resource.insert("seriesMasterId".to_owned(), json!(&*master.id));
    }
    let name = match kind {
        RoomKind::Calendars => "event",
        RoomKind::Contacts => "contact",
        RoomKind::Tasks => "todoTask",
    };
    if kind == RoomKind::Contacts {
        resource.insert("parentFolderId".to_owned(), json!(holder));
    }
    let mut marks = item.marks();
    marks.born = item.born.as_deref().map(str::to_owned);
    marks.lasting = item.lasting.as_deref().map(str::to_owned);
    let marks = serde_json::to_value(marks).unwrap_or_default();
    if marks.as_object().is_some_and(|marks| !marks.is_empty()) {
        resource.insert("_sim".to_owned(), marks);
    }
    let parent = (kind != RoomKind::Contacts).then_some(holder);
    Entry { parent, content: item.content.clone(), ..entry(name, user, resource.into()) }
}
