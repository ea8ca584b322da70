//! What the simulated tenant holds: people, groups, mailboxes with mail and with the rooms for calendars, contacts and
//! tasks, drives and sites. Lines of the dump that none of them takes are kept in `rest` and given back.

pub(crate) mod agenda;
mod compose;
mod folder;
mod ids;
mod item;
mod load;
mod load_rooms;
mod mailbox;
mod message;
mod parts;
mod room;
pub(crate) mod sharepoint;
mod trail;
mod unload;
mod unload_rooms;

use std::collections::HashMap;

use parking_lot::RwLock;
use serde_json::Value;

pub(crate) use compose::{item_of, resource_of};
pub(crate) use folder::{Folder, Logged};
pub(crate) use ids::{Ids, looks_like_an_id, short};
pub(crate) use item::{Item, Kind as ItemKind};
pub(crate) use load::load;
pub(crate) use mailbox::outlook_time;
pub(crate) use mailbox::{Mailbox, RoomKind};
pub(crate) use message::{Marks, Message};
pub(crate) use parts::{Attachment, AttachmentKind, attachments, parts_of, stated_ones};
pub(crate) use room::{Collection, Noted, Pen, Room};
pub(crate) use unload::{folder_resource, unload};

use self::sharepoint::SharePoint;
use crate::dump::Entry;

/// A whole tenant.
#[derive(Default)]
pub(crate) struct Tenant {
    pub users: Vec<User>,
    by_key: HashMap<String, usize>,
    pub groups: Vec<Group>,
    pub sharepoint: SharePoint,
    /// Lines of the dump that no room serves.
    pub rest: Vec<Entry>,
}

/// Somebody or something with an address: a person, a guest, a shared mailbox, a room.
pub(crate) struct User {
    pub id: String,
    pub upn: String,
    /// As served; notes to the simulator are in `notes`.
    pub resource: Value,
    pub notes: Value,
    /// Absent for guests, and for whoever has no mailbox in Exchange Online.
    pub mailbox: Option<RwLock<Mailbox>>,
}

pub(crate) struct Group {
    pub id: String,
    pub resource: Value,
    pub notes: Value,
    pub members: Vec<Entry>,
}

impl Tenant {
    pub fn admit(&mut self, user: User) {
        let at = self.users.len();
        let mail = user.resource["mail"].as_str().map(str::to_lowercase);
        for key in [user.upn.to_lowercase(), user.id.to_lowercase()].into_iter().chain(mail) {
            self.by_key.entry(key).or_insert(at);
        }
        self.users.push(user);
    }

    /// By id or `userPrincipalName`, as paths name people.
    pub fn user(&self, key: &str) -> Option<&User> {
        let key = key.to_lowercase();
        let user = self.any_address(&key)?;
        (user.id.to_lowercase() == key || user.upn.to_lowercase() == key).then_some(user)
    }

    /// By id, `userPrincipalName` or mail address, as dumps and scripts name people.
    pub fn any_address(&self, key: &str) -> Option<&User> {
        self.by_key.get(&key.to_lowercase()).map(|at| &self.users[*at])
    }

    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.id.eq_ignore_ascii_case(id))
    }

    /// Every mailbox with its owner.
    pub fn mailboxes(&self) -> impl Iterator<Item = (&User, &RwLock<Mailbox>)> {
        self.users.iter().filter_map(|user| user.mailbox.as_ref().map(|mailbox| (user, mailbox)))
    }
}
