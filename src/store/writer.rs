//! The one thread that writes a database: it gathers what is waiting into one transaction and commits once for all.

use super::{
    faults::{Trouble, broken},
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

/// Tells the writer of a job what became of the commit.
type Answer = Box<dyn FnOnce(Result<(), &Fault>) + Send>;
/// Does the job and says what went wrong with it; without a connection it is refused.
type Work = Box<dyn FnOnce(Option<&Connection>) -> (Option<Fault>, Answer) + Send>;

struct Job {
    weight: usize,
    work: Work,
}

/// The way to the writing thread. The thread ends when the last of these is dropped and what waits is written.
pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
    path: PathBuf,
}

impl Writer {
    pub fn start(connection: Connection, path: &Path, life: Arc<Life>) -> Result<Self, Trouble> {
        let (queue, waiting) = mpsc::channel(MOST_IN_BATCH * 2);
        let desk = Desk { connection, life, path: path.to_owned() };
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
        W: FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
    {
        let room = self.enter(weight).await?;
        let (told, answer) = oneshot::channel();
        let work = work(write, told, room, self.path.clone());
        self.queue.send(Job { weight, work }).await.map_err(|_| gone())?;
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

fn work<T, W>(write: W, told: oneshot::Sender<Result<T, Fault>>, room: OwnedSemaphorePermit, path: PathBuf) -> Work
where
    T: Send + 'static,
    W: FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
{
    Box::new(move |connection| {
        let result = match connection {
            Some(connection) => write(connection).map_err(|trouble| trouble.into_fault(&path)),
            None => Err(gone()),
        };
        let failed = result.as_ref().err().cloned();
        let answer: Answer = Box::new(move |commit| {
            drop(room);
            // Nobody waits any more where the caller was cancelled: the write stands all the same.
            told.send(commit.map_err(Clone::clone).and(result)).ok();
        });
        (failed, answer)
    })
}

struct Desk {
    connection: Connection,
    life: Arc<Life>,
    path: PathBuf,
}

impl Desk {
    fn work_through(self, mut waiting: mpsc::Receiver<Job>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut answers = Vec::new();
            let outcome = self.write_batch(first, &mut waiting, &mut answers);
            let outcome = outcome.map_err(|trouble| trouble.into_fault(&self.path));
            for answer in answers {
                answer(outcome.as_ref().map(|_| ()));
            }
        }
    }

    fn write_batch(
        &self,
        first: Job,
        waiting: &mut mpsc::Receiver<Job>,
        answers: &mut Vec<Answer>,
    ) -> Result<(), Trouble> {
        let begun = self.life.alive().and_then(|()| Ok(self.run("BEGIN IMMEDIATE")?));
        if let Err(trouble) = begun {
            answers.push((first.work)(None).1);
            return Err(trouble);
        }
        let mut weight = first.weight;
        let mut whole = self.write_one(first, answers);
        while whole.is_ok() && answers.len() < MOST_IN_BATCH && weight < MOST_BYTES_IN_BATCH {
            let Ok(job) = waiting.try_recv() else { break };
            weight += job.weight;
            whole = self.write_one(job, answers);
        }
        whole.and_then(|()| self.commit()).inspect_err(|_| self.roll_back())
    }

    /// One job, in its own savepoint: what it did is undone if it fails, and the others stand.
    fn write_one(&self, job: Job, answers: &mut Vec<Answer>) -> Result<(), Trouble> {
        self.run("SAVEPOINT job")?;
        let (failed, answer) = (job.work)(Some(&self.connection));
        answers.push(answer);
        if let Some(fault) = failed {
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
