//! One mailbox: folders, messages, and every change that can happen to them. Each change is a step of its [`Trail`].

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::folder::Listing;
use super::ids::{Ids, short};
use super::trail::Trail;
use super::{Folder, Logged, Message, Pen, Room};
use crate::dump::Content;

/// The folder above all folders.
pub(crate) const ROOT: &str = "msgfolderroot";

pub(crate) struct Mailbox {
    pub ids: Ids,
    pub trail: Trail,
    pub folders: Vec<Folder>,
    folder_at: HashMap<Arc<str>, u32>,
    roles: HashMap<String, u32>,
    messages: Vec<Option<Message>>,
    message_at: HashMap<Arc<str>, u32>,
    immutable_at: HashMap<u64, u32>,
    pub all: Listing,
    /// Folders that were deleted: the step and the id.
    pub gone_folders: Vec<(u64, Arc<str>)>,
    pub settings: Value,
    pub rules: Vec<Value>,
    pub categories: Vec<Value>,
    pub calendars: Room,
    pub calendar_groups: Vec<Value>,
    pub contacts: Room,
    pub tasks: Room,
    /// Grows when delta tokens are made to expire; the service's own numbers look like this.
    pub generation: u64,
    pub over_quota: bool,
    /// Outside the scope that an administrator gave the application.
    pub scoped_out: bool,
    /// Answers as if it were inactive or on premises.
    pub disabled: bool,
}

/// The rooms beside mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RoomKind {
    Calendars,
    Contacts,
    Tasks,
}

impl Mailbox {
    pub fn room(&self, kind: RoomKind) -> &Room {
        match kind {
            RoomKind::Calendars => &self.calendars,
            RoomKind::Contacts => &self.contacts,
            RoomKind::Tasks => &self.tasks,
        }
    }

    /// A room, and what changing it needs.
    pub fn room_mut(&mut self, kind: RoomKind) -> (&mut Room, Pen<'_>) {
        let room = match kind {
            RoomKind::Calendars => &mut self.calendars,
            RoomKind::Contacts => &mut self.contacts,
            RoomKind::Tasks => &mut self.tasks,
        };
        (room, Pen { trail: &mut self.trail, ids: &self.ids })
    }

    pub fn new(owner: &str) -> Self {
        Self {
            ids: Ids::of(owner),
            trail: Trail::default(),
            folders: Vec::new(),
            folder_at: HashMap::new(),
            roles: HashMap::new(),
            messages: Vec::new(),
            message_at: HashMap::new(),
            immutable_at: HashMap::new(),
            all: Listing::default(),
            gone_folders: Vec::new(),
            settings: Value::Null,
            rules: Vec::new(),
            categories: Vec::new(),
            calendars: Room::default(),
            calendar_groups: Vec::new(),
            contacts: Room::default(),
            tasks: Room::default(),
            generation: 149,
            over_quota: false,
            scoped_out: false,
            disabled: false,
        }
    }
}

/// Finding things.
impl Mailbox {
    /// A folder by id, or by well-known name without regard to case.
    pub fn folder_named(&self, key: &str) -> Option<u32> {
        let role = || self.roles.get(&key.to_lowercase()).copied();
        let found = self.folder_at.get(key).copied().or_else(role)?;
        (!self.folders[found as usize].deleted).then_some(found)
    }

    pub fn folder(&self, at: u32) -> &Folder {
        &self.folders[at as usize]
    }

    pub fn root(&self) -> Option<u32> {
        self.folder_named(ROOT)
    }

    /// Folders that exist, with their places.
    pub fn living_folders(&self) -> impl Iterator<Item = (u32, &Folder)> {
        (0..).zip(&self.folders).filter(|(_, folder)| !folder.deleted)
    }

    pub fn message(&self, slot: u32) -> Option<&Message> {
        self.messages.get(slot as usize)?.as_ref()
    }

