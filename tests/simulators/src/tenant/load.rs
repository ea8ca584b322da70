//! A tenant from its dump. Kinds that no room serves yet are kept as they are.

use serde_json::{Map, Value};

use super::load_rooms;
use super::mailbox::ROOT;
use super::sharepoint::{self, SharePoint};
use super::{Folder, Group, Mailbox, Message, Tenant, User};
use crate::dump::{Dump, Entry};

/// Takes the dump apart. Lines that name somebody unknown are kept aside rather than lost.
pub(crate) fn load(dump: Dump) -> Tenant {
    let mut tenant = Tenant::default();
    let (mut later, mut files) = (Vec::new(), Vec::new());
    for entry in dump.entries {
        match entry.kind.as_str() {
            "user" => tenant.admit(user(entry)),
            "group" => tenant.groups.push(group(entry)),
            kind if sharepoint::KINDS.contains(&kind) => files.push(entry),
            _ => later.push(entry),
        }
    }
    give_mailboxes(&mut tenant, &later);
    let things = furnish(&mut tenant, later);
    hang_folders(&mut tenant);
    let (messages, things): (Vec<Entry>, Vec<Entry>) = things.into_iter().partition(|entry| entry.kind == "message");
    post(&mut tenant, messages);
    finish(&mut tenant);
    load_rooms::fill(&mut tenant, things);
    furnish_drives(&mut tenant, files);
    tenant
}

fn furnish_drives(tenant: &mut Tenant, entries: Vec<Entry>) {
    let groups: Vec<String> = tenant.groups.iter().map(|group| group.id.clone()).collect();
    let user = |address: &str| tenant.any_address(address).map(|user| user.id.clone());
    let (sharepoint, left) = SharePoint::load(entries, user, &groups);
    tenant.sharepoint = sharepoint;
    tenant.rest.extend(left);
}

fn user(entry: Entry) -> User {
    let (resource, notes) = apart(entry.resource);
    let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
    let upn =
        if text("userPrincipalName").is_empty() { entry.user.unwrap_or_default() } else { text("userPrincipalName") };
    User { id: text("id"), upn, resource, notes, mailbox: None }
}

fn group(entry: Entry) -> Group {
    let (resource, notes) = apart(entry.resource);
    Group { id: resource["id"].as_str().unwrap_or_default().to_owned(), resource, notes, members: Vec::new() }
}

/// Keys that begin with `_` are notes to the simulator.
fn apart(mut resource: Value) -> (Value, Value) {
    let notes = resource.as_object_mut().and_then(|map| map.shift_remove("_sim")).unwrap_or_default();
    (resource, notes)
}

/// Whoever a line of something that lies in mailboxes names has a mailbox.
fn give_mailboxes(tenant: &mut Tenant, entries: &[Entry]) {
    for entry in entries {
        let mail = matches!(entry.kind.as_str(), "mailboxSettings" | "mailFolder" | "message");
        let of_mailbox = mail || load_rooms::KINDS.contains(&entry.kind.as_str());
        let Some(at) = place(tenant, entry).filter(|_| of_mailbox) else { continue };
        let user = &mut tenant.users[at];
        if user.mailbox.is_none() {
            user.mailbox = Some(mailbox(user).into());
        }
    }
}

fn mailbox(user: &User) -> Mailbox {
    let mut mailbox = Mailbox::new(&user.id);
    let noted = |name: &str| user.notes[name].as_bool().unwrap_or_default();
    mailbox.over_quota = noted("over_quota");
    mailbox.scoped_out = noted("scoped_out");
    mailbox.disabled = noted("disabled");
    mailbox
}

pub(super) fn place(tenant: &Tenant, entry: &Entry) -> Option<usize> {
    tenant.by_key.get(&entry.user.as_ref()?.to_lowercase()).copied()
}

/// Everything but what lies in folders and rooms, which are needed first.
fn furnish(tenant: &mut Tenant, entries: Vec<Entry>) -> Vec<Entry> {
    let mut things = Vec::new();
    for entry in entries {
        match entry.kind.as_str() {
            "message" => things.push(entry),
            "member" => join(tenant, entry),
            kind if load_rooms::KINDS.contains(&kind) => things.push(entry),
            _ => furnish_one(tenant, entry),
        }
    }
    things
}

