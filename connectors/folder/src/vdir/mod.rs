//! Calendars, address books and task lists as vdirs: a folder for each, a file for each item. See
//! <https://vdirsyncer.pimutils.org/en/stable/vdir.html>.

mod item;
mod names;
mod observe;
mod place;
mod shelf;
mod standing;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use transhume_contract::{
    Access, AccountId, Amended, Amending, Batch, Collection, CollectionId, Fault, Foreseen, Found, Handle, Holdings,
    Identity, IntentId, Look, Loss, NaturalKey, Objects, Observed, Placed, Placement, Placing, Profile, Reach, Target,
    TargetTraits, Wanted, What, Workload,
};

use crate::faults::{folder_gone, on};
use crate::{each_answered, off, root, streamed};
use item::{Item, is_unfinished};
use shelf::{Held, Shelf, plural};

/// Observations that may wait to be taken: each may hold an item with its attachments.
const WAITING: usize = 8;

/// A directory that holds the calendars, the address books or the task lists of each account.
#[derive(Debug)]
pub struct Vdir {
    identity: Identity,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    workload: Workload,
    /// Ensuring is one at a time: two may want the same directory.
    ensuring: Mutex<()>,
}

impl Vdir {
    /// A target for events, contacts or tasks below `root`, which the first collection makes.
    ///
    /// # Errors
    /// When there cannot be a directory, or for mail and files.
    pub fn open(root: impl AsRef<Path>, workload: Workload) -> Result<Self, Fault> {
        if matches!(workload, Workload::Mail | Workload::Files) {
            let fault =
                Fault::new(What::Unsupported, format!("a folder of .ics and .vcf files cannot hold {workload}"));
            return Err(fault.reaching(Reach::Run).ask(format!("name another connector in [target.{workload}]")));
        }
        let (root, identity) = root::rooted(root.as_ref())?;
        Ok(Self { identity, inner: Arc::new(Inner { root, workload, ensuring: Mutex::default() }) })
    }

    async fn off<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Inner) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        off(&self.inner, act).await
    }
}

impl Inner {
    fn shelf(&self, account: &AccountId) -> Shelf {
        Shelf::of(&self.root, account, self.workload)
    }

    /// Where a collection stands now.
    fn directory(&self, at: &Collection) -> Result<PathBuf, Fault> {
        self.shelf(&at.account).held(&at.id)?.map(|held| held.path).ok_or_else(folder_gone)
    }

    fn ensure(&self, want: &Wanted) -> Result<Collection, Fault> {
        let _one_at_a_time = self.ensuring.lock().unwrap_or_else(PoisonError::into_inner);
        root::make(&self.root)?;
        let shelf = self.shelf(&want.account);
        let collection = shelf.collection(&shelf.ensure(want)?);
        Ok(Collection { parent: want.parent.clone(), role: want.role, ..collection })
    }

    fn not_there(&self, account: Option<&AccountId>) -> Result<Option<String>, Fault> {
        if let Some(account) = account {
            let dir = self.shelf(account).dir;
            return Ok(if dir.is_dir() { None } else { Some(root::shown(&dir)) });
        }
        let is_there = root::homes(&self.root)?.iter().any(|home| home.join(plural(self.workload)).is_dir());
        Ok(if is_there { None } else { Some(root::shown(&self.root)) })
    }

    /// Counts the items of every collection, ours or not, and reads some.
    fn holdings(&self, account: &AccountId, sample: usize) -> Result<Holdings, Fault> {
        let mut holdings = Holdings::default();
        for Held { path, .. } in self.shelf(account).all()? {
            for name in item::names_in(&path, self.workload)? {
                holdings.items += 1;
                if holdings.keys.len() < sample {
                    holdings.keys.extend(Item::read(&path.join(name))?.and_then(|item| item.uid()));
                }
            }
        }
        Ok(holdings)
    }

    /// Removes files that a crash left half written.
    fn settle(&self, at: &Collection) -> Result<(), Fault> {
        let directory = self.directory(at)?;
        for entry in fs::read_dir(&directory).map_err(on("list", &directory))?.flatten() {
            if is_unfinished(&entry.file_name().to_string_lossy()) {
                fs::remove_file(entry.path()).map_err(on("remove", &entry.path()))?;
            }
        }
        Ok(())
    }
}

/// Files take any bytes, so everything a rendering can say.
fn traits(workload: Workload) -> TargetTraits {
    TargetTraits {
        workloads: vec![workload],
        profile: Profile { objects: Some(Objects::default()), keyword_bytes: 0, ..Profile::default() },
        batch: Batch { items: 100, bytes: 16 << 20 },
        lanes: 4,
        lanes_per_collection: 1,
        tells_handle: true,
        max_item_bytes: None,
        replaces: true,
        one_of_a_key: false,
    }
}

