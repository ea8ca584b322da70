//! A project directory: opened for a run, which locks it, or for reading.

use super::{
    account::AccountStore,
    accounts,
    database::{Database, Terms},
    faults::{ACCOUNTS, At, Trouble, broken},
    journal,
    lock::{self, Holder, Locking, RunLock},
    options::{Life, StoreOptions},
    rows::{RunId, now},
    schema::Kind,
};
use rusqlite::Connection;
use std::{
    collections::HashMap,
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{sync::Mutex, task::spawn_blocking};
use transhume_contract::{AccountId, Fault};

/// What a project is opened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A verb that writes. Only one may run at a time.
    Running { verb: String },
    /// A verb that only reads; it may go on beside a run.
    Reading,
}

/// Why a project was not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// Another run has it. Nothing is known of the holder in the moment between their locking and signing.
    Locked {
        by: Option<Holder>,
    },
    Fault(Fault),
}

impl fmt::Display for NotOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { by: Some(holder) } => write!(f, "the project is locked by {holder}"),
            Self::Locked { by: None } => f.write_str("the project is locked by another run"),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for NotOpened {}

impl From<Fault> for NotOpened {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// An opened project. Cloning is cheap. The lock goes when the last clone, and of its account stores, is dropped and
/// everything they had to write is written.
#[derive(Clone)]
pub struct Project {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    db: Database,
    terms: Terms,
    run: Option<RunId>,
    /// Every account has one writing thread, however often it is opened.
    open: Mutex<HashMap<String, std::sync::Weak<super::account::Inner>>>,
}

impl Project {
    /// Makes the directory of a project, or completes it. What is there stays.
    pub async fn create(dir: &Path, options: StoreOptions) -> Result<(), NotOpened> {
        let dir = dir.to_owned();
        blocking(move || {
            let accounts = dir.join("accounts");
            fs::create_dir_all(&accounts).at(&accounts).map_err(|trouble| trouble.into_fault(&dir))?;
            let lock = locked(&dir, "init")?;
            Database::open(&dir.join("project.db"), Kind::Project, &terms(Some(lock), options))?;
            Ok(())
        })
        .await
    }

    /// Opens a project. For a run it is locked, brought to the present version, and the run is written down.
    pub async fn open(dir: &Path, opening: Opening, options: StoreOptions) -> Result<Self, NotOpened> {
        let (dir, what_for) = (dir.to_owned(), opening.clone());
        let mut inner = blocking(move || Self::open_files(dir, &what_for, options)).await?;
        if let Opening::Running { verb } = opening {
            inner.run = Some(inner.db.write(move |db| begin_run(db, &verb)).await?);
        }
        Ok(Self { inner: Arc::new(inner) })
    }

    fn open_files(dir: PathBuf, opening: &Opening, options: StoreOptions) -> Result<Inner, NotOpened> {
        let path = dir.join("project.db");
        if !path.is_file() {
            return Err(no_project(&dir).into());
        }
        let lock = match opening {
            Opening::Running { verb } => Some(locked(&dir, verb)?),
            Opening::Reading => None,
        };
        let terms = terms(lock, options);
        let db = Database::open(&path, Kind::Project, &terms)?;
        Ok(Inner { dir, db, terms, run: None, open: Mutex::default() })
    }

    /// The run this project was opened for.
    pub fn run(&self) -> Option<RunId> {
        self.inner.run
    }

    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Commits so far in this process: what a crash test counts its way through.
    pub fn commits(&self) -> u64 {
        self.inner.terms.life.commits()
    }

    /// Writes down how the run ended, in one word a script can read (`done`, `owed`, `interrupted`).
    pub async fn end_run(&self, outcome: &str) -> Result<(), Fault> {
        let (run, outcome) = (self.inner.run, outcome.to_owned());
        self.write(move |db| {
            db.execute("UPDATE run SET ended = ?1, outcome = ?2 WHERE key = ?3", (now(), &outcome, run))?;
            run.map_or(Ok(()), |run| journal::note_run(db, run, "run_ended", &outcome))
        })
        .await
    }

    /// Opens an account's store, or makes it. Opened twice, it is the same store.
    pub async fn open_account(&self, id: &AccountId) -> Result<AccountStore, Fault> {
        let id = id.clone();
        let row = self.read(move |db| accounts::by_id(db, &id)).await?;
        let row = row.ok_or_else(|| broken("this account was never listed"))?;
        let mut open = self.inner.open.lock().await;
        if let Some(inner) = open.get(&row.folder).and_then(std::sync::Weak::upgrade) {
            return Ok(AccountStore { inner });
        }
        let store = self.open_folder(row).await?;
        open.insert(store.0, Arc::downgrade(&store.1.inner));
        Ok(store.1)
    }

    async fn open_folder(&self, row: accounts::AccountRow) -> Result<(String, AccountStore), Fault> {
        let dir = self.inner.dir.join(ACCOUNTS).join(&row.folder);
        let (terms, run, writing) = (self.inner.terms.clone(), self.inner.run, self.inner.terms.writing());
        let opening = blocking(move || Ok(AccountStore::open(&dir, row.account, run, &terms)?)).await;
        let store = opening.map_err(|refused| match refused {
            NotOpened::Fault(fault) => fault,
            NotOpened::Locked { .. } => broken("an account is not locked by itself"),
        })?;
        if writing {
            store.move_in().await?;
        }
        Ok((row.folder, store))
    }

    /// Whether an account has a store yet; a reader does not make one.
    pub async fn has_store(&self, row: &accounts::AccountRow) -> bool {
        let path = self.inner.dir.join("accounts").join(&row.folder).join("store.db");
        tokio::fs::try_exists(path).await.unwrap_or(false)
    }

    pub(super) async fn read<T, R>(&self, read: R) -> Result<T, Fault>
    where
        T: Send + 'static,
        R: FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
    {
        self.inner.db.read(read).await
    }

    pub(super) async fn write<T, W>(&self, write: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Trouble> + Send + 'static,
    {
        self.inner.db.write(write).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, NotOpened> + Send + 'static,
) -> Result<T, NotOpened> {
    spawn_blocking(work).await.map_err(|_| broken("opening the store did not come to its end"))?
}

fn terms(lock: Option<RunLock>, options: StoreOptions) -> Terms {
    Terms { lock: lock.map(Arc::new), life: Arc::new(Life::new(&options)), options }
}

fn locked(dir: &Path, verb: &str) -> Result<RunLock, NotOpened> {
    match lock::lock(dir, verb).map_err(|trouble| trouble.into_fault(dir))? {
        Locking::Held(lock) => Ok(lock),
        Locking::Taken(by) => Err(NotOpened::Locked { by }),
    }
}

fn no_project(dir: &Path) -> Fault {
    broken(format!("there is no project in {}", dir.display()))
        .ask("make one with `transhume init`, or name another directory with --project")
}

fn begin_run(db: &Connection, verb: &str) -> Result<RunId, Trouble> {
    db.execute("INSERT INTO run (verb, begun) VALUES (?1, ?2)", (verb, now()))?;
    let run = RunId(db.last_insert_rowid());
    journal::note_run(db, run, "run_begun", verb)?;
    Ok(run)
}
