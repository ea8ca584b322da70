//! The `message` resource: read, its properties counted, its body taken.

use crate::loss::Losses;
use crate::{Parts, Unrendered};
use serde_json::{Map, Value};
use std::io::Read;

/// Text and headers of one message; attachments are parts of their own. Exchange caps a message at 150 MB, and a text
/// body of more than a few MB has not been seen.
const BOUND: u64 = 64 * 1024 * 1024;

/// Properties a header field or the body is made of. The rest of the resource ("Microsoft Graph docs: message resource
/// type") is told in facts (`isRead`, `categories`, `flag`...), is derived (`bodyPreview`, `webLink`), or speaks of
/// the source alone (`changeKey`, `parentFolderId`).
const KNOWN: [&str; 36] = [
    "id",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "categories",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "internetMessageId",
    "internetMessageHeaders",
    "subject",
    "bodyPreview",
    "importance",
    "parentFolderId",
    "conversationId",
    "conversationIndex",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "isRead",
    "isDraft",
    "webLink",
    "inferenceClassification",
    "body",
    "uniqueBody",
    "sender",
    "from",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "flag",
    "attachments",
    "extensions",
    "mentions",
    "singleValueExtendedProperties",
    "multiValueExtendedProperties",
];

/// Properties of `eventMessage` and its kinds; one loss speaks for all of them.
const MEETING: [&str; 18] = [
    "meetingMessageType",
    "type",
    "startDateTime",
    "endDateTime",
    "location",
    "recurrence",
    "isOutOfDate",
    "isAllDay",
    "isDelegated",
    "meetingRequestType",
    "previousLocation",
    "previousStartDateTime",
    "previousEndDateTime",
    "responseRequested",
    "allowNewTimeProposals",
    "responseType",
    "proposedNewTime",
    "event",
];

/// One message as the source told it.
pub(super) struct Message {
    properties: Map<String, Value>,
    /// Of the JSON bytes: boundaries are made from it.
    pub digest: blake3::Hash,
}

impl Message {
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.properties.get(name).filter(|value| !value.is_null())
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.property(name).and_then(Value::as_str)
    }

    pub fn is_true(&self, name: &str) -> bool {
        self.property(name).and_then(Value::as_bool).unwrap_or(false)
    }

    pub fn list(&self, name: &str) -> &[Value] {
        self.property(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// The text of a message and what it is.
pub(super) struct Body {
    pub media_type: &'static str,
    pub text: String,
}

pub(super) fn read(original: &dyn Parts, losses: &mut Losses) -> Result<Message, Unrendered> {
    let bytes = bounded(original, "message")?;
    let Value::Object(properties) = json(&bytes, "message", losses)? else {
        return Err(Unrendered::unmappable("The part `message` is no JSON object; pull the item again."));
    };
    let message = Message { properties, digest: blake3::hash(&bytes) };
    census(&message, losses);
    Ok(message)
}

/// Reads a small part into memory.
pub(super) fn bounded(original: &dyn Parts, name: &str) -> Result<Vec<u8>, Unrendered> {
    let mut bytes = Vec::new();
    original.open(name)?.take(BOUND + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BOUND {
        return Err(Unrendered::unmappable(format!(
            "The part `{name}` is larger than 64 MiB; report this message to us."
        )));
    }
    Ok(bytes)
}

/// Microsoft Graph has sent raw control characters inside strings; a space takes their place, as it may anywhere.
pub(super) fn json(bytes: &[u8], name: &str, losses: &mut Losses) -> Result<Value, Unrendered> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let spaced: Vec<u8> = bytes.iter().map(|&byte| if byte < 0x20 { b' ' } else { byte }).collect();
    let value = serde_json::from_slice(&spaced).map_err(|error| {
        Unrendered::unmappable(format!("The part `{name}` is no valid JSON ({error}); pull the item again."))
    })?;
    losses.add("json_repaired", format!("raw control characters in the part `{name}` became spaces"));
    Ok(value)
}

fn census(message: &Message, losses: &mut Losses) {
    match message.text("@odata.type") {
        None | Some("#microsoft.graph.message") => {}
        Some(
            "#microsoft.graph.eventMessage"
            | "#microsoft.graph.eventMessageRequest"
            | "#microsoft.graph.eventMessageResponse",
        ) => losses
            .add("meeting_not_carried", "the meeting this message speaks of is not part of the rendering; its text is"),
        Some(unknown) => losses.add("message_kind_unknown", format!("`{unknown}` is rendered as a plain message")),
    }
    let is_known = |name: &str| KNOWN.contains(&name) || MEETING.contains(&name) || name.contains('@');
    for (name, _) in message.properties.iter().filter(|(name, value)| !value.is_null() && !is_known(name)) {
        losses.add("property_unknown", format!("the property `{name}` has no place in a mail message"));
    }
}

/// The body, with CRLF line ends and without NUL.
pub(super) fn body(message: &Message, losses: &mut Losses) -> Body {
    let body = message.property("body");
    let said = |name: &str| body.and_then(|body| body.get(name)).and_then(Value::as_str);
    let media_type = match said("contentType") {
        Some("html") => "text/html",
        Some("text") => "text/plain",
        None => {
            losses.add("body_missing", "the source told no body");
            "text/plain"
        }
        Some(unknown) => {
            losses.add("body_type_unknown", format!("the body type `{unknown}` is not known; it stands as plain text"));
            "text/plain"
        }
    };
    let text = said("content").unwrap_or_default();
    let nuls = text.matches('\0').count() as u64;
    losses.count("nul_removed", nuls, ["NUL byte removed", "NUL bytes removed"]);
    Body { media_type, text: text.replace('\0', "").replace("\r\n", "\n").replace('\n', "\r\n") }
}
