//! The side that is left: it is read, and only read.

use crate::{
    Access, Account, AccountPage, Collection, CollectionId, Cursor, Facts, Fault, Feed, Identity, ItemId, Version,
    Workload,
};
use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an engine must know of a source before it speaks to it. Plain data. Of every source it expects that ids survive
/// moves between collections, and that later rounds report what is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceTraits {
    pub workloads: Vec<Workload>,
    /// Requests that may be under way at once for one account.
    pub lanes: usize,
    /// Requests one account may make per hour under the service's published limits, for estimates.
    pub requests_per_hour: u64,
}

/// What asking a source has cost since it was connected. Plain data, for people: nothing is decided by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Requests sent, repetitions included.
    pub requests: u64,
    /// Of these, answered with "too many".
    pub throttled: u64,
}

/// What reading items takes, in requests: an estimate of what listings tell, for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// To fetch the originals of all of them.
    pub originals: u64,
    /// To learn in each later round whether any of them changed, beyond the request that asks each collection.
    pub round: u64,
}

/// In which collections an item stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// All of them, replacing what was known.
    Full(Vec<CollectionId>),
    /// This feed's collection now holds it; other memberships are as they were.
    Joined(CollectionId),
    /// This feed's collection no longer holds it. Provisional: an item is gone, or moved, only when every feed of the
    /// account has finished its round and none holds it.
    Left(CollectionId),
}

/// What a version says of an item's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// The bytes never change once fetched, whatever the version does.
    Fixed,
    /// A new version means new bytes.
    FollowsVersion,
}

/// An item as a listing tells it. Facts arrive here, so that a changed flag never fetches a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: ItemId,
    pub version: Version,
    /// Unsaid when the row of a delta round does not tell; what was known then stays.
    pub content: Option<Content>,
    pub facts: Facts,
    pub membership: Membership,
    /// The folder it stands in, where items are their own tree (drives).
    pub parent: Option<ItemId>,
    /// The name it carries, where it carries one (files).
    pub name: Option<String>,
}

/// One row of a page, in the order the source gave them: the same id may occur several times, the last one counts.
#[derive(Clone, Debug)]
pub enum Change {
    Listed(Box<Listed>),
    /// The item is no longer in the feed's collection (`Some`) or gone from the account (`None`).
    Gone(ItemId, Option<CollectionId>),
    /// The source named the item but cannot tell about it; it is quarantined or owed by the fault's remedy.
    Refused(ItemId, Option<CollectionId>, Fault),
}

/// Where listing goes on. Both cursors are safe to keep: the first continues this round, the second starts the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    More(Cursor),
    Done(Cursor),
}

/// One page of a feed.
#[derive(Clone, Debug)]
pub struct Page {
    pub changes: Vec<Change>,
    pub next: Next,
}

/// What `fetch` is asked for: the item as the store knows it.
#[derive(Clone, Debug)]
pub struct ItemRef {
    pub account: Account,
    pub workload: Workload,
    pub id: ItemId,
    pub version: Version,
    pub facts: Facts,
}

/// A named part of an original: `mime`, `message`, `attachment/3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub media_type: String,
    /// The exact length, where the source told it before the bytes.
    pub length: Option<u64>,
}

/// Takes an original, part by part. One part is open at a time; each becomes durable when it is closed. An original
/// counts only when `fetch` returns: parts of a `fetch` that failed are kept for resuming, and never rendered.
#[async_trait]
pub trait OriginalSink: Send {
    /// Opens a part and tells how many bytes of it are already held from an earlier attempt of the same version.
    /// The caller continues there, or calls [`restart`](Self::restart).
    async fn open(&mut self, part: Part) -> Result<u64, Fault>;
    /// Appends bytes to the open part.
    async fn write(&mut self, bytes: Bytes) -> Result<(), Fault>;
    /// Drops what the open part holds, so that it starts again from its first byte.
    async fn restart(&mut self) -> Result<(), Fault>;
    /// Closes the open part: it is whole.
    async fn close(&mut self) -> Result<(), Fault>;
    /// Drops every part taken so far, closed or open: the original will be given in another shape.
    async fn clear(&mut self) -> Result<(), Fault>;
}

/// The side that is left. It reads; it never writes, converts, or decides retries of an item.
#[async_trait]
pub trait Source: Send + Sync {
    /// Who this is. A store refuses to mix two.
    fn identity(&self) -> &Identity;

    fn traits(&self) -> SourceTraits;

    /// What was asked of the service so far; nothing where no service is asked.
    fn traffic(&self) -> Traffic;

    /// What reading so many items takes, by their class (empty where a listing told none).
    fn cost(&self, _workload: Workload, items: &BTreeMap<String, u64>) -> Cost {
        Cost { originals: items.values().sum(), round: 0 }
    }

    /// Credentials, and what they may not reach: of the whole service, or of one account.
    /// What is wrong is a finding; a fault means that the check itself could not be made.
    async fn check(&self, account: Option<&Account>) -> Result<Access, Fault>;

    /// Discovery, a page at a time; start with `None`.
    async fn accounts(&self, from: Option<&Cursor>) -> Result<AccountPage, Fault>;

    /// Every collection of an account, parents before children.
    async fn collections(&self, account: &Account, workload: Workload) -> Result<Vec<Collection>, Fault>;

    /// The feeds that together list the whole workload of an account.
    async fn feeds(&self, account: &Account, collections: &[Collection]) -> Result<Vec<Feed>, Fault>;

    /// The next page of a feed: a round from the start (`None`), or on from a cursor. `CursorExpired` means: start
    /// again with `None`; nothing that was fetched is lost by it.
    async fn changes(&self, of: &Feed, from: Option<&Cursor>) -> Result<Page, Fault>;

    /// Gives the original, verbatim. The facts returned are a patch: what became known only by reading.
    async fn fetch(&self, item: &ItemRef, into: &mut dyn OriginalSink) -> Result<Facts, Fault>;

    /// Gives the account's settings for a workload as parts of one original (`settings`, `rules`, `categories`, ...),
    /// each the provider's own JSON. An account without any gives no part.
    async fn settings(&self, account: &Account, workload: Workload, into: &mut dyn OriginalSink) -> Result<(), Fault>;
}
