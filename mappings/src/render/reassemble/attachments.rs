//! The attachments of a message, from their resources and parts.

use super::media::MediaType;
use super::message;
use crate::loss::Losses;
use crate::render::filter;
use crate::{Parts, Unrendered};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;

/// Where the bytes of an attachment come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A part of the original, written as base64.
    File(String),
    /// A part of the original that is a message, written as it is.
    Nested(String),
    /// There are no bytes; this sentence stands for them.
    Missing(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attachment {
    pub name: String,
    pub media: MediaType,
    pub inline: bool,
    pub content_id: Option<String>,
    pub content_location: Option<String>,
    /// `modification-date` of RFC 2183, as the source told it (ISO 8601).
    pub modified: Option<String>,
    pub content: Content,
}

/// What is known of one attachment before its content is looked at.
#[derive(Default)]
struct Found {
    meta: bool,
    bytes: Option<String>,
}

/// All attachments in the order of their numbers.
pub(super) fn list(original: &dyn Parts, losses: &mut Losses) -> Result<Vec<Attachment>, Unrendered> {
    let mut found: BTreeMap<u64, Found> = BTreeMap::new();
    for part in original.parts() {
        let Some(rest) = part.name.strip_prefix("attachment/") else { continue };
        let (number, is_meta) = rest.strip_suffix("/meta").map_or((rest, false), |number| (number, true));
        let Ok(number) = number.parse() else {
            losses.add("part_unknown", format!("the part `{}` is not known", part.name));
            continue;
        };
        let entry = found.entry(number).or_default();
        if is_meta { entry.meta = true } else { entry.bytes = Some(part.media_type) }
    }
    found.into_iter().map(|(number, found)| attachment(original, number, &found, losses)).collect()
}

fn attachment(original: &dyn Parts, number: u64, found: &Found, losses: &mut Losses) -> Result<Attachment, Unrendered> {
    let part = format!("attachment/{number}");
    let meta = if found.meta {
        let name = format!("{part}/meta");
        message::json(&message::bounded(original, &name)?, &name, losses)?
    } else {
        losses.add("attachment_untold", format!("nothing is known of attachment {number} but its bytes"));
        Value::Null
    };
    let text = |name: &str| meta.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = text("name").map_or_else(|| format!("attachment-{number}"), one_line);
    let (media, content) = content(original, &part, found, &meta, &name, losses)?;
    Ok(Attachment {
        media,
        content,
        name,
        inline: meta.get("isInline").and_then(Value::as_bool).unwrap_or(false),
        content_id: text("contentId").map(one_line),
        content_location: text("contentLocation").map(one_line),
        modified: text("lastModifiedDateTime").map(str::to_owned),
    })
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// What kind of attachment it is ("Microsoft Graph docs: attachment resource type").
fn content(
    original: &dyn Parts,
    part: &str,
    found: &Found,
    meta: &Value,
    name: &str,
    losses: &mut Losses,
) -> Result<(MediaType, Content), Unrendered> {
    let kind = meta.get("@odata.type").and_then(Value::as_str).unwrap_or("#microsoft.graph.fileAttachment");
    match kind {
        "#microsoft.graph.referenceAttachment" => {
            losses.add("attachment_reference", format!("`{name}` is a link to a file that stays where it is"));
            return Ok(missing(reference_sentence(name, meta)));
        }
        "#microsoft.graph.fileAttachment" | "#microsoft.graph.itemAttachment" => {}
        unknown => losses.add("attachment_kind_unknown", format!("`{name}` is of the unknown kind `{unknown}`")),
    }
    let Some(stored_as) = &found.bytes else {
        losses.add("attachment_missing", format!("the source would not give the bytes of `{name}`"));
        return Ok(missing(format!("The attachment \"{name}\" could not be fetched from the former mail system.")));
    };
    let said = if kind == "#microsoft.graph.itemAttachment" { stored_as } else { told_type(meta, stored_as) };
    let media = MediaType::read(said).unwrap_or_else(|| {
        losses.add("media_type_unreadable", format!("`{said}`, the type of `{name}`, is none"));
        MediaType::octets()
    });
    let is_item = kind == "#microsoft.graph.itemAttachment";
    Ok(placed(original, part, media, is_item, name, losses)?)
}

fn told_type<'a>(meta: &'a Value, stored_as: &'a str) -> &'a str {
    meta.get("contentType").and_then(Value::as_str).filter(|told| !told.is_empty()).unwrap_or(stored_as)
}

/// MIME allows no base64 for `message/*` and `multipart/*` (RFC 2045 section 6.4), so they stand as they are or as octets.
fn placed(
    original: &dyn Parts,
    part: &str,
    media: MediaType,
    is_item: bool,
    name: &str,
    losses: &mut Losses,
) -> io::Result<(MediaType, Content)> {
    if media.name == "message/rfc822" {
        let passes = filter::nested(&mut *original.open(part)?, &mut io::sink())?.identical;
        if is_item || passes {
            return Ok((media, Content::Nested(part.to_owned())));
        }
    }
    if media.name.starts_with("message/") || media.name.starts_with("multipart/") {
        losses.add("media_type_changed", format!("`{name}` is {} and is carried as plain octets", media.name));
        return Ok((MediaType::octets(), Content::File(part.to_owned())));
    }
    Ok((media, Content::File(part.to_owned())))
}

fn missing(sentence: String) -> (MediaType, Content) {
    let media = MediaType { name: "text/plain".to_owned(), charset: Some("utf-8".to_owned()) };
    (media, Content::Missing(sentence))
}

/// `sourceUrl` is told by some versions of the service only.
fn reference_sentence(name: &str, meta: &Value) -> String {
    let link = meta.get("sourceUrl").and_then(Value::as_str).map_or_else(String::new, |url| format!(":\r\n{url}"));
    format!("The message had a link to the file \"{name}\" in place of an attachment{link}\r\n")
}
