//! What can be wrong with a dump, in sentences.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a dump could not be read or written: where, and what.
#[derive(Debug, Error)]
#[error("{}{}: {complaint}", file.display(), at(*line))]
pub struct DumpError {
    pub file: PathBuf,
    /// Counted from 1; none where the complaint is about the file as a whole.
    pub line: Option<u64>,
    #[source]
    pub complaint: Complaint,
}

/// What is wrong.
#[derive(Debug, Error)]
pub enum Complaint {
    #[error("cannot be {doing}: {why}")]
    File { doing: &'static str, why: io::Error },
    #[error("is empty; its first line must be {{\"format\": \"tenant-dump/1\", \"provider\": \"graph\"}}")]
    Empty,
    #[error(
        "is not the first line of a tenant dump ({0}); write {{\"format\": \"tenant-dump/1\", \"provider\": \"graph\"}} there"
    )]
    NotAFirstLine(String),
    #[error("has the format \"{0}\"; this version reads \"tenant-dump/1\" only")]
    Format(String),
    #[error("is not valid UTF-8; write the dump in UTF-8")]
    NotUtf8,
    #[error("is not a line of a tenant dump: {0}")]
    NotALine(String),
    #[error("has the kind \"{kind}\", which a {provider} dump does not know; it knows {known}")]
    Kind { kind: String, provider: &'static str, known: String },
    #[error("is a {0} without \"user\"; name the mailbox it belongs to")]
    NoUser(String),
    #[error("has a \"resource\" that is not a JSON object")]
    ResourceNotAnObject,
    #[error("has a content that names both \"file\" and \"base64\", or neither; name one of them")]
    AmbiguousContent,
    #[error("names the file \"{0}\", which is not inside the dump's folder; use a relative path without \"..\"")]
    Outside(String),
    #[error("names the file \"{file}\", which cannot be read: {why}")]
    Blob { file: String, why: io::Error },
    #[error("has a content that is not base64: {0}")]
    NotBase64(String),
    #[error("says that its content has {said} bytes, but it has {found}; the dump was altered or cut")]
    Size { said: u64, found: u64 },
    #[error("says that its content has the sha256 {said}, but it has {found}; the dump was altered")]
    Digest { said: String, found: String },
    #[error("has Google documents in export formats, which the simulator does not serve yet; remove the line")]
    Exports,
}

impl Complaint {
    pub(super) fn about(self, file: impl Into<PathBuf>, line: Option<u64>) -> DumpError {
        DumpError { file: file.into(), line, complaint: self }
    }
}

fn at(line: Option<u64>) -> String {
    line.map(|line| format!(" line {line}")).unwrap_or_default()
}
