//! The message files of a folder, and finding one by the part of its name that does not change.

use std::fs::{self, ReadDir};
use std::io;
use std::path::{Path, PathBuf};

use transhume_contract::Fault;

use crate::faults::{message_gone, on};
use crate::flags::FileName;

/// A message file.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub path: PathBuf,
    pub name: FileName,
}

impl Entry {
    fn new(directory: &Path, name: &str) -> Self {
        Self { path: directory.join(name), name: FileName::parse(name) }
    }

    /// What stands at this place below a folder.
    pub fn at(folder: &Path, below: &str) -> Self {
        let (part, name) = below.split_once('/').unwrap_or(("", below));
        Self::new(&folder.join(part), name)
    }
}

/// All message files of a folder, those that no reader has seen yet (`new`) included. Only one name is held at a time.
pub(crate) fn entries(folder: &Path) -> Result<impl Iterator<Item = Result<Entry, Fault>>, Fault> {
    let open = |part: &str| {
        let directory = folder.join(part);
        let entries = fs::read_dir(&directory).map_err(on("list", &directory))?;
        Ok::<_, Fault>(listed(entries, directory))
    };
    // `new` first: what a reader moves to `cur` meanwhile is then seen there, rather than nowhere.
    Ok(open("new")?.chain(open("cur")?))
}

fn listed(entries: ReadDir, directory: PathBuf) -> impl Iterator<Item = Result<Entry, Fault>> {
    entries.filter_map(move |entry| {
        let name = match entry {
            Ok(entry) => entry.file_name().to_string_lossy().into_owned(),
            Err(error) => return Some(Err(on("list", &directory)(error))),
        };
        (!name.starts_with('.')).then(|| Ok(Entry::new(&directory, &name)))
    })
}

/// The file with this base: at the likely name if it is there, else by looking through the folder.
pub(crate) fn find(folder: &Path, base: &str, likely: Option<&FileName>) -> Result<Option<Entry>, Fault> {
    if let Some(name) = likely {
        let entry = Entry::new(&folder.join("cur"), &name.text());
        if entry.path.exists() {
            return Ok(Some(entry));
        }
    }
    for entry in entries(folder)? {
        let entry = entry?;
        if entry.name.base == base {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// Does something to a message file, and again under its new name if a reader renamed it meanwhile.
pub(crate) fn with<T>(
    folder: &Path,
    entry: &mut Entry,
    doing: &str,
    act: impl Fn(&Entry) -> io::Result<T>,
) -> Result<T, Fault> {
    for _ in 0..3 {
        match act(entry) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                *entry = find(folder, &entry.name.base, None)?.ok_or_else(message_gone)?;
            }
            other => return other.map_err(on(doing, &entry.path)),
        }
    }
    Err(message_gone())
}
