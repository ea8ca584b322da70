//! The in-memory connectors pass the suite that they are the reference of.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use transhume_contract::{
    AccountId, Content, Facts, FlagState, Known, Merge, Source, conformance,
    memory::{MemorySource, MemoryTarget},
    wrappers::Rehearsal,
};

fn source() -> (MemorySource, transhume_contract::Account) {
    let source = MemorySource::new(4);
    let account = source.add_account("ada@example.org");
    let inbox = transhume_contract::CollectionId::new("folder-0");
    for n in 0..11 {
        let (id, text) = (format!("message-{n:02}"), format!("Subject: {n}\r\n\r\n{n}\r\n"));
        source.put(&account.id, &inbox, &id, Content::Fixed, Facts::default(), text);
    }
    (source, account)
}

#[tokio::test]
async fn memory_source_conforms() {
    let (source, account) = source();
    let report = conformance::source(&source, &account).await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.checks.len(), 6);
}

#[tokio::test]
async fn memory_target_conforms_whether_or_not_it_tells_handles() {
    for (tells_handle, keywords) in [(true, usize::MAX), (false, usize::MAX), (true, 40), (false, 40)] {
        let target = MemoryTarget::new(tells_handle).holding(keywords);
        let report = conformance::target(&target, &AccountId::new("ada")).await;
        assert!(report.passed(), "{report}");
    }
}

#[tokio::test]
async fn the_suite_catches_a_target_that_forgets() {
    let target = Rehearsal::new(std::sync::Arc::new(MemoryTarget::new(true)));
    let report = conformance::target(&target, &AccountId::new("ada")).await;
    assert!(!report.passed(), "a target that stores nothing passed:\n{report}");
}

#[tokio::test]
async fn an_expired_cursor_says_so() {
    let (source, account) = source();
    let collections = source.collections(&account, transhume_contract::Workload::Mail).await.unwrap();
    let feed = source.feeds(&account, &collections).await.unwrap().remove(0);
    let page = source.changes(&feed, None).await.unwrap();
    source.expire_cursors();
    let transhume_contract::Next::More(cursor) = page.next else { panic!("one page of four rows held eleven") };
    let fault = source.changes(&feed, Some(&cursor)).await.unwrap_err();
    assert_eq!(fault.what, transhume_contract::What::CursorExpired);
}

#[test]
fn where_both_sides_changed_the_target_wins_and_is_named() {
    let base = Facts { read: Some(false), flag: Some(FlagState::None), ..Facts::default() };
    let want = Facts { read: Some(true), flag: Some(FlagState::Flagged), ..Facts::default() };
    let there = Facts { read: Some(false), flag: Some(FlagState::Complete), ..Facts::default() };
    let merge = want.merge(&Known { stood: base.clone(), base, begun: Vec::new() }, &there);
    assert_eq!(merge.set, Facts { read: Some(true), ..Facts::default() });
    assert_eq!(merge.changed_there, ["flag"]);
    assert_eq!(merge.base, want, "theirs is told by the difference");
}

/// Every way in which one flag can go, step by step: what people last did there holds until they go back to what the
/// source said all along, and without them the source's own word holds.
#[test]
fn of_every_history_of_a_flag_the_merge_keeps_what_people_decided() {
    let read = |read: bool| Facts { read: Some(read), ..Facts::default() };
    for history in 0..4_u32.pow(6) {
        let (mut known, mut there, mut theirs) =
            (Known { base: read(false), stood: read(false), begun: vec![] }, false, false);
        for step in 0..6 {
            let (people, source) = ((history >> (2 * step)) & 1 == 1, (history >> (2 * step + 1)) & 1 == 1);
            let before = known.base.read == Some(source);
            there ^= people;
            // They go back to what the source said all along: all agree.
            theirs = (theirs || people) && !(source == there && before);
            let merge = read(source).merge(&known, &read(there));
            let stands = merge.set.read.unwrap_or(there);
            assert_eq!(stands, if theirs { there } else { source }, "history {history:b}, step {step}");
            assert_eq!(merge.base.read != Some(stands), theirs, "history {history:b}, step {step}");
            (known.base, known.stood, there) = (merge.base, read(stands), stands);
        }
    }
}

#[test]
fn what_was_begun_is_our_own_doing_and_what_was_theirs_before_is_not() {
    let read = |read: bool| Facts { read: Some(read), ..Facts::default() };
    let begun = vec![Facts { answered: Some(true), ..Facts::default() }, read(true)];
    let ours = Known { base: read(false), stood: read(false), begun: begun.clone() };
    let merge = read(false).merge(&ours, &read(true));
    assert_eq!((merge.set, merge.base), (read(false), read(false)));
    let theirs = Known { base: read(true), stood: read(false), begun };
    let merge = read(false).merge(&theirs, &read(true));
    assert_eq!((merge.set, merge.base.read), (Facts::default(), Some(false)));
}

#[test]
fn keywords_come_and_go_one_by_one() {
    let words = |list: &[&str]| Facts {
        categories: Some(list.iter().map(|&word| word.to_owned()).collect()),
        ..Facts::default()
    };
    let known = Known { base: words(&["Rot", "Neu"]), stood: words(&["Rot", "Neu"]), begun: Vec::new() };
    // They took `Neu` away and set `eigen`; the source takes `Rot` away and sets `Blau`.
    let merge = words(&["Neu", "Blau"]).merge(&known, &words(&["eigen", "Rot"]));
    assert_eq!(merge.set, words(&["Blau", "eigen"]));
    assert_eq!(merge.base, words(&["Blau", "Neu"]));
    assert!(merge.changed_there.is_empty(), "in no keyword do both want something else: {:?}", merge.changed_there);
    // They set `Neu` again just as the source takes it away.
    let known = Known { base: merge.base, stood: words(&["Blau", "eigen"]), begun: Vec::new() };
    let merge = words(&["Blau"]).merge(&known, &words(&["Blau", "eigen", "Neu"]));
    assert_eq!((merge.set, merge.base), (Facts::default(), words(&["Blau"])));
    assert_eq!(merge.changed_there, ["categories"]);
    let known = Known { base: words(&["Rot", "Neu"]), stood: words(&["Rot", "Neu"]), begun: Vec::new() };
    let unsaid = Facts::default().merge(&known, &words(&["Rot", "Neu"]));
    assert_eq!(unsaid, Merge { base: words(&["Neu", "Rot"]), ..Merge::default() });
    assert!(words(&["a"]).amends(&Facts::default()) && !words(&["a", "b"]).amends(&words(&["b", "a"])));
}
