//! A MIME message as Graph's JSON shows it: one body, and a flat list of attachments.

use std::borrow::Cow;

use bytes::Bytes;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};

/// What an attachment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentKind {
    /// `#microsoft.graph.fileAttachment`
    File,
    /// `#microsoft.graph.itemAttachment`: `bytes` are the MIME of the embedded message, to be viewed in turn.
    Item,
}

/// One attachment, as `/messages/{id}/attachments` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub kind: AttachmentKind,
    pub name: String,
    pub content_type: String,
    /// Without angle brackets.
    pub content_id: Option<String>,
    pub content_location: Option<String>,
    pub is_inline: bool,
    /// Decoded.
    pub bytes: Bytes,
}

/// The body that Graph shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    pub is_html: bool,
    pub text: String,
}

/// Everything of a message that its header fields do not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    pub body: Body,
    pub attachments: Vec<Attachment>,
}

impl View {
    /// True as Graph counts: inline pictures are no attachments (Microsoft Graph docs: message, `hasAttachments`).
    #[must_use]
    pub fn has_attachments(&self) -> bool {
        self.attachments.iter().any(|attachment| !attachment.is_inline)
    }
}

/// Reads a message. What cannot be parsed at all has an empty body and no attachments.
#[must_use]
pub fn view(mime: &[u8]) -> View {
    let Some(message) = MessageParser::default().parse(mime) else {
        return View::default();
    };
    match sealed(&message) {
        Some(attachment) => View { body: Body::default(), attachments: vec![attachment] },
        None => Walk::of(&message),
    }
}

/// Only the attachments of [`view`].
#[must_use]
pub fn attachments(mime: &[u8]) -> Vec<Attachment> {
    view(mime).attachments
}

/// Signed or enveloped mail: the JSON view shows one `smime.p7m` and nothing inside
/// (microsoftgraph/microsoft-graph-docs#4585).
fn sealed(message: &Message<'_>) -> Option<Attachment> {
    let root = message.parts.first()?;
    let content_type = media_type(root);
    match content_type.as_str() {
        "multipart/signed" => Some(p7m(content_type, Bytes::copy_from_slice(raw(message, root)))),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => Some(p7m(content_type, decoded(message, root))),
        _ => None,
    }
}

fn p7m(content_type: String, bytes: Bytes) -> Attachment {
    let name = "smime.p7m".to_owned();
    let kind = AttachmentKind::File;
    Attachment { kind, name, content_type, content_id: None, content_location: None, is_inline: false, bytes }
}

/// The way through the parts, depth first.
struct Walk<'a> {
    message: &'a Message<'a>,
    seen: View,
    has_body: bool,
}

/// The multiparts around a part, as far as they matter to it.
#[derive(Clone, Copy, Default)]
struct Within {
    multipart: bool,
    related: bool,
    /// It is one choice among several, or belongs to one.
    alternative: bool,
}

impl Within {
    fn and(self, media_type: &str) -> Self {
        let related = media_type == "multipart/related";
        let alternative = media_type == "multipart/alternative" || (self.alternative && related);
        Self { multipart: true, related, alternative }
    }
}

impl<'a> Walk<'a> {
    fn of(message: &'a Message<'a>) -> View {
        let mut walk = Walk { message, seen: View::default(), has_body: false };
        walk.part(0, Within::default());
        walk.seen
    }

    fn part(&mut self, id: u32, within: Within) {
        let Some(part) = self.message.part(id) else {
            return;
        };
        match &part.body {
            PartType::Multipart(children) => {
                let within = within.and(&media_type(part));
                children.iter().for_each(|child| self.part(*child, within));
            }
            PartType::Message(inner) => self.attach(part, inner.subject().map(Cow::from), AttachmentKind::Item, within),
            PartType::Text(text) if self.is_body(part, within) => self.body(text, false),
            PartType::Html(text) if self.is_body(part, within) => self.body(text, true),
            _ if is_invitation(part, within) => {}
            _ => self.attach(part, None, AttachmentKind::File, within),
        }
    }

    fn is_body(&self, part: &MessagePart<'_>, within: Within) -> bool {
        let text = matches!(media_type(part).as_str(), "text/plain" | "text/html" | "");
        let attached = part.content_disposition().is_some_and(mail_parser::ContentType::is_attachment);
        text && !attached && part.attachment_name().is_none() && (!self.has_body || within.alternative)
    }

    /// HTML wins over text, whichever stands first.
    fn body(&mut self, text: &str, is_html: bool) {
        if !self.has_body || (is_html && !self.seen.body.is_html) {
            self.seen.body = Body { is_html, text: text.to_owned() };
        }
        self.has_body = true;
    }

    fn attach(&mut self, part: &MessagePart<'_>, title: Option<Cow<'_, str>>, kind: AttachmentKind, within: Within) {
        let content_type = media_type(part);
        let bytes = match kind {
            AttachmentKind::Item => Bytes::copy_from_slice(raw(self.message, part)),
            AttachmentKind::File => decoded(self.message, part),
        };
        let number = self.seen.attachments.len() + 1;
        let name = part.attachment_name().map(Cow::from).or(title).map(Cow::into_owned);
        let content_id = part.content_id().map(|id| id.trim_matches(['<', '>']).to_owned());
        let inline = part.content_disposition().is_some_and(mail_parser::ContentType::is_inline);
        self.seen.attachments.push(Attachment {
            kind,
            name: name.unwrap_or_else(|| format!("ATT{number:05}{}", extension(&content_type))),
            is_inline: content_id.is_some() && (inline || within.related),
            content_id,
            content_location: part.content_location().map(str::to_owned),
            content_type,
            bytes,
        });
    }
}

/// The calendar part of a meeting request: Exchange makes the meeting of it and does not list it.
fn is_invitation(part: &MessagePart<'_>, within: Within) -> bool {
    media_type(part) == "text/calendar" && (within.alternative || !within.multipart)
}

/// In lower case, without parameters; empty if the part does not say.
fn media_type(part: &MessagePart<'_>) -> String {
    let Some(content_type) = part.content_type() else {
        return String::new();
    };
    let subtype = content_type.subtype().map(|subtype| format!("/{subtype}")).unwrap_or_default();
    format!("{}{subtype}", content_type.ctype()).to_ascii_lowercase()
}

fn extension(content_type: &str) -> &'static str {
    match content_type {
        "text/plain" => ".txt",
        "text/html" => ".htm",
        "message/delivery-status" => ".dat",
        _ => ".bin",
    }
}

fn raw<'a>(message: &'a Message<'_>, part: &MessagePart<'_>) -> &'a [u8] {
    message.raw_message().get(part.offset_body as usize..part.offset_end as usize).unwrap_or_default()
}

/// The transfer encoding undone and nothing else: the parser's own text has its charset changed.
fn decoded(message: &Message<'_>, part: &MessagePart<'_>) -> Bytes {
    let raw = raw(message, part);
    let decoded = match part.encoding {
        Encoding::None => None,
        Encoding::Base64 => base64_decode(raw),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
    };
    decoded.map_or_else(|| Bytes::copy_from_slice(raw), Bytes::from)
}
