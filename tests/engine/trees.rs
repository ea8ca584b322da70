//! The folder tree of the source, read while people move it, and answers that cannot be true of it.

use crate::world::{World, project};
use std::{collections::BTreeSet, path::Path};
use transhume::{
    engine::{Engine, Policy},
    store::{Opening, Project, StoreOptions, Totals},
};
use transhume_contract::{CollectionId, Facts, ItemId, Workload};

/// An engine that would withdraw whatever is gone from the source.
fn withdrawing(world: &World) -> Engine {
    Engine { policy: Policy { withdraw_deleted: true, ..Policy::default() }, ..world.engine() }
}

async fn totals(world: &World, dir: &Path) -> Totals {
    let project = Project::open(dir, Opening::Reading, StoreOptions::default()).await.unwrap();
    let store = project.open_account(&world.account.id).await.unwrap();
    store.totals(Workload::Mail).await.unwrap()
}

#[tokio::test]
async fn a_folder_is_gone_when_two_walks_do_not_meet_it() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    let archive = || BTreeSet::from([world.archive.clone()]);
    world.source.miss([archive()]);
    world.run(&withdrawing(&world), dir.path(), StoreOptions::default()).await.unwrap();
    assert_eq!((world.standing().len(), totals(&world, dir.path()).await.gone.items), (7, 0));
    world.source.miss([archive(), archive()]);
    world.run(&withdrawing(&world), dir.path(), StoreOptions::default()).await.unwrap();
    assert_eq!((world.standing().len(), totals(&world, dir.path()).await.gone.items), (4, 3));
}

#[tokio::test]
async fn what_each_of_two_walks_met_is_there() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.source.miss([BTreeSet::from([world.archive.clone()]), BTreeSet::from([world.inbox.clone()])]);
    world.run(&withdrawing(&world), dir.path(), StoreOptions::default()).await.unwrap();
    assert_eq!((world.standing().len(), totals(&world, dir.path()).await.gone.items), (7, 0));
}

#[tokio::test]
async fn a_mailbox_without_any_folder_it_had_is_not_taken_for_an_empty_one() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    let all: BTreeSet<_> = (0..3).map(|number| CollectionId::new(format!("folder-{number}"))).collect();
    world.source.miss([all.clone(), all]);
    world.run(&withdrawing(&world), dir.path(), StoreOptions::default()).await.unwrap();
    assert_eq!((world.standing().len(), totals(&world, dir.path()).await.gone.items), (7, 0));
    let project = Project::open(dir.path(), Opening::Reading, StoreOptions::default()).await.unwrap();
    let stops = project.stops(&world.account.id).await.unwrap();
    assert!(stops[0].2.sentence.contains("none of the 3 collections"), "{stops:?}");
}

#[tokio::test]
async fn a_change_that_is_refused_is_owed_and_its_item_stays_done() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.target.refuse_amending(true);
    world.source.edit(&world.account.id, &ItemId::new("m05"), &Facts { read: Some(true), ..Facts::default() });
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    let refused = totals(&world, dir.path()).await;
    assert_eq!((refused.placed.items, refused.changes), (7, 1));
    world.target.refuse_amending(false);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    assert_eq!(totals(&world, dir.path()).await.changes, 0);
}
