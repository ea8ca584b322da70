//! How an item becomes a row: what is counted and told by its place, `$select`, the address of its content.

use serde_json::{Map, Value, json};

use super::super::Scene;
use super::lies;
use crate::downloads;
use crate::options::FileSwitches;
use crate::tenant::sharepoint::{Drive, DriveItem, DriveKind, Gone, ROOT, Tree};
use crate::wire::Query;

pub(super) const URL: &str = "@microsoft.graph.downloadUrl";

/// Members that come only when they are selected.
const ON_REQUEST: &[&str] = &["sharepointIds", "publication", "webDavUrl"];
/// Members with routes of their own, which `$select` does not bring.
const APART: &[&str] = &["listItem", "retentionLabel", "thumbnails", "analytics", "workbook", "subscriptions"];

/// What a request wants to see of each item.
#[derive(Clone, Default, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Choice {
    pub names: Option<Vec<String>>,
    pub url: bool,
}

impl Choice {
    /// With its dollar sign, `$select` loses the sign before `@microsoft.graph.downloadUrl`, and the address does not come;
    /// `content.downloadUrl` brings it either way (microsoft-graph-docs#20212).
    pub fn of(query: &Query) -> Self {
        let Some((given, dollar)) = query.either("select") else { return Self { names: None, url: true } };
        let names: Vec<String> = given.split(',').map(|name| name.trim().to_owned()).collect();
        let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
        if names.is_empty() {
            return Self { names: None, url: true };
        }
        let named = |wanted: &str| names.iter().any(|name| name == wanted);
        let url = named("content.downloadUrl") || (!dollar && named(URL));
        Self { names: Some(names), url }
    }

    pub fn wants(&self, name: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.iter().any(|one| one == name))
    }
}

/// How items of a drive are shown.
pub(super) struct View<'a> {
    pub scene: &'a Scene<'a>,
    pub drive: &'a Drive,
    pub tree: &'a Tree,
    pub choice: Choice,
    pub switches: FileSwitches,
    extra: bool,
}

impl<'a> View<'a> {
    pub fn new(scene: &'a Scene<'a>, drive: &'a Drive, tree: &'a Tree, choice: Choice) -> Self {
        let switches = scene.world.knobs().switches.clone();
        Self { scene, drive, tree, choice, extra: switches.extra_fields, switches: switches.files }
    }

    pub fn of(scene: &'a Scene<'a>, drive: &'a Drive, tree: &'a Tree) -> Self {
        Self::new(scene, drive, tree, Choice::of(&scene.call.query))
    }

    pub fn row(&self, slot: u32, item: &DriveItem) -> Map<String, Value> {
        let whole = self.whole(slot, item);
        let mut row = Map::new();
        if self.choice.url && item.facets.file && item.content.is_some() && !whole.contains_key("malware") {
            let lifetime = self.switches.url_lifetime_s;
            row.insert(URL.to_owned(), downloads::of_file(self.scene, self.drive, item, None, lifetime).into());
        }
        let shown = |name: &str| match &self.choice.names {
            Some(_) => name == "id" || (self.choice.wants(name) && !APART.contains(&name)),
            None => !ON_REQUEST.contains(&name) && !APART.contains(&name),
        };
        row.extend(whole.into_iter().filter(|(name, _)| !name.starts_with('_') && shown(name)));
        if self.extra && self.choice.names.is_none() {
            row.insert("undocumentedSince2019".to_owned(), json!({"kind": "unknown", "weight": 0.5}));
        }
        row
    }

    /// Everything that is known of an item.
    fn whole(&self, slot: u32, item: &DriveItem) -> Map<String, Value> {
        let mut whole = Map::new();
        let name = if slot == ROOT { "root" } else { &item.name };
        whole.insert("id".to_owned(), json!(&*item.id));
        whole.insert("name".to_owned(), name.into());
        whole.insert("size".to_owned(), lies::size(&self.switches, item).into());
        whole.insert("parentReference".to_owned(), self.drive.reference(self.tree, slot).into());
        whole.extend(item.resource());
        if let Some(folder) = whole.get_mut("folder").and_then(Value::as_object_mut) {
            folder.insert("childCount".to_owned(), item.children.len().into());
        }
        if let Some(file) = whole.get_mut("file") {
            *file = lies::facet(&self.switches, self.drive.kind, item, file.take());
        }
        // business drives have no tag for the content of a folder
        if item.facets.folder && self.drive.kind != DriveKind::Personal {
            whole.shift_remove("cTag");
        }
        whole
    }

    /// A row of change tracking, which leaves out what it leaves out (Microsoft Graph docs: driveItem delta).
    pub fn tracked(&self, slot: u32, item: &DriveItem, hierarchical: bool) -> Map<String, Value> {
        let mut row = self.row(slot, item);
        if let Some(reference) = row.get_mut("parentReference").and_then(Value::as_object_mut) {
            reference.shift_remove("path");
        }
        if self.drive.kind != DriveKind::Personal {
            row.shift_remove("cTag");
            row.shift_remove("lastModifiedBy");
        }
        if self.choice.wants("shared") {
            self.tell_sharing(slot, item, hierarchical, &mut row);
        }
        row
    }

    /// Unless told to heed the hierarchy, rows tell of sharing that they inherit; else the root of it says that it is not
    /// shared, and the others say nothing.
    fn tell_sharing(&self, slot: u32, item: &DriveItem, hierarchical: bool, row: &mut Map<String, Value>) {
        if item.facets.shared {
            return;
        }
        if hierarchical {
            if slot == ROOT {
                row.insert("shared".to_owned(), json!({}));
            }
            return;
        }
        let inherited = self.tree.lineage(slot).skip(1).find(|(_, above)| above.facets.shared);
        let shared = inherited.and_then(|(_, above)| above.resource().shift_remove("shared"));
        row.extend(shared.map(|shared| ("shared".to_owned(), shared)));
    }

    /// The row of an item that is gone: business drives have forgotten what it was called, personal ones what it weighed.
    pub fn tombstone(&self, gone: &Gone) -> Map<String, Value> {
        let mut row = Map::new();
        row.insert("id".to_owned(), json!(&*gone.id));
        match self.drive.kind {
            DriveKind::Personal => row.insert("name".to_owned(), gone.name.as_str().into()),
            DriveKind::Business | DriveKind::Library => row.insert("size".to_owned(), 0.into()),
        };
        let mut reference = json!({"driveType": self.drive.kind.name(), "driveId": &*self.drive.id});
        if let Some(parent) = &gone.parent {
            reference["id"] = json!(&**parent);
        }
        row.insert("parentReference".to_owned(), reference);
        row.insert(if gone.folder { "folder" } else { "file" }.to_owned(), json!({}));
        row.insert("deleted".to_owned(), json!({"state": "deleted"}));
        row
    }
}
