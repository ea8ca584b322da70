//! Texts as iCalendar and vCard may hold them.

use crate::loss::Losses;

/// A text without what RFC 5545 3.3.11 and RFC 6350 3.3 forbid in it: line ends become LF, other control characters go.
pub(crate) fn clean(text: &str, losses: &mut Losses) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let forbidden = |c: char| c.is_control() && c != '\n' && c != '\t';
    let removed = text.chars().filter(|c| forbidden(*c)).count() as u64;
    losses.count(
        "control_characters_removed",
        removed,
        [
            "control character, which neither calendars nor cards may hold",
            "control characters, which neither calendars nor cards may hold",
        ],
    );
    if removed == 0 { text } else { text.chars().filter(|c| !forbidden(*c)).collect() }
}

/// A URI, with the characters that would be escaped as in a text percent-encoded: RFC 5545 3.3.13 and RFC 6350 know no
/// escapes in URIs, and servers that read them as texts cut them at the first comma (seen with Radicale 3.9.0).
pub(crate) fn uri(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            ',' | ';' | '\\' | ' ' | '"' | '<' | '>' => plain.push_str(&format!("%{:02X}", u32::from(c))),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

/// A text for a parameter: on one line, without the characters that have no spelling there.
pub(crate) fn parameter(text: &str, losses: &mut Losses) -> String {
    let text = clean(text.trim(), losses).replace(['\n', '\t'], " ");
    if !text.contains(['"', '\\', '^']) {
        return text;
    }
    losses.add("name_respelled", format!("`{text}` is written with ' and / for quotes and backslashes"));
    text.replace('"', "'").replace('\\', "/").replace('^', "'")
}
