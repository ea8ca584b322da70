//! The handle on one account's store.

use super::{
    blobs::Blobs,
    database::{Database, Terms},
    faults::{At, Trouble},
    rows::{Json, RunId},
    schema::Kind,
};
use rusqlite::{Connection, OptionalExtension};
use std::{fs, path::Path, sync::Arc};
use transhume_contract::{Account, Fault};

/// One account's store. Cloning is cheap; the files are closed when the last clone is dropped.
#[derive(Clone)]
pub struct AccountStore {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    account: Account,
    pub db: Database,
    pub blobs: Blobs,
    pub run: Option<RunId>,
}

impl AccountStore {
    /// Blocks.
    pub(super) fn open(dir: &Path, account: Account, run: Option<RunId>, terms: &Terms) -> Result<Self, Fault> {
        let path = dir.join("store.db");
        let blobs = Blobs::new(&dir.join("blobs"), Arc::clone(&terms.life));
        if terms.writing() {
            fs::create_dir_all(blobs.held_dir()).at(dir).map_err(|trouble| trouble.into_fault(dir))?;
        }
        let db = Database::open(&path, Kind::Account, terms)?;
        Ok(Self { inner: Arc::new(Inner { account, db, blobs, run }) })
    }

    /// Whose it is.
    pub fn account(&self) -> &Account {
        &self.inner.account
    }

    /// Writes down whose folder this is, so that it can be handed over alone, and clears what a killed run left open.
    pub(super) async fn move_in(&self) -> Result<(), Fault> {
        let (account, blobs) = (self.inner.account.clone(), self.inner.blobs.clone());
        let known = self.inner.db.read(owner).await?;
        if known.as_ref() != Some(&account) {
            self.write(move |db| sign(db, &account)).await?;
        }
        self.read(move |db| blobs.sweep(db)).await
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

fn owner(db: &Connection) -> Result<Option<Account>, Trouble> {
    let owner = db.query_row("SELECT account FROM owner", [], |row| row.get::<_, Json<Account>>(0)).optional()?;
    Ok(owner.map(|Json(account)| account))
}

fn sign(db: &Connection, account: &Account) -> Result<(), Trouble> {
    db.execute(
        "INSERT INTO owner VALUES (1, ?1) ON CONFLICT DO UPDATE SET account = excluded.account",
        [Json(account)],
    )?;
    Ok(())
}
