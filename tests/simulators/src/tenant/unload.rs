//! The dump of what a tenant holds now.

use parking_lot::RwLock;
use serde_json::{Map, Value, json};

use super::{Folder, Mailbox, Message, Tenant, User};
use crate::dump::{Dump, Entry, Provider};

/// The present state. Bodies are shared, not copied.
pub(crate) fn unload(tenant: &Tenant) -> Dump {
    let mut entries: Vec<Entry> =
        tenant.users.iter().map(|user| noted("user", &user.upn, &user.resource, &user.notes)).collect();
    for group in &tenant.groups {
        entries.push(Entry { user: None, ..noted("group", "", &group.resource, &group.notes) });
        entries.extend(group.members.iter().cloned());
    }
    for (user, mailbox) in tenant.mailboxes() {
        of_mailbox(user, mailbox, &mut entries);
    }
    tenant.sharepoint.unload(&mut entries);
    entries.extend(tenant.rest.iter().cloned());
    Dump { provider: Provider::Graph, entries }
}

fn of_mailbox(user: &User, mailbox: &RwLock<Mailbox>, into: &mut Vec<Entry>) {
    let mailbox = mailbox.read();
    if !mailbox.settings.is_null() {
        into.push(entry("mailboxSettings", &user.upn, mailbox.settings.clone()));
    }
    let folders = mailbox.living_folders().map(|(_, folder)| folder_entry(user, &mailbox, folder));
    into.extend(folders);
    into.extend(mailbox.rules.iter().map(|rule| entry("messageRule", &user.upn, rule.clone())));
    into.extend(mailbox.categories.iter().map(|category| entry("masterCategory", &user.upn, category.clone())));
    into.extend(mailbox.messages().map(|message| message_entry(user, &mailbox, message)));
    super::unload_rooms::of_mailbox(&user.upn, &mailbox, into);
}

pub(super) fn entry(kind: &str, user: &str, resource: Value) -> Entry {
    Entry { kind: kind.to_owned(), user: Some(user.to_owned()), resource, parent: None, content: None }
}

fn noted(kind: &str, user: &str, resource: &Value, notes: &Value) -> Entry {
    let mut resource = resource.clone();
    if !notes.is_null() {
        resource["_sim"] = notes.clone();
    }
    entry(kind, user, resource)
}

fn folder_entry(user: &User, mailbox: &Mailbox, folder: &Folder) -> Entry {
    let mut resource = folder_resource(mailbox, folder);
    if let Some(parent) = mailbox.parent_id(folder) {
        resource.insert("parentFolderId".to_owned(), parent.into());
    }
    Entry { parent: folder.role.clone(), ..entry("mailFolder", &user.upn, resource.into()) }
}

/// A folder as the service shows it, without its parent.
pub(crate) fn folder_resource(mailbox: &Mailbox, folder: &Folder) -> Map<String, Value> {
    let mut resource = folder.rest.clone();
    let children = mailbox.visible_children(folder, true).len();
    let fields = [
        ("id", json!(&*folder.id)),
        ("displayName", json!(folder.name)),
        ("childFolderCount", json!(children)),
        ("unreadItemCount", json!(folder.unread)),
        ("totalItemCount", json!(folder.listing.len() + folder.excess)),
        ("isHidden", json!(folder.is_hidden())),
    ];
    resource.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    resource
}

fn message_entry(user: &User, mailbox: &Mailbox, message: &Message) -> Entry {
    let mut resource = Map::new();
    resource.insert("id".to_owned(), json!(&*message.id));
    resource.extend(message.resource());
    resource.insert("parentFolderId".to_owned(), json!(&*mailbox.folder(message.folder).id));
    let mut marks = message.marks();
    marks.born = message.born.as_deref().map(str::to_owned);
    let marks = serde_json::to_value(marks).unwrap_or_default();
    if marks.as_object().is_some_and(|marks| !marks.is_empty()) {
        resource.insert("_sim".to_owned(), marks);
    }
    Entry { content: message.content.clone(), ..entry("message", &user.upn, resource.into()) }
}
