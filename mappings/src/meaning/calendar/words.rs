//! Texts as they are compared.

use std::io::{self, Read};

/// Line ends as LF, no other control characters, no white space around.
pub(in crate::meaning) fn plain(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    kept.trim().to_owned()
}

/// Letters and digits alone: for names, and for texts whose layout does not count.
pub(in crate::meaning) fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// HTML as text. A `<` that begins no tag is one, which the library takes for a tag (seen with mail-parser 0.11.9).
pub(in crate::meaning) fn html_read(html: &str) -> String {
    let last = html.rfind('>').unwrap_or(0);
    let mut whole = String::with_capacity(html.len());
    for (at, c) in html.char_indices() {
        let begins = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?');
        match c {
            '<' if at > last || !html[at + 1..].starts_with(begins) => whole.push_str("&lt;"),
            c => whole.push(c),
        }
    }
    mail_parser::decoders::html::html_to_text(&whole)
}

/// The letters of a text that may have been HTML, without where its links lead: `<https://x.example/>` stands in plain
/// text for what stands in a tag of HTML.
pub(in crate::meaning) fn letters_read(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        kept.push_str(before);
        let end = after.find(['>', '<', ' ', '\n']).filter(|end| after[*end..].starts_with('>'));
        let link = end.filter(|end| after[..*end].contains(':'));
        rest = link.map_or(after, |end| &after[end + 1..]);
    }
    kept.push_str(rest);
    letters(&kept)
}

/// Percent-encoding undone, since servers and writers encode more or less of a URI.
pub(in crate::meaning) fn uri(text: &str) -> String {
    let bytes = text.trim().as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = bytes.get(at + 1..at + 3).filter(|_| byte == b'%');
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        plain.push(code.unwrap_or(byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).chars().filter(|c| !c.is_control()).collect()
}

/// The first sixteen digits of a BLAKE3 digest: enough to tell attachments of one event apart.
pub(in crate::meaning) fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..16].to_owned()
}

/// The same of what is read piece by piece: attachments may be larger than memory allows.
pub(in crate::meaning) fn digest_read(bytes: impl Read) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(bytes)?;
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}
