//! A header block, read field by field.

use super::{charset, walk::bare};
use mail_parser::{Address, Header, HeaderName, HeaderValue, MessageParser};

/// What the header of one part says of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Described {
    pub kind: String,
    pub boundary: Option<String>,
    pub charset: Option<String>,
    pub coding: String,
    pub name: String,
    pub id: String,
}

impl Default for Described {
    fn default() -> Self {
        Self {
            kind: "text/plain".to_owned(),
            boundary: None,
            charset: None,
            coding: String::new(),
            name: String::new(),
            id: String::new(),
        }
    }
}

/// Fields that carry MIME structure: they are compared by what they describe.
const STRUCTURE: [&str; 7] = [
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "content-id",
    "content-length",
    "lines",
];

/// Whether the block is a header at all: it has fields, and it begins with one or they prevail.
pub(super) fn is_header(block: &[u8]) -> bool {
    // A continuation of nothing speaks neither for nor against.
    let lines = unfolded(block).into_iter().filter(|line| !line.starts_with([' ', '\t']));
    let proper: Vec<bool> = lines.map(|line| name_of(&line).is_some()).collect();
    let count = proper.iter().filter(|&&proper| proper).count();
    count > 0 && (proper.first() == Some(&true) || count > proper.len() - count)
}

/// Name in lower case and decoded value of every field, and what they say of the content. A line that is no field
/// counts as one named `x-invalid-header`.
pub(super) fn read(block: &[u8]) -> (Vec<(String, String)>, Described) {
    let mut fields = Vec::new();
    let mut described = Described::default();
    for line in unfolded(block) {
        let (name, value) = name_of(&line).unwrap_or(("x-invalid-header", line.as_str()));
        let name = name.to_ascii_lowercase();
        if STRUCTURE.contains(&name.as_str()) {
            describe(&mut described, &name, value);
        } else {
            let decoded = decoded(&name, value);
            fields.push((name, decoded));
        }
    }
    (fields, described)
}

/// Lines with their continuations, without NUL, decoded to characters; the blank line and mbox lines are left out. A
/// name ends with its line: what has no colon before its first fold keeps that fold, so that none is read into it.
fn unfolded(block: &[u8]) -> Vec<String> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in block.split_inclusive(|&byte| byte == b'\n') {
        let line = bare(line);
        match lines.last_mut().filter(|_| matches!(line.first(), Some(b' ' | b'\t'))) {
            Some(last) => {
                if !last.contains(&b':') {
                    last.push(b'\n');
                }
                last.extend_from_slice(line);
            }
            None => lines.push(line.to_vec()),
        }
    }
    lines.retain(|line| line.iter().any(|&byte| byte != b'\r') && !line.starts_with(b"From "));
    lines.iter().map(|line| charset::header(line).into_owned()).collect()
}

fn name_of(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_end_matches([' ', '\t']);
    (!name.is_empty() && name.len() < 998 && name.bytes().all(|byte| byte.is_ascii_graphic())).then_some((name, value))
}

/// One field through the parser by itself, so that no field can hide the next.
fn parsed(name: &str, value: &str, then: impl FnOnce(&Header<'_>) -> String) -> Option<String> {
    let text = format!("{name}: {}\r\n\r\n", value.trim());
    let parser = MessageParser::new()
        .with_address_headers()
        .header_content_type(HeaderName::ContentType)
        .header_content_type(HeaderName::ContentDisposition)
        .default_header_text();
    parser.parse_headers(text.as_bytes())?.headers().first().map(then)
}

fn decoded(name: &str, value: &str) -> String {
    parsed(name, value, |header| match &header.value {
        HeaderValue::Address(address) => addresses(address),
        HeaderValue::Text(text) => squeezed(text),
        HeaderValue::TextList(texts) => squeezed(&texts.join(" ")),
        HeaderValue::DateTime(_) | HeaderValue::ContentType(_) | HeaderValue::Received(_) | HeaderValue::Empty => {
            squeezed(value)
        }
    })
    .unwrap_or_else(|| squeezed(value))
}

/// Folding and runs of white space do not count.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn addresses(address: &Address<'_>) -> String {
    let one = |addr: &mail_parser::Addr<'_>| {
        let name = addr.name.as_deref().map(squeezed).unwrap_or_default();
        format!("{name} <{}>", addr.address.as_deref().unwrap_or_default()).trim_start().to_owned()
    };
    let many = |list: &[mail_parser::Addr<'_>]| list.iter().map(one).collect::<Vec<_>>().join(", ");
    match address {
        Address::List(list) => many(list),
        Address::Group(groups) => {
            let group = |group: &mail_parser::Group<'_>| match &group.name {
                Some(name) => format!("{}: {};", squeezed(name), many(&group.addresses)),
                None => many(&group.addresses),
            };
            groups.iter().map(group).collect::<Vec<_>>().join(", ")
        }
    }
}

fn describe(described: &mut Described, name: &str, value: &str) {
    match name {
        "content-type" => content_type(described, value),
        "content-transfer-encoding" => described.coding = value.trim().to_owned(),
        "content-id" => described.id = value.trim().trim_matches(['<', '>']).to_owned(),
        "content-disposition" => {
            let file_name = parsed(name, value, |header| attribute(header, "filename"));
            described.name = file_name.filter(|name| !name.is_empty()).unwrap_or(std::mem::take(&mut described.name));
        }
        _ => {}
    }
}

fn content_type(described: &mut Described, value: &str) {
    let mut boundary = String::new();
    let mut charset = String::new();
    let mut name = String::new();
    let kind = parsed("content-type", value, |header| {
        boundary = attribute(header, "boundary");
        charset = attribute(header, "charset");
        name = attribute(header, "name");
        let kind = header.value.as_content_type().map(|kind| (kind.ctype(), kind.subtype().unwrap_or_default()));
        kind.map_or_else(String::new, |(kind, subtype)| format!("{kind}/{subtype}").to_ascii_lowercase())
    });
    if let Some(kind) = kind.filter(|kind| kind.len() > 2) {
        described.kind = kind.trim_end_matches('/').to_owned();
    }
    described.boundary = (!boundary.is_empty()).then_some(boundary);
    described.charset = (!charset.is_empty()).then_some(charset);
    if described.name.is_empty() {
        described.name = name;
    }
}

fn attribute(header: &Header<'_>, name: &str) -> String {
    let found = header.value.as_content_type().and_then(|kind| kind.attribute(name));
    found.map(squeezed).unwrap_or_default()
}
