//! One account's part of the folder: its Maildir, which of its directories are ours, and what people subscribe to.
//!
//! Every folder that we ensured holds a small file, `transhume-folder`, with its id and the path it was wanted by. It
//! goes where the folder goes, so that a folder which people renamed is found again. Mail servers and readers do not
//! look at it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use transhume_contract::{AccountId, CollectionId, Fault, Reach, Wanted, What};

use crate::faults::on;
use crate::layout;
use crate::manifest;

const MARK: &str = "transhume-folder";

/// `<root>/<account>`.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    pub dir: PathBuf,
    pub maildir: PathBuf,
}

/// A folder of the account: its directory's name (empty for INBOX) and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub directory: String,
    pub path: PathBuf,
    pub mark: Mark,
}

/// What the file in a folder says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub id: String,
    /// The names it was last wanted by, from the top.
    pub wanted: Vec<String>,
}

impl Mark {
    /// For a folder that people made: known by its name.
    pub(crate) fn unwritten(directory: &str) -> Self {
        Self { id: format!("theirs:{directory}"), wanted: Vec::new() }
    }
}

impl Home {
    pub(crate) fn of(root: &Path, account: &AccountId) -> Self {
        Self::below(root.join(directory_of(account)))
    }

    pub(crate) fn below(dir: PathBuf) -> Self {
        Self { maildir: dir.join("Maildir"), dir }
    }

