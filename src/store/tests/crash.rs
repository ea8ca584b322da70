//! I5: killed at any commit and run again, the result equals an uninterrupted run.

use super::fixture::*;
use crate::store::{AccountStore, Intending, Resolution, Sending, Stop, StoreOptions, TargetKey, ToPlace};
use futures::StreamExt;
use std::sync::Mutex;
use transhume_contract::{
    Amended, Change, Digest, Facts, Fault, FlagState, Handle, IntentId, Listed, Loss, OriginalSink, Page,
};

/// Which feeds there are, and what each tells from where.
const FOLDERS: [&str; 3] = ["inbox", "old", "drafts"];

/// The tenant before and after a mutation: `a` is read and moves, `b` is deleted, `c` stays, `d` is a draft that
/// changes, `e` is new.
fn changes(phase: u8, folder: &str, from: Option<&str>) -> Page {
    let draft = |version| {
        altered(only_in("d", version, "drafts"), |it: &mut Listed| {
            it.content = Some(transhume_contract::Content::FollowsVersion)
        })
    };
    match (folder, from, phase) {
        ("inbox", None, _) => more(vec![only_in("a", "1", "inbox"), only_in("b", "1", "inbox")], "p2"),
        ("inbox", Some("p2"), _) => done(vec![only_in("c", "1", "inbox")], "d1"),
        ("drafts", None, _) => done(vec![draft("1")], "d1"),
        (_, None, _) => done(vec![], "d1"),
        ("inbox", Some("d1"), 2) => more(vec![gone("a", "inbox"), gone("b", "inbox")], "p3"),
        ("inbox", Some("p3"), _) => done(vec![flagged_c(), only_in("e", "1", "inbox")], "d2"),
        ("old", Some("d1"), 2) => done(vec![altered(only_in("a", "2", "old"), |it| it.facts.read = Some(true))], "d2"),
        ("drafts", Some("d1"), 2) => done(vec![draft("2")], "d2"),
        (_, Some(cursor), _) => done(vec![], cursor),
    }
}

fn flagged_c() -> Change {
    altered(only_in("c", "2", "inbox"), |it| it.facts.flag = Some(FlagState::Flagged))
}

/// A large one is among them, so that files and their rows are interrupted too.
fn bytes_of(id: &str, version: &str) -> Vec<u8> {
    match id {
        "c" => noise(200 << 10, 7),
        "d" => format!("draft {version}").into_bytes(),
        other => format!("message {other}").into_bytes(),
    }
}

/// A target that outlives the process.
#[derive(Default)]
struct Yard {
    standing: Mutex<Vec<Stands>>,
    next: Mutex<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stands {
    at: i64,
    digest: Digest,
    read: Option<bool>,
    flagged: bool,
    handle: Handle,
}

impl Yard {
    fn place(&self, at: TargetKey, digest: Digest, facts: &Facts) -> Handle {
        let mut next = self.next.lock().unwrap();
        *next += 1;
        let handle = Handle::new(next.to_string());
        let flagged = facts.flag == Some(FlagState::Flagged);
        self.standing.lock().unwrap().push(Stands {
            at: at.number(),
            digest,
            read: facts.read,
            flagged,
            handle: handle.clone(),
        });
        handle
    }

    fn find(&self, at: TargetKey, digest: Digest) -> Vec<Handle> {
        let standing = self.standing.lock().unwrap();
        standing
            .iter()
            .filter(|one| (one.at, one.digest) == (at.number(), digest))
            .map(|one| one.handle.clone())
            .collect()
    }

    fn change<T>(&self, handle: &Handle, change: impl FnOnce(&mut Stands) -> T) -> Option<T> {
        self.standing.lock().unwrap().iter_mut().find(|one| one.handle == *handle).map(change)
    }

    /// The copy of a message, if it stands.
    fn copy(&self, handle: &Handle, at: TargetKey) {
        let digest = self.change(handle, |one| (one.digest, one.read, one.flagged)).expect("it stands there");
        let facts = Facts { read: digest.1, flag: digest.2.then_some(FlagState::Flagged), ..Facts::default() };
        self.place(at, digest.0, &facts);
    }

    fn remove(&self, handle: &Handle) {
        self.standing.lock().unwrap().retain(|one| one.handle != *handle);
    }

    /// Without the handles, which depend on how often somebody tried.
    fn content(&self) -> Vec<Stands> {
        let mut content = self.standing.lock().unwrap().clone();
        content.iter_mut().for_each(|one| one.handle = Handle::new(""));
        content.sort();
        content
    }
}

/// What placing anything loses.
fn odd() -> Vec<Loss> {
    vec![Loss::new("rights_protected", "of the placing")]
}

/// A pull and a push as an engine does them, in a few lines.
struct Job<'a> {
    store: AccountStore,
    yard: &'a Yard,
    phase: u8,
}

