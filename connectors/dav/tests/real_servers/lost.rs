//! Answers that never come: what was placed is found, and nothing is placed twice.

use crate::{
    cutter::{Cutter, Loss},
    setting::{
        OnePassword, calendar, cyrus, event, key, observe, place, place_one, placing, started, target_at, wanted,
    },
    whole::zoned,
};
use std::{collections::BTreeSet, sync::atomic::Ordering, time::Duration};
use transhume_contract::{Observed, Outcome, Reach, Target, What, Workload};
use transhume_dav::{DavConfig, DavTarget};
use transhume_servers::DavKind;

fn port_of(url: &str) -> u16 {
    url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
}

/// Places a batch over a wire that loses some of it, then decides by finding, as a run that was killed does.
async fn settled_by_finding(url: &str, loss: Loss, prefix: &str) {
    let cutter = Cutter::start(port_of(url), "PUT", loss).await;
    let target = target_at(&cutter.url());
    let at = calendar(&target, &format!("Cut {prefix} {loss:?}")).await;
    let uids: Vec<String> = (0..9).map(|n| format!("{prefix}-{loss:?}-{n}")).collect();
    cutter.cut(true);
    let mut answers = Vec::new();
    // Fewer than are sent together.
    for three in uids.chunks(3) {
        answers.extend(place(&target, &at, three.iter().map(|uid| placing(uid, &event(uid, ""))).collect()).await);
    }
    cutter.cut(false);
    assert_eq!(answers.len(), 9);
    let owed: Vec<&String> = answers.iter().filter(|(_, answer)| answer.is_err()).map(|(uid, _)| uid).collect();
    assert!(!owed.is_empty() && cutter.lost.load(Ordering::SeqCst) > 0, "nothing was lost");
    for (uid, fault) in answers.iter().filter_map(|(uid, answer)| Some((uid, answer.as_ref().err()?))) {
        assert_eq!((fault.outcome, fault.reach), (Outcome::Unknown, Reach::Item), "{uid}: {fault}");
    }
    let keys: Vec<_> = owed.iter().map(|uid| key(uid, &event(uid, ""))).collect();
    // Another process: it knows nothing of this one's losses.
    let next = target_at(url);
    let found: BTreeSet<_> = next.find(&at, &keys).await.unwrap().into_iter().map(|found| found.intent).collect();
    assert_eq!(found.is_empty(), loss == Loss::Request, "{} of {} were found", found.len(), keys.len());
    let missing: Vec<_> = owed.iter().filter(|uid| !found.contains(&key(uid, "").intent)).collect();
    let again = missing.iter().map(|uid| placing(uid, &event(uid, ""))).collect();
    assert!(place(&next, &at, again).await.iter().all(|(_, answer)| answer.is_ok()));
    let seen: Vec<_> = observe(&next, &at).await.into_iter().filter_map(|one| one.facts.message_id).collect();
    let distinct: BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (9, 9), "{loss:?}");
}

#[tokio::test]
async fn what_was_lost_on_the_way_is_settled_by_finding() {
    let (radicale, xandikos, cyrus) = (started(DavKind::Radicale), started(DavKind::Xandikos), cyrus());
    for loss in [Loss::Request, Loss::Answer] {
        settled_by_finding(&radicale.url(), loss, "r").await;
        settled_by_finding(&xandikos.url(), loss, "x").await;
        settled_by_finding(&cyrus.dav_url().unwrap(), loss, "c").await;
    }
}

/// All of a collection in one request, and its answer lost: all of it is found, and the collection has its name.
#[tokio::test]
async fn a_whole_collection_whose_answer_was_lost_is_found() {
    let server = started(DavKind::Radicale);
    let cutter = Cutter::start(server.port(), "PUT", Loss::Answer).await;
    let target = target_at(&cutter.url());
    let at = calendar(&target, "Whole").await;
    let uids: Vec<String> = (0..40).map(|n| format!("l-{n}")).collect();
    cutter.cut(true);
    let batch = uids.iter().map(|uid| placing(uid, &event(uid, ""))).collect();
    let answers = place(&target, &at, batch).await;
    assert!(answers.iter().all(|(_, answer)| answer.as_ref().is_err_and(|fault| fault.outcome == Outcome::Unknown)));
    assert_eq!(cutter.lost.load(Ordering::SeqCst), 1, "it was one request, and was not sent twice");
    let next = target_at(&server.url());
    let again = next.ensure(&wanted(Workload::Calendar, &["Whole"])).await.unwrap();
    assert_eq!((again.id.clone(), again.name.as_str()), (at.id.clone(), "Whole"));
    let keys: Vec<_> = uids.iter().map(|uid| key(uid, &event(uid, ""))).collect();
    assert_eq!(next.find(&again, &keys).await.unwrap().len(), 40);
}

