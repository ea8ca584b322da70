//! The side that is moved to. No verb here touches what no placement names.

use crate::{
    Access, AccountId, Appearance, Collection, CollectionId, Facts, Fault, Finding, Found, Handle, Identity, IntentId,
    Known, Look, Loss, NaturalKey, Observed, Placed, Placement, Placing, Role, Timestamp, Workload,
};
use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// How a calendar target is kept from mailing the people of a meeting that is only being moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheduling {
    /// Nothing needs to stand in the event: the target sends nothing, or a request header keeps it silent.
    #[default]
    Unneeded,
    /// Every attendee is marked as the client's own to inform (`SCHEDULE-AGENT=CLIENT`).
    ByClient,
    /// Events without ORGANIZER and ATTENDEE: the target mails whoever stands in them.
    NoOrganizer,
}

/// The version of vCard a target keeps whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VCard {
    V3,
    #[default]
    V4,
}

/// What a target accepts of events, contacts and tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objects {
    pub scheduling: Scheduling,
    /// Events that end when they begin.
    pub zero_length: bool,
    /// Most bytes of one attachment inside an object, and of the whole object.
    pub attachment_bytes: u64,
    pub object_bytes: u64,
    pub vcard: VCard,
    pub photo_bytes: u64,
}

impl Default for Objects {
    /// Accepts everything.
    fn default() -> Self {
        Self {
            scheduling: Scheduling::default(),
            zero_length: true,
            attachment_bytes: u64::MAX,
            object_bytes: u64::MAX,
            vcard: VCard::default(),
            photo_bytes: u64::MAX,
        }
    }
}

/// What a target accepts, so that renderings can be made for it: plain data, part of a rendering's identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// NUL bytes in a message.
    pub nul: bool,
    /// Line ends other than CRLF in a message.
    pub bare_lf: bool,
    /// 8-bit bytes in header fields.
    pub eight_bit_headers: bool,
    /// A message without a header line, or without any byte.
    pub headerless: bool,
    /// The dates a target can hold without changing them.
    pub earliest: Timestamp,
    pub latest: Timestamp,
    /// A date later than the moment of placing.
    pub future_dates: bool,
    /// The longest keyword, in bytes; 0 where there are no keywords.
    pub keyword_bytes: u32,
    /// Absent where the target takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<Objects>,
}

impl Default for Profile {
    /// Accepts everything.
    fn default() -> Self {
        Self {
            nul: true,
            bare_lf: true,
            eight_bit_headers: true,
            headerless: true,
            earliest: Timestamp::MIN,
            latest: Timestamp::MAX,
            future_dates: true,
            keyword_bytes: 1000,
            objects: None,
        }
    }
}

/// How much one call of `place` should carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    pub items: usize,
    pub bytes: u64,
}

/// What an engine must know of a target. Plain data, learned from the server where it differs between servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetTraits {
    pub workloads: Vec<Workload>,
    pub profile: Profile,
    pub batch: Batch,
    /// Calls that may be under way at once for one account, and for one collection of it.
    pub lanes: usize,
    pub lanes_per_collection: usize,
    /// `place` answers with the handle.
    pub tells_handle: bool,
    /// The largest item accepted, where the target says so.
    pub max_item_bytes: Option<u64>,
    /// `place` puts what changed in the place of the old one; else it is placed anew and the old one withdrawn.
    pub replaces: bool,
    /// A key stands once in the whole account, not once in each collection.
    pub one_of_a_key: bool,
}

