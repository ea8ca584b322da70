use super::lock;
use crate::{
    Access, AccountId, Amended, Amending, Appearance, Batch, Collection, CollectionId, Depth, Digest, Facts, Fault,
    Foreseen, Found, Handle, Holdings, Identity, IntentId, Look, Loss, NaturalKey, Observed, Placed, Placement,
    Placing, Profile, Reach, Role, Size, Target, TargetTraits, Timestamp, Wanted, What, Workload,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream, stream::BoxStream};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};
use tokio::io::AsyncReadExt;

/// A message as it stands at the memory target.
#[derive(Clone, PartialEq, Eq)]
pub struct Standing {
    pub bytes: Bytes,
    pub facts: Facts,
    /// Somebody marked it as deleted.
    pub deleted: bool,
}

/// The messages of an account by mailbox and handle.
#[derive(Clone, Default)]
pub struct Backup(BTreeMap<Vec<String>, BTreeMap<u64, Standing>>);

#[derive(Default)]
struct Mailbox {
    /// Stays through a rename, as a mailbox's UIDVALIDITY does.
    validity: u64,
    /// Handles tell the validity.
    tells_validity: bool,
    next: u64,
    keywords: BTreeSet<String>,
    messages: BTreeMap<u64, Standing>,
}

#[derive(Default)]
struct State {
    mailboxes: BTreeMap<(AccountId, Vec<String>), Mailbox>,
    validity: u64,
    /// Ids tell the path, and handles the validity.
    by_path: bool,
    placed: u64,
    sought: Vec<Vec<NaturalKey>>,
    refuses_amending: bool,
}

/// A mail target in memory.
pub struct MemoryTarget {
    identity: Identity,
    tells_handle: bool,
    /// A letter no name may hold; `_` stands for it.
    refused_letter: Option<char>,
    /// How many keywords a mailbox holds.
    keywords: usize,
    state: Mutex<State>,
}

impl MemoryTarget {
    /// A target that tells the handle of what is placed, or leaves it to be found.
    pub fn new(tells_handle: bool) -> Self {
        let identity = Identity { connector: "memory".into(), place: "target".into() };
        Self { identity, tells_handle, refused_letter: None, keywords: usize::MAX, state: Mutex::default() }
    }

    /// The same, where names cannot hold a letter, as on most servers: `_` stands for it, and a mailbox of such a name
    /// that holds mail is taken for somebody else's unless it is to be adopted.
    pub fn refusing(self, letter: char) -> Self {
        Self { refused_letter: Some(letter), ..self }
    }

    /// The same, where a mailbox holds only so many keywords, as with Cyrus and in a Maildir.
    pub fn holding(self, keywords: usize) -> Self {
        Self { keywords, ..self }
    }

    /// The same, where ids tell the path of a mailbox beside its validity, and handles the validity, as with IMAP: an
    /// id is another one once people renamed the mailbox, and handles name nothing once it was numbered anew.
    pub fn naming_by_path(self) -> Self {
        lock(&self.state).by_path = true;
        self
    }

    /// Everything that stands in an account: path of its mailbox, then the message.
    pub fn standing(&self, account: &AccountId) -> Vec<(Vec<String>, Standing)> {
        let state = lock(&self.state);
        let of_account = state.mailboxes.iter().filter(|((owner, _), _)| owner == account);
        of_account.flat_map(|((_, path), held)| held.messages.values().map(|m| (path.clone(), m.clone()))).collect()
    }

    /// How many messages were ever placed.
    pub fn placed(&self) -> u64 {
        lock(&self.state).placed
    }

    /// What was looked for so far, look by look.
    pub fn sought(&self) -> Vec<Vec<NaturalKey>> {
        lock(&self.state).sought.clone()
    }

    /// From now on every change of facts is refused, and none of it done; or no longer.
    pub fn refuse_amending(&self, refuse: bool) {
        lock(&self.state).refuses_amending = refuse;
    }

