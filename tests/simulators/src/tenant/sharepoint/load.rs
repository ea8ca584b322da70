//! Drives, sites and channels from the dump. A drive that no line describes, but whose items name it, is made up.

use std::collections::HashMap;

use parking_lot::RwLock;
use serde_json::{Map, Value, json};

use super::{Channel, Drive, DriveItem, DriveKind, Owner, ROOT, SharePoint, Site, State, Tree, Version, hashes, ids};
use crate::dump::Entry;

/// The kinds of lines that drives and sites are made of.
pub(crate) const KINDS: &[&str] = &["site", "drive", "driveItem", "permission", "driveItemVersion", "channel"];

impl SharePoint {
    /// Takes the lines; `user` finds people by address. What cannot be placed is given back.
    pub fn load(entries: Vec<Entry>, user: impl Fn(&str) -> Option<String>, groups: &[String]) -> (Self, Vec<Entry>) {
        let mut lines = Lines::sorted(entries);
        let mut loaded = Self { sites: lines.take("site").into_iter().map(site).collect(), ..Self::default() };
        for entry in lines.take("drive") {
            let drive = loaded.drive_line(entry, &user, groups);
            loaded.admit(drive);
        }
        let mut left = loaded.items(lines.take("driveItem"), &user);
        left.extend(loaded.parts(lines.take("driveItemVersion"), version));
        left.extend(loaded.parts(lines.take("permission"), permission));
        for entry in lines.take("channel") {
            let id = text(&entry.resource, "id");
            let group = entry.parent.clone().unwrap_or_default();
            loaded.channels.push(Channel { group, id, entry });
        }
        (loaded, left)
    }

    fn admit(&mut self, drive: Drive) -> usize {
        let at = self.drives.len();
        self.drive_at.entry(drive.id.to_string()).or_insert(at);
        self.drives.push(drive);
        at
    }

    fn drive_line(&self, entry: Entry, user: &impl Fn(&str) -> Option<String>, groups: &[String]) -> Drive {
        let mut resource = object(entry.resource);
        let id = taken(&mut resource, "id");
        let state = resource.shift_remove("_sim").and_then(|notes| serde_json::from_value(notes).ok());
        let kind = DriveKind::of(resource.get("driveType").and_then(Value::as_str).unwrap_or_default());
        let parent = entry.parent.as_deref();
        let site = parent.and_then(|id| self.site(id)).map(|site| site.id.clone());
        let named = resource.get("owner").and_then(|owner| owner["group"]["id"].as_str());
        let group =
            parent.into_iter().chain(named).find(|id| groups.iter().any(|group| group.eq_ignore_ascii_case(id)));
        let person = entry.user.as_deref().and_then(user);
        let owner = match (person, &site, group) {
            (Some(person), ..) => Owner::User(person),
            (None, Some(site), _) => Owner::Site(site.clone()),
            (None, None, Some(group)) => Owner::Group(group.to_owned()),
            (None, None, None) => Owner::Nobody,
        };
        Drive {
            id: id.into(),
            kind,
            owner,
            site,
            resource,
            state: RwLock::new(state.unwrap_or_default()),
            tree: RwLock::default(),
            user: entry.user,
            parent: entry.parent,
        }
    }

    /// Gives items to their drives, and each drive its tree.
    fn items(&mut self, entries: Vec<Entry>, user: &impl Fn(&str) -> Option<String>) -> Vec<Entry> {
        let mut by_drive: HashMap<usize, Vec<Entry>> = HashMap::new();
        let mut left = Vec::new();
        for entry in entries {
            let deleted = entry.resource.get("deleted").is_some_and(Value::is_object);
            match (deleted, self.drive_for(&entry, user)) {
                (false, Some(at)) => by_drive.entry(at).or_default().push(entry),
                _ => left.push(entry),
            }
        }
        for (at, drive) in self.drives.iter_mut().enumerate() {
            let tree = planted(drive, by_drive.remove(&at).unwrap_or_default());
            *drive.tree.get_mut() = tree;
        }
        left
    }

    /// The drive that an item lies in; one that it names and no line describes is made up for its user.
    fn drive_for(&mut self, entry: &Entry, user: &impl Fn(&str) -> Option<String>) -> Option<usize> {
        let named = entry.resource["parentReference"]["driveId"].as_str().filter(|id| !id.is_empty());
        if let Some(at) = named.and_then(|id| self.drive_at.get(id)) {
            return Some(*at);
        }
        let address = entry.user.as_deref()?;
        let owner = Owner::User(user(address)?);
        if named.is_none() {
            return self.drives.iter().position(|drive| drive.owner == owner);
        }
        let kind = entry.resource["parentReference"]["driveType"].as_str().unwrap_or("business");
        let resource = json!({"id": named, "driveType": kind, "name": "OneDrive"});
        let line =
            Entry { kind: "drive".to_owned(), user: Some(address.to_owned()), resource, parent: None, content: None };
        let drive = self.drive_line(line, user, &[]);
        Some(self.admit(drive))
    }

