//! One item of a drive, kept as its JSON. What changes with its place or is counted (id, name, parent, size) stands beside.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ids;
use crate::dump::Content;

/// A file, a folder, a notebook, a shortcut.
pub(crate) struct DriveItem {
    pub id: Arc<str>,
    pub name: String,
    /// None for the root alone.
    pub parent: Option<u32>,
    pub children: Vec<u32>,
    /// What a listing tells: of a file what it says of itself, of a folder all that lies below it.
    pub bytes: u64,
    pub facets: Facets,
    json: Box<[u8]>,
    pub content: Option<Content>,
    /// Former versions, newest first.
    pub versions: Vec<Version>,
    /// Its own; those above it apply to it as well.
    pub permissions: Vec<Value>,
    pub marks: Option<Box<FileMarks>>,
    /// The step at which it came into the drive.
    pub arrived: u64,
    /// The step of its last change.
    pub changed: u64,
    /// The step of its last change other than of its sharing.
    pub touched: u64,
    /// Somebody fetched its content.
    pub was_read: AtomicBool,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Facets {
    pub folder: bool,
    pub file: bool,
    /// A notebook; on business drives it is a folder as well.
    pub package: bool,
    /// Its lines say that it is shared.
    pub shared: bool,
}

impl Facets {
    /// Whether other items lie in it.
    pub fn holds(self) -> bool {
        self.folder || (self.package && !self.file)
    }
}

/// A former version of a file.
#[derive(Clone)]
pub(crate) struct Version {
    /// `2.0`
    pub id: String,
    pub resource: Map<String, Value>,
    pub content: Option<Content>,
}

/// Notes to the simulator, from the key `_sim` of a resource; never served.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FileMarks {
    /// Reading its content answers this code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
    /// The status of those answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// It is deleted when somebody first reads it by itself, after it was listed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub vanishes: bool,
    /// Permissions of what lies above do not apply to it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unique: bool,
    #[serde(rename = "sensitivityLabels", skip_serializing_if = "Vec::is_empty")]
    pub sensitivity_labels: Vec<Value>,
    /// What the extraction of labels answers, with 423.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_fails: Option<String>,
}

/// Members that are told by where an item lies and what lies in it, or that are made for each answer.
#[rustfmt::skip]
const APART: &[&str] = &[
    "id", "name", "parentReference", "size", "children", "permissions", "versions", "@odata.context", "@odata.etag",
    "@microsoft.graph.downloadUrl", "@content.downloadUrl", "@microsoft.graph.sharedChanged",
];

impl DriveItem {
    pub fn new(id: &str, mut resource: Map<String, Value>, content: Option<Content>) -> Self {
        let text = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = text("name");
        let marks = resource.shift_remove("_sim").and_then(|marks| serde_json::from_value::<FileMarks>(marks).ok());
        let said = resource.get("size").and_then(Value::as_u64);
        let bytes = said.or(content.as_ref().map(Content::len)).unwrap_or_default();
        APART.iter().for_each(|apart| drop(resource.shift_remove(*apart)));
        let mut item = Self {
            id: Arc::from(id),
            name,
            parent: None,
            children: Vec::new(),
            bytes,
            facets: Facets::default(),
            json: Box::default(),
            content,
            versions: Vec::new(),
            permissions: Vec::new(),
            marks: marks.map(Box::new),
            arrived: 0,
            changed: 0,
            touched: 0,
            was_read: AtomicBool::new(false),
        };
        item.keep(&resource);
        if item.facets.folder {
            item.bytes = 0; // its files are counted in when they come
        }
        item
    }

    /// Everything but what stands beside it, parsed anew.
    pub fn resource(&self) -> Map<String, Value> {
        serde_json::from_slice(&self.json).unwrap_or_default()
    }

    pub fn keep(&mut self, resource: &Map<String, Value>) {
        let has = |name: &str| resource.get(name).is_some_and(Value::is_object);
        let folder = has("folder") || has("root");
        self.facets = Facets { folder, file: has("file"), package: has("package"), shared: has("shared") };
        self.json = serde_json::to_vec(resource).unwrap_or_default().into_boxed_slice();
    }

    pub fn marks(&self) -> FileMarks {
        self.marks.as_deref().cloned().unwrap_or_default()
    }

    /// The id of the present version: one more than that of the newest former one.
    pub fn version_id(&self) -> String {
        let newest = self.versions.iter().filter_map(|version| version.id.split('.').next()?.parse::<u64>().ok()).max();
        format!("{}.0", newest.unwrap_or(0) + 1)
    }
}

/// Counts a change in the tags of an item: one for the item, another one for its content.
pub(crate) fn retag(resource: &mut Map<String, Value>, id: &str, content: bool) {
    let mut count = |name: &str, of_content: bool| {
        let number = resource.get(name).and_then(Value::as_str).and_then(ids::number_of).unwrap_or(1);
        resource.insert(name.to_owned(), ids::tag(id, of_content, number + 1).into());
    };
    count("eTag", false);
    if content {
        count("cTag", true);
    }
}
