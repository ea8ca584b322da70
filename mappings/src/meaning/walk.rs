//! A message, walked line by line, with the boundaries that are open.

use super::content::{Coding, Content};
use super::fields::{self, Described};
use super::{Field, MailMeaning, Part};
use std::io::{self, Read};

/// Pieces longer lines are cut into. A boundary has at most 70 characters (RFC 2046 section 5.1.1).
const PIECE: usize = 8 * 1024;
/// A longer header is taken to end here.
const HEADER: usize = 5 * 1024 * 1024;
/// Deeper nesting is not taken apart; Exchange nests 30 deep at most.
const DEPTH: usize = 64;
/// After so many parts the rest is one, and after so many fields too, so that no message makes us hold more than its
/// size allows.
const PARTS: usize = 10_000;
const FIELDS: usize = 50_000;

/// Where the rest stands.
const REST: &str = "rest";

pub(super) struct Walk {
    open: Vec<Multipart>,
    now: Now,
    meaning: MailMeaning,
    line: Vec<u8>,
    at_line_start: bool,
}

struct Multipart {
    boundary: Vec<u8>,
    at: String,
    parts: usize,
    digest: bool,
}

enum Now {
    /// In the header of the part `at`; of a whole message when `message` is set.
    Header {
        at: String,
        message: bool,
        block: Vec<u8>,
        fallback: &'static str,
    },
    Content {
        part: Part,
        content: Box<Content>,
    },
    /// Before the first boundary of a multipart or after its last.
    Between,
}

impl Walk {
    pub fn new(at: String) -> Self {
        let now = Now::Header { at, message: true, block: Vec::new(), fallback: "text/plain" };
        let meaning = MailMeaning { complete: true, ..MailMeaning::default() };
        Self { open: Vec::new(), now, meaning, line: Vec::new(), at_line_start: true }
    }

    pub fn read(&mut self, bytes: &mut dyn Read) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match bytes.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => self.take(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub fn finish(mut self) -> MailMeaning {
        if !self.line.is_empty() {
            self.piece(false);
        }
        self.end_header();
        self.end_part(false);
        self.meaning
    }

    fn take(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            for piece in line.chunks(PIECE) {
                self.line.extend(piece.iter().filter(|&&byte| byte != 0));
                let ended = self.line.last() == Some(&b'\n');
                if ended || self.line.len() >= PIECE {
                    self.piece(ended);
                }
            }
        }
    }

    fn piece(&mut self, ended: bool) {
        let mut line = std::mem::take(&mut self.line);
        let at_start = std::mem::replace(&mut self.at_line_start, ended);
        let boundary = if at_start { self.boundary(&line) } else { None };
        match boundary {
            Some((level, last)) => self.cross(level, last),
            None => self.text(&line, at_start, ended),
        }
        line.clear();
        self.line = line;
    }

    /// Which open multipart this line is a boundary of, and whether it is the closing one.
    fn boundary(&self, line: &[u8]) -> Option<(usize, bool)> {
        let after_dashes = line.strip_prefix(b"--")?;
        let is_end = |rest: &[u8]| rest.iter().all(u8::is_ascii_whitespace);
        self.open.iter().enumerate().rev().find_map(|(level, multipart)| {
            let rest = after_dashes.strip_prefix(multipart.boundary.as_slice())?;
            let closing = rest.strip_prefix(b"--").is_some_and(is_end);
            (closing || is_end(rest)).then_some((level, closing))
        })
    }

    fn cross(&mut self, level: usize, last: bool) {
        self.end_header();
        self.end_part(true);
        self.open.truncate(if last { level } else { level + 1 });
        if let Some(multipart) = self.open.last_mut().filter(|_| !last) {
            multipart.parts += 1;
            let at = join(&multipart.at, multipart.parts);
            let fallback = if multipart.digest { "message/rfc822" } else { "text/plain" };
            self.now = Now::Header { at, message: false, block: Vec::new(), fallback };
        }
    }

    fn text(&mut self, line: &[u8], at_start: bool, ended: bool) {
        let bare = bare(line);
        match &mut self.now {
            Now::Between => {}
            Now::Content { content, .. } => content.line(bare, ended),
            Now::Header { block, .. } => {
                block.extend_from_slice(line);
                if (at_start && ended && bare.is_empty()) || block.len() > HEADER {
                    self.end_header();
                }
            }
        }
    }

