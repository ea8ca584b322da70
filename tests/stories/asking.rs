//! What a script asks of a simulator: plain HTTP, one request a connection.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Status and body of one request; the simulator listens on this port.
pub fn asked(port: u16, method: &str, path: &str, headers: &[&str], body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let more: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    // Of version 1.0, so that the answer comes in one piece and the connection ends with it.
    let head =
        format!("{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{more}Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The JSON of an answer that is 200.
pub fn json(port: u16, method: &str, path: &str, headers: &[&str], body: &str) -> Value {
    let (status, text) = asked(port, method, path, headers, body);
    assert_eq!(status, 200, "{path}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"))
}

/// A request for a token, for client credentials and these fields beside.
pub fn token(port: u16, fields: &str) -> (u16, Value) {
    let form = format!(
        "grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&client_id=app&{fields}"
    );
    let kind = ["Content-Type: application/x-www-form-urlencoded"];
    let (status, text) = asked(port, "POST", "/contoso/oauth2/v2.0/token", &kind, &form);
    (status, serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}")))
}
