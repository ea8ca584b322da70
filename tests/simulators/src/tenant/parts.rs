//! The attachments of a message: those that its resource lists, else those that its MIME holds and, after them, those
//! that a note lists because no MIME shows them (links to files).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::Message;
use crate::dump::Content;
use crate::seed::mime_view;

/// One attachment, whole.
#[derive(Clone, Default)]
pub(crate) struct Attachment {
    pub kind: AttachmentKind,
    pub name: Option<String>,
    pub content_type: Option<String>,
    pub content_id: Option<String>,
    pub content_location: Option<String>,
    pub inline: bool,
    /// The file, or the MIME of an embedded message.
    pub bytes: Bytes,
    /// What the dump's own resource says beyond the above.
    pub stated: Map<String, Value>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum AttachmentKind {
    #[default]
    File,
    Item,
    Reference,
}

/// All of a message, in order.
pub(crate) fn attachments(message: &Message) -> Vec<Attachment> {
    match message.resource().get("attachments") {
        Some(Value::Array(stated)) => stated.iter().filter_map(Value::as_object).map(stated_one).collect(),
        _ => {
            let mime = message.content.as_ref().map(Content::to_bytes).unwrap_or_default();
            let noted = message.marks.iter().flat_map(|marks| &marks.attachments);
            parts_of(&mime).into_iter().chain(noted.filter_map(Value::as_object).map(stated_one)).collect()
        }
    }
}

/// The attachments that a resource lists.
pub(crate) fn stated_ones(resource: &Map<String, Value>) -> Vec<Attachment> {
    let stated = resource.get("attachments").and_then(Value::as_array);
    stated.into_iter().flatten().filter_map(Value::as_object).map(stated_one).collect()
}

fn stated_one(stated: &Map<String, Value>) -> Attachment {
    let text = |name: &str| stated.get(name).and_then(Value::as_str).map(str::to_owned);
    let kind = match stated.get("@odata.type").and_then(Value::as_str) {
        Some("#microsoft.graph.itemAttachment") => AttachmentKind::Item,
        Some("#microsoft.graph.referenceAttachment") => AttachmentKind::Reference,
        _ => AttachmentKind::File,
    };
    Attachment {
        kind,
        name: text("name"),
        content_type: text("contentType"),
        content_id: text("contentId"),
        content_location: text("contentLocation"),
        inline: stated.get("isInline").and_then(Value::as_bool).unwrap_or_default(),
        bytes: text("contentBytes").and_then(|bytes| STANDARD.decode(bytes).ok()).unwrap_or_default().into(),
        stated: stated.clone(),
    }
}

/// The attachments that a MIME message holds.
pub(crate) fn parts_of(mime: &[u8]) -> Vec<Attachment> {
    mime_view::attachments(mime).into_iter().map(Attachment::from).collect()
}

impl From<mime_view::Attachment> for Attachment {
    fn from(seen: mime_view::Attachment) -> Self {
        let kind = match seen.kind {
            mime_view::AttachmentKind::File => AttachmentKind::File,
            mime_view::AttachmentKind::Item => AttachmentKind::Item,
        };
        Self {
            kind,
            name: Some(seen.name),
            content_type: Some(seen.content_type).filter(|kind| !kind.is_empty()),
            content_id: seen.content_id,
            content_location: seen.content_location,
            inline: seen.is_inline,
            bytes: seen.bytes,
            stated: Map::new(),
        }
    }
}
