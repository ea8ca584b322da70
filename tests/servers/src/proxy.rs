//! A wire proxy for IMAP that breaks what passes through it, as told.
//!
//! It reads both directions with literals understood, so that nothing inside a message is taken for protocol. It speaks
//! plain IMAP only, and therefore always hides STARTTLS and COMPRESS, behind which it would be blind.
//!
//! A stripped capability is hidden from the greeting, from CAPABILITY and from response codes, its own response codes
//! go too (UIDPLUS: APPENDUID and COPYUID), and using it is refused:
//!
//! * a command or argument of its own (MOVE, UID EXPUNGE, `(CHANGEDSINCE`...) is answered BAD and never reaches the
//!   server;
//! * MULTIAPPEND: where the second message starts, the server is sent a syntax error instead, so it answers BAD and
//!   stores none of them, as a server without the extension does;
//! * LITERAL+: the command is answered BAD. A real server would go on to read the literal as commands; the proxy
//!   swallows it.
//!
//! Verbs are upper case, with `UID` in front where it stands: `APPEND`, `UID FETCH`.

mod capability;
mod client_side;
mod connection;
mod script;
mod server_side;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

pub use script::{Act, Deed, Script};

use crate::StartError;
use connection::Connections;

/// A running proxy; dropping it cuts what is open.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    state: Arc<State>,
    runtime: Option<Runtime>,
}

/// What all connections share.
#[derive(Debug, Default)]
pub(crate) struct State {
    script: Mutex<Script>,
    counts: Mutex<BTreeMap<String, u64>>,
    connections: Connections,
}

impl State {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a command and tells what is to happen to it.
    fn seen(&self, verb: &str) -> Option<Act> {
        *self.counts().entry(verb.to_owned()).or_default() += 1;
        self.script().strike(verb)
    }
}

impl Proxy {
    /// Listens on a free loopback port and forwards every connection to `upstream`, a port on loopback.
    ///
    /// # Errors
    /// When no port or no thread can be had.
    pub fn start(upstream: u16, script: Script) -> Result<Self, StartError> {
        Self::start_at(0, upstream, script)
    }

    /// The same, listening on a port of the caller's choice.
    ///
    /// # Errors
    /// When the port is taken, or no thread can be had.
    pub fn start_at(port: u16, upstream: u16, script: Script) -> Result<Self, StartError> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("proxy").enable_all().build()?;
        let state = Arc::new(State { script: Mutex::new(script), ..State::default() });
        let shared = Arc::clone(&state);
        let upstream = SocketAddr::from(([127, 0, 0, 1], upstream));
        let _entered = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        runtime.spawn(connection::accept(listener, upstream, shared));
        Ok(Self { port, state, runtime: Some(runtime) })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes the script for commands and connections from now on.
    pub fn tell(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.state.script());
    }

    /// The `nth` command `verb` from now on (1 is the next) takes effect, but its tagged answer never arrives.
    pub fn cut_before(&self, verb: &str, nth: u64) {
        self.tell(|script| script.add(Deed::new(verb, nth, Act::CutBefore)));
    }

    /// The connection ends right after the tagged answer of the `nth` command `verb` from now on.
    pub fn cut_after(&self, verb: &str, nth: u64) {
        self.tell(|script| script.add(Deed::new(verb, nth, Act::CutAfter)));
    }

    /// Any deed, for the `nth` command `verb` from now on.
    pub fn on(&self, verb: &str, nth: u64, act: Act) {
        self.tell(|script| script.add(Deed::new(verb, nth, act)));
    }

    /// Delays every byte by this much each way; throughput is not limited.
    pub fn set_latency(&self, each_way: Duration) {
        self.tell(|script| script.latency = each_way);
    }

    /// Cuts all connections that are open now.
    pub fn cut_all(&self) {
        self.state.connections.cut_all();
    }

    /// How many commands `verb` arrived, refused ones included.
    pub fn count(&self, verb: &str) -> u64 {
        self.state.counts().get(verb).copied().unwrap_or_default()
    }

    /// All verbs that arrived.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.state.counts().clone()
    }

    /// Starts counting commands afresh.
    pub fn reset_counts(&self) {
        self.state.counts().clear();
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.state.connections.total()
    }

    /// Connections open now.
    pub fn open(&self) -> u64 {
        self.state.connections.open()
    }

    /// The most connections that were ever open at once.
    pub fn peak(&self) -> u64 {
        self.state.connections.peak()
    }

    /// Deeds that still wait for their command.
    pub fn pending(&self) -> usize {
        self.state.script().deeds.len()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Not `drop`: that blocks, which is forbidden when the caller is inside a runtime of its own.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
