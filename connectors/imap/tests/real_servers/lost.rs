//! Connections that end at bad moments.

use crate::setting::{
    count, dovecot, key, mailbox, observe, place, placement, placing, placing_of, plain, target_at, target_with, text,
};
use futures::StreamExt;
use std::{collections::BTreeSet, time::Duration};
use transhume_contract::{
    Amending, Collection, Depth, Facts, Fault, IntentId, Outcome, Placement, Reach, Target, What,
};
use transhume_imap::{ImapConfig, ImapTarget};
use transhume_servers::{Act, Cyrus, CyrusOptions, Deed, Dovecot, DovecotOptions, Proxy, Script, Store};

/// Places a batch over a connection that ends at the first APPEND, then decides by finding: nothing may be lost or twice.
async fn settled_by_finding(port: u16, script: Script, act: Act) {
    let proxy = Proxy::start(port, script).unwrap();
    let target = target_at(proxy.port());
    let name = format!("Cut {act:?} {}", proxy.port());
    let at = mailbox(&target, &[name.as_str()]).await;
    proxy.on("APPEND", 1, act.clone());
    let answers = place(&target, &at, (0..20).map(placing).collect()).await;
    assert_eq!(answers.len(), 20);
    let mut owed = Vec::new();
    for (intent, answer) in &answers {
        match answer {
            Ok(_) => {}
            Err(fault) => {
                assert_eq!((fault.outcome, fault.reach), (Outcome::Unknown, Reach::Item), "{fault}");
                owed.push(intent.parse::<usize>().unwrap());
            }
        }
    }
    let keys: Vec<_> = owed.iter().map(|n| key(*n)).collect();
    let found: BTreeSet<_> = target.find(&at, &keys).await.unwrap().into_iter().map(|found| found.intent).collect();
    let missing = owed.iter().filter(|n| !found.contains(&key(**n).intent)).map(|n| placing(*n)).collect();
    assert!(place(&target, &at, missing).await.iter().all(|(_, answer)| answer.is_ok()));
    let seen = observe(&target, &at, Depth::Content).await;
    let distinct: BTreeSet<_> = seen.iter().map(|message| message.digest).collect();
    assert_eq!((seen.len(), distinct.len()), (20, 20), "{act:?}");
}

#[tokio::test]
async fn a_batch_cut_off_is_settled_by_finding() {
    let (dovecot, cyrus) = (dovecot(Store::Maildir), Cyrus::start(CyrusOptions::with_accounts(&["anna"])).unwrap());
    for port in [dovecot.imap_port(), cyrus.imap_port()] {
        for missing in [&[][..], &["UIDPLUS"], &["MULTIAPPEND"], &["MULTIAPPEND", "LITERAL+", "UIDPLUS"]] {
            for act in [Act::CutBefore, Act::CutAfter, Act::CutMidway, Act::CutOnArrival] {
                settled_by_finding(port, Script::without(missing), act).await;
            }
        }
    }
}

/// A STORE that was carried out and whose answer was lost is our own doing: the source may take it back later.
#[tokio::test]
async fn a_change_of_ours_that_was_cut_off_is_not_taken_for_a_decision_of_people() {
    let server = dovecot(Store::Maildir);
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let target = target_at(proxy.port());
    for act in [Act::CutOnArrival, Act::CutBefore, Act::CutAfter] {
        let at = mailbox(&target, &[&format!("{act:?}")]).await;
        let placed = placement(&target, &at, placing(1)).await;
        let want = Facts { read: Some(true), categories: Some(vec!["Blau".into()]), ..placed.facts.clone() };
        proxy.on("UID STORE", 1, act.clone());
        let change = Amending::first(IntentId::new("m"), placed.clone(), want.clone());
        let amended = target.amend(&at, vec![change]).await.unwrap().remove(0).1.unwrap();
        assert_eq!(proxy.pending(), 0, "{act:?}: a cut that never came proves nothing");
        assert_eq!((amended.base.read, amended.changed_there.len()), (Some(true), 0), "{act:?}");
        let (base, stands) = (amended.base.clone(), Placement { facts: amended.facts, ..placed.clone() });
        let taken_back = Facts { categories: Some(Vec::new()), ..placed.facts.clone() };
        let back = Amending { base, ..Amending::first(IntentId::new("m"), stands, taken_back) };
        let amended = target.amend(&at, vec![back]).await.unwrap().remove(0).1.unwrap();
        assert_eq!((amended.facts.read, amended.changed_there.len()), (Some(false), 0), "{act:?}");
        assert!(
            !observe(&target, &at, Depth::Shape).await[0].facts.categories.iter().flatten().any(|word| word == "Blau")
        );
    }
}

