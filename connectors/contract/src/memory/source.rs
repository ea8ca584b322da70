use super::lock;
use crate::{
    Access, Account, AccountId, AccountKind, AccountPage, Appearance, Change, Collection, CollectionId, Content,
    Cursor, Facts, Fault, Feed, FeedId, Identity, ItemId, ItemRef, Listed, Membership, Next, OriginalSink, Page, Part,
    Presence, Role, Size, Source, SourceTraits, Version, What, Workload,
};
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Mutex,
};

#[derive(Clone)]
struct Item {
    collection: CollectionId,
    revision: u64,
    content: Content,
    facts: Facts,
    bytes: Bytes,
}

/// What happened to an item in a collection, in order.
struct Event {
    at: u64,
    collection: CollectionId,
    item: ItemId,
    gone: bool,
}

#[derive(Default)]
struct Mailbox {
    collections: Vec<Collection>,
    items: BTreeMap<ItemId, Item>,
    events: Vec<Event>,
}

#[derive(Default)]
struct State {
    accounts: Vec<Account>,
    mailboxes: BTreeMap<AccountId, Mailbox>,
    clock: u64,
    /// Cursors older than this have expired.
    oldest: u64,
    fetched: u64,
    /// Collections that the next walks do not meet, a set for each.
    missed: VecDeque<BTreeSet<CollectionId>>,
}

/// A source in memory, of mail unless told otherwise. Its cursors are `list/<start>/<after>` within a round from the start, and
/// `since/<clock>/<skip>` afterwards.
pub struct MemorySource {
    identity: Identity,
    workload: Workload,
    page: usize,
    state: Mutex<State>,
}

impl MemorySource {
    /// An empty source whose pages hold `page` rows.
    pub fn new(page: usize) -> Self {
        let identity = Identity { connector: "memory".into(), place: "source".into() };
        Self { identity, workload: Workload::Mail, page: page.max(1), state: Mutex::default() }
    }

    /// The same source, of another workload. To be said before accounts are added.
    #[must_use]
    pub fn of(self, workload: Workload) -> Self {
        Self { workload, ..self }
    }

    /// Adds a person's account with an inbox.
    pub fn add_account(&self, address: &str) -> Account {
        let account = Account {
            id: AccountId::new(format!("id-of-{address}")),
            address: address.into(),
            name: address.into(),
            kind: AccountKind::Person,
            aliases: Vec::new(),
            enabled: true,
            workloads: vec![(self.workload, Presence::Present, Size::default())],
        };
        let mut state = lock(&self.state);
        state.accounts.push(account.clone());
        state.mailboxes.insert(account.id.clone(), Mailbox::default());
        drop(state);
        self.add_collection(&account.id, None, "Inbox", Role::Inbox);
        account
    }

    /// Says what kind of account it is, and how much mail discovery tells of.
    pub fn describe(&self, account: &AccountId, kind: AccountKind, size: Size) {
        let mut state = lock(&self.state);
        for told in state.accounts.iter_mut().filter(|told| told.id == *account) {
            told.kind = kind;
            told.workloads = vec![(self.workload, Presence::Present, size)];
        }
    }

    pub fn add_collection(
        &self,
        account: &AccountId,
        parent: Option<&CollectionId>,
        name: &str,
        role: Role,
    ) -> CollectionId {
        let mut state = lock(&self.state);
        let mailbox = state.mailboxes.entry(account.clone()).or_default();
        let id = CollectionId::new(format!("folder-{}", mailbox.collections.len()));
        mailbox.collections.push(Collection {
            account: account.clone(),
            workload: self.workload,
            id: id.clone(),
            parent: parent.cloned(),
            name: name.into(),
            role,
            hidden: false,
            expected: Size::default(),
            appearance: Appearance::default(),
        });
        id
    }

    /// Adds a message, or replaces the one of that id with a new revision.
    pub fn put(
        &self,
        account: &AccountId,
        collection: &CollectionId,
        id: &str,
        content: Content,
        facts: Facts,
        bytes: impl Into<Bytes>,
    ) -> ItemId {
        let id = ItemId::new(id);
        let bytes = bytes.into();
        self.change(account, &id, |revision, _| {
            Some(Item { collection: collection.clone(), revision, content, facts, bytes })
        });
        id
    }

