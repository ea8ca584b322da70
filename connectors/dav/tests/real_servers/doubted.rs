//! A whole calendar that Radicale stored, or did not, while its answer says nothing of it.

use crate::{
    front::{ERROR, PAGE, Turn, front},
    setting::{alice, calendar, event, key, observe, place, placing, started, target_at},
    whole::zoned,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use transhume_contract::{Collection, Outcome, Placing, Reach, Target, What, Workload};
use transhume_dav::DavTarget;
use transhume_servers::DavKind;

/// Whether a request writes a calendar as a whole.
fn is_whole(head: &str) -> bool {
    head.starts_with("PUT ") && head.split_whitespace().nth(1).is_some_and(|path| path.ends_with('/'))
}

fn is_list(head: &str) -> bool {
    head.starts_with("PROPFIND ") && head.to_ascii_lowercase().contains("\r\ndepth: 1\r\n")
}

/// Twenty that go along with the whole, and twenty that have their places reserved in it.
fn uids() -> Vec<String> {
    (0..20).map(|n| format!("along-{n}")).chain((0..20).map(|n| format!("zoned-{n}"))).collect()
}

fn text(uid: &str) -> String {
    if uid.starts_with("zoned") { zoned(uid, 9) } else { event(uid, "") }
}

fn batch(uids: &[String]) -> Vec<Placing> {
    uids.iter().map(|uid| placing(uid, &text(uid))).collect()
}

/// Every item stands once, as itself; the calendar has its name.
async fn all_stand(target: &DavTarget, at: &Collection) {
    let seen = observe(target, at).await;
    let distinct: BTreeSet<_> = seen.iter().filter_map(|one| one.facts.message_id.clone()).collect();
    assert_eq!((seen.len(), distinct), (40, uids().into_iter().collect()));
    assert!(seen.iter().all(|one| !target.is_left_behind(one)), "a reservation stayed");
    let calendars = target.others(&alice(), Workload::Calendar, &[]).await.unwrap();
    assert!(calendars.iter().any(|one| one.id == at.id && one.name == at.name), "{calendars:?}");
}

#[tokio::test]
async fn a_whole_that_was_stored_is_found_whatever_the_answer() {
    for words in [ERROR, PAGE] {
        let server = started(DavKind::Radicale);
        let wholes = Arc::new(AtomicUsize::new(0));
        let count = wholes.clone();
        let url = front(server.port(), move |head| match is_whole(head) {
            true => {
                count.fetch_add(1, Ordering::SeqCst);
                Turn::Instead(words)
            }
            false => Turn::Pass,
        });
        let target = target_at(&url);
        let at = calendar(&target, "Doubted").await;
        let answers = place(&target, &at, batch(&uids())).await;
        assert_eq!((answers.len(), wholes.load(Ordering::SeqCst)), (40, 1), "{words}: sent once");
        let told: BTreeMap<_, _> = answers.into_iter().map(|(uid, answer)| (uid, answer.unwrap().version)).collect();
        for one in observe(&target, &at).await {
            assert!(one.version.is_some() && told[one.facts.message_id.as_ref().unwrap()] == one.version, "{one:?}");
        }
        all_stand(&target, &at).await;
    }
}

/// The list is empty at first, and what is sent again is refused for what arrived after it.
#[tokio::test]
async fn a_whole_that_arrives_late_is_found_when_the_next_is_refused() {
    let server = started(DavKind::Radicale);
    let wholes = AtomicUsize::new(0);
    let url = front(server.port(), move |head| match is_whole(head).then(|| wholes.fetch_add(1, Ordering::SeqCst)) {
        Some(0) => Turn::Late(ERROR),
        Some(_) => {
            std::thread::sleep(Duration::from_secs(2));
            Turn::Pass
        }
        None => Turn::Pass,
    });
    let target = target_at(&url);
    let at = calendar(&target, "Late").await;
    for (uid, answer) in place(&target, &at, batch(&uids())).await {
        answer.unwrap_or_else(|fault| panic!("{uid}: {fault}"));
    }
    all_stand(&target, &at).await;
}

/// Where it cannot even be listed, nothing is taken for placed: each is looked for, and found.
#[tokio::test]
async fn nothing_of_a_doubtful_whole_counts_as_placed_without_a_list() {
    for words in [ERROR, PAGE] {
        let server = started(DavKind::Radicale);
        let wholes = AtomicUsize::new(0);
        let url = front(server.port(), move |head| match () {
            () if is_whole(head) => {
                wholes.fetch_add(1, Ordering::SeqCst);
                Turn::Instead(words)
            }
            () if is_list(head) && wholes.load(Ordering::SeqCst) > 0 => Turn::Say(ERROR),
            () => Turn::Pass,
        });
        let target = target_at(&url);
        let at = calendar(&target, "Unlisted").await;
        let answers = place(&target, &at, batch(&uids())).await;
        assert_eq!(answers.len(), 40);
        for (uid, answer) in answers {
            let fault = answer.unwrap_err();
            assert_eq!((fault.outcome, fault.reach), (Outcome::Unknown, Reach::Item), "{uid}: {fault}");
            assert_ne!(fault.what, What::Exists, "{uid}: {fault}");
        }
        let next = target_at(&server.url());
        let keys: Vec<_> = uids().iter().map(|uid| key(uid, &text(uid))).collect();
        let found = next.find(&at, &keys).await.unwrap();
        let found: BTreeSet<_> = found.into_iter().map(|one| one.intent.as_str().to_owned()).collect();
        let (along, reserved): (Vec<_>, Vec<_>) = uids().into_iter().partition(|uid| uid.starts_with("along"));
        assert_eq!(found, along.into_iter().collect(), "what is only reserved is no item");
        assert!(place(&next, &at, batch(&reserved)).await.iter().all(|(_, answer)| answer.is_ok()));
        all_stand(&next, &at).await;
    }
}

#[tokio::test]
async fn a_whole_that_was_not_stored_is_sent_in_another_way() {
    for words in [ERROR, PAGE] {
        let server = started(DavKind::Radicale);
        let wholes = AtomicUsize::new(0);
        let first = move |head: &str| is_whole(head) && wholes.fetch_add(1, Ordering::SeqCst) == 0;
        let url = front(server.port(), move |head| if first(head) { Turn::Say(words) } else { Turn::Pass });
        let target = target_at(&url);
        let at = calendar(&target, "Unstored").await;
        let answers = place(&target, &at, batch(&uids())).await;
        assert!(answers.iter().all(|(_, answer)| answer.is_ok()), "{words}: {answers:?}");
        all_stand(&target, &at).await;
    }
}
