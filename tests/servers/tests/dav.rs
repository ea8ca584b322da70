#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The calendar servers start, serve, and stop with their handles.

use std::io::{Read, Write};
use std::net::TcpStream;
use transhume_servers::{Cyrus, CyrusOptions, DavKind, DavOptions, DavServer};

/// base64 of `alice:secret`.
const ALICE: &str = "YWxpY2U6c2VjcmV0";

fn principal(url: &str, path: &str, authorization: &str) -> String {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    let body = "<propfind xmlns=\"DAV:\"><prop><current-user-principal/></prop></propfind>";
    let length = body.len();
    let head = format!("PROPFIND {path} HTTP/1.1\r\nHost: {host}\r\nDepth: 0\r\nConnection: close\r\n{authorization}");
    let request = format!("{head}Content-Type: application/xml\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn each_tells_who_is_logged_in_and_refuses_strangers() {
    let basic = format!("Authorization: Basic {ALICE}\r\n");
    let radicale = DavServer::start(DavOptions::with_accounts(DavKind::Radicale, &["alice", "bob"])).unwrap();
    assert!(principal(&radicale.url(), "/", &basic).contains(">/alice/<"));
    assert!(principal(&radicale.url(), "/", "").starts_with("HTTP/1.0 401"));
    let xandikos = DavServer::start(DavOptions::with_accounts(DavKind::Xandikos, &["alice"])).unwrap();
    assert!(principal(&xandikos.url(), "/", "").contains(">/alice/<"));
    let options = CyrusOptions { dav: true, ..CyrusOptions::with_accounts(&["alice", "bob"]) };
    let cyrus = Cyrus::start(options).unwrap();
    let url = cyrus.dav_url().unwrap();
    let told = principal(&url, "/dav/principals/", &basic);
    assert!(told.contains("/dav/principals/user/alice"), "{told}");
    assert!(principal(&url, "/dav/principals/", "").starts_with("HTTP/1.1 401"));
    let (port, pid) = (radicale.port(), radicale.pid());
    drop(radicale);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

/// Each found the port free, and one of them took it: the other does not take what it hears there for its own.
#[test]
fn two_servers_that_were_given_one_port_do_not_become_one() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let begin = |_| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ports"), free.to_string()).unwrap();
        let options = DavOptions::with_accounts(DavKind::Radicale, &["alice"]);
        std::thread::spawn(move || {
            let server = DavServer::start(DavOptions { dir: Some(dir.path().to_owned()), ..options }).unwrap();
            (server, dir)
        })
    };
    let [one, two] = [0, 1].map(begin).map(|server| server.join().unwrap());
    assert_ne!(one.0.port(), two.0.port());
    let alive = |server: &DavServer| std::path::Path::new(&format!("/proc/{}/cmdline", server.pid())).exists();
    assert!(alive(&one.0) && alive(&two.0));
}