    /// Changes the facts of a message.
    pub fn edit(&self, account: &AccountId, id: &ItemId, patch: &Facts) {
        self.change(account, id, |revision, item| {
            let mut item = item?;
            item.facts.apply(patch);
            Some(Item { revision, ..item })
        });
    }

    /// Moves a message to another collection.
    pub fn shift(&self, account: &AccountId, id: &ItemId, to: &CollectionId) {
        self.change(account, id, |revision, item| Some(Item { revision, collection: to.clone(), ..item? }));
    }

    pub fn remove(&self, account: &AccountId, id: &ItemId) {
        self.change(account, id, |_, _| None);
    }

    /// Makes every cursor handed out so far expire.
    pub fn expire_cursors(&self) {
        let mut state = lock(&self.state);
        state.clock += 1;
        state.oldest = state.clock;
    }

    /// Lets the next walks through the collections miss some each, as if people moved them meanwhile.
    pub fn miss(&self, walks: impl IntoIterator<Item = BTreeSet<CollectionId>>) {
        lock(&self.state).missed = walks.into_iter().collect();
    }

    /// How many bodies were fetched.
    pub fn fetched(&self) -> u64 {
        lock(&self.state).fetched
    }

    fn change(&self, account: &AccountId, id: &ItemId, how: impl FnOnce(u64, Option<Item>) -> Option<Item>) {
        let mut state = lock(&self.state);
        state.clock += 1;
        let at = state.clock;
        let mailbox = state.mailboxes.entry(account.clone()).or_default();
        let before = mailbox.items.remove(id);
        let left = before.as_ref().map(|item| item.collection.clone());
        let after = how(at, before);
        let joined = after.as_ref().map(|item| item.collection.clone());
        if let Some(collection) = left.filter(|left| joined.as_ref() != Some(left)) {
            mailbox.events.push(Event { at, collection, item: id.clone(), gone: true });
        }
        if let Some((item, collection)) = after.zip(joined) {
            mailbox.items.insert(id.clone(), item);
            mailbox.events.push(Event { at, collection, item: id.clone(), gone: false });
        }
    }
}

impl Item {
    fn listed(&self, id: &ItemId) -> Change {
        Change::Listed(Box::new(Listed {
            id: id.clone(),
            version: Version::new(self.revision.to_string()),
            content: Some(self.content),
            facts: self.facts.clone(),
            membership: Membership::Joined(self.collection.clone()),
            parent: None,
            name: None,
        }))
    }
}

impl Mailbox {
    /// The rows of a round from the start, after the last id given.
    fn list(&self, collection: &CollectionId, start: u64, after: &str, page: usize, now: u64) -> Page {
        let rows = self.items.iter().filter(|(id, item)| item.collection == *collection && id.as_str() > after);
        let rows: Vec<_> = rows.take(page).collect();
        let next = match rows.last() {
            Some((last, _)) if rows.len() == page => Next::More(Cursor::new(format!("list/{start}/{}", last.as_str()))),
            _ => Next::Done(Cursor::new(format!("since/{}/0", start.min(now)))),
        };
        Page { changes: rows.into_iter().map(|(id, item)| item.listed(id)).collect(), next }
    }

    /// What happened since, event by event: an id may occur several times.
    fn since(&self, collection: &CollectionId, clock: u64, skip: usize, page: usize, now: u64) -> Page {
        let events = self.events.iter().filter(|event| event.at > clock && event.collection == *collection);
        let events: Vec<_> = events.skip(skip).take(page).collect();
        let next = if events.len() == page {
            Next::More(Cursor::new(format!("since/{clock}/{}", skip + page)))
        } else {
            Next::Done(Cursor::new(format!("since/{now}/0")))
        };
        Page { changes: events.into_iter().map(|event| self.told(event)).collect(), next }
    }

    fn told(&self, event: &Event) -> Change {
        match self.items.get(&event.item) {
            Some(item) if !event.gone && item.collection == event.collection => item.listed(&event.item),
            _ => Change::Gone(event.item.clone(), Some(event.collection.clone())),
        }
    }
}

fn expired() -> Fault {
    Fault::new(What::CursorExpired, "the cursor has expired")
}

fn unknown_account() -> Fault {
    Fault::new(What::Vanished, "the account is not known here").reaching(crate::Reach::Account)
}

