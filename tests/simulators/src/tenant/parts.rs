//! The attachments of a message: those that its resource lists, else those that its MIME holds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{MessageParser, MessagePart, MimeHeaders, PartType};
use serde_json::{Map, Value};

use super::Message;
use crate::dump::Content;

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
    pub bytes: Vec<u8>,
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
        _ => message.content.as_ref().map(Content::to_bytes).map(|mime| parts_of(&mime)).unwrap_or_default(),
    }
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
        bytes: text("contentBytes").and_then(|bytes| STANDARD.decode(bytes).ok()).unwrap_or_default(),
        stated: stated.clone(),
    }
}

/// The attachments that a MIME message holds. Signed and encrypted mail shows one `smime.p7m` and nothing inside
/// (microsoft-graph-docs#4585).
pub(crate) fn parts_of(mime: &[u8]) -> Vec<Attachment> {
    let Some(parsed) = MessageParser::default().parse(mime) else { return Vec::new() };
    let root = parsed.root_part();
    if let Some(wrapped) = secured(root, mime) {
        return vec![wrapped];
    }
    let html = parsed.body_html(0).unwrap_or_default();
    parsed.attachments().filter_map(|part| attachment(part, &html)).collect()
}

fn secured(root: &MessagePart<'_>, mime: &[u8]) -> Option<Attachment> {
    let kind = content_type(root)?;
    let whole = kind == "multipart/signed" || kind.ends_with("pkcs7-mime");
    let bytes = match root.is_multipart() {
        true => mime.to_vec(),
        false => root.contents().to_vec(),
    };
    let name = Some("smime.p7m".to_owned());
    whole.then(|| Attachment { name, content_type: Some(kind), bytes, ..Attachment::default() })
}

fn content_type(part: &MessagePart<'_>) -> Option<String> {
    let kind = part.content_type()?;
    let subtype = kind.subtype().unwrap_or("octet-stream");
    Some(format!("{}/{subtype}", kind.ctype()).to_lowercase())
}

fn attachment(part: &MessagePart<'_>, html: &str) -> Option<Attachment> {
    let content_id = part.content_id().map(str::to_owned);
    let referenced = content_id.as_ref().is_some_and(|id| html.contains(&format!("cid:{id}")));
    let disposed_inline = part.content_disposition().is_some_and(mail_parser::ContentType::is_inline);
    let mut found = Attachment {
        name: part.attachment_name().map(str::to_owned),
        content_type: content_type(part),
        inline: referenced || (disposed_inline && content_id.is_some()),
        content_location: part.content_location().map(str::to_owned),
        content_id,
        ..Attachment::default()
    };
    match &part.body {
        PartType::Multipart(_) => return None,
        PartType::Message(inner) => {
            found.kind = AttachmentKind::Item;
            found.name = found.name.or_else(|| inner.subject().map(str::to_owned));
            found.bytes = inner.raw_message().to_vec();
        }
        _ => found.bytes = part.contents().to_vec(),
    }
    Some(found)
}
