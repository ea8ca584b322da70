//! The store: one project directory, one self-contained folder per account, and every byte of both behind this wall.
//!
//! ```text
//! <project>/transhume.lock             who runs now
//! <project>/project.db                 sides, accounts, waves, runs, journal
//! <project>/accounts/<account>/store.db     everything of one account, small blobs included
//! <project>/accounts/<account>/blobs/       large blobs, named by their BLAKE3
//! ```
//!
//! [`Project`] opens a directory for a run (locked) or for reading (not locked); [`AccountStore`] is a cloneable
//! handle on one account. Every `async fn` that writes returns once its commit is durable: one thread per open account
//! gathers what is waiting into one transaction, so durability costs one fsync a batch. A write whose future is dropped
//! still happens. Reads go to connections of their own and see everything committed before they began.
//!
//! What failed in this run is not offered again before the next run. Pages are keyset pages: hand the last row's mark
//! back to go on. Totals are queries on the store. No SQL leaves this module, and nothing else opens a store file.

mod account;
mod accounts;
mod apart;
mod batches;
mod blobs;
mod bodies;
mod collections;
mod database;
mod explain;
mod faults;
mod feeds;
mod intents;
mod items;
mod journal;
mod lock;
mod losses;
mod memberships;
mod names;
mod options;
mod originals;
mod pages;
mod passes;
mod placements;
mod project;
mod proofs;
mod readers;
mod refused;
mod renderings;
mod rows;
mod schema;
mod setbacks;
mod sink;
mod targets;
mod ties;
mod totals;
mod verdicts;
mod writer;

pub use account::AccountStore;
pub use accounts::{AccountRow, Assignment, Discovery};
pub use blobs::{BlobWriter, Stored};
pub use bodies::StoredBody;
pub use collections::{CollectionRow, Pass, Settled};
pub use explain::{
    Explained, ExplainedIntent, ExplainedOriginal, ExplainedPart, ExplainedPlacement, ExplainedRendering,
};
pub use feeds::Listing;
pub use intents::{Adopting, Intending, OpenIntent, Resolution, Sending, Stood};
pub use items::{Item, Mark, ToFetch};
pub use journal::JournalRow;
pub use lock::Holder;
pub use losses::Lossy;
pub use options::{Stop, StoreOptions};
pub use originals::{Original, StoredPart};
pub use pages::Committed;
pub use passes::LastPass;
pub use placements::{
    MadeBy, Moving, OpenMove, Overdue, Placement, PlacementState, Rerendered, Restoring, Superseding, ToAmend, ToPlace,
    Withdrawing,
};
pub use project::{NotOpened, Opening, Project};
pub use refused::RefusedCollection;
pub use renderings::{NewRendering, Rendering, Shape};
pub use rows::{CollectionKey, ItemKey, OriginalKey, PlacementKey, RenderingKey, RunId, Side, TargetKey};
pub use setbacks::{Setback, Standing};
pub use sink::{Completed, StoredSink};
pub use targets::TargetRow;
pub use ties::Begun;
pub use totals::{CollectionTotals, LossTotal, Quarantined, StageTotals, Tally, Totals, VerdictTotal};
pub use verdicts::{NewVerdict, Subject, Verdict};

#[cfg(test)]
mod tests;
