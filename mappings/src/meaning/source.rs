//! The meaning of an original, whichever shape it has: read from the service's own data, never from a rendering.

use super::content::{Coding, Content};
use super::walk::{Walk, join};
use super::{Field, MailMeaning, Part};
use crate::Parts;
use serde_json::Value;
use std::io::{self, Read};

/// Reads an original with bounded memory but for its JSON. One told as JSON knows only the fields people see, so its
/// meaning is not `complete`.
///
/// # Errors
/// What the parts answer; `InvalidData` when the JSON cannot be read.
pub fn original(original: &dyn Parts) -> io::Result<MailMeaning> {
    if original.parts().iter().any(|part| part.name == "mime") {
        return super::mail(&mut *original.open("mime")?);
    }
    let message = json(original, "message")?;
    let (fields, mentions) = fields(&message);
    let mut meaning = MailMeaning { fields, mentions, parts: vec![body(&message)], ..MailMeaning::default() };
    let mut numbers: Vec<u64> = original.parts().iter().filter_map(|part| number(&part.name)).collect();
    numbers.sort_unstable();
    for (at, number) in numbers.into_iter().enumerate() {
        attachment(original, &join("", at + 2), number, &mut meaning)?;
    }
    Ok(meaning)
}

fn number(part: &str) -> Option<u64> {
    part.strip_prefix("attachment/")?.parse().ok()
}

/// Raw control characters, which the service has sent inside strings, are read as spaces.
fn json(original: &dyn Parts, name: &str) -> io::Result<Value> {
    let mut bytes = Vec::new();
    original.open(name)?.read_to_end(&mut bytes)?;
    bytes.iter_mut().filter(|byte| **byte < b' ').for_each(|byte| *byte = b' ');
    serde_json::from_slice(&bytes).map_err(io::Error::from)
}

/// The fields, and what else a field must say at the least.
fn fields(message: &Value) -> (Vec<Field>, Vec<Field>) {
    let field = |name: &str, value: String| Field { at: String::new(), name: name.to_owned(), value };
    let (mut fields, mut mentions) = (Vec::new(), Vec::new());
    for (name, property) in [("subject", "subject"), ("message-id", "internetMessageId")] {
        fields.push(field(name, message[property].as_str().map(squeezed).unwrap_or_default()));
    }
    for (name, property) in [("from", "from"), ("to", "toRecipients"), ("cc", "ccRecipients"), ("bcc", "bccRecipients")]
    {
        let said = &message[property];
        let list = said.as_array().map_or_else(|| std::slice::from_ref(said), Vec::as_slice);
        // An address of Exchange's own kind cannot be written in mail: beside it only the others can be compared.
        if list.iter().all(is_mail) {
            fields.push(field(name, list.iter().map(address).collect::<Vec<_>>().join(", ")));
        } else {
            mentions.extend(list.iter().filter(|one| is_mail(one)).map(|one| field(name, mail_address(one))));
        }
    }
    fields.retain(|field| !field.value.is_empty());
    (fields, mentions)
}

fn mail_address(recipient: &Value) -> String {
    squeezed(recipient["emailAddress"]["address"].as_str().unwrap_or_default())
}

fn is_mail(recipient: &Value) -> bool {
    let address = mail_address(recipient);
    address.contains('@') && !address.contains(|c: char| c.is_whitespace() || "<>(),;:\\\"[]".contains(c))
}

/// Runs of white space do not count.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn address(recipient: &Value) -> String {
    let said = |name: &str| squeezed(recipient["emailAddress"][name].as_str().unwrap_or_default());
    let (name, address) = (said("name"), said("address"));
    let name = if name == address { "" } else { name.as_str() };
    if address.is_empty() { name.to_owned() } else { format!("{name} <{address}>").trim_start().to_owned() }
}

fn body(message: &Value) -> Part {
    let body = &message["body"];
    let kind = if body["contentType"] == "html" { "text/html" } else { "text/plain" };
    let mut content = Content::new(Coding::Identity, Some(Some("utf-8")));
    content.raw(body["content"].as_str().unwrap_or_default().replace('\0', "").as_bytes());
    part("1".to_owned(), kind, "", "", content)
}

fn part(at: String, kind: &str, name: &str, id: &str, content: Content) -> Part {
    let (size, digest) = content.finish(true);
    Part { at, kind: kind.to_owned(), name: name.to_owned(), id: id.to_owned(), size, digest }
}

fn attachment(original: &dyn Parts, at: &str, number: u64, meaning: &mut MailMeaning) -> io::Result<()> {
    let name = format!("attachment/{number}");
    let stored_as = original.parts().into_iter().find(|part| part.name == name).map(|part| part.media_type);
    let meta = json(original, &format!("{name}/meta")).unwrap_or_default();
    let said = |name: &str| meta[name].as_str().unwrap_or_default().to_owned();
    let is_item = meta["@odata.type"] == "#microsoft.graph.itemAttachment";
    let told = Some(said("contentType")).filter(|told| !told.is_empty() && !is_item).or(stored_as).unwrap_or_default();
    let (kind, charset) = kind(&told);
    let mut bytes = original.open(&name)?;
    if kind == "message/rfc822" {
        let mut walk = Walk::new(at.to_owned());
        walk.read(&mut *original.open(&name)?)?;
        let nested = walk.finish();
        if is_item {
            meaning.fields.extend(nested.fields);
            meaning.parts.extend(nested.parts);
            return Ok(());
        }
        meaning.nested.insert(at.to_owned(), nested);
    }
    let charset = kind.starts_with("text/").then_some(charset.as_deref());
    let content = streamed(&mut *bytes, Content::new(Coding::Identity, charset))?;
    let id = said("contentId");
    meaning.parts.push(part(at.to_owned(), &kind, &said("name"), id.trim_matches(['<', '>']), content));
    Ok(())
}

fn kind(told: &str) -> (String, Option<String>) {
    let mut pieces = told.split(';');
    let kind = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
    let charset = pieces.find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
    });
    (kind, charset)
}

fn streamed(bytes: &mut dyn Read, mut content: Content) -> io::Result<Content> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match bytes.read(&mut buffer) {
            Ok(0) => return Ok(content),
            Ok(read) => content.raw(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
