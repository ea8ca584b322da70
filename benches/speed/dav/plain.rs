//! A client that does nothing but PUT.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    thread,
    time::Instant,
};

/// base64 of `mover:secret`.
const LOGIN: &str = "bW92ZXI6c2VjcmV0";

/// Seconds to make the calendars and to PUT everything into them, each of them over one connection.
pub fn put_all(port: u16, home: &str, calendars: &[Vec<Vec<u8>>], connections: usize) -> f64 {
    let begun = Instant::now();
    thread::scope(|scope| {
        for lane in 0..connections {
            scope.spawn(move || {
                let mut wire = Wire { port, stream: None };
                for (number, events) in calendars.iter().enumerate().skip(lane).step_by(connections) {
                    wire.fill(&format!("{home}bare{number}/"), events);
                }
            });
        }
    });
    begun.elapsed().as_secs_f64()
}

/// A connection that stays open where the server leaves it so.
struct Wire {
    port: u16,
    stream: Option<BufReader<TcpStream>>,
}

impl Wire {
    fn fill(&mut self, calendar: &str, events: &[Vec<u8>]) {
        assert_eq!(self.ask("MKCALENDAR", calendar, "", b""), 201);
        let more = "Content-Type: text/calendar; charset=utf-8\r\nIf-None-Match: *\r\n";
        for (number, event) in events.iter().enumerate() {
            let status = self.ask("PUT", &format!("{calendar}{number}.ics"), more, event);
            assert!(matches!(status, 201 | 204), "{status}");
        }
    }

    fn ask(&mut self, method: &str, path: &str, more: &str, body: &[u8]) -> u16 {
        let mut stream = self.stream.take().unwrap_or_else(|| self.connect());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {LOGIN}\r\n{more}\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.get_mut().write_all(&[head.as_bytes(), body].concat()).unwrap();
        let (status, stays) = answer(&mut stream);
        self.stream = stays.then_some(stream);
        status
    }

    fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_nodelay(true).unwrap();
        BufReader::new(stream)
    }
}

/// The status of an answer read to its end, and whether another may come on the same connection.
fn answer(stream: &mut BufReader<TcpStream>) -> (u16, bool) {
    let first = line(stream);
    let status = first.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{first}"));
    let (mut stays, mut length, mut chunked) = (first.starts_with("HTTP/1.1"), None, false);
    loop {
        let header = line(stream).to_ascii_lowercase();
        match header.split_once(':').map(|(name, value)| (name, value.trim())) {
            None => break,
            Some(("content-length", value)) => length = value.parse::<usize>().ok(),
            Some(("transfer-encoding", _)) => chunked = true,
            Some(("connection", "close")) => stays = false,
            Some(_) => {}
        }
    }
    match length {
        _ if chunked => while chunk(stream) {},
        Some(length) => skip(stream, length),
        None => stays &= status == 204,
    }
    (status, stays)
}

fn line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn skip(stream: &mut BufReader<TcpStream>, length: usize) {
    stream.read_exact(&mut vec![0; length]).unwrap();
}

/// Reads past a chunk. False at the last one.
fn chunk(stream: &mut BufReader<TcpStream>) -> bool {
    let length = usize::from_str_radix(&line(stream), 16).unwrap();
    skip(stream, length);
    line(stream);
    length > 0
}
