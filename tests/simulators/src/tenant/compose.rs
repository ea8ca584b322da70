//! The JSON that Outlook shows for a MIME message: for messages that a script delivers, and for embedded ones.

use jiff::Timestamp;
use mail_parser::{Address, Message, MessageParser};
use serde_json::{Map, Value, json};

use super::mailbox::outlook_time;
use crate::seed::mime_view::{self, View};

/// The resource of a message that was just delivered, without ids and folder.
pub(crate) fn resource_of(mime: &[u8], now: Timestamp) -> Map<String, Value> {
    let parser = MessageParser::default();
    // an empty message has no parts to ask for headers
    let parsed = parser.parse(mime).or_else(|| parser.parse("X-Empty:\r\n\r\n")).unwrap_or_default();
    let view = mime_view::view(mime);
    let mut resource = times(&parsed, now);
    resource.extend(facts(&parsed, &view));
    resource.extend(described(&parsed, &view));
    resource
}

/// The resource of a message inside another one.
pub(crate) fn item_of(mime: &[u8], now: Timestamp) -> Map<String, Value> {
    let mut item = Map::new();
    item.insert("@odata.type".to_owned(), "#microsoft.graph.message".into());
    item.insert("id".to_owned(), "".into());
    item.extend(resource_of(mime, now));
    item
}

fn map(of: Value) -> Map<String, Value> {
    match of {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn times(parsed: &Message<'_>, now: Timestamp) -> Map<String, Value> {
    let sent = parsed.date().and_then(|date| Timestamp::from_second(date.to_timestamp()).ok()).unwrap_or(now);
    map(json!({
        "createdDateTime": outlook_time(now),
        "lastModifiedDateTime": outlook_time(now),
        "receivedDateTime": outlook_time(now),
        "sentDateTime": outlook_time(sent),
    }))
}

fn facts(parsed: &Message<'_>, view: &View) -> Map<String, Value> {
    map(json!({
        "categories": [],
        "hasAttachments": view.has_attachments(),
        "internetMessageId": parsed.message_id().map(|id| format!("<{id}>")),
        "importance": importance(parsed),
        "isDeliveryReceiptRequested": null,
        "isReadReceiptRequested": parsed.header("Disposition-Notification-To").is_some(),
        "isRead": false,
        "isDraft": false,
        "inferenceClassification": "focused",
        "flag": {"flagStatus": "notFlagged"},
    }))
}

fn importance(parsed: &Message<'_>) -> &'static str {
    let text = parsed.header("Importance").and_then(|value| value.as_text()).unwrap_or_default();
    match text.trim().to_ascii_lowercase().as_str() {
        "high" => "high",
        "low" => "low",
        _ => "normal",
    }
}

fn described(parsed: &Message<'_>, view: &View) -> Map<String, Value> {
    let people = |address: Option<&Address<'_>>| Value::Array(recipients(address));
    let first = |address: Option<&Address<'_>>| recipients(address).into_iter().next();
    let from = first(parsed.from());
    map(json!({
        "subject": parsed.subject().unwrap_or_default(),
        "bodyPreview": preview(view),
        "body": body(view),
        "sender": first(parsed.sender()).or_else(|| from.clone()),
        "from": from,
        "toRecipients": people(parsed.to()),
        "ccRecipients": people(parsed.cc()),
        "bccRecipients": people(parsed.bcc()),
        "replyTo": people(parsed.reply_to()),
    }))
}

fn recipients(address: Option<&Address<'_>>) -> Vec<Value> {
    let Some(address) = address else { return Vec::new() };
    let one = |person: &mail_parser::Addr<'_>| {
        let at = person.address().unwrap_or_default();
        json!({"emailAddress": {"name": person.name().unwrap_or(at), "address": at}})
    };
    address.iter().map(one).collect()
}

fn preview(view: &View) -> String {
    let text = &view.body.text;
    let plain = if view.body.is_html { mail_parser::decoders::html::html_to_text(text) } else { text.clone() };
    plain.chars().take(255).collect()
}

fn body(view: &View) -> Value {
    let kind = if view.body.is_html { "html" } else { "text" };
    json!({"contentType": kind, "content": view.body.text})
}
