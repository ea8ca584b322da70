//! A bare IMAP client: what a person would type, for tests that change mail by hand.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What a server said to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The untagged responses, literals included, without their last line end.
    pub untagged: Vec<Vec<u8>>,
    /// The tagged line without its tag: `OK [APPENDUID 1 2] Completed`.
    pub end: String,
}

impl Reply {
    pub fn is_ok(&self) -> bool {
        self.end.starts_with("OK")
    }

    /// The untagged responses as text.
    pub fn lines(&self) -> Vec<String> {
        self.untagged.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    /// All of it, for a look at what came.
    pub fn text(&self) -> String {
        let mut lines = self.lines();
        lines.push(self.end.clone());
        lines.join("\n")
    }
}

/// One plain connection to a server on loopback. A lost connection is always an error, never an empty success.
#[derive(Debug)]
pub struct RawImap {
    stream: BufReader<TcpStream>,
    greeting: String,
    count: u32,
}

impl RawImap {
    /// # Errors
    /// When nobody listens, or nothing greets within 30 seconds.
    pub fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        let mut session = Self { stream: BufReader::new(stream), greeting: String::new(), count: 0 };
        session.greeting = String::from_utf8_lossy(&session.response()?).into_owned();
        Ok(session)
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// As [`RawImap::connect`], and when the server refuses.
    pub fn login(port: u16, user: &str, password: &str) -> io::Result<Self> {
        let mut session = Self::connect(port)?;
        let reply = session.command(&format!("LOGIN {user} {password}"))?;
        if reply.is_ok() { Ok(session) } else { Err(io::Error::other(reply.end)) }
    }

    pub fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Sends one command (without tag and line end) and reads to its tagged answer.
    ///
    /// # Errors
    /// When the connection ends first.
    pub fn command(&mut self, command: &str) -> io::Result<Reply> {
        let tag = self.tag();
        self.send(format!("{tag} {command}\r\n").as_bytes())?;
        self.finish(&tag)
    }

    /// Appends one message with a synchronising literal. `arguments` is what stands between mailbox and literal, such
    /// as `(\Seen) " 1-Jan-2020 10:00:00 +0000"`, or nothing.
    ///
    /// # Errors
    /// When the connection ends first; a refusal is a reply.
    pub fn append(&mut self, mailbox: &str, arguments: &str, message: &[u8]) -> io::Result<Reply> {
        let tag = self.tag();
        let space = if arguments.is_empty() { "" } else { " " };
        let size = message.len();
        self.send(format!("{tag} APPEND \"{mailbox}\" {arguments}{space}{{{size}}}\r\n").as_bytes())?;
        let first = self.response()?;
        if !first.starts_with(b"+") {
            return self.finish_from(&tag, first);
        }
        self.send(message)?;
        self.send(b"\r\n")?;
        self.finish(&tag)
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Reads to the tagged answer of `tag`.
    ///
    /// # Errors
    /// When the connection ends first.
    pub fn finish(&mut self, tag: &str) -> io::Result<Reply> {
        let first = self.response()?;
        self.finish_from(tag, first)
    }

    fn finish_from(&mut self, tag: &str, first: Vec<u8>) -> io::Result<Reply> {
        let mut untagged = Vec::new();
        let mut line = first;
        loop {
            if let Some(end) = line.strip_prefix(tag.as_bytes()).and_then(|rest| rest.strip_prefix(b" ")) {
                return Ok(Reply { untagged, end: String::from_utf8_lossy(end).into_owned() });
            }
            untagged.push(line);
            line = self.response()?;
        }
    }

    /// One response, with the literals in it and without its line end.
    ///
    /// # Errors
    /// When the connection ends first.
    pub fn response(&mut self) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        loop {
            if self.stream.read_until(b'\n', &mut whole)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = whole.strip_suffix(b"\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
            let Some(length) = literal(line) else {
                return Ok(line.to_vec());
            };
            let start = whole.len();
            whole.resize(start + length, 0);
            self.stream.read_exact(whole.get_mut(start..).unwrap_or_default())?;
        }
    }

    fn tag(&mut self) -> String {
        self.count += 1;
        format!("r{}", self.count)
    }
}

fn literal(line: &[u8]) -> Option<usize> {
    let text = line.strip_suffix(b"}")?;
    let open = text.iter().rposition(|byte| *byte == b'{')?;
    std::str::from_utf8(text.get(open + 1..)?).ok()?.parse().ok()
}
