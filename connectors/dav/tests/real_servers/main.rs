//! The target before Radicale, Xandikos and Cyrus.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance;
mod cutter;
mod logins;
mod lost;
mod placing;
mod scheduling;
mod setting;
mod together;
mod versions;
mod whole;
