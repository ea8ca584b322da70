//! Tests of the store, by what they promise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bytes;
mod crash;
mod fixture;
mod invariants;
mod listing;
mod opening;
mod pushing;
mod quarantine;
mod random;
mod schema;
mod ties;
mod totals;
