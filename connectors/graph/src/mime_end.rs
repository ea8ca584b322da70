//! Whether a MIME stream came to its own end. Memory does not grow with the message.
//!
//! The service cuts the connection while it streams large messages (microsoft-graph-docs#18439), sometimes so that
//! the stream still ends properly. A multipart ends with `--boundary--` at the start of a line (RFC 2046 section
//! 5.1.1), base64 with its padding or a short line. A text has no end of its own: of one that was cut at the end of a
//! line nothing tells but its size.

mod base64;
mod header;

use base64::{Base64End, Base64Watch};
use header::{boundary, media_type};

/// Longest header field kept while looking for the boundary; RFC 2046 limits a boundary to 70 characters.
const HEADER_KEPT: usize = 8 * 1024;
/// How much of a body line is kept: enough for `--` + boundary + `--`, and for the part header looked for.
const LINE_KEPT: usize = 160;
const RIGHTS_PROTECTED: &str = "application/x-microsoft-rpmsg-message";

/// What a finished stream looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MimeEnd {
    /// As only a whole message ends: its outermost multipart closes, its base64 is complete.
    Whole,
    /// A text that ends with a line: nothing speaks against it, and nothing for it.
    Likely,
    /// Within a line, a header or a group of base64 characters: possible where nothing was cut, and rare.
    Doubtful,
    /// It stops before its own end.
    Cut,
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// In the message's own header.
    Header,
    /// In the header of a direct part of the outermost multipart.
    PartHeader,
    Body,
}

/// How a body that is no multipart is written.
#[derive(Debug)]
enum Encoding {
    Plain,
    QuotedPrintable,
    Base64(Base64Watch),
}

impl Encoding {
    fn named(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "base64" => Self::Base64(Base64Watch::default()),
            "quoted-printable" => Self::QuotedPrintable,
            _ => Self::Plain,
        }
    }
}

/// Watches a message go by, in pieces of any size.
#[derive(Debug)]
pub struct MimeWatch {
    place: Place,
    /// The first bytes of the current line.
    line: Vec<u8>,
    /// Whether the current line had more bytes than were kept.
    clipped: bool,
    /// The header field being read, unfolded.
    field: Vec<u8>,
    /// `--boundary` of the outermost multipart.
    delimiter: Option<Vec<u8>>,
    encoding: Encoding,
    /// The message is nothing but another message, whose header follows.
    forwards: bool,
    /// The last line of a quoted-printable body ended with a soft break, which promises more (RFC 2045 section 6.7).
    soft: bool,
    closed: bool,
    protected: bool,
    seen: u64,
    last: Option<u8>,
}

impl Default for MimeWatch {
    fn default() -> Self {
        Self {
            place: Place::Header,
            line: Vec::new(),
            clipped: false,
            field: Vec::new(),
            delimiter: None,
            encoding: Encoding::Plain,
            forwards: false,
            soft: false,
            closed: false,
            protected: false,
            seen: 0,
            last: None,
        }
    }
}

