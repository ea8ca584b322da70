//! CalDAV and CardDAV servers as targets of transhume: calendars, task lists and address books.
//!
//! | file | holds |
//! |---|---|
//! | `config`, `account`, `homes`, `server` | reaching a server, who is let in, where their collections are, which server it is |
//! | `ask`, `answer`, `xml`, `paths`, `lines` | requests and answers as values, names, the few lines of an object that matter here |
//! | `faults` | what refusals mean |
//! | `collections` | which calendar or address book a collection is |
//! | `place`, `change` | writing, conditionally and silently |
//! | `whole`, `reserve`, `import`, `merged` | writing many at once, where a server takes them so |
//! | `read`, `observe`, `find` | reading back |
//! | `check`, `canary`, `watch` | what is told before anything moves |
//!
//! Ids of collections are their paths, handles the names in them, versions their ETags. Every write is conditional: what
//! is not ours, or was changed by people, is never overwritten. `reqwest_dav` is not used: it pastes names into
//! addresses, and has neither conditions nor reports; the road is the client, and requests are values of our own.

mod account;
mod answer;
mod ask;
mod canary;
mod change;
mod check;
mod collections;
mod config;
mod faults;
mod find;
mod homes;
mod import;
mod lines;
mod merged;
mod observe;
mod paths;
mod place;
mod read;
mod reserve;
mod server;
mod watch;
mod whole;
mod xml;

pub use config::DavConfig;
pub use server::Kind;

use account::{Accounts, Link};
use async_trait::async_trait;
use collections::{Shelf, Standing};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use homes::Home;
use observe::Walk;
use place::{Outcomes, Placer};
use read::Reader;
use std::sync::Arc;
use transhume_contract::{
    Access, AccountId, Amended, Amending, Batch, Canary, Collection, CollectionId, Credential, Fault, Foreseen, Found,
    Handle, Holdings, Identity, IntentId, Look, Loss, NaturalKey, Observed, Placed, Placement, Placing, Profile,
    Target, TargetTraits, Wanted, Workload,
};

/// The workloads, in the order in which homes are looked through.
const WORKLOADS: [Workload; 3] = [Workload::Calendar, Workload::Tasks, Workload::Contacts];

/// A CalDAV and CardDAV server.
pub struct DavTarget {
    identity: Identity,
    accounts: Arc<Accounts>,
}

impl DavTarget {
    /// Checks the settings and prepares TLS; nothing is connected yet.
    pub fn new(config: DavConfig, credential: Arc<dyn Credential>) -> Result<Self, Fault> {
        let identity = Identity { connector: "dav".to_owned(), place: config.place() };
        Ok(Self { identity, accounts: Arc::new(Accounts::new(config, credential)?) })
    }

    fn link(&self, account: &AccountId) -> Link {
        self.accounts.link(account)
    }

    async fn place_all(&self, at: &Collection, batch: Vec<Placing>) -> Outcomes {
        let link = self.link(&at.account);
        match link.home().await {
            Ok(home) => Placer::new(&link, &home, at).place(batch).await,
            Err(fault) => batch.into_iter().map(|placing| (placing.intent, Err(fault.clone()))).collect(),
        }
    }

    fn reader(&self, at: &Collection) -> Reader {
        Reader::of(self.link(&at.account), at)
    }

    async fn check_account(&self, account: &AccountId) -> Result<Access, Fault> {
        let link = self.link(account);
        let home = link.home().await?;
        check::of_account(&link, &home).await
    }
}

/// How much one call of `place` carries: a batch is answered as a whole, so that no crash finds much unanswered. What
/// Radicale takes of a new collection in one go is all that there is the quick way for; what Cyrus takes in one go shares
/// its VTIMEZONEs, so many have to be at hand for some to agree.
fn batch(home: &Home) -> Batch {
    match home.server.kind {
        Kind::Radicale => Batch { items: 6000, bytes: 16 << 20 },
        Kind::Cyrus => Batch { items: 500, bytes: 4 << 20 },
        _ => Batch { items: 100, bytes: 4 << 20 },
    }
}

fn traits_of(accounts: &Accounts, home: &Home) -> TargetTraits {
    let objects = home.objects();
    let lanes = accounts.lanes(&home.server);
    TargetTraits {
        workloads: WORKLOADS.into_iter().filter(|workload| home.of(*workload).is_some()).collect(),
        batch: batch(home),
        lanes,
        // One call writes as many items at once as the server does well with.
        lanes_per_collection: 1,
        tells_handle: true,
        max_item_bytes: Some(objects.object_bytes),
        replaces: true,
        one_of_a_key: home.server.kind == Kind::Cyrus,
        profile: Profile { objects: Some(objects), keyword_bytes: 0, ..Profile::default() },
    }
}