    /// Every message that exists, in the order in which they came.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter().flatten()
    }

    /// How many slots were ever given; some are empty again.
    pub fn slots(&self) -> u32 {
        u32::try_from(self.messages.len()).unwrap_or(u32::MAX)
    }

    /// A message by either of its ids.
    pub fn message_named(&self, id: &str) -> Option<u32> {
        self.message_at.get(id).copied().or_else(|| self.by_immutable(id))
    }

    fn by_immutable(&self, id: &str) -> Option<u32> {
        let slot = *self.immutable_at.get(&short(id))?;
        let message = self.message(slot)?;
        (self.immutable_id(message.first_id()) == id).then_some(slot)
    }

    pub fn immutable_id(&self, born: &str) -> String {
        self.ids.immutable(born)
    }

    /// The id under which a folder's parent is known.
    pub fn parent_id(&self, folder: &Folder) -> Option<String> {
        let parent = folder.parent.map(|at| self.folder(at).id.to_string());
        parent.or_else(|| folder.foreign_parent.clone())
    }

    /// Children that listings show.
    pub fn visible_children(&self, folder: &Folder, hidden: bool) -> Vec<u32> {
        let shown = |at: &u32| {
            let child = self.folder(*at);
            !child.deleted && (hidden || !child.is_hidden())
        };
        folder.children.iter().copied().filter(shown).collect()
    }
}

/// Changing messages. Times are the simulator's own.
impl Mailbox {
    /// Takes a message of the dump; [`Mailbox::settle`] must follow the last of them.
    pub fn load_message(&mut self, message: Message) {
        let slot = self.enter(message);
        if let Some(message) = self.message(slot) {
            let (received, folder) = (message.received, message.folder as usize);
            self.all.push(received, slot);
            self.folders[folder].listing.push(received, slot);
        }
    }

    /// Brings listings into order after loading.
    pub fn settle(&mut self) {
        self.all.sort();
        self.folders.iter_mut().for_each(|folder| folder.listing.sort());
    }

    /// Adds a message that just arrived.
    pub fn add_message(&mut self, folder: u32, resource: Map<String, Value>, content: Content) -> u32 {
        let id = self.ids.message(self.trail.head() + 1);
        let slot = self.enter(Message::new(&id, folder, resource, Some(content)));
        self.list(slot);
        slot
    }

    /// Gives a message a slot, ids and a step, without listing it.
    fn enter(&mut self, mut message: Message) -> u32 {
        let slot = self.slots();
        let step = self.trail.step(&["message", &message.id, &message.folder.to_string()]);
        (message.arrived, message.changed) = (step, step);
        self.message_at.insert(message.id.clone(), slot);
        self.immutable_at.insert(short(&self.immutable_id(message.first_id())), slot);
        let folder = &mut self.folders[message.folder as usize];
        folder.count_in(&message);
        folder.changed = step;
        folder.log.insert(step, Logged::Here(slot));
        self.messages.push(Some(message));
        slot
    }

    fn list(&mut self, slot: u32) {
        let Some(message) = self.messages[slot as usize].as_ref() else { return };
        self.all.insert(message.received, slot);
        self.folders[message.folder as usize].listing.insert(message.received, slot);
    }

    fn unlist(&mut self, slot: u32) {
        let Some(message) = self.messages[slot as usize].as_ref() else { return };
        self.all.remove(message.received, slot);
        self.folders[message.folder as usize].listing.remove(message.received, slot);
    }

    /// Changes fields of a message. `fields` are the names that a partial delta row will carry.
    pub fn edit_message(&mut self, slot: u32, fields: &[&str], edit: impl FnOnce(&mut Message, &str)) {
        self.unlist(slot);
        let Some(message) = self.messages[slot as usize].as_mut() else { return };
        let step = self.trail.step(&["edit", &message.id, &fields.join(",")]);
        let folder = &mut self.folders[message.folder as usize];
        folder.count_out(message);
        folder.log.remove(&message.changed);
        edit(message, &self.ids.change_key(step));
        message.note_edit(step, fields);
        folder.count_in(message);
        folder.changed = step;
        folder.log.insert(step, Logged::Here(slot));
        self.list(slot);
    }

    /// Moves a message: its id changes, its immutable id does not. It leaves a tombstone behind.
    pub fn move_message(&mut self, slot: u32, to: u32) {
        self.leave(slot);
        let Some(message) = self.messages[slot as usize].as_mut() else { return };
        message.born = Some(message.born.clone().unwrap_or_else(|| message.id.clone()));
        let step = self.trail.step(&["move", &message.id, &to.to_string()]);
        message.id = Arc::from(self.ids.message(step));
        (message.folder, message.arrived, message.changed) = (to, step, step);
        self.message_at.insert(message.id.clone(), slot);
        let folder = &mut self.folders[to as usize];
        folder.count_in(message);
        folder.changed = step;
        folder.log.insert(step, Logged::Here(slot));
        self.list(slot);
    }

