//! What faults do to an answer that is otherwise right.

use serde_json::Value;

use super::Fault;
use crate::dump::Content;
use crate::graph::rows;
use crate::wire::{Call, Cut, Part, Payload, Reply};

impl Fault {
    /// The answer as this fault leaves it, and where it breaks off.
    pub fn spoil(&self, call: &Call, reply: Reply) -> (Reply, Option<Cut>) {
        match self {
            Self::Reset { after: Some(after) } => (reply, Some(Cut { after: *after, clean: false })),
            Self::Truncate { tellable: true, .. } if !shows_its_end(&reply) => (reply, None),
            Self::Truncate { after, .. } => (reply, Some(Cut { after: *after, clean: true })),
            Self::DuplicatePage => (duplicated(call, reply), None),
            Self::Corrupt { at } => (corrupted(reply, *at), None),
            _ => (reply, None),
        }
    }
}

/// Whether a message is a multipart, or one part in base64. Of a file its listing told the size.
fn shows_its_end(reply: &Reply) -> bool {
    let content = match &reply.payload {
        Payload::File(_) => return true,
        Payload::Stream(content, _) => content,
        _ => return false,
    };
    let Some(first) = content.chunks().next() else { return false };
    let head = first.windows(4).position(|four| four == b"\r\n\r\n").map_or(&first[..0], |end| &first[..end]);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let multipart = head.contains("\r\ncontent-type: multipart/") && head.contains("boundary=");
    multipart || head.contains("\r\ncontent-transfer-encoding: base64")
}

/// A page inside a walk leads to itself once more; a first page holds its rows twice.
fn duplicated(call: &Call, mut reply: Reply) -> Reply {
    let Payload::Json(body) = &mut reply.payload else { return reply };
    if rows(body).is_none() {
        return reply;
    }
    let inside = ["$skiptoken", "$deltatoken", "$skip"].iter().any(|name| call.query.get(name).is_some());
    if inside {
        let again = format!("{}{}", call.origin, call.target);
        if let Some(page) = body.as_object_mut() {
            page.shift_remove("@odata.deltaLink");
            page.insert("@odata.nextLink".to_owned(), again.into());
        }
    } else if let Some(rows) = rows(body) {
        let again = rows.clone();
        rows.extend(again);
    }
    reply
}

/// Flips bits of one byte; in JSON one that breaks it.
fn corrupted(mut reply: Reply, at: Option<usize>) -> Reply {
    let flip = |mut bytes: Vec<u8>| {
        let at = at.unwrap_or(bytes.len() / 2);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 0x40;
        }
        bytes.into()
    };
    reply.payload = match reply.payload {
        Payload::Json(value) => Payload::Bytes(broken_json(&value).into()),
        Payload::Bytes(bytes) => Payload::Bytes(flip(bytes.to_vec())),
        Payload::File(part) => {
            let middle = at.map_or(part.length() / 2, |at| at as u64);
            Payload::File(Part { spoilt: Some(middle), ..part })
        }
        Payload::Stream(Content::Bytes(bytes), cut) => Payload::Stream(Content::Bytes(flip(bytes.to_vec())), cut),
        other => other,
    };
    reply
}

fn broken_json(value: &Value) -> Vec<u8> {
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    let middle = text.len() / 2;
    if let Some(byte) = text.get_mut(middle) {
        *byte = b'\x01';
    }
    if let Some(first) = text.first_mut() {
        *first = b'<';
    }
    text
}

/// Turns escaped control characters into the characters themselves, which JSON forbids and Graph has sent.
pub(crate) fn raw_controls(json: &[u8]) -> Vec<u8> {
    let mut raw = Vec::with_capacity(json.len());
    let mut rest = json;
    while let Some((first, after)) = rest.split_first() {
        match (first, after) {
            (b'\\', [b'u', b'0', b'0', high @ (b'0' | b'1'), low, more @ ..]) => {
                let digits = [*high, *low];
                let code = std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
                raw.extend(code);
                rest = more;
            }
            (b'\\', [escaped, more @ ..]) => {
                raw.extend([b'\\', *escaped]);
                rest = more;
            }
            _ => {
                raw.push(*first);
                rest = after;
            }
        }
    }
    raw
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn control_characters_come_raw_and_nothing_else_changes() {
        let text = serde_json::to_vec(&serde_json::json!({"a": "x\u{1}y\\u0001\n"})).unwrap();
        let raw = raw_controls(&text);
        assert_eq!(raw, b"{\"a\":\"x\x01y\\\\u0001\\n\"}");
    }
}
