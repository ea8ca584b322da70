//! Many items in one request, to Cyrus.

use crate::{
    setting::{calendar, cyrus, event, observe, place, place_one, placing, target_at},
    whole::zoned,
};
use std::collections::BTreeMap;
use transhume_contract::{Cause, Placing, Remedy, Target, What};

#[tokio::test]
async fn several_are_stored_as_each_of_them_by_itself() {
    let server = cyrus();
    let target = target_at(&server.dav_url().unwrap());
    let (one, many) = (calendar(&target, "One").await, calendar(&target, "Many").await);
    let alone = zoned("alone", 9);
    place_one(&target, &one, "alone", &alone).await.unwrap();
    let alone = String::from_utf8(observe(&target, &one).await[0].content.clone().unwrap().to_vec()).unwrap();
    let uids: Vec<String> = (0..30).map(|n| format!("u{n}@x")).collect();
    let answers = place(&target, &many, uids.iter().map(|uid| placing(uid, &zoned(uid, 9))).collect()).await;
    let told: BTreeMap<_, _> = answers.iter().map(|(uid, answer)| (uid.clone(), answer.as_ref().unwrap())).collect();
    let seen = observe(&target, &many).await;
    assert_eq!((told.len(), seen.len()), (30, 30));
    for one in seen {
        let uid = one.facts.message_id.clone().unwrap();
        assert_eq!((&told[&uid].handle, &told[&uid].version), (&Some(one.handle), &one.version), "{uid}");
        let text = String::from_utf8(one.content.unwrap().to_vec()).unwrap();
        let same =
            |text: &str| text.lines().filter(|line| !line.starts_with("PRODID")).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(same(&text.replace(&uid, "alone")), same(&alone));
    }
}

#[tokio::test]
async fn one_that_is_refused_does_not_cost_the_others() {
    let server = cyrus();
    let target = target_at(&server.dav_url().unwrap());
    let (one, two) = (calendar(&target, "One").await, calendar(&target, "Two").await);
    place_one(&target, &one, "twice", &event("twice", "")).await.unwrap();
    let with = |uid: &str, text: String| -> Vec<Placing> {
        let others = (0..20).map(|n| format!("{uid}-{n}")).map(|other| placing(&other, &zoned(&other, 9)));
        others.chain([placing(uid, &text)]).collect()
    };
    let refused = |answers: crate::setting::Answers| {
        let refused: Vec<_> = answers.into_iter().filter_map(|(uid, answer)| Some((uid, answer.err()?))).collect();
        assert_eq!(refused.len(), 1, "{refused:?}");
        refused.into_iter().next().unwrap()
    };
    // Where the UID stands in another calendar.
    let (uid, fault) = refused(place(&target, &two, with("twice", event("twice", ""))).await);
    assert_eq!((uid.as_str(), fault.what, &fault.remedy), ("twice", What::Exists, &Remedy::Skip(Cause::DuplicateUid)));
    assert!(fault.sentence.contains("same UID"), "{fault}");
    // Where the whole cannot be read because of one.
    let (uid, fault) = refused(place(&target, &two, with("bad", event("bad", "RRULE:FREQ=NEVER\r\n"))).await);
    assert_eq!((uid.as_str(), fault.what), ("bad", What::Malformed), "{fault}");
    assert_eq!((observe(&target, &one).await.len(), observe(&target, &two).await.len()), (1, 40));
}

/// Placed together, then changed, moved and removed one by one, by the names the server gave.
#[tokio::test]
async fn what_was_stored_together_is_changed_one_by_one() {
    let server = cyrus();
    let target = target_at(&server.dav_url().unwrap());
    let (from, to) = (calendar(&target, "From").await, calendar(&target, "To").await);
    let uids: Vec<String> = (0..10).map(|n| format!("c-{n}")).collect();
    let answers = place(&target, &from, uids.iter().map(|uid| placing(uid, &event(uid, ""))).collect()).await;
    let placements: Vec<_> = answers
        .into_iter()
        .map(|(uid, answer)| crate::setting::placement(&from, answer.unwrap(), &event(&uid, "")))
        .collect();
    let instead = Placing { instead: Some(placements[0].clone()), ..placing("c-0", &event("c-0", "LOCATION:new\r\n")) };
    assert!(place(&target, &from, vec![instead]).await[0].1.is_ok());
    target.relocate(&placements[1], &to, None).await.unwrap();
    target.withdraw(&placements[2]).await.unwrap();
    let seen = observe(&target, &from).await;
    let changed = |one: &transhume_contract::Observed| {
        String::from_utf8_lossy(one.content.as_ref().unwrap()).contains("LOCATION:new")
    };
    assert_eq!((seen.len(), seen.iter().filter(|one| changed(one)).count()), (8, 1));
    assert_eq!(observe(&target, &to).await.len(), 1);
}
