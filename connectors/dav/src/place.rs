//! Placing: one conditional PUT for each item, several at once where the server writes several at once; for the servers
//! that take many in one request, see `whole` and `import`.

use crate::{
    account::Link,
    answer::Answer,
    ask::{self, If},
    faults,
    find::name_of,
    homes::Home,
    lines,
    paths::below,
    read::Reader,
    server::Kind,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use std::sync::{Mutex, PoisonError};
use tokio::io::AsyncReadExt;
use transhume_contract::{
    Cause, Collection, Fault, Handle, IntentId, Outcome, Placed, Placement, Placing, Reach, Version, What,
};

pub type Outcomes = Vec<(IntentId, Result<Placed, Fault>)>;
/// What writing an item came to: the name it stands under, and its ETag where the server told it.
pub type Written = (IntentId, Result<(String, Option<String>), Fault>);

/// One item on its way.
pub struct Job {
    pub intent: IntentId,
    pub name: String,
    pub uid: Option<String>,
    pub bytes: Bytes,
    pub instead: Option<Placement>,
}

/// One item, read already or still to be read.
enum Turn {
    Ready(Job),
    Waiting(Placing),
}

/// The placing of one batch into one collection.
pub struct Placer<'a> {
    pub link: &'a Link,
    pub home: &'a Home,
    pub at: &'a Collection,
    pub reader: Reader,
    /// A fault that reaches further than an item: nothing is sent after it.
    stopped: Mutex<Option<Fault>>,
}

impl<'a> Placer<'a> {
    pub fn new(link: &'a Link, home: &'a Home, at: &'a Collection) -> Self {
        Self { link, home, at, reader: Reader::of(link.clone(), at), stopped: Mutex::default() }
    }

    /// Places a batch. Every item is answered for. What takes the place of something goes by itself: its bytes are
    /// read when its turn comes, and not before.
    pub async fn place(self, batch: Vec<Placing>) -> Outcomes {
        let mut done = Outcomes::new();
        let under_way = self.link.account.begin_placing();
        let (waiting, new): (Vec<_>, Vec<_>) = batch.into_iter().partition(|placing| placing.instead.is_some());
        let mut jobs = Vec::with_capacity(new.len());
        for placing in new {
            let intent = placing.intent.clone();
            match self.job(placing).await {
                Ok(job) => jobs.push(job),
                Err(fault) => done.push((intent, Err(fault))),
            }
        }
        let (mut placed, jobs) = self.as_a_whole(jobs).await;
        let writers = self.home.server.writers().min(under_way.share(self.link.lanes(&self.home.server)));
        let (imported, jobs) = self.imported(jobs, writers).await;
        placed.extend(imported);
        let turns = jobs.into_iter().map(Turn::Ready).chain(waiting.into_iter().map(Turn::Waiting));
        let turns = stream::iter(turns).map(|turn| self.turn(turn));
        placed.extend(turns.buffer_unordered(writers).collect::<Vec<_>>().await);
        done.extend(placed.into_iter().map(answered));
        done
    }

    async fn turn(&self, turn: Turn) -> Written {
        let placing = match turn {
            Turn::Ready(job) => return self.one(job).await,
            Turn::Waiting(placing) => placing,
        };
        let intent = placing.intent.clone();
        if let Some(fault) = self.stopped() {
            return (intent, Err(fault));
        }
        match self.job(placing).await {
            Ok(job) => self.one(job).await,
            Err(fault) => {
                self.stop(&fault);
                (intent, Err(fault))
            }
        }
    }

    async fn job(&self, placing: Placing) -> Result<Job, Fault> {
        let objects = self.home.objects();
        if placing.body.length() > objects.object_bytes {
            return Err(faults::over_limit(placing.body.length(), objects.object_bytes));
        }
        let bytes = whole(&placing).await?;
        if let Some(why) = lines::would_invite(&bytes, objects.scheduling, &self.home.addresses) {
            return Err(faults::would_invite(self.home.server.name(), &why));
        }
        let uid = placing.key.or_else(|| lines::uid(&bytes));
        let name = name_of(self.at.workload, uid.as_deref(), &placing.body.digest());
        Ok(Job { intent: placing.intent, name, uid, bytes, instead: placing.instead })
    }

    pub fn stopped(&self) -> Option<Fault> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A fault that reaches further ends the batch; what was not sent is not done.
    pub fn stop(&self, fault: &Fault) {
        if fault.reach > Reach::Item {
            let not_sent = Fault { outcome: Outcome::NotDone, ..fault.clone() };
            *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(not_sent);
        }
    }

    async fn one(&self, job: Job) -> Written {
        if let Some(fault) = self.stopped() {
            return (job.intent, Err(fault));
        }
        let outcome = match &job.instead {
            None => self.first(&job).await.map(|etag| (job.name.clone(), etag)),
            Some(old) => self.replaced(&job, old).await,
        };
        if let Err(fault) = &outcome {
            self.stop(fault);
        }
        (job.intent, outcome)
    }

