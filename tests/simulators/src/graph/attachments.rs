//! Attachments of messages (Microsoft Graph docs: list attachments, get attachment). They are not paged, unless a
//! switch says so.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::access::READ_MAIL;
use super::expand::Expand;
use super::list::{Window, outlook_page};
use super::{Answer, Scene, messages};
use crate::tenant::{Attachment, AttachmentKind, Mailbox, Message, attachments, item_of};
use crate::wire::{Payload, Refusal, Reply};

/// The service nests no deeper.
const DEEPEST: usize = 30;

pub(super) fn answer(scene: &Scene<'_>, user: &str, folder: Option<&str>, message: &str, rest: &[&str]) -> Answer {
    let mailbox = scene.mailbox(user, READ_MAIL)?;
    let slot = messages::opened(scene, mailbox, folder, message)?;
    let mailbox = mailbox.read();
    let message = mailbox.message(slot).ok_or_else(Refusal::item_not_found)?;
    let all = Attachments::of(scene, &mailbox, message);
    all.serve(scene, &format!("users('{user}')/messages/attachments"), rest)
}

/// The attachments of one item with their ids.
pub(super) struct Attachments {
    found: Vec<(String, Attachment)>,
    modified: Value,
    /// The one that cannot be opened.
    broken: Option<usize>,
}

impl Attachments {
    /// Those that a resource lists.
    pub fn stated(found: Vec<(String, Attachment)>, modified: Value) -> Self {
        Self { found, modified, broken: None }
    }

    pub fn serve(&self, scene: &Scene<'_>, context: &str, rest: &[&str]) -> Answer {
        match rest {
            [] => self.list(scene, context),
            ["$count"] => Ok(Reply::text(self.found.len().to_string())),
            [id] => self.one(scene, id),
            [id, "$value"] => self.value(id),
            [_, other, ..] => Err(Refusal::no_such_segment(other)),
        }
    }

    /// As `$expand` shows them.
    pub fn inlined(&self) -> Vec<Value> {
        self.found.iter().map(|(id, one)| shown(id, one, &self.modified, true).into()).collect()
    }

    fn of(scene: &Scene<'_>, mailbox: &Mailbox, message: &Message) -> Self {
        Self::with_ids(mailbox, message, scene.call.prefer().immutable_ids)
    }

    fn with_ids(mailbox: &Mailbox, message: &Message, immutable: bool) -> Self {
        let of = if immutable { mailbox.immutable_id(message.first_id()) } else { message.id.to_string() };
        let found = attachments(message).into_iter().enumerate().map(|(at, one)| {
            let stated = one.stated.get("id").and_then(Value::as_str).map(str::to_owned);
            (stated.unwrap_or_else(|| mailbox.ids.attachment(&of, at)), one)
        });
        let modified = message.resource().get("lastModifiedDateTime").cloned().unwrap_or_default();
        Self { found: found.collect(), modified, broken: message.marks().attachment_fails }
    }

    fn list(&self, scene: &Scene<'_>, context: &str) -> Answer {
        let select = scene.call.query.select();
        let wants_bytes = select.as_ref().is_none_or(|names| names.iter().any(|name| name == "contentBytes"));
        let most = scene.world.knobs().switches.attachments_at_once;
        if wants_bytes && self.found.len() > most {
            return Err(Refusal::new(500, "ErrorTooManyObjectsOpened", "Too many objects are opened."));
        }
        if wants_bytes && self.broken.is_some() {
            return Err(broken());
        }
        let expand = Expand::parse(scene.call.query.get("$expand"), "attachment")?;
        let window = window(scene)?;
        let shown = self.found.iter().skip(window.skip).take(window.size);
        let rows: Vec<Value> = shown.map(|(id, one)| self.row(id, one, &expand, select.as_deref())).collect();
        let more = self.found.len() > window.skip.saturating_add(window.size);
        Ok(Reply::json(outlook_page(scene.call, window, context, rows, more)))
    }

    fn place(&self, id: &str) -> Result<usize, Refusal> {
        let at = self.found.iter().position(|(known, _)| known == id).ok_or_else(Refusal::item_not_found)?;
        if self.broken == Some(at) { Err(broken()) } else { Ok(at) }
    }

