//! Wires to both sides that a test may hold: what is fetched and what is placed passes through its hands.

use async_trait::async_trait;
use futures::{StreamExt, future::BoxFuture, stream, stream::BoxStream};
use std::sync::Arc;
use transhume_contract::{
    Access, Account, AccountId, AccountPage, Amended, Amending, Collection, CollectionId, Cursor, Facts, Fault, Feed,
    Foreseen, Found, Handle, Holdings, Identity, IntentId, ItemRef, Look, Loss, NaturalKey, Observed, OriginalSink,
    Page, Placed, Placement, Placing, Source, SourceTraits, Target, TargetTraits, Traffic, Wanted, What, Workload,
    memory::MemorySource,
};

/// A source that waits for something before it gives a body.
pub struct Waiting<F>(pub Arc<MemorySource>, pub F);

#[async_trait]
impl<F: Fn(&ItemRef) -> BoxFuture<'static, ()> + Send + Sync> Source for Waiting<F> {
    fn identity(&self) -> &Identity {
        self.0.identity()
    }
    fn traits(&self) -> SourceTraits {
        self.0.traits()
    }
    fn traffic(&self) -> Traffic {
        self.0.traffic()
    }
    async fn check(&self, account: Option<&Account>) -> Result<Access, Fault> {
        self.0.check(account).await
    }
    async fn accounts(&self, from: Option<&Cursor>) -> Result<AccountPage, Fault> {
        self.0.accounts(from).await
    }
    async fn collections(&self, account: &Account, workload: Workload) -> Result<Vec<Collection>, Fault> {
        self.0.collections(account, workload).await
    }
    async fn feeds(&self, account: &Account, collections: &[Collection]) -> Result<Vec<Feed>, Fault> {
        self.0.feeds(account, collections).await
    }
    async fn changes(&self, of: &Feed, from: Option<&Cursor>) -> Result<Page, Fault> {
        self.0.changes(of, from).await
    }
    async fn fetch(&self, item: &ItemRef, into: &mut dyn OriginalSink) -> Result<Facts, Fault> {
        (self.1)(item).await;
        self.0.fetch(item, into).await
    }
    async fn settings(&self, account: &Account, workload: Workload, into: &mut dyn OriginalSink) -> Result<(), Fault> {
        self.0.settings(account, workload, into).await
    }
}

/// What a test puts between the engine and a target: what it does not take into its own hands passes through.
#[async_trait]
pub trait Between: Send + Sync {
    fn target(&self) -> &dyn Target;

    fn alter(&self, traits: TargetTraits) -> TargetTraits {
        traits
    }
    async fn ensure(&self, want: &Wanted) -> Result<Collection, Fault> {
        self.target().ensure(want).await
    }
    async fn find(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
        self.target().find(at, keys).await
    }
    async fn amend(
        &self,
        at: &Collection,
        changes: Vec<Amending>,
    ) -> Result<Vec<(IntentId, Result<Amended, Fault>)>, Fault> {
        self.target().amend(at, changes).await
    }
    async fn relocate(&self, what: &Placement, to: &Collection, copy: Option<&Handle>) -> Result<Placed, Fault> {
        self.target().relocate(what, to, copy).await
    }
    async fn place_one(&self, at: &Collection, placing: Placing) -> (IntentId, Result<Placed, Fault>) {
        self.target().place(at, vec![placing]).collect::<Vec<_>>().await.pop().unwrap()
    }
    async fn settle(&self, at: &Collection) -> Result<(), Fault> {
        self.target().settle(at).await
    }
    fn is_left_behind(&self, seen: &Observed) -> bool {
        self.target().is_left_behind(seen)
    }
}

/// A target behind what a test puts before it.
pub struct Behind<B>(pub B);

