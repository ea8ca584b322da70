//! An original: the bytes exactly as the source gave them, in named parts.

use std::io::{self, Read};

/// One part of an original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartInfo {
    /// `mime`; or `message`, `attachment/<n>` and `attachment/<n>/meta`.
    pub name: String,
    /// As the source said: `message/rfc822`, `application/json`.
    pub media_type: String,
    /// In bytes.
    pub size: u64,
}

/// The named parts of one original. A part may be opened more than once and gives the same bytes each time.
///
/// Mail has one of two shapes:
/// * one part `mime`, media type `message/rfc822`;
/// * a part `message` (the Microsoft Graph `message` resource as JSON) and for each attachment `attachment/<n>/meta`
///   (the `attachment` resource without `contentBytes`) with `attachment/<n>` (its bytes; missing for links).
pub trait Parts {
    fn parts(&self) -> Vec<PartInfo>;
    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>>;
}
