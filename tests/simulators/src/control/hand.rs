//! Somebody at work in the rooms of a mailbox: finds things by what they are called, makes, changes, moves and deletes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::dump::Content;
use crate::tenant::{Collection, Item, Mailbox, RoomKind};

pub(super) type Members = Map<String, Value>;

use RoomKind::{Calendars, Contacts, Tasks};

/// Somebody at work in a mailbox.
pub(super) struct Hand<'a> {
    pub mailbox: &'a mut Mailbox,
    /// The present as events carry it.
    pub now: String,
    /// Whether a changed day touches its series.
    pub touches: bool,
    /// Whether another photo touches its contact.
    pub photos_touch: bool,
    pub owner: String,
}

pub(super) fn members(of: Value) -> Members {
    match of {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

pub(super) fn decoded(photo: &str) -> Result<Content, String> {
    let bytes = STANDARD.decode(photo).map_err(|why| format!("The photo is not base64: {why}."))?;
    Ok(Content::from(bytes))
}

/// Finding and showing.
impl Hand<'_> {
    pub fn collection_at(&self, kind: RoomKind, name: &str) -> Result<u32, String> {
        let room = self.mailbox.room(kind);
        let default = match kind {
            Calendars => "calendar",
            Contacts => "contacts",
            Tasks => "tasks",
        };
        let called = |one: &Collection| one.text("name") == name || one.text("displayName") == name;
        let by_name = || room.living().find(|(_, one)| called(one)).map(|(at, _)| at);
        let found = if name.eq_ignore_ascii_case(default) { self.mailbox.default_of(kind) } else { None };
        found.or_else(|| room.named(name)).or_else(by_name).ok_or_else(|| format!("There is no collection {name}."))
    }

    pub fn item_at(&self, kind: RoomKind, name: &str) -> Result<u32, String> {
        let room = self.mailbox.room(kind);
        let called = |item: &Item| {
            let resource = item.resource();
            ["iCalUId", "subject", "displayName", "title"]
                .iter()
                .any(|member| resource.get(*member).is_some_and(|is| is == name))
        };
        let by_name = || room.items().find(|(_, item)| called(item)).map(|(slot, _)| slot);
        let found = room.item_named(name, &self.mailbox.ids).or_else(by_name);
        found.ok_or_else(|| format!("There is nothing called {name}."))
    }

    pub fn shown(&self, kind: RoomKind, slot: u32) -> Value {
        let item = self.mailbox.room(kind).item(slot);
        item.map_or(Value::Null, |item| json!({"id": &*item.id, "immutableId": item.immutable_id(&self.mailbox.ids)}))
    }

    fn next_step(&self) -> u64 {
        self.mailbox.trail.head() + 1
    }
}

/// Collections.
impl Hand<'_> {
    pub fn calendar(&self, name: &str) -> Members {
        members(json!({
            "name": name, "color": "auto", "hexColor": "", "isDefaultCalendar": false, "isRemovable": true,
            "changeKey": self.mailbox.ids.change_key(self.next_step()), "canShare": true, "canViewPrivateItems": true,
            "canEdit": true, "isTallyingResponses": false, "allowedOnlineMeetingProviders": ["teamsForBusiness"],
            "defaultOnlineMeetingProvider": "teamsForBusiness", "owner": {"name": self.owner, "address": self.owner},
        }))
    }

    pub fn add_collection(
        &mut self,
        kind: RoomKind,
        resource: Members,
        parent: Option<String>,
    ) -> Result<Value, String> {
        let name = format!("{kind:?}");
        let id = self.mailbox.ids.collection(&name, &self.next_step().to_string());
        let mut collection = Collection::new(&id, resource);
        collection.parent = parent;
        let (room, mut pen) = self.mailbox.room_mut(kind);
        room.add_collection(collection, &mut pen);
        Ok(json!({"id": id}))
    }

    pub fn edit_collection(&mut self, kind: RoomKind, name: &str, set: &Members) -> Result<Value, String> {
        let at = self.collection_at(kind, name)?;
        let (room, mut pen) = self.mailbox.room_mut(kind);
        room.edit_collection(at, set, &mut pen);
        Ok(json!({"id": &*room.collection(at).id}))
    }

    pub fn delete_collection(&mut self, kind: RoomKind, name: &str) -> Result<Value, String> {
        let at = self.collection_at(kind, name)?;
        if self.mailbox.default_of(kind) == Some(at) {
            return Err(format!("{name} is the default one, which cannot be deleted."));
        }
        let (room, mut pen) = self.mailbox.room_mut(kind);
        room.remove_collection(at, &mut pen);
        Ok(json!({"id": &*room.collection(at).id}))
    }
}

