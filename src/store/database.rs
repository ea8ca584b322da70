//! One database: a writing thread, where it was opened for a run, and readers.

use super::{
    faults::{Trouble, reading_only},
    lock::RunLock,
    options::{Life, StoreOptions},
    readers::Readers,
    schema::{self, Kind},
    writer::Writer,
};
use rusqlite::Connection;
use std::{path::Path, sync::Arc};
use transhume_contract::Fault;

/// How the databases of a project are opened.
#[derive(Clone)]
pub(super) struct Terms {
    /// Without it nothing is written. Every writing thread holds it to its end.
    pub lock: Option<Arc<RunLock>>,
    pub options: StoreOptions,
    pub life: Arc<Life>,
}

impl Terms {
    pub fn writing(&self) -> bool {
        self.lock.is_some()
    }
}

pub(super) struct Database {
    writer: Option<Writer>,
    readers: Readers,
}

impl Database {
    /// Opens, creates or brings to the present version. Blocks.
    pub fn open(path: &Path, kind: Kind, terms: &Terms) -> Result<Self, Fault> {
        Self::try_open(path, kind, terms).map_err(|trouble| trouble.into_fault(path))
    }

    fn try_open(path: &Path, kind: Kind, terms: &Terms) -> Result<Self, Trouble> {
        terms.life.alive()?;
        let writer = match &terms.lock {
            Some(lock) => {
                let connection = schema::open_to_write(path, kind, &terms.options)?;
                Some(Writer::start(connection, path, Arc::clone(&terms.life), Arc::clone(lock))?)
            }
            None => {
                schema::check(path, kind)?;
                None
            }
        };
        Ok(Self { writer, readers: Readers::new(path, Arc::clone(&terms.life)) })
    }

    pub async fn read<T, R>(&self, read: R) -> Result<T, Fault>
    where
        T: Send + 'static,
        R: FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
    {
        self.readers.read(read).await
    }

    /// Writes, durably, in the next batch. `weight` is the bytes of blobs it carries.
    pub async fn write_heavy<T, W>(&self, weight: usize, write: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Trouble> + Send + 'static,
    {
        self.writer.as_ref().ok_or_else(reading_only)?.write(weight, write).await
    }

    pub async fn write<T, W>(&self, write: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Trouble> + Send + 'static,
    {
        self.write_heavy(0, write).await
    }
}
