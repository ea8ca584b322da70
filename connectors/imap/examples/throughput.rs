//! How fast messages go into Dovecot: this target beside a client that does nothing but MULTIAPPEND, with as many
//! connections, the same messages and the same server. Prints messages a second and their ratio.
//!
//! `cargo run --release -p transhume-imap --example throughput [messages] [maildir|sdbox|mdbox] [missing,...]`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use async_trait::async_trait;
use futures::{StreamExt, future::join_all};
use secrecy::SecretString;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use transhume_contract::{
    AccountId, Appearance, Credential, Depth, Facts, Fault, IntentId, Placing, Role, Secret, Target, Wanted, Workload,
    memory::HeldBody,
};
use transhume_imap::{ImapConfig, ImapTarget, Security};
use transhume_servers::{Dovecot, DovecotOptions, Proxy, Script, Store};

const MAILBOXES: usize = 8;
const CONNECTIONS: usize = 4;
const BATCH: usize = 100;
const MESSAGE: usize = 8 << 10;

struct Known;

#[async_trait]
impl Credential for Known {
    async fn secret(&self, account: &AccountId) -> Result<Secret, Fault> {
        Ok(Secret::Password { user: account.as_str().to_owned(), password: SecretString::from("secret") })
    }
}

fn message(n: usize) -> Vec<u8> {
    let mut text = format!("Message-ID: <{n}@example.org>\r\nSubject: number {n}\r\n\r\n").into_bytes();
    while text.len() < MESSAGE {
        text.extend_from_slice(b"The quick brown fox jumps over the lazy dog, and then once more for luck.\r\n");
    }
    text
}

async fn line(stream: &mut BufReader<TcpStream>, start: &str) {
    let mut line = String::new();
    while !line.starts_with(start) {
        line.clear();
        assert!(stream.read_line(&mut line).await.unwrap() > 0);
    }
    assert!(line.contains(" OK "), "{line}");
}

/// One bare connection: it fills its mailboxes one after the other.
async fn bare(port: u16, mailboxes: Vec<usize>, each: usize) {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    stream.get_ref().set_nodelay(true).unwrap();
    line(&mut stream, "* ").await;
    stream.get_mut().write_all(b"l LOGIN anna secret\r\n").await.unwrap();
    line(&mut stream, "l ").await;
    for mailbox in mailboxes {
        stream.get_mut().write_all(format!("c CREATE Bare{mailbox}\r\n").as_bytes()).await.unwrap();
        line(&mut stream, "c ").await;
        for batch in (0..each).collect::<Vec<_>>().chunks(BATCH) {
            let mut bytes = format!("a APPEND Bare{mailbox}").into_bytes();
            for n in batch {
                let text = message(*n);
                bytes.extend(format!(" (\\Seen) \"01-Jan-2020 10:00:00 +0000\" {{{}+}}\r\n", text.len()).into_bytes());
                bytes.extend(text);
            }
            bytes.extend_from_slice(b"\r\n");
            stream.get_mut().write_all(&bytes).await.unwrap();
            line(&mut stream, "a ").await;
        }
    }
}

async fn all_bare(port: u16, each: usize) -> Duration {
    let start = Instant::now();
    let lanes = (0..CONNECTIONS).map(|lane| (lane..MAILBOXES).step_by(CONNECTIONS).collect());
    join_all(lanes.map(|mailboxes| tokio::spawn(bare(port, mailboxes, each)))).await;
    start.elapsed()
}

fn placing(n: usize) -> Placing {
    let received = "2020-01-01T10:00:00Z".parse().ok();
    let facts = Facts { read: Some(true), received, ..Facts::default() };
    let body = Arc::new(HeldBody::new(message(n)));
    Placing { intent: IntentId::new(n.to_string()), facts, name: None, key: None, instead: None, body }
}

async fn ours(target: Arc<ImapTarget>, mailboxes: Vec<usize>, each: usize) {
    for mailbox in mailboxes {
        let at = target.ensure(&wanted(mailbox)).await.unwrap();
        for batch in (0..each).collect::<Vec<_>>().chunks(BATCH) {
            let batch = batch.iter().map(|n| placing(*n)).collect();
            let answers: Vec<_> = target.place(&at, batch).collect().await;
            assert!(answers.iter().all(|(_, answer)| answer.is_ok()), "{:?}", answers[0].1);
        }
    }
}

fn wanted(mailbox: usize) -> Wanted {
    let (account, path) = (AccountId::new("anna"), vec![format!("Ours{mailbox}")]);
    Wanted {
        account,
        workload: Workload::Mail,
        path,
        parent: None,
        role: Role::Ordinary,
        known: None,
        adopt: false,
        claimed: std::sync::Arc::default(),
        appearance: Appearance::default(),
    }
}

fn target(port: u16) -> Arc<ImapTarget> {
    let config = ImapConfig { port: Some(port), ..ImapConfig::new("127.0.0.1", Security::Plain) };
    Arc::new(ImapTarget::new(config, Arc::new(Known)).unwrap())
}

async fn all_ours(port: u16, each: usize) -> Duration {
    let target = target(port);
    let start = Instant::now();
    let lanes = (0..CONNECTIONS).map(|lane| (lane..MAILBOXES).step_by(CONNECTIONS).collect());
    join_all(lanes.map(|mailboxes| tokio::spawn(ours(target.clone(), mailboxes, each)))).await;
    start.elapsed()
}

async fn read_back(port: u16) -> (usize, Duration) {
    let target = target(port);
    let start = Instant::now();
    let mut count = 0;
    for mailbox in 0..MAILBOXES {
        let at = target.ensure(&wanted(mailbox)).await.unwrap();
        count +=
            target.observe(&at, Depth::Content.into()).filter(|seen| std::future::ready(seen.is_ok())).count().await;
    }
    (count, start.elapsed())
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let messages: usize = arguments.next().map_or(20_000, |count| count.parse().expect("a number of messages"));
    let store = match arguments.next().as_deref() {
        Some("sdbox") => Store::Sdbox,
        Some("mdbox") => Store::Mdbox,
        _ => Store::Maildir,
    };
    let missing = arguments.next().unwrap_or_default();
    let missing: Vec<&str> = missing.split(',').filter(|name| !name.is_empty()).collect();
    let server = Dovecot::start(DovecotOptions { store, ..DovecotOptions::with_accounts(&["anna"]) }).unwrap();
    let proxy = Proxy::start(server.imap_port(), Script::without(&missing)).unwrap();
    let port = if missing.is_empty() { server.imap_port() } else { proxy.port() };
    let each = messages / MAILBOXES;
    let rate = |time: Duration| (each * MAILBOXES) as f64 / time.as_secs_f64();
    let bare = rate(all_bare(server.imap_port(), each).await);
    println!("bare MULTIAPPEND  {bare:8.0} messages/s");
    let ours = rate(all_ours(port, each).await);
    println!("this target       {ours:8.0} messages/s  {:3.0} %", 100.0 * ours / bare);
    let (count, time) = read_back(port).await;
    println!("read back, hashed {:8.0} messages/s  {count} messages", count as f64 / time.as_secs_f64());
}
