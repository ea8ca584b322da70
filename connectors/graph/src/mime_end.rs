//! Whether a MIME stream came to its own end: the outermost multipart closes. Memory does not grow with the message.
//!
//! The service cuts the connection while it streams large messages (microsoft-graph-docs#18439), sometimes so that
//! the stream still ends properly. RFC 2046 section 5.1.1: a multipart ends with `--boundary--` at the start of a line.

/// Longest header field kept while looking for the boundary; RFC 2046 limits a boundary to 70 characters.
const HEADER_KEPT: usize = 8 * 1024;
/// How much of a body line is kept: enough for `--` + boundary + `--`, and for the part header looked for.
const LINE_KEPT: usize = 160;
const RIGHTS_PROTECTED: &str = "application/x-microsoft-rpmsg-message";

/// What a finished stream looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MimeEnd {
    /// It is no multipart, or its outermost multipart closes.
    Whole,
    /// It is no multipart, and stops in the middle of a line: possible, and rare.
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
        let open_header = self.place == Place::Header && !self.line.is_empty();
        if self.seen == 0 || open_header {
            return MimeEnd::Cut;
        }
        self.end_line();
        match (&self.delimiter, self.closed, self.last) {
            (Some(_), true, _) | (None, _, Some(b'\n')) => MimeEnd::Whole,
            (Some(_), false, _) => MimeEnd::Cut,
            (None, ..) => MimeEnd::Doubtful,
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
            self.place = Place::Body;
        } else {
            self.field.extend_from_slice(&self.line);
        }
    }

    fn end_field(&mut self) {
        let field = String::from_utf8_lossy(&std::mem::take(&mut self.field)).into_owned();
        let Some((name, value)) = field.split_once(':') else { return };
        let name = name.trim_end();
        if name.eq_ignore_ascii_case("content-type") && self.delimiter.is_none() {
            self.delimiter = boundary(value).map(|boundary| format!("--{boundary}").into_bytes());
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

/// The `boundary` parameter of a multipart content type (RFC 2045 section 5.1), plain, quoted, or in the continued
/// form of RFC 2231.
fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let parameters = split_parameters(parameters);
    let plain = parameters.iter().find(|(name, _)| name == "boundary" || name == "boundary*");
    let found = plain.map_or_else(|| continued(&parameters), |(_, value)| value.clone());
    let found = found.trim_end().to_owned();
    (!found.is_empty()).then_some(found)
}

fn continued(parameters: &[(String, String)]) -> String {
    let part = |n: usize| {
        let (plain, encoded) = (format!("boundary*{n}"), format!("boundary*{n}*"));
        parameters.iter().find(|(name, _)| *name == plain || *name == encoded).map(|(_, value)| value.as_str())
    };
    (0..).map_while(part).collect()
}

/// Splits `a=b; c="d;e"` into names in lower case and values without quotes.
fn split_parameters(text: &str) -> Vec<(String, String)> {
    let (mut pieces, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for letter in text.chars() {
        let Some(piece) = pieces.last_mut() else { break };
        match letter {
            _ if escaped => (piece.push(letter), escaped = false).1,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => pieces.push(String::new()),
            _ => piece.push(letter),
        }
    }
    let split = |piece: &String| {
        piece.split_once('=').map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim_start().to_owned()))
    };
    pieces.iter().filter_map(split).collect()
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
    fn a_message_that_is_no_multipart_needs_a_finished_header_only() {
        assert_eq!(judge("Subject: a\r\n\r\nhello\r\n"), MimeEnd::Whole);
        assert_eq!(judge("Subject: a\r\n\r\nhello"), MimeEnd::Doubtful);
        assert_eq!(judge("Subject: a\r\n\r\n"), MimeEnd::Whole);
        assert_eq!(judge("Subject: a\r\n"), MimeEnd::Whole);
        assert_eq!(judge("Subject: a"), MimeEnd::Cut);
        assert_eq!(judge(""), MimeEnd::Cut);
    }

    #[test]
    fn boundaries_are_read_in_every_form() {
        assert_eq!(boundary(" multipart/mixed; boundary=abc").unwrap(), "abc");
        assert_eq!(boundary("Multipart/Mixed; charset=x; BOUNDARY=\"a;b\\\"c\"; y=z").unwrap(), "a;b\"c");
        assert_eq!(boundary("multipart/mixed; boundary*0=\"ab\"; boundary*1=\"cd\"").unwrap(), "abcd");
        assert_eq!(boundary("text/plain; boundary=abc"), None);
        assert_eq!(boundary("multipart/mixed"), None);
        assert_eq!(boundary("multipart/mixed; boundary=\"\""), None);
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