    /// The ETag, where the server tells it: it does not of what it stored in other words.
    async fn first(&self, job: &Job) -> Result<Option<String>, Fault> {
        // SOGo 5.8 takes the condition for none, and writes over what stands there.
        if self.home.server.kind == Kind::Sogo && self.reader.etag(&job.name).await?.is_some() {
            return Err(faults::stands_already(&self.link.place()));
        }
        let path = below(&self.reader.path, &job.name);
        let answer = self.send(&self.put(&path, job, If::Nothing)).await?;
        if answer.stored() {
            return Ok(answer.etag());
        }
        let fault = self.doubted(&self.reader, &job.name, None, &answer).await;
        if fault.what != What::Exists {
            return Err(fault);
        }
        if answer.is_bare() && self.reader.etag(&job.name).await?.is_none() {
            return Err(self.unmet(job, &answer));
        }
        // Under its own name something stands that no placement knows: unless a run reserved it, it is not ours to touch.
        match self.in_its_reserved_place(job).await? {
            Some(etag) => Ok(etag),
            None => Err(fault.skip(Cause::DuplicateUid)),
        }
    }

    /// Cyrus 3.6 tells no ETag of a meeting it stored, unless it is asked for what it stored.
    fn put(&self, path: &str, job: &Job, condition: If<'_>) -> ask::Ask {
        let put = ask::put(path, self.at.workload, job.bytes.clone(), condition);
        match self.home.server.kind == Kind::Cyrus && lines::has_people(&job.bytes) {
            true => put.telling(),
            false => put,
        }
    }

    async fn replaced(&self, job: &Job, old: &Placement) -> Result<(String, Option<String>), Fault> {
        let Some(version) = &old.version else { return Err(faults::changed_there()) };
        let (reader, name) = (Reader::of(self.link.clone(), &old.at), old.handle.as_str());
        let condition = If::Unchanged(version.as_str());
        let path = below(&reader.path, name);
        let answer = self.link.write(&self.put(&path, job, condition), &reader.path).await?;
        if answer.stored() {
            return Ok((name.to_owned(), answer.etag()));
        }
        Err(match answer.is_bare() {
            true => self.not_as_it_was(&reader, (name, version.as_str()), job, &answer).await?,
            false => self.doubted(&reader, name, Some(version.as_str()), &answer).await,
        })
    }

    /// Why what was to replace something was refused: it is gone, it was changed, or the server means something else.
    pub async fn not_as_it_was(
        &self,
        reader: &Reader,
        (name, version): (&str, &str),
        job: &Job,
        answer: &Answer,
    ) -> Result<Fault, Fault> {
        Ok(match reader.etag(name).await? {
            None => faults::item_vanished(),
            Some(etag) if etag == version => self.unmet(job, answer),
            Some(_) => faults::changed_there(),
        })
    }

    fn unmet(&self, job: &Job, answer: &Answer) -> Fault {
        let is_radicale = self.home.server.kind == Kind::Radicale;
        faults::unmet(&self.link.place(), job.bytes.len(), answer, is_radicale)
    }

    pub async fn doubted(&self, reader: &Reader, name: &str, before: Option<&str>, answer: &Answer) -> Fault {
        weighed(self.refused(answer), answer, reader, (name, before)).await
    }

    /// Sends a write into the collection.
    pub async fn send(&self, ask: &ask::Ask) -> Result<Answer, Fault> {
        self.link.write(ask, &self.reader.path).await
    }

    pub fn refused(&self, answer: &Answer) -> Fault {
        let fault = faults::unwritten(&self.link.place(), "the item", answer);
        match (fault.what, fault.reach) {
            (What::Vanished, Reach::Collection) => faults::collection_vanished(&self.at.name),
            _ => fault,
        }
    }
}

/// An ETag that an answer does not tell is not asked for after it: it might be that of what somebody wrote meanwhile.
/// Whoever needs it reads what stands there, and compares.
fn answered((intent, outcome): Written) -> (IntentId, Result<Placed, Fault>) {
    let placed = |(name, etag): (String, Option<String>)| {
        let (handle, version) = (Some(Handle::new(name)), etag.map(Version::new));
        Placed { handle, version, ..Placed::default() }
    };
    (intent, outcome.map(placed))
}

/// What a refusal means, where its answer may say nothing of what was done: what stands under the name tells whether
/// nothing was. `before` is the ETag of what stood there.
pub async fn weighed(fault: Fault, answer: &Answer, reader: &Reader, (name, before): (&str, Option<&str>)) -> Fault {
    if !answer.is_doubtful() {
        return fault;
    }
    match reader.etag(name).await {
        Ok(stands) if stands.as_deref() == before => fault,
        Ok(_) | Err(_) => {
            reader.link.account.remember_loss(&reader.path, false);
            fault.outcome_unknown()
        }
    }
}

/// Why something is not as its placement says.
pub async fn gone_or_changed(reader: &Reader, name: &str) -> Result<Fault, Fault> {
    Ok(match reader.etag(name).await? {
        None => faults::item_vanished(),
        Some(_) => faults::changed_there(),
    })
}

/// The bytes of a rendering: objects are small, and a PUT of unknown length would be stored as nothing by some servers.
async fn whole(placing: &Placing) -> Result<Bytes, Fault> {
    if let Some(bytes) = placing.body.at_hand() {
        return Ok(bytes);
    }
    let mut bytes = Vec::new();
    let mut from = placing.body.open().await?;
    from.read_to_end(&mut bytes).await.map_err(|error| {
        Fault::new(What::StoreBroken, format!("A rendering cannot be read: {error}.")).reaching(Reach::Account).report()
    })?;
    match bytes.len() as u64 == placing.body.length() {
        true => Ok(Bytes::from(bytes)),
        false => {
            let sentence = "A rendering has another length than the store says.";
            Err(Fault::new(What::StoreBroken, sentence).reaching(Reach::Account).report())
        }
    }
}
