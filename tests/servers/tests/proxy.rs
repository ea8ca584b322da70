#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The proxy hides, cuts, stalls, delays and counts, before both servers.

use std::time::{Duration, Instant};

use transhume_servers::{Act, Cyrus, CyrusOptions, Deed, Dovecot, DovecotOptions, Proxy, RawImap, Script};

const MESSAGE: &[u8] = b"Subject: hello\r\nMessage-ID: <1@lab.example>\r\n\r\na1 OK {3}\r\n";

fn dovecot() -> Dovecot {
    Dovecot::start(DovecotOptions::with_accounts(&["alice"])).unwrap()
}

fn login(port: u16) -> RawImap {
    RawImap::login(port, "alice", "secret").unwrap()
}

fn stored(port: u16) -> String {
    login(port).command("STATUS INBOX (MESSAGES)").unwrap().text()
}

/// Two messages in one APPEND, with literals that wait or not.
fn batch(session: &mut RawImap, waits: bool) -> String {
    let size = MESSAGE.len();
    let plus = if waits { "" } else { "+" };
    session.send(format!("b1 APPEND INBOX {{{size}{plus}}}\r\n").as_bytes()).unwrap();
    if waits {
        assert!(session.response().unwrap().starts_with(b"+"));
    }
    session.send(MESSAGE).unwrap();
    session.send(format!(" (\\Seen) {{{size}{plus}}}\r\n").as_bytes()).unwrap();
    if waits {
        let answer = session.response().unwrap();
        if !answer.starts_with(b"+") {
            return String::from_utf8(answer).unwrap();
        }
    }
    session.send(&[MESSAGE, b"\r\n"].concat()).unwrap();
    session.finish("b1").unwrap().end
}

fn hides_and_refuses(upstream: u16) {
    let proxy = Proxy::start(upstream, Script::without(&["UIDPLUS", "MULTIAPPEND", "MOVE"])).unwrap();
    let mut session = login(proxy.port());
    let told = session.command("CAPABILITY").unwrap().text();
    for hidden in ["UIDPLUS", "MULTIAPPEND", " MOVE", "STARTTLS", "COMPRESS"] {
        assert!(!told.contains(hidden), "{hidden} in {told}");
    }
    assert!(told.contains("LITERAL+"));
    let reply = session.append("INBOX", "", MESSAGE).unwrap();
    assert!(reply.is_ok() && !reply.end.contains("APPENDUID"), "{}", reply.end);
    for waits in [true, false] {
        let answer = batch(&mut session, waits);
        assert!(answer.contains("BAD"), "{answer}");
    }
    assert!(session.command("SELECT INBOX").unwrap().is_ok());
    assert!(session.command("UID MOVE 1 Trash").unwrap().end.starts_with("BAD"));
    assert!(session.command("UID EXPUNGE 1").unwrap().end.starts_with("BAD"));
    assert!(session.command("NOOP").unwrap().is_ok());
    assert!(stored(upstream).contains("MESSAGES 1"));
    assert_eq!(proxy.count("APPEND"), 3);
    assert_eq!(proxy.count("UID MOVE"), 1);
}

#[test]
fn what_is_stripped_is_hidden_and_refused_on_dovecot() {
    hides_and_refuses(dovecot().imap_port());
}

#[test]
fn what_is_stripped_is_hidden_and_refused_on_cyrus() {
    hides_and_refuses(Cyrus::start(CyrusOptions::with_accounts(&["alice"])).unwrap().imap_port());
}

#[test]
fn without_a_script_everything_passes() {
    let server = dovecot();
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let mut session = login(proxy.port());
    assert!(batch(&mut session, true).contains("APPENDUID"));
    assert!(batch(&mut session, false).contains("APPENDUID"));
    session.command("SELECT INBOX").unwrap();
    let reply = session.command("UID FETCH 1:* (BODY.PEEK[])").unwrap();
    assert_eq!(reply.untagged.len(), 4);
    assert!(reply.text().contains("a1 OK {3}"));
    let missing = session.append("nowhere", "", MESSAGE).unwrap();
    assert!(missing.end.starts_with("NO [TRYCREATE]"), "{}", missing.end);
    assert!(session.command("NOOP").unwrap().is_ok());
}

