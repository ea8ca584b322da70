//! A folder that held what was placed in it, and is not there as a whole.

use crate::{
    mistyped::{into, message_files, messages},
    proof::opened,
    world::{World, project},
};
use std::fs;
use transhume::engine::Half;
use transhume_contract::{Depth, Reach, What};

#[tokio::test]
async fn nothing_is_written_where_a_disk_is_not_mounted_and_a_repair_begins_anew_once_somebody_looked() {
    let (world, dir, top) = (World::new(true), project().await, tempfile::tempdir().unwrap());
    let (root, elsewhere) = (top.path().join("mail"), top.path().join("elsewhere"));
    let (engine, project) = (into(&world, &root), opened(&dir).await);
    let movers = world.pass(&engine, &project).await.unwrap();
    assert_eq!(messages(&root), 7);
    fs::rename(&root, &elsewhere).unwrap();
    world.put(&world.inbox, 42, "Subject: new\r\n\r\nbody\r\n");
    for mount_point in [false, true] {
        if mount_point {
            fs::create_dir(&root).unwrap();
        }
        for half in [Half::Both, Half::Push { repair: false }] {
            let fault = engine.pass(&project, &movers, half).await.unwrap_err();
            assert_eq!((fault.what, fault.reach), (What::Vanished, Reach::Run), "{fault}");
            assert!(fault.next_step().unwrap().contains("Mount its disk"), "{fault:?}");
        }
        engine.plan(&project, &movers, 0).await.unwrap_err();
        let found = engine.check(&project, &movers).await.unwrap();
        assert!(found.iter().any(|checked| checked.access.findings.iter().any(|finding| finding.code == "vanished")));
        engine.pass(&project, &movers, Half::Pull).await.unwrap();
        let repaired = engine.pass(&project, &movers, Half::Push { repair: true }).await;
        assert_eq!(repaired.unwrap_err().what, What::Vanished, "nobody looked yet what is missing");
        assert_eq!((root.exists(), messages(&root)), (mount_point, 0));
    }
    fs::remove_dir(&root).unwrap();
    fs::rename(&elsewhere, &root).unwrap();
    engine.pass(&project, &movers, Half::Both).await.unwrap();
    assert_eq!(messages(&root), 8);
    fs::remove_dir_all(&root).unwrap();
    assert_eq!(engine.verify(&project, &movers, Depth::Shape).await.unwrap()[0].differences, 8);
    engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
    assert_eq!(messages(&root), 8);
    assert_eq!(engine.verify(&project, &movers, Depth::Content).await.unwrap()[0].differences, 0);
}

/// What people deleted is missing too: that says nothing of the rest.
#[tokio::test]
async fn a_repair_of_one_message_writes_nothing_where_the_disk_is_not_mounted() {
    let (world, dir, top) = (World::new(true), project().await, tempfile::tempdir().unwrap());
    let (root, elsewhere) = (top.path().join("mail"), top.path().join("elsewhere"));
    let (engine, project) = (into(&world, &root), opened(&dir).await);
    let movers = world.pass(&engine, &project).await.unwrap();
    fs::remove_file(&message_files(&root)[0]).unwrap();
    assert_eq!(engine.verify(&project, &movers, Depth::Shape).await.unwrap()[0].differences, 1);
    fs::rename(&root, &elsewhere).unwrap();
    let fault = engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap_err();
    assert_eq!((fault.what, fault.reach, root.exists()), (What::Vanished, Reach::Run, false), "{fault}");
    fs::rename(&elsewhere, &root).unwrap();
    engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
    assert_eq!(messages(&root), 7);
}

/// Where nothing was ever placed, there is nothing to miss.
#[tokio::test]
async fn a_folder_that_was_removed_before_the_first_message_is_made_anew() {
    let (world, dir, top) = (World::new(true), project().await, tempfile::tempdir().unwrap());
    let root = top.path().join("mail");
    let engine = into(&world, &root);
    fs::create_dir(&root).unwrap();
    let project = opened(&dir).await;
    engine.recognise(&project).await.unwrap();
    fs::remove_dir(&root).unwrap();
    world.pass(&engine, &project).await.unwrap();
    assert_eq!(messages(&root), 7);
}
