//! A wire in front of a server that words some things otherwise: what it says to a client, or a client to it.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Words and what stands in their place, of the same length.
pub type Words = &'static [(&'static str, &'static str)];

type Counts = Arc<Mutex<BTreeMap<String, u64>>>;

/// A running wire. It ends with the process.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    counts: Counts,
    twisting: Arc<AtomicBool>,
}

impl Wire {
    /// Listens on a free loopback port and forwards every connection to `upstream`, a port on loopback.
    ///
    /// # Errors
    /// When no port can be had, or two words differ in length.
    pub fn start(upstream: u16, up: Words, down: Words) -> io::Result<Self> {
        if up.iter().chain(down).any(|(word, other)| word.len() != other.len()) {
            return Err(io::Error::other("words of one length alone can stand for each other"));
        }
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (port, counts) = (listener.local_addr()?.port(), Counts::default());
        let (counted, twisting) = (Arc::clone(&counts), Arc::new(AtomicBool::new(true)));
        let twists = Arc::clone(&twisting);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", upstream)) else { continue };
                let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else { continue };
                let (counted, up_twists, down_twists) =
                    (Arc::clone(&counted), Arc::clone(&twists), Arc::clone(&twists));
                thread::spawn(move || carry(client, server, (up, &up_twists), Some(&counted)));
                thread::spawn(move || carry(server_too, client_too, (down, &down_twists), None));
            }
        });
        Ok(Self { port, counts, twisting })
    }

    /// Its root, plain HTTP on loopback.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Whether it words things otherwise from now on, as it does from the start.
    pub fn twist(&self, on: bool) {
        self.twisting.store(on, Ordering::SeqCst);
    }

    /// How many requests of a method went through.
    pub fn seen(&self, method: &str) -> u64 {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).get(method).copied().unwrap_or_default()
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, (words, twists): (Words, &AtomicBool), counts: Option<&Counts>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(size) = from.read(&mut buffer) {
        let chunk = &mut buffer[..size];
        if twists.load(Ordering::SeqCst) {
            words.iter().for_each(|(word, other)| put_in_place(chunk, word.as_bytes(), other.as_bytes()));
        }
        if let Some(counts) = counts {
            count(chunk, counts);
        }
        if size == 0 || to.write_all(chunk).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

fn put_in_place(chunk: &mut [u8], word: &[u8], other: &[u8]) {
    let mut from = 0;
    while let Some(at) = chunk[from..].windows(word.len()).position(|window| window == word) {
        chunk[from + at..from + at + word.len()].copy_from_slice(other);
        from += at + word.len();
    }
}

/// A client of one request at a time begins each with what is read at once.
fn count(chunk: &[u8], counts: &Counts) {
    let method: String = chunk.iter().take_while(|byte| byte.is_ascii_uppercase()).map(|byte| *byte as char).collect();
    if chunk.get(method.len()) == Some(&b' ') {
        *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(method).or_default() += 1;
    }
}
