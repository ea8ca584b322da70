//! Pulling over a road with latency, against what the lanes allow: a client with as many lanes that fetches the same
//! messages and keeps nothing.

use crate::{
    project::{self, Target},
    table, tenants,
    watched::transhume,
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};
use transhume_simulators::Running;

const LATENCY: Duration = Duration::from_millis(40);
const BYTES: u32 = 8192;
/// Exchange Online: requests of one mailbox within ten minutes.
const REAL_LIMIT: f64 = 10_000.0;

pub fn run(messages: u32) {
    let columns = ["", "messages/s", "lanes allow", "40 ms alone"];
    table::head(&format!("pull: {messages} messages of {BYTES} bytes, {} ms latency", LATENCY.as_millis()), &columns);
    for lanes in [3, 4] {
        race(messages, lanes);
    }
}

fn race(messages: u32, lanes: u32) {
    let dump = tenants::plain(1, messages, BYTES);
    let address = tenants::addresses(&dump).remove(0);
    let ids = tenants::messages(&dump).map(|message| message.resource["id"].as_str().unwrap().to_owned());
    let paths: Vec<_> = ids.map(|id| format!("/v1.0/users/{address}/messages/{id}/$value")).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let simulator = tenants::serve(&runtime, dump, lanes, LATENCY);
    let dir = tempfile::tempdir().unwrap();
    project::write(dir.path(), &simulator.base_url(), &Target::Folder, lanes);
    project::accounts(dir.path(), &[(address, "box".into())]);
    transhume(dir.path(), &["plan"]);
    let sample = &paths[..paths.len().min(50 * lanes as usize)];
    let before = fetch_all(&simulator, sample, lanes);
    let seconds = transhume(dir.path(), &["pull"]).seconds;
    let after = fetch_all(&simulator, sample, lanes);
    let (speed, allowed) = (f64::from(messages) / seconds, f64::midpoint(before, after));
    let alone = f64::from(lanes) / LATENCY.as_secs_f64();
    let figures = [speed, allowed, alone].map(|figure| format!("{figure:.1}"));
    table::row(&[&[format!("{lanes} lanes")], &figures[..]].concat());
    let share = speed / allowed;
    table::goal(&format!("{:.0} % of what the lanes allow (goal 90 %)", share * 100.0), share >= 0.9);
    let hours = 100_000.0 / REAL_LIMIT / 6.0;
    println!(
        "  100,000 messages: {:.2} hours at this speed, {hours:.2} hours under Microsoft's limit",
        100_000.0 / speed / 3600.0
    );
}

/// Messages per second of a client that does nothing else.
fn fetch_all(simulator: &Running, paths: &[String], lanes: u32) -> f64 {
    let token = token(simulator.port());
    let (next, begun) = (AtomicUsize::new(0), Instant::now());
    thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let asked = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nPrefer: IdType=\"ImmutableId\"\r\n");
                    let answer = exchange(simulator.port(), &asked, "");
                    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                }
            });
        }
    });
    paths.len() as f64 / begun.elapsed().as_secs_f64()
}

fn token(port: u16) -> String {
    let form = "grant_type=client_credentials&client_id=app&client_secret=secret\
        &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
    let head = "POST /contoso/oauth2/v2.0/token HTTP/1.1\r\nHost: 127.0.0.1\r\n\
        Content-Type: application/x-www-form-urlencoded\r\n";
    let answer = exchange(port, head, form);
    let (_, rest) = answer.split_once("\"access_token\":\"").unwrap_or_else(|| panic!("no token: {answer}"));
    rest.split('"').next().unwrap().to_owned()
}

/// One request on a connection of its own, which costs nothing to speak of on loopback.
fn exchange(port: u16, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let asked = format!("{head}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(asked.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
