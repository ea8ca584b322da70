//! Writing mail byte by byte. Mail libraries take boundaries from the clock and repair what is odd; here every byte
//! must be the same on every run, and odd things must stay odd.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The header of a mail, in the order given.
#[derive(Clone)]
pub(super) struct Head(Vec<(String, Vec<u8>)>);

impl Head {
    pub(super) fn new(lines: &[(&str, &str)]) -> Self {
        Self(lines.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect())
    }

    /// Replaces the first header of that name, or adds it at the end. The value is written as it is.
    pub(super) fn set(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        match self.0.iter_mut().find(|(there, _)| there.eq_ignore_ascii_case(name)) {
            Some((_, there)) => *there = value.as_ref().to_vec(),
            None => return self.add(name, value),
        }
        self
    }

    /// Adds a header at the end, even if one of that name is there.
    pub(super) fn add(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.0.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(there, _)| !there.eq_ignore_ascii_case(name));
        self
    }

    /// The mail: this header, then an entity (see [`part`] and [`multipart`]).
    pub(super) fn with(&self, entity: impl AsRef<[u8]>) -> Vec<u8> {
        let mut out = self.bytes();
        out.extend_from_slice(entity.as_ref());
        out
    }

    /// The header lines without the blank line that ends them.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let line = |(name, value): &(String, Vec<u8>)| [name.as_bytes(), b": ", value, b"\r\n"].concat();
        self.0.iter().flat_map(line).collect()
    }
}

/// A leaf: its `Content-*` lines (without the last line end), a blank line, and its body as it stands.
pub(super) fn part(content_lines: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    [content_lines.as_bytes(), b"\r\n\r\n", body.as_ref()].concat()
}

/// Text in UTF-8, quoted-printable; `subtype` is `plain`, `html`...
pub(super) fn text(subtype: &str, body: &str) -> Vec<u8> {
    let lines =
        format!("Content-Type: text/{subtype}; charset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable");
    part(&lines, quoted_printable(body.as_bytes()))
}

/// An attached file in base64.
pub(super) fn file(media_type: &str, name: &str, body: &[u8]) -> Vec<u8> {
    let lines = format!(
        "Content-Type: {media_type}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64"
    );
    part(&lines, base64(body))
}

/// A picture that the HTML refers to as `cid:` and its id.
pub(super) fn inline_image(name: &str, id: &str, body: &[u8]) -> Vec<u8> {
    let lines = format!(
        "Content-Type: image/png; name=\"{name}\"\r\nContent-Disposition: inline; filename=\"{name}\"\r\n\
         Content-ID: <{id}>\r\nContent-Transfer-Encoding: base64"
    );
    part(&lines, base64(body))
}

/// Several entities as one. `kind` is the subtype, with further parameters after a semicolon if it has any.
pub(super) fn multipart(kind: &str, boundary: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let (subtype, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    let parameters = if parameters.is_empty() { String::new() } else { format!(";{parameters}") };
    let mut out =
        format!("Content-Type: multipart/{subtype}; boundary=\"{boundary}\"{parameters}\r\n\r\n").into_bytes();
    for part in parts {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out
}

/// Base64 in lines of 76.
pub(super) fn base64(body: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(body).into_bytes();
    text.chunks(76).flat_map(|line| [line, b"\r\n"].concat()).collect()
}

/// Quoted-printable (RFC 2045 section 6.7) of text whose line ends are CRLF or LF.
pub(super) fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let lines = body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.map(quoted_line).collect::<Vec<_>>().join(&b"\r\n"[..])
}

fn quoted_line(line: &[u8]) -> Vec<u8> {
    let (mut out, mut column) = (Vec::new(), 0);
    for (at, byte) in line.iter().enumerate() {
        let blank_at_the_end = matches!(byte, b' ' | b'\t') && at + 1 == line.len();
        let plain = matches!(byte, b' ' | b'\t' | b'!'..=b'<' | b'>'..=b'~') && !blank_at_the_end;
        let coded = if plain { vec![*byte] } else { format!("={byte:02X}").into_bytes() };
        if column + coded.len() > 75 {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        column += coded.len();
        out.extend_from_slice(&coded);
    }
    out
}

/// A header value: as it is if it is ASCII, else as encoded-words of at most 75 characters (RFC 2047).
pub(super) fn words(value: &str) -> String {
    if value.is_ascii() {
        return value.to_owned();
    }
    let mut words: Vec<String> = vec![String::new()];
    for character in value.chars() {
        match words.last_mut() {
            Some(word) if word.len() + character.len_utf8() <= 42 => word.push(character),
            _ => words.push(character.into()),
        }
    }
    let coded = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    coded.collect::<Vec<_>>().join("\r\n ")
}

/// `Name <address>`, with the name as encoded-words where it needs them.
pub(super) fn mailbox(name: &str, address: &str) -> String {
    match name {
        "" => address.to_owned(),
        _ if name.is_ascii() => format!("\"{name}\" <{address}>"),
        _ => format!("{} <{address}>", words(name)),
    }
}
