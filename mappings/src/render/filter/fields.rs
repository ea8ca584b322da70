//! Header lines, looked at as strictly as the strictest server seen does.
//!
//! Cyrus (`message_copy_strict` in its `imap/message.c`) wants of each line that it starts with a space or tab, or with
//! `From `, or with a name of bytes above 0x20 and a colon. We also refuse 8-bit bytes in a name: no encoding of them
//! would leave a name.

use memchr::{memchr_iter, memrchr_iter};

/// Put before a line that has no field name, so that its text stays readable and the fields below stay fields.
const STAND_IN: &[u8] = b"X-Invalid-Header: ";

/// The longest line that may still be a field name with its colon (RFC 5322 section 2.1.1).
const LONGEST_NAME: usize = 998;

/// Splits a block into fields, each with its continuation lines and line ends; the blank line comes last.
pub(super) fn split(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let (field, after) = rest.split_at(field_length(rest));
        rest = after;
        (!field.is_empty()).then_some(field)
    })
}

fn field_length(block: &[u8]) -> usize {
    memchr_iter(b'\n', block)
        .map(|at| at + 1)
        .find(|&next| !matches!(block.get(next), Some(b' ' | b'\t')))
        .unwrap_or(block.len())
}

/// Every line is a field, a continuation or the blank line, and there is a field at all.
pub(super) fn all_well_named(block: &[u8]) -> bool {
    let mut named = 0;
    let all = lines(block).all(|line| {
        let well_named = is_well_named(line);
        named += usize::from(well_named);
        well_named || is_blank(line) || is_continuation(line) || is_mbox_line(line)
    });
    all && named > 0
}

/// The block reads like a body: its first line is no field and lines that are none prevail.
pub(super) fn is_no_header(block: &[u8]) -> bool {
    let fields = || split(block).filter(|field| !is_mbox_line(field) && !is_blank(field) && !is_continuation(field));
    let named = fields().filter(|field| name_end(field).is_some()).count();
    let first_is_named = fields().next().is_some_and(|field| name_end(field).is_some());
    named == 0 || (!first_is_named && named <= fields().count() - named)
}

/// The field with a proper name, if it had none.
pub(super) fn mend_name(field: &[u8]) -> Option<Vec<u8>> {
    if is_blank(field) || is_continuation(field) || is_well_named(field) || is_mbox_line(field) {
        return None;
    }
    match name_end(field) {
        // `Subject : text` (RFC 5322 section 4.5.3, obsolete): the space goes.
        Some((name, colon)) => Some([&field[..name], &field[colon..]].concat()),
        None => Some([STAND_IN, field].concat()),
    }
}

/// Where the last line starts that opens a field; 0 when there is only one.
pub(super) fn last_field_start(block: &[u8]) -> usize {
    memrchr_iter(b'\n', block)
        .map(|at| at + 1)
        .find(|&next| block.get(next).is_some_and(|byte| !matches!(byte, b' ' | b'\t')))
        .unwrap_or(0)
}

fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    block.split_inclusive(|&byte| byte == b'\n')
}

/// A CR where the message ends is the beginning of a line end.
fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n" | b"\r")
}

fn is_continuation(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// The line that mbox files put before a message; servers let it pass.
fn is_mbox_line(line: &[u8]) -> bool {
    line.starts_with(b"From ")
}

fn is_well_named(line: &[u8]) -> bool {
    name_end(line).is_some_and(|(name, colon)| name == colon)
}

/// Where the name and the white space after it end: `field-name = 1*ftext` (RFC 5322 section 3.6.8), then the colon.
fn name_end(line: &[u8]) -> Option<(usize, usize)> {
    let line = &line[..line.len().min(LONGEST_NAME)];
    let name = line.iter().position(|byte| !matches!(byte, 33..=57 | 59..=126)).filter(|&end| end > 0)?;
    let colon = name + line[name..].iter().position(|byte| !matches!(byte, b' ' | b'\t'))?;
    (line[colon] == b':').then_some((name, colon))
}