impl Job<'_> {
    async fn run(&self) -> Result<(), Fault> {
        self.pull().await?;
        for folder in FOLDERS {
            let from = collection_key(&self.store, folder).await;
            let to = transhume_contract::Collection {
                id: transhume_contract::CollectionId::new(folder),
                ..collection(folder)
            };
            let at = self.store.record_target(from, &[folder.to_owned()], &to).await?;
            self.decide_open(at).await?;
        }
        self.settle_moves().await?;
        self.follow_moves().await?;
        for row in self.store.targets(MAIL).await? {
            for what in self.store.items_to_place(row.from, None, 100).await? {
                self.place(&what, row.at).await?;
            }
            self.amend(row.at).await?;
        }
        self.supersede().await
    }

    async fn pull(&self) -> Result<(), Fault> {
        let store = &self.store;
        let pass = store.begin_pass(MAIL).await?;
        store.record_collections(pass, FOLDERS.map(collection).to_vec()).await?;
        store.record_feeds(pass, FOLDERS.map(feed).to_vec()).await?;
        for folder in FOLDERS {
            let mut listing = store.resume_feed(pass, &feed(folder)).await?;
            while let Some(at) = listing {
                let page = changes(self.phase, folder, at.from.as_ref().map(|cursor| cursor.as_str()));
                listing = store.commit_page(pass, &feed(folder), &at, page).await?.next;
            }
        }
        self.fetch_all().await?;
        assert!(store.settle_round(pass).await?.waiting.is_empty());
        Ok(())
    }

    async fn fetch_all(&self) -> Result<(), Fault> {
        let keys: Vec<_> = self.store.collections(MAIL).await?.iter().map(|row| row.key).collect();
        for item in self.store.items_to_fetch(MAIL, &keys, None, 100).await? {
            let mut sink = self.store.original_sink(item.key, &item.version).await?;
            let bytes = bytes_of(item.id.as_str(), item.version.as_str());
            let held = usize::try_from(sink.open(part("mime")).await?).unwrap();
            sink.write(bytes[held..].to_vec().into()).await?;
            sink.close().await?;
            sink.complete(&Facts::default()).await?;
        }
        Ok(())
    }

    async fn decide_open(&self, at: TargetKey) -> Result<(), Fault> {
        for open in self.store.open_intents(at, None, 100).await? {
            let found = self.yard.find(at, open.stored.digest);
            let claimed = self.store.claimed(at, found.clone()).await?;
            let free = found.into_iter().find(|handle| !claimed.contains(handle));
            let resolution = match free {
                Some(handle) => Resolution::Placed { intent: open.id, placed: placed(handle.as_str()) },
                None => Resolution::NotSent { intent: open.id },
            };
            self.store.resolve(vec![resolution]).await?;
        }
        Ok(())
    }

    async fn place(&self, what: &ToPlace, at: TargetKey) -> Result<(), Fault> {
        let original = self.store.original(what.item).await?.unwrap();
        let sending = Sending::New(unchanged(what.item, &original));
        let ToPlace { item, from, facts, revision, .. } = what.clone();
        let intending = Intending {
            item,
            from,
            at,
            sending,
            facts: facts.clone(),
            base: None,
            revision,
            losses: odd(),
            instead: None,
        };
        let intent: IntentId = self.store.intend(vec![intending]).await?.remove(0);
        let handle = self.yard.place(at, original.parts[0].digest, &facts);
        self.store.resolve(vec![Resolution::Placed { intent, placed: placed(handle.as_str()) }]).await
    }

    async fn amend(&self, at: TargetKey) -> Result<(), Fault> {
        for due in self.store.placements_to_amend(at, None, 100).await? {
            self.yard.change(&due.placement.handle.clone().unwrap(), |one| {
                (one.read, one.flagged) = (due.facts.read, due.facts.flag == Some(FlagState::Flagged));
            });
            let amended =
                Amended { base: due.facts.amendable(), facts: due.facts, changed_there: Vec::new(), losses: odd() };
            self.store.record_amended(vec![(due.placement.key, due.revision, amended)]).await?;
        }
        Ok(())
    }

    async fn follow_moves(&self) -> Result<(), Fault> {
        let ways = self.store.targets(MAIL).await?;
        let pushed: Vec<_> = ways.iter().map(|way| way.from).collect();
        for moving in self.store.placements_to_move(MAIL, &pushed, None, 100).await? {
            let at = ways.iter().find(|way| way.from == moving.to).unwrap().at;
            self.store.intend_moves(vec![(moving.placement.key, moving.to, at)]).await?;
            self.yard.copy(&moving.placement.handle.clone().unwrap(), at);
            // A lost answer between the two steps of a move: looking finishes it.
        }
        self.settle_moves().await
    }

    /// Where a copy stands, what it was made from goes; where none does, nothing was done.
    async fn settle_moves(&self) -> Result<(), Fault> {
        for open in self.store.open_moves(MAIL, None, 100).await? {
            let found = self.yard.find(open.at, open.placement.stored.digest);
            let claimed = self.store.claimed(open.at, found.clone()).await?;
            match found.into_iter().find(|handle| !claimed.contains(handle)) {
                Some(copy) => {
                    self.yard.remove(&open.placement.handle.clone().unwrap());
                    let placed = placed(copy.as_str());
                    self.store.record_moved(open.placement.key, open.to, open.at, &placed).await?;
                }
                None => self.store.forget_move(open.placement.key).await?,
            }
        }
        Ok(())
    }

    async fn supersede(&self) -> Result<(), Fault> {
        for due in self.store.placements_to_supersede(MAIL, None, 100).await? {
            if !due.placed_anew {
                self.place(&due.next, due.placement.at).await?;
            }
            let old = due.placement.handle.clone().unwrap();
            self.yard.remove(&old);
            self.store.record_superseded(due.placement.key, Vec::new()).await?;
        }
        Ok(())
    }
}

