//! How a stored thing becomes a row: `$select`, expansions, id form, body form.

use serde_json::{Map, Value, json};

use super::expand::Expand;
use super::properties;
use super::{Scene, access, attachments};
use crate::options::Switches;
use crate::tenant::{Mailbox, Message};
use crate::wire::Refusal;

/// What the request wants to see of each row.
pub(crate) struct View {
    pub select: Option<Vec<String>>,
    pub expand: Expand,
    pub immutable: bool,
    text_bodies: bool,
    /// The caller may see envelopes only.
    basic: bool,
    pub switches: Switches,
}

/// Members that come only when they are asked for.
const ON_REQUEST: &[&str] =
    &["internetMessageHeaders", "uniqueBody", "attachments", "singleValueExtendedProperties", "event"];
/// What `Mail.ReadBasic` hides.
const BEYOND_BASIC: &[&str] = &["body", "bodyPreview", "uniqueBody", "internetMessageHeaders"];
/// A page that selects only these is put together without opening the messages.
#[rustfmt::skip]
const LIGHT: &[&str] = &["id", "parentFolderId", "receivedDateTime", "createdDateTime", "lastModifiedDateTime", "changeKey"];

#[rustfmt::skip]
const MESSAGE: &[&str] = &[
    "id", "createdDateTime", "lastModifiedDateTime", "changeKey", "categories", "receivedDateTime", "sentDateTime",
    "hasAttachments", "internetMessageId", "subject", "bodyPreview", "importance", "parentFolderId", "conversationId",
    "conversationIndex", "isDeliveryReceiptRequested", "isReadReceiptRequested", "isRead", "isDraft", "webLink",
    "inferenceClassification", "body", "sender", "from", "toRecipients", "ccRecipients", "bccRecipients", "replyTo",
    "flag", "internetMessageHeaders", "uniqueBody", "unsubscribeData", "unsubscribeEnabled",
];
#[rustfmt::skip]
const EVENT_MESSAGE: &[&str] = &[
    "meetingMessageType", "type", "startDateTime", "endDateTime", "location", "recurrence", "isOutOfDate", "isAllDay",
    "isDelegated", "meetingRequestType", "previousLocation", "previousStartDateTime", "previousEndDateTime",
    "responseRequested", "allowNewTimeProposals", "responseType", "proposedNewTime",
];

impl View {
    /// # Errors
    /// 400 for members that messages do not have.
    pub fn of_messages(scene: &Scene<'_>, select: Option<Vec<String>>, expand: Option<&str>) -> Result<Self, Refusal> {
        let select = select.map(|names| names.iter().map(|name| uncast(name)).collect::<Vec<String>>());
        let known = |name: &String| MESSAGE.contains(&name.as_str()) || EVENT_MESSAGE.contains(&name.as_str());
        if let Some(unknown) = select.iter().flatten().find(|name| !known(name)) {
            return Err(unknown_member(unknown, "message"));
        }
        let prefer = scene.call.prefer();
        Ok(Self {
            select,
            expand: Expand::parse(expand, "message")?,
            immutable: prefer.immutable_ids,
            text_bodies: prefer.text_bodies,
            basic: !scene.granted(access::READ_MAIL),
            switches: scene.world.knobs().switches.clone(),
        })
    }

    /// Whether a row is put together without opening the message.
    pub fn is_light(&self) -> bool {
        let light = |names: &Vec<String>| names.iter().all(|name| LIGHT.contains(&name.as_str()));
        self.select.as_ref().is_some_and(light) && self.expand.properties.is_empty() && !self.expand.attachments
    }

    pub fn id(&self, mailbox: &Mailbox, message: &Message) -> String {
        if self.immutable { mailbox.immutable_id(message.first_id()) } else { message.id.to_string() }
    }

    /// A message among others.
    ///
    /// # Errors
    /// 500 for the whole page if this message cannot be converted.
    pub fn listed(&self, mailbox: &Mailbox, message: &Message) -> Result<Map<String, Value>, Refusal> {
        let marks = message.marks.as_ref();
        let poisonous = marks.is_some_and(|marks| marks.poisons_ids || (marks.poisons && !self.is_light()));
        if poisonous { Err(Refusal::page_poisoned()) } else { Ok(self.row(mailbox, message)) }
    }

    pub fn row(&self, mailbox: &Mailbox, message: &Message) -> Map<String, Value> {
        let mut stored = message.resource();
        stored.insert("parentFolderId".to_owned(), json!(&*mailbox.folder(message.folder).id));
        let mut row = self.head(mailbox, message, &stored);
        let expanded = self.expanded(mailbox, message, &stored);
        match &self.select {
            Some(names) => names.iter().for_each(|name| self.pick(name, message, &mut stored, &mut row)),
            None => self.whole(&mut stored, &mut row),
        }
        row.extend(expanded);
        row
    }