    /// Deletes a message for good.
    pub fn remove_message(&mut self, slot: u32) {
        self.leave(slot);
        if let Some(message) = self.messages[slot as usize].take() {
            self.immutable_at.remove(&short(&self.ids.immutable(message.first_id())));
        }
    }

    /// Takes a message out of its folder and its id out of use.
    fn leave(&mut self, slot: u32) {
        self.unlist(slot);
        let Some(message) = self.messages[slot as usize].as_ref() else { return };
        let step = self.trail.step(&["leave", &message.id]);
        self.message_at.remove(&message.id);
        let folder = &mut self.folders[message.folder as usize];
        folder.count_out(message);
        folder.changed = step;
        folder.log.remove(&message.changed);
        let tombstone = Logged::Gone { id: message.id.clone(), born: Arc::from(message.first_id()) };
        folder.log.insert(step, tombstone);
    }
}

/// Changing folders.
impl Mailbox {
    pub fn add_folder(&mut self, mut folder: Folder) -> u32 {
        let at = u32::try_from(self.folders.len()).unwrap_or(u32::MAX);
        folder.changed = self.trail.step(&["folder", &folder.id, &folder.name]);
        self.folder_at.insert(folder.id.clone(), at);
        if let Some(role) = &folder.role {
            self.roles.insert(role.clone(), at);
        }
        if let Some(parent) = folder.parent {
            self.folders[parent as usize].children.push(at);
        }
        self.folders.push(folder);
        at
    }

    pub fn rename_folder(&mut self, at: u32, name: &str) {
        let step = self.trail.step(&["rename", &self.folder(at).id.clone(), name]);
        let folder = &mut self.folders[at as usize];
        (folder.name, folder.changed) = (name.to_owned(), step);
    }

    /// Hangs a folder elsewhere; its id stays.
    pub fn move_folder(&mut self, at: u32, to: u32) {
        let step = self.trail.step(&["move folder", &self.folder(at).id.clone(), &self.folder(to).id.clone()]);
        if let Some(parent) = self.folder(at).parent {
            self.folders[parent as usize].children.retain(|child| *child != at);
        }
        self.folders[to as usize].children.push(at);
        let folder = &mut self.folders[at as usize];
        (folder.parent, folder.changed) = (Some(to), step);
    }

    /// Deletes a folder with all that lies in it.
    pub fn remove_folder(&mut self, at: u32) {
        for child in self.folder(at).children.clone() {
            self.remove_folder(child);
        }
        let slots: Vec<u32> = self.folder(at).listing.from(0).collect();
        slots.into_iter().for_each(|slot| self.remove_message(slot));
        let step = self.trail.step(&["remove folder", &self.folder(at).id.clone()]);
        if let Some(parent) = self.folder(at).parent {
            self.folders[parent as usize].children.retain(|child| *child != at);
        }
        self.folders[at as usize].deleted = true;
        self.gone_folders.push((step, self.folder(at).id.clone()));
    }

    /// Hangs a loaded folder under its parent, once all are there.
    pub fn hang(&mut self, at: u32, parent: u32) {
        self.folders[at as usize].parent = Some(parent);
        self.folders[parent as usize].children.push(at);
    }

    /// Lets a search folder show what its source folders hold now. It is not kept up to date: who walks it has gone
    /// wrong already.
    pub fn fill_search_folder(&mut self, at: u32) {
        let sources = self.folder(at).rest.get("sourceFolderIds").and_then(Value::as_array).cloned();
        for source in sources.unwrap_or_default() {
            let Some(source) = source.as_str().and_then(|id| self.folder_named(id)) else { continue };
            let entries: Vec<(i64, u32)> = self.folder(source).listing.after(None).collect();
            for (received, slot) in entries {
                let step = self.trail.step(&["search"]);
                let folder = &mut self.folders[at as usize];
                folder.listing.push(received, slot);
                folder.log.insert(step, Logged::Here(slot));
            }
        }
        self.folders[at as usize].listing.sort();
    }
}

/// The present as Outlook writes it, without fractions.
pub(crate) fn outlook_time(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
