//! The header block: the transport headers the source kept, and fields made from the message's properties.

use super::addresses::{self, Address};
use super::message::Message;
use crate::loss::Losses;
use crate::render::words::{Field, Token, is_printable, unstructured};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::Value;

/// How a property becomes the value of a field.
enum Form {
    One,
    Many,
    Text,
    Id,
    Date,
    Importance,
    Receipt,
}

/// Field, property, form. What people see in Outlook is the property, so it goes before a transport header of that name.
const FIELDS: [(&str, &str, Form); 13] = [
    ("From", "from", Form::One),
    ("Sender", "sender", Form::One),
    ("Reply-To", "replyTo", Form::Many),
    ("To", "toRecipients", Form::Many),
    ("Cc", "ccRecipients", Form::Many),
    ("Bcc", "bccRecipients", Form::Many),
    ("Subject", "subject", Form::Text),
    ("Date", "sentDateTime", Form::Date),
    ("Message-ID", "internetMessageId", Form::Id),
    ("Importance", "importance", Form::Importance),
    ("Disposition-Notification-To", "isReadReceiptRequested", Form::Receipt),
    ("Return-Receipt-To", "isDeliveryReceiptRequested", Form::Receipt),
    ("Thread-Index", "conversationIndex", Form::Text),
];

/// Fields that speak of a structure that is built anew.
const STRUCTURE: [&str; 8] = [
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "content-id",
    "content-description",
    "content-location",
    "content-length",
];

/// The header without its blank line and without the fields of the content, each field without its line end.
pub(super) fn lines(message: &Message, losses: &mut Losses) -> Vec<String> {
    let transport = Transport::of(message, losses);
    let mut made = Vec::new();
    let mut replaced = Vec::new();
    for (name, property, form) in &FIELDS {
        if let Some(field) = form.field(name, property, message, &transport, losses) {
            made.push(field);
            replaced.push(name.to_ascii_lowercase());
        }
    }
    if !replaced.iter().any(|name| name == "date") && transport.value("date").is_none() {
        losses.add("date_missing", "the source told no sent time; the rendering has no Date field");
    }
    let kept = transport.fields.iter().filter(|(name, _)| !replaced.contains(&name.to_ascii_lowercase()));
    let mut lines: Vec<String> = kept.map(|(name, value)| written(name, &unstructured(&format!(" {value}")))).collect();
    lines.extend(made);
    lines.push("MIME-Version: 1.0".to_owned());
    lines
}

fn written(name: &str, tokens: &[Token]) -> String {
    let mut field = Field::new(name);
    field.tokens(tokens);
    field.finish()
}

/// `internetMessageHeaders`, less the fields of structure.
struct Transport<'a> {
    fields: Vec<(&'a str, String)>,
}

impl<'a> Transport<'a> {
    fn of(message: &'a Message, losses: &mut Losses) -> Self {
        let mut fields = Vec::new();
        for header in message.list("internetMessageHeaders") {
            let said = |name: &str| header.get(name).and_then(Value::as_str);
            let (Some(name), Some(value)) = (said("name"), said("value")) else { continue };
            if name.is_empty() || !name.bytes().all(|byte| matches!(byte, 33..=57 | 59..=126)) {
                losses.add("header_dropped", format!("`{name}` is no name of a header field"));
            } else if !STRUCTURE.contains(&name.to_ascii_lowercase().as_str()) {
                fields.push((name, one_line(value)));
            }
        }
        Self { fields }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// No value may end a line or a field: folds are undone, control characters become spaces.
fn one_line(text: &str) -> String {
    text.replace("\r\n ", " ")
        .replace("\r\n\t", " ")
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}

impl Form {
    fn field(
        &self,
        name: &str,
        property: &str,
        message: &Message,
        transport: &Transport<'_>,
        losses: &mut Losses,
    ) -> Option<String> {
        match self {
            Self::One if property == "sender" && message.property("sender") == message.property("from") => None,
            Self::One => address_field(name, message.property(property)?, transport, losses),
            Self::Many => address_field(name, message.property(property)?, transport, losses),
            Self::Text => text_field(name, message.text(property)?),
            Self::Id => id_field(name, message.text(property)?, losses),
            Self::Date => date_field(name, property, message, transport, losses),
            Self::Importance => importance_field(name, message.text(property)?, transport, losses),
            Self::Receipt => receipt_field(name, property, message, transport, losses),
        }
    }
}

/// The transport's own field is better than an address no mail program can use.
fn address_field(name: &str, said: &Value, transport: &Transport<'_>, losses: &mut Losses) -> Option<String> {
    let recipients = said.as_array().map_or_else(|| std::slice::from_ref(said), Vec::as_slice);
    let list: Vec<Address<'_>> = recipients.iter().filter_map(Address::of).collect();
    let usable = list.iter().all(Address::is_smtp) || transport.value(name).is_none();
    (!list.is_empty() && usable).then(|| written(name, &addresses::list(&list, losses)))
}

fn text_field(name: &str, text: &str) -> Option<String> {
    let text = one_line(text);
    let tokens = if text.contains("=?") && !is_encodable_as_is(&text) {
        vec![Token::encoded(" ", &text)]
    } else {
        unstructured(&format!(" {text}"))
    };
    (!text.is_empty()).then(|| written(name, &tokens))
}

/// A subject that shows `=?utf-8?Q?…?=` to people must show it still, so it may not stand bare.
fn is_encodable_as_is(text: &str) -> bool {
    is_printable(text) && !text.contains("?=")
}

fn id_field(name: &str, id: &str, losses: &mut Losses) -> Option<String> {
    let id = one_line(id);
    if !is_printable(&id) || id.contains(' ') {
        losses.add("message_id_recoded", format!("the {name} holds characters it may not hold"));
        return text_field(name, &id);
    }
    (!id.is_empty()).then(|| format!("{name}: {id}"))
}

/// The transport's Date tells the sender's zone; it stays where it means the same instant.
fn date_field(
    name: &str,
    property: &str,
    message: &Message,
    transport: &Transport<'_>,
    losses: &mut Losses,
) -> Option<String> {
    let sent = message.text(property).or_else(|| {
        let received = message.text("receivedDateTime").filter(|_| transport.value(name).is_none())?;
        losses.add("date_from_received", "the source told no sent time; the received time stands for it");
        Some(received)
    })?;
    let Ok(instant) = sent.parse::<Timestamp>() else {
        losses.add("date_unreadable", format!("the time `{sent}` is not one"));
        return None;
    };
    let transported = transport.value(name).and_then(|value| rfc2822::parse(value).ok());
    if transported.is_some_and(|zoned| zoned.timestamp() == instant) {
        return None;
    }
    let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&instant).ok()?;
    Some(format!("{name}: {}", date.replace("GMT", "+0000")))
}

fn importance_field(name: &str, word: &str, transport: &Transport<'_>, losses: &mut Losses) -> Option<String> {
    match word {
        "normal" => None,
        "low" | "high" if transport.value(name).is_some() => None,
        "low" => Some(format!("{name}: Low")),
        "high" => Some(format!("{name}: High")),
        unknown => {
            losses.add("importance_unknown", format!("the importance `{unknown}` is not known; it stands as normal"));
            None
        }
    }
}

fn receipt_field(
    name: &str,
    property: &str,
    message: &Message,
    transport: &Transport<'_>,
    losses: &mut Losses,
) -> Option<String> {
    let wanted = message.is_true(property) && transport.value(name).is_none();
    let asker = message.property("from").or_else(|| message.property("sender")).filter(|_| wanted)?;
    address_field(name, asker, transport, losses)
}