    /// Only what changed: the id, the etag and some fields.
    pub fn partial(&self, mailbox: &Mailbox, message: &Message, fields: &[&str]) -> Map<String, Value> {
        let mut stored = message.resource();
        let mut row = self.head(mailbox, message, &stored);
        let wanted = |field: &&&str| self.select.as_ref().is_none_or(|names| names.iter().any(|name| name == *field));
        let shown: Vec<&str> = fields.iter().filter(wanted).copied().collect();
        if fields.contains(&"singleValueExtendedProperties") {
            row.extend(self.expanded(mailbox, message, &stored));
        }
        shown.iter().for_each(|field| self.pick(field, message, &mut stored, &mut row));
        row.shift_remove("attachments");
        row
    }

    /// Annotations and id, which stand in every row.
    fn head(&self, mailbox: &Mailbox, message: &Message, stored: &Map<String, Value>) -> Map<String, Value> {
        let mut row = Map::new();
        if let Some(kind) = stored.get("@odata.type") {
            row.insert("@odata.type".to_owned(), kind.clone());
        }
        let change_key = stored.get("changeKey").and_then(Value::as_str).unwrap_or_default();
        row.insert("@odata.etag".to_owned(), format!("W/\"{change_key}\"").into());
        row.insert("id".to_owned(), self.id(mailbox, message).into());
        row
    }

    fn pick(&self, name: &str, message: &Message, stored: &mut Map<String, Value>, row: &mut Map<String, Value>) {
        if name == "id" || name == "singleValueExtendedProperties" || (self.basic && BEYOND_BASIC.contains(&name)) {
            return;
        }
        let value = match name {
            "internetMessageHeaders" if !stored.contains_key(name) => headers(message, stored),
            "uniqueBody" if !stored.contains_key(name) => stored.get("body").cloned(),
            "body" => stored.get("body").cloned(),
            _ => stored.get_mut(name).map(Value::take),
        };
        if let Some(value) = value {
            row.insert(name.to_owned(), self.bodied(name, value));
        }
    }

    fn whole(&self, stored: &mut Map<String, Value>, row: &mut Map<String, Value>) {
        let hidden = |name: &str| {
            ON_REQUEST.contains(&name) || name.starts_with('_') || (self.basic && BEYOND_BASIC.contains(&name))
        };
        for (name, value) in stored.iter_mut().filter(|(name, _)| !hidden(name) && *name != "@odata.type") {
            row.insert(name.clone(), self.bodied(name, value.take()));
        }
        if self.switches.extra_fields {
            row.insert("undocumentedSince2019".to_owned(), json!({"kind": "unknown", "weight": 0.5}));
        }
    }

    fn bodied(&self, name: &str, value: Value) -> Value {
        if matches!(name, "body" | "uniqueBody") && self.text_bodies { flattened(value) } else { value }
    }

    fn expanded(&self, mailbox: &Mailbox, message: &Message, stored: &Map<String, Value>) -> Map<String, Value> {
        let mut members = Map::new();
        if self.basic {
            return members;
        }
        let normalised = self.switches.normalised_property_ids;
        let property = |id: &properties::PropertyId| properties::of_message(id, message, stored);
        if let Some(found) = properties::expanded(&self.expand.properties, normalised, property) {
            members.insert("singleValueExtendedProperties".to_owned(), found);
        }
        if self.expand.attachments {
            members.insert("attachments".to_owned(), attachments::inline(mailbox, message, self.immutable).into());
        }
        if self.expand.event && stored.contains_key("meetingMessageType") {
            members.insert("event".to_owned(), stored.get("event").cloned().unwrap_or_else(|| json!({})));
        }
        members
    }
}

/// Drafts have no transport headers.
fn headers(message: &Message, stored: &Map<String, Value>) -> Option<Value> {
    let draft = stored.get("isDraft").and_then(Value::as_bool).unwrap_or_default();
    (!draft).then(|| Value::Array(properties::internet_headers(message)))
}

/// `microsoft.graph.eventMessage/isAllDay` is a member of a derived type.
fn uncast(name: &str) -> String {
    name.strip_prefix("microsoft.graph.")
        .and_then(|cast| cast.split_once('/'))
        .map_or(name, |(_, name)| name)
        .to_owned()
}

pub(crate) fn unknown_member(name: &str, of: &str) -> Refusal {
    Refusal::unparsable(format!(
        "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.{of}'."
    ))
}

/// A body as text.
pub(crate) fn flattened(body: Value) -> Value {
    if body["contentType"] != "html" {
        return body;
    }
    json!({"contentType": "text", "content": as_text(body["content"].as_str().unwrap_or_default())})
}

/// HTML as the service flattens it, roughly: tags go, blocks become lines.
fn as_text(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        let end = rest[open..].find('>').map_or(rest.len(), |end| open + end + 1);
        let tag = rest[open..end].to_ascii_lowercase();
        if ["<br", "</p", "</div", "</tr"].iter().any(|block| tag.starts_with(block)) {
            text.push_str("\r\n");
        }
        rest = &rest[end..];
    }
    text.push_str(rest);
    text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
