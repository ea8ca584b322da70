//! Opening a project: locks, sides, accounts, and disks that say no.

use super::fixture::*;
use crate::store::{Assignment, NotOpened, Opening, Project, Side, StoreOptions};
use transhume_contract::{
    Account, AccountId, AccountPage, Fault, Finding, Identity, OriginalSink, Reach, Severity, Size, Timestamp,
    Unreachable, Version, What,
};

fn running() -> Opening {
    Opening::Running { verb: "push".to_owned() }
}

#[tokio::test]
async fn only_one_run_at_a_time_and_the_other_is_told_who() {
    let fixture = Fixture::new().await;
    let first = fixture.project().await;
    let refused = Project::open(fixture.path(), running(), StoreOptions::default()).await.map(|_| ()).unwrap_err();
    let NotOpened::Locked { by: Some(holder) } = &refused else { panic!("{refused}") };
    assert_eq!((holder.pid, holder.verb.as_str()), (std::process::id(), "run"));
    assert!(refused.to_string().contains("`transhume run` (process "), "{refused}");
    Project::open(fixture.path(), Opening::Reading, StoreOptions::default()).await.unwrap();
    drop(first);
    fixture.project().await;
}

#[tokio::test]
async fn a_directory_without_a_project_is_told_how_to_make_one() {
    let dir = tempfile::TempDir::new().unwrap();
    let refused = Project::open(dir.path(), running(), StoreOptions::default()).await.map(|_| ()).unwrap_err();
    let NotOpened::Fault(fault) = refused else { panic!() };
    assert!(fault.next_step().unwrap().contains("transhume init"), "{fault:?}");
}

#[tokio::test]
async fn a_project_never_mixes_two_tenants() {
    let fixture = Fixture::new().await;
    let project = fixture.project().await;
    let identity = |place: &str| Identity { connector: "graph".to_owned(), place: place.to_owned() };
    project.bind(Side::Source, MAIL, &identity("tenant one")).await.unwrap();
    project.bind(Side::Source, MAIL, &identity("tenant one")).await.unwrap();
    let mixed = project.bind(Side::Source, MAIL, &identity("tenant two")).await.unwrap_err();
    assert_eq!(mixed.reach, Reach::Run);
    insta::assert_snapshot!(mixed.sentence, @"this project belongs to the source tenant one (graph), but the configuration now names tenant two (graph)");
    project.bind(Side::Target, MAIL, &identity("tenant two")).await.unwrap();
    assert_eq!(project.bound(Side::Source, MAIL).await.unwrap(), Some(identity("tenant one")));
}

#[tokio::test]
async fn a_tenant_known_by_its_domain_is_given_its_guid_and_another_is_refused() {
    let fixture = Fixture::new().await;
    let project = fixture.project().await;
    let identity = |place: &str| Identity { connector: "graph".to_owned(), place: place.to_owned() };
    let (domain, guid) = (identity("contoso.example"), identity("3c1a0f6e-0000-4000-8000-0123456789ab"));
    project.bind(Side::Source, MAIL, &domain).await.unwrap();
    project.rename(Side::Source, MAIL, &identity("other.example"), &guid).await.unwrap();
    assert!(project.bind(Side::Source, MAIL, &guid).await.unwrap_err().next_step().unwrap().contains("old name"));
    project.rename(Side::Source, MAIL, &domain, &identity("")).await.unwrap();
    assert_eq!(project.bound(Side::Source, MAIL).await.unwrap(), Some(domain.clone()));
    project.rename(Side::Source, MAIL, &domain, &guid).await.unwrap();
    project.bind(Side::Source, MAIL, &guid).await.unwrap();
}

fn someone(id: &str, address: &str) -> Account {
    Account { id: AccountId::new(id), address: address.to_owned(), aliases: Vec::new(), ..account() }
}

async fn discover(project: &Project, accounts: Vec<Account>, unreachable: Vec<Unreachable>) -> u64 {
    let discovery = project.begin_discovery().await.unwrap();
    let page = AccountPage { accounts, unreachable, next: None };
    project.record_accounts(discovery, &page).await.unwrap();
    project.finish_discovery(discovery).await.unwrap()
}

#[tokio::test]
async fn accounts_are_found_by_any_address_and_paged_by_wave() {
    let fixture = Fixture::new().await;
    let project = fixture.project().await;
    discover(&project, vec![account(), someone("b", "B@contoso.example"), someone("c", "c@contoso.example")], vec![])
        .await;
    let to = |address: &str| Assignment {
        address: address.to_owned(),
        wave: Some("1".to_owned()),
        target: Some(AccountId::new("login")),
    };
    let unknown =
        project.assign(vec![to("ANNA.BERG@contoso.example"), to("c@contoso.example"), to("nobody@x")]).await.unwrap();
    assert_eq!(unknown, ["nobody@x"]);
    let mut seen = Vec::new();
    let mut page = project.accounts(Some("1"), None, 1).await.unwrap();
    while let Some(row) = page.pop() {
        page = project.accounts(Some("1"), Some(&row), 1).await.unwrap();
        seen.push(row.account.address);
    }
    assert_eq!(seen, ["Anna@contoso.example", "c@contoso.example"]);
    assert_eq!(project.accounts(None, None, 10).await.unwrap().len(), 3);
    let row = project.account("b@CONTOSO.example").await.unwrap().unwrap();
    assert_eq!((row.folder.as_str(), row.target), ("b@contoso.example", None));
}

