//! The target before Radicale, Xandikos and Cyrus, and before a server that is given (`given`, by hand).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance;
mod cutter;
mod double;
mod doubted;
mod front;
mod given;
mod lanes;
mod left;
mod logins;
mod lost;
mod moving;
mod placing;
mod raw;
mod scheduling;
mod setting;
mod sizes;
mod stumbling;
mod together;
mod versions;
mod whole;