    /// A person changes every message they see: `None` deletes it.
    pub fn by_hand(&self, account: &AccountId, mut change: impl FnMut(&[String], &Standing) -> Option<Standing>) {
        let mut state = lock(&self.state);
        let own = state.mailboxes.iter_mut().filter(|((owner, _), _)| owner == account);
        for ((_, path), mailbox) in own {
            let before = std::mem::take(&mut mailbox.messages);
            let after = before.into_iter().filter_map(|(uid, message)| Some((uid, change(path, &message)?)));
            mailbox.messages = after.collect();
        }
    }

    /// A person makes a mailbox of their own.
    pub fn make_by_hand(&self, account: &AccountId, path: &[String]) {
        lock(&self.state).make(account, path);
    }

    /// A person (or another program) puts a message into a mailbox that stands.
    pub fn put_by_hand(&self, account: &AccountId, path: &[String], message: Standing) {
        if let Some(mailbox) = lock(&self.state).mailboxes.get_mut(&(account.clone(), path.to_vec())) {
            mailbox.add(message);
        }
    }

    /// Everything in an account as it stands, with its handles: what a backup of its folders holds.
    pub fn backup(&self, account: &AccountId) -> Backup {
        let state = lock(&self.state);
        let own = state.mailboxes.iter().filter(|((owner, _), _)| owner == account);
        Backup(own.map(|((_, path), mailbox)| (path.clone(), mailbox.messages.clone())).collect())
    }

    /// Somebody puts back what a backup holds, under the same handles, beside what came since.
    pub fn restore_by_hand(&self, account: &AccountId, backup: &Backup) {
        let mut state = lock(&self.state);
        for (path, messages) in &backup.0 {
            if let Some(mailbox) = state.mailboxes.get_mut(&(account.clone(), path.clone())) {
                mailbox.messages.extend(messages.clone());
            }
        }
    }

    /// A person renames a mailbox.
    pub fn rename_by_hand(&self, account: &AccountId, from: &[&str], to: &[&str]) {
        let path = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let mut state = lock(&self.state);
        if let Some(mailbox) = state.mailboxes.remove(&(account.clone(), path(from))) {
            state.mailboxes.insert((account.clone(), path(to)), mailbox);
        }
    }

