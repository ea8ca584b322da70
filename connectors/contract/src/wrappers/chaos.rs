use crate::{
    Access, Account, AccountId, AccountPage, Amended, Amending, Canary, Collection, CollectionId, Cost, Cursor, Facts,
    Fault, Feed, Foreseen, Found, Handle, Holdings, Identity, IntentId, ItemRef, Look, Loss, NaturalKey, Observed,
    OriginalSink, Page, Placed, Placement, Placing, Reach, Sharing, Source, SourceTraits, Target, TargetTraits,
    Traffic, Wanted, What, Workload,
};
use async_trait::async_trait;
use futures::{StreamExt, stream, stream::BoxStream};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Decides, repeatably for a seed, which calls fail.
pub struct Chaos {
    random: Mutex<fastrand::Rng>,
    rate: f64,
    dealt: AtomicU64,
}

/// How a call fails: before the other side heard of it, or after it had done it.
enum Blow {
    Before,
    After,
}

impl Chaos {
    /// `rate` of all calls fail, between 0 and 1.
    pub fn new(seed: u64, rate: f64) -> Arc<Self> {
        Arc::new(Self { random: Mutex::new(fastrand::Rng::with_seed(seed)), rate, dealt: AtomicU64::new(0) })
    }

    /// How many calls were made to fail.
    pub fn dealt(&self) -> u64 {
        self.dealt.load(Ordering::Relaxed)
    }

    fn blow(&self) -> Option<Blow> {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        if random.f64() >= self.rate {
            return None;
        }
        self.dealt.fetch_add(1, Ordering::Relaxed);
        Some(if random.bool() { Blow::Before } else { Blow::After })
    }

    /// Makes a reading fail, or lets it through.
    fn reading(&self) -> Result<(), Fault> {
        self.blow().map_or(Ok(()), |_| Err(broken()))
    }

    /// Makes a write fail before it happens, or tells that its answer is to be lost.
    fn writing(&self) -> Result<bool, Fault> {
        match self.blow() {
            None => Ok(false),
            Some(Blow::Before) => Err(broken()),
            Some(Blow::After) => Ok(true),
        }
    }
}

fn broken() -> Fault {
    Fault::new(What::Unreachable, "the connection was lost (chaos)").reaching(Reach::Item)
}

fn lost<T>(lost: bool, answer: Result<T, Fault>) -> Result<T, Fault> {
    if lost { Err(broken().outcome_unknown()) } else { answer }
}

/// A source some of whose calls fail.
pub struct ChaosSource {
    inner: Arc<dyn Source>,
    chaos: Arc<Chaos>,
}

impl ChaosSource {
    pub fn new(inner: Arc<dyn Source>, chaos: Arc<Chaos>) -> Self {
        Self { inner, chaos }
    }
}

#[async_trait]
impl Source for ChaosSource {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }
    fn traits(&self) -> SourceTraits {
        self.inner.traits()
    }
    fn traffic(&self) -> Traffic {
        self.inner.traffic()
    }
    fn cost(&self, workload: Workload, items: &BTreeMap<String, u64>) -> Cost {
        self.inner.cost(workload, items)
    }
    async fn check(&self, account: Option<&Account>) -> Result<Access, Fault> {
        self.inner.check(account).await
    }
    async fn accounts(&self, from: Option<&Cursor>) -> Result<AccountPage, Fault> {
        self.chaos.reading()?;
        self.inner.accounts(from).await
    }
    async fn collections(&self, account: &Account, workload: Workload) -> Result<Vec<Collection>, Fault> {
        self.chaos.reading()?;
        self.inner.collections(account, workload).await
    }
    async fn feeds(&self, account: &Account, collections: &[Collection]) -> Result<Vec<Feed>, Fault> {
        self.chaos.reading()?;
        self.inner.feeds(account, collections).await
    }
    async fn changes(&self, of: &Feed, from: Option<&Cursor>) -> Result<Page, Fault> {
        self.chaos.reading()?;
        self.inner.changes(of, from).await
    }
    async fn fetch(&self, item: &ItemRef, into: &mut dyn OriginalSink) -> Result<Facts, Fault> {
        let lost_answer = self.chaos.writing()?;
        lost(lost_answer, self.inner.fetch(item, into).await)
    }
    async fn settings(&self, account: &Account, of: Workload, into: &mut dyn OriginalSink) -> Result<(), Fault> {
        self.chaos.reading()?;
        self.inner.settings(account, of, into).await
    }
}

