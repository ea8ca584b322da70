//! The content of one part: transfer encoding and charset undone, hashed as it streams by.

use super::charset;
use encoding_rs::Decoder;

/// How the bytes of a part are carried (RFC 2045 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Base64,
    Quoted,
}

impl Coding {
    pub fn named(name: &str) -> Self {
        match name.trim().to_ascii_lowercase().as_str() {
            "base64" => Self::Base64,
            "quoted-printable" => Self::Quoted,
            _ => Self::Identity,
        }
    }
}

/// Takes the lines of a part and gives its digest.
pub(super) struct Content {
    coding: Coding,
    sink: Sink,
    /// The last line end is held back: before a boundary it belongs to the boundary.
    line_end_owed: bool,
    base64: Base64,
    quoted: Quoted,
}

impl Content {
    /// `charset` is given for text: none inside means that the part names none.
    pub fn new(coding: Coding, charset: Option<Option<&str>>) -> Self {
        let decoder = charset.and_then(charset::named).map(encoding_rs::Encoding::new_decoder_without_bom_handling);
        let sink =
            Sink { decoder, hasher: blake3::Hasher::new(), size: 0, after_cr: false, as_text: charset.is_some() };
        Self { coding, sink, line_end_owed: false, base64: Base64::default(), quoted: Quoted::default() }
    }

    /// A line, or a piece of one, without its line end; `ended` when the line end followed.
    pub fn line(&mut self, text: &[u8], ended: bool) {
        if self.line_end_owed {
            self.end_line();
        }
        match self.coding {
            Coding::Identity => self.sink.write(text),
            Coding::Base64 => self.base64.write(text, &mut self.sink),
            Coding::Quoted => self.quoted.write(text, &mut self.sink),
        }
        self.line_end_owed = ended;
    }

    fn end_line(&mut self) {
        match self.coding {
            Coding::Identity => self.sink.write(b"\n"),
            Coding::Base64 => {}
            Coding::Quoted => self.quoted.end_line(&mut self.sink),
        }
    }

    /// Bytes that were never encoded, as an attachment's own file.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.sink.write(bytes);
    }

    /// Size and digest; `at_boundary` when a boundary ended the part.
    pub fn finish(mut self, at_boundary: bool) -> (u64, [u8; 32]) {
        if self.line_end_owed && !at_boundary {
            self.end_line();
        }
        self.base64.finish(&mut self.sink);
        self.quoted.finish(&mut self.sink);
        self.sink.finish()
    }
}

struct Sink {
    decoder: Option<Decoder>,
    hasher: blake3::Hasher,
    size: u64,
    after_cr: bool,
    as_text: bool,
}

impl Sink {
    fn write(&mut self, bytes: &[u8]) {
        self.decode(bytes, false);
    }

    fn finish(mut self) -> (u64, [u8; 32]) {
        self.decode(b"", true);
        if self.after_cr {
            self.count(b"\r");
        }
        (self.size, *self.hasher.finalize().as_bytes())
    }

    fn decode(&mut self, mut bytes: &[u8], last: bool) {
        let Some(mut decoder) = self.decoder.take() else {
            return if self.as_text { self.text(bytes) } else { self.count(bytes) };
        };
        let mut text = [0; 4096];
        loop {
            let (result, read, written, _) = decoder.decode_to_utf8(bytes, &mut text, last);
            self.text(&text[..written]);
            bytes = &bytes[read..];
            if result == encoding_rs::CoderResult::InputEmpty {
                break;
            }
        }
        // A decoder that saw the end may not be used again.
        self.decoder = (!last).then_some(decoder);
    }

    /// CRLF counts as LF, a CR alone as itself.
    fn text(&mut self, mut bytes: &[u8]) {
        if self.after_cr && !bytes.is_empty() {
            if bytes[0] != b'\n' {
                self.count(b"\r");
            }
            self.after_cr = false;
        }
        while let Some(at) = memchr::memchr(b'\r', bytes) {
            self.count(&bytes[..at]);
            match bytes.get(at + 1) {
                None => {
                    self.after_cr = true;
                    return;
                }
                Some(b'\n') => {}
                Some(_) => self.count(b"\r"),
            }
            bytes = &bytes[at + 1..];
        }
        self.count(bytes);
    }

    fn count(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
    }
}

/// Base64 that forgives everything: foreign characters are passed over, a short end is taken as it is.
#[derive(Default)]
struct Base64 {
    bits: u32,
    digits: u8,
}

