use crate::setting::{OnePassword, anna, plain, target_at};
use transhume_contract::conformance;
use transhume_imap::ImapTarget;
use transhume_servers::{Cyrus, CyrusOptions, Dovecot, DovecotOptions, Login, Proxy, Script, Store};

async fn passes_on(port: u16) {
    let report = conformance::target(&target_at(port), &anna()).await;
    assert!(report.passed(), "{report}");
}

fn started(options: DovecotOptions) -> Dovecot {
    Dovecot::start(options).unwrap()
}

#[tokio::test]
async fn dovecot_in_every_store() {
    for store in [Store::Maildir, Store::MaildirFs, Store::Sdbox, Store::Mdbox] {
        let server = started(DovecotOptions { store, ..DovecotOptions::with_accounts(&["anna"]) });
        passes_on(server.imap_port()).await;
    }
}

#[tokio::test]
async fn dovecot_with_a_namespace_prefix_and_dots() {
    let options =
        DovecotOptions { separator: '.', prefix: "INBOX.".into(), ..DovecotOptions::with_accounts(&["anna"]) };
    let server = started(options);
    passes_on(server.imap_port()).await;
}

#[tokio::test]
async fn dovecot_for_a_master_user() {
    let master = Some(Login::new("root", "mastersecret"));
    let server = started(DovecotOptions { master, ..DovecotOptions::with_accounts(&["anna"]) });
    let target = ImapTarget::new(plain(server.imap_port()), OnePassword::acting("root", "mastersecret")).unwrap();
    let report = conformance::target(&target, &anna()).await;
    assert!(report.passed(), "{report}");
}

#[tokio::test]
async fn a_server_that_lacks_extensions() {
    let server = started(DovecotOptions::with_accounts(&["anna", "bert", "carl", "dora"]));
    for missing in [
        &["MULTIAPPEND"][..],
        &["UIDPLUS"],
        &["LITERAL+"],
        &["MOVE", "UIDPLUS", "MULTIAPPEND", "LITERAL+", "NAMESPACE", "SPECIAL-USE", "LIST-EXTENDED", "LIST-STATUS"],
    ] {
        let fresh = started(DovecotOptions::with_accounts(&["anna"]));
        let proxy = Proxy::start(fresh.imap_port(), Script::without(missing)).unwrap();
        let report = conformance::target(&target_at(proxy.port()), &anna()).await;
        // Without UIDPLUS nothing can be withdrawn but by marking it, which the suite sees as still there.
        let failed: Vec<_> =
            report.to_string().lines().filter(|line| line.starts_with("FAILED")).map(str::to_owned).collect();
        if missing.contains(&"UIDPLUS") {
            let marks = |line: &String| {
                line.contains("withdraw") || line.contains("gone_says_vanished") || line.contains("relocating")
            };
            assert!(failed.iter().all(marks), "without {missing:?}:\n{report}");
        } else {
            assert!(report.passed(), "without {missing:?}:\n{report}");
        }
    }
    drop(server);
}

#[tokio::test]
async fn cyrus() {
    let server = Cyrus::start(CyrusOptions::with_accounts(&["anna"])).unwrap();
    passes_on(server.imap_port()).await;
}

#[tokio::test]
async fn cyrus_for_an_administrator() {
    let master = Some(Login::new("root", "mastersecret"));
    let server = Cyrus::start(CyrusOptions { master, ..CyrusOptions::with_accounts(&["anna"]) }).unwrap();
    let target = ImapTarget::new(plain(server.imap_port()), OnePassword::acting("root", "mastersecret")).unwrap();
    let report = conformance::target(&target, &anna()).await;
    assert!(report.passed(), "{report}");
}
