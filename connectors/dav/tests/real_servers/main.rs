//! The target before Radicale, Xandikos and Cyrus.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