impl Base64 {
    fn write(&mut self, text: &[u8], sink: &mut Sink) {
        let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
        for &byte in text {
            match digit(byte) {
                Some(digit) => self.push(digit, &mut bytes),
                None if byte == b'=' => self.flush(&mut bytes),
                None => {}
            }
        }
        sink.write(&bytes);
    }

    fn push(&mut self, digit: u8, bytes: &mut Vec<u8>) {
        self.bits = self.bits << 6 | u32::from(digit);
        self.digits += 1;
        if self.digits == 4 {
            bytes.extend_from_slice(&self.bits.to_be_bytes()[1..]);
            (self.bits, self.digits) = (0, 0);
        }
    }

    fn flush(&mut self, bytes: &mut Vec<u8>) {
        let whole = usize::from(self.digits.saturating_sub(1));
        let padded = self.bits << (6 * (4 - u32::from(self.digits)));
        bytes.extend_from_slice(&padded.to_be_bytes()[1..=whole]);
        (self.bits, self.digits) = (0, 0);
    }

    fn finish(&mut self, sink: &mut Sink) {
        let mut bytes = Vec::new();
        self.flush(&mut bytes);
        sink.write(&bytes);
    }
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Quoted-printable; what is no escape stands for itself.
#[derive(Default)]
struct Quoted {
    /// `=` and at most one digit, waiting for what follows.
    held: Vec<u8>,
}

impl Quoted {
    fn write(&mut self, text: &[u8], sink: &mut Sink) {
        let mut bytes = Vec::with_capacity(text.len());
        for &byte in text {
            if self.held.is_empty() {
                if byte == b'=' {
                    self.held.push(byte)
                } else {
                    bytes.push(byte)
                }
                continue;
            }
            self.held.push(byte);
            if self.held.len() == 3 {
                match (hex(self.held[1]), hex(self.held[2])) {
                    (Some(high), Some(low)) => bytes.push(high << 4 | low),
                    _ => bytes.extend_from_slice(&self.held),
                }
                self.held.clear();
            }
        }
        sink.write(&bytes);
    }

    /// `=` and white space before the line end make a soft line break.
    fn end_line(&mut self, sink: &mut Sink) {
        let soft = self.held.first() == Some(&b'=') && self.held[1..].iter().all(|byte| matches!(byte, b' ' | b'\t'));
        if !soft {
            sink.write(&self.held);
            sink.write(b"\n");
        }
        self.held.clear();
    }

    fn finish(&mut self, sink: &mut Sink) {
        if self.held != b"=" {
            sink.write(&self.held);
        }
        self.held.clear();
    }
}

const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(coding: Coding, charset: Option<Option<&str>>, lines: &[&[u8]]) -> (u64, [u8; 32]) {
        let mut content = Content::new(coding, charset);
        for line in lines {
            content.line(line, true);
        }
        content.finish(true)
    }

    fn digest(bytes: &[u8]) -> (u64, [u8; 32]) {
        (bytes.len() as u64, *blake3::hash(bytes).as_bytes())
    }

    #[test]
    fn base64_is_forgiving() {
        assert_eq!(read(Coding::Base64, None, &[b"aGVs", b"bG8="]), digest(b"hello"));
        assert_eq!(read(Coding::Base64, None, &[b"aG Vs!bG8"]), digest(b"hello"));
        assert_eq!(read(Coding::Base64, None, &[b"aA==aQ=="]), digest(b"hi"));
    }

    #[test]
    fn quoted_printable_breaks_and_escapes() {
        assert_eq!(read(Coding::Quoted, None, &[b"a=", b"b=3Dc=", b""]), digest(b"ab=c"));
        assert_eq!(read(Coding::Quoted, None, &[b"a=4", b"=ZZ"]), digest(b"a=4\n=ZZ"));
    }

    #[test]
    fn text_is_compared_as_unicode() {
        assert_eq!(read(Coding::Quoted, Some(Some("iso-8859-1")), &[b"caf=E9"]), digest("café".as_bytes()));
        assert_eq!(read(Coding::Base64, Some(Some("utf-8")), &[b"Y2Fmw6kNCg=="]), digest("café\n".as_bytes()));
        assert_eq!(read(Coding::Identity, Some(Some("no-such")), &[b"caf\xe9"]), digest(b"caf\xe9"));
    }
}
