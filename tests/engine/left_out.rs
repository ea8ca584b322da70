//! Keywords for which a target has no place: a named loss, and nobody's change.

use crate::{
    proof::opened,
    world::{Ear, LOGIN, World, project},
};
use async_trait::async_trait;
use secrecy::SecretString;
use std::sync::Arc;
use transhume::{
    engine::{Engine, Policy},
    store::{Stop, StoreOptions},
};
use transhume_contract::{
    AccountId, Content, Credential, Depth, Facts, Fault, ItemId, Secret, Target, Workload, memory::MemoryTarget,
};
use transhume_folder::Folder;
use transhume_imap::{ImapConfig, ImapTarget, Security};
use transhume_servers::{Cyrus, CyrusOptions};

struct OnePassword;

#[async_trait]
impl Credential for OnePassword {
    async fn secret(&self, account: &AccountId) -> Result<Secret, Fault> {
        Ok(Secret::Password { user: account.as_str().to_owned(), password: SecretString::from("secret") })
    }
}

fn write_draft(world: &World, text: &str, keywords: usize) {
    let categories = Some((0..keywords).map(|n| format!("Label-{n}")).collect());
    let facts = Facts { draft: Some(true), read: Some(true), categories, ..Facts::default() };
    let text = format!("From: a@example.org\r\nSubject: draft\r\n\r\n{text}\r\n");
    world.source.put(&world.account.id, &world.inbox, "draft", Content::FollowsVersion, facts, text);
}

fn engine_to(world: &World, target: &Arc<dyn Target>) -> Engine {
    let policy = Policy { withdraw_deleted: true, ..Policy::default() };
    Engine { policy, ..world.engine_with(world.source.clone(), target.clone(), Arc::new(Ear::default())) }
}

async fn held(target: &Arc<dyn Target>) -> u64 {
    target.holdings(&AccountId::new(LOGIN), Workload::Mail, 1).await.unwrap().items
}

/// A draft with a keyword too many is placed, written on, labelled, and deleted at the source.
async fn told_and_left_at_that(target: Arc<dyn Target>, room: usize) {
    let (world, dir) = (World::new(true), project().await);
    let (engine, project) = (engine_to(&world, &target), opened(&dir).await);
    let store = || async { project.open_account(&world.account.id).await.unwrap() };
    write_draft(&world, "first", room + 1);
    for (step, drafts, lost) in [("placed", 1, 1), ("written on", 1, 1), ("labelled", 1, 2), ("deleted", 0, 0)] {
        match step {
            "placed" => {}
            "written on" => write_draft(&world, "second", room + 1),
            "labelled" => {
                let labels = (0..room + 2).map(|n| format!("Label-{n}")).collect();
                let more = Facts { categories: Some(labels), ..Facts::default() };
                world.source.edit(&world.account.id, &ItemId::new("draft"), &more);
            }
            _ => world.source.remove(&world.account.id, &ItemId::new("draft")),
        }
        let movers = world.pass(&engine, &project).await.unwrap();
        let found = engine.verify(&project, &movers, Depth::Shape).await.unwrap().remove(0);
        assert_eq!((found.differences, found.others), (0, 0), "{step}");
        assert_eq!(held(&target).await, 7 + drafts, "{step}");
        let setbacks = store().await.setbacks(Workload::Mail, None, 10).await.unwrap();
        assert!(setbacks.is_empty(), "{step}: {:?}", setbacks[0].fault);
        let losses = world_losses(&store().await).await;
        assert_eq!(losses, lost, "{step}");
    }
}

/// How many losses of keywords stand with placements.
async fn world_losses(store: &transhume::store::AccountStore) -> usize {
    let mut refused = 0;
    for (key, _) in store.target_collections(Workload::Mail).await.unwrap() {
        for placement in store.placements_at(key, None, 1000).await.unwrap() {
            refused += placement.losses.iter().filter(|loss| loss.name == "keyword_refused").count();
        }
    }
    refused
}

#[tokio::test]
async fn a_keyword_left_out_is_told_and_left_at_that_in_memory() {
    for tells_handle in [true, false] {
        told_and_left_at_that(Arc::new(MemoryTarget::new(tells_handle).holding(3)), 3).await;
    }
}

#[tokio::test]
async fn a_keyword_left_out_is_told_and_left_at_that_in_a_maildir() {
    let root = tempfile::tempdir().unwrap();
    told_and_left_at_that(Arc::new(Folder::open(root.path()).unwrap()), 26).await;
}

#[tokio::test]
async fn a_keyword_left_out_is_told_and_left_at_that_on_cyrus() {
    let server = Cyrus::start(CyrusOptions::with_accounts(&[LOGIN])).unwrap();
    let config = ImapConfig { port: Some(server.imap_port()), ..ImapConfig::new("127.0.0.1", Security::Plain) };
    let target = ImapTarget::new(config, Arc::new(OnePassword)).unwrap();
    told_and_left_at_that(Arc::new(target), 100).await;
}

/// What was refused just before death was never told.
#[tokio::test]
async fn a_keyword_left_out_is_told_wherever_death_struck() {
    for stop in [Stop::Before, Stop::After] {
        for commit in 1.. {
            let (world, dir) = (World::new(true), project().await);
            let target: Arc<dyn Target> = Arc::new(MemoryTarget::new(true).holding(2));
            write_draft(&world, "first", 3);
            let deadly = StoreOptions { stop_at_commit: Some((commit, stop)), ..StoreOptions::default() };
            let died = world.run(&engine_to(&world, &target), dir.path(), deadly).await.is_err();
            let (engine, project) = (engine_to(&world, &target), opened(&dir).await);
            let movers = world.pass(&engine, &project).await.unwrap();
            let found = engine.verify(&project, &movers, Depth::Shape).await.unwrap().remove(0);
            let store = project.open_account(&world.account.id).await.unwrap();
            let told = (found.differences, held(&target).await, world_losses(&store).await);
            assert_eq!(told, (0, 8, 1), "commit {commit}, {stop:?}");
            if !died {
                break;
            }
        }
    }
}
