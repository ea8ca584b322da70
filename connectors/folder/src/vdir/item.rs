//! The files of a collection, and what is in one of them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use transhume_contract::{Digest, Fault, Handle, Placement, Version, Workload};

use crate::faults::{item_gone, on};
use crate::vdir::names;

/// Begins and ends what is not finished: readers of such folders pass over it.
pub(super) const UNFINISHED: (&str, &str) = (".transhume-", ".tmp");

/// An item as it stands.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub bytes: Bytes,
    pub digest: Digest,
}

impl Item {
    /// Reads a file whole: a rendering is made in memory, too. `None` where it is not there.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, Fault> {
        let mut bytes = Vec::new();
        match File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) => Ok(Some(Self { digest: Digest::of(&bytes), bytes: bytes.into() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(on("read", path)(error)),
        }
    }

    pub(super) fn version(&self) -> Version {
        version(&self.digest)
    }

    /// Whether nobody wrote into it since it was placed.
    pub(super) fn is_as_placed(&self, what: &Placement) -> bool {
        self.version() == version_of(what)
    }

    /// RFC 5545, 3.8.4.7 and RFC 6350, 6.7.6: of the first component that has one, or of the card.
    pub(super) fn uid(&self) -> Option<String> {
        let lines = unfolded(&self.bytes);
        let found = lines.iter().find_map(|line| uid_of(line));
        found.filter(|uid| !uid.is_empty())
    }
}

/// The version of a file is the hash of its bytes.
pub(super) fn version(digest: &Digest) -> Version {
    Version::new(digest.hex())
}

/// As it was placed: what is kept byte for byte has the hash of its rendering.
pub(super) fn version_of(what: &Placement) -> Version {
    what.version.clone().unwrap_or_else(|| version(&what.digest))
}

/// The file of a placement. A handle is never more than a name.
pub(super) fn file_name(handle: &Handle) -> Result<&str, Fault> {
    let name = handle.as_str();
    let is_name = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0']);
    if is_name { Ok(name) } else { Err(item_gone()) }
}

/// The names of all items of a collection, whoever put them there, sorted.
pub(super) fn names_in(directory: &Path, workload: Workload) -> Result<Vec<String>, Fault> {
    let fault = on("list", directory);
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(&fault)? {
        let entry = entry.map_err(&fault)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_item = !name.starts_with('.') && name.ends_with(names::extension(workload));
        if is_item && entry.path().is_file() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether something was left unfinished by a crash of ours.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.starts_with(UNFINISHED.0) && name.ends_with(UNFINISHED.1)
}

/// Content lines with their folds undone.
fn unfolded(bytes: &[u8]) -> Vec<String> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line, lines.last_mut()) {
            ([b' ' | b'\t', rest @ ..], Some(before)) => before.extend_from_slice(rest),
            _ => lines.push(line.to_vec()),
        }
    }
    lines.into_iter().map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
}

/// The value, if a line says a UID: `UID:x`, `item1.uid;VALUE=text:x`. A colon in quotes parts nothing.
fn uid_of(line: &str) -> Option<String> {
    let mut quoted = false;
    let (colon, _) = line.char_indices().find(|(_, letter)| {
        quoted ^= *letter == '"';
        !quoted && *letter == ':'
    })?;
    let (front, value) = line.split_at(colon);
    let name = front.split(';').next()?.rsplit('.').next()?;
    name.eq_ignore_ascii_case("UID").then(|| value.get(1..).unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(text: &str) -> Option<String> {
        let bytes = Bytes::from(text.to_owned());
        Item { digest: Digest::of(&bytes), bytes }.uid()
    }

    #[test]
    fn a_uid_is_found_folded_grouped_and_with_parameters() {
        assert_eq!(uid("BEGIN:VEVENT\r\nUI\r\n D:a\r\n b\r\n").as_deref(), Some("ab"));
        assert_eq!(uid("item1.uid;VALUE=text;X=\"a:b\":urn:uuid:1\n").as_deref(), Some("urn:uuid:1"));
        assert_eq!(uid("UIDX:1\nX-UID:2\nUID:\n"), None);
        assert_eq!(uid("\u{0}\u{1}\n\n"), None);
    }

    #[test]
    fn a_handle_is_never_a_path() {
        for handle in ["../x.ics", "a/b.ics", "", ".hidden.ics", "a\0.ics"] {
            assert!(file_name(&Handle::new(handle)).is_err(), "{handle}");
        }
    }
}