async fn attempt(fixture: &Fixture, yard: &Yard, phase: u8, options: StoreOptions) -> Result<u64, Fault> {
    let project = fixture.project_with(options).await?;
    let store = project.open_account(&account().id).await?;
    Job { store: store.clone(), yard, phase }.run().await?;
    super::totals::tallies_agree(&store).await;
    Ok(project.commits())
}

/// What an administrator could see of the result.
async fn seen(fixture: &Fixture, yard: &Yard) -> String {
    let store = fixture.store().await;
    let mut text = format!("{:#?}\n", yard.content());
    for id in ["a", "b", "c", "d", "e"] {
        let item = store.item_by_id(MAIL, &transhume_contract::ItemId::new(id)).await.unwrap();
        let Some(item) = item else { continue };
        let original = store.original(item.key).await.unwrap();
        let digests: Vec<_> = original.iter().flat_map(|one| &one.parts).map(|part| part.digest).collect();
        let standing: Vec<_> = store
            .placements_of(item.key)
            .await
            .unwrap()
            .into_iter()
            .map(|one| (one.from, one.state, one.stored.digest, one.facts, one.losses))
            .collect();
        text += &format!("{:?} {:?} {} {digests:?} {standing:?}\n", item.id, item.facts, item.gone);
    }
    let totals = store.totals(MAIL).await.unwrap();
    text + &format!("{totals:#?} {:#?}", store.collection_totals(MAIL).await.unwrap())
}

async fn uninterrupted() -> (String, Vec<u64>) {
    let (fixture, yard) = (Fixture::new().await, Yard::default());
    let mut commits = Vec::new();
    for phase in [1, 2] {
        commits.push(attempt(&fixture, &yard, phase, StoreOptions::default()).await.unwrap());
    }
    (seen(&fixture, &yard).await, commits)
}

/// One life: killed at this commit of this phase, then run again to the end.
async fn killed_and_run_again(phase: u8, number: u64, stop: Stop) -> String {
    let (fixture, yard) = (Fixture::new().await, Yard::default());
    if phase == 2 {
        attempt(&fixture, &yard, 1, StoreOptions::default()).await.unwrap();
    }
    let options = StoreOptions { stop_at_commit: Some((number, stop)), ..Default::default() };
    attempt(&fixture, &yard, phase, options).await.unwrap_err();
    for phase in phase..=2 {
        attempt(&fixture, &yard, phase, StoreOptions::default()).await.unwrap();
    }
    seen(&fixture, &yard).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i5_killed_at_any_commit_and_run_again_equals_an_uninterrupted_run() {
    let (expected, commits) = uninterrupted().await;
    let lives = (1..=2u8).zip(commits).flat_map(|(phase, commits)| (1..=commits).map(move |number| (phase, number)));
    let lives = lives.flat_map(|life| [(life, Stop::Before), (life, Stop::After)]);
    let lives = lives.map(|((phase, number), stop)| async move {
        let life = tokio::spawn(killed_and_run_again(phase, number, stop));
        (phase, number, stop, life.await.unwrap())
    });
    let mut lives = futures::stream::iter(lives).buffer_unordered(12);
    while let Some((phase, number, stop, result)) = lives.next().await {
        assert_eq!(result, expected, "phase {phase}, commit {number}, {stop:?}");
    }
}

#[tokio::test]
async fn i5_a_run_without_changes_writes_nothing_at_the_target() {
    let (fixture, yard) = (Fixture::new().await, Yard::default());
    for phase in [1, 2] {
        attempt(&fixture, &yard, phase, StoreOptions::default()).await.unwrap();
    }
    let before = yard.standing.lock().unwrap().clone();
    attempt(&fixture, &yard, 2, StoreOptions::default()).await.unwrap();
    assert_eq!(*yard.standing.lock().unwrap(), before);
}