/// A target some of whose calls fail, before or after they happened.
pub struct ChaosTarget {
    inner: Arc<dyn Target>,
    chaos: Arc<Chaos>,
}

impl ChaosTarget {
    pub fn new(inner: Arc<dyn Target>, chaos: Arc<Chaos>) -> Self {
        Self { inner, chaos }
    }
}

#[async_trait]
impl Target for ChaosTarget {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }
    async fn traits(&self, account: &AccountId) -> Result<TargetTraits, Fault> {
        self.inner.traits(account).await
    }
    async fn check(&self, account: Option<&AccountId>) -> Result<Access, Fault> {
        self.inner.check(account).await
    }
    async fn not_there(&self, account: Option<&AccountId>, workload: Workload) -> Result<Option<String>, Fault> {
        self.inner.not_there(account, workload).await
    }
    async fn holdings(&self, account: &AccountId, workload: Workload, sample: usize) -> Result<Holdings, Fault> {
        self.inner.holdings(account, workload, sample).await
    }
    async fn foresee(&self, want: &Wanted) -> Result<Foreseen, Fault> {
        self.inner.foresee(want).await
    }
    async fn others(
        &self,
        account: &AccountId,
        workload: Workload,
        known: &[CollectionId],
    ) -> Result<Vec<Collection>, Fault> {
        self.chaos.reading()?;
        self.inner.others(account, workload, known).await
    }
    async fn ensure(&self, want: &Wanted) -> Result<Collection, Fault> {
        let lost_answer = self.chaos.writing()?;
        lost(lost_answer, self.inner.ensure(want).await)
    }
    fn may_name(&self, at: &Collection, handle: &Handle) -> bool {
        self.inner.may_name(at, handle)
    }
    async fn find(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
        self.chaos.reading()?;
        self.inner.find(at, keys).await
    }
    fn place<'a>(
        &'a self,
        at: &'a Collection,
        batch: Vec<Placing>,
    ) -> BoxStream<'a, (IntentId, Result<Placed, Fault>)> {
        match self.chaos.writing() {
            Err(fault) => {
                let refuse = move |placing: Placing| (placing.intent, Err(fault.clone()));
                stream::iter(batch.into_iter().map(refuse)).boxed()
            }
            Ok(lose) => {
                let answer = move |(intent, placed)| (intent, lost(lose, placed));
                self.inner.place(at, batch).map(answer).boxed()
            }
        }
    }
    async fn amend(
        &self,
        at: &Collection,
        changes: Vec<Amending>,
    ) -> Result<Vec<(IntentId, Result<Amended, Fault>)>, Fault> {
        let lost_answer = self.chaos.writing()?;
        lost(lost_answer, self.inner.amend(at, changes).await)
    }
    async fn relocate(&self, what: &Placement, to: &Collection, copy: Option<&Handle>) -> Result<Placed, Fault> {
        let lost_answer = self.chaos.writing()?;
        lost(lost_answer, self.inner.relocate(what, to, copy).await)
    }
    async fn withdraw(&self, what: &Placement) -> Result<Vec<Loss>, Fault> {
        let lost_answer = self.chaos.writing()?;
        lost(lost_answer, self.inner.withdraw(what).await)
    }
    async fn settle(&self, at: &Collection) -> Result<(), Fault> {
        self.inner.settle(at).await
    }
    fn observe<'a>(&'a self, at: &'a Collection, look: Look) -> BoxStream<'a, Result<Observed, Fault>> {
        self.inner.observe(at, look)
    }
    fn is_left_behind(&self, seen: &Observed) -> bool {
        self.inner.is_left_behind(seen)
    }
    fn sharing(&self) -> Option<&dyn Sharing> {
        self.inner.sharing()
    }
    fn canary(&self) -> Option<&dyn Canary> {
        self.inner.canary()
    }
}
