//! Tests of the store, by what they promise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bytes;
mod crash;
mod fixture;
mod freed;
mod invariants;
mod known;
mod listing;
mod opening;
mod pushing;
mod random;
mod schema;
mod ties;
mod totals;