/// A collection wanted at a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub account: AccountId,
    pub workload: Workload,
    /// Names from the top, unescaped, any characters; the last is the collection's own.
    pub path: Vec<String>,
    /// Where its parent was ensured: it is made below it, whatever the parent is called there (the server's own Sent
    /// mailbox, a mailbox that people renamed). `None` at the top, or when the whole path is to be made.
    pub parent: Option<CollectionId>,
    pub role: Role,
    /// Where it stood when it was last ensured. It is followed if people renamed it there.
    pub known: Option<CollectionId>,
    /// What stands there under the name it would get is taken for it, whoever made it, even where the name had to be
    /// altered and the collection holds mail: a former migration made it so. Else that would be a collision.
    pub adopt: bool,
    /// Where collections of the account were ensured, this one's among them: beside its own, none of these is taken for
    /// it. Some sources let several stand side by side under one name, and names pass from one to another.
    pub claimed: Arc<BTreeSet<CollectionId>>,
    /// For a collection that this makes; one that stands keeps its own.
    pub appearance: Appearance,
}

/// Facts of one placement to bring up to date.
#[derive(Clone, Debug)]
pub struct Amending {
    /// Names the amending in the answer.
    pub intent: IntentId,
    pub placement: Placement,
    /// What the source last wanted there. It differs from the placement's facts in just the fields that are people's.
    pub base: Facts,
    /// What earlier amendings wanted of which nobody knows how far they came.
    pub begun: Vec<Facts>,
    pub want: Facts,
}

impl Amending {
    /// Of something that people did not change so far, and that nobody began to amend.
    pub fn first(intent: IntentId, placement: Placement, want: Facts) -> Self {
        Self { intent, base: placement.facts.clone(), begun: Vec::new(), placement, want }
    }

    /// The same once more, when nobody knows how far it came.
    pub fn repeated(mut self) -> Self {
        self.begun.push(self.want.clone());
        self
    }

    /// What is known before it is looked what stands there.
    pub fn known(&self) -> Known {
        Known { base: self.base.clone(), stood: self.placement.facts.clone(), begun: self.begun.clone() }
    }
}

/// What came of an amending: the facts that stand there now, and the fields in which people at the target decided
/// otherwise (they win).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amended {
    pub facts: Facts,
    /// The base of the next amending, as [`Facts::merge`] told it.
    pub base: Facts,
    pub changed_there: Vec<String>,
    pub losses: Vec<Loss>,
}

/// What stands in an account, of whatever origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    pub items: u64,
    /// What a sample of them is known by, as it stands there: a mail's Message-ID, an object's UID.
    pub keys: Vec<String>,
}

/// The name that a collection would get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreseen {
    pub name: String,
    /// Without it the target may refuse this name, and another is found when the collection is made.
    pub sure: bool,
}

/// The side that is moved to.
#[async_trait]
pub trait Target: Send + Sync {
    /// Who this is. A store refuses to mix two.
    fn identity(&self) -> &Identity;

    /// Learned from the server at the first call, with any account that can log in; the same for the whole run.
    async fn traits(&self, account: &AccountId) -> Result<TargetTraits, Fault>;

    /// Credentials and limits: of the service (`None`), or of one account. Logins are tried one at a time, and a
    /// refused secret is not tried again.
    async fn check(&self, account: Option<&AccountId>) -> Result<Access, Fault>;

    /// The place that holds everything of a workload, or that of one account, as people know it, where nothing of ours is
    /// there: a folder that nobody made yet, or whose disk is not mounted. Only who asks knows whether something was begun
    /// there. `None` where it is there, and where a server answers for its accounts itself. Nothing is made.
    async fn not_there(&self, _account: Option<&AccountId>, _workload: Workload) -> Result<Option<String>, Fault> {
        Ok(None)
    }

    /// How much of a workload stands in an account, and what at most so many of them are known by. Nothing is made or
    /// changed.
    async fn holdings(&self, account: &AccountId, workload: Workload, sample: usize) -> Result<Holdings, Fault>;

    /// The name that a collection would get, as far as it can be told without making it.
    async fn foresee(&self, want: &Wanted) -> Result<Foreseen, Fault>;

    /// Makes sure that a collection stands, and says where. Ensuring what exists succeeds and changes nothing in it.
    async fn ensure(&self, want: &Wanted) -> Result<Collection, Fault>;

