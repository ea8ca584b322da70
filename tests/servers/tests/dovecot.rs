#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Dovecot starts, serves, and stops with its handle.

use std::io::Write;
use std::process::{Command, Stdio};

use transhume_servers::{Dovecot, DovecotOptions, Fsync, Login, RawImap, Store, Tls};

const MESSAGE: &[u8] = b"Subject: hello\r\nMessage-ID: <1@lab.example>\r\n\r\nHi\r\n";

fn flags(session: &mut RawImap) -> String {
    assert!(session.command("SELECT INBOX").unwrap().is_ok());
    session.command("UID FETCH 1:* (FLAGS INTERNALDATE)").unwrap().text()
}

#[test]
fn every_store_takes_mail_and_gives_it_back() {
    for store in [Store::Maildir, Store::MaildirFs, Store::Sdbox, Store::Mdbox] {
        let options = DovecotOptions { store, fsync: Fsync::Never, ..DovecotOptions::with_accounts(&["alice"]) };
        let server = Dovecot::start(options).unwrap();
        let mut session = RawImap::login(server.imap_port(), "alice", "secret").unwrap();
        let date = r#"(\Seen) " 1-Jan-2020 10:00:00 +0000""#;
        let reply = session.append("INBOX", date, MESSAGE).unwrap();
        assert!(reply.end.contains("APPENDUID"), "{store:?}: {}", reply.end);
        let seen = flags(&mut session);
        assert!(seen.contains("\\Seen") && seen.contains("01-Jan-2020"), "{store:?}: {seen}");
        assert!(server.mail_dir("alice").is_dir());
        let lines = session.command("LIST \"\" *").unwrap().lines();
        assert!(lines.iter().any(|line| line.contains("\\Junk")), "{lines:?}");
    }
}

#[test]
fn it_ends_with_its_handle_and_starts_again_where_it_was() {
    let home = tempfile::Builder::new().prefix("thm").tempdir_in("/tmp").unwrap();
    let options = DovecotOptions { dir: Some(home.path().join("d")), ..DovecotOptions::with_accounts(&["alice"]) };
    let server = Dovecot::start(options.clone()).unwrap();
    let (port, pid) = (server.imap_port(), server.pid());
    let mut session = RawImap::login(port, "alice", "secret").unwrap();
    assert!(session.append("INBOX", "", MESSAGE).unwrap().is_ok());
    drop(server);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    assert!(RawImap::connect(port).is_err());
    let again = Dovecot::start(options).unwrap();
    assert_eq!(again.imap_port(), port);
    let mut session = RawImap::login(port, "alice", "secret").unwrap();
    assert!(session.command("STATUS INBOX (MESSAGES)").unwrap().text().contains("MESSAGES 1"));
}

#[test]
fn a_master_logs_in_as_anybody_and_a_wrong_password_as_nobody() {
    let master = Some(Login::new("migrator", "mastersecret"));
    let server = Dovecot::start(DovecotOptions { master, ..DovecotOptions::with_accounts(&["alice"]) }).unwrap();
    assert!(RawImap::login(server.imap_port(), "alice*migrator", "mastersecret").is_ok());
    let refused = RawImap::login(server.imap_port(), "alice", "wrong").unwrap_err();
    assert!(refused.to_string().contains("AUTHENTICATIONFAILED"), "{refused}");
}

#[test]
fn quota_largest_message_and_namespace_are_as_asked() {
    let server = Dovecot::start(DovecotOptions {
        accounts: vec![Login::new("tiny", "secret").quota(20_000), ("alice", "secret").into()],
        max_message: Some(50_000),
        separator: '.',
        prefix: "INBOX.".into(),
        ..DovecotOptions::default()
    })
    .unwrap();
    let large = [MESSAGE, &b"x".repeat(30_000)].concat();
    let mut tiny = RawImap::login(server.imap_port(), "tiny", "secret").unwrap();
    let reply = tiny.append("INBOX", "", &large).unwrap();
    assert!(reply.end.starts_with("NO [OVERQUOTA]"), "{}", reply.end);
    let mut alice = RawImap::login(server.imap_port(), "alice", "secret").unwrap();
    assert!(alice.append("INBOX", "", &large).unwrap().is_ok());
    let larger = [large.clone(), large].concat();
    let reply = alice.append("INBOX", "", &larger).unwrap();
    assert!(reply.end.starts_with("NO "), "{}", reply.end);
    assert!(alice.command("NAMESPACE").unwrap().text().contains(r#"(("INBOX." "."))"#));
    assert!(server.doveadm(&["mailbox", "list", "-u", "alice"]).unwrap().contains("INBOX.Sent"));
}

#[test]
fn tls_is_offered_with_a_certificate_that_the_throw_away_authority_vouches_for() {
    let server = Dovecot::start(DovecotOptions { tls: Tls::On, ..DovecotOptions::with_accounts(&["alice"]) }).unwrap();
    let session = RawImap::connect(server.imap_port()).unwrap();
    assert!(session.greeting().contains("STARTTLS"));
    let mut client = Command::new("openssl")
        .args(["s_client", "-verify_return_error", "-verify_hostname", "localhost", "-quiet", "-connect"])
        .arg(format!("127.0.0.1:{}", server.imaps_port()))
        .arg("-CAfile")
        .arg(server.ca_path().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    client.stdin.take().unwrap().write_all(b"a LOGOUT\r\n").unwrap();
    let said = client.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&said.stderr);
    assert!(text.contains("verify return:1") && !text.contains("verify error"), "{text}");
    assert!(String::from_utf8_lossy(&said.stdout).contains("BYE"));
}
