//! Lines, literals and delayed writing.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

pub(crate) type Reader = BufReader<OwnedReadHalf>;

/// Chunks on their way, each with the moment it is due. Bounded, so that a slow side slows the other one.
pub(crate) type Outbox = mpsc::Sender<(Instant, Vec<u8>)>;

const IN_FLIGHT: usize = 256;
const CHUNK: usize = 32 * 1024;

/// A literal announced at the end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    pub length: u64,
    /// Whether the sender waits for a continuation first (`{n}`, not `{n+}`).
    pub waits: bool,
}

impl Literal {
    /// RFC 9051: `{n}` or `{n+}`, RFC 3516: `~{n}`, right before the line end.
    pub(crate) fn announced(line: &[u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n"))?;
        let inner = line.strip_suffix(b"}")?;
        let open = inner.iter().rposition(|byte| *byte == b'{')?;
        let inner = std::str::from_utf8(inner.get(open + 1..)?).ok()?;
        let (digits, waits) = inner.strip_suffix('+').map_or((inner, true), |digits| (digits, false));
        Some(Self { length: digits.parse().ok()?, waits })
    }
}

/// The next line with its end, or `None` at the end of the stream.
pub(crate) async fn line(reader: &mut Reader) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = reader.read_until(b'\n', &mut line).await?;
    Ok((read > 0).then_some(line))
}

/// Up to 32 KiB of what is left of a literal; fewer than `left` bytes may come, none is an error.
pub(crate) async fn chunk(reader: &mut Reader, left: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
    let mut bytes = vec![0; length];
    let read = reader.read(&mut bytes).await?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    bytes.truncate(read);
    Ok(bytes)
}

/// Reads past a literal.
pub(crate) async fn discard(reader: &mut Reader, mut left: u64) -> io::Result<()> {
    while left > 0 {
        left -= chunk(reader, left).await?.len() as u64;
    }
    Ok(())
}

pub(crate) fn outbox() -> (Outbox, mpsc::Receiver<(Instant, Vec<u8>)>) {
    mpsc::channel(IN_FLIGHT)
}

/// Puts bytes on their way.
pub(crate) async fn post(to: &Outbox, latency: Duration, bytes: Vec<u8>) -> io::Result<()> {
    to.send((Instant::now() + latency, bytes)).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
}

/// Writes each chunk when it is due, until all senders are gone or the peer is.
pub(crate) async fn write_all(mut due: mpsc::Receiver<(Instant, Vec<u8>)>, mut into: OwnedWriteHalf) {
    while let Some((moment, bytes)) = due.recv().await {
        sleep_until(moment).await;
        if into.write_all(&bytes).await.is_err() {
            return;
        }
    }
    let _ = into.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_announced_at_the_end_of_a_line() {
        let some = |length, waits| Some(Literal { length, waits });
        assert_eq!(Literal::announced(b"a APPEND x {12}\r\n"), some(12, true));
        assert_eq!(Literal::announced(b"a APPEND x {12+}\r\n"), some(12, false));
        assert_eq!(Literal::announced(b"a APPEND x ~{3+}\n"), some(3, false));
        assert_eq!(Literal::announced(b"a APPEND x {12} \r\n"), None);
        assert_eq!(Literal::announced(b"a LOGIN {x}\r\n"), None);
    }
}
