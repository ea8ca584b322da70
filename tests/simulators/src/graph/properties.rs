//! Extended properties: MAPI's own, asked for by type and tag (Microsoft Graph docs: extended properties overview).

use serde_json::{Map, Value, json};

use crate::tenant::{AttachmentKind, Folder, Message, attachments};
use crate::wire::Refusal;

/// `Integer 0x0E08` or `String {guid} Name x`.
#[derive(Clone)]
pub(crate) struct PropertyId {
    text: String,
    /// Absent for properties with a name rather than a tag.
    tag: Option<u32>,
}

#[rustfmt::skip]
const TYPES: &[&str] = &[
    "ApplicationTime", "Binary", "Boolean", "CLSID", "Currency", "Double", "Error", "Float", "Integer", "Long", "Null",
    "Object", "Short", "String", "SystemTime",
];

impl PropertyId {
    /// # Errors
    /// 400 for what is no property id.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let refusal = || {
            Refusal::new(400, "ErrorInvalidExtendedProperty", "The extended property attribute combination is invalid.")
        };
        let (kind, rest) = text.split_once(' ').ok_or_else(refusal)?;
        if !TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
            return Err(refusal());
        }
        let tag = tag(rest);
        let named = rest.starts_with('{') && rest.contains('}');
        if tag.is_none() && !named { Err(refusal()) } else { Ok(Self { text: text.to_owned(), tag }) }
    }

    /// As the service writes it back: the tag without leading zeros and in lower case.
    fn shown(&self, normalised: bool) -> String {
        match (self.tag, self.text.split_once(' ')) {
            (Some(tag), Some((kind, _))) if normalised => format!("{kind} {tag:#x}"),
            _ => self.text.clone(),
        }
    }

    fn same(&self, other: &str) -> bool {
        match (self.tag, other.split_once(' ').and_then(|(_, rest)| tag(rest))) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => self.text.eq_ignore_ascii_case(other),
        }
    }
}

fn tag(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    u32::from_str_radix(digits, 16).ok()
}

/// The member `singleValueExtendedProperties`; absent if the item has none of those asked for.
pub(crate) fn expanded(
    asked: &[PropertyId],
    normalised: bool,
    value: impl Fn(&PropertyId) -> Option<String>,
) -> Option<Value> {
    let found = asked.iter().filter_map(|id| {
        let value = value(id)?;
        Some(json!({"id": id.shown(normalised), "value": value}))
    });
    let found: Vec<Value> = found.collect();
    (!found.is_empty()).then_some(Value::Array(found))
}

/// A property of a message: what its resource states, else what can be told from it.
pub(crate) fn of_message(id: &PropertyId, message: &Message, resource: &Map<String, Value>) -> Option<String> {
    stated(id, resource).or_else(|| told(id, message, resource))
}

/// A property of an event or a contact: what its resource states, else its class and about its size.
pub(crate) fn of_item(id: &PropertyId, resource: &Map<String, Value>, class: &str) -> Option<String> {
    stated(id, resource).or_else(|| match id.tag? {
        0x001a => Some(class.to_owned()),
        0x0e08 => Some(serde_json::to_vec(resource).unwrap_or_default().len().to_string()),
        _ => None,
    })
}

fn stated(id: &PropertyId, resource: &Map<String, Value>) -> Option<String> {
    let all = resource.get("singleValueExtendedProperties")?.as_array()?;
    let found = all.iter().find(|one| one["id"].as_str().is_some_and(|other| id.same(other)))?;
    found["value"].as_str().map(str::to_owned)
}

fn told(id: &PropertyId, message: &Message, resource: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| resource.get(name).and_then(Value::as_str).map(str::to_owned);
    match id.tag? {
        0x001a => Some(class(message, resource)),
        0x0e07 => Some(flags(resource).to_string()),
        0x0e08 => Some(message.size().to_string()),
        0x0e06 => text("receivedDateTime"),
        0x0039 => text("sentDateTime"),
        0x007d => headers(message),
        _ => None,
    }
}

/// PidTagMessageClass.
fn class(message: &Message, resource: &Map<String, Value>) -> String {
    let meeting = resource.get("meetingMessageType").and_then(Value::as_str);
    let class = match meeting {
        Some("meetingRequest") => "IPM.Schedule.Meeting.Request",
        Some("meetingCancelled") => "IPM.Schedule.Meeting.Canceled",
        Some("meetingAccepted") => "IPM.Schedule.Meeting.Resp.Pos",
        Some("meetingTenativelyAccepted") => "IPM.Schedule.Meeting.Resp.Tent",
        Some("meetingDeclined") => "IPM.Schedule.Meeting.Resp.Neg",
        _ => secured_class(message),
    };
    class.to_owned()
}

fn secured_class(message: &Message) -> &'static str {
    let head = headers(message).unwrap_or_default().to_ascii_lowercase();
    let secured = head.contains("pkcs7-mime") || head.contains("multipart/signed");
    let attached = if secured { attachments(message) } else { Vec::new() };
    let kind =
        attached.first().filter(|one| one.kind == AttachmentKind::File).and_then(|one| one.content_type.as_deref());
    match kind {
        Some("multipart/signed") => "IPM.Note.SMIME.MultipartSigned",
        Some(kind) if kind.ends_with("pkcs7-mime") => "IPM.Note.SMIME",
        _ => "IPM.Note",
    }
}

/// PidTagMessageFlags: read, unsent, has attachments.
fn flags(resource: &Map<String, Value>) -> u32 {
    let set = |name: &str| resource.get(name).and_then(Value::as_bool).unwrap_or_default();
    [("isRead", 0x1), ("isDraft", 0x8), ("hasAttachments", 0x10)]
        .iter()
        .filter(|(name, _)| set(name))
        .map(|(_, bit)| bit)
        .sum()
}

/// The header block of the MIME, which is short enough to be looked at.
fn headers(message: &Message) -> Option<String> {
    const MOST: usize = 256 * 1024;
    let mut head = Vec::new();
    for piece in message.content.as_ref()?.chunks() {
        head.extend_from_slice(&piece);
        let end = head.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end.or_else(|| (head.len() > MOST).then_some(MOST)) {
            head.truncate(end);
            break;
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// A property of a folder.
pub(crate) fn of_folder(id: &PropertyId, folder: &Folder) -> Option<String> {
    stated(id, &folder.rest).or_else(|| match id.tag? {
        0x0e08 => Some(folder.bytes.to_string()),
        0x3613 => Some("IPF.Note".to_owned()),
        _ => None,
    })
}

/// `internetMessageHeaders` from the MIME, for messages whose resource does not hold them.
pub(crate) fn internet_headers(message: &Message) -> Vec<Value> {
    let head = headers(message).unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
    let lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    lines.map(|(name, value)| json!({"name": name, "value": value.trim()})).collect()
}
