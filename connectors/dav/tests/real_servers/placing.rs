//! What servers refuse, and what happens to it.

use crate::setting::{
    alice, calendar, cyrus, event, key, observe, place, place_one, placing, started, target_at, wanted,
};
use std::sync::Arc;
use transhume_contract::{
    Appearance, Cause, CollectionId, Facts, IntentId, Placing, Reach, Remedy, Role, Target, Wanted, What, Workload,
    memory::HeldBody,
};
use transhume_servers::DavKind;

#[tokio::test]
async fn a_uid_that_cyrus_takes_only_once_is_a_duplicate() {
    let server = cyrus();
    let target = target_at(&server.dav_url().unwrap());
    let (one, two) = (calendar(&target, "One").await, calendar(&target, "Two").await);
    place_one(&target, &one, "twice@x", &event("twice@x", "")).await.unwrap();
    let batch = vec![placing("twice@x", &event("twice@x", "")), placing("once", &event("once", ""))];
    let answers = place(&target, &two, batch).await;
    let fault = answers.iter().find(|(uid, _)| uid == "twice@x").unwrap().1.as_ref().unwrap_err();
    assert_eq!(
        (fault.what, fault.reach, &fault.remedy),
        (What::Exists, Reach::Item, &Remedy::Skip(Cause::DuplicateUid))
    );
    assert!(fault.sentence.contains("same UID"), "{fault}");
    assert!(answers.iter().find(|(uid, _)| uid == "once").unwrap().1.is_ok());
    assert_eq!((observe(&target, &one).await.len(), observe(&target, &two).await.len()), (1, 1));
}

#[tokio::test]
async fn a_uid_stands_twice_where_the_server_takes_it() {
    for kind in [DavKind::Radicale, DavKind::Xandikos] {
        let server = started(kind);
        let target = target_at(&server.url());
        let (one, two) = (calendar(&target, "One").await, calendar(&target, "Two").await);
        place_one(&target, &one, "twice", &event("twice", "")).await.unwrap();
        place_one(&target, &two, "twice", &event("twice", "")).await.unwrap();
    }
}

/// What other programs put there has other names, and is found all the same, and never overwritten.
#[tokio::test]
async fn what_others_put_there_is_found_by_its_uid() {
    let (radicale, xandikos, cyrus) = (started(DavKind::Radicale), started(DavKind::Xandikos), cyrus());
    for url in [radicale.url(), xandikos.url(), cyrus.dav_url().unwrap()] {
        let target = target_at(&url);
        let at = calendar(&target, "Others").await;
        // Under the name of another UID, as another program would choose it.
        let text = event("theirs", "");
        let body = Arc::new(HeldBody::new(text.clone()));
        let (intent, facts) = (IntentId::new("i"), Facts::default());
        let foreign = Placing { intent, facts, name: None, key: Some("name-of-theirs".into()), instead: None, body };
        assert!(place(&target, &at, vec![foreign]).await[0].1.is_ok(), "{url}");
        for n in 0..3 {
            place_one(&target, &at, &format!("more-{n}"), &event(&format!("more-{n}"), "")).await.unwrap();
        }
        let found = target.find(&at, &[key("theirs", &text)]).await.unwrap();
        assert_eq!(found.len(), 1, "{url}");
        assert_eq!(found[0].handle.as_str(), "name-of-theirs.ics", "{url}");
        let fault = place_one(&target, &at, "theirs", &text).await.unwrap_err();
        assert_eq!((fault.what, &fault.remedy), (What::Exists, &Remedy::Skip(Cause::DuplicateUid)), "{url}: {fault}");
        assert_eq!(observe(&target, &at).await.len(), 4, "{url}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_even_sent() {
    let server = started(DavKind::Radicale);
    let target = target_at(&server.url());
    let at = calendar(&target, "Large").await;
    let text = event("large", &format!("DESCRIPTION:{}\r\n", "x".repeat(10_000_000)));
    let fault = place_one(&target, &at, "large", &text).await.unwrap_err();
    assert_eq!((fault.what, &fault.remedy), (What::TooLarge, &Remedy::Skip(Cause::OverTargetLimit)));
    assert!(observe(&target, &at).await.is_empty());
}

/// Two megabytes of text go through, whatever lines they are folded into.
#[tokio::test]
async fn what_is_large_arrives_whole() {
    let (radicale, xandikos, cyrus) = (started(DavKind::Radicale), started(DavKind::Xandikos), cyrus());
    for url in [radicale.url(), xandikos.url(), cyrus.dav_url().unwrap()] {
        let target = target_at(&url);
        let at = calendar(&target, "Long").await;
        let folded = ["y".repeat(70)].iter().cycle().take(30_000).cloned().collect::<Vec<_>>().join("\r\n ");
        place_one(&target, &at, "long", &event("long", &format!("DESCRIPTION:{folded}\r\n"))).await.unwrap();
        let seen = observe(&target, &at).await;
        let text = String::from_utf8(seen[0].content.clone().unwrap().to_vec()).unwrap();
        assert_eq!(text.matches('y').count(), 2_100_000, "{url}");
    }
}

#[tokio::test]
async fn a_collection_that_was_deleted_stops_the_batch() {
    let (radicale, xandikos, cyrus) = (started(DavKind::Radicale), started(DavKind::Xandikos), cyrus());
    for url in [radicale.url(), xandikos.url(), cyrus.dav_url().unwrap()] {
        let target = target_at(&url);
        let at = calendar(&target, "Short").await;
        let gone = transhume_contract::Collection {
            id: CollectionId::new(at.id.as_str().replace("short", "never")),
            ..at.clone()
        };
        let answers = place(&target, &gone, vec![placing("a", &event("a", "")), placing("b", &event("b", ""))]).await;
        for (_, answer) in &answers {
            let fault = answer.as_ref().unwrap_err();
            assert!(matches!(fault.what, What::Vanished | What::Malformed), "{url}: {fault}");
        }
        let seen = target.find(&gone, &[key("a", "")]).await.unwrap_err();
        assert_eq!((seen.what, seen.reach), (What::Vanished, Reach::Collection), "{url}: {seen}");
    }
}

/// The first calendar of an account is the one its server made; a name that people use already gets a number.
#[tokio::test]
async fn collections_of_people_are_neither_taken_nor_touched() {
    let server = cyrus();
    let target = target_at(&server.dav_url().unwrap());
    let default = Wanted { role: Role::Default, ..wanted(Workload::Calendar, &["Kalender"]) };
    let at = target.ensure(&default).await.unwrap();
    assert!(at.id.as_str().ends_with("/Default/"), "{:?}", at.id);
    place_one(&target, &at, "first", &event("first", "")).await.unwrap();
    let appearance = Appearance { colour: Some("#00ff00".into()), order: None };
    let named = Wanted { appearance, ..wanted(Workload::Calendar, &["personal"]) };
    assert_eq!(target.foresee(&named).await.unwrap().name, "personal (2)");
    let made = target.ensure(&named).await.unwrap();
    assert_eq!((made.name.as_str(), made.id == at.id), ("personal (2)", false));
    let adopted = target.ensure(&Wanted { adopt: true, ..wanted(Workload::Contacts, &["personal"]) }).await.unwrap();
    assert!(adopted.id.as_str().ends_with("/addressbooks/user/alice/Default/"), "{:?}", adopted.id);
    let holdings = target.holdings(&alice(), Workload::Calendar, 5).await.unwrap();
    assert_eq!((holdings.items, holdings.keys.as_slice()), (1, ["first".to_owned()].as_slice()));
}
