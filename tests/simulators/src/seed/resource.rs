//! A message as Graph v1.0 answers it with every field (Microsoft Graph docs: message resource type).

use jiff::{SignedDuration, Timestamp};
use mail_parser::{Addr, Address, Message, MessageParser};
use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::mime_view::{self, View};
use crate::dump::Content;

/// The verb last done with a message (`Integer 0x1081`, PidTagLastVerbExecuted).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Replied = 102,
    RepliedToAll = 103,
    Forwarded = 104,
}

/// The follow-up flag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Flag {
    #[default]
    None,
    Flagged,
    FlaggedUntil(Timestamp),
    Complete(Timestamp),
}

/// What the mailbox knows of a message beside its MIME.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub folder: String,
    pub received: Timestamp,
    pub is_read: bool,
    pub is_draft: bool,
    pub flag: Flag,
    pub importance: &'static str,
    pub categories: Vec<String>,
    pub verb: Option<Verb>,
    /// `String 0x001A`, PidTagMessageClass.
    pub class: &'static str,
    /// Fields that come with the class (`@odata.type`, `meetingMessageType`...) and the note `_sim`.
    pub extra: Map<String, Value>,
}

impl Standing {
    /// A read mail without marks.
    pub(super) fn plain(folder: &str, received: Timestamp) -> Self {
        Self {
            folder: folder.to_owned(),
            received,
            is_read: true,
            is_draft: false,
            flag: Flag::None,
            importance: "normal",
            categories: Vec::new(),
            verb: None,
            class: "IPM.Note",
            extra: Map::new(),
        }
    }
}

/// The whole resource. What the header fields say (subject, people, dates) is read from the MIME, so that the two
/// views of a message agree.
pub(super) fn message(dice: &mut Dice, mime: &Content, standing: &Standing) -> Value {
    let sample = sample(mime);
    let view = mime_view::view(&sample);
    let parser = MessageParser::default();
    let parsed = parser.parse(&sample).or_else(|| parser.parse("X-Empty:\r\n\r\n")).unwrap_or_default();
    let mut fields = identity(dice, standing);
    fields.extend(headers(&parsed, standing));
    fields.extend(body(&view));
    fields.extend(people(&parsed));
    fields.extend(marks(standing, mime.len()));
    fields.extend(standing.extra.clone());
    Value::Object(fields)
}

/// A body made when read is judged by its beginning and end.
fn sample(mime: &Content) -> Vec<u8> {
    match mime {
        Content::Bytes(_) | Content::Seeded { .. } | Content::File { .. } => mime.to_bytes().to_vec(),
        Content::Repeat { head, line, times, tail } => {
            [head.to_vec(), line.repeat(usize::try_from(*times).unwrap_or(4).min(4)), tail.to_vec()].concat()
        }
    }
}

fn identity(dice: &mut Dice, standing: &Standing) -> Map<String, Value> {
    let change_key = dice.outlook_id("CQAAABYAAAB", 40);
    let id = dice.outlook_id("AAMkAG", 152);
    let changed = standing.received.saturating_add(SignedDuration::from_secs(2));
    object(json!({
        "@odata.etag": format!("W/\"{change_key}\""),
        "id": id,
        "createdDateTime": standing.received,
        "lastModifiedDateTime": changed.unwrap_or(standing.received),
        "changeKey": change_key,
        "categories": standing.categories,
        "receivedDateTime": standing.received,
        "parentFolderId": standing.folder,
        "conversationId": dice.outlook_id("AAQkAG", 96),
        "conversationIndex": dice.outlook_id("AQHa", 40).replace('-', "+").replace('_', "/"),
        "webLink": format!("https://outlook.office365.com/owa/?ItemID={}&exvsurl=1&viewmodel=ReadMessageItem", id.replace('=', "%3D")),
    }))
}

