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

    /// Places a batch. Every item is answered for.
    pub async fn place(self, batch: Vec<Placing>) -> Outcomes {
        let mut done = Outcomes::new();
        let mut jobs = Vec::with_capacity(batch.len());
        for placing in batch {
            let intent = placing.intent.clone();
            match self.job(placing).await {
                Ok(job) => jobs.push(job),
                Err(fault) => done.push((intent, Err(fault))),
            }
        }
        let (mut placed, jobs) = self.as_a_whole(jobs).await;
        let (imported, jobs) = self.imported(jobs).await;
        placed.extend(imported);
        let writers = self.home.server.writers();
        placed.extend(stream::iter(jobs).map(|job| self.one(job)).buffer_unordered(writers).collect::<Vec<_>>().await);
        done.extend(self.with_versions(placed).await);
        done
    }

    async fn job(&self, placing: Placing) -> Result<Job, Fault> {
        let objects = self.home.server.objects();
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
        let answer = self.send(&ask::put(&path, self.at.workload, job.bytes.clone(), If::Nothing)).await?;
        if answer.stored() {
            return Ok(answer.etag());
        }
        let fault = self.refused(&answer);
        if fault.what != What::Exists {
            return Err(fault);
        }
        // Under its own name something stands that no placement knows: unless a run reserved it, it is not ours to touch.
        match self.in_its_reserved_place(job).await? {
            Some(etag) => Ok(etag),
            None => Err(fault.skip(Cause::DuplicateUid)),
        }
    }

    async fn replaced(&self, job: &Job, old: &Placement) -> Result<(String, Option<String>), Fault> {
        let Some(version) = &old.version else { return Err(faults::changed_there()) };
        let (reader, name) = (Reader::of(self.link.clone(), &old.at), old.handle.as_str());
        let condition = If::Unchanged(version.as_str());
        let path = below(&reader.path, name);
        let answer = self.send(&ask::put(&path, self.at.workload, job.bytes.clone(), condition)).await?;
        if answer.stored() {
            return Ok((name.to_owned(), answer.etag()));
        }
        Err(match answer.inner_status() {
            404 | 409 | 410 | 412 if answer.complaint().conditions.is_empty() => gone_or_changed(&reader, name).await?,
            _ => self.refused(&answer),
        })
    }

    pub async fn send(&self, ask: &ask::Ask) -> Result<Answer, Fault> {
        let outcome = self.link.send(ask).await;
        if let Err(fault) = &outcome
            && fault.outcome == Outcome::Unknown
        {
            self.link.account.remember_loss(&self.reader.path);
        }
        outcome
    }

    pub fn refused(&self, answer: &Answer) -> Fault {
        if answer.status == 200 {
            return faults::unreadable(&self.link.place(), "an item", "it is a page, and nothing was stored");
        }
        let fault = faults::refused(&self.link.place(), "the item", answer);
        match (fault.what, fault.reach) {
            (What::Vanished, Reach::Collection) => faults::collection_vanished(&self.at.name),
            _ => fault,
        }
    }

    /// Versions that the answers did not tell, asked for together.
    async fn with_versions(&self, placed: Vec<Written>) -> Outcomes {
        let untold = placed.iter().filter_map(|(_, outcome)| outcome.as_ref().ok());
        let names: Vec<String> = untold.filter(|(_, etag)| etag.is_none()).map(|(name, _)| name.clone()).collect();
        let mut told = match names.is_empty() {
            true => std::collections::HashMap::new(),
            // They stand: not knowing their versions costs the right to replace them, and is no fault.
            false => self.reader.etags(&names).await.unwrap_or_default(),
        };
        let answer = |(name, etag): (String, Option<String>)| Placed {
            version: etag.or_else(|| told.remove(&name)).map(Version::new),
            handle: Some(Handle::new(name)),
            ..Placed::default()
        };
        let mut answer = answer;
        placed.into_iter().map(|(intent, outcome)| (intent, outcome.map(&mut answer))).collect()
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
