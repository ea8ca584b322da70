//! Quotas, sizes, connections.

use crate::setting::{
    OnePassword, anna, count, mailbox, place, placing, placing_of, plain, target_at, target_with, text, wanted,
};
use futures::future::join_all;
use transhume_contract::{AccountId, Facts, Reach, Remedy, Role, Target, Wanted, What};
use transhume_imap::{ImapConfig, ImapTarget};
use transhume_servers::{Dovecot, DovecotOptions, Login, Proxy, Script};

#[tokio::test]
async fn a_full_account_stops_and_says_what_to_do() {
    let options =
        DovecotOptions { accounts: vec![Login::new("anna", "secret").quota(300 << 10)], ..DovecotOptions::default() };
    let server = Dovecot::start(options).unwrap();
    for script in [Script::default(), Script { strip_codes: vec!["OVERQUOTA".into()], ..Script::default() }] {
        let proxy = Proxy::start(server.imap_port(), script).unwrap();
        let target = target_at(proxy.port());
        let at = mailbox(&target, &["Full"]).await;
        let large =
            |n: usize| placing_of(&n.to_string(), Facts::default(), format!("{}{}", text(n), "x\r\n".repeat(30_000)));
        let answers = place(&target, &at, (0..8).map(large).collect()).await;
        assert_eq!(answers.len(), 8);
        let fault = answers.iter().find_map(|(_, answer)| answer.as_ref().err()).unwrap();
        assert_eq!((fault.what, fault.reach), (What::Full, Reach::Account), "{fault}");
        assert!(matches!(&fault.remedy, Remedy::Ask(step) if step.contains("quota")));
    }
    let access = target_at(server.imap_port()).check(Some(&anna())).await.unwrap();
    assert_eq!(access.quota.unwrap().1, 300 << 10);
}

#[tokio::test]
async fn a_server_that_wants_fewer_connections_is_obeyed() {
    let server = Dovecot::start(DovecotOptions { connections: 2, ..DovecotOptions::with_accounts(&["anna"]) }).unwrap();
    let target = target_with(ImapConfig { connections: 6, ..plain(server.imap_port()) });
    let names: Vec<String> = (0..6).map(|n| format!("Box {n}")).collect();
    let work = names.iter().map(|name| async {
        let at = mailbox(&target, &[name.as_str()]).await;
        let answers = place(&target, &at, (0..20).map(placing).collect()).await;
        assert!(answers.iter().all(|(_, answer)| answer.is_ok()), "{:?}", answers[0].1);
        count(&target, &at).await
    });
    assert_eq!(join_all(work).await, [20; 6]);
}

#[tokio::test]
async fn a_refused_secret_is_not_tried_again() {
    let server = Dovecot::start(DovecotOptions::with_accounts(&["anna", "bert", "carl", "dora"])).unwrap();
    let wrong = OnePassword::new("wrong");
    let target = ImapTarget::new(plain(server.imap_port()), wrong.clone()).unwrap();
    let ensure = || async { target.ensure(&wanted(&["A"], Role::Ordinary)).await.unwrap_err() };
    let faults = [ensure().await, ensure().await, ensure().await];
    assert!(faults.iter().all(|fault| (fault.what, fault.reach) == (What::Unauthenticated, Reach::Account)));
    assert!(faults[0].next_step().unwrap().contains("password"));
    assert!(!faults[0].sentence.contains("wrong"));
    assert_eq!(wrong.asked.load(std::sync::atomic::Ordering::Relaxed), 1);
    let access = target.check(Some(&anna())).await.unwrap();
    assert_eq!(access.findings[0].code, "login_refused");

    let of = |name: &str| Wanted { account: AccountId::new(name), ..wanted(&["A"], Role::Ordinary) };
    for name in ["bert", "carl"] {
        assert_eq!(target.ensure(&of(name)).await.unwrap_err().reach, Reach::Account);
    }
    let fault = target.ensure(&of("dora")).await.unwrap_err();
    assert_eq!((fault.what, fault.reach), (What::Unauthenticated, Reach::Run), "three refusals are enough");
    assert_eq!(wrong.asked.load(std::sync::atomic::Ordering::Relaxed), 3);
}

#[tokio::test]
async fn check_tells_what_a_server_lacks() {
    let server = Dovecot::start(DovecotOptions::with_accounts(&["anna"])).unwrap();
    let proxy = Proxy::start(server.imap_port(), Script::without(&["MULTIAPPEND", "UIDPLUS"])).unwrap();
    let access = target_at(proxy.port()).check(Some(&anna())).await.unwrap();
    let codes: Vec<_> = access.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["no_multiappend", "no_uidplus"]);
    let service = target_at(proxy.port()).check(None).await.unwrap();
    assert_eq!(service.findings[0].code, "plain");
    let nobody = target_at(1).check(None).await.unwrap();
    assert_eq!(nobody.findings[0].code, "unreachable");
}