fn parse(cursor: Option<&Cursor>, now: u64, oldest: u64) -> Result<(bool, u64, String), Fault> {
    let Some(cursor) = cursor else { return Ok((true, now, String::new())) };
    let mut fields = cursor.as_str().splitn(3, '/');
    let (kind, clock, rest) = (fields.next(), fields.next(), fields.next());
    let clock: u64 = clock.and_then(|clock| clock.parse().ok()).ok_or_else(expired)?;
    if clock < oldest {
        return Err(expired());
    }
    Ok((kind == Some("list"), clock, rest.unwrap_or_default().to_owned()))
}

#[async_trait]
impl Source for MemorySource {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn traits(&self) -> SourceTraits {
        SourceTraits { workloads: vec![self.workload], lanes: 3, requests_per_hour: 60_000 }
    }

    fn traffic(&self) -> crate::Traffic {
        crate::Traffic::default()
    }
    async fn check(&self, _account: Option<&Account>) -> Result<Access, Fault> {
        Ok(Access::default())
    }

    async fn accounts(&self, from: Option<&Cursor>) -> Result<AccountPage, Fault> {
        let skip: usize = from.and_then(|cursor| cursor.as_str().parse().ok()).unwrap_or(0);
        let state = lock(&self.state);
        let accounts: Vec<_> = state.accounts.iter().skip(skip).take(self.page).cloned().collect();
        let more = skip + accounts.len() < state.accounts.len();
        let next = more.then(|| Cursor::new((skip + accounts.len()).to_string()));
        Ok(AccountPage { accounts, unreachable: Vec::new(), next })
    }

    async fn collections(&self, account: &Account, _workload: Workload) -> Result<Vec<Collection>, Fault> {
        let mut state = lock(&self.state);
        let missed = state.missed.pop_front().unwrap_or_default();
        let mailbox = state.mailboxes.get(&account.id).ok_or_else(unknown_account)?;
        let held = |id: &CollectionId| mailbox.items.values().filter(|item| item.collection == *id).count() as u64;
        let size = |id: &CollectionId| Size { items: Some(held(id)), bytes: None };
        let counted = |found: &Collection| Collection { expected: size(&found.id), ..found.clone() };
        Ok(mailbox.collections.iter().filter(|found| !missed.contains(&found.id)).map(counted).collect())
    }

    async fn feeds(&self, account: &Account, collections: &[Collection]) -> Result<Vec<Feed>, Fault> {
        let feed = |collection: &Collection| Feed {
            account: account.id.clone(),
            workload: collection.workload,
            id: FeedId::new(collection.id.as_str()),
            collection: Some(collection.id.clone()),
        };
        Ok(collections.iter().map(feed).collect())
    }

    async fn changes(&self, of: &Feed, from: Option<&Cursor>) -> Result<Page, Fault> {
        let state = lock(&self.state);
        let mailbox = state.mailboxes.get(&of.account).ok_or_else(unknown_account)?;
        let collection = CollectionId::new(of.id.as_str());
        let (listing, clock, rest) = parse(from, state.clock, state.oldest)?;
        if listing {
            return Ok(mailbox.list(&collection, clock, &rest, self.page, state.clock));
        }
        let skip = rest.parse().map_err(|_| expired())?;
        Ok(mailbox.since(&collection, clock, skip, self.page, state.clock))
    }

    async fn fetch(&self, item: &ItemRef, into: &mut dyn OriginalSink) -> Result<Facts, Fault> {
        let held = {
            let mut state = lock(&self.state);
            state.fetched += 1;
            state.mailboxes.get(&item.account.id).and_then(|mailbox| mailbox.items.get(&item.id)).cloned()
        };
        let held = held.ok_or_else(|| Fault::new(What::Vanished, "the message is gone"))?;
        let length = Some(held.bytes.len() as u64);
        into.open(Part { name: "mime".into(), media_type: "message/rfc822".into(), length }).await?;
        into.restart().await?;
        into.write(held.bytes).await?;
        into.close().await?;
        Ok(Facts::default())
    }

    async fn settings(&self, _account: &Account, _of: Workload, _into: &mut dyn OriginalSink) -> Result<(), Fault> {
        Ok(())
    }
}
