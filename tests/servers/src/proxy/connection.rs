//! One client, one connection to the server, and what the two directions know of each other.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, oneshot};
use tokio::time::timeout;

use super::wire::{self, Outbox, Reader};
use super::{Act, State, client_side, server_side};

/// How many there are and were, and the word that cuts them all.
#[derive(Debug)]
pub(crate) struct Connections {
    total: AtomicU64,
    open: AtomicU64,
    peak: AtomicU64,
    cut: broadcast::Sender<()>,
}

impl Default for Connections {
    fn default() -> Self {
        let zero = AtomicU64::default;
        Self { total: zero(), open: zero(), peak: zero(), cut: broadcast::channel(1).0 }
    }
}

impl Connections {
    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::SeqCst)
    }

    pub(crate) fn open(&self) -> u64 {
        self.open.load(Ordering::SeqCst)
    }

    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::SeqCst)
    }

    pub(crate) fn cut_all(&self) {
        let _ = self.cut.send(());
    }

    fn opened(&self) {
        self.total.fetch_add(1, Ordering::SeqCst);
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(open, Ordering::SeqCst);
    }

    fn closed(&self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What both directions of one connection know.
#[derive(Default)]
pub(super) struct Conversation {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Commands without their tagged answer yet.
    pending: HashMap<String, Pending>,
    /// The command whose literal waits for a `+`.
    waiting: Option<(String, oneshot::Sender<bool>)>,
}

struct Pending {
    act: Option<Act>,
    /// Client lines are answers to challenges (AUTHENTICATE) or wait for DONE (IDLE), no commands.
    talks: bool,
}

impl Conversation {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, tag: &str, verb: &str, act: Option<Act>) {
        let talks = matches!(verb, "AUTHENTICATE" | "IDLE");
        self.lock().pending.insert(tag.to_owned(), Pending { act, talks });
    }

    /// Whether the client's next line is no command.
    pub(super) fn talks(&self) -> bool {
        self.lock().pending.values().any(|pending| pending.talks)
    }

    pub(super) fn stop_talking(&self) {
        self.lock().pending.values_mut().for_each(|pending| pending.talks = false);
    }

    /// Resolves to `true` at the server's `+`, to `false` when it answers the command instead.
    pub(super) fn await_continuation(&self, tag: &str) -> oneshot::Receiver<bool> {
        let (tell, told) = oneshot::channel();
        self.lock().waiting = Some((tag.to_owned(), tell));
        told
    }

    pub(super) fn continued(&self) {
        if let Some((_, tell)) = self.lock().waiting.take() {
            let _ = tell.send(true);
        }
    }

    /// The tagged answer of a command: what is to happen to it.
    pub(super) fn end(&self, tag: &str) -> Option<Act> {
        let mut inner = self.lock();
        if let Some((_, tell)) = inner.waiting.take_if(|(waiting, _)| waiting == tag) {
            let _ = tell.send(false);
        }
        inner.pending.remove(tag)?.act
    }
}

/// The way to the client: an answer of ours must not fall into the middle of one of the server's.
pub(super) struct ToClient {
    pub outbox: Outbox,
    /// Held while a response passes whose literals are not through yet.
    pub turn: tokio::sync::Mutex<()>,
}

pub(super) async fn accept(listener: TcpListener, upstream: SocketAddr, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        if state.script().refuse_connections {
            continue;
        }
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            state.connections.opened();
            converse(client, upstream, &state).await;
            state.connections.closed();
        });
    }
}

async fn converse(client: TcpStream, upstream: SocketAddr, state: &State) {
    let Ok(server) = TcpStream::connect(upstream).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let (to_client, client_due) = wire::outbox();
    let (to_server, server_due) = wire::outbox();
    let writers = (
        tokio::spawn(wire::write_all(client_due, client_write)),
        tokio::spawn(wire::write_all(server_due, server_write)),
    );
    let mut from_client = BufReader::new(client_read);
    let mut cut = state.connections.cut.subscribe();
    {
        let talk = Conversation::default();
        let to_client = ToClient { outbox: to_client, turn: tokio::sync::Mutex::new(()) };
        tokio::select! {
            _ = client_side::run(&mut from_client, &to_server, &to_client, &talk, state) => {}
            _ = server_side::run(BufReader::new(server_read), &to_client, &talk, state) => {}
            _ = cut.recv() => {}
        }
    }
    drop(to_server);
    // What was on its way still arrives, in both directions; then the sockets close.
    let _ = timeout(Duration::from_secs(5), async { tokio::join!(writers.0, writers.1) }).await;
    linger(&mut from_client).await;
}

/// Closing a socket with unread input resets it, and the client might lose the last answer with that.
async fn linger(client: &mut Reader) {
    let mut unread = [0; 4096];
    let drain = async { while matches!(client.read(&mut unread).await, Ok(read) if read > 0) {} };
    let _ = timeout(Duration::from_millis(300), drain).await;
}
