//! A project with one account, and the short way to say what a source told.

use crate::store::lock::{Locking, lock};
use crate::store::{
    AccountStore, CollectionKey, Intending, ItemKey, NewRendering, OpenIntent, Opening, Original, Pass, Project,
    Rendering, Resolution, Sending, Shape, StoreOptions, Stored, StoredPart, TargetKey, ToPlace,
};
use bytes::Bytes;
use std::path::Path;
use tempfile::TempDir;
use transhume_contract::{
    Account, AccountId, AccountKind, AccountPage, Appearance, Change, Collection, CollectionId, Content, Cursor,
    Digest, Facts, Fault, Feed, FeedId, FlagState, Handle, IntentId, ItemId, Listed, Membership, Next, OriginalSink,
    Page, Part, Placed, Role, Size, Timestamp, Version, Workload,
};

pub const MAIL: Workload = Workload::Mail;

pub struct Fixture {
    pub dir: TempDir,
}

/// A store in a project of its own, which lasts as long.
pub struct Fresh {
    store: AccountStore,
    _fixture: Fixture,
}

impl std::ops::Deref for Fresh {
    type Target = AccountStore;

    fn deref(&self) -> &AccountStore {
        &self.store
    }
}

impl Fixture {
    pub async fn fresh() -> Fresh {
        let fixture = Self::new().await;
        Fresh { store: fixture.store().await, _fixture: fixture }
    }