#[tokio::test]
async fn a_lost_connection_is_never_an_empty_mailbox() {
    let server = dovecot(Store::Maildir);
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let target = target_at(proxy.port());
    let at = mailbox(&target, &["Full"]).await;
    place(&target, &at, (0..50).map(placing).collect()).await;
    for verb in ["SELECT", "UID FETCH"] {
        for nth in 1..=3 {
            proxy.cut_before(verb, nth);
        }
        let seen: Vec<_> = target.observe(&at, Depth::Content.into()).collect().await;
        let whole = seen.len() == 50 && seen.iter().all(Result::is_ok);
        let told = seen.last().is_some_and(|last| last.as_ref().is_err_and(|fault| fault.what == What::Unreachable));
        assert!(whole || told, "{verb}: {} answers", seen.len());
        proxy.tell(|script| script.deeds.clear());
    }
    proxy.cut_before("UID FETCH", 1);
    assert_eq!(target.find(&at, &[key(7)]).await.unwrap().len(), 1, "finding is tried again by itself");
    proxy.cut_all();
    assert_eq!(count(&target, &at).await, 50);
}

#[tokio::test]
async fn a_connection_lost_while_idle_costs_nothing() {
    let server = dovecot(Store::Maildir);
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let target = target_at(proxy.port());
    let at = mailbox(&target, &["Idle"]).await;
    place(&target, &at, vec![placing(1)]).await;
    proxy.cut_all();
    assert_eq!(target.find(&at, &[key(1)]).await.unwrap().len(), 1);
    proxy.cut_all();
    assert!(target.ensure(&crate::setting::wanted(&["Idle"], transhume_contract::Role::Ordinary)).await.is_ok());
}

#[tokio::test]
async fn silence_is_a_fault_of_unknown_outcome() {
    let server = dovecot(Store::Maildir);
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let target = target_with(ImapConfig { silence_seconds: 1, ..plain(proxy.port()) });
    let at = mailbox(&target, &["Silent"]).await;
    proxy.on("APPEND", 1, Act::Stall);
    let answers = place(&target, &at, (0..3).map(placing).collect()).await;
    let unknown =
        answers.iter().filter(|(_, answer)| answer.as_ref().is_err_and(|fault| fault.outcome == Outcome::Unknown));
    assert_eq!(unknown.count(), 3);
    assert!(answers[0].1.as_ref().unwrap_err().sentence.contains("fell silent"));
}

/// A server that stalls finishes what it was sent long after we hung up: nothing may be decided before.
#[tokio::test]
async fn what_a_stalled_server_finishes_later_is_not_placed_twice() {
    let server = dovecot(Store::Maildir);
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let target = target_with(ImapConfig { silence_seconds: 4, ..plain(proxy.port()) });
    let at = mailbox(&target, &["Stalled"]).await;
    proxy.on("APPEND", 1, Act::Late(Duration::from_secs(7)));
    let answers = place(&target, &at, (0..3).map(placing).collect()).await;
    assert!(answers.iter().all(|(_, answer)| answer.as_ref().is_err_and(|fault| fault.outcome == Outcome::Unknown)));
    let found = target.find(&at, &[key(0), key(1), key(2)]).await.unwrap();
    assert_eq!(found.len(), 3, "what is not found is placed again");
    assert_eq!(count(&target, &at).await, 3);
}