    /// A server numbers a mailbox anew: its messages stand there under other handles.
    pub fn renumber_by_hand(&self, account: &AccountId, path: &[&str]) {
        let mut state = lock(&self.state);
        state.validity += 1;
        let (validity, path) = (state.validity, path.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        if let Some(mailbox) = state.mailboxes.get_mut(&(account.clone(), path)) {
            let messages = std::mem::take(&mut mailbox.messages);
            (mailbox.validity, mailbox.next) = (validity, 0);
            messages.into_values().for_each(|message| drop(mailbox.add(message)));
        }
    }

    fn with<T>(&self, at: &Collection, act: impl FnOnce(&mut Mailbox) -> T) -> Result<T, Fault> {
        let mut state = lock(&self.state);
        let gone = || Fault::new(What::Vanished, "the mailbox is no longer there").reaching(Reach::Collection);
        let path = state.path_of(&at.account, Some(&at.id)).or_else(|| state.path_told(&at.id)).ok_or_else(gone)?;
        state.mailboxes.get_mut(&(at.account.clone(), path)).map(act).ok_or_else(gone)
    }

    fn append(&self, at: &Collection, bytes: Bytes, facts: Facts) -> Result<Placed, Fault> {
        let (handle, left_out) = self.with(at, |mailbox| {
            let left_out = mailbox.refused(&facts, self.keywords);
            let facts = facts.without_keywords(&left_out);
            (mailbox.add(Standing { bytes, facts, deleted: false }), left_out)
        })?;
        lock(&self.state).placed += 1;
        let handle = self.tells_handle.then_some(handle);
        Ok(Placed { handle, version: None, losses: refused(&left_out), left_out })
    }

    async fn place_one(&self, at: &Collection, placing: Placing) -> Result<Placed, Fault> {
        let mut bytes = Vec::new();
        let mut reader = placing.body.open().await?;
        let broken = |error| Fault::new(What::StoreBroken, format!("the body could not be read: {error}")).report();
        reader.read_to_end(&mut bytes).await.map_err(broken)?;
        self.append(at, bytes.into(), placing.facts)
    }

    fn amend_one(&self, at: &Collection, change: &Amending) -> Result<Amended, Fault> {
        if lock(&self.state).refuses_amending {
            return Err(Fault::new(What::Forbidden, "the server refused a change of flags"));
        }
        self.with(at, |mailbox| {
            let uid = mailbox.uid_of(&change.placement.handle);
            let message = mailbox.messages.get_mut(&uid).ok_or_else(vanished)?;
            let merge = change.want.merge(&change.known(), &message.facts);
            let before = message.facts.clone();
            message.facts.apply(&merge.set);
            let new = Facts { categories: Some(message.facts.keywords_missing_in(&before)), ..Facts::default() };
            let left_out = new_refused(&mut mailbox.keywords, &new, self.keywords);
            message.facts = message.facts.without_keywords(&left_out);
            let (facts, base) = (message.facts.clone(), merge.base.without_keywords(&left_out));
            let changed_there = merge.changed_there.into_iter().map(str::to_owned).collect();
            Ok(Amended { facts, base, changed_there, losses: refused(&left_out) })
        })?
    }
}

fn refused(left_out: &[String]) -> Vec<Loss> {
    let loss = |keyword: &String| Loss::new("keyword_refused", format!("no place for the keyword `{keyword}`"));
    left_out.iter().map(loss).collect()
}

/// The keywords for which there is no place; the others have theirs from now on.
fn new_refused(held: &mut BTreeSet<String>, facts: &Facts, most: usize) -> Vec<String> {
    let wanted = facts.categories.iter().flatten();
    let mut has_no_place = |keyword: &&String| {
        let stays_out = !held.contains(*keyword) && held.len() >= most;
        if !stays_out {
            held.insert((*keyword).clone());
        }
        stays_out
    };
    wanted.filter(|keyword| has_no_place(keyword)).cloned().collect()
}

impl Mailbox {
    fn refused(&mut self, facts: &Facts, most: usize) -> Vec<String> {
        new_refused(&mut self.keywords, facts, most)
    }

    /// Whether an id means this one, whatever it was called.
    fn is(&self, id: &CollectionId) -> bool {
        id.as_str().split(' ').next().is_some_and(|id| *id == format!("mailbox-{}", self.validity))
    }

    fn add(&mut self, message: Standing) -> Handle {
        self.next += 1;
        self.messages.insert(self.next, message);
        self.handle(self.next)
    }

    fn handle(&self, uid: u64) -> Handle {
        Handle::new(if self.tells_validity { format!("{}.{uid}", self.validity) } else { uid.to_string() })
    }

    /// 0, which nothing has, for what it never gave or no longer gives.
    fn uid_of(&self, handle: &Handle) -> u64 {
        let uid = match handle.as_str().split_once('.') {
            Some((validity, uid)) => (validity == self.validity.to_string()).then_some(uid),
            None => Some(handle.as_str()),
        };
        uid.and_then(|uid| uid.parse().ok()).unwrap_or(0)
    }
}

impl State {
    /// The mailbox of this path, made if it does not stand.
    fn make(&mut self, account: &AccountId, path: &[String]) -> CollectionId {
        let Self { mailboxes, validity, by_path, .. } = self;
        let made = || {
            *validity += 1;
            Mailbox { validity: *validity, tells_validity: *by_path, ..Mailbox::default() }
        };
        id_of(path, mailboxes.entry((account.clone(), path.to_vec())).or_insert_with(made))
    }

    /// Where a mailbox stands now, by the id it was ensured with.
    fn path_of(&self, account: &AccountId, id: Option<&CollectionId>) -> Option<Vec<String>> {
        let own = self.mailboxes.iter().filter(|((owner, _), _)| owner == account);
        own.into_iter().find(|(_, mailbox)| id.is_some_and(|id| mailbox.is(id))).map(|((_, path), _)| path.clone())
    }

