//! Real mail and calendar servers for tests and the demo, and a wire proxy that breaks them.
//!
//! Everything listens on loopback only, on ports that were free, in a temporary directory unless told otherwise, and
//! is stopped by pid when its handle is dropped. A server also stops when the process that started it dies in any
//! other way, a `SIGKILL` included (see [`Leash`]).
//!
//! All calls but those of [`RawDav`] are blocking and need no async runtime; they may be made from inside one.
//!
//! * [`Dovecot`]: Debian's `dovecot-imapd`, in one of four stores.
//! * [`Cyrus`]: unpacked beside it by `scripts/install-test-servers`, because Debian's packages conflict.
//! * [`DavServer`]: Radicale or Xandikos, for calendars, tasks and contacts; Cyrus has them too.
//! * [`Proxy`]: stands before either, hides capabilities, cuts, stalls, delays and counts.
//! * [`Relay`]: stands before any of them, and is a long way.
//! * [`RawImap`], [`RawDav`]: bare clients for what a person would do by hand.

mod cache;
mod certificate;
mod cyrus;
mod dav;
mod dovecot;
mod leash;
mod login;
mod ports;
mod proxy;
mod raw;
mod raw_dav;
mod relay;
mod wire;

pub use certificate::Tls;
pub use cyrus::{Cyrus, CyrusOptions};
pub use dav::{DavKind, DavOptions, DavServer, vdirsyncer};
pub use dovecot::{Dovecot, DovecotOptions, Fsync, SPECIAL_FOLDERS, Store};
pub use leash::{Ending, Leash};
pub use login::Login;
pub use proxy::{Act, Deed, Proxy, Script};
pub use raw::{RawImap, Reply};
pub use raw_dav::RawDav;
pub use relay::Relay;
pub use wire::{Wire, Words};

use std::io;
use std::path::PathBuf;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A program is not installed; the text names what to run.
    #[error("{0} is not installed; run scripts/install-test-servers")]
    Missing(String),
    /// The server ended, or did not answer in time; its log is quoted.
    #[error("{server} did not start: {reason}\n{log}")]
    Silent { server: &'static str, reason: String, log: String },
    /// A program that a server needs refused.
    #[error("{program} failed: {said}")]
    Refused { program: String, said: String },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("no throw-away certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Names the file in an I/O error.
pub(crate) fn at(path: &std::path::Path) -> impl FnOnce(io::Error) -> StartError + '_ {
    move |source| StartError::File { path: path.to_owned(), source }
}
