//! Which target a project is tied to, and until when another may take its place.

use super::fixture::*;
use crate::store::{Begun, Project, Side, Stop, StoreOptions};
use transhume_contract::{Account, AccountId, AccountPage, Cause, Fault, Identity, Reach, What};

fn at(place: &str) -> Identity {
    Identity { connector: "imap".to_owned(), place: place.to_owned() }
}

/// A project that spoke to a mistyped target, and was refused in every way there is before anything is begun.
async fn mistyped(fixture: &Fixture) {
    let project = fixture.project().await;
    project.bind(Side::Target, MAIL, &at("wrong")).await.unwrap();
    let store = project.open_account(&account().id).await.unwrap();
    pass(&store, vec![("inbox", vec![only_in("a", "1", "inbox"), only_in("b", "1", "inbox")])]).await;
    fetch(&store, "a", b"a").await;
    let from = collection_key(&store, "inbox").await;
    let large = Fault::new(What::TooLarge, "too large").skip(Cause::OverTargetLimit);
    store.record_fault(key(&store, "a").await, Side::Target, Some(from), &large).await.unwrap();
    let corrupt = Fault::new(What::Malformed, "corrupt").skip(Cause::CorruptAtSource);
    store.record_fault(key(&store, "b").await, Side::Source, None, &corrupt).await.unwrap();
    let name = Fault::new(What::Exists, "the name is taken").reaching(Reach::Collection);
    store.record_refused(from, Side::Target, &name).await.unwrap();
    for side in [Side::Source, Side::Target] {
        let fault = Fault::new(What::Unreachable, "nobody answers").reaching(Reach::Account);
        project.record_stop(&account().id, side, MAIL, Some(&fault)).await.unwrap();
    }
}

/// Nothing of the target is left, and all of the source.
async fn assert_forgotten(project: &Project, which: &str) {
    assert_eq!(project.bound(Side::Target, MAIL).await.unwrap(), None, "{which}");
    let stops = project.stops(&account().id).await.unwrap();
    assert_eq!(stops.iter().map(|stop| stop.0).collect::<Vec<_>>(), [Side::Source], "{which}");
    let store = project.open_account(&account().id).await.unwrap();
    let setbacks = store.setbacks(MAIL, None, 10).await.unwrap();
    assert_eq!(setbacks.iter().map(|one| one.side).collect::<Vec<_>>(), [Side::Source], "{which}");
    assert_eq!(store.refused_collections(MAIL).await.unwrap(), [], "{which}");
    let ready = to_place(&store, "inbox").await;
    assert_eq!(ready.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["a"], "{which}");
    let stages = store.collection_totals(MAIL).await.unwrap()[0].stages;
    assert_eq!((stages.ready.items, stages.barred.items), (1, 1), "{which}");
}

#[tokio::test]
async fn what_a_mistyped_target_refused_says_nothing_of_the_right_one() {
    let fixture = Fixture::new().await;
    mistyped(&fixture).await;
    let project = fixture.project().await;
    assert!(project.bind(Side::Target, MAIL, &at("right")).await.is_err());
    assert!(project.untie_target(MAIL).await.unwrap());
    assert_forgotten(&project, "at once").await;
    project.bind(Side::Target, MAIL, &at("right")).await.unwrap();
}

#[tokio::test]
async fn untying_that_was_killed_anywhere_is_done_by_the_next_one() {
    for stop in [Stop::Before, Stop::After] {
        for commit in 1.. {
            let fixture = Fixture::new().await;
            mistyped(&fixture).await;
            let options = StoreOptions { stop_at_commit: Some((commit, stop)), ..Default::default() };
            let died = match fixture.project_with(options).await {
                Ok(project) => project.untie_target(MAIL).await.is_err(),
                Err(_) => true,
            };
            let project = fixture.project().await;
            if project.bound(Side::Target, MAIL).await.unwrap().is_some() {
                assert!(project.untie_target(MAIL).await.unwrap());
            }
            assert_forgotten(&project, &format!("commit {commit} {stop:?}")).await;
            if !died {
                assert!(commit > 2, "it never died");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_target_at_which_any_account_began_something_stays() {
    let fixture = Fixture::new().await;
    mistyped(&fixture).await;
    let project = fixture.project().await;
    let discovery = project.begin_discovery().await.unwrap();
    let bob = Account { id: AccountId::new("bob-id"), address: "bob@x".to_owned(), aliases: vec![], ..account() };
    let page = AccountPage { accounts: vec![account(), bob.clone()], ..AccountPage::default() };
    project.record_accounts(discovery, &page).await.unwrap();
    let store = project.open_account(&bob.id).await.unwrap();
    pass(&store, vec![("inbox", vec![])]).await;
    assert_eq!(project.has_begun(MAIL).await.unwrap(), Begun::No);
    // An empty folder there is enough: people may have filed something in it.
    ensure(&store, "inbox").await;
    assert_eq!(project.has_begun(MAIL).await.unwrap(), Begun::Yes);
    assert_eq!(project.has_begun(transhume_contract::Workload::Calendar).await.unwrap(), Begun::No, "each by itself");
    assert!(!project.untie_target(MAIL).await.unwrap());
    assert_eq!(project.bound(Side::Target, MAIL).await.unwrap(), Some(at("wrong")));
    let store = project.open_account(&account().id).await.unwrap();
    assert_eq!(store.setbacks(MAIL, None, 10).await.unwrap().len(), 2, "what it refused still holds");
}

#[tokio::test]
async fn a_store_that_cannot_be_read_may_know_of_something() {
    let fixture = Fixture::new().await;
    mistyped(&fixture).await;
    fixture.closed().await;
    let path = fixture.path().join("accounts/anna@contoso.example/store.db");
    for beside in ["store.db-wal", "store.db-shm"] {
        std::fs::remove_file(path.with_file_name(beside)).ok();
    }
    std::fs::write(&path, b"no database, but a letter that is longer than a header of one. ".repeat(4)).unwrap();
    let project = fixture.project().await;
    assert_eq!(project.has_begun(MAIL).await.unwrap(), Begun::Unknown);
    assert!(!project.untie_target(MAIL).await.unwrap());
    assert_eq!(project.bound(Side::Target, MAIL).await.unwrap(), Some(at("wrong")));
}
