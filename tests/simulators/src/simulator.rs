//! Starting and stopping.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::control;
use crate::dump::{Dump, Provider};
use crate::gate::{self, Broken};
use crate::login::{Doorkeeper, KeyError};
use crate::options::Options;
use crate::stats::Counts;
use crate::tenant;
use crate::wire::Sending;
use crate::world::World;

/// The largest request body that is read: a batch or a script.
const MOST_BYTES: usize = 64 << 20;

/// Why a simulator did not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {why}; choose another address, or port 0 for a free one")]
    Listen { address: SocketAddr, why: io::Error },
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("this dump is of a Google Workspace tenant, which the simulator does not serve yet; give it a Graph dump")]
    Provider,
}

/// The simulated Microsoft 365.
pub struct Simulator;

impl Simulator {
    /// Serves a tenant until [`Running::stop`] is called or the value is dropped.
    ///
    /// # Errors
    /// When the address is taken, and for dumps of other providers.
    pub async fn start(dump: Dump, options: Options) -> Result<Running, StartError> {
        if dump.provider != Provider::Graph {
            return Err(StartError::Provider);
        }
        let listener = bound(options.listen).await?;
        let downloads = bound(SocketAddr::new(options.listen.ip(), 0)).await?;
        let address = local(&listener, options.listen)?;
        let second = local(&downloads, options.listen)?;
        let tenant = tenant::load(dump);
        let world = Arc::new(World::new(options, tenant, Doorkeeper::new()?, second.port()));
        let tasks = vec![
            tokio::spawn(accept(listener, world.clone(), Side::First)),
            tokio::spawn(accept(downloads, world.clone(), Side::Downloads)),
        ];
        Ok(Running { address, world, tasks })
    }
}

async fn bound(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|why| StartError::Listen { address, why })
}

fn local(listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|why| StartError::Listen { address, why })
}

/// A simulator at work. It stops when dropped.
pub struct Running {
    address: SocketAddr,
    world: Arc<World>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Where Graph is, without a version: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> String {
        let scheme = if self.world.options.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Where sign-in is: the same origin.
    #[must_use]
    pub fn login_url(&self) -> String {
        self.base_url()
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The certificate authority to trust, in PEM, if https is served.
    #[must_use]
    pub fn authority_pem(&self) -> Option<&str> {
        self.world.options.tls.as_ref().map(crate::SelfSigned::authority_pem)
    }

    #[must_use]
    pub fn stats(&self) -> Counts {
        self.world.stats.counts()
    }

    pub fn reset_stats(&self) {
        self.world.stats.reset();
    }

    /// What the tenant holds now. Bodies are shared with the simulator.
    #[must_use]
    pub fn tenant(&self) -> Dump {
        tenant::unload(&self.world.tenant)
    }

    /// As `POST /_sim/faults` with this script.
    ///
    /// # Errors
    /// A sentence about what is wrong with the script; nothing of it is applied then.
    pub fn faults(&self, script: Value) -> Result<(), String> {
        control::faults(&self.world, script)
    }

    /// As `POST /_sim/mutate` with these operations.
    ///
    /// # Errors
    /// A sentence about the first operation that cannot be done; those before it are done.
    pub fn mutate(&self, operations: Value) -> Result<Value, String> {
        control::mutate(&self.world, operations)
    }

    /// Stops listening and breaks every connection.
    pub async fn stop(mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
            let _ = task.await; // it was cancelled, which is what we want
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

#[derive(Clone, Copy)]
enum Side {
    First,
    Downloads,
}

/// Takes connections until the task is aborted, which takes the connections with it.
async fn accept(listener: TcpListener, world: Arc<World>, side: Side) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, world.clone(), side));
                }
                Err(why) => tracing::warn!(%why, "a connection could not be accepted"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, world: Arc<World>, side: Side) {
    let _ = stream.set_nodelay(true); // only costs speed where it fails
    match &world.options.tls {
        None => converse(stream, world, side).await,
        Some(tls) => match tls.acceptor().accept(stream).await {
            Ok(stream) => converse(stream, world, side).await,
            Err(why) => tracing::debug!(%why, "a client did not agree on TLS"),
        },
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, world: Arc<World>, side: Side) {
    let service = service_fn(move |request| answer(world.clone(), side, request));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    if let Err(why) = served {
        tracing::debug!(%why, "a connection ended early");
    }
}

async fn answer(world: Arc<World>, side: Side, request: Request<Incoming>) -> Result<Response<Sending>, Broken> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MOST_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(why) => {
            let too_long = why.is::<LengthLimitError>();
            tracing::debug!(%why, too_long, "a request could not be read");
            return Err(Broken);
        }
    };
    match side {
        Side::First => gate::serve(world, head, body).await,
        Side::Downloads => gate::serve_download(world, head, body).await,
    }
}
