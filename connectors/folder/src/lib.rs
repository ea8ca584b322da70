//! A plain folder as a target: Maildir++ under a directory, which Dovecot can serve and mutt can read, and beside it
//! calendars, contacts and tasks as vdirs, which vdirsyncer and khal read.
//!
//! ```text
//! <root>/<account>/Maildir/{cur,new,tmp}        INBOX
//! <root>/<account>/Maildir/.A.B/{cur,new,tmp}   the folder A/B
//! <root>/<account>/Maildir/.A.B/dovecot-keywords
//! <root>/<account>/Maildir/subscriptions
//! <root>/<account>/manifest/A.B.csv             what stands there: file, Message-ID, size, hash, date, flags
//! <root>/<account>/calendars/<name>/<uid>.ics   one event or series; `displayname` and `color` beside it
//! <root>/<account>/contacts/<name>/<uid>.vcf
//! <root>/<account>/tasks/<name>/<uid>.ics
//! ```
//!
//! A message is kept byte for byte as it was rendered, CRLF line ends included, so that its hash can be checked with
//! nothing but the file. Its date is the file's modification time. See `QUIRKS.md` for what was learned from readers.

mod account;
mod faults;
mod flags;
mod keywords;
mod layout;
mod listing;
mod mail;
mod manifest;
mod message;
mod observe;
mod place;
mod root;
mod vdir;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::mpsc::Receiver;
use transhume_contract::{
    Access, AccountId, Amended, Amending, Appearance, Batch, Collection, CollectionId, Fault, Foreseen, Found, Handle,
    Holdings, Identity, IntentId, Look, Loss, NaturalKey, Observed, Placed, Placement, Placing, Profile, Role, Size,
    Target, TargetTraits, Timestamp, Wanted, What, Workload,
};

use account::{Held, Home};
use faults::folder_gone;
pub use vdir::Vdir;

/// The target for a workload below `root`, which the first collection makes. Several workloads may share one root.
///
/// # Errors
/// When there cannot be a directory, or the workload cannot be kept in a folder.
pub fn open(root: impl AsRef<Path>, workload: Workload) -> Result<Arc<dyn Target>, Fault> {
    match workload {
        Workload::Mail => Ok(Arc::new(Folder::open(root)?)),
        Workload::Calendar | Workload::Contacts | Workload::Tasks | Workload::Files => {
            Ok(Arc::new(Vdir::open(root, workload)?))
        }
    }
}

/// A directory that holds one Maildir per account.
#[derive(Debug)]
pub struct Folder {
    identity: Identity,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    /// Where each collection was seen last: a guess, checked before it is used.
    seen: Mutex<HashMap<(AccountId, CollectionId), String>>,
    /// Ensuring is one at a time: two may want the same directory.
    ensuring: Mutex<()>,
}

impl Folder {
    /// A target below `root`, which the first collection makes.
    ///
    /// # Errors
    /// When there cannot be a directory.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, Fault> {
        let (root, identity) = root::rooted(root.as_ref())?;
        let inner = Inner { root, seen: Mutex::default(), ensuring: Mutex::default() };
        Ok(Self { identity, inner: Arc::new(inner) })
    }

    /// The Maildir of an account.
    pub fn maildir(&self, account: &AccountId) -> PathBuf {
        Home::of(&self.inner.root, account).maildir
    }

    async fn off<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Inner) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        off(&self.inner, act).await
    }
}

/// Does something that waits for the disk, away from the threads that wait for the network.
async fn off<I: Send + Sync + 'static, T: Send + 'static>(
    inner: &Arc<I>,
    act: impl FnOnce(&I) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let inner = Arc::clone(inner);
    let done = tokio::task::spawn_blocking(move || act(&inner)).await;
    let early = |error| Fault::new(What::Interrupted, format!("disk work ended early: {error}")).outcome_unknown();
    done.unwrap_or_else(|error| Err(early(error)))
}