    /// The path that an id tells.
    fn path_told(&self, id: &CollectionId) -> Option<Vec<String>> {
        let (_, path) = id.as_str().split_once(' ')?;
        Some(path.split('>').map(str::to_owned).collect())
    }

    /// Where one comes to stand that nobody ensured.
    fn path_for(&self, want: &Wanted, refused: Option<char>) -> Vec<String> {
        let mut path = want.path.clone();
        let own = path.pop().unwrap_or_default();
        let mut path = self.path_of(&want.account, want.parent.as_ref()).unwrap_or(path);
        let spelled = refused.map_or_else(|| own.clone(), |letter| own.replace(letter, "_"));
        path.push(spelled);
        let holds_mail = |mailbox: &Mailbox| !mailbox.messages.is_empty();
        let of_others = self.mailboxes.get(&(want.account.clone(), path.clone())).is_some_and(holds_mail);
        match path.last_mut() {
            Some(name) if *name != own && of_others && !want.adopt => name.push_str("-2"),
            _ => {}
        }
        path
    }
}

fn id_of(path: &[String], mailbox: &Mailbox) -> CollectionId {
    let path = if mailbox.tells_validity { format!(" {}", path.join(">")) } else { String::new() };
    CollectionId::new(format!("mailbox-{}{path}", mailbox.validity))
}

fn collection(account: &AccountId, workload: Workload, path: &[String], id: CollectionId) -> Collection {
    Collection {
        account: account.clone(),
        workload,
        id,
        parent: None,
        name: path.join("/"),
        role: Role::Ordinary,
        hidden: false,
        expected: Size::default(),
        appearance: Appearance::default(),
    }
}

fn vanished() -> Fault {
    Fault::new(What::Vanished, "the message is no longer there")
}

fn observed(handle: Handle, message: &Standing, look: Look) -> Observed {
    Observed {
        version: None,
        facts: message.facts.clone(),
        length: Some(message.bytes.len() as u64),
        digest: (look.depth_of(&handle) == Depth::Content).then(|| Digest::of(&message.bytes)),
        content: None,
        handle,
    }
}

fn matches(message: &Standing, key: &NaturalKey) -> bool {
    message.bytes.len() as u64 == key.length && Digest::of(&message.bytes) == key.digest
}

#[async_trait]
impl Target for MemoryTarget {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    async fn traits(&self, _account: &AccountId) -> Result<TargetTraits, Fault> {
        let profile = Profile {
            nul: true,
            bare_lf: true,
            eight_bit_headers: true,
            headerless: true,
            earliest: Timestamp::MIN,
            latest: Timestamp::MAX,
            future_dates: true,
            keyword_bytes: 255,
            objects: None,
        };
        Ok(TargetTraits {
            workloads: vec![Workload::Mail],
            profile,
            batch: Batch { items: 10, bytes: 1 << 20 },
            lanes: 2,
            lanes_per_collection: 1,
            tells_handle: self.tells_handle,
            max_item_bytes: None,
            replaces: false,
            one_of_a_key: false,
        })
    }

    async fn check(&self, _account: Option<&AccountId>) -> Result<Access, Fault> {
        Ok(Access::default())
    }

    async fn holdings(&self, account: &AccountId, _: Workload, sample: usize) -> Result<Holdings, Fault> {
        let standing = self.standing(account);
        let ids = standing.iter().filter_map(|(_, message)| message.facts.message_id.clone());
        Ok(Holdings { items: standing.len() as u64, keys: ids.take(sample).collect() })
    }

    async fn foresee(&self, want: &Wanted) -> Result<Foreseen, Fault> {
        Ok(Foreseen { name: want.path.last().cloned().unwrap_or_default(), sure: true })
    }

    async fn ensure(&self, want: &Wanted) -> Result<Collection, Fault> {
        let mut state = lock(&self.state);
        let known = state.path_of(&want.account, want.known.as_ref());
        let path = known.unwrap_or_else(|| state.path_for(want, self.refused_letter));
        let id = state.make(&want.account, &path);
        Ok(collection(&want.account, want.workload, &path, id))
    }

