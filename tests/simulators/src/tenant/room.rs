//! A room of a mailbox: collections of things, and the logs from which delta rounds are served. Calendars with events,
//! contact folders with contacts and task lists with tasks are rooms; each change is a step of the mailbox's trail.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde_json::{Map, Value};

use super::ids::{Ids, short};
use super::trail::Trail;
use super::{Item, ItemKind};
use crate::dump::Content;

/// A calendar, a contact folder or a task list.
pub(crate) struct Collection {
    pub id: Arc<str>,
    /// As served, without its id and without notes.
    pub resource: Map<String, Value>,
    pub notes: Value,
    /// What the dump says holds it: the group of a calendar, the well-known name of a contact folder.
    pub parent: Option<String>,
    pub log: BTreeMap<u64, Noted>,
    pub changed: u64,
    /// Delta rounds that were finished.
    pub rounds: AtomicU64,
    /// Every mailbox has it, though its dump does not name it: it is dumped once something lies in it.
    pub implied: bool,
    pub deleted: bool,
}

/// What a log knows at a step. A thing that changes again moves to its new step.
pub(crate) enum Noted {
    Here(u32),
    /// It left; what it was.
    Gone(Box<Item>),
}

impl Collection {
    pub fn new(id: &str, mut resource: Map<String, Value>) -> Self {
        let notes = resource.shift_remove("_sim").unwrap_or_default();
        resource.shift_remove("id");
        Self {
            id: Arc::from(id),
            resource,
            notes,
            parent: None,
            log: BTreeMap::new(),
            changed: 0,
            rounds: AtomicU64::new(0),
            implied: false,
            deleted: false,
        }
    }

    pub fn text(&self, name: &str) -> &str {
        self.resource.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn is(&self, name: &str) -> bool {
        self.resource.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Listed nowhere, though its id serves.
    pub fn is_hidden(&self) -> bool {
        self.notes["hidden"].as_bool().unwrap_or_default()
    }
}

/// What a change needs of the mailbox: its history, and how its ids are made.
pub(crate) struct Pen<'a> {
    pub trail: &'a mut Trail,
    pub ids: &'a Ids,
}

#[derive(Default)]
pub(crate) struct Room {
    pub collections: Vec<Collection>,
    collection_at: HashMap<Arc<str>, u32>,
    items: Vec<Option<Item>>,
    item_at: HashMap<Arc<str>, u32>,
    /// By the digest of either id.
    short_at: HashMap<u64, u32>,
    /// The exceptions of a series, by its slot.
    exceptions: HashMap<u32, Vec<u32>>,
    /// Collections that were deleted: the step and the id.
    pub gone: Vec<(u64, Arc<str>)>,
}

/// Finding things.
impl Room {
    pub fn living(&self) -> impl Iterator<Item = (u32, &Collection)> {
        (0..).zip(&self.collections).filter(|(_, collection)| !collection.deleted)
    }

    pub fn named(&self, id: &str) -> Option<u32> {
        let at = *self.collection_at.get(id)?;
        (!self.collections[at as usize].deleted).then_some(at)
    }

    pub fn collection(&self, at: u32) -> &Collection {
        &self.collections[at as usize]
    }

    pub fn collection_mut(&mut self, at: u32) -> &mut Collection {
        &mut self.collections[at as usize]
    }

    pub fn item(&self, slot: u32) -> Option<&Item> {
        self.items.get(slot as usize)?.as_ref()
    }

    /// Everything that exists, in the order in which it came.
    pub fn items(&self) -> impl Iterator<Item = (u32, &Item)> {
        (0..).zip(&self.items).filter_map(|(slot, item)| item.as_ref().map(|item| (slot, item)))
    }

    pub fn items_of(&self, collection: u32) -> impl Iterator<Item = (u32, &Item)> {
        self.items().filter(move |(_, item)| item.collection == collection)
    }

    /// By either of its ids.
    pub fn item_named(&self, id: &str, ids: &Ids) -> Option<u32> {
        let by_immutable = || {
            let slot = *self.short_at.get(&short(id))?;
            (self.item(slot)?.immutable_id(ids) == id).then_some(slot)
        };
        self.item_at.get(id).copied().or_else(by_immutable)
    }

    /// By the digest of either of its ids.
    pub fn item_by_short(&self, digest: u64) -> Option<u32> {
        self.short_at.get(&digest).copied()
    }

    /// The exceptions of a series, in the order in which they came.
    pub fn exceptions_of(&self, master: u32) -> impl Iterator<Item = (u32, &Item)> {
        let slots = self.exceptions.get(&master).into_iter().flatten();
        slots.filter_map(|slot| self.item(*slot).map(|item| (*slot, item)))
    }
}

/// Changing things.
impl Room {
    pub fn add_collection(&mut self, mut collection: Collection, pen: &mut Pen<'_>) -> u32 {
        let at = u32::try_from(self.collections.len()).unwrap_or(u32::MAX);
        collection.changed = pen.trail.step(&["collection", &collection.id]);
        self.collection_at.insert(collection.id.clone(), at);
        self.collections.push(collection);
        at
    }

    pub fn edit_collection(&mut self, at: u32, set: &Map<String, Value>, pen: &mut Pen<'_>) {
        let collection = &mut self.collections[at as usize];
        let names: Vec<&str> = set.keys().map(String::as_str).collect();
        collection.changed = pen.trail.step(&["edit collection", &collection.id, &names.join(",")]);
        collection.implied = false;
        collection.resource.extend(set.clone());
        if collection.resource.contains_key("changeKey") {
            let key = pen.ids.change_key(collection.changed);
            collection.resource.insert("changeKey".to_owned(), key.into());
        }
    }

