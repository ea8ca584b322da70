//! What stands before a server and says some things itself, as proxies and odd servers do.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

/// As a server answers that stumbled.
pub const ERROR: &str = "HTTP/1.1 500 Sorry\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// As a proxy answers that lets nobody through any more.
pub const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 19\r\nConnection: close\r\n\r\n\
                        <html>log in</html>";

/// What becomes of a request.
pub enum Turn {
    /// The server behind answers it.
    Pass,
    /// The server never hears of it, and the client hears this.
    Say(&'static str),
    /// The server does what it is asked, and the client hears this in the stead of its answer.
    Instead(&'static str),
    /// The client hears this at once, and the server does what it is asked half a second later.
    Late(&'static str),
    /// The server's own answer, with this line among its headers.
    With(String),
}

/// Listens on a free port until the process ends, and tells its address. `script` is asked with the first line and the
/// headers of each request; requests are carried side by side.
pub fn front(server: u16, script: impl Fn(&str) -> Turn + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let script = Arc::new(script);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let script = script.clone();
            thread::spawn(move || converse(client, server, &*script));
        }
    });
    url
}

/// One request, after which the connection is closed.
fn converse(mut client: TcpStream, server: u16, script: &dyn Fn(&str) -> Turn) -> io::Result<()> {
    let (head, body) = heard(&mut client)?;
    let answer = match script(&head) {
        Turn::Pass => asked(server, &head, &body)?,
        Turn::Say(words) => words.as_bytes().to_vec(),
        Turn::Instead(words) => asked(server, &head, &body).map(|_| words.as_bytes().to_vec())?,
        Turn::Late(words) => {
            client.write_all(words.as_bytes())?;
            drop(client);
            thread::sleep(Duration::from_millis(500));
            return asked(server, &head, &body).map(drop);
        }
        Turn::With(line) => with_line(&asked(server, &head, &body)?, &line),
    };
    client.write_all(&answer)
}

/// A request: its first line and headers, and its body, whose length it tells.
fn heard(client: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        match client.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            size => bytes.extend_from_slice(&buffer[..size]),
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8(bytes).map_err(io::Error::other)?;
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let missing = length.unwrap_or(0_usize).saturating_sub(body.len());
    client.take(missing as u64).read_to_end(&mut body)?;
    Ok((head, body))
}

fn asked(server: u16, head: &str, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut far = TcpStream::connect(("127.0.0.1", server))?;
    far.write_all(&with_line(head.as_bytes(), "Connection: close"))?;
    far.write_all(body)?;
    let mut answer = Vec::new();
    far.read_to_end(&mut answer)?;
    Ok(answer)
}

/// A line more, below the first one.
fn with_line(message: &[u8], line: &str) -> Vec<u8> {
    let first = message.windows(2).position(|two| two == b"\r\n").unwrap_or(message.len());
    [&message[..first], b"\r\n", line.as_bytes(), &message[first..]].concat()
}