    /// Every collection that stands in an account besides these, whoever made it: people may have filed there what they
    /// took from ours. One of these that people renamed is still one of these.
    async fn others(
        &self,
        account: &AccountId,
        workload: Workload,
        known: &[CollectionId],
    ) -> Result<Vec<Collection>, Fault>;

    /// Whether a handle can name something in a collection as it was ensured last: no longer, once its server numbered
    /// its messages anew. Asks nobody.
    fn may_name(&self, _at: &Collection, _handle: &Handle) -> bool {
        true
    }

    /// Looks for renderings whose placing has no known outcome. Every match is told, byte for byte the same.
    async fn find(&self, at: &Collection, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault>;

    /// Places renderings and answers for each. A fault with `Outcome::Unknown` may have happened; one with
    /// `Outcome::NotDone` did not. Every intent is answered exactly once.
    fn place<'a>(&'a self, at: &'a Collection, batch: Vec<Placing>)
    -> BoxStream<'a, (IntentId, Result<Placed, Fault>)>;

    /// Brings facts up to date, merged with what people did there by [`Facts::merge`]. `Vanished` where the placement is no longer
    /// there. Every intent is answered exactly once.
    async fn amend(
        &self,
        at: &Collection,
        changes: Vec<Amending>,
    ) -> Result<Vec<(IntentId, Result<Amended, Fault>)>, Fault>;

    /// Moves what stands there. `Vanished` where the placement is no longer there. A fault with `Outcome::Unknown` may
    /// have moved it, or have left a copy; `copy` is what was then found: where moving takes two steps, only what it
    /// was made from is still to be removed.
    async fn relocate(&self, what: &Placement, to: &Collection, copy: Option<&Handle>) -> Result<Placed, Fault>;

    /// Removes what a placement says is ours. Refuses (`Forbidden`, reach item) what was changed there since. Answers
    /// what could not be done (a message only marked as deleted).
    async fn withdraw(&self, what: &Placement) -> Result<Vec<Loss>, Fault>;

    /// Called once when a collection of an account has all its items, children before parents.
    async fn settle(&self, at: &Collection) -> Result<(), Fault>;

    /// Everything that stands in a collection, ours or not.
    fn observe<'a>(&'a self, at: &'a Collection, look: Look) -> BoxStream<'a, Result<Observed, Fault>>;

    /// Whether something seen is no item, but what an interrupted run of ours left: `place` puts an item in its place,
    /// and `settle` removes what is left of it.
    fn is_left_behind(&self, _seen: &Observed) -> bool {
        false
    }

    /// The verbs for shares, where the target has shares.
    fn sharing(&self) -> Option<&dyn Sharing> {
        None
    }

    /// The proof that no invitation leaves, where the target could send one.
    fn canary(&self) -> Option<&dyn Canary> {
        None
    }
}

/// Creating shares at a target without mailing anybody. Verbs arrive with the first target that has shares.
pub trait Sharing: Send + Sync {}

/// How [`Canary::method`] speaks of the version of a server that tells none: such a proof does not count for long, since
/// nobody is told when another version, or another server, stands there.
pub const UNVERSIONED: &str = "unknown version";

/// Proving that a target sends no scheduling mail.
#[async_trait]
pub trait Canary: Send + Sync {
    /// What a proof holds for: the server, its version, the way it is kept silent. It changes when any of them does.
    /// `None` where there is nothing to prove: it sends nothing whatever stands in an event, or gets no meeting at all.
    async fn method(&self, account: &AccountId) -> Result<Option<String>, Fault>;
    /// Moves a meeting of one account with another in it as a migration would, updates it and removes it, and looks
    /// whether anything reached the other. `Forbidden`, reach run, with what arrived, where something did;
    /// `Unsupported` where such a meeting would prove nothing. `outside` is an e-mail address on somebody else's server,
    /// invited too. Answers what could not be looked at from here, for a person to look at.
    async fn prove(&self, from: &AccountId, to: &AccountId, outside: Option<&str>) -> Result<Vec<Finding>, Fault>;
}