    /// Deletes a collection with all that lies in it.
    pub fn remove_collection(&mut self, at: u32, pen: &mut Pen<'_>) {
        let slots: Vec<u32> = self.items_of(at).map(|(slot, _)| slot).collect();
        slots.into_iter().for_each(|slot| self.remove_item(slot, pen));
        let id = self.collection(at).id.clone();
        let step = pen.trail.step(&["remove collection", &id]);
        self.collections[at as usize].deleted = true;
        self.gone.push((step, id));
    }

    /// Gives a thing a slot and a step.
    pub fn add_item(&mut self, mut item: Item, pen: &mut Pen<'_>) -> u32 {
        let slot = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let step = pen.trail.step(&["item", &item.id, &item.collection.to_string()]);
        (item.arrived, item.changed) = (step, step);
        if let Some(master) = item.master {
            self.exceptions.entry(master).or_default().push(slot);
        }
        self.index(&item, slot, pen.ids);
        self.collections[item.collection as usize].log.insert(step, Noted::Here(slot));
        self.items.push(Some(item));
        slot
    }

    fn index(&mut self, item: &Item, slot: u32, ids: &Ids) {
        self.item_at.insert(item.id.clone(), slot);
        self.short_at.insert(short(&item.id), slot);
        self.short_at.insert(short(&item.immutable_id(ids)), slot);
    }

    /// Changes fields. `fields` are the names that a partial delta row will carry; `edit` gets the new change key.
    pub fn edit_item(
        &mut self,
        slot: u32,
        fields: &[&str],
        pen: &mut Pen<'_>,
        edit: impl FnOnce(&mut Map<String, Value>, &str),
    ) {
        let Some(item) = self.items.get_mut(slot as usize).and_then(Option::as_mut) else { return };
        let step = pen.trail.step(&["edit item", &item.id, &fields.join(",")]);
        let log = &mut self.collections[item.collection as usize].log;
        log.remove(&item.changed);
        log.insert(step, Noted::Here(slot));
        item.note_edit(step, fields);
        let mut resource = item.resource();
        edit(&mut resource, &pen.ids.change_key(step));
        item.keep(&resource);
    }

    /// Gives a contact another photo, or none.
    pub fn picture(&mut self, slot: u32, photo: Option<Content>) {
        if let Some(item) = self.items.get_mut(slot as usize).and_then(Option::as_mut) {
            item.content = photo;
        }
    }

    /// Moves a thing, and the exceptions of a series with it: ids change, immutable ids do not.
    pub fn move_item(&mut self, slot: u32, to: u32, pen: &mut Pen<'_>) {
        let followers: Vec<u32> = self.exceptions_of(slot).map(|(slot, _)| slot).collect();
        self.move_one(slot, to, pen);
        followers.into_iter().for_each(|slot| self.move_one(slot, to, pen));
    }

    fn move_one(&mut self, slot: u32, to: u32, pen: &mut Pen<'_>) {
        self.leave(slot, pen);
        let master = self.item(slot).and_then(|item| self.item(item.master?)).map(|master| master.id.clone());
        let Some(item) = self.items.get_mut(slot as usize).and_then(Option::as_mut) else { return };
        item.born = Some(item.born.clone().unwrap_or_else(|| item.id.clone()));
        let step = pen.trail.step(&["move item", &item.id, &to.to_string()]);
        let date = item.lasting.as_deref().and_then(|lasting| pen.ids.occurrence_of(lasting)).map(|(_, date)| date);
        item.id = match (master, date) {
            (Some(master), Some(date)) => Arc::from(pen.ids.occurrence(&master, date)),
            _ => Arc::from(pen.ids.message(step)),
        };
        (item.collection, item.arrived, item.changed) = (to, step, step);
        let moved = item.clone();
        self.index(&moved, slot, pen.ids);
        self.collections[to as usize].log.insert(step, Noted::Here(slot));
    }

    /// Deletes a thing for good, and the exceptions of a series with it.
    pub fn remove_item(&mut self, slot: u32, pen: &mut Pen<'_>) {
        let followers: Vec<u32> = self.exceptions_of(slot).map(|(slot, _)| slot).collect();
        followers.into_iter().for_each(|slot| self.remove_one(slot, pen));
        self.exceptions.remove(&slot);
        self.remove_one(slot, pen);
    }

    fn remove_one(&mut self, slot: u32, pen: &mut Pen<'_>) {
        self.leave(slot, pen);
        let Some(item) = self.items.get_mut(slot as usize).and_then(Option::take) else { return };
        self.short_at.remove(&short(&item.immutable_id(pen.ids)));
        if let Some(siblings) = item.master.and_then(|master| self.exceptions.get_mut(&master)) {
            siblings.retain(|sibling| *sibling != slot);
        }
    }

    /// Takes a thing out of its collection and its id out of use.
    fn leave(&mut self, slot: u32, pen: &mut Pen<'_>) {
        let Some(item) = self.item(slot).cloned() else { return };
        let step = pen.trail.step(&["leave item", &item.id]);
        self.item_at.remove(&item.id);
        self.short_at.remove(&short(&item.id));
        let log = &mut self.collections[item.collection as usize].log;
        log.remove(&item.changed);
        log.insert(step, Noted::Gone(Box::new(item)));
    }

    /// Whether a collection holds anything.
    pub fn is_empty(&self, collection: u32) -> bool {
        self.items_of(collection).next().is_none()
    }

    /// Masters, singles and other plain things; then exceptions.
    pub fn in_dump_order(&self) -> impl Iterator<Item = &Item> {
        let exceptions = self.items().filter(|(_, item)| item.kind == ItemKind::Exception);
        let others = self.items().filter(|(_, item)| item.kind != ItemKind::Exception);
        others.chain(exceptions).map(|(_, item)| item)
    }
}