    /// Gives items what belongs to them.
    fn parts(&mut self, entries: Vec<Entry>, give: fn(&mut DriveItem, Entry)) -> Vec<Entry> {
        let mut left = Vec::new();
        for entry in entries {
            let id = entry.parent.clone().unwrap_or_default();
            let mut trees = self.drives.iter_mut().map(|drive| drive.tree.get_mut());
            let found = trees.find_map(|tree| {
                let slot = tree.named(&id)?;
                tree.item_mut(slot)
            });
            match found {
                Some(item) => give(item, entry),
                None => left.push(entry),
            }
        }
        left
    }
}

/// Lines by kind, in their order.
struct Lines(HashMap<String, Vec<Entry>>);

impl Lines {
    fn sorted(entries: Vec<Entry>) -> Self {
        let mut lines = Self(HashMap::new());
        for entry in entries {
            lines.0.entry(entry.kind.clone()).or_default().push(entry);
        }
        lines
    }

    fn take(&mut self, kind: &str) -> Vec<Entry> {
        self.0.remove(kind).unwrap_or_default()
    }
}

fn site(entry: Entry) -> Site {
    let mut resource = entry.resource;
    let notes = resource.as_object_mut().and_then(|map| map.shift_remove("_sim"));
    let state: State = notes.and_then(|notes| serde_json::from_value(notes).ok()).unwrap_or_default();
    let id = text(&resource, "id");
    Site { id, resource, parent: entry.parent, user: entry.user, state: RwLock::new(state) }
}

/// The tree of a drive. An item whose parent the dump lacks, or that lies in itself, lies in the root.
fn planted(drive: &Drive, entries: Vec<Entry>) -> Tree {
    let is_root = |entry: &Entry| entry.resource.get("root").is_some_and(Value::is_object);
    let (roots, others): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(is_root);
    let mut tree = Tree::default();
    let root = roots.into_iter().next().map_or_else(|| missing_root(drive), |entry| item(drive, entry));
    tree.load(root);
    let mut parents = Vec::new();
    for entry in others {
        parents.push(text(&entry.resource["parentReference"], "id"));
        tree.load(item(drive, entry));
    }
    for (slot, parent) in (1..).zip(parents) {
        let parent = tree.named(&parent).unwrap_or(ROOT);
        let looped = tree.lineage(parent).any(|(above, _)| above == slot);
        tree.hang(slot, if looped { ROOT } else { parent });
    }
    tree.settle();
    tree
}

fn missing_root(drive: &Drive) -> DriveItem {
    let created = drive.resource.get("createdDateTime").cloned().unwrap_or_else(|| "2019-09-02T07:30:00Z".into());
    let resource = json!({
        "name": "root", "root": {}, "folder": {}, "createdDateTime": created, "lastModifiedDateTime": created,
        "fileSystemInfo": {"createdDateTime": created, "lastModifiedDateTime": created},
        "webUrl": drive.resource.get("webUrl"),
    });
    DriveItem::new(&ids::item(&drive.id, drive.kind, 0), object(resource), None)
}

fn item(drive: &Drive, entry: Entry) -> DriveItem {
    let mut resource = object(entry.resource);
    let id = taken(&mut resource, "id");
    if let (Some(content), Some(file)) = (&entry.content, resource.get_mut("file").and_then(Value::as_object_mut)) {
        file.entry("hashes").or_insert_with(|| Value::Object(hashes(content, drive.kind)));
    }
    DriveItem::new(&id, resource, entry.content)
}

fn version(item: &mut DriveItem, entry: Entry) {
    let mut resource = object(entry.resource);
    let id = taken(&mut resource, "id");
    item.versions.push(Version { id, resource, content: entry.content });
}

fn permission(item: &mut DriveItem, entry: Entry) {
    item.permissions.push(entry.resource);
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn text(of: &Value, name: &str) -> String {
    of[name].as_str().unwrap_or_default().to_owned()
}

fn taken(resource: &mut Map<String, Value>, name: &str) -> String {
    resource.shift_remove(name).as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}
