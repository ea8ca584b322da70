//! Connections that only read: each read sees one consistent state and never waits for the writer.

use super::{
    faults::{Trouble, broken},
    options::Life,
    schema,
};
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{sync::Semaphore, task::spawn_blocking};
use transhume_contract::Fault;

/// Reads of one database that may be under way at once.
const MOST: usize = 4;

pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
    life: Arc<Life>,
}

impl Readers {
    pub fn new(path: &Path, life: Arc<Life>) -> Self {
        Self { path: path.to_owned(), idle: Arc::default(), turns: Arc::new(Semaphore::new(MOST)), life }
    }

    pub async fn read<T, R>(&self, read: R) -> Result<T, Fault>
    where
        T: Send + 'static,
        R: FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
    {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| broken("the store was closed"))?;
        let (path, idle, life) = (self.path.clone(), Arc::clone(&self.idle), Arc::clone(&self.life));
        let reading = spawn_blocking(move || {
            let _turn = turn;
            read_once(&path, &idle, &life, read).map_err(|trouble| trouble.into_fault(&path))
        });
        reading.await.map_err(|_| broken("a read of the store did not come to its end"))?
    }
}

fn read_once<T>(
    path: &Path,
    idle: &Mutex<Vec<Connection>>,
    life: &Life,
    read: impl FnOnce(&Connection) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    life.alive()?;
    let waiting = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let connection = waiting.map_or_else(|| schema::open_to_read(path), Ok)?;
    let snapshot = connection.unchecked_transaction()?;
    let result = read(&snapshot);
    drop(snapshot);
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    result
}