fn headers(mail: &Message<'_>, standing: &Standing) -> Map<String, Value> {
    let id = mail.header_raw("Message-ID").map(|raw| raw.trim().to_owned());
    object(json!({
        "sentDateTime": sent(mail).unwrap_or(standing.received),
        "internetMessageId": id,
        "subject": mail.subject().map(printable),
        "importance": standing.importance,
        "isDeliveryReceiptRequested": Value::Null,
        "isReadReceiptRequested": mail.header_raw("Disposition-Notification-To").is_some(),
        "isRead": standing.is_read,
        "isDraft": standing.is_draft,
        "inferenceClassification": "focused",
    }))
}

fn sent(mail: &Message<'_>) -> Option<Timestamp> {
    Timestamp::from_second(mail.date()?.to_timestamp()).ok()
}

fn body(view: &View) -> Map<String, Value> {
    let content = printable(&view.body.text);
    let plain = if view.body.is_html { mail_parser::decoders::html::html_to_text(&content) } else { content.clone() };
    object(json!({
        "hasAttachments": view.has_attachments(),
        "bodyPreview": plain.chars().take(255).collect::<String>(),
        "body": { "contentType": if view.body.is_html { "html" } else { "text" }, "content": content },
    }))
}

/// Without NUL, which no Exchange store keeps in a string.
fn printable(text: &str) -> String {
    text.replace('\0', "")
}

fn people(mail: &Message<'_>) -> Map<String, Value> {
    let from = recipients(mail.from()).into_iter().next();
    let sender = recipients(mail.sender()).into_iter().next().or_else(|| from.clone());
    let mut fields = object(json!({
        "toRecipients": recipients(mail.to()),
        "ccRecipients": recipients(mail.cc()),
        "bccRecipients": recipients(mail.bcc()),
        "replyTo": recipients(mail.reply_to()),
    }));
    // A draft without a sender answers neither field.
    fields.extend(sender.map(|sender| ("sender".to_owned(), sender)));
    fields.extend(from.map(|from| ("from".to_owned(), from)));
    fields
}

fn recipients(address: Option<&Address<'_>>) -> Vec<Value> {
    address.map(|address| address.iter().filter_map(recipient).collect()).unwrap_or_default()
}

fn recipient(of: &Addr<'_>) -> Option<Value> {
    let address = of.address.as_deref().or(of.name.as_deref())?;
    Some(json!({ "emailAddress": { "name": of.name.as_deref().unwrap_or(address), "address": address } }))
}

fn marks(standing: &Standing, size: u64) -> Map<String, Value> {
    let flags = i32::from(standing.is_read) | if standing.is_draft { 8 } else { 0 }; // mfRead, mfUnsent
    let mut properties = vec![
        json!({ "id": "String 0x001A", "value": standing.class }),
        json!({ "id": "Integer 0x0E07", "value": flags.to_string() }),
        json!({ "id": "Integer 0x0E08", "value": size.to_string() }),
    ];
    if let Some(verb) = standing.verb {
        properties.push(json!({ "id": "Integer 0x1081", "value": (verb as i32).to_string() }));
        let icon = if verb == Verb::Forwarded { "262" } else { "261" };
        properties.push(json!({ "id": "Integer 0x1080", "value": icon }));
    }
    object(json!({ "flag": flag(standing.flag), "singleValueExtendedProperties": properties }))
}

fn flag(flag: Flag) -> Value {
    match flag {
        Flag::None => json!({ "flagStatus": "notFlagged" }),
        Flag::Flagged => json!({ "flagStatus": "flagged" }),
        Flag::FlaggedUntil(due) => {
            json!({ "flagStatus": "flagged", "startDateTime": moment(due), "dueDateTime": moment(due) })
        }
        Flag::Complete(done) => {
            json!({ "flagStatus": "complete", "completedDateTime": moment(done) })
        }
    }
}

/// Microsoft Graph docs: dateTimeTimeZone.
pub(super) fn moment(at: Timestamp) -> Value {
    json!({ "dateTime": at.strftime("%Y-%m-%dT%H:%M:%S.0000000").to_string(), "timeZone": "UTC" })
}

/// The fields of a `json!` object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
