//! The source against the simulated Microsoft 365.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod agenda;
mod books;
mod faults;
mod listing;
mod originals;
mod poison;
mod rounds;
mod stage;