/// Something that gives a command, on a target that has no connection yet.
async fn gives(
    verb: &str,
    target: &ImapTarget,
    placed: &Placement,
    at: &Collection,
    to: &Collection,
) -> Result<(), Fault> {
    let fresh = format!("Made by {verb}");
    match verb {
        "UID FETCH" | "SELECT" | "EXAMINE" => {
            let seen: Vec<_> = target.observe(at, Depth::Content.into()).collect().await;
            seen.into_iter().collect::<Result<Vec<_>, _>>().map(|_| ())
        }
        "UID STORE" => {
            let want = Facts { read: Some(true), ..placed.facts.clone() };
            let change = Amending::first(IntentId::new("7"), placed.clone(), want);
            target.amend(at, vec![change]).await?.remove(0).1.map(|_| ())
        }
        "UID MOVE" => target.relocate(placed, to, None).await.map(|_| ()),
        "UID EXPUNGE" => target.withdraw(placed).await.map(|_| ()),
        _ => target.ensure(&crate::setting::wanted(&[&fresh], transhume_contract::Role::Ordinary)).await.map(|_| ()),
    }
}

async fn times_out(port: u16, verb: &str, act: Act) {
    let hidden = if verb == "LOGIN" { &["AUTH=PLAIN"][..] } else { &[] };
    let proxy = Proxy::start(port, Script::without(hidden)).unwrap();
    let near = target_at(port);
    let (from, to) = (format!("From {verb} {act:?}"), format!("To {verb} {act:?}"));
    let (at, to) = (mailbox(&near, &[&from]).await, mailbox(&near, &[&to]).await);
    let unread = placing_of("7", Facts { read: Some(false), ..Facts::default() }, text(7));
    let placed = placement(&near, &at, unread).await;
    let target = target_with(ImapConfig { silence_seconds: 1, connect_seconds: 1, ..plain(proxy.port()) });
    proxy.tell(|script| script.add(Deed::new(verb, 1, act.clone()).every(1)));
    let since = std::time::Instant::now();
    let fault = gives(verb, &target, &placed, &at, &to).await.expect_err(verb);
    assert!(fault.sentence.contains("fell silent"), "{verb} {act:?}: {fault}");
    assert_eq!(fault.what, What::Unreachable, "{verb} {act:?}: {fault}");
    assert!(proxy.count(verb) >= 1, "{verb} was never given: {:?}", proxy.counts());
    let took = since.elapsed();
    assert!((1..20).contains(&took.as_secs()), "{verb} {act:?}: {took:?}");
    proxy.tell(|script| script.deeds.clear());
    assert!(count(&near, &at).await + count(&near, &to).await <= 1, "{verb} {act:?}: it stands twice");
}

/// Whatever a server stops answering, it is told after the time that was set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_has_its_timeout() {
    let options = DovecotOptions { connections: 500, ..DovecotOptions::with_accounts(&["anna"]) };
    let server = Dovecot::start(options).unwrap();
    let before = ["AUTHENTICATE", "LOGIN", "LIST", "CREATE", "SUBSCRIBE", "SELECT"];
    let within = ["UID FETCH", "UID STORE", "UID MOVE", "UID EXPUNGE"];
    let all = before.iter().chain(&within).map(|verb| times_out(server.imap_port(), verb, Act::Stall));
    futures::future::join_all(all).await;
}

#[tokio::test]
async fn latency_costs_round_trips_per_batch_and_not_per_message() {
    let server = dovecot(Store::Mdbox);
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let target = target_at(proxy.port());
    let at = mailbox(&target, &["Far"]).await;
    proxy.set_latency(Duration::from_millis(20));
    proxy.reset_counts();
    let start = std::time::Instant::now();
    place(&target, &at, (0..100).map(placing).collect()).await;
    assert_eq!(proxy.count("APPEND"), 1);
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    assert_eq!(observe(&target, &at, Depth::Content).await.len(), 100);
}
