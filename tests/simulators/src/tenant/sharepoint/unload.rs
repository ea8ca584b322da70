//! The lines of a dump for sites, drives and channels.

use serde_json::{Map, Value, json};

use super::{Drive, DriveItem, SharePoint, Site, State, Tree};
use crate::dump::Entry;

impl SharePoint {
    pub fn unload(&self, into: &mut Vec<Entry>) {
        into.extend(self.sites.iter().map(site));
        into.extend(self.drives.iter().map(drive));
        self.drives.iter().for_each(|drive| tree(drive, into));
        into.extend(self.channels.iter().map(|channel| channel.entry.clone()));
    }
}

fn entry(kind: &str, user: Option<&String>, resource: Value, parent: Option<String>) -> Entry {
    Entry { kind: kind.to_owned(), user: user.cloned(), resource, parent, content: None }
}

fn site(site: &Site) -> Entry {
    let resource = noted(site.resource.clone(), *site.state.read());
    entry("site", site.user.as_ref(), resource, site.parent.clone())
}

fn drive(drive: &Drive) -> Entry {
    let resource = noted(drive.shown().into(), *drive.state.read());
    entry("drive", drive.user.as_ref(), resource, drive.parent.clone())
}

fn noted(mut resource: Value, state: State) -> Value {
    if state != State::default() {
        resource["_sim"] = json!(state);
    }
    resource
}

/// What is above before what lies in it, and with each item what belongs to it.
fn tree(drive: &Drive, into: &mut Vec<Entry>) {
    let tree = drive.tree.read();
    let user = drive.user.as_ref();
    for slot in tree.family(super::ROOT) {
        let Some(item) = tree.item(slot) else { continue };
        let resource = whole(drive, &tree, slot, item);
        into.push(Entry { content: item.content.clone(), ..entry("driveItem", user, resource.into(), None) });
        let id = || Some(item.id.to_string());
        for version in &item.versions {
            let mut resource = Map::new();
            resource.insert("id".to_owned(), version.id.as_str().into());
            resource.extend(version.resource.clone());
            let line = entry("driveItemVersion", user, resource.into(), id());
            into.push(Entry { content: version.content.clone(), ..line });
        }
        into.extend(item.permissions.iter().map(|permission| entry("permission", user, permission.clone(), id())));
    }
}

fn whole(drive: &Drive, tree: &Tree, slot: u32, item: &DriveItem) -> Map<String, Value> {
    let mut resource = Map::new();
    resource.insert("id".to_owned(), json!(&*item.id));
    resource.insert("name".to_owned(), item.name.as_str().into());
    resource.insert("size".to_owned(), item.bytes.into());
    resource.insert("parentReference".to_owned(), drive.reference(tree, slot).into());
    resource.extend(item.resource());
    if let Some(folder) = resource.get_mut("folder").and_then(Value::as_object_mut) {
        folder.insert("childCount".to_owned(), item.children.len().into());
    }
    if let Some(marks) = item.marks.as_deref() {
        let marks = serde_json::to_value(marks).unwrap_or_default();
        if marks.as_object().is_some_and(|marks| !marks.is_empty()) {
            resource.insert("_sim".to_owned(), marks);
        }
    }
    resource
}
