//! The versions of both kinds of database, and the way forward from each. A step that was released is never edited.

use super::{
    faults::{Trouble, broken, damaged, reach_of},
    options::StoreOptions,
};
use rusqlite::{Connection, OpenFlags};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use transhume_contract::Fault;

/// Waiting for another connection of ours; writers never meet, so only a foreign program makes this pass.
const PATIENCE: Duration = Duration::from_secs(10);
/// Large enough that a message of 8 KiB needs few pages, small enough that a changed flag does not write much.
const PAGE_BYTES: u32 = 8192;
/// The log is copied into the database when it holds this many pages (32 MiB).
const CHECKPOINT_PAGES: u32 = 4096;

/// The two kinds of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Project,
    Account,
}

impl Kind {
    const fn steps(self) -> &'static [&'static str] {
        match self {
            Self::Project => &[include_str!("schema/project_1.sql"), include_str!("schema/project_2.sql")],
            Self::Account => &[
                include_str!("schema/account_1.sql"),
                include_str!("schema/account_2.sql"),
                include_str!("schema/account_3.sql"),
                include_str!("schema/account_4.sql"),
                include_str!("schema/account_5.sql"),
                include_str!("schema/account_6.sql"),
                include_str!("schema/account_7.sql"),
                include_str!("schema/account_8.sql"),
                include_str!("schema/account_9.sql"),
                include_str!("schema/account_10.sql"),
            ],
        }
    }

    /// Tells a database of ours from any other, and the two kinds apart ("trhP", "trhA").
    const fn mark(self) -> i32 {
        match self {
            Self::Project => 0x7472_6850,
            Self::Account => 0x7472_6841,
        }
    }

    /// The version this program writes.
    fn version(self) -> usize {
        self.steps().len()
    }
}

pub(super) fn open_to_write(path: &Path, kind: Kind, options: &StoreOptions) -> Result<Connection, Trouble> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(256);
    connection.execute_batch(&format!(
        "PRAGMA page_size={PAGE_BYTES}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF;
         PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384; PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES};",
    ))?;
    migrate(&mut connection, path, kind)?;
    if let Some(pages) = options.most_pages {
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(connection)
}

/// A connection that cannot write. It is opened as if it could, since readers of a log take part in its bookkeeping;
/// on a disk that is read-only, where there is no bookkeeping, the database is read as it lies there.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, Trouble> {
    let connection = open_beside_writers(path).or_else(|error| match lies_still(path) {
        true => Connection::open_with_flags(still(path), READING | OpenFlags::SQLITE_OPEN_READ_ONLY),
        false => Err(error),
    })?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch("PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-4096;")?;
    Ok(connection)
}

const READING: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX.union(OpenFlags::SQLITE_OPEN_URI);

fn open_beside_writers(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, READING | OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Only the first read finds out that the log cannot be taken part in.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// Everything is in the database itself, and it cannot be written: nobody will change it under a reader.
fn lies_still(path: &Path) -> bool {
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let empty = std::fs::metadata(log).map_or(true, |log| log.len() == 0);
    let writable = std::fs::OpenOptions::new().write(true).open(path).is_ok()
        && path.parent().is_some_and(|dir| tempfile::tempfile_in(dir).is_ok());
    path.is_file() && empty && !writable
}

/// SQLite's name for a file that nobody changes.
fn still(path: &Path) -> String {
    let path = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?immutable=1")
}

/// Refuses what this program cannot read, without changing anything.
pub(super) fn check(path: &Path, kind: Kind) -> Result<(), Trouble> {
    let connection = open_to_read(path)?;
    let version = version_of(&connection, path, kind)?;
    if version < kind.version() { Err(older(path).into()) } else { Ok(()) }
}

fn migrate(connection: &mut Connection, path: &Path, kind: Kind) -> Result<(), Trouble> {
    let version = version_of(connection, path, kind)?;
    for (number, step) in kind.steps().iter().enumerate().skip(version) {
        let step_taken = connection.transaction()?;
        step_taken.execute_batch(step)?;
        step_taken.pragma_update(None, "application_id", kind.mark())?;
        step_taken.pragma_update(None, "user_version", number + 1)?;
        step_taken.commit()?;
    }
    Ok(())
}

/// The version of what lies there; 0 for a file that is still empty.
fn version_of(connection: &Connection, path: &Path, kind: Kind) -> Result<usize, Trouble> {
    let mark: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if mark != kind.mark() && (version, tables) != (0, 0) {
        return Err(damaged(path, "it is not a database of transhume").into());
    }
    if version > kind.version() { Err(newer(path, version, kind.version()).into()) } else { Ok(version) }
}

fn newer(path: &Path, version: usize, ours: usize) -> Fault {
    let sentence =
        format!("{} was written by a newer transhume (store version {version}; this one knows {ours})", path.display());
    let step = "run the newer transhume: stores are never taken back to an older version";
    broken(sentence).reaching(reach_of(path)).ask(step)
}

fn older(path: &Path) -> Fault {
    broken(format!("{} was written by an older transhume", path.display()))
        .ask("run `transhume check` once: it brings the store to this version")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_database_on_a_read_only_disk_is_named_so_that_it_is_read_as_it_lies() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("100% sure?#.db");
        drop(open_to_write(&path, Kind::Account, &StoreOptions::default()).unwrap());
        assert!(!lies_still(&path), "here it could change");
        let flags = READING | OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(still(&path), flags).unwrap();
        assert_eq!(version_of(&connection, &path, Kind::Account).unwrap(), Kind::Account.version());
    }
}
