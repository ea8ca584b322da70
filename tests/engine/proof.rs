//! What verification says of copies, earlier renderings and damage, and what may be done about it.

use crate::world::{Ear, LOGIN, World, project, texts};
use std::{
    io::{Read, Write},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tempfile::TempDir;
use transhume::{
    engine::{Audience, Engine, Event, Half, Handover, Meaning, Mover, Original, Render, Rendered, Setting},
    store::{Opening, Project, StoreOptions},
};
use transhume_contract::{
    AccountId, Cause, Depth, Digest, Facts, Fault, Loss, Profile, What, Workload, memory::Standing,
};

const MAIL: Workload = Workload::Mail;

pub async fn opened(dir: &TempDir) -> Project {
    Project::open(dir.path(), Opening::Running { verb: "run".into() }, StoreOptions::default()).await.unwrap()
}

/// A world that was moved, and everything to go on with it.
pub async fn moved() -> (World, TempDir, Project, Engine, Vec<Mover>) {
    let (world, dir) = (World::new(true), project().await);
    let project = opened(&dir).await;
    let engine = world.engine();
    let movers = world.pass(&engine, &project).await.unwrap();
    (world, dir, project, engine, movers)
}

/// The first message in the inbox as it stands.
fn some_message(world: &World) -> (Vec<String>, Standing) {
    world.target.standing(&AccountId::new(LOGIN)).into_iter().find(|(path, _)| path.len() == 1).unwrap()
}

pub async fn kinds(project: &Project, world: &World) -> Vec<String> {
    let store = project.open_account(&world.account.id).await.unwrap();
    let mut kinds: Vec<_> =
        store.differences(MAIL, 0, 100).await.unwrap().into_iter().map(|verdict| verdict.kind).collect();
    kinds.sort();
    kinds
}

#[tokio::test]
async fn a_second_copy_of_ours_is_a_difference_and_mail_of_others_is_not() {
    for depth in [Depth::Shape, Depth::Content] {
        let (world, _dir, project, engine, movers) = moved().await;
        let (path, ours) = some_message(&world);
        let login = AccountId::new(LOGIN);
        world.target.put_by_hand(&login, &path, ours.clone());
        world.target.put_by_hand(&login, &path, Standing { bytes: "Subject: theirs\r\n\r\n".into(), ..ours.clone() });
        // As long as one of ours, and not the same.
        let alike: Vec<u8> = ours.bytes.iter().rev().copied().collect();
        world.target.put_by_hand(&login, &path, Standing { bytes: alike.into(), ..ours });
        let found = engine.verify(&project, &movers, depth).await.unwrap().remove(0);
        assert_eq!((found.compared, found.differences, found.others), (8, 1, 2), "{depth:?}");
        assert_eq!(kinds(&project, &world).await, ["duplicate", "extra", "extra"]);
    }
}

/// The twins of the world are two items with the same bytes: each has its own message there, and no copy.
#[tokio::test]
async fn twins_are_no_copies_until_there_are_three() {
    let (world, _dir, project, engine, movers) = moved().await;
    assert_eq!(engine.verify(&project, &movers, Depth::Content).await.unwrap()[0].differences, 0);
    let login = AccountId::new(LOGIN);
    let twin =
        world.target.standing(&login).into_iter().find(|(_, held)| held.bytes.starts_with(b"Subject: 2")).unwrap();
    world.target.put_by_hand(&login, &twin.0, twin.1);
    engine.verify(&project, &movers, Depth::Content).await.unwrap();
    assert_eq!(kinds(&project, &world).await, ["duplicate"]);
}

/// A server that numbers its messages anew (a mailbox restored from a backup) doubles nothing.
#[tokio::test]
async fn what_stands_there_under_another_number_is_found_again_and_never_placed_twice() {
    let (world, _dir, project, engine, movers) = moved().await;
    let login = AccountId::new(LOGIN);
    let before = world.standing();
    let all = world.target.standing(&login);
    world.target.by_hand(&login, |_, _| None);
    all.into_iter().for_each(|(path, message)| world.target.put_by_hand(&login, &path, message));
    let found = engine.verify(&project, &movers, Depth::Content).await.unwrap().remove(0);
    assert_eq!((found.differences, found.others), (7, 7));
    assert_eq!(kinds(&project, &world).await.iter().filter(|kind| *kind == "duplicate").count(), 0);
    engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
    assert_eq!((world.standing(), world.target.placed()), (before, 7));
    assert_eq!(engine.verify(&project, &movers, Depth::Content).await.unwrap()[0].differences, 0);
}

#[tokio::test]
async fn every_folder_adds_up() {
    let (world, _dir, project, engine, movers) = moved().await;
    let mut first = true;
    world.target.by_hand(&AccountId::new(LOGIN), |_, message| (!std::mem::take(&mut first)).then(|| message.clone()));
    world.put(&world.inbox, 50, "Subject: late\r\n\r\n\r\n");
    engine.pass(&project, &movers, Half::Pull).await.unwrap();
    let found = engine.verify(&project, &movers, Depth::Shape).await.unwrap().remove(0);
    let folder = |name: &str| found.folders.iter().find(|folder| folder.folder == name).unwrap();
    for folder in &found.folders {
        assert_eq!(folder.source, folder.done + folder.owed + folder.quarantined + folder.excluded, "{folder:?}");
    }
    let inbox = folder("Inbox");
    assert_eq!((inbox.source, inbox.done, inbox.owed), (5, 4, 1));
    let there = inbox.there.as_ref().unwrap();
    assert_eq!((there.ours, there.missing, there.duplicates), (3, 1, 0));
    assert!(folder("Empty").is_plain() && !inbox.is_plain());
}

/// Conversions whose edition can be raised: the second writes another subject and names it, the third cannot.
pub struct Editions(pub AtomicU32);

impl Render for Editions {
    fn edition(&self, _: Workload) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
    fn tables(&self, _: Workload) -> Digest {
        Digest::of(b"")
    }
    fn render(
        &self,
        _: Workload,
        original: &dyn Original,
        _: &Audience,
        out: &mut dyn Write,
    ) -> Result<Rendered, Fault> {
        let mut text = String::new();
        original.open("mime").unwrap().read_to_string(&mut text).unwrap();
        if self.edition(MAIL) == 1 || !text.contains("Subject: 5") {
            out.write_all(text.as_bytes()).unwrap();
            return Ok(Rendered { same_as: Some("mime".into()), ..Rendered::default() });
        }
        if self.edition(MAIL) == 3 {
            return Err(Fault::new(What::Unmappable, "there is no word for it"));
        }
        out.write_all(text.replace("Subject: 5", "Subject: five").as_bytes()).unwrap();
        Ok(Rendered { losses: vec![Loss::new("spelt_out", "the number")], ..Rendered::default() })
    }
    fn facts(&self, _: Workload, facts: &Facts, _: &Profile) -> (Facts, Vec<Loss>) {
        (facts.clone(), Vec::new())
    }
    fn handover(&self, _: Workload, _: &dyn Original, _: &dyn Fn(&str) -> Option<String>) -> Vec<Handover> {
        Vec::new()
    }
}

impl Meaning for Editions {
    fn differences(
        &self,
        _: Workload,
        original: &dyn Original,
        _: &Setting,
        rendering: &mut dyn Read,
        losses: &[Loss],
    ) -> std::io::Result<Vec<String>> {
        let [there, here] = texts(original, rendering)?;
        let named = losses.iter().any(|loss| loss.name == "spelt_out");
        Ok(if there == here || named { Vec::new() } else { vec!["another subject".into()] })
    }
}

#[tokio::test]
async fn an_earlier_edition_is_compared_as_it_was_placed_and_replaced_only_when_asked() {
    let (world, dir) = (World::new(true), project().await);
    let (project, conversions) = (opened(&dir).await, Arc::new(Editions(AtomicU32::new(1))));
    let mut engine = world.engine();
    (engine.render, engine.meaning) = (conversions.clone(), conversions.clone());
    let movers = world.pass(&engine, &project).await.unwrap();
    conversions.0.store(2, Ordering::SeqCst);
    engine.pass(&project, &movers, Half::Both).await.unwrap();
    let found = engine.verify(&project, &movers, Depth::Content).await.unwrap().remove(0);
    assert_eq!((found.compared, found.differences, found.outdated), (7, 0, 7));
    assert_eq!(world.target.placed(), 7, "nobody asked for another edition");
    assert_eq!(engine.rerender(&project, &movers).await.unwrap(), 1);
    engine.pass(&project, &movers, Half::Push { repair: false }).await.unwrap();
    let standing = world.standing();
    assert_eq!((standing.len(), world.target.placed()), (7, 8), "{standing:#?}");
    assert!(standing.iter().any(|line| line.contains("Subject: five")));
    assert!(!standing.iter().any(|line| line.contains("Subject: 5")), "the old one is withdrawn");
    let found = engine.verify(&project, &movers, Depth::Content).await.unwrap().remove(0);
    assert_eq!((found.compared, found.differences, found.outdated), (7, 0, 0));
    assert_eq!(engine.rerender(&project, &movers).await.unwrap(), 0);
}

/// A rendering that says something else than its original, and names no loss, is found though its bytes stand there.
#[tokio::test]
async fn a_rendering_that_lies_is_unfaithful() {
    let (world, dir) = (World::new(true), project().await);
    let (project, conversions) = (opened(&dir).await, Arc::new(Editions(AtomicU32::new(2))));
    let mut engine = world.engine();
    engine.render = conversions.clone();
    engine.meaning = Arc::new(Strict);
    let movers = world.pass(&engine, &project).await.unwrap();
    assert_eq!(engine.verify(&project, &movers, Depth::Shape).await.unwrap()[0].differences, 0);
    assert_eq!(engine.verify(&project, &movers, Depth::Content).await.unwrap()[0].differences, 1);
    assert_eq!(kinds(&project, &world).await, ["unfaithful"]);
}

/// Excuses nothing.
struct Strict;

impl Meaning for Strict {
    fn differences(
        &self,
        workload: Workload,
        original: &dyn Original,
        setting: &Setting,
        rendering: &mut dyn Read,
        _: &[Loss],
    ) -> std::io::Result<Vec<String>> {
        Editions(AtomicU32::new(1)).differences(workload, original, setting, rendering, &[])
    }
}

#[tokio::test]
async fn what_left_quarantine_is_tried_again() {
    let (world, _dir, project, engine, movers) = moved().await;
    let store = project.open_account(&world.account.id).await.unwrap();
    world.put(&world.inbox, 51, "Subject: odd\r\n\r\n\r\n");
    engine.pass(&project, &movers, Half::Pull).await.unwrap();
    let odd = store.explain("m51").await;
    let item = match odd.unwrap().first() {
        Some(explained) => explained.item,
        None => panic!("m51 is not known"),
    };
    let from = store.placements_of(item).await.unwrap();
    assert!(from.is_empty());
    let collection = store.collections(MAIL).await.unwrap().into_iter().find(|row| row.collection.id == world.inbox);
    let fault = Fault::new(What::TooLarge, "too large for the target").skip(Cause::OverTargetLimit);
    let from = Some(collection.unwrap().key);
    store.record_fault(item, transhume::store::Side::Target, from, &fault).await.unwrap();
    engine.pass(&project, &movers, Half::Push { repair: false }).await.unwrap();
    assert_eq!(world.standing().len(), 7, "what is in quarantine stays there");
    assert_eq!(engine.release(&project, &movers, Half::Push { repair: false }).await.unwrap(), 1);
    engine.pass(&project, &movers, Half::Push { repair: false }).await.unwrap();
    assert_eq!(world.standing().len(), 8);
    assert_eq!(engine.release(&project, &movers, Half::Push { repair: false }).await.unwrap(), 0);
}

#[tokio::test]
async fn a_damaged_store_stops_its_own_account_and_no_other() {
    let (world, dir) = (World::new(true), project().await);
    let bob = world.source.add_account("bob@example.org");
    world.source.put(
        &bob.id,
        &transhume_contract::CollectionId::new("folder-0"),
        "b1",
        transhume_contract::Content::Fixed,
        Facts::default(),
        "Subject: bob\r\n\r\n\r\n".to_owned(),
    );
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    let folder = std::fs::read_dir(dir.path().join("accounts")).unwrap().next().unwrap().unwrap().path();
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        std::fs::remove_file(folder.join(name)).ok();
    }
    std::fs::write(folder.join("store.db"), "no database, but long enough to be looked at\n".repeat(200)).unwrap();
    let (project, ear) = (opened(&dir).await, Arc::new(Ear::default()));
    let engine = world.engine_with(world.source.clone(), world.target.clone(), ear.clone());
    let wish = |address: &str, login: &str| transhume::engine::Wish {
        source: address.into(),
        target: login.into(),
        wave: "1".into(),
    };
    let wishes = [wish("ada@example.org", LOGIN), wish("bob@example.org", "bob")];
    let (movers, _) = transhume::engine::muster(&project, &wishes).await.unwrap();
    engine.pass(&project, &movers, Half::Both).await.unwrap();
    assert_eq!(world.target.standing(&AccountId::new("bob")).len(), 1, "bob's mail moves all the same");
    let stopped = |event: &Event| match event {
        Event::Stopped { account, fault } => {
            Some((account.clone(), fault.next_step().is_some(), fault.sentence.clone()))
        }
        _ => None,
    };
    let told: Vec<_> = ear.0.lock().unwrap().iter().filter_map(stopped).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].0 == "ada@example.org" && told[0].1 && told[0].2.contains("is damaged"), "{told:?}");
    let found = engine.verify(&project, &movers, Depth::Shape).await.unwrap();
    assert!(found[0].fault.is_some() && found[1].fault.is_none() && found[1].compared == 1);
}
