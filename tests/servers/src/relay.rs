//! A long wire before any server: bytes pass as they are, later.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::StartError;
use crate::proxy::wire::{self, Outbox};

/// Forwards connections and holds every byte back for a while, each way. Throughput is not limited, and connecting costs
/// nothing: the wire is long only once it is laid. Dropping it cuts what is open.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    runtime: Option<Runtime>,
}

impl Relay {
    /// Listens on this loopback port, 0 for a free one, and forwards to `upstream`, a port on loopback.
    ///
    /// # Errors
    /// When the port is taken, or no thread can be had.
    pub fn start_at(port: u16, upstream: u16, each_way: Duration) -> Result<Self, StartError> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("relay").enable_all().build()?;
        let _entered = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        runtime.spawn(accept(listener, SocketAddr::from(([127, 0, 0, 1], upstream)), each_way));
        Ok(Self { port, runtime: Some(runtime) })
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Not `drop`: that blocks, which is forbidden when the caller is inside a runtime of its own.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, upstream: SocketAddr, each_way: Duration) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(converse(client, upstream, each_way));
    }
}

/// Each direction ends by itself: who has said all may still be answered.
async fn converse(client: TcpStream, upstream: SocketAddr, each_way: Duration) {
    let Ok(server) = TcpStream::connect(upstream).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (there, due_there) = wire::outbox();
    let (back, due_back) = wire::outbox();
    let _ = tokio::join!(
        carry(from_client, there, each_way),
        carry(from_server, back, each_way),
        wire::write_all(due_there, to_server),
        wire::write_all(due_back, to_client),
    );
}

async fn carry(mut from: OwnedReadHalf, to: Outbox, each_way: Duration) -> io::Result<()> {
    let mut bytes = vec![0; 32 * 1024];
    loop {
        let read = from.read(&mut bytes).await?;
        if read == 0 {
            return Ok(());
        }
        wire::post(&to, each_way, bytes[..read].to_vec()).await?;
    }
}