/// Contacts and tasks, and what all things have in common.
impl Hand<'_> {
    pub fn add(&mut self, kind: RoomKind, item: Item) -> Value {
        let (room, mut pen) = self.mailbox.room_mut(kind);
        let slot = room.add_item(item, &mut pen);
        self.shown(kind, slot)
    }

    /// A new thing of the default or of a named collection, with its ids and times.
    pub fn fresh(&self, kind: RoomKind, collection: Option<&str>, resource: Members) -> Result<Item, String> {
        let at = match collection {
            Some(name) => self.collection_at(kind, name)?,
            None => self.mailbox.default_of(kind).ok_or("There is no default collection.")?,
        };
        let step = self.next_step();
        let mut whole = members(json!({
            "createdDateTime": self.now, "lastModifiedDateTime": self.now, "changeKey": self.mailbox.ids.change_key(step),
            "categories": [],
        }));
        whole.extend(resource);
        Ok(Item::new(&self.mailbox.ids.thing(step), at, whole, None))
    }

    pub fn create_contact(
        &mut self,
        folder: Option<&str>,
        set: &Members,
        photo: Option<Content>,
    ) -> Result<Value, String> {
        let mut contact = members(blank_contact());
        contact.extend(set.clone());
        let mut item = self.fresh(Contacts, folder, born(contact))?;
        item.content = photo;
        Ok(self.add(Contacts, item))
    }

    pub fn set_photo(&mut self, name: &str, photo: Option<&str>) -> Result<Value, String> {
        let slot = self.item_at(Contacts, name)?;
        let photo = photo.map(decoded).transpose()?;
        if self.photos_touch {
            self.write(Contacts, slot, &Map::new());
        }
        self.mailbox.contacts.picture(slot, photo);
        Ok(self.shown(Contacts, slot))
    }

    pub fn edit(&mut self, kind: RoomKind, name: &str, set: &Members) -> Result<Value, String> {
        let slot = self.item_at(kind, name)?;
        let set = if kind == Contacts { born(set.clone()) } else { set.clone() };
        refuse_fixed(&set)?;
        self.write(kind, slot, &set);
        Ok(self.shown(kind, slot))
    }

    /// Sets members, and with them the change key and the time of the change.
    pub fn write(&mut self, kind: RoomKind, slot: u32, set: &Members) {
        let mut fields: Vec<&str> = set.keys().map(String::as_str).collect();
        fields.extend(["lastModifiedDateTime", "changeKey"]);
        let now = self.now.clone();
        let (room, mut pen) = self.mailbox.room_mut(kind);
        room.edit_item(slot, &fields, &mut pen, |resource, change_key| {
            resource.extend(set.clone());
            resource.insert("changeKey".to_owned(), change_key.into());
            resource.insert("lastModifiedDateTime".to_owned(), now.into());
        });
    }

    pub fn shift(&mut self, kind: RoomKind, name: &str, to: &str) -> Result<Value, String> {
        let (slot, to) = (self.item_at(kind, name)?, self.collection_at(kind, to)?);
        if self.mailbox.room(kind).item(slot).is_some_and(|item| item.master.is_some()) {
            return Err(format!("{name} is one day of a series; move the series."));
        }
        let (room, mut pen) = self.mailbox.room_mut(kind);
        room.move_item(slot, to, &mut pen);
        Ok(self.shown(kind, slot))
    }

    pub fn delete(&mut self, kind: RoomKind, name: &str) -> Result<Value, String> {
        let slot = self.item_at(kind, name)?;
        let gone = self.shown(kind, slot);
        let (room, mut pen) = self.mailbox.room_mut(kind);
        room.remove_item(slot, &mut pen);
        Ok(gone)
    }
}

/// # Errors
/// For members that only the service sets.
pub(super) fn refuse_fixed(set: &Members) -> Result<(), String> {
    match set
        .keys()
        .find(|name| ["id", "parentFolderId", "changeKey", "seriesMasterId", "type"].contains(&name.as_str()))
    {
        Some(fixed) => Err(format!("{fixed} cannot be set; use move for folders.")),
        None => Ok(()),
    }
}

/// Birthdays are kept at 11:59.
fn born(mut contact: Members) -> Members {
    let day = contact.get("birthday").and_then(Value::as_str).and_then(|text| text.get(..10));
    if let Some(day) = day.map(|day| format!("{day}T11:59:00Z")) {
        contact.insert("birthday".to_owned(), day.into());
    }
    contact
}

/// What the service shows of a contact that has nothing.
pub(crate) fn blank_contact() -> Value {
    json!({
        "birthday": null, "fileAs": "", "displayName": "", "givenName": null, "initials": null, "middleName": null,
        "nickName": null, "surname": null, "title": null, "yomiGivenName": null, "yomiSurname": null,
        "yomiCompanyName": null, "generation": null, "imAddresses": [], "jobTitle": null, "companyName": null,
        "department": null, "officeLocation": null, "profession": null, "businessHomePage": null, "assistantName": null,
        "manager": null, "homePhones": [], "mobilePhone": null, "businessPhones": [], "spouseName": null,
        "personalNotes": "", "children": [], "emailAddresses": [], "primaryEmailAddress": {}, "secondaryEmailAddress": {},
        "tertiaryEmailAddress": {}, "homeAddress": {}, "businessAddress": {}, "otherAddress": {},
    })
}
