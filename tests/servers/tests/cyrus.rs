#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Cyrus starts beside Dovecot, serves, and stops with its handle.

use transhume_servers::{Cyrus, CyrusOptions, Dovecot, DovecotOptions, Login, RawImap};

const MESSAGE: &[u8] = b"Subject: hello\r\nMessage-ID: <1@lab.example>\r\n\r\nHi\r\n";

/// SASL PLAIN with an authorisation id: alice, logged in by migrator.
const ALICE_BY_MIGRATOR: &str = "YWxpY2UAbWlncmF0b3IAbWFzdGVyc2VjcmV0";

#[test]
fn both_servers_serve_side_by_side() {
    let cyrus = Cyrus::start(CyrusOptions::with_accounts(&["alice"])).unwrap();
    let dovecot = Dovecot::start(DovecotOptions::with_accounts(&["alice"])).unwrap();
    for port in [cyrus.imap_port(), dovecot.imap_port()] {
        let mut session = RawImap::login(port, "alice", "secret").unwrap();
        assert!(session.append("INBOX", "", MESSAGE).unwrap().end.contains("APPENDUID"));
    }
}

#[test]
fn a_master_acts_for_an_account_and_everything_ends_with_the_handle() {
    let options = CyrusOptions {
        master: Some(Login::new("migrator", "mastersecret")),
        ..CyrusOptions::with_accounts(&["alice"])
    };
    let server = Cyrus::start(options).unwrap();
    let (port, pid) = (server.imap_port(), server.pid());
    let mut session = RawImap::connect(port).unwrap();
    let reply = session.command(&format!("AUTHENTICATE PLAIN {ALICE_BY_MIGRATOR}")).unwrap();
    assert!(reply.is_ok(), "{}", reply.end);
    assert!(session.append("INBOX", "", MESSAGE).unwrap().is_ok());
    drop(server);
    assert!(RawImap::connect(port).is_err());
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}