    /// Begins the content, if a header was being read.
    fn end_header(&mut self) {
        match std::mem::replace(&mut self.now, Now::Between) {
            Now::Header { at, message, block, fallback } => self.header(at, message, fallback, &block),
            other => self.now = other,
        }
    }

    fn header(&mut self, at: String, message: bool, fallback: &str, block: &[u8]) {
        if message && !fields::is_header(block) {
            return self.without_header(&at, block);
        }
        let (fields, mut described) = fields::read(block);
        if message {
            fields.into_iter().for_each(|(name, value)| self.field(Field { at: at.clone(), name, value }));
        } else if described == Described::default() {
            described.kind = fallback.to_owned();
        }
        self.begin(at, message, described);
    }

    /// A message that begins with its text.
    fn without_header(&mut self, at: &str, block: &[u8]) {
        self.begin(at.to_owned(), true, Described::default());
        if let Now::Content { content, .. } = &mut self.now {
            let text = if is_blank_line(block) { b"" } else { block };
            for line in text.split_inclusive(|&byte| byte == b'\n') {
                content.line(bare(line), line.ends_with(b"\n"));
            }
        }
    }

    fn begin(&mut self, at: String, message: bool, described: Described) {
        let coding = Coding::named(&described.coding);
        let may_open = self.open.len() < DEPTH && self.meaning.parts.len() < PARTS;
        let multipart = described.boundary.as_ref().filter(|_| described.kind.starts_with("multipart/") && may_open);
        if let Some(boundary) = multipart {
            let digest = described.kind == "multipart/digest";
            // Trailing white space is no part of a boundary.
            self.open.push(Multipart { boundary: boundary.trim_end().as_bytes().to_vec(), at, parts: 0, digest });
        } else if described.kind == "message/rfc822" && coding == Coding::Identity && may_open && !message {
            self.now = Now::Header { at, message: true, block: Vec::new(), fallback: "text/plain" };
        } else {
            self.now = Self::content(if message { join(&at, 1) } else { at }, coding, described);
        }
    }

    fn content(at: String, coding: Coding, described: Described) -> Now {
        let is_text = described.kind.starts_with("text/");
        let content = Content::new(coding, is_text.then_some(described.charset.as_deref()));
        let Described { kind, name, id, .. } = described;
        Now::Content { part: Part { at, kind, name, id, size: 0, digest: [0; 32] }, content: Box::new(content) }
    }

    fn end_part(&mut self, at_boundary: bool) {
        if let Now::Content { mut part, content } = std::mem::replace(&mut self.now, Now::Between) {
            (part.size, part.digest) = content.finish(at_boundary);
            self.part(part);
        }
    }

    fn part(&mut self, part: Part) {
        let count = self.meaning.parts.len();
        match self.meaning.parts.last_mut().filter(|last| last.at == REST) {
            Some(rest) => {
                rest.size += part.size;
                rest.digest = *blake3::hash(&[rest.digest, part.digest].concat()).as_bytes();
            }
            None if count == PARTS => self.meaning.parts.push(Part { at: REST.to_owned(), ..part }),
            None => self.meaning.parts.push(part),
        }
    }

    fn field(&mut self, field: Field) {
        let count = self.meaning.fields.len();
        match self.meaning.fields.last_mut().filter(|last| last.at == REST) {
            Some(rest) => rest.value = blake3::hash(format!("{rest:?}{field:?}").as_bytes()).to_string(),
            None if count == FIELDS => self.meaning.fields.push(Field { at: REST.to_owned(), ..field }),
            None => self.meaning.fields.push(field),
        }
    }
}

fn is_blank_line(block: &[u8]) -> bool {
    block.ends_with(b"\n") && bare(block).is_empty()
}

pub(super) fn join(at: &str, number: usize) -> String {
    if at.is_empty() { number.to_string() } else { format!("{at}.{number}") }
}

/// The line without its end: however many CRs stand before an LF, they are one line end with it.
pub(super) fn bare(line: &[u8]) -> &[u8] {
    let Some(text) = line.strip_suffix(b"\n") else { return line };
    let end = text.iter().rposition(|&byte| byte != b'\r').map_or(0, |last| last + 1);
    &text[..end]
}
