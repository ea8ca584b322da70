//! One account's collections of one workload: a folder for each, side by side, in the vdir form.
//!
//! Every folder that we ensured holds a hidden file, `.transhume-folder`, with its id and the path it was wanted by, so
//! that a folder which people renamed is found again. What people see of a collection stands in the files `displayname`
//! and `color`.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use transhume_contract::{
    AccountId, Appearance, Collection, CollectionId, Fault, Reach, Role, Size, Wanted, What, Workload,
};

use crate::account::{Home, Mark, new_id, replace, sync_directory};
use crate::faults::on;
use crate::vdir::item::{UNFINISHED, is_unfinished};
use crate::vdir::names;

const MARK: &str = ".transhume-folder";
const NAME: &str = "displayname";
const COLOUR: &str = "color";

/// `<root>/<account>/calendars`, `contacts` or `tasks`.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    pub account: AccountId,
    pub workload: Workload,
    pub dir: PathBuf,
}

/// A collection that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub path: PathBuf,
    pub mark: Mark,
}

/// It stands for another collection, whose name this one has now.
fn is_claimed(mark: &Mark, want: &Wanted) -> bool {
    want.claimed.iter().any(|id| id.as_str() == mark.id)
}

/// What holds an account's collections of a workload is called so.
pub(super) const fn plural(workload: Workload) -> &'static str {
    match workload {
        Workload::Calendar => "calendars",
        Workload::Mail | Workload::Contacts | Workload::Tasks | Workload::Files => workload.name(),
    }
}

impl Shelf {
    pub(super) fn of(root: &Path, account: &AccountId, workload: Workload) -> Self {
        Self { account: account.clone(), workload, dir: Home::of(root, account).dir.join(plural(workload)) }
    }

    /// Makes sure that the collection stands and gives it. See [`names`] for the directory's name.
    pub(super) fn ensure(&self, want: &Wanted) -> Result<Held, Fault> {
        directory(&self.dir, true)?;
        if let Some(known) = want.known.as_ref().map(|id| self.held(id)).transpose()?.flatten() {
            return followed(known, want);
        }
        for name in names::directories(&want.path) {
            let path = self.dir.join(name);
            match mark(&path)? {
                Some(mark) if mark.wanted == want.path && !is_claimed(&mark, want) => return Ok(Held { path, mark }),
                None if path.is_dir() => return take_over(path, want),
                None if !path.exists() => return self.make(path, want),
                _ => {}
            }
        }
        let sentence = format!("other folders already have the names that {} could get", want.path.join("/"));
        Err(Fault::new(What::Exists, sentence).reaching(Reach::Collection).ask("rename the collection at the source"))
    }

    /// Where the collection stands now, wherever people moved it. `None` when it is gone.
    pub(super) fn held(&self, id: &CollectionId) -> Result<Option<Held>, Fault> {
        Ok(self.all()?.into_iter().find(|held| held.mark.id == id.as_str()))
    }

    /// Every collection, with a mark that is only thought of where it is not ours.
    pub(super) fn all(&self) -> Result<Vec<Held>, Fault> {
        let marked = |name: String| {
            let path = self.dir.join(&name);
            let mark = mark(&path)?.unwrap_or_else(|| Mark::unwritten(&name));
            Ok(Held { path, mark })
        };
        let shown = self.entries()?.into_iter().filter(|name| !name.starts_with('.'));
        shown.filter(|name| self.dir.join(name).is_dir()).map(marked).collect()
    }

    pub(super) fn collection(&self, held: &Held) -> Collection {
        let colour = line(&held.path.join(COLOUR)).map(|colour| colour.to_ascii_lowercase());
        let directory = held.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Collection {
            account: self.account.clone(),
            workload: self.workload,
            id: CollectionId::new(&held.mark.id),
            parent: None,
            name: line(&held.path.join(NAME)).unwrap_or(directory),
            role: Role::Ordinary,
            hidden: false,
            expected: Size::default(),
            appearance: Appearance { colour, order: None },
        }
    }

    /// Sorted, so that of two copies of one folder always the same is taken for ours.
    fn entries(&self) -> Result<Vec<String>, Fault> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(on("list", &self.dir)(error)),
        };
        let name =
            |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names = entries.map(name).collect::<io::Result<Vec<_>>>().map_err(on("list", &self.dir))?;
        names.sort_unstable();
        Ok(names)
    }

    /// Made aside and then renamed: a crash never leaves one without its mark or its name.
    fn make(&self, path: PathBuf, want: &Wanted) -> Result<Held, Fault> {
        self.sweep()?;
        let held = Held { path, mark: Mark { id: new_id(want), wanted: want.path.clone() } };
        let fresh = self.dir.join(format!("{}{}{}", UNFINISHED.0, held.mark.id, UNFINISHED.1));
        directory(&fresh, false)?;
        put(&fresh.join(NAME), &names::shown(&want.path))?;
        if let Some(colour) = &want.appearance.colour {
            put(&fresh.join(COLOUR), colour)?;
        }
        write_mark(&fresh, &held.mark)?;
        sync_directory(&fresh)?;
        fs::rename(&fresh, &held.path).map_err(on("create", &held.path))?;
        sync_directory(&self.dir)?;
        Ok(held)
    }

    /// Removes folders that a crash left half made.
    fn sweep(&self) -> Result<(), Fault> {
        for name in self.entries()?.iter().filter(|name| is_unfinished(name)) {
            let path = self.dir.join(name);
            fs::remove_dir_all(&path).map_err(on("remove", &path))?;
        }
        Ok(())
    }
}

/// A folder that people or another program made keeps its name and its colour.
fn take_over(path: PathBuf, want: &Wanted) -> Result<Held, Fault> {
    let mark = Mark { id: new_id(want), wanted: want.path.clone() };
    write_mark(&path, &mark)?;
    sync_directory(&path)?;
    Ok(Held { path, mark })
}

/// One that stood already. The path it is wanted by may have changed at the source.
fn followed(mut held: Held, want: &Wanted) -> Result<Held, Fault> {
    if held.mark.wanted != want.path {
        held.mark.wanted.clone_from(&want.path);
        write_mark(&held.path, &held.mark)?;
    }
    Ok(held)
}

fn directory(path: &Path, with_those_above: bool) -> Result<(), Fault> {
    DirBuilder::new().recursive(with_those_above).mode(0o700).create(path).map_err(on("create", path))
}

fn mark(directory: &Path) -> Result<Option<Mark>, Fault> {
    let path = directory.join(MARK);
    match fs::read(&path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(on("read", &path)(error)),
    }
}

fn write_mark(directory: &Path, mark: &Mark) -> Result<(), Fault> {
    let path = directory.join(MARK);
    let text = serde_json::to_vec(mark).map_err(io::Error::from).map_err(on("write", &path))?;
    replace(&path, &text).map_err(on("write", &path))
}

fn put(path: &Path, text: &str) -> Result<(), Fault> {
    replace(path, text.as_bytes()).map_err(on("write", path))
}

/// What a small file says, if anything.
fn line(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