#[test]
fn a_literal_that_does_not_wait_is_refused_when_stripped() {
    let server = dovecot();
    let proxy = Proxy::start(server.imap_port(), Script::without(&["LITERAL+"])).unwrap();
    let mut session = login(proxy.port());
    assert!(batch(&mut session, false).starts_with("BAD"));
    assert!(session.command("NOOP").unwrap().is_ok());
    assert!(batch(&mut session, true).contains("APPENDUID"));
    assert!(stored(server.imap_port()).contains("MESSAGES 2"));
}

#[test]
fn cuts_leave_the_server_where_they_say() {
    let cases = [
        (Act::CutOnArrival, "MESSAGES 0", false),
        (Act::CutMidway, "MESSAGES 0", false),
        (Act::CutBefore, "MESSAGES 1", false),
        (Act::CutAfter, "MESSAGES 1", true),
    ];
    for (act, left, answered) in cases {
        let server = dovecot();
        let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
        proxy.on("APPEND", 1, act.clone());
        let mut session = login(proxy.port());
        let reply = session.append("INBOX", "", MESSAGE);
        assert_eq!(reply.is_ok_and(|reply| reply.is_ok()), answered, "{act:?}");
        assert!(session.command("NOOP").is_err(), "{act:?}: the connection must be gone");
        assert!(stored(server.imap_port()).contains(left), "{act:?}");
        assert_eq!(proxy.pending(), 0);
    }
}

#[test]
fn the_nth_command_is_meant_across_connections_and_again_when_repeated() {
    let server = dovecot();
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    proxy.cut_before("APPEND", 2);
    assert!(login(proxy.port()).append("INBOX", "", MESSAGE).unwrap().is_ok());
    assert!(login(proxy.port()).append("INBOX", "", MESSAGE).is_err());
    proxy.tell(|script| {
        let full = Act::Answer("NO [OVERQUOTA] Quota exceeded".into());
        script.add(Deed::new("append", 2, full).every(2));
    });
    let mut session = login(proxy.port());
    let mut answer = || session.append("INBOX", "", MESSAGE).unwrap().end;
    let full: Vec<bool> = (0..4).map(|_| answer().contains("OVERQUOTA")).collect();
    assert_eq!(full, [false, true, false, true]);
}

#[test]
fn a_stalled_reply_never_comes() {
    let server = dovecot();
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    proxy.on("NOOP", 1, Act::StallReply);
    let mut session = login(proxy.port());
    session.send(b"n1 NOOP\r\n").unwrap();
    let waited = std::thread::spawn(move || session.finish("n1").is_err());
    std::thread::sleep(Duration::from_millis(300));
    assert!(!waited.is_finished());
    proxy.cut_all();
    assert!(waited.join().unwrap());
}

#[test]
fn latency_is_added_each_way_and_connections_are_counted() {
    let server = dovecot();
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let (mut one, two) = (login(proxy.port()), login(proxy.port()));
    assert_eq!((proxy.connections(), proxy.open(), proxy.peak()), (2, 2, 2));
    drop(two);
    proxy.set_latency(Duration::from_millis(60));
    let since = Instant::now();
    assert!(one.command("NOOP").unwrap().is_ok());
    assert!(since.elapsed() >= Duration::from_millis(120));
    proxy.tell(|script| script.refuse_connections = true);
    assert!(RawImap::connect(proxy.port()).is_err());
}

#[test]
fn a_size_limit_can_be_told_and_kept() {
    let server = dovecot();
    let script = Script { advertise: vec!["APPENDLIMIT=100".into()], ..Script::default() };
    let proxy = Proxy::start(server.imap_port(), script).unwrap();
    let mut session = login(proxy.port());
    assert!(session.command("CAPABILITY").unwrap().text().contains("APPENDLIMIT=100"));
    let large = [MESSAGE, &[b'x'; 100]].concat();
    assert!(session.append("INBOX", "", &large).unwrap().end.starts_with("NO [TOOBIG]"));
    assert!(session.append("INBOX", "", MESSAGE).unwrap().is_ok());
}