/// The answers of a batch: where its collection could not be had, that is the answer for each item.
fn each_answered(placed: Result<place::Answers, Fault>, intents: Vec<IntentId>) -> place::Answers {
    placed.unwrap_or_else(|fault| intents.into_iter().map(|intent| (intent, Err(fault.clone()))).collect())
}

/// What is sent until all is sent.
fn streamed<T: Send + 'static>(from: Receiver<T>) -> BoxStream<'static, T> {
    stream::unfold(from, |mut from| async move { from.recv().await.map(|one| (one, from)) }).boxed()
}

impl Inner {
    fn home(&self, account: &AccountId) -> Home {
        Home::of(&self.root, account)
    }

    /// Where a collection stands now.
    fn held(&self, at: &Collection) -> Result<Held, Fault> {
        let home = self.home(&at.account);
        let key = (at.account.clone(), at.id.clone());
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let there = seen.map(|directory| home.still(&directory, &at.id)).transpose()?.flatten();
        let held = match there {
            Some(held) => held,
            None => home.held(&at.id)?.ok_or_else(folder_gone)?,
        };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(key, held.directory.clone());
        Ok(held)
    }

    fn ensure(&self, want: &Wanted) -> Result<Collection, Fault> {
        let _one_at_a_time = self.ensuring.lock().unwrap_or_else(PoisonError::into_inner);
        root::make(&self.root)?;
        let held = self.home(&want.account).ensure(want)?;
        let collection = collection(&want.account, want.workload, held);
        Ok(Collection { parent: want.parent.clone(), role: want.role, ..collection })
    }

    /// Folders that a reader can open.
    fn others(
        &self,
        account: &AccountId,
        workload: Workload,
        known: &[CollectionId],
    ) -> Result<Vec<Collection>, Fault> {
        let held = self.home(account).all()?.into_iter().filter(|held| held.path.join("new").is_dir());
        let all = held.map(|held| collection(account, workload, held));
        Ok(all.filter(|one| !known.contains(&one.id)).collect())
    }

    /// Counts the files of every folder, ours or not, and reads the headers of some.
    fn holdings(&self, account: &AccountId, sample: usize) -> Result<Holdings, Fault> {
        let home = self.home(account);
        let mut holdings = Holdings::default();
        for directory in home.directories()? {
            let folder = home.maildir.join(&directory);
            if !folder.join("new").is_dir() || !folder.join("cur").is_dir() {
                continue;
            }
            for entry in listing::entries(&folder)? {
                let entry = entry?;
                holdings.items += 1;
                if holdings.keys.len() < sample {
                    // What a reader renames meanwhile is only missing from the sample.
                    holdings.keys.extend(message::read_message_id(&entry.path).ok().flatten());
                }
            }
        }
        Ok(holdings)
    }

    /// Tries whether a file with the name of a message can be made and removed.
    fn check(&self, account: Option<&AccountId>) -> Access {
        let dir = account.map_or_else(|| self.root.clone(), |account| self.home(account).dir);
        root::try_writing(&dir, ".transhume-probe:2,S")
    }

    fn not_there(&self, account: Option<&AccountId>) -> Result<Option<String>, Fault> {
        if let Some(account) = account {
            let home = self.home(account);
            return Ok(if home.is_ours()? { None } else { Some(root::shown(&home.maildir)) });
        }
        // Somebody else's that cannot be read hides none of ours.
        let mut shut = None;
        for home in root::homes(&self.root)? {
            match Home::below(home).is_ours() {
                Ok(true) => return Ok(None),
                Ok(false) => {}
                Err(fault) => shut = Some(fault),
            }
        }
        shut.map_or_else(|| Ok(Some(root::shown(&self.root))), Err)
    }
}

fn collection(account: &AccountId, workload: Workload, held: Held) -> Collection {
    Collection {
        account: account.clone(),
        workload,
        name: layout::shown(&held.directory),
        id: CollectionId::new(held.mark.id),
        parent: None,
        role: Role::Ordinary,
        hidden: false,
        expected: Size::default(),
        appearance: Appearance::default(),
    }
}

