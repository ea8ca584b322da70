//! What SQLite and the disk complain of, as faults a person can act on. Decided once, here.

use rusqlite::ErrorCode;
use std::{
    io,
    path::{Path, PathBuf},
};
use transhume_contract::{Fault, Reach, What};

/// The folder of a project that holds one folder per account.
pub(super) const ACCOUNTS: &str = "accounts";

/// What may go wrong inside the store. It leaves as a [`Fault`] that names the file.
#[derive(Debug)]
pub(super) enum Trouble {
    Sqlite(rusqlite::Error),
    Disk(PathBuf, io::Error),
    Fault(Box<Fault>),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

impl From<serde_json::Error> for Trouble {
    fn from(error: serde_json::Error) -> Self {
        broken(format!("a row of the store does not read as this version writes it: {error}")).into()
    }
}

impl Trouble {
    pub fn into_fault(self, path: &Path) -> Fault {
        match self {
            Self::Fault(fault) => *fault,
            Self::Sqlite(error) => sqlite(path, &error),
            Self::Disk(path, error) => disk(&path, &error),
        }
    }
}

/// Names the path of a failed file operation.
pub(super) trait At<T> {
    fn at(self, path: &Path) -> Result<T, Trouble>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, Trouble> {
        self.map_err(|error| Trouble::Disk(path.to_owned(), error))
    }
}

/// A store that contradicts itself: a defect, or damage.
pub(super) fn broken(sentence: impl Into<String>) -> Fault {
    Fault::new(What::StoreBroken, sentence).reaching(Reach::Run).report()
}

/// The caller named something the store does not hold.
pub(super) fn unknown(what: &str) -> Trouble {
    broken(format!("the store holds no such {what}")).into()
}

pub(super) fn reading_only() -> Fault {
    broken("the project was opened for reading, and something tried to write")
}

fn sqlite(path: &Path, error: &rusqlite::Error) -> Fault {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => full(path),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => not_writable(path),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(path, &error.to_string()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => busy(path),
        Some(ErrorCode::CannotOpen) => cannot_open(path, &error.to_string()),
        _ => broken(format!("the store {} could not go on: {error}", path.display())).reaching(reach_of(path)),
    }
}

pub(super) fn disk(path: &Path, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => full(path),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => not_writable(path),
        io::ErrorKind::NotFound => cannot_open(path, "it is not there"),
        _ => broken(format!("{} could not be read or written: {error}", path.display())),
    }
}

fn asking(sentence: String, next_step: impl Into<String>) -> Fault {
    broken(sentence).ask(next_step)
}

fn full(path: &Path) -> Fault {
    asking(
        format!("the disk that holds {} is full", path.display()),
        "free space there and run the same command again: everything recorded so far is kept",
    )
}

fn not_writable(path: &Path) -> Fault {
    asking(
        format!("{} cannot be written", path.display()),
        "make the project directory writable for this user (is the disk mounted read-only?), then run the same \
         command again",
    )
}

pub(super) fn damaged(path: &Path, why: &str) -> Fault {
    let fault = asking(
        format!("{} is damaged: {why}", path.display()),
        "put that account's folder back from a backup, or move the folder aside and pull the account again",
    );
    fault.reaching(reach_of(path))
}

/// What lies in an account's folder is nobody else's: the others go on.
pub(super) fn reach_of(path: &Path) -> Reach {
    let within = path.components().any(|part| part.as_os_str() == ACCOUNTS);
    if within && !path.ends_with("project.db") { Reach::Account } else { Reach::Run }
}

fn busy(path: &Path) -> Fault {
    asking(
        format!("another program is using {}", path.display()),
        "close what has it open (a database browser, a backup), then run the same command again",
    )
}

fn cannot_open(path: &Path, why: &str) -> Fault {
    let fault = asking(
        format!("{} cannot be opened: {why}", path.display()),
        "check that --project names a project made by `transhume init` and that this user may read and write it",
    );
    fault.reaching(reach_of(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coded(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
    }

    #[test]
    fn a_full_or_read_only_disk_is_told_with_a_next_step() {
        let path = Path::new("project.db");
        for code in [rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_READONLY, rusqlite::ffi::SQLITE_CORRUPT] {
            let fault = sqlite(path, &coded(code));
            assert_eq!((fault.what, fault.reach), (What::StoreBroken, Reach::Run));
            assert!(fault.next_step().is_some(), "{fault}");
        }
        let account = Path::new("town/accounts/ada/store.db");
        let damaged = sqlite(account, &coded(rusqlite::ffi::SQLITE_CORRUPT));
        assert_eq!(damaged.reach, Reach::Account, "the other accounts are not damaged");
        assert_eq!(sqlite(account, &coded(rusqlite::ffi::SQLITE_FULL)).reach, Reach::Run, "it is everybody's disk");
        let (full, read_only) = (io::Error::from_raw_os_error(28), io::Error::from_raw_os_error(30));
        assert!(disk(path, &full).sentence.contains("is full"));
        assert!(disk(path, &read_only).sentence.contains("cannot be written"));
    }
}
