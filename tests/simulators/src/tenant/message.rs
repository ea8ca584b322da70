//! One message as the mailbox keeps it: its JSON in bytes, since a hundred thousand parsed trees would fill the memory.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::dump::Content;

/// A message. Where it lies, its id and its change key stand beside the JSON, since they change with it.
pub(crate) struct Message {
    pub id: Arc<str>,
    /// The id it had first, from which the immutable one is made; absent while it still has that.
    pub born: Option<Arc<str>>,
    pub folder: u32,
    /// Sort key of listings, in seconds since 1970.
    pub received: i64,
    pub is_read: bool,
    json: Box<[u8]>,
    pub content: Option<Content>,
    pub marks: Option<Box<Marks>>,
    /// The step at which it came into its folder.
    pub arrived: u64,
    /// The step of its last change.
    pub changed: u64,
    edits: Vec<Edit>,
}

/// What changed at a step.
struct Edit {
    step: u64,
    fields: Box<[Box<str>]>,
}

/// Notes to the simulator, from the key `_sim` of a resource; never served.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Marks {
    /// Every read of this message answers this code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
    /// The status of those answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// A list page that holds this message and has to convert it fails as a whole.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub poisons: bool,
    /// A list page that holds this message fails as a whole even if it shows ids alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub poisons_ids: bool,
    /// Who selects its id alone can read it although it `fails`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub spares_id: bool,
    /// It is deleted when somebody first reads it, after it was listed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub vanishes: bool,
    /// The attachment of this number, from 0, cannot be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment_fails: Option<usize>,
    /// Attachments that its MIME does not show, as the list of attachments has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Value>,
    /// The id it had first, if a move gave it another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub born: Option<String>,
    /// The immutable id, of an exception that keeps that of its occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasting: Option<String>,
    /// The zone in which a series is expanded whose own zone is nobody else's: an IANA name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl Message {
    pub fn new(id: &str, folder: u32, mut resource: Map<String, Value>, content: Option<Content>) -> Self {
        let marks = resource.remove("_sim").and_then(|marks| serde_json::from_value::<Marks>(marks).ok());
        for apart in ["id", "parentFolderId", "@odata.etag", "@odata.context"] {
            resource.shift_remove(apart);
        }
        let born = marks.as_ref().and_then(|marks| marks.born.as_deref()).map(Arc::from);
        let mut message = Self {
            id: Arc::from(id),
            born,
            folder,
            received: 0,
            is_read: false,
            json: Box::default(),
            content,
            marks: marks.map(Box::new),
            arrived: 0,
            changed: 0,
            edits: Vec::new(),
        };
        message.keep(&resource);
        message
    }

    /// The id it had first.
    pub fn first_id(&self) -> &str {
        self.born.as_deref().unwrap_or(&self.id)
    }

    /// Everything but ids, parsed anew.
    pub fn resource(&self) -> Map<String, Value> {
        serde_json::from_slice(&self.json).unwrap_or_default()
    }

    /// Replaces the resource.
    pub fn keep(&mut self, resource: &Map<String, Value>) {
        let instant = |name: &str| resource.get(name)?.as_str()?.parse::<jiff::Timestamp>().ok();
        let received = instant("receivedDateTime").or_else(|| instant("createdDateTime"));
        self.received = received.map_or(0, jiff::Timestamp::as_second);
        self.is_read = resource.get("isRead").and_then(Value::as_bool).unwrap_or_default();
        self.json = serde_json::to_vec(resource).unwrap_or_default().into_boxed_slice();
    }

    pub fn note_edit(&mut self, step: u64, fields: &[&str]) {
        self.changed = step;
        let fields = fields.iter().map(|field| Box::from(*field)).collect();
        self.edits.push(Edit { step, fields });
    }

    /// The fields that changed after a step, once each.
    pub fn fields_since(&self, step: u64) -> Vec<&str> {
        let later = self.edits.iter().filter(|edit| edit.step > step);
        let mut fields: Vec<&str> = later.flat_map(|edit| edit.fields.iter().map(AsRef::as_ref)).collect();
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    pub fn size(&self) -> u64 {
        self.content.as_ref().map_or(self.json.len() as u64, Content::len)
    }

    pub fn marks(&self) -> Marks {
        self.marks.as_deref().cloned().unwrap_or_default()
    }
}
