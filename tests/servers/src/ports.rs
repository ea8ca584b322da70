//! Free loopback ports.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::net::TcpListener;
use std::path::Path;

/// Below the range Linux takes outgoing ports from (32768 up), so that no connection of another test sits on one.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// A listener on a loopback port that nobody listened on.
fn free() -> io::Result<TcpListener> {
    let spread = u64::from(RANGE.end - RANGE.start);
    for attempt in 0..200_u64 {
        let offset = RandomState::new().hash_one(attempt) % spread;
        let port = RANGE.start + u16::try_from(offset).unwrap_or_default();
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return Ok(listener);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "200 random loopback ports were all taken"))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// The ports noted in `file` if they are still free, else new ones, which are noted: a server in a lasting directory
/// keeps its address from one run to the next.
pub(crate) fn remembered<const N: usize>(file: &Path) -> io::Result<[u16; N]> {
    if let Some(ports) = noted(file)
        && ports.iter().all(|port| is_free(*port))
    {
        return Ok(ports);
    }
    // Each is held until all are found, so that no two are the same.
    let held = (0..N).map(|_| free()).collect::<io::Result<Vec<_>>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&held) {
        *port = listener.local_addr()?.port();
    }
    let text: Vec<String> = ports.iter().map(u16::to_string).collect();
    std::fs::write(file, text.join(" "))?;
    Ok(ports)
}

fn noted<const N: usize>(file: &Path) -> Option<[u16; N]> {
    let text = std::fs::read_to_string(file).ok()?;
    let ports: Vec<u16> = text.split_whitespace().map_while(|word| word.parse().ok()).collect();
    ports.try_into().ok()
}