/// The answers to what fills reserved places are lost: each item stands once, and no reservation stays.
#[tokio::test]
async fn reserved_places_whose_filling_was_lost_are_settled_by_finding() {
    for loss in [Loss::Request, Loss::Answer] {
        let server = started(DavKind::Radicale);
        let cutter = Cutter::start(server.port(), "PUT", loss).await;
        let target = target_at(&cutter.url());
        let at = calendar(&target, "Filled").await;
        let uids: Vec<String> = (0..20).map(|n| format!("f-{n}")).collect();
        // The first passes: it is the whole.
        cutter.lost.store(2, Ordering::SeqCst);
        cutter.cut(true);
        let answers = place(&target, &at, uids.iter().map(|uid| placing(uid, &zoned(uid, 9))).collect()).await;
        cutter.cut(false);
        let owed: Vec<&String> = answers.iter().filter(|(_, answer)| answer.is_err()).map(|(uid, _)| uid).collect();
        assert!(owed.len() > 5 && owed.len() < 20, "{owed:?}");
        let next = target_at(&server.url());
        let keys: Vec<_> = owed.iter().map(|uid| key(uid, &zoned(uid, 9))).collect();
        let found: BTreeSet<_> = next.find(&at, &keys).await.unwrap().into_iter().map(|found| found.intent).collect();
        assert_eq!(found.is_empty(), loss == Loss::Request, "{} of {} were found", found.len(), keys.len());
        let missing = owed.iter().filter(|uid| !found.contains(&key(uid, "").intent));
        let again = place(&next, &at, missing.map(|uid| placing(uid, &zoned(uid, 9))).collect()).await;
        assert!(again.iter().all(|(_, answer)| answer.is_ok()), "{again:?}");
        let seen = observe(&next, &at).await;
        let whole = |one: &Observed| String::from_utf8_lossy(one.content.as_ref().unwrap()).contains("FREQ=WEEKLY");
        assert_eq!((seen.len(), seen.iter().filter(|one| whole(one)).count()), (20, 20), "{loss:?}");
    }
}

/// Many items in one request, which is lost: all of them are found by their UIDs, or none, and nothing is placed twice.
#[tokio::test]
async fn several_at_once_that_were_lost_are_found_by_their_uids() {
    let server = cyrus();
    let url = server.dav_url().unwrap();
    for loss in [Loss::Request, Loss::Answer] {
        let cutter = Cutter::start(port_of(&url), "POST", loss).await;
        let target = target_at(&cutter.url());
        let at = calendar(&target, &format!("Together {loss:?}")).await;
        let uids: Vec<String> = (0..40).map(|n| format!("t-{loss:?}-{n}")).collect();
        let batch = || uids.iter().map(|uid| placing(uid, &zoned(uid, 9))).collect();
        cutter.cut(true);
        let answers = place(&target, &at, batch()).await;
        cutter.cut(false);
        assert_eq!(cutter.lost.load(Ordering::SeqCst), 1, "it was one request, and was not sent twice");
        assert!(
            answers.iter().all(|(_, answer)| answer.as_ref().is_err_and(|fault| fault.outcome == Outcome::Unknown))
        );
        let next = target_at(&url);
        let keys: Vec<_> = uids.iter().map(|uid| key(uid, &zoned(uid, 9))).collect();
        let found = next.find(&at, &keys).await.unwrap();
        assert_eq!(found.len(), if loss == Loss::Answer { 40 } else { 0 });
        if found.is_empty() {
            assert!(place(&next, &at, batch()).await.iter().all(|(_, answer)| answer.is_ok()));
        }
        assert_eq!(observe(&next, &at).await.len(), 40, "{loss:?}");
    }
}

/// A server that was stuck writes what nobody waits for any more: it is not called missing too early.
#[tokio::test]
async fn a_server_that_fell_silent_is_given_more_time() {
    let server = started(DavKind::Radicale);
    let cutter = Cutter::start(server.port(), "PUT", Loss::Late(Duration::from_millis(4500))).await;
    let config = DavConfig { silence_seconds: 2, ..DavConfig::new(cutter.url()) };
    let target = DavTarget::new(config, OnePassword::new("secret")).unwrap();
    let at = calendar(&target, "Stuck").await;
    cutter.cut(true);
    let fault = place_one(&target, &at, "late", &event("late", "")).await.unwrap_err();
    cutter.cut(false);
    assert_eq!((fault.outcome, cutter.lost.load(Ordering::SeqCst)), (Outcome::Unknown, 1), "{fault}");
    assert_eq!(target.find(&at, &[key("late", "")]).await.unwrap().len(), 1);
}

/// A server that went away stops the batch: nothing is guessed of what was not sent.
#[tokio::test]
async fn a_server_that_is_gone_answers_for_everything() {
    let mut server = started(DavKind::Xandikos);
    let target = target_at(&server.url());
    let at = calendar(&target, "Gone").await;
    place_one(&target, &at, "gone-0", &event("gone-0", "")).await.unwrap();
    server.kill();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let slow = tokio::time::timeout(std::time::Duration::from_secs(3), observed(&target, &at)).await;
    assert!(slow.is_err() || slow.unwrap().is_err(), "a dead server is never an empty collection");
}

async fn observed(target: &DavTarget, at: &transhume_contract::Collection) -> Result<usize, What> {
    use futures::StreamExt;
    let seen: Vec<_> = target.observe(at, transhume_contract::Depth::Presence.into()).collect().await;
    seen.into_iter().collect::<Result<Vec<_>, _>>().map(|seen| seen.len()).map_err(|fault| fault.what)
}
