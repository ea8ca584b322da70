//! The IMAP target before Dovecot and Cyrus, and through a proxy that breaks what passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod closed;
mod conformance;
mod gaps;
mod limits;
mod logins;
mod lost;
mod moving;
mod naming;
mod placing;
mod security;
mod setting;
