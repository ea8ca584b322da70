//! One thing in a collection (an event in a calendar, a contact in a folder, a task in a list), kept as its JSON.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Ids, Marks};
use crate::dump::Content;

/// A thing. Its ids and where it lies stand beside the JSON, since they change when it moves.
#[derive(Clone)]
pub(crate) struct Item {
    pub id: Arc<str>,
    /// The id it had first; absent while it still has that.
    pub born: Option<Arc<str>>,
    /// The immutable id, where it does not follow from the first one: an exception keeps that of its occurrence.
    pub lasting: Option<Arc<str>>,
    pub collection: u32,
    /// The slot of the series that an exception belongs to.
    pub master: Option<u32>,
    pub kind: Kind,
    json: Box<[u8]>,
    /// The photo of a contact.
    pub content: Option<Content>,
    pub marks: Option<Box<Marks>>,
    /// The step at which it came into its collection.
    pub arrived: u64,
    /// The step of its last change.
    pub changed: u64,
    edits: Vec<Edit>,
    /// What it was before a change of its time: up to that step, and its JSON.
    past: Vec<(u64, Box<[u8]>)>,
}

/// What an event is; everything else is plain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Master,
    Exception,
}

#[derive(Clone)]
struct Edit {
    step: u64,
    fields: Box<[Box<str>]>,
}

/// Changes of these move what a calendar shows in a window.
const PLACING: &[&str] = &["start", "end", "isAllDay", "recurrence", "cancelledOccurrences"];

impl Item {
    pub fn new(id: &str, collection: u32, mut resource: Map<String, Value>, content: Option<Content>) -> Self {
        let marks = resource.remove("_sim").and_then(|marks| serde_json::from_value::<Marks>(marks).ok());
        for apart in ["id", "parentFolderId", "@odata.etag", "@odata.context"] {
            resource.shift_remove(apart);
        }
        let text = |of: fn(&Marks) -> Option<&str>| marks.as_ref().and_then(of).map(Arc::from);
        let mut item = Self {
            id: Arc::from(id),
            born: text(|marks| marks.born.as_deref()),
            lasting: text(|marks| marks.lasting.as_deref()),
            collection,
            master: None,
            kind: Kind::Plain,
            json: Box::default(),
            content,
            marks: marks.map(Box::new),
            arrived: 0,
            changed: 0,
            edits: Vec::new(),
            past: Vec::new(),
        };
        item.keep(&resource);
        item
    }

    pub fn first_id(&self) -> &str {
        self.born.as_deref().unwrap_or(&self.id)
    }

    pub fn immutable_id(&self, ids: &Ids) -> String {
        self.lasting.as_ref().map_or_else(|| ids.immutable(self.first_id()), |lasting| lasting.to_string())
    }

    /// The id in the form that was asked for.
    pub fn shown_id(&self, ids: &Ids, immutable: bool) -> String {
        if immutable { self.immutable_id(ids) } else { self.id.to_string() }
    }

    /// Everything but ids, parsed anew.
    pub fn resource(&self) -> Map<String, Value> {
        serde_json::from_slice(&self.json).unwrap_or_default()
    }

    /// The resource as it was after a step.
    pub fn as_of(&self, step: u64) -> Map<String, Value> {
        let earlier = self.past.iter().find(|(until, _)| *until > step);
        earlier.map_or_else(|| self.resource(), |(_, json)| serde_json::from_slice(json).unwrap_or_default())
    }

    pub fn keep(&mut self, resource: &Map<String, Value>) {
        let series = resource.get("seriesMasterId").and_then(Value::as_str).is_some_and(|id| !id.is_empty());
        let repeats = resource.get("recurrence").is_some_and(Value::is_object) && resource.contains_key("start");
        self.kind = match (series, repeats) {
            (true, _) => Kind::Exception,
            (false, true) => Kind::Master,
            (false, false) => Kind::Plain,
        };
        self.json = serde_json::to_vec(resource).unwrap_or_default().into_boxed_slice();
    }

    /// Notes a change at a step; what was there before is remembered if its time changes. Call it before [`Self::keep`].
    pub fn note_edit(&mut self, step: u64, fields: &[&str]) {
        if fields.iter().any(|field| PLACING.contains(field)) {
            self.past.push((step, self.json.clone()));
        }
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

    pub fn marks(&self) -> Marks {
        self.marks.as_deref().cloned().unwrap_or_default()
    }
}
