//! The Message-ID of a rendering, read while it is written.

use super::filter;
use memchr::memmem;
use std::io::{self, Write};

/// A longer header is not searched: the rendering is then known by its bytes alone.
const BOUND: usize = 64 * 1024;

/// Passes everything on and keeps the header.
pub(super) struct Watched<'a> {
    out: &'a mut dyn Write,
    header: Vec<u8>,
    over: bool,
}

impl<'a> Watched<'a> {
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, header: Vec::new(), over: false }
    }

    /// The one Message-ID that reads the same everywhere, if the rendering has one.
    pub fn message_id(&self) -> Option<String> {
        let mut ids = filter::fields(&self.header).filter_map(|field| value_of(field, b"message-id"));
        let id = ids.next().filter(|_| ids.next().is_none())?;
        is_usual(&id).then_some(id)
    }

    fn watch(&mut self, bytes: &[u8]) {
        if self.over {
            return;
        }
        // A blank line may lie across two writes.
        let from = self.header.len().saturating_sub(3);
        self.header.extend_from_slice(&bytes[..bytes.len().min(BOUND)]);
        let fresh = &self.header[from..];
        let end = [&b"\n\r\n"[..], b"\n\n"].iter().filter_map(|blank| memmem::find(fresh, blank)).min();
        if let Some(end) = end {
            self.header.truncate(from + end + 1);
        }
        self.over = end.is_some() || self.header.len() >= BOUND;
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.watch(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The value of a field of this name, unfolded.
fn value_of(field: &[u8], wanted: &[u8]) -> Option<String> {
    let colon = field.iter().position(|byte| *byte == b':')?;
    let (name, value) = (field[..colon].trim_ascii(), &field[colon + 1..]);
    let text = String::from_utf8_lossy(value);
    name.eq_ignore_ascii_case(wanted).then(|| text.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
}

/// RFC 5322 `msg-id` in its plain form: servers and people write others in many ways.
fn is_usual(id: &str) -> bool {
    let inner = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or_default();
    let odd = |byte: u8| !byte.is_ascii_graphic() || b"<>()\"\\,;".contains(&byte);
    !inner.is_empty() && inner.len() < 900 && !inner.bytes().any(odd)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(message: &str, piece: usize) -> Option<String> {
        let mut sink = io::sink();
        let mut watched = Watched::new(&mut sink);
        message.as_bytes().chunks(piece).for_each(|chunk| watched.write_all(chunk).unwrap());
        watched.message_id()
    }

    #[test]
    fn the_one_plain_id_of_the_header_is_told() {
        let cases = [
            ("Subject: a\r\nMessage-Id:\r\n <a@b>\r\n\r\nMessage-ID: <body@b>\r\n", Some("<a@b>")),
            ("MESSAGE-ID: <a@b>\n\nbody", Some("<a@b>")),
            ("Message-ID: <a@b>\r\nMessage-ID: <c@d>\r\n\r\n", None),
            ("Message-ID: <a b@c>\r\n\r\n", None),
            ("Message-ID: a@c\r\n\r\n", None),
            ("Subject: none\r\n\r\nMessage-ID: <a@b>\r\n", None),
            ("Message-ID: <last@line>", Some("<last@line>")),
        ];
        for (message, expected) in cases {
            for piece in [1, 2, 7, 4096] {
                assert_eq!(read(message, piece).as_deref(), expected, "{message:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_header_without_end_is_not_kept() {
        let long = format!("Message-ID: <a@b>\r\nX: {}", "x".repeat(200_000));
        let mut sink = io::sink();
        let mut watched = Watched::new(&mut sink);
        long.as_bytes().chunks(1000).for_each(|chunk| watched.write_all(chunk).unwrap());
        assert!(watched.header.len() <= BOUND + 1000);
    }
}
