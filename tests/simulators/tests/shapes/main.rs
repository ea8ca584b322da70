//! Every hostile mail is what its name claims.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bodies;
mod heads;
mod special;

use std::collections::BTreeSet;

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
use transhume_simulators::dump::Content;
use transhume_simulators::seed::{hostile_mails, mime_view};

/// More than this is looked at by its beginning and end only.
const SMALL: u64 = 1_000_000;

/// A mail under test.
pub struct Seen {
    pub raw: Vec<u8>,
    pub content: Content,
}

impl Seen {
    fn new(content: Content) -> Self {
        let raw = if content.len() < SMALL { content.to_bytes().to_vec() } else { Vec::new() };
        Self { raw, content }
    }

    pub fn has(&self, bytes: impl AsRef<[u8]>) -> bool {
        self.count(bytes) > 0
    }

    pub fn count(&self, bytes: impl AsRef<[u8]>) -> usize {
        let bytes = bytes.as_ref();
        self.raw.windows(bytes.len()).filter(|window| *window == bytes).count()
    }

    pub fn starts(&self, bytes: impl AsRef<[u8]>) -> bool {
        self.raw.starts_with(bytes.as_ref())
    }

    pub fn ends(&self, bytes: impl AsRef<[u8]>) -> bool {
        self.raw.ends_with(bytes.as_ref())
    }

    /// The longest line, without its end.
    pub fn width(&self) -> usize {
        self.raw.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line).len()).max().unwrap()
    }

    /// What follows the first blank line.
    pub fn body(&self) -> &[u8] {
        let at = self.raw.windows(4).position(|window| window == b"\r\n\r\n").expect("a blank line");
        &self.raw[at + 4..]
    }

    /// What precedes it.
    pub fn head(&self) -> &[u8] {
        &self.raw[..self.raw.len() - self.body().len() - 2]
    }

    /// The value of the first header of that name, as it stands.
    pub fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.headers(name).into_iter().next()
    }

    pub fn headers(&self, name: &str) -> Vec<Vec<u8>> {
        let head = format!("\r\n{}", String::from_utf8_lossy(self.head()));
        let unfolded = head.replace("\r\n ", "\u{0} ").replace("\r\n\t", "\u{0}\t");
        let lines = unfolded.split("\r\n").filter_map(|line| line.split_once(": "));
        let named = lines.filter(|(there, _)| there.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.replace('\u{0}', "\r\n").into_bytes()).collect()
    }

    pub fn parsed<T>(&self, look: impl FnOnce(&Message<'_>) -> T) -> T {
        look(&MessageParser::default().parse(&self.raw).expect("mail-parser reads it"))
    }

    pub fn subject(&self) -> String {
        self.parsed(|mail| mail.subject().unwrap_or_default().to_owned())
    }

    pub fn date(&self) -> Option<i64> {
        self.parsed(|mail| mail.date().filter(|date| date.is_valid()).map(mail_parser::DateTime::to_timestamp))
    }

    /// The media type of the whole and of each part, in order.
    pub fn types(&self) -> Vec<String> {
        let name =
            |kind: &mail_parser::ContentType<'_>| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default());
        self.parsed(|mail| mail.parts.iter().map(|part| part.content_type().map(name).unwrap_or_default()).collect())
    }

    /// How deep multiparts and embedded messages go.
    pub fn depth(&self) -> usize {
        self.parsed(|mail| below(mail, 0))
    }

    pub fn attachments(&self) -> Vec<mime_view::Attachment> {
        mime_view::attachments(&self.raw)
    }
}

fn below(mail: &Message<'_>, id: u32) -> usize {
    match &mail.part(id).unwrap().body {
        PartType::Multipart(parts) => 1 + parts.iter().map(|part| below(mail, *part)).max().unwrap_or(0),
        PartType::Message(inner) => 1 + below(inner, 0),
        _ => 0,
    }
}

#[test]
fn every_shape_is_what_its_name_claims() {
    let checks = [bodies::check, heads::check, special::check];
    let mut wrong = Vec::new();
    for shape in hostile_mails() {
        let seen = Seen::new(shape.mime);
        let verdict = checks.iter().find_map(|check| check(shape.name, &seen));
        if !verdict.unwrap_or_else(|| panic!("no check for {}", shape.name)) {
            wrong.push(shape.name);
        }
    }
    assert!(wrong.is_empty(), "not what they claim: {wrong:?}");
}

#[test]
fn names_are_unique_and_mails_are_the_same_each_time() {
    let (first, second) = (hostile_mails(), hostile_mails());
    assert_eq!(first.iter().map(|shape| shape.name).collect::<BTreeSet<_>>().len(), first.len());
    assert!(first.iter().zip(&second).all(|(a, b)| a.name == b.name && a.mime.len() == b.mime.len()));
    let small = first.iter().zip(&second).filter(|(a, _)| a.mime.len() < SMALL);
    assert!(small.into_iter().all(|(a, b)| a.mime == b.mime));
}

/// But for the shapes whose names say otherwise, lines end in CRLF, as the service hands them out.
#[test]
fn other_lines_end_in_crlf() {
    let excepted = ["bare-", "cr-cr-lf-", "encoding-binary", "every-byte", "quoted-printable-bare-lf"];
    for shape in hostile_mails() {
        if shape.mime.len() > SMALL || excepted.iter().any(|start| shape.name.starts_with(start)) {
            continue;
        }
        let raw = shape.mime.to_bytes();
        let ends = raw.windows(2).filter(|pair| *pair == b"\r\n").count();
        let single = |byte: u8| raw.iter().filter(|there| **there == byte).count();
        assert_eq!((single(b'\n'), single(b'\r')), (ends, ends), "{}", shape.name);
    }
}
