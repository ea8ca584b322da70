//! Characters from bytes that may not say what they are.

use encoding_rs::{Encoding, WINDOWS_1252};
use std::borrow::Cow;

/// Header bytes are ASCII by the standard; beyond it they are UTF-8 if they can be, else what old mailers meant.
pub(super) fn header(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// The encoding a text part names; none when it names one that is not known, which leaves its bytes as they are.
pub(super) fn named(charset: Option<&str>) -> Option<&'static Encoding> {
    Encoding::for_label(charset.unwrap_or("us-ascii").as_bytes())
}