    pub async fn new() -> Self {
        let fixture = Self { dir: TempDir::new().unwrap() };
        Project::create(fixture.path(), StoreOptions::default()).await.unwrap();
        let project = fixture.project().await;
        let discovery = project.begin_discovery().await.unwrap();
        let page = AccountPage { accounts: vec![account()], ..AccountPage::default() };
        project.record_accounts(discovery, &page).await.unwrap();
        project.finish_discovery(discovery).await.unwrap();
        fixture
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub async fn project(&self) -> Project {
        self.project_with(StoreOptions::default()).await.unwrap()
    }

    pub async fn project_with(&self, options: StoreOptions) -> Result<Project, Fault> {
        let running = Opening::Running { verb: "run".to_owned() };
        // The files of the project opened before are closed by a thread; the lock goes last.
        for _ in 0..500 {
            match Project::open(self.path(), running.clone(), options.clone()).await {
                Ok(project) => return Ok(project),
                Err(crate::store::NotOpened::Fault(fault)) => return Err(fault),
                Err(crate::store::NotOpened::Locked { .. }) => {
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await
                }
            }
        }
        panic!("the project stays locked")
    }

    /// Waits until whatever was opened and dropped has closed its files.
    pub async fn closed(&self) {
        drop(self.project().await);
        while !matches!(lock(self.path(), "test"), Ok(Locking::Held(_))) {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }

    pub async fn store(&self) -> AccountStore {
        self.project().await.open_account(&account().id).await.unwrap()
    }
}

pub fn account() -> Account {
    Account {
        id: AccountId::new("anna-id"),
        address: "Anna@contoso.example".to_owned(),
        name: "Anna".to_owned(),
        kind: AccountKind::Person,
        aliases: vec!["anna.berg@contoso.example".to_owned()],
        enabled: true,
        workloads: Vec::new(),
    }
}

pub fn collection(id: &str) -> Collection {
    Collection {
        account: account().id,
        workload: MAIL,
        id: CollectionId::new(id),
        parent: None,
        name: id.to_owned(),
        role: Role::Ordinary,
        hidden: false,
        expected: Size::default(),
        appearance: Appearance::default(),
    }
}

pub fn feed(collection: &str) -> Feed {
    let id = CollectionId::new(collection);
    Feed { account: account().id, workload: MAIL, id: FeedId::new(collection), collection: Some(id) }
}

pub fn facts(size: u64) -> Facts {
    Facts {
        read: Some(false),
        flag: Some(FlagState::None),
        received: Some(Timestamp::from_second(1_700_000_000).unwrap()),
        size: Some(size),
        ..Facts::default()
    }
}

pub fn listed(id: &str, version: &str, membership: Membership) -> Change {
    Change::Listed(Box::new(Listed {
        id: ItemId::new(id),
        version: Version::new(version),
        content: Some(Content::Fixed),
        facts: facts(10),
        membership,
        parent: None,
        name: None,
    }))
}

/// The item stands in this collection, and as far as the source says it stands nowhere else.
pub fn only_in(id: &str, version: &str, collection: &str) -> Change {
    listed(id, version, Membership::Full(vec![CollectionId::new(collection)]))
}

pub fn joined(id: &str, version: &str, collection: &str) -> Change {
    listed(id, version, Membership::Joined(CollectionId::new(collection)))
}

pub fn altered(change: Change, alter: impl FnOnce(&mut Listed)) -> Change {
    let Change::Listed(mut listed) = change else { panic!("not listed") };
    alter(&mut listed);
    Change::Listed(listed)
}

pub fn gone(id: &str, collection: &str) -> Change {
    Change::Gone(ItemId::new(id), Some(CollectionId::new(collection)))
}

pub fn more(changes: Vec<Change>, cursor: &str) -> Page {
    Page { changes, next: Next::More(Cursor::new(cursor)) }
}

pub fn done(changes: Vec<Change>, cursor: &str) -> Page {
    Page { changes, next: Next::Done(Cursor::new(cursor)) }
}

/// Begins a pass over collections with a feed each.
pub async fn begin(store: &AccountStore, collections: &[&str]) -> Pass {
    let pass = store.begin_pass(MAIL).await.unwrap();
    store.record_collections(pass, collections.iter().map(|id| collection(id)).collect()).await.unwrap();
    store.record_feeds(pass, collections.iter().map(|id| feed(id)).collect()).await.unwrap();
    pass
}

/// Keeps the pages of one feed's round, in order.
pub async fn list(store: &AccountStore, pass: Pass, of: &str, pages: Vec<Page>) {
    let mut listing = store.resume_feed(pass, &feed(of)).await.unwrap();
    for page in pages {
        let committed = store.commit_page(pass, &feed(of), &listing.unwrap(), page).await.unwrap();
        listing = committed.next;
    }
}

/// One whole pass in which each collection gets one page.
pub async fn pass(store: &AccountStore, pages: Vec<(&str, Vec<Change>)>) -> crate::store::Settled {
    let names: Vec<&str> = pages.iter().map(|(name, _)| *name).collect();
    let pass = begin(store, &names).await;
    for (name, changes) in pages {
        list(store, pass, name, vec![done(changes, "next")]).await;
    }
    store.settle_round(pass).await.unwrap()
}

pub async fn key(store: &AccountStore, id: &str) -> ItemKey {
    store.item_by_id(MAIL, &ItemId::new(id)).await.unwrap().expect(id).key
}

pub async fn collection_key(store: &AccountStore, id: &str) -> CollectionKey {
    let rows = store.collections(MAIL).await.unwrap();
    rows.into_iter().find(|row| row.collection.id.as_str() == id).expect(id).key
}

pub fn part(name: &str) -> Part {
    Part { name: name.to_owned(), media_type: "message/rfc822".to_owned(), length: None }
}

pub async fn give(sink: &mut dyn OriginalSink, name: &str, bytes: &[u8]) {
    let held = sink.open(part(name)).await.unwrap();
    for chunk in bytes[usize::try_from(held).unwrap()..].chunks(64 << 10) {
        sink.write(Bytes::copy_from_slice(chunk)).await.unwrap();
    }
    sink.close().await.unwrap();
}

/// Fetches an item's original as one part.
pub async fn fetch(store: &AccountStore, id: &str, bytes: &[u8]) -> crate::store::Completed {
    let item = store.item_by_id(MAIL, &ItemId::new(id)).await.unwrap().unwrap();
    let mut sink = store.original_sink(item.key, &item.version).await.unwrap();
    give(&mut sink, "mime", bytes).await;
    sink.complete(&Facts::default()).await.unwrap()
}

pub async fn to_fetch(store: &AccountStore, within: &[&str]) -> Vec<String> {
    let mut keys = Vec::new();
    for id in within {
        keys.push(collection_key(store, id).await);
    }
    let rows = store.items_to_fetch(MAIL, &keys, None, 100).await.unwrap();
    rows.into_iter().map(|row| row.id.as_str().to_owned()).collect()
}

pub async fn to_place(store: &AccountStore, from: &str) -> Vec<ToPlace> {
    let from = collection_key(store, from).await;
    store.items_to_place(from, None, 1000).await.unwrap()
}

pub async fn ensure(store: &AccountStore, from: &str) -> TargetKey {
    let at = Collection {
        account: AccountId::new("anna"),
        id: CollectionId::new(format!("INBOX.{from}")),
        ..collection(from)
    };
    let from_key = collection_key(store, from).await;
    store.record_target(from_key, &[from.to_owned()], &at).await.unwrap()
}

pub fn unchanged(item: ItemKey, original: &Original) -> NewRendering {
    let StoredPart { digest, length, .. } = original.parts[0].clone();
    NewRendering {
        item,
        original: original.key,
        edition: 1,
        tables: Digest::of(b"tables"),
        profile: Digest::of(b"profile"),
        shape: Shape::Held(Stored { digest, length }),
        losses: Vec::new(),
        message_id: Some(format!("<{}@x>", item.number())),
    }
}

pub async fn render(store: &AccountStore, what: &ToPlace) -> Rendering {
    let original = store.original(what.item).await.unwrap().unwrap();
    store.record_renderings(vec![unchanged(what.item, &original)]).await.unwrap().remove(0)
}

pub async fn intend(store: &AccountStore, what: &ToPlace, at: TargetKey) -> IntentId {
    let rendering = render(store, what).await;
    let ToPlace { item, from, facts, revision, .. } = what.clone();
    let intending = Intending {
        item,
        from,
        at,
        sending: Sending::Kept(rendering),
        facts,
        base: None,
        revision,
        losses: Vec::new(),
        instead: None,
    };
    store.intend(vec![intending]).await.unwrap().remove(0)
}

pub fn placed(handle: &str) -> Placed {
    Placed { handle: Some(Handle::new(handle)), version: None, losses: Vec::new(), left_out: Vec::new() }
}

/// Places everything that is to be placed from a collection, with handles made of the item's id.
pub async fn push(store: &AccountStore, from: &str) -> usize {
    let at = ensure(store, from).await;
    let batch = to_place(store, from).await;
    for what in &batch {
        let intent = intend(store, what, at).await;
        let placed = placed(&format!("uid-{}", what.id.as_str()));
        store.resolve(vec![Resolution::Placed { intent, placed }]).await.unwrap();
    }
    batch.len()
}

pub async fn open_intents(store: &AccountStore, at: TargetKey) -> Vec<OpenIntent> {
    store.open_intents(at, None, 100).await.unwrap()
}

/// Bytes that do not compress, the same for the same seed.
pub fn noise(length: usize, seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}
