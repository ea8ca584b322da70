//! The one thread that writes a database: it gathers what is waiting into one transaction and commits once for all.

use super::{
    faults::{Trouble, broken},
    lock::RunLock,
    options::{Life, Stop, stopped},
};
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use transhume_contract::Fault;

/// A transaction takes no more than this many writes: a longer one would keep the first waiting.
const MOST_IN_BATCH: usize = 512;
/// ... nor more than this many bytes of blobs.
const MOST_BYTES_IN_BATCH: usize = 8 << 20;
/// Bytes that may wait at once; who brings more waits with them (memory does not grow with the account).
const ROOM: usize = 16 << 20;

/// One write, waiting or done.
trait Job: Send {
    /// Bytes of blobs it carries.
    fn weight(&self) -> usize;
    /// Does it, and says what went wrong. It may be done again after a rollback.
    fn run(&mut self, connection: &Connection) -> Option<Fault>;
    /// Tells whoever waits what came of it, given what became of the commit.
    fn answer(self: Box<Self>, commit: Result<(), &Fault>);
}

struct Write<T, W> {
    write: W,
    weight: usize,
    result: Result<T, Fault>,
    told: oneshot::Sender<Result<T, Fault>>,
    path: PathBuf,
    /// Held until it is answered.
    _room: OwnedSemaphorePermit,
}

impl<T, W> Job for Write<T, W>
where
    T: Send,
    W: FnMut(&Connection) -> Result<T, Trouble> + Send,
{
    fn weight(&self) -> usize {
        self.weight
    }

    fn run(&mut self, connection: &Connection) -> Option<Fault> {
        self.result = (self.write)(connection).map_err(|trouble| trouble.into_fault(&self.path));
        self.result.as_ref().err().cloned()
    }

    fn answer(self: Box<Self>, commit: Result<(), &Fault>) {
        // Nobody waits any more where the caller was cancelled: the write stands all the same.
        self.told.send(commit.map_err(Clone::clone).and(self.result)).ok();
    }
}

/// The way to the writing thread. The thread ends when the last of these is dropped and what waits is written.
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
    room: Arc<Semaphore>,
    path: PathBuf,
}

impl Writer {
    pub fn start(connection: Connection, path: &Path, life: Arc<Life>, lock: Arc<RunLock>) -> Result<Self, Trouble> {
        let (queue, waiting) = mpsc::channel(MOST_IN_BATCH * 2);
        let desk = Desk { connection, life, path: path.to_owned(), _lock: lock };
        thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || desk.work_through(waiting))
            .map_err(|error| Trouble::Disk(path.to_owned(), error))?;
        Ok(Self { queue, room: Arc::new(Semaphore::new(ROOM)), path: path.to_owned() })
    }

    /// Runs one write, all or nothing, and answers when it is durable. `weight` is the bytes it carries.
    pub async fn write<T, W>(&self, weight: usize, write: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Trouble> + Send + 'static,
    {
        let (told, answer) = oneshot::channel();
        let (room, path) = (self.enter(weight).await?, self.path.clone());
        let job = Write { write, weight, result: Err(gone()), told, path, _room: room };
        self.queue.send(Box::new(job)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    async fn enter(&self, weight: usize) -> Result<OwnedSemaphorePermit, Fault> {
        let permits = u32::try_from(weight.clamp(1, ROOM)).unwrap_or(u32::MAX);
        Arc::clone(&self.room).acquire_many_owned(permits).await.map_err(|_| gone())
    }
}

fn gone() -> Fault {
    broken("the writer of the store has ended")
}

/// What is waiting, as far as one transaction should take it.
fn gather(first: Box<dyn Job>, waiting: &mut mpsc::Receiver<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
    let mut weight = first.weight();
    let mut batch = vec![first];
    while batch.len() < MOST_IN_BATCH && weight < MOST_BYTES_IN_BATCH {
        let Ok(job) = waiting.try_recv() else { break };
        weight += job.weight();
        batch.push(job);
    }
    batch
}

struct Desk {
    connection: Connection,
    life: Arc<Life>,
    path: PathBuf,
    /// Nobody else may come in before the connection is closed: fields are dropped in their order.
    _lock: Arc<RunLock>,
}

impl Desk {
    fn work_through(self, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut batch = gather(first, &mut waiting);
            let outcome = self.write_batch(&mut batch).map_err(|trouble| trouble.into_fault(&self.path));
            batch.into_iter().for_each(|job| job.answer(outcome.as_ref().map(|_| ())));
        }
    }

    /// Nearly always everything succeeds. Where something does not, the batch is done again with a savepoint around
    /// each job, which costs a third more, so that only what failed is undone.
    fn write_batch(&self, batch: &mut [Box<dyn Job>]) -> Result<(), Trouble> {
        self.life.alive()?;
        let written = self.write_together(batch).and_then(|together| match together {
            true => Ok(()),
            false => self.write_apart(batch),
        });
        written.and_then(|()| self.commit()).inspect_err(|_| self.roll_back())
    }

    fn write_together(&self, batch: &mut [Box<dyn Job>]) -> Result<bool, Trouble> {
        self.run("BEGIN IMMEDIATE")?;
        for job in batch {
            let before = self.connection.total_changes();
            let failed = job.run(&self.connection);
            // What failed before it changed anything leaves nothing to undo.
            if failed.is_some() && self.connection.total_changes() != before {
                return Ok(false);
            }
        }
        Ok(!self.connection.is_autocommit())
    }

    fn write_apart(&self, batch: &mut [Box<dyn Job>]) -> Result<(), Trouble> {
        self.roll_back();
        self.run("BEGIN IMMEDIATE")?;
        batch.iter_mut().try_for_each(|job| self.write_one(&mut **job))
    }

    fn write_one(&self, job: &mut dyn Job) -> Result<(), Trouble> {
        self.run("SAVEPOINT job")?;
        if let Some(fault) = job.run(&self.connection) {
            // A full disk makes SQLite drop the whole transaction by itself; then nothing of this batch stands.
            if self.connection.is_autocommit() {
                return Err(fault.into());
            }
            self.run("ROLLBACK TO job")?;
        }
        Ok(self.run("RELEASE job")?)
    }

    fn commit(&self) -> Result<(), Trouble> {
        match self.life.count() {
            None => Ok(self.run("COMMIT")?),
            Some(Stop::Before) => Err(stopped().into()),
            Some(Stop::After) => {
                self.run("COMMIT")?;
                Err(stopped().into())
            }
        }
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // A rollback that fails leaves the transaction to the closing of the connection, which ends it too.
            self.run("ROLLBACK").ok();
        }
    }

    fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }
}
