//! The byte stream to a server: TCP, TLS, STARTTLS, and what must happen before a session exists.

use crate::{ImapConfig, Security, faults};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use std::{
    fmt,
    io::{self, ErrorKind},
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, BufStream, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use transhume_contract::Fault;

const READ_BUFFER: usize = 64 << 10;
/// Small messages of a batch are gathered here, so that a batch is few system calls and no copy of it is kept.
const WRITE_BUFFER: usize = 256 << 10;
/// No line before a session is longer: a server that sends more is no IMAP server.
const LONGEST_LINE: usize = 64 << 10;

/// What a stream must be able to do.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Bytes that take the place of a harmless stand-in at the moment of writing, so that a secret never passes through
/// the session library (it writes every command to its trace log).
struct StandIn {
    written: &'static [u8],
    instead: Vec<u8>,
}

/// Arms a wire with a secret, from inside a SASL exchange too.
#[derive(Clone, Default)]
pub struct SecretSlot(Arc<Mutex<Option<StandIn>>>);

impl SecretSlot {
    /// The next write of exactly `written` sends `instead`.
    pub fn arm(&self, written: &'static [u8], instead: Vec<u8>) {
        if let Ok(mut slot) = self.0.lock() {
            *slot = Some(StandIn { written, instead });
        }
    }
    fn take_for(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut slot = self.0.lock().ok()?;
        slot.take_if(|stand_in| stand_in.written == bytes).map(|stand_in| stand_in.instead)
    }
}

/// A buffered stream to the server.
pub struct Wire {
    stream: BufStream<Box<dyn Stream>>,
    secret: SecretSlot,
    /// What replaced a stand-in and is not written yet.
    owed: Vec<u8>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    pub fn new(stream: Box<dyn Stream>) -> Self {
        let stream = BufStream::with_capacity(READ_BUFFER, WRITE_BUFFER, stream);
        Self { stream, secret: SecretSlot::default(), owed: Vec::new() }
    }

    pub fn secret_slot(&self) -> SecretSlot {
        self.secret.clone()
    }

    fn poll_owed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.owed.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.owed))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.owed.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncBufRead for Wire {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Pin::new(&mut self.get_mut().stream).poll_fill_buf(cx)
    }
    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        Pin::new(&mut self.stream).consume(amount);
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_owed(cx))?;
        if let Some(instead) = self.secret.take_for(bytes) {
            self.owed = instead;
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_owed(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_owed(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Builds the TLS settings: the system's authorities and those of `ca_file`.
pub fn tls_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, Fault> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        let added = extra_authorities(path).map_err(|error| faults::bad_ca_file(path, &error))?;
        roots.add_parsable_certificates(added);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| faults::tls_unusable(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn extra_authorities(path: &Path) -> io::Result<Vec<rustls::pki_types::CertificateDer<'static>>> {
    let pem = std::fs::read(path)?;
    let found: Vec<_> = rustls_pemfile::certs(&mut pem.as_slice()).collect::<Result<_, _>>()?;
    if found.is_empty() {
        return Err(io::Error::new(ErrorKind::InvalidData, "it holds no PEM certificate"));
    }
    Ok(found)
}

/// Connects, protects the stream, and reads the greeting.
pub async fn open(config: &ImapConfig, tls: &Arc<ClientConfig>) -> Result<(Wire, String), Fault> {
    match timeout(config.connect_time(), connect(config, tls)).await {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(error)) => Err(faults::not_connected(config, &error)),
        Err(_) => Err(faults::not_connected(config, &io::Error::from(ErrorKind::TimedOut))),
    }
}

async fn connect(config: &ImapConfig, tls: &Arc<ClientConfig>) -> io::Result<(Wire, String)> {
    let host = config.host.trim_matches(['[', ']']);
    let tcp = TcpStream::connect((host, config.port())).await?;
    tcp.set_nodelay(true)?;
    match config.security {
        Security::Plain => greeted(Wire::new(Box::new(tcp))).await,
        Security::Tls => greeted(Wire::new(Box::new(secured(config, tls, tcp).await?))).await,
        Security::StartTls => start_tls(config, tls, tcp).await,
    }
}

async fn greeted(mut wire: Wire) -> io::Result<(Wire, String)> {
    let greeting = line(&mut wire).await?;
    if greeting.starts_with("* OK") {
        return Ok((wire, greeting));
    }
    let shown: String = greeting.chars().take(200).collect();
    Err(io::Error::new(ErrorKind::ConnectionRefused, format!("the server's greeting was `{shown}`")))
}

/// What a server sent in the clear after its OK to STARTTLS was put there by someone between: it is refused.
async fn start_tls(config: &ImapConfig, tls: &Arc<ClientConfig>, tcp: TcpStream) -> io::Result<(Wire, String)> {
    let mut plain = BufReader::new(tcp);
    let greeting = line(&mut plain).await?;
    let (_, answer) = command(&mut plain, "S1", "STARTTLS").await?;
    if !answer.starts_with("OK") {
        return Err(io::Error::new(ErrorKind::Unsupported, format!("the server answered STARTTLS with `{answer}`")));
    }
    if !plain.buffer().is_empty() {
        return Err(io::Error::new(ErrorKind::InvalidData, "bytes arrived in the clear after STARTTLS"));
    }
    let stream = secured(config, tls, plain.into_inner()).await?;
    Ok((Wire::new(Box::new(stream)), greeting))
}

async fn secured(
    config: &ImapConfig,
    tls: &Arc<ClientConfig>,
    tcp: TcpStream,
) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let name = ServerName::try_from(config.host.trim_matches(['[', ']']).to_owned())
        .map_err(|_| io::Error::new(ErrorKind::InvalidInput, "the host is no name a certificate could carry"))?;
    TlsConnector::from(tls.clone()).connect(name, tcp).await
}

/// Reads one line without its line end. The end of the stream is an error.
pub async fn line<R: AsyncBufRead + Unpin>(from: &mut R) -> io::Result<String> {
    let mut line = Vec::new();
    loop {
        let ready = from.fill_buf().await?;
        if ready.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let end = ready.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(ready.len(), |end| end + 1);
        line.extend_from_slice(&ready[..taken]);
        from.consume(taken);
        if end.is_some() {
            return Ok(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
        }
        if line.len() > LONGEST_LINE {
            return Err(io::Error::new(ErrorKind::InvalidData, "a line without end"));
        }
    }
}

/// Sends a command by hand and reads until its tagged answer; gives the untagged lines, and the tagged one without
/// its tag. Only for commands whose answers hold no literal.
pub async fn command<S>(stream: &mut S, tag: &str, command: &str) -> io::Result<(Vec<String>, String)>
where
    S: AsyncBufRead + AsyncWrite + Unpin,
{
    stream.write_all(format!("{tag} {command}\r\n").as_bytes()).await?;
    stream.flush().await?;
    let mut untagged = Vec::new();
    loop {
        let line = line(stream).await?;
        match line.strip_prefix(tag).and_then(|rest| rest.strip_prefix(' ')) {
            Some(answer) => return Ok((untagged, answer.to_owned())),
            None => untagged.push(line),
        }
    }
}
