#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The relay delays, and changes nothing.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use transhume_servers::Relay;

/// Answers everything it was sent, once that has ended.
fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut heard) = (stream.unwrap(), Vec::new());
            stream.read_to_end(&mut heard).unwrap();
            stream.write_all(&heard).unwrap();
        }
    });
    port
}

#[test]
fn bytes_arrive_whole_and_late_in_both_directions() {
    let relay = Relay::start_at(0, echo(), Duration::from_millis(60)).unwrap();
    let said: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    let mut stream = TcpStream::connect(("127.0.0.1", relay.port())).unwrap();
    let since = Instant::now();
    stream.write_all(&said).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).unwrap();
    assert!(heard == said, "{} of {} bytes", heard.len(), said.len());
    assert!(since.elapsed() >= Duration::from_millis(120));
}
