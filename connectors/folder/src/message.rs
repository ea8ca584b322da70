//! Reading what is in a message file: its hash, its lengths, its Message-ID.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use transhume_contract::Digest;

/// How far a Message-ID is looked for.
const HEADER: usize = 64 * 1024;
const CHUNK: usize = 64 * 1024;

/// What is learned from a message's bytes as they pass by, in constant memory.
#[derive(Default)]
pub(crate) struct Reading {
    hasher: blake3::Hasher,
    header: Vec<u8>,
    length: u64,
    bare: u64,
    after_cr: bool,
}

/// A message as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    pub digest: Digest,
    /// Bytes on disk.
    pub length: u64,
    /// Bytes with every line end as CRLF, what IMAP calls its size.
    pub wire_length: u64,
    pub message_id: Option<String>,
}

impl Reading {
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        let room = HEADER.saturating_sub(self.header.len()).min(bytes.len());
        self.header.extend_from_slice(bytes.get(..room).unwrap_or_default());
        for &byte in bytes {
            self.bare += u64::from(byte == b'\n' && !self.after_cr);
            self.after_cr = byte == b'\r';
        }
    }

    pub(crate) fn finish(self) -> Contents {
        Contents {
            digest: self.hasher.finalize().into(),
            length: self.length,
            wire_length: self.length + self.bare,
            message_id: message_id(&self.header),
        }
    }
}

/// Reads a whole file.
pub(crate) fn read(path: &Path) -> io::Result<Contents> {
    let mut file = File::open(path)?;
    let mut reading = Reading::default();
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(reading.finish()),
            length => reading.take(chunk.get(..length).unwrap_or_default()),
        }
    }
}

/// The Message-ID of a file, from its header alone.
pub(crate) fn read_message_id(path: &Path) -> io::Result<Option<String>> {
    let mut header = Vec::new();
    File::open(path)?.take(HEADER as u64).read_to_end(&mut header)?;
    Ok(message_id(&header))
}

/// RFC 5322, 3.6.4: the field's text without the folding, from the first such field.
fn message_id(header: &[u8]) -> Option<String> {
    let mut lines = header.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut lines = lines.by_ref().take_while(|line| !line.is_empty());
    let first = lines.find_map(|line| {
        let (name, text) = line.split_at_checked("message-id".len())?;
        let text = text.trim_ascii_start().strip_prefix(b":")?;
        name.eq_ignore_ascii_case(b"message-id").then(|| text.trim_ascii().to_vec())
    })?;
    let folded = lines.take_while(|line| line.starts_with(b" ") || line.starts_with(b"\t"));
    let whole = folded.fold(first, |text, line| [&text, line.trim_ascii()].concat());
    let text = String::from_utf8_lossy(&whole).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Contents {
        let mut reading = Reading::default();
        text.as_bytes().chunks(3).for_each(|chunk| reading.take(chunk));
        reading.finish()
    }

    #[test]
    fn lengths_count_bare_line_ends_across_chunks() {
        let mixed = of("a\r\nb\nc\r\r\n\n");
        assert_eq!((mixed.length, mixed.wire_length), (10, 12));
        assert_eq!(mixed.digest, Digest::of(b"a\r\nb\nc\r\r\n\n"));
    }

    #[test]
    fn a_message_id_is_found_folded_and_in_any_case_and_only_in_the_header() {
        assert_eq!(of("MESSAGE-ID:\r\n <1@x>\r\nTo: b\r\n\r\n").message_id.as_deref(), Some("<1@x>"));
        assert_eq!(of("Message-Id : <2@x>\n\nbody").message_id.as_deref(), Some("<2@x>"));
        assert_eq!(of("Message-ID-Other: <3@x>\r\n\r\nMessage-ID: <4@x>\r\n").message_id, None);
        assert_eq!(of("Message-ID:\r\n\r\n").message_id, None);
    }
}
