//! The content of a message: body and attachments in their MIME structure, streamed.

use super::attachments::{Attachment, Content};
use super::media::MediaType;
use super::message::{Body, Message};
use crate::loss::Losses;
use crate::render::filter;
use crate::render::words::{Field, parameter};
use crate::{Parts, Unrendered};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use std::io::{Read, Write};

/// Bytes of one base64 line of 76 characters.
const LINE: usize = 57;

/// Writes the fields that describe the content, the blank line, and the content.
pub(super) fn content(
    original: &dyn Parts,
    message: &Message,
    body: &Body,
    attachments: &[Attachment],
    out: &mut dyn Write,
    losses: &mut Losses,
) -> Result<(), Unrendered> {
    let belongs_to_html = |attachment: &&Attachment| {
        attachment.inline && attachment.content_id.is_some() && body.media_type == "text/html"
    };
    let (related, mixed): (Vec<&Attachment>, Vec<&Attachment>) = attachments.iter().partition(belongs_to_html);
    let seed = &message.digest.to_hex()[..24];
    let mut writer = Writer { original, out, losses };
    let outer = Multipart::new("multipart/mixed", format!("=_mixed_{seed}"), &mixed);
    let inner = Multipart::new("multipart/related; type=\"text/html\"", format!("=_related_{seed}"), &related);
    writer.multipart(&outer, |writer| writer.multipart(&inner, |writer| writer.body(body)))
}

/// A first part, which the closure writes, and more; without more it is no multipart at all.
struct Multipart<'a> {
    kind: &'static str,
    /// Made from the message's digest: nobody who writes a text knows it.
    boundary: String,
    more: &'a [&'a Attachment],
}

impl<'a> Multipart<'a> {
    const fn new(kind: &'static str, boundary: String, more: &'a [&'a Attachment]) -> Self {
        Self { kind, boundary, more }
    }
}

struct Writer<'a> {
    original: &'a dyn Parts,
    out: &'a mut dyn Write,
    losses: &'a mut Losses,
}

impl Writer<'_> {
    fn multipart(
        &mut self,
        multipart: &Multipart<'_>,
        first: impl FnOnce(&mut Self) -> Result<(), Unrendered>,
    ) -> Result<(), Unrendered> {
        if multipart.more.is_empty() {
            return first(self);
        }
        let boundary = &multipart.boundary;
        write!(self.out, "Content-Type: {};\r\n boundary=\"{boundary}\"\r\n", multipart.kind)?;
        if multipart.more.iter().any(|attachment| matches!(attachment.content, Content::Nested(_))) {
            write!(self.out, "Content-Transfer-Encoding: 8bit\r\n")?;
        }
        // The line end before a delimiter belongs to it; the first one is the header's blank line.
        write!(self.out, "\r\n--{boundary}\r\n")?;
        first(self)?;
        for attachment in multipart.more {
            write!(self.out, "\r\n--{boundary}\r\n")?;
            self.attachment(attachment)?;
        }
        Ok(write!(self.out, "\r\n--{boundary}--\r\n")?)
    }

    fn body(&mut self, body: &Body) -> Result<(), Unrendered> {
        write!(self.out, "Content-Type: {}; charset=utf-8\r\n", body.media_type)?;
        self.text(&body.text)
    }

    fn text(&mut self, text: &str) -> Result<(), Unrendered> {
        if stands_as_it_is(text) {
            Ok(write!(self.out, "Content-Transfer-Encoding: 7bit\r\n\r\n{text}")?)
        } else {
            self.base64(&mut text.as_bytes())
        }
    }

    fn attachment(&mut self, attachment: &Attachment) -> Result<(), Unrendered> {
        for field in part_fields(attachment) {
            write!(self.out, "{field}\r\n")?;
        }
        match &attachment.content {
            Content::File(part) => self.base64(&mut *self.original.open(part)?),
            Content::Nested(part) => self.nested(part),
            Content::Missing(sentence) => self.text(sentence),
        }
    }

    fn nested(&mut self, part: &str) -> Result<(), Unrendered> {
        write!(self.out, "Content-Transfer-Encoding: 8bit\r\n\r\n")?;
        let nested = filter::nested(&mut *self.original.open(part)?, self.out)?;
        self.losses.extend(nested.losses);
        Ok(())
    }

    fn base64(&mut self, content: &mut dyn Read) -> Result<(), Unrendered> {
        write!(self.out, "Content-Transfer-Encoding: base64\r\n\r\n")?;
        let mut buffer = vec![0; LINE * 1024];
        let mut line_end: &[u8] = b"";
        loop {
            let filled = filter::fill(content, &mut buffer)?;
            for line in buffer[..filled].chunks(LINE) {
                self.out.write_all(line_end)?;
                self.out.write_all(STANDARD.encode(line).as_bytes())?;
                line_end = b"\r\n";
            }
            if filled < buffer.len() {
                return Ok(());
            }
        }
    }
}

/// 7bit of RFC 2045 section 2.7: ASCII, lines of at most 998, no CR or LF alone.
fn stands_as_it_is(text: &str) -> bool {
    let calm = |line: &str| line.len() <= 998 && line.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    text.split("\r\n").all(calm)
}

fn part_fields(attachment: &Attachment) -> Vec<String> {
    let mut fields = vec![content_type(&attachment.media), disposition(attachment)];
    if let Some(id) = attachment.content_id.as_deref().filter(|id| is_id(id)) {
        fields.push(format!("Content-ID: <{}>", id.trim_matches(['<', '>'])));
    }
    if let Some(location) = attachment.content_location.as_deref().filter(|location| is_id(location)) {
        fields.push(format!("Content-Location: {location}"));
    }
    fields
}

fn content_type(media: &MediaType) -> String {
    let charset = media.charset.as_ref().map_or_else(String::new, |charset| format!("; charset={charset}"));
    format!("Content-Type: {}{charset}", media.name)
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn disposition(attachment: &Attachment) -> String {
    let mut field = Field::new("Content-Disposition");
    field.word(" ", if attachment.inline { "inline" } else { "attachment" });
    let mut parameters = match attachment.content {
        Content::Missing(_) => Vec::new(),
        Content::File(_) | Content::Nested(_) => parameter("filename", &attachment.name),
    };
    parameters.extend(attachment.modified.as_deref().and_then(date));
    for parameter in parameters {
        field.word("", ";");
        field.word(" ", &parameter);
    }
    field.finish()
}

fn date(modified: &str) -> Option<String> {
    let time: Timestamp = modified.parse().ok()?;
    let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).ok()?;
    Some(format!("modification-date=\"{}\"", date.replace("GMT", "+0000")))
}