/// What a Maildir takes: any bytes. The dates are those that Dovecot can hold when it serves the folder (2.3.19 keeps a
/// wrong one outside of them without an error), and so is the length of a keyword.
fn traits() -> TargetTraits {
    let profile = Profile {
        nul: true,
        bare_lf: true,
        eight_bit_headers: true,
        headerless: true,
        earliest: Timestamp::constant(86_400, 0),
        latest: Timestamp::constant(2_147_385_600, 0),
        future_dates: true,
        keyword_bytes: 50,
        objects: None,
    };
    TargetTraits {
        workloads: vec![Workload::Mail],
        profile,
        batch: Batch { items: 100, bytes: 16 << 20 },
        lanes: 4,
        lanes_per_collection: 1,
        tells_handle: true,
        max_item_bytes: None,
        replaces: false,
        one_of_a_key: false,
    }
}

#[async_trait]
impl Target for Folder {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    async fn traits(&self, _account: &AccountId) -> Result<TargetTraits, Fault> {
        Ok(traits())
    }

    async fn check(&self, account: Option<&AccountId>) -> Result<Access, Fault> {
        let account = account.cloned();
        self.off(move |inner| Ok(inner.check(account.as_ref()))).await
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
        let parent = layout::of_path(want.path.split_last().map_or(&[], |(_, above)| above));
        let own = want.path.last().map(String::as_str).unwrap_or_default();
        let shown = layout::shown(&layout::directory(parent.as_deref(), own, want.role));
        let name = shown.rsplit('/').next().unwrap_or(&shown).to_owned();
        Ok(Foreseen { name, sure: true })
    }

    async fn ensure(&self, want: &Wanted) -> Result<Collection, Fault> {
        let want = want.clone();
        self.off(move |inner| inner.ensure(&want)).await
    }

    async fn others(
        &self,
        account: &AccountId,
        workload: Workload,
        known: &[CollectionId],
    ) -> Result<Vec<Collection>, Fault> {
        let (account, known) = (account.clone(), known.to_vec());
        self.off(move |inner| inner.others(&account, workload, &known)).await
    }

    async fn find(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
        let (at, keys) = (at.clone(), keys.to_vec());
        self.off(move |inner| mail::find(&inner.held(&at)?.path, &keys)).await
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
                let (home, held) = (inner.home(&at.account), inner.held(&at)?);
                let runtime = tokio::runtime::Handle::current();
                // The journal only spares a later reading: a message that stands is not called failed for its sake.
                let note = |standing: &[place::Standing]| drop(manifest::note(&home, &held, standing));
                Ok(place::place(&held.path, &batch, &runtime, note))
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
        self.off(move |inner| mail::amend(&inner.held(&at)?.path, &changes)).await
    }

    async fn relocate(&self, what: &Placement, to: &Collection, _copy: Option<&Handle>) -> Result<Placed, Fault> {
        let (what, to) = (what.clone(), to.clone());
        self.off(move |inner| mail::relocate(&what, &inner.held(&what.at)?.path, &inner.held(&to)?.path)).await
    }

    async fn withdraw(&self, what: &Placement) -> Result<Vec<Loss>, Fault> {
        let what = what.clone();
        self.off(move |inner| mail::withdraw(&what, &inner.held(&what.at)?.path)).await.map(|()| Vec::new())
    }

    async fn settle(&self, at: &Collection) -> Result<(), Fault> {
        let at = at.clone();
        self.off(move |inner| manifest::settle(&inner.home(&at.account), at.account.as_str(), &inner.held(&at)?)).await
    }

    fn observe<'a>(&'a self, at: &'a Collection, look: Look) -> BoxStream<'a, Result<Observed, Fault>> {
        let (to, from) = tokio::sync::mpsc::channel(64);
        let (at, inner) = (at.clone(), Arc::clone(&self.inner));
        tokio::task::spawn_blocking(move || match inner.held(&at) {
            Ok(held) => observe::observe(&held.path, look, &to),
            Err(fault) => drop(to.blocking_send(Err(fault))),
        });
        streamed(from)
    }
}