    async fn others(
        &self,
        account: &AccountId,
        workload: Workload,
        known: &[CollectionId],
    ) -> Result<Vec<Collection>, Fault> {
        let state = lock(&self.state);
        let own = state.mailboxes.iter().filter(|((owner, _), _)| owner == account);
        let others = own.filter(|(_, mailbox)| !known.iter().any(|id| mailbox.is(id)));
        Ok(others.map(|((_, path), mailbox)| collection(account, workload, path, id_of(path, mailbox))).collect())
    }

    fn may_name(&self, at: &Collection, handle: &Handle) -> bool {
        let told = at.id.as_str().split(' ').next().and_then(|id| id.strip_prefix("mailbox-"));
        handle.as_str().split_once('.').is_none_or(|(validity, _)| told == Some(validity))
    }

    async fn find(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
        lock(&self.state).sought.push(keys.to_vec());
        self.with(at, |mailbox| {
            let of_key = |key: &NaturalKey| {
                let hits = mailbox.messages.iter().filter(|(_, message)| matches(message, key));
                let found = |uid: u64, message: &Standing| Found {
                    intent: key.intent.clone(),
                    handle: mailbox.handle(uid),
                    version: None,
                    facts: message.facts.clone(),
                    deleted: message.deleted,
                    content: None,
                };
                hits.map(|(uid, message)| found(*uid, message)).collect::<Vec<_>>()
            };
            keys.iter().flat_map(of_key).collect()
        })
    }

    fn place<'a>(
        &'a self,
        at: &'a Collection,
        batch: Vec<Placing>,
    ) -> BoxStream<'a, (IntentId, Result<Placed, Fault>)> {
        stream::iter(batch)
            .then(move |placing| async move { (placing.intent.clone(), self.place_one(at, placing).await) })
            .boxed()
    }

    async fn amend(
        &self,
        at: &Collection,
        changes: Vec<Amending>,
    ) -> Result<Vec<(IntentId, Result<Amended, Fault>)>, Fault> {
        Ok(changes.iter().map(|change| (change.intent.clone(), self.amend_one(at, change))).collect())
    }

    async fn relocate(&self, what: &Placement, to: &Collection, _copy: Option<&Handle>) -> Result<Placed, Fault> {
        let take = |mailbox: &mut Mailbox| {
            let uid = mailbox.uid_of(&what.handle);
            mailbox.messages.remove(&uid)
        };
        let message = self.with(&what.at, take)?.ok_or_else(vanished)?;
        let (handle, left_out) = self.with(to, |mailbox| {
            let left_out = mailbox.refused(&message.facts, self.keywords);
            let facts = message.facts.without_keywords(&left_out);
            (mailbox.add(Standing { facts, ..message }), left_out)
        })?;
        let handle = self.tells_handle.then_some(handle);
        Ok(Placed { handle, version: None, losses: refused(&left_out), left_out })
    }

    async fn withdraw(&self, what: &Placement) -> Result<Vec<Loss>, Fault> {
        self.with(&what.at, |mailbox| {
            let uid = mailbox.uid_of(&what.handle);
            let message = mailbox.messages.get(&uid).ok_or_else(vanished)?;
            if Digest::of(&message.bytes) != what.digest || message.facts != what.facts {
                return Err(Fault::new(What::Forbidden, "the message was changed there since it was placed"));
            }
            mailbox.messages.remove(&uid);
            Ok(Vec::new())
        })?
    }

    async fn settle(&self, _at: &Collection) -> Result<(), Fault> {
        Ok(())
    }

    fn observe<'a>(&'a self, at: &'a Collection, look: Look) -> BoxStream<'a, Result<Observed, Fault>> {
        let seen = self.with(at, |mailbox| {
            let seen = mailbox.messages.iter().map(|(uid, message)| Ok(observed(mailbox.handle(*uid), message, look)));
            seen.collect::<Vec<_>>()
        });
        stream::iter(seen.unwrap_or_else(|fault| vec![Err(fault)])).boxed()
    }
}
