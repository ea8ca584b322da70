//! `status` on very many items.

use crate::{
    project::{self, Target},
    table,
    watched::transhume_ending,
};
use std::path::Path;
use transhume::store::{AccountStore, Assignment, Opening, Project, StoreOptions};
use transhume_contract::{
    Account, AccountId, AccountKind, AccountPage, Appearance, Change, Collection, CollectionId, Content, Cursor, Facts,
    Feed, FeedId, FlagState, ItemId, Listed, Membership, Next, Page, Role, Size, Timestamp, Version, Workload,
};

const ACCOUNTS: u32 = 10;
const PAGE: u32 = 1000;
const GOAL_SECONDS: f64 = 0.2;

pub fn run(items: u32) {
    let dir = tempfile::tempdir().unwrap();
    project::write(dir.path(), "http://127.0.0.1:1", &Target::Folder, 3);
    let line = |number| (account(number).address, account(number).name);
    project::accounts(dir.path(), &(0..ACCOUNTS).map(line).collect::<Vec<_>>());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(fill(dir.path(), items / ACCOUNTS));
    table::head(&format!("status: {items} items in {ACCOUNTS} accounts"), &["", "seconds", "peak MB"]);
    // All of it is owed.
    let runs: Vec<_> = (0..3).map(|_| transhume_ending(dir.path(), &["status"], &[3])).collect();
    let last = runs[2].stdout.lines().last().unwrap_or_default().replace(',', "");
    assert!(last.contains(&(items / ACCOUNTS * ACCOUNTS).to_string()), "{last}");
    let seconds = table::median(runs.iter().map(|run| run.seconds).collect());
    table::row(&["status".to_owned(), format!("{seconds:.3}"), format!("{:.0}", runs[2].peak_mb)]);
    table::goal(&format!("within {GOAL_SECONDS} s"), seconds <= GOAL_SECONDS);
}

async fn fill(dir: &Path, each: u32) {
    Project::create(dir, StoreOptions::default()).await.unwrap();
    let running = Opening::Running { verb: "pull".to_owned() };
    let project = Project::open(dir, running, StoreOptions::default()).await.unwrap();
    let accounts: Vec<_> = (0..ACCOUNTS).map(account).collect();
    let discovery = project.begin_discovery().await.unwrap();
    let page = AccountPage { accounts: accounts.clone(), ..AccountPage::default() };
    project.record_accounts(discovery, &page).await.unwrap();
    project.finish_discovery(discovery).await.unwrap();
    let assignment = |account: &Account| Assignment {
        address: account.address.clone(),
        target: Some(AccountId::new(account.name.as_str())),
        wave: Some("1".to_owned()),
    };
    project.assign(accounts.iter().map(assignment).collect()).await.unwrap();
    let lists = accounts.iter().map(|account| list(&project, account, each));
    futures::future::join_all(lists).await;
}

/// Lists a whole mailbox, page by page, as a source would.
async fn list(project: &Project, account: &Account, items: u32) {
    let store: AccountStore = project.open_account(&account.id).await.unwrap();
    let (inbox, feed) = (collection(account), feed(account));
    let pass = store.begin_pass(Workload::Mail).await.unwrap();
    store.record_collections(pass, vec![inbox]).await.unwrap();
    store.record_feeds(pass, vec![feed.clone()]).await.unwrap();
    let mut listing = store.resume_feed(pass, &feed).await.unwrap();
    let mut from = 0;
    while let Some(here) = listing {
        let to = (from + PAGE).min(items);
        let cursor = Cursor::new(to.to_string());
        let next = if to == items { Next::Done(cursor) } else { Next::More(cursor) };
        let page = Page { changes: (from..to).map(listed).collect(), next };
        listing = store.commit_page(pass, &feed, &here, page).await.unwrap().next;
        from = to;
    }
    store.settle_round(pass).await.unwrap();
}

fn account(number: u32) -> Account {
    Account {
        id: AccountId::new(format!("account-{number}")),
        address: format!("person{number}@contoso.example"),
        name: format!("person{number}"),
        kind: AccountKind::Person,
        aliases: Vec::new(),
        enabled: true,
        workloads: Vec::new(),
    }
}

fn collection(account: &Account) -> Collection {
    Collection {
        account: account.id.clone(),
        workload: Workload::Mail,
        id: CollectionId::new("inbox"),
        parent: None,
        name: "Inbox".to_owned(),
        role: Role::Inbox,
        hidden: false,
        expected: Size::default(),
        appearance: Appearance::default(),
    }
}

fn feed(account: &Account) -> Feed {
    let collection = Some(CollectionId::new("inbox"));
    Feed { account: account.id.clone(), workload: Workload::Mail, id: FeedId::new("inbox"), collection }
}

fn listed(number: u32) -> Change {
    let received = Timestamp::from_second(1_700_000_000 + i64::from(number)).unwrap();
    Change::Listed(Box::new(Listed {
        id: ItemId::new(format!("AAMkAGI2THVSAAA-{number:0>40}")),
        version: Version::new("1"),
        content: Some(Content::Fixed),
        facts: Facts {
            read: Some(true),
            flag: Some(FlagState::None),
            received: Some(received),
            size: Some(8192),
            ..Facts::default()
        },
        membership: Membership::Full(vec![CollectionId::new("inbox")]),
        parent: None,
        name: None,
    }))
}