    /// Whether a Maildir stands here in which we made a folder. A mail server makes one of its own where a disk is not
    /// mounted, and people may delete every folder of ours but not the manifest, which they do not see.
    pub(crate) fn is_ours(&self) -> Result<bool, Fault> {
        if !self.maildir.is_dir() {
            return Ok(false);
        }
        if manifest::directory(self).is_dir() {
            return Ok(true);
        }
        for directory in self.directories()? {
            if self.mark(&directory)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes sure that the collection stands and gives it. See [`layout`] for the directory's name.
    pub(crate) fn ensure(&self, want: &Wanted) -> Result<Held, Fault> {
        make_maildir(&self.maildir)?;
        if let Some(known) = want.known.as_ref().map(|id| self.held(id)).transpose()?.flatten() {
            return self.followed(known, want);
        }
        let parent = want.parent.as_ref().map(|id| self.held(id)).transpose()?.flatten();
        let parent = parent.map(|held| held.directory).or_else(|| layout::of_path(above(&want.path)));
        let name = want.path.last().map(String::as_str).unwrap_or_default();
        let own = layout::directory(parent.as_deref(), name, want.role);
        for directory in [own, layout::apart(parent.as_deref(), &want.path)] {
            match self.mark(&directory)? {
                Some(mark) if mark.wanted != want.path => {}
                Some(mark) => return Ok(self.at(directory, mark)),
                None => return self.make(directory, want),
            }
        }
        let sentence = format!("two other folders already have the names that {} could get", want.path.join("/"));
        Err(Fault::new(What::Exists, sentence).reaching(Reach::Collection).ask("rename the folder at the source"))
    }

    /// Where the collection stands now, wherever people moved it. `None` when it is gone.
    pub(crate) fn held(&self, id: &CollectionId) -> Result<Option<Held>, Fault> {
        Ok(self.all()?.into_iter().find(|held| held.mark.id == id.as_str()))
    }

    /// The folder of this name, if it is the one with this id: a look at one file instead of all.
    pub(crate) fn still(&self, directory: &str, id: &CollectionId) -> Result<Option<Held>, Fault> {
        let mark = self.mark(directory)?.filter(|mark| mark.id == id.as_str());
        Ok(mark.map(|mark| self.at(directory.to_owned(), mark)))
    }

    /// Every folder, with a mark that is only thought of where it is not ours.
    pub(crate) fn all(&self) -> Result<Vec<Held>, Fault> {
        let marked = |directory: String| {
            let mark = self.mark(&directory)?.unwrap_or_else(|| Mark::unwritten(&directory));
            Ok(self.at(directory, mark))
        };
        self.directories()?.into_iter().map(marked).collect()
    }

    /// The names of all folders, ours or not; the empty one is INBOX.
    pub(crate) fn directories(&self) -> Result<Vec<String>, Fault> {
        let fault = on("list", &self.maildir);
        let entries = match fs::read_dir(&self.maildir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fault(error)),
        };
        let mut names = vec![String::new()];
        for entry in entries {
            let entry = entry.map_err(&fault)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') && entry.path().join("cur").is_dir() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn at(&self, directory: String, mark: Mark) -> Held {
        let path = if directory.is_empty() { self.maildir.clone() } else { self.maildir.join(&directory) };
        Held { directory, path, mark }
    }

    fn mark(&self, directory: &str) -> Result<Option<Mark>, Fault> {
        let path = self.maildir.join(directory).join(MARK);
        match fs::read(&path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(on("read", &path)(error)),
        }
    }

    /// A folder that stood already. The path it is wanted by may have changed at the source.
    fn followed(&self, mut held: Held, want: &Wanted) -> Result<Held, Fault> {
        if held.mark.wanted != want.path {
            held.mark.wanted.clone_from(&want.path);
            held.write_mark()?;
        }
        Ok(held)
    }

    /// Makes a folder, or takes over one that a mail server or a person made.
    fn make(&self, directory: String, want: &Wanted) -> Result<Held, Fault> {
        let held = self.at(directory, Mark { id: new_id(want), wanted: want.path.clone() });
        make_maildir(&held.path)?;
        if !held.directory.is_empty() {
            let marker = held.path.join("maildirfolder");
            private(&marker).map_err(on("create", &marker))?;
            self.subscribe(&held.directory)?;
        }
        held.write_mark()?;
        sync_directory(&self.maildir)?;
        Ok(held)
    }

    /// Dovecot's `subscriptions`: one storage name a line.
    fn subscribe(&self, directory: &str) -> Result<(), Fault> {
        let name = directory.trim_start_matches('.');
        let path = self.maildir.join("subscriptions");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let line = subscription(&text, name);
        if text.lines().any(|known| known == line) {
            return Ok(());
        }
        let mut file =
            OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(on("open", &path))?;
        let start = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        file.write_all(format!("{start}{line}\n").as_bytes()).map_err(on("write", &path))
    }
}

/// Dovecot 2.3 writes version 2 (a header, then levels parted by TAB); a file without header has dots.
fn subscription(text: &str, name: &str) -> String {
    if text.starts_with("V\t2") { name.replace('.', "\t") } else { name.to_owned() }
}

impl Held {
    fn write_mark(&self) -> Result<(), Fault> {
        let path = self.path.join(MARK);
        let text = serde_json::to_vec(&self.mark).map_err(io::Error::from).map_err(on("write", &path))?;
        replace(&path, &text).map_err(on("write", &path))
    }
}

/// An account's directory: its name, with what a directory name cannot hold as `%XX`.
fn directory_of(account: &AccountId) -> String {
    let escaped = |(at, byte): (usize, u8)| match byte {
        b'.' if at == 0 => format!("%{byte:02X}"),
        b'/' | b'%' | b':' | ..0x20 | 0x7f.. => format!("%{byte:02X}"),
        byte => char::from(byte).to_string(),
    };
    account.as_str().bytes().enumerate().map(escaped).collect()
}

fn above(path: &[String]) -> &[String] {
    path.split_last().map_or(&[], |(_, above)| above)
}

/// Never given twice: a folder may be renamed and another made in its place.
pub(crate) fn new_id(want: &Wanted) -> String {
    let moment = transhume_contract::Timestamp::now().as_nanosecond();
    let text = format!("{}\0{}\0{moment}\0{}", want.account.as_str(), want.path.join("\0"), std::process::id());
    blake3::hash(text.as_bytes()).to_hex().chars().take(24).collect()
}

fn make_maildir(path: &Path) -> Result<(), Fault> {
    for part in ["tmp", "new", "cur"] {
        let path = path.join(part);
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(on("create", &path))?;
    }
    Ok(())
}

/// Opens a file for writing, from its start, that only its owner may read.
pub(crate) fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Writes a file so that it is the old one or the new one, never half.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("fresh");
    let mut file = private(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

/// Makes renames in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), Fault> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(on("flush", path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use transhume_contract::{Appearance, Role, Workload};

    fn want(path: &[&str], known: Option<&Held>) -> Wanted {
        Wanted {
            account: AccountId::new("ada"),
            workload: Workload::Mail,
            path: path.iter().map(|&name| name.to_owned()).collect(),
            parent: None,
            role: Role::Ordinary,
            known: known.map(|held| CollectionId::new(&held.mark.id)),
            adopt: false,
            claimed: std::sync::Arc::default(),
            appearance: Appearance::default(),
        }
    }

    #[test]
    fn accounts_stay_within_their_directory() {
        let of = |name: &str| directory_of(&AccountId::new(name));
        assert_eq!(of("ada@example.org"), "ada@example.org");
        assert_eq!(of("../x"), "%2E.%2Fx");
        assert_eq!(of("é"), "%C3%A9");
    }

    #[test]
    fn a_folder_that_people_renamed_is_followed_and_its_old_name_is_free() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::of(root.path(), &AccountId::new("ada"));
        let made = home.ensure(&want(&["A", "B"], None)).unwrap();
        assert_eq!(made.directory, ".A.B");
        fs::rename(&made.path, home.maildir.join(".Elsewhere")).unwrap();
        let followed = home.ensure(&want(&["A", "B"], Some(&made))).unwrap();
        assert_eq!((followed.directory.as_str(), &followed.mark.id), (".Elsewhere", &made.mark.id));
        let other = home.ensure(&want(&["A", "B"], None)).unwrap();
        assert_eq!(other.directory, ".A.B");
        assert_ne!(other.mark.id, made.mark.id);
    }

    #[test]
    fn a_name_that_another_collection_has_is_not_shared() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::of(root.path(), &AccountId::new("ada"));
        let first = home.ensure(&want(&["A"], None)).unwrap();
        // Renamed at the source: it stays where it is, under its new path.
        home.ensure(&want(&["Z"], Some(&first))).unwrap();
        let second = home.ensure(&want(&["A"], None)).unwrap();
        assert!(second.directory.starts_with(".A~"), "{}", second.directory);
        assert_eq!(home.ensure(&want(&["A"], None)).unwrap(), second);
    }

    #[test]
    fn a_folder_that_a_server_made_is_taken_over() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::of(root.path(), &AccountId::new("ada"));
        make_maildir(&home.maildir.join(".Sent")).unwrap();
        fs::write(home.maildir.join("subscriptions"), "V\t2\n\nSent\n").unwrap();
        let sent = home.ensure(&Wanted { role: Role::Sent, ..want(&["Sent Items"], None) }).unwrap();
        assert_eq!(sent.directory, ".Sent");
        home.ensure(&want(&["A", "B"], None)).unwrap();
        let subscribed = fs::read_to_string(home.maildir.join("subscriptions")).unwrap();
        assert_eq!(subscribed, "V\t2\n\nSent\nA\tB\n");
    }
}