    fn one(&self, scene: &Scene<'_>, id: &str) -> Answer {
        let (id, one) = &self.found[self.place(id)?];
        let expand = Expand::parse(scene.call.query.get("$expand"), "attachment")?;
        Ok(Reply::json(self.row(id, one, &expand, scene.call.query.select().as_deref())))
    }

    fn value(&self, id: &str) -> Answer {
        let (_, one) = &self.found[self.place(id)?];
        if one.kind == AttachmentKind::Reference {
            return Err(Refusal::odata_unsupported());
        }
        let kind = match one.kind {
            AttachmentKind::Item => "text/plain",
            _ => one.content_type.as_deref().unwrap_or("application/octet-stream"),
        };
        let reply = Reply::of(StatusCode::OK, Payload::Bytes(one.bytes.clone()));
        Ok(reply.with("content-type", kind))
    }

    fn row(&self, id: &str, one: &Attachment, expand: &Expand, select: Option<&[String]>) -> Value {
        let mut row = shown(id, one, &self.modified, true);
        if let (AttachmentKind::Item, Some(nested)) = (one.kind, expand.item) {
            row.insert("item".to_owned(), embedded(&one.bytes, nested, 1));
        }
        if let Some(names) = select {
            // Members of a derived type are selected with their cast: `microsoft.graph.fileAttachment/contentId`.
            let selected = |name: &String| names.iter().any(|one| one.rsplit('/').next() == Some(name.as_str()));
            let kept = |name: &String| name.starts_with('@') || name == "id" || name == "item" || selected(name);
            row.retain(|name, _| kept(name));
        }
        row.into()
    }
}

/// The whole list, unless a switch makes pages of it.
fn window(scene: &Scene<'_>) -> Result<Window, Refusal> {
    let size = match scene.world.knobs().switches.attachments_page {
        0 => usize::MAX,
        size => size,
    };
    Ok(Window { skip: scene.call.query.number("$skip")?.unwrap_or(0), size })
}

fn broken() -> Refusal {
    Refusal::new(500, "ErrorCannotOpenFileAttachment", "OLE conversion failed for an attachment.")
}

/// Every attachment of a message, as `$expand=attachments` shows them.
pub(super) fn inline(mailbox: &Mailbox, message: &Message, immutable: bool) -> Vec<Value> {
    Attachments::with_ids(mailbox, message, immutable).inlined()
}

/// The size that the store counts is a little more than that of the bytes.
const STORE_OVERHEAD: usize = 214;

fn shown(id: &str, one: &Attachment, modified: &Value, with_bytes: bool) -> Map<String, Value> {
    let kind = match one.kind {
        AttachmentKind::File => "#microsoft.graph.fileAttachment",
        AttachmentKind::Item => "#microsoft.graph.itemAttachment",
        AttachmentKind::Reference => "#microsoft.graph.referenceAttachment",
    };
    let members = json!({
        "@odata.type": kind,
        "@odata.mediaContentType": one.content_type,
        "id": id,
        "lastModifiedDateTime": modified,
        "name": one.name,
        "contentType": if one.kind == AttachmentKind::Item { Value::Null } else { json!(one.content_type) },
        "size": one.stated.get("size").cloned().unwrap_or_else(|| (one.bytes.len() + STORE_OVERHEAD).into()),
        "isInline": one.inline,
    });
    let mut row = members.as_object().cloned().unwrap_or_default();
    if one.kind == AttachmentKind::File {
        row.insert("contentId".to_owned(), json!(one.content_id));
        row.insert("contentLocation".to_owned(), json!(one.content_location));
        if with_bytes {
            row.insert("contentBytes".to_owned(), STANDARD.encode(&one.bytes).into());
        }
    } else {
        row.shift_remove("@odata.mediaContentType");
    }
    row
}

/// The item inside an attachment, with its own attachments if they were expanded too.
fn embedded(mime: &[u8], nested: bool, depth: usize) -> Value {
    let now = jiff::Timestamp::UNIX_EPOCH; // embedded items have no arrival of their own
    let mut item = item_of(mime, now);
    if nested && depth < DEEPEST {
        let inner = crate::tenant::parts_of(mime);
        let rows = inner.iter().map(|one| {
            let mut row = shown("", one, &Value::Null, true);
            if one.kind == AttachmentKind::Item {
                row.insert("item".to_owned(), embedded(&one.bytes, nested, depth + 1));
            }
            Value::Object(row)
        });
        item.insert("attachments".to_owned(), rows.collect());
    }
    item.into()
}
