use crate::{
    Access, AccountId, Amended, Amending, Appearance, Body, Canary, Collection, CollectionId, Fault, Foreseen, Found,
    Handle, Holdings, Identity, IntentId, Look, Loss, NaturalKey, Observed, Placed, Placement, Placing, Role, Sharing,
    Size, Target, TargetTraits, Wanted, What, Workload,
};
use async_trait::async_trait;
use futures::{StreamExt, stream, stream::BoxStream};
use std::sync::Arc;
use tokio::io::AsyncReadExt;

/// A dry run: reading goes through to the target, writing is played out and leaves no trace there. Bodies are opened
/// and read to their end, so that what could not be sent fails here too.
pub struct Rehearsal {
    inner: Arc<dyn Target>,
}

impl Rehearsal {
    pub fn new(inner: Arc<dyn Target>) -> Self {
        Self { inner }
    }
}

/// Where a collection would stand.
fn imagined(want: &Wanted) -> Collection {
    Collection {
        account: want.account.clone(),
        workload: want.workload,
        id: CollectionId::new(format!("rehearsed:{}", want.path.join("/"))),
        parent: None,
        name: want.path.last().cloned().unwrap_or_default(),
        role: Role::Ordinary,
        hidden: false,
        expected: Size::default(),
        appearance: Appearance::default(),
    }
}

fn played() -> Placed {
    Placed { handle: None, version: None, losses: Vec::new(), left_out: Vec::new() }
}

async fn play(body: Arc<dyn Body>) -> Result<Placed, Fault> {
    let broken = |error: std::io::Error| Fault::new(What::StoreBroken, format!("a body cannot be read: {error}"));
    let mut reader = body.open().await?;
    let (mut buffer, mut read) = (vec![0; 64 << 10], 0_u64);
    loop {
        match reader.read(&mut buffer).await.map_err(broken)? {
            0 => break,
            count => read += count as u64,
        }
    }
    if read == body.length() {
        return Ok(played());
    }
    let sentence = format!("a body of {} bytes gave {read}", body.length());
    Err(Fault::new(What::StoreBroken, sentence).report())
}

#[async_trait]
impl Target for Rehearsal {
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
    async fn ensure(&self, want: &Wanted) -> Result<Collection, Fault> {
        Ok(imagined(want))
    }
    async fn others(
        &self,
        account: &AccountId,
        workload: Workload,
        known: &[CollectionId],
    ) -> Result<Vec<Collection>, Fault> {
        self.inner.others(account, workload, known).await
    }
    fn may_name(&self, at: &Collection, handle: &Handle) -> bool {
        self.inner.may_name(at, handle)
    }
    async fn find(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
        self.inner.find(at, keys).await
    }
    fn place<'a>(
        &'a self,
        _at: &'a Collection,
        batch: Vec<Placing>,
    ) -> BoxStream<'a, (IntentId, Result<Placed, Fault>)> {
        stream::iter(batch).then(|placing| async move { (placing.intent, play(placing.body).await) }).boxed()
    }
    async fn amend(
        &self,
        _at: &Collection,
        changes: Vec<Amending>,
    ) -> Result<Vec<(IntentId, Result<Amended, Fault>)>, Fault> {
        let play = |change: Amending| {
            let (facts, base) = (change.want.clone(), change.want.amendable());
            let amended = Amended { facts, base, changed_there: Vec::new(), losses: Vec::new() };
            (change.intent, Ok(amended))
        };
        Ok(changes.into_iter().map(play).collect())
    }
    async fn relocate(&self, _what: &Placement, _to: &Collection, _copy: Option<&Handle>) -> Result<Placed, Fault> {
        Ok(played())
    }
    async fn withdraw(&self, _what: &Placement) -> Result<Vec<Loss>, Fault> {
        Ok(Vec::new())
    }
    async fn settle(&self, _at: &Collection) -> Result<(), Fault> {
        Ok(())
    }
    fn observe<'a>(&'a self, at: &'a Collection, look: Look) -> BoxStream<'a, Result<Observed, Fault>> {
        self.inner.observe(at, look)
    }
    fn is_left_behind(&self, seen: &Observed) -> bool {
        self.inner.is_left_behind(seen)
    }
    fn sharing(&self) -> Option<&dyn Sharing> {
        None
    }
    fn canary(&self) -> Option<&dyn Canary> {
        None
    }
}