#[async_trait]
impl<B: Between> Target for Behind<B> {
    fn identity(&self) -> &Identity {
        self.0.target().identity()
    }
    async fn traits(&self, account: &AccountId) -> Result<TargetTraits, Fault> {
        self.0.target().traits(account).await.map(|traits| self.0.alter(traits))
    }
    async fn check(&self, account: Option<&AccountId>) -> Result<Access, Fault> {
        self.0.target().check(account).await
    }
    async fn holdings(&self, account: &AccountId, workload: Workload, sample: usize) -> Result<Holdings, Fault> {
        self.0.target().holdings(account, workload, sample).await
    }
    async fn foresee(&self, want: &Wanted) -> Result<Foreseen, Fault> {
        self.0.target().foresee(want).await
    }
    async fn ensure(&self, want: &Wanted) -> Result<Collection, Fault> {
        self.0.ensure(want).await
    }
    async fn others(
        &self,
        account: &AccountId,
        workload: Workload,
        known: &[CollectionId],
    ) -> Result<Vec<Collection>, Fault> {
        self.0.target().others(account, workload, known).await
    }
    fn may_name(&self, at: &Collection, handle: &Handle) -> bool {
        self.0.target().may_name(at, handle)
    }
    async fn find(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
        self.0.find(at, keys).await
    }
    fn place<'a>(
        &'a self,
        at: &'a Collection,
        batch: Vec<Placing>,
    ) -> BoxStream<'a, (IntentId, Result<Placed, Fault>)> {
        stream::iter(batch).then(move |placing| self.0.place_one(at, placing)).boxed()
    }
    async fn amend(
        &self,
        at: &Collection,
        changes: Vec<Amending>,
    ) -> Result<Vec<(IntentId, Result<Amended, Fault>)>, Fault> {
        self.0.amend(at, changes).await
    }
    async fn relocate(&self, what: &Placement, to: &Collection, copy: Option<&Handle>) -> Result<Placed, Fault> {
        self.0.relocate(what, to, copy).await
    }
    async fn withdraw(&self, what: &Placement) -> Result<Vec<Loss>, Fault> {
        self.0.target().withdraw(what).await
    }
    async fn settle(&self, at: &Collection) -> Result<(), Fault> {
        self.0.settle(at).await
    }
    fn observe<'a>(&'a self, at: &'a Collection, look: Look) -> BoxStream<'a, Result<Observed, Fault>> {
        self.0.target().observe(at, look)
    }
    fn is_left_behind(&self, seen: &Observed) -> bool {
        self.0.is_left_behind(seen)
    }
}

/// What becomes of one placing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Arrives,
    /// It is done, and the answer does not tell in which version.
    Untold,
    /// It is done, and the answer is lost.
    Unanswered,
    /// It never arrives, and nobody knows.
    Swallowed,
}

/// A target whose placings pass through a wire that may break: what becomes of each is decided by its facts, and what
/// was placed is told before it is answered.
pub struct Wire<D, T> {
    pub target: Arc<dyn Target>,
    pub fate: D,
    pub placed: T,
}

#[async_trait]
impl<D: Fn(&Facts) -> Fate + Send + Sync, T: Fn(&Facts) + Send + Sync> Between for Wire<D, T> {
    fn target(&self) -> &dyn Target {
        &*self.target
    }
    async fn place_one(&self, at: &Collection, placing: Placing) -> (IntentId, Result<Placed, Fault>) {
        let (intent, facts) = (placing.intent.clone(), placing.facts.clone());
        let lost = || Err(Fault::new(What::Unreachable, "the connection was lost").outcome_unknown());
        let fate = (self.fate)(&facts);
        if fate == Fate::Swallowed {
            return (intent, lost());
        }
        let answers: Vec<_> = self.target.place(at, vec![placing]).collect().await;
        (self.placed)(&facts);
        let answer = answers.into_iter().next().unwrap().1;
        let answer = match fate {
            Fate::Arrives => answer,
            Fate::Untold => answer.map(|placed| Placed { version: None, ..placed }),
            Fate::Unanswered | Fate::Swallowed => lost(),
        };
        (intent, answer)
    }
}
