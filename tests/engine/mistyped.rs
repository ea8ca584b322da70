//! A target that was mistyped, and corrected before anything was begun there; and one where something was.

use crate::{
    proof::opened,
    world::{Ear, LOGIN, World, project},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use transhume::{
    engine::{Engine, Half, Wish, discover, muster},
    store::{Side, Stop, StoreOptions},
};
use transhume_contract::Workload;

/// Moves into Maildirs below this.
pub fn into(world: &World, root: &Path) -> Engine {
    let target = transhume_folder::open(root, Workload::Mail).unwrap();
    world.engine_with(world.source.clone(), target, Arc::new(Ear::default()))
}

/// How many messages stand below a directory.
pub fn messages(dir: &Path) -> usize {
    message_files(dir).len()
}

/// The messages that stand below a directory.
pub fn message_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let below = entries.iter().map(|entry| entry.path()).map(|path| match path.is_dir() {
        true => message_files(&path),
        false => Some(path).filter(|_| dir.ends_with("cur")).into_iter().collect(),
    });
    below.flatten().collect()
}

#[tokio::test]
async fn a_plan_and_a_pull_tie_a_project_to_no_target_and_make_nothing_there() {
    let (world, dir, top) = (World::new(true), project().await, tempfile::tempdir().unwrap());
    let (wrong, right) = (into(&world, &top.path().join("wrong")), into(&world, &top.path().join("right")));
    let project = opened(&dir).await;
    wrong.recognise(&project).await.unwrap();
    wrong.bind(&project).await.unwrap();
    discover(&*wrong.source, &project, &*wrong.observer, &wrong.stop).await.unwrap();
    let wishes = [Wish { source: "ada@example.org".into(), target: LOGIN.into(), wave: "1".into() }];
    let (movers, _) = muster(&project, &wishes).await.unwrap();
    wrong.check(&project, &movers).await.unwrap();
    wrong.plan(&project, &movers, 2).await.unwrap();
    wrong.pass(&project, &movers, Half::Pull).await.unwrap();
    assert_eq!(project.bound(Side::Target, Workload::Mail).await.unwrap(), None);
    assert!(!top.path().join("wrong").exists());
    right.recognise(&project).await.unwrap();
    right.pass(&project, &movers, Half::Both).await.unwrap();
    assert_eq!(messages(&top.path().join("right")), 7);
    wrong.recognise(&project).await.unwrap_err();
}

/// Whatever the store knows after a death, another target never takes the place of one that holds something of ours.
#[tokio::test]
async fn another_target_takes_the_place_of_one_only_where_death_left_nothing_of_ours() {
    let (world, dir, top) = (World::new(true), project().await, tempfile::tempdir().unwrap());
    let whole = into(&world, &top.path().join("wrong"));
    let commits = world.run(&whole, dir.path(), StoreOptions::default()).await.unwrap();
    let (mut replaced, mut refused) = (0, 0);
    for (commit, stop) in (1..=commits).flat_map(|commit| [Stop::Before, Stop::After].map(|stop| (commit, stop))) {
        let (world, dir, top) = (World::new(true), project().await, tempfile::tempdir().unwrap());
        let (wrong, right) = (top.path().join("wrong"), top.path().join("right"));
        let deadly = StoreOptions { stop_at_commit: Some((commit, stop)), ..StoreOptions::default() };
        let _death_or_fewer_commits = world.run(&into(&world, &wrong), dir.path(), deadly).await;
        let corrected = into(&world, &right);
        let recognised = corrected.recognise(&opened(&dir).await).await;
        match recognised {
            Ok(()) => {
                replaced += 1;
                assert_eq!(messages(&wrong), 0, "commit {commit} {stop:?}");
                world.run(&corrected, dir.path(), StoreOptions::default()).await.unwrap();
                assert_eq!(messages(&right), 7, "commit {commit} {stop:?}");
            }
            Err(fault) => {
                refused += 1;
                assert!(fault.sentence.contains("this project belongs to the target "), "{fault}");
                world.run(&corrected, dir.path(), StoreOptions::default()).await.unwrap_err();
                assert!(!right.exists(), "commit {commit} {stop:?}");
                world.run(&into(&world, &wrong), dir.path(), StoreOptions::default()).await.unwrap();
                assert_eq!(messages(&wrong), 7, "commit {commit} {stop:?}");
            }
        }
    }
    assert!(replaced > 0 && refused > 0, "{replaced} replaced, {refused} refused");
}