impl MimeWatch {
    /// Takes the next piece.
    pub fn take(&mut self, mut piece: &[u8]) {
        self.seen += piece.len() as u64;
        self.last = piece.last().copied().or(self.last);
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            self.keep(&piece[..end]);
            self.end_line();
            piece = &piece[end + 1..];
        }
        self.keep(piece);
    }

    /// The verdict, once the stream has ended properly.
    pub fn end(mut self) -> MimeEnd {
        let in_header = self.place == Place::Header;
        if self.seen == 0 || (in_header && !self.line.is_empty()) {
            return MimeEnd::Cut;
        }
        if in_header {
            self.end_field();
        }
        let line_ended = self.last == Some(b'\n');
        let base64 = if let Encoding::Base64(watch) = &self.encoding { watch.end() } else { Base64End::Other };
        if !line_ended {
            self.end_line();
        }
        match (&self.delimiter, base64) {
            (Some(_), _) if self.closed => MimeEnd::Whole,
            (Some(_), _) => MimeEnd::Cut,
            (None, Base64End::Whole) if !in_header => MimeEnd::Whole,
            (None, Base64End::Other) if !in_header && line_ended && !self.soft => MimeEnd::Likely,
            (None, _) => MimeEnd::Doubtful,
        }
    }

    /// Whether rights management encrypted the message: an outermost part is `application/x-microsoft-rpmsg-message`,
    /// or the header says `Content-Class: rpmsg.message`.
    pub fn protected(&self) -> bool {
        self.protected
    }

    /// Bytes seen so far.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    fn keep(&mut self, bytes: &[u8]) {
        let limit = if self.place == Place::Header { HEADER_KEPT } else { LINE_KEPT };
        if let (Place::Body, Encoding::Base64(watch)) = (&self.place, &mut self.encoding) {
            watch.take(bytes);
        }
        let room = limit.saturating_sub(self.line.len());
        self.clipped |= bytes.len() > room;
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end_line(&mut self) {
        if !self.clipped && self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        match self.place {
            Place::Header => self.end_header_line(),
            Place::PartHeader => self.end_part_header_line(),
            Place::Body => self.end_body_line(),
        }
        self.line.clear();
        self.clipped = false;
    }

    fn end_header_line(&mut self) {
        let folded = matches!(self.line.first(), Some(b' ' | b'\t'));
        if folded {
            let room = HEADER_KEPT.saturating_sub(self.field.len());
            self.field.extend_from_slice(&self.line[..self.line.len().min(room)]);
            return;
        }
        self.end_field();
        if self.line.is_empty() {
            self.end_header();
        } else {
            self.field.extend_from_slice(&self.line);
        }
    }

    /// A message that is nothing but another message goes on with that one's header.
    fn end_header(&mut self) {
        if std::mem::take(&mut self.forwards) {
            self.encoding = Encoding::Plain;
        } else {
            self.place = Place::Body;
        }
    }

    fn end_field(&mut self) {
        let field = String::from_utf8_lossy(&std::mem::take(&mut self.field)).into_owned();
        let Some((name, value)) = field.split_once(':') else { return };
        let name = name.trim_end();
        if name.eq_ignore_ascii_case("content-type") && self.delimiter.is_none() {
            self.delimiter = boundary(value).map(|boundary| format!("--{boundary}").into_bytes());
            self.forwards = media_type(value) == "message/rfc822";
        }
        if name.eq_ignore_ascii_case("content-transfer-encoding") {
            self.encoding = Encoding::named(value.trim());
        }
        let class = name.eq_ignore_ascii_case("content-class");
        self.protected |= class && value.trim().eq_ignore_ascii_case("rpmsg.message");
    }

    fn end_part_header_line(&mut self) {
        let line = String::from_utf8_lossy(&self.line).to_ascii_lowercase();
        self.protected |= line.starts_with("content-type:") && line.contains(RIGHTS_PROTECTED);
        if line.is_empty() {
            self.place = Place::Body;
        } else {
            self.end_body_line();
        }
    }

    fn end_body_line(&mut self) {
        match &mut self.encoding {
            Encoding::Base64(watch) => watch.end_line(),
            Encoding::QuotedPrintable => self.soft = self.line.ends_with(b"="),
            Encoding::Plain => {}
        }
        let Some(after) = self.delimiter.as_ref().and_then(|delimiter| self.line.strip_prefix(delimiter.as_slice()))
        else {
            return;
        };
        if after.starts_with(b"--") {
            self.closed = true;
        } else if after.trim_ascii().is_empty() && !self.closed {
            self.place = Place::PartHeader;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn judge(message: &str) -> MimeEnd {
        let verdicts: Vec<MimeEnd> = [1, 2, 7, 4096]
            .into_iter()
            .map(|size| {
                let mut watch = MimeWatch::default();
                message.as_bytes().chunks(size).for_each(|piece| watch.take(piece));
                watch.end()
            })
            .collect();
        assert!(verdicts.windows(2).all(|pair| pair[0] == pair[1]), "the size of the pieces changed the verdict");
        verdicts[0]
    }

    const OPEN: &str =
        "Subject: a\r\nContent-Type: multipart/mixed;\r\n\tboundary=\"b=1\"\r\n\r\n--b=1\r\n\r\nhello\r\n";

    #[test]
    fn a_closed_multipart_is_whole_and_an_open_one_is_cut() {
        assert_eq!(judge(OPEN), MimeEnd::Cut);
        assert_eq!(judge(&format!("{OPEN}--b=1--\r\n")), MimeEnd::Whole);
        assert_eq!(judge(&format!("{OPEN}--b=1--")), MimeEnd::Whole);
        assert_eq!(judge(&format!("{OPEN}--b=1-")), MimeEnd::Cut);
        assert_eq!(judge(&format!("{OPEN}--b=1--  \r\nepilogue")), MimeEnd::Whole);
    }

    #[test]
    fn only_the_outermost_multipart_counts() {
        let nested = "Content-Type: multipart/mixed; boundary=out\n\n--out\nContent-Type: multipart/alternative; \
                      boundary=outer\n\n--outer\n\nx\n--outer--\n";
        assert_eq!(judge(nested), MimeEnd::Cut);
        assert_eq!(judge(&format!("{nested}--out--\n")), MimeEnd::Whole);
    }

    #[test]
    fn a_text_shows_its_end_only_by_ending_a_line() {
        assert_eq!(judge("Subject: a\r\n\r\nhello\r\n"), MimeEnd::Likely);
        assert_eq!(judge("Subject: a\r\n\r\nhello"), MimeEnd::Doubtful);
        assert_eq!(judge("Subject: a\r\n\r\n"), MimeEnd::Likely);
        assert_eq!(judge("Subject: a\r\n"), MimeEnd::Doubtful);
        assert_eq!(judge("Subject: a"), MimeEnd::Cut);
        assert_eq!(judge(""), MimeEnd::Cut);
        let quoted = "Content-Transfer-Encoding: quoted-printable\r\n\r\nhello =\r\n";
        assert_eq!(judge(quoted), MimeEnd::Doubtful);
        assert_eq!(judge(&format!("{quoted}there\r\n")), MimeEnd::Likely);
    }

    /// Wherever such a message is cut, it is noticed.
    fn no_beginning_passes(message: &str) {
        assert_eq!(judge(message), MimeEnd::Whole);
        let end = message.trim_end().len();
        for cut in 0..end {
            let verdict = judge(&message[..cut]);
            assert!(matches!(verdict, MimeEnd::Doubtful | MimeEnd::Cut), "{verdict:?}: {:?}", &message[..cut]);
        }
    }

    #[test]
    fn no_beginning_of_a_multipart_or_of_a_base64_body_passes_for_the_whole() {
        let full = "QUJD".repeat(19);
        let base64 = "Subject: a\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: Base64\r\n\r\n";
        no_beginning_passes(&format!("{base64}{full}\r\n{full}\r\nQUI=\r\n"));
        no_beginning_passes(&format!("{OPEN}--b=1--\r\n"));
        let head = "Subject: outer\r\nContent-Type: message/rfc822\r\n\r\n";
        no_beginning_passes(&format!("{head}{OPEN}--b=1--\r\n"));
        assert_eq!(judge(&format!("{head}Subject: inner\r\n\r\nhello\r\n")), MimeEnd::Likely);
        let mislabelled = "Content-Transfer-Encoding: base64\r\n\r\nPlain words, all the same.\r\n";
        assert_eq!(judge(mislabelled), MimeEnd::Likely);
    }

    #[test]
    fn rights_protection_is_seen_in_an_outermost_part_and_not_in_a_text() {
        let watch = |text: &str| {
            let mut watch = MimeWatch::default();
            watch.take(text.as_bytes());
            watch.protected()
        };
        let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
        assert!(watch(&format!(
            "{head}Content-Type: application/x-microsoft-rpmsg-message; name=message.rpmsg\r\n\r\n"
        )));
        assert!(!watch(&format!("{head}\r\nContent-Type: application/x-microsoft-rpmsg-message\r\n")));
        assert!(watch("content-class: rpmsg.message\r\n\r\n"));
    }

    #[test]
    fn endless_lines_do_not_grow_memory() {
        let mut watch = MimeWatch::default();
        watch.take(OPEN.as_bytes());
        for _ in 0..10_000 {
            watch.take(&[b'x'; 1000]);
        }
        assert!(watch.line.capacity() <= 4 * HEADER_KEPT);
        assert_eq!(watch.end(), MimeEnd::Cut);
    }
}