fn join(tenant: &mut Tenant, entry: Entry) {
    let group = entry.parent.as_deref().and_then(|id| tenant.groups.iter_mut().find(|group| group.id == id));
    match group {
        Some(group) => group.members.push(entry),
        None => tenant.rest.push(entry),
    }
}

fn furnish_one(tenant: &mut Tenant, entry: Entry) {
    let at = place(tenant, &entry);
    let Some(mailbox) = at.and_then(|at| tenant.users[at].mailbox.as_mut()) else {
        return tenant.rest.push(entry);
    };
    let mailbox = mailbox.get_mut();
    match entry.kind.as_str() {
        "mailboxSettings" => mailbox.settings = entry.resource,
        "messageRule" => mailbox.rules.push(entry.resource),
        "masterCategory" => mailbox.categories.push(entry.resource),
        "mailFolder" => {
            mailbox.add_folder(folder(&entry));
        }
        _ => tenant.rest.push(entry),
    }
}

fn folder(entry: &Entry) -> Folder {
    let text = |name: &str| entry.resource[name].as_str().unwrap_or_default();
    let mut folder = Folder::new(text("id"), text("displayName"));
    folder.role = entry.parent.as_deref().map(str::to_lowercase);
    folder.rest = entry.resource.as_object().cloned().unwrap_or_default();
    folder.foreign_parent = Some(text("parentFolderId").to_owned()).filter(|id| !id.is_empty());
    folder
}

/// Hangs every folder under its parent. One whose parent the dump lacks hangs under the root, if it is a plain folder,
/// and stands beside it, if it is the root or a well-known one (recoverable items lie above the root).
fn hang_folders(tenant: &mut Tenant) {
    for user in &mut tenant.users {
        let Some(mailbox) = user.mailbox.as_mut().map(parking_lot::RwLock::get_mut) else { continue };
        let root = mailbox.root().unwrap_or_else(|| mailbox.add_folder(missing_root(mailbox)));
        for at in 0..u32::try_from(mailbox.folders.len()).unwrap_or_default() {
            let folder = mailbox.folder(at);
            let parent = folder.foreign_parent.as_deref().and_then(|id| mailbox.folder_named(id));
            let orphan = (folder.role.is_none() || folder.foreign_parent.is_none()).then_some(root);
            if let Some(parent) = parent.or(orphan).filter(|parent| at != root && *parent != at) {
                mailbox.hang(at, parent);
            }
        }
    }
}

fn missing_root(mailbox: &Mailbox) -> Folder {
    let mut root = Folder::new(&mailbox.ids.folder(0), "Top of Information Store");
    root.role = Some(ROOT.to_owned());
    root
}

fn post(tenant: &mut Tenant, messages: Vec<Entry>) {
    for entry in messages {
        let at = place(tenant, &entry);
        match at.and_then(|at| tenant.users[at].mailbox.as_mut()) {
            Some(mailbox) => post_one(mailbox.get_mut(), entry),
            None => tenant.rest.push(entry),
        }
    }
}

/// A message whose folder the dump lacks lies in the root, where a listing by folder still finds it.
fn post_one(mailbox: &mut Mailbox, entry: Entry) {
    let resource: Map<String, Value> = match entry.resource {
        Value::Object(map) => map,
        _ => return,
    };
    let text = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let named = mailbox.folder_named(&text("parentFolderId"));
    let Some(folder) = named.or_else(|| mailbox.root()) else { return };
    mailbox.load_message(Message::new(&text("id"), folder, resource, entry.content));
}

fn finish(tenant: &mut Tenant) {
    for user in &mut tenant.users {
        let Some(mailbox) = user.mailbox.as_mut().map(parking_lot::RwLock::get_mut) else { continue };
        mailbox.settle();
        for at in 0..u32::try_from(mailbox.folders.len()).unwrap_or_default() {
            let folder = &mut mailbox.folders[at as usize];
            let counted = folder.rest.get("totalItemCount").and_then(Value::as_u64).unwrap_or_default();
            folder.excess = usize::try_from(counted).unwrap_or_default().saturating_sub(folder.listing.len());
            if folder.is_search() {
                folder.excess = 0;
                mailbox.fill_search_folder(at);
            }
        }
    }
}