#[async_trait]
impl Target for Vdir {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    async fn traits(&self, _account: &AccountId) -> Result<TargetTraits, Fault> {
        Ok(traits(self.inner.workload))
    }

    async fn check(&self, account: Option<&AccountId>) -> Result<Access, Fault> {
        let account = account.cloned();
        self.off(move |inner| {
            let dir = account.map_or_else(|| inner.root.clone(), |account| inner.shelf(&account).dir);
            Ok(root::try_writing(&dir, ".transhume-probe.tmp"))
        })
        .await
    }

    async fn not_there(&self, account: Option<&AccountId>, _: Workload) -> Result<Option<String>, Fault> {
        let account = account.cloned();
        self.off(move |inner| inner.not_there(account.as_ref())).await
    }

    async fn holdings(&self, account: &AccountId, _: Workload, sample: usize) -> Result<Holdings, Fault> {
        let account = account.clone();
        self.off(move |inner| inner.holdings(&account, sample)).await
    }

    async fn foresee(&self, want: &Wanted) -> Result<Foreseen, Fault> {
        Ok(Foreseen { name: names::shown(&want.path), sure: true })
    }

    async fn ensure(&self, want: &Wanted) -> Result<Collection, Fault> {
        let want = want.clone();
        self.off(move |inner| inner.ensure(&want)).await
    }

    async fn others(
        &self,
        account: &AccountId,
        _workload: Workload,
        known: &[CollectionId],
    ) -> Result<Vec<Collection>, Fault> {
        let (account, known) = (account.clone(), known.to_vec());
        self.off(move |inner| {
            let shelf = inner.shelf(&account);
            let all = shelf.all()?.into_iter().map(|held| shelf.collection(&held));
            Ok(all.filter(|one| !known.contains(&one.id)).collect())
        })
        .await
    }

    async fn find(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
        let (at, keys) = (at.clone(), keys.to_vec());
        self.off(move |inner| standing::find(&inner.directory(&at)?, inner.workload, &keys)).await
    }

    fn place<'a>(
        &'a self,
        at: &'a Collection,
        batch: Vec<Placing>,
    ) -> BoxStream<'a, (IntentId, Result<Placed, Fault>)> {
        let intents: Vec<IntentId> = batch.iter().map(|placing| placing.intent.clone()).collect();
        let at = at.clone();
        let answers = async move {
            let placed = self.off(move |inner| {
                let runtime = tokio::runtime::Handle::current();
                Ok(place::place(&inner.directory(&at)?, inner.workload, &batch, &runtime))
            });
            each_answered(placed.await, intents)
        };
        stream::once(answers).flat_map(stream::iter).boxed()
    }

    async fn amend(
        &self,
        at: &Collection,
        changes: Vec<Amending>,
    ) -> Result<Vec<(IntentId, Result<Amended, Fault>)>, Fault> {
        let at = at.clone();
        self.off(move |inner| Ok(standing::amend(&inner.directory(&at)?, &changes))).await
    }

    async fn relocate(&self, what: &Placement, to: &Collection, copy: Option<&Handle>) -> Result<Placed, Fault> {
        let (what, to, copy) = (what.clone(), to.clone(), copy.cloned());
        self.off(move |inner| {
            let (from, to) = (inner.directory(&what.at)?, inner.directory(&to)?);
            standing::relocate(&what, &from, &to, copy.as_ref())
        })
        .await
    }

    async fn withdraw(&self, what: &Placement) -> Result<Vec<Loss>, Fault> {
        let what = what.clone();
        self.off(move |inner| standing::withdraw(&what, &inner.directory(&what.at)?)).await.map(|()| Vec::new())
    }

    async fn settle(&self, at: &Collection) -> Result<(), Fault> {
        let at = at.clone();
        self.off(move |inner| inner.settle(&at)).await
    }

    fn observe<'a>(&'a self, at: &'a Collection, look: Look) -> BoxStream<'a, Result<Observed, Fault>> {
        let (to, from) = tokio::sync::mpsc::channel(WAITING);
        let (at, inner) = (at.clone(), Arc::clone(&self.inner));
        tokio::task::spawn_blocking(move || match inner.directory(&at) {
            Ok(directory) => observe::observe(&directory, inner.workload, look, &to),
            Err(fault) => drop(to.blocking_send(Err(fault))),
        });
        streamed(from)
    }
}
