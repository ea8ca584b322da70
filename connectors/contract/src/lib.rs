//! The contract between transhume's engine and its connectors.
//!
//! A [`Source`] reads and never writes, converts or decides retries; a [`Target`] has no verb that touches what no
//! placement names. Everything else here is plain data. Foreign ids, cursors and handles are opaque: they are stored
//! and compared, never parsed outside the connector that made them, never logged whole.
//!
//! [`conformance`] is the public suite every connector must pass, [`memory`] holds the in-memory connectors that are
//! its reference, [`wrappers`] the cross-cutting concerns (rehearsal, chaos).

pub mod conformance;
mod credential;
mod facts;
mod fault;
mod ids;
mod look;
mod loss;
pub mod memory;
mod merge;
mod place;
mod source;
mod target;
mod words;
pub mod wrappers;

pub use credential::{Credential, Secret};
pub use facts::{Facts, FlagState, Importance};
pub use fault::{Cause, Fault, Outcome, Reach, Remedy, What};
pub use ids::{AccountId, CollectionId, Cursor, Digest, FeedId, Handle, IntentId, ItemId, Version};
pub use look::{Depth, Look, Share};
pub use loss::Loss;
pub use merge::{Known, Merge};
pub use place::{Body, Found, NaturalKey, Observed, Placed, Placement, Placing};
pub use source::{
    Change, Content, Cost, ItemRef, Listed, Membership, Next, OriginalSink, Page, Part, Source, SourceTraits, Traffic,
};
pub use target::{
    Amended, Amending, Batch, Canary, Foreseen, Holdings, Objects, Profile, Scheduling, Sharing, Target, TargetTraits,
    UNVERSIONED, VCard, Wanted,
};
pub use words::{
    Access, Account, AccountKind, AccountPage, Appearance, Collection, Feed, Finding, Identity, Presence, Role,
    Severity, Size, Unreachable, Workload,
};

/// An instant, in UTC, as every connector speaks of it.
pub use jiff::{Timestamp, civil::Date};