#[async_trait]
impl Target for DavTarget {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    async fn traits(&self, account: &AccountId) -> Result<TargetTraits, Fault> {
        let home = self.link(account).home().await?;
        Ok(traits_of(&self.accounts, &home))
    }

    async fn check(&self, account: Option<&AccountId>) -> Result<Access, Fault> {
        let outcome = match account {
            None => self.accounts.greeting().await.map(|answer| check::of_greeting(&self.identity.place, &answer)),
            Some(account) => self.check_account(account).await,
        };
        Ok(outcome.unwrap_or_else(|fault| Access { findings: vec![check::finding(&fault)], quota: None }))
    }

    async fn holdings(&self, account: &AccountId, workload: Workload, sample: usize) -> Result<Holdings, Fault> {
        let link = self.link(account);
        let home = link.home().await?;
        let mut holdings = Holdings::default();
        if home.of(workload).is_none() {
            return Ok(holdings);
        }
        let shelf = Shelf { link: &link, home: &home, workload };
        let theirs = |standing: &Standing| standing.fits && standing.writable != Some(false);
        for standing in shelf.list().await?.into_iter().filter(theirs) {
            let reader = Reader { link: link.clone(), path: standing.path, workload };
            let (mut listed, _) = reader.list().await?;
            holdings.items += listed.len() as u64;
            listed.truncate(sample.saturating_sub(holdings.keys.len()));
            for window in read::windows(listed) {
                let held = reader.contents(&window).await?;
                holdings.keys.extend(held.iter().filter_map(|held| lines::uid(&held.content)));
            }
        }
        Ok(holdings)
    }

    async fn foresee(&self, want: &Wanted) -> Result<Foreseen, Fault> {
        let link = self.link(&want.account);
        let home = link.home().await?;
        Shelf { link: &link, home: &home, workload: want.workload }.foresee(want).await
    }

    async fn ensure(&self, want: &Wanted) -> Result<Collection, Fault> {
        let link = self.link(&want.account);
        let home = link.home().await?;
        Shelf { link: &link, home: &home, workload: want.workload }.ensure(want).await
    }

    async fn others(
        &self,
        account: &AccountId,
        workload: Workload,
        known: &[CollectionId],
    ) -> Result<Vec<Collection>, Fault> {
        let link = self.link(account);
        let home = link.home().await?;
        Shelf { link: &link, home: &home, workload }.others(known).await
    }

    async fn find(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
        let reader = self.reader(at);
        let lost = reader.link.account.unsettled(&reader.path);
        find::await_still(&reader, lost, keys.len()).await?;
        let home = reader.link.home().await?;
        let found = find::find(&reader, keys).await?;
        Ok(found.into_iter().map(|one| find::left_alone_where_it_invites(one, &home)).collect())
    }

    fn place<'a>(
        &'a self,
        at: &'a Collection,
        batch: Vec<Placing>,
    ) -> BoxStream<'a, (IntentId, Result<Placed, Fault>)> {
        stream::once(self.place_all(at, batch)).flat_map(stream::iter).boxed()
    }

    async fn amend(
        &self,
        at: &Collection,
        changes: Vec<Amending>,
    ) -> Result<Vec<(IntentId, Result<Amended, Fault>)>, Fault> {
        change::amend(&self.reader(at), changes).await
    }

    async fn relocate(&self, what: &Placement, to: &Collection, copy: Option<&Handle>) -> Result<Placed, Fault> {
        let link = self.link(&what.at.account);
        let home = link.home().await?;
        change::relocate(&link, &home, what, (to, copy)).await
    }

    async fn withdraw(&self, what: &Placement) -> Result<Vec<Loss>, Fault> {
        let link = self.link(&what.at.account);
        let home = link.home().await?;
        change::withdraw(&link, &home, what).await
    }

    async fn settle(&self, at: &Collection) -> Result<(), Fault> {
        reserve::sweep(&self.reader(at)).await;
        Ok(())
    }

    fn is_left_behind(&self, seen: &Observed) -> bool {
        seen.content.as_ref().is_some_and(|content| reserve::is_reservation(content))
    }

    fn observe<'a>(&'a self, at: &'a Collection, look: Look) -> BoxStream<'a, Result<Observed, Fault>> {
        let walk = Some(Walk::new(self.reader(at), look));
        let step = |walk: Option<Walk>| async move {
            let mut walk = walk?;
            match walk.step().await {
                Ok(observed) => observed.map(|observed| (Ok(observed), Some(walk))),
                Err(fault) => Some((Err(fault), None)),
            }
        };
        stream::unfold(walk, step).boxed()
    }

    fn canary(&self) -> Option<&dyn Canary> {
        Some(self)
    }
}
