//! The in-memory connectors pass the suite that they are the reference of.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use transhume_contract::{
    AccountId, Content, Facts, FlagState, Source, conformance,
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
    for tells_handle in [true, false] {
        let target = MemoryTarget::new(tells_handle);
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
    let merge = want.merge(&base, &there);
    assert_eq!(merge.set, Facts { read: Some(true), ..Facts::default() });
    assert_eq!(merge.changed_there, ["flag"]);
}
