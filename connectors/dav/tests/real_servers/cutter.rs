//! A wire in front of a server that loses answers: what it carried was done, and nobody hears of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Which requests are lost, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Before the server sees them.
    Request,
    /// When the server has answered.
    Answer,
    /// The same, and the client hears this in its stead, as from a server that stumbled after it had written.
    Said(&'static str),
    /// Before the server sees them, and the client hears this.
    Unheard(&'static str),
    /// Neither: the server hears of it so much later, as one that was stuck does, when nobody waits any more.
    Late(Duration),
}

pub struct Cutter {
    pub port: u16,
    /// From the next request that begins with this word on, every one but each third is lost.
    cutting: Arc<AtomicBool>,
    pub lost: Arc<AtomicUsize>,
}

impl Cutter {
    pub async fn start(server: u16, verb: &'static str, loss: Loss) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cutting, lost) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (on, count) = (cutting.clone(), lost.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                tokio::spawn(carry(client, far, (verb, loss), on.clone(), count.clone()));
            }
        });
        Self { port, cutting, lost }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub fn cut(&self, on: bool) {
        self.cutting.store(on, Ordering::SeqCst);
    }
}

/// One connection. Requests of these tests fit into what is read in a few steps, and are answered one after the other.
async fn carry(
    mut client: TcpStream,
    mut far: TcpStream,
    (verb, loss): (&'static str, Loss),
    cutting: Arc<AtomicBool>,
    lost: Arc<AtomicUsize>,
) {
    let (mut up, mut down) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut losing = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(size) if size > 0 => {
                    if up[..size].starts_with(verb.as_bytes()) && cutting.load(Ordering::SeqCst) {
                        losing = lost.fetch_add(1, Ordering::SeqCst) % 3 != 2;
                    }
                    if losing && loss == Loss::Request {
                        return;
                    }
                    if losing && let Loss::Unheard(words) = loss {
                        return client.write_all(words.as_bytes()).await.unwrap();
                    }
                    if losing && let Loss::Late(by) = loss {
                        return late(far, &up[..size], by).await;
                    }
                    if far.write_all(&up[..size]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
            read = far.read(&mut down) => match read {
                Ok(size) if size > 0 && !losing => {
                    if client.write_all(&down[..size]).await.is_err() {
                        return;
                    }
                }
                Ok(1..) => {
                    if let Loss::Said(words) = loss {
                        client.write_all(words.as_bytes()).await.unwrap();
                    }
                    return;
                }
                _ => return,
            },
        }
    }
}

async fn late(mut far: TcpStream, request: &[u8], by: Duration) {
    tokio::time::sleep(by).await;
    far.write_all(request).await.unwrap();
    let answered = far.read(&mut vec![0; 1 << 16]).await.unwrap();
    assert!(answered > 0, "the server took what came late");
}