#[tokio::test]
async fn an_account_keeps_its_folder_and_an_address_that_changed_hands_gets_another() {
    let fixture = Fixture::new().await;
    let project = fixture.project().await;
    discover(&project, vec![someone("one", "info@contoso.example")], vec![]).await;
    let gone =
        discover(&project, vec![someone("one", "old@contoso.example"), someone("two", "info@contoso.example")], vec![])
            .await;
    assert_eq!(gone, 1, "Anna is no longer listed, and is kept");
    let (old, new) = (
        project.account("old@contoso.example").await.unwrap().unwrap(),
        project.account("info@contoso.example").await.unwrap().unwrap(),
    );
    assert_eq!(old.folder, "info@contoso.example");
    assert!(new.folder.starts_with("info@contoso.example~"), "{}", new.folder);
    assert!(project.account("anna@contoso.example").await.unwrap().unwrap().gone);
    assert!(!project.has_store(&new).await);
    project.open_account(&new.account.id).await.unwrap();
    assert!(project.has_store(&new).await);
}

#[tokio::test]
async fn findings_stops_and_the_unreachable_are_kept_until_they_change() {
    let fixture = Fixture::new().await;
    let project = fixture.project().await;
    let archive = Unreachable {
        kind: "in_place_archive".to_owned(),
        account: Some(account().id),
        size: Size::default(),
        rescue: "Move it back.".to_owned(),
    };
    discover(&project, vec![account()], vec![archive.clone()]).await;
    discover(&project, vec![account()], vec![archive.clone()]).await;
    assert_eq!(project.unreachable().await.unwrap(), [archive]);
    discover(&project, vec![account()], vec![]).await;
    assert_eq!(project.unreachable().await.unwrap(), []);

    let finding = Finding {
        severity: Severity::Blocker,
        code: "missing_permission".to_owned(),
        sentence: "s".to_owned(),
        fix: "f".to_owned(),
    };
    for _ in 0..2 {
        project.record_findings(Side::Source, None, vec![finding.clone()]).await.unwrap();
    }
    assert_eq!(project.findings(Side::Source, None).await.unwrap(), [finding]);
    assert_eq!(project.findings(Side::Target, None).await.unwrap(), []);

    // The store keeps microseconds.
    let before = Timestamp::from_microsecond(Timestamp::now().as_microsecond()).unwrap();
    let fault = Fault::new(What::Unauthenticated, "the password was refused").reaching(Reach::Account);
    project.record_stop(&account().id, Side::Target, MAIL, Some(&fault)).await.unwrap();
    let stops = project.stops(&account().id).await.unwrap();
    assert_eq!(stops, [(Side::Target, MAIL, fault, stops[0].3)]);
    assert!(before <= stops[0].3 && stops[0].3 <= Timestamp::now(), "it is told when: {}", stops[0].3);
    project.record_stop(&account().id, Side::Target, MAIL, None).await.unwrap();
    assert_eq!(project.stops(&account().id).await.unwrap(), []);
    project.end_run("done").await.unwrap();
}

#[tokio::test]
async fn a_full_disk_stops_the_run_with_a_next_step_and_keeps_what_was_there() {
    let fixture = Fixture::new().await;
    pass(&fixture.store().await, vec![("inbox", vec![only_in("a", "1", "inbox")])]).await;
    let options = StoreOptions { most_pages: Some(60), ..Default::default() };
    let store = fixture.project_with(options).await.unwrap().open_account(&account().id).await.unwrap();
    let item = key(&store, "a").await;
    let mut faults = Vec::new();
    for number in 0..40 {
        let mut sink = store.original_sink(item, &Version::new(number.to_string())).await.unwrap();
        sink.open(part("mime")).await.unwrap();
        sink.write(noise(30 << 10, number).into()).await.unwrap();
        sink.close().await.unwrap();
        faults.extend(sink.complete(&Default::default()).await.err());
    }
    let fault = faults.pop().expect("the disk is full");
    assert_eq!((fault.what, fault.reach), (What::StoreBroken, Reach::Run));
    assert!(fault.sentence.contains("is full") && fault.next_step().unwrap().contains("free space"), "{fault:?}");
    drop(store);
    let store = fixture.store().await;
    assert!(store.original(item).await.unwrap().is_some(), "what was committed before is there");
    fetch(&store, "a", b"and it goes on").await;
}

#[tokio::test]
async fn a_damaged_store_says_so() {
    let fixture = Fixture::new().await;
    drop(fixture.store().await);
    let path = fixture.path().join("accounts/anna@contoso.example/store.db");
    fixture.closed().await;
    std::fs::write(
        &path,
        b"this was a database once, and now it is a letter to nobody in particular, longer than a header".repeat(3),
    )
    .unwrap();
    let project = fixture.project().await;
    let fault = project.open_account(&account().id).await.map(|_| ()).unwrap_err();
    assert!(fault.sentence.contains("is damaged") && fault.next_step().unwrap().contains("backup"), "{fault:?}");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_says_so() {
    let store = Fixture::fresh().await;
    // What SQLite answers on a disk mounted read-only.
    store.write(|db| Ok(db.pragma_update(None, "query_only", true)?)).await.unwrap();
    let fault = store.begin_pass(MAIL).await.unwrap_err();
    assert_eq!((fault.what, fault.reach), (What::StoreBroken, Reach::Run));
    assert!(
        fault.sentence.contains("cannot be written") && fault.next_step().unwrap().contains("writable"),
        "{fault:?}"
    );
}
