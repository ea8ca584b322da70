//! Placing anew when asked (`--repair`, `--rerender`) with people at the target in between: nothing is doubled, nothing
//! they removed comes back, nothing they changed is lost.

use crate::{
    proof::{Editions, kinds, moved, opened},
    world::{Ear, LOGIN, World, project},
};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use transhume::{
    engine::{Event, Half, Wish, muster},
    store::{Stop, StoreOptions},
};
use transhume_contract::{AccountId, Depth, Facts, FlagState, ItemId, memory::Standing};

const REPAIR: Half = Half::Push { repair: true };
const PUSH: Half = Half::Push { repair: false };

fn login() -> AccountId {
    AccountId::new(LOGIN)
}

/// Changes the database of ada's account behind everybody's back.
fn behind(dir: &Path, world: &World, sql: &str) {
    let folders = std::fs::read_dir(dir.join("accounts")).unwrap().map(|entry| entry.unwrap().path());
    let own = |path: &std::path::PathBuf| {
        let db = rusqlite::Connection::open(path.join("store.db")).unwrap();
        let ids: i64 = db.query_row("SELECT count(*) FROM item WHERE id = 'm05'", [], |row| row.get(0)).unwrap();
        ids > 0
    };
    let folder = folders.into_iter().find(own).unwrap_or_else(|| panic!("no store of {}", world.account.address));
    rusqlite::Connection::open(folder.join("store.db")).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn repair_leaves_what_was_restored_under_its_own_handle() {
    let (world, _dir, project, engine, movers) = moved().await;
    let (before, backup) = (world.standing(), world.target.backup(&login()));
    world.target.by_hand(&login(), |_, _| None);
    assert_eq!(engine.verify(&project, &movers, Depth::Content).await.unwrap()[0].differences, 7);
    world.target.restore_by_hand(&login(), &backup);
    engine.pass(&project, &movers, REPAIR).await.unwrap();
    assert_eq!((world.standing(), world.target.placed()), (before, 7));
    assert!(kinds(&project, &world).await.is_empty());
}

/// Lost to a push, then put back by people, while a twin of it never left.
#[tokio::test]
async fn repair_finds_what_a_push_lost_and_people_put_back() {
    let (world, _dir, project, engine, movers) = moved().await;
    let (backup, mut first) = (world.target.backup(&login()), true);
    let a_twin = |message: &Standing| message.bytes.starts_with(b"Subject: 2");
    world
        .target
        .by_hand(&login(), |_, message| (!(a_twin(message) && std::mem::take(&mut first))).then(|| message.clone()));
    for id in ["m01", "m02"] {
        let change = Facts { flag: Some(FlagState::Flagged), ..Facts::default() };
        world.source.edit(&world.account.id, &ItemId::new(id), &change);
    }
    world.pass(&engine, &project).await.unwrap();
    engine.verify(&project, &movers, Depth::Content).await.unwrap();
    world.target.restore_by_hand(&login(), &backup);
    engine.pass(&project, &movers, REPAIR).await.unwrap();
    assert_eq!((world.standing().len(), world.target.placed()), (7, 7), "{:#?}", world.standing());
}

#[tokio::test]
async fn what_was_amended_or_moved_is_no_longer_missing() {
    let (world, _dir, project, engine, movers) = moved().await;
    let backup = world.target.backup(&login());
    world.target.by_hand(&login(), |_, _| None);
    engine.verify(&project, &movers, Depth::Content).await.unwrap();
    world.target.restore_by_hand(&login(), &backup);
    let read = Facts { read: Some(true), ..Facts::default() };
    world.source.edit(&world.account.id, &ItemId::new("m05"), &read);
    world.source.shift(&world.account.id, &ItemId::new("m04"), &world.archive);
    world.pass(&engine, &project).await.unwrap();
    assert_eq!(kinds(&project, &world).await, ["missing"; 5]);
    engine.pass(&project, &movers, REPAIR).await.unwrap();
    assert_eq!((world.standing().len(), world.target.placed()), (7, 7));
}

/// Killed at one commit, verified, run again, repaired: at a target that tells no handles.
async fn repaired_after_death_at(commit: u64) -> (Vec<String>, u64) {
    let (world, dir) = (World::new(false), project().await);
    let deadly = StoreOptions { stop_at_commit: Some((commit, Stop::After)), ..StoreOptions::default() };
    let _death_or_fewer_commits = world.run(&world.engine(), dir.path(), deadly).await;
    let (project, engine) = (opened(&dir).await, world.engine());
    let wishes = [Wish { source: "ada@example.org".into(), target: LOGIN.into(), wave: "1".into() }];
    if let Ok((movers, _)) = muster(&project, &wishes).await {
        let _nothing_there_yet = engine.verify(&project, &movers, Depth::Content).await;
    }
    drop(project);
    world.run(&engine, dir.path(), StoreOptions::default()).await.unwrap();
    let project = opened(&dir).await;
    let (movers, _) = muster(&project, &wishes).await.unwrap();
    engine.pass(&project, &movers, REPAIR).await.unwrap();
    (world.standing(), world.target.placed())
}

#[tokio::test]
async fn repair_does_not_double_what_only_lacked_a_handle() {
    let (world, dir) = (World::new(false), project().await);
    let commits = world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    for commit in 1..=commits {
        assert_eq!(repaired_after_death_at(commit).await, (world.standing(), 7), "commit {commit} of {commits}");
    }
}

/// What came of another edition, with people at work between asking for it and the push that carries it out.
struct Anew {
    standing: Vec<String>,
    placed: u64,
    notes: Vec<String>,
}

impl Anew {
    fn with(&self, text: &str) -> Vec<&String> {
        self.standing.iter().filter(|line| line.contains(text)).collect()
    }
}

async fn rerendered(tells_handle: bool, people: impl FnOnce(&World)) -> Anew {
    let (world, dir, ear) = (World::new(tells_handle), project().await, Arc::new(Ear::default()));
    let (project, conversions) = (opened(&dir).await, Arc::new(Editions(AtomicU32::new(1))));
    let mut engine = world.engine_with(world.source.clone(), world.target.clone(), ear.clone());
    (engine.render, engine.meaning) = (conversions.clone(), conversions.clone());
    let movers = world.pass(&engine, &project).await.unwrap();
    conversions.0.store(2, Ordering::SeqCst);
    assert_eq!(engine.rerender(&project, &movers).await.unwrap(), 1);
    people(&world);
    for half in [Half::Both, PUSH] {
        engine.pass(&project, &movers, half).await.unwrap();
    }
    let note = |event: &Event| match event {
        Event::Note { sentence, .. } => Some(sentence.clone()),
        _ => None,
    };
    let notes = ear.0.lock().unwrap().iter().filter_map(note).collect();
    Anew { standing: world.standing(), placed: world.target.placed(), notes }
}

fn is_five(message: &Standing) -> bool {
    message.bytes.starts_with(b"Subject: 5")
}

#[tokio::test]
async fn another_rendering_does_not_bring_back_what_people_deleted() {
    for tells_handle in [true, false] {
        let delete = |world: &World| {
            world.target.by_hand(&login(), |_, message| (!is_five(message)).then(|| message.clone()));
        };
        let found = rerendered(tells_handle, delete).await;
        assert_eq!((found.standing.len(), found.placed), (6, 7), "{:#?}", found.standing);
    }
}

#[tokio::test]
async fn another_rendering_leaves_what_people_filed_elsewhere() {
    let file = |world: &World| {
        let five = world.target.standing(&login()).into_iter().find(|(_, message)| is_five(message)).unwrap().1;
        world.target.by_hand(&login(), |_, message| (!is_five(message)).then(|| message.clone()));
        world.target.put_by_hand(&login(), &["Inbox".to_owned(), "Archive/2019".to_owned()], five);
    };
    let found = rerendered(true, file).await;
    assert_eq!((found.standing.len(), found.placed), (7, 7), "{:#?}", found.standing);
    assert!(found.with("Subject: 5")[0].starts_with("Inbox>Archive/2019"));
}

#[tokio::test]
async fn another_rendering_keeps_the_flags_that_people_set() {
    for tells_handle in [true, false] {
        let flag = |world: &World| {
            world.target.by_hand(&login(), |_, message| {
                let facts = Facts { flag: Some(FlagState::Complete), ..message.facts.clone() };
                Some(Standing { facts, ..message.clone() })
            });
            let change = Facts { read: Some(true), ..Facts::default() };
            world.source.edit(&world.account.id, &ItemId::new("m05"), &change);
        };
        let found = rerendered(tells_handle, flag).await;
        assert_eq!((found.standing.len(), found.placed), (7, 8), "{:#?}", found.standing);
        let five = found.with("Subject: five");
        assert_eq!(five.len(), 1, "{:#?}", found.standing);
        assert!(five[0].contains("Complete") && five[0].contains("Some(true)"), "{five:?}");
    }
}

#[tokio::test]
async fn another_rendering_leaves_what_people_wrote_into_and_says_so() {
    let write = |world: &World| {
        world.target.by_hand(&login(), |_, message| match is_five(message) {
            true => Some(Standing { bytes: "Subject: 5\r\n\r\ntheir words\r\n".into(), ..message.clone() }),
            false => Some(message.clone()),
        });
    };
    let found = rerendered(true, write).await;
    assert_eq!((found.standing.len(), found.placed), (7, 7), "{:#?}", found.standing);
    assert_eq!(found.with("their words").len(), 1);
    let sentence =
        "left as they stand at the target, which is not as they were placed, though they read otherwise now: 1 message";
    let told = found.notes.iter().filter(|note| *note == sentence);
    assert_eq!(told.count(), 1, "{:#?}", found.notes);
}

#[tokio::test]
async fn another_rendering_replaces_what_was_restored_under_its_own_handle() {
    let restore = |world: &World| {
        let backup = world.target.backup(&login());
        world.target.by_hand(&login(), |_, _| None);
        world.target.restore_by_hand(&login(), &backup);
    };
    let found = rerendered(true, restore).await;
    assert_eq!((found.standing.len(), found.with("Subject: five").len()), (7, 1), "{:#?}", found.standing);
}

#[tokio::test]
async fn what_cannot_be_rendered_anew_is_told_and_stays() {
    let (world, dir, ear) = (World::new(true), project().await, Arc::new(Ear::default()));
    let (project, conversions) = (opened(&dir).await, Arc::new(Editions(AtomicU32::new(1))));
    let mut engine = world.engine_with(world.source.clone(), world.target.clone(), ear.clone());
    engine.render = conversions.clone();
    let movers = world.pass(&engine, &project).await.unwrap();
    let before = world.standing();
    conversions.0.store(3, Ordering::SeqCst);
    ear.0.lock().unwrap().clear();
    assert_eq!(engine.rerender(&project, &movers).await.unwrap(), 0);
    let heard = std::mem::take(&mut *ear.0.lock().unwrap());
    let refused = |event: &&Event| matches!(event, Event::Refused { fault, .. } if fault.sentence.contains("no word"));
    let counted = |event: &&Event| matches!(event, Event::Note { sentence, .. } if sentence == "left as they stand, for they could not be rendered anew: 1 message");
    assert_eq!((heard.iter().filter(refused).count(), heard.iter().filter(counted).count()), (1, 1), "{heard:#?}");
    engine.pass(&project, &movers, PUSH).await.unwrap();
    assert_eq!(world.standing(), before);
}

#[tokio::test]
async fn rendering_anew_goes_on_after_an_account_that_cannot() {
    let (world, dir) = (World::new(true), project().await);
    let bob = world.source.add_account("bob@example.org");
    let (top, fixed) = (transhume_contract::CollectionId::new("folder-0"), transhume_contract::Content::Fixed);
    world.source.put(&bob.id, &top, "b1", fixed, Facts::default(), "Subject: 5\r\n\r\n\r\n".to_owned());
    let (ear, conversions) = (Arc::new(Ear::default()), Arc::new(Editions(AtomicU32::new(1))));
    let mut engine = world.engine_with(world.source.clone(), world.target.clone(), ear.clone());
    engine.render = conversions.clone();
    let wish = |source: &str, target: &str| Wish { source: source.into(), target: target.into(), wave: "1".into() };
    let wishes = [wish("ada@example.org", LOGIN), wish("bob@example.org", "bob")];
    let project = opened(&dir).await;
    world.pass(&engine, &project).await.unwrap();
    let (movers, _) = muster(&project, &wishes).await.unwrap();
    engine.pass(&project, &movers, Half::Both).await.unwrap();
    drop(project);
    behind(dir.path(), &world, "UPDATE placement SET facts = 'broken'");
    conversions.0.store(2, Ordering::SeqCst);
    let project = opened(&dir).await;
    assert_eq!(engine.rerender(&project, &movers).await.unwrap(), 1, "bob's is rendered anew");
    let stopped = |event: &&Event| matches!(event, Event::Stopped { account, .. } if account == "ada@example.org");
    assert_eq!(ear.0.lock().unwrap().iter().filter(stopped).count(), 1);
}

#[tokio::test]
async fn verification_and_rendering_anew_agree_on_what_is_outdated() {
    let (world, dir, project, engine, movers) = moved().await;
    drop(project);
    behind(dir.path(), &world, "UPDATE rendering SET profile = zeroblob(32)");
    let project = opened(&dir).await;
    assert_eq!(engine.verify(&project, &movers, Depth::Presence).await.unwrap()[0].outdated, 7);
    assert_eq!(engine.rerender(&project, &movers).await.unwrap(), 0);
    assert_eq!(engine.verify(&project, &movers, Depth::Presence).await.unwrap()[0].outdated, 0);
}

#[tokio::test]
async fn a_named_loss_outlives_a_change_of_flags() {
    let (world, dir) = (World::new(true), project().await);
    let (project, engine) = (opened(&dir).await, world.engine());
    let protect = Facts { protected: Some(true), ..Facts::default() };
    world.source.edit(&world.account.id, &ItemId::new("m05"), &protect);
    let names = async || {
        let store = project.open_account(&world.account.id).await.unwrap();
        let item = store.explain("m05").await.unwrap()[0].item;
        let placements = store.placements_of(item).await.unwrap();
        let losses = placements.into_iter().flat_map(|placement| placement.losses);
        losses.map(|loss| loss.name.to_string()).collect::<Vec<_>>()
    };
    world.pass(&engine, &project).await.unwrap();
    assert_eq!(names().await, ["rights_protected"]);
    let read = Facts { read: Some(true), ..Facts::default() };
    world.source.edit(&world.account.id, &ItemId::new("m05"), &read);
    world.pass(&engine, &project).await.unwrap();
    assert!(world.standing().iter().any(|line| line.contains("Subject: 5") && line.contains("Some(true)")));
    assert_eq!(names().await, ["rights_protected"]);
}

#[tokio::test]
async fn another_rendering_keeps_what_is_theirs_and_it_outlives_what_the_source_does_then() {
    let (world, dir) = (World::new(true), project().await);
    let (project, conversions) = (opened(&dir).await, Arc::new(Editions(AtomicU32::new(1))));
    let mut engine = world.engine();
    (engine.render, engine.meaning) = (conversions.clone(), conversions.clone());
    let movers = world.pass(&engine, &project).await.unwrap();
    world.target.by_hand(&login(), |_, message| {
        let facts = Facts { flag: Some(FlagState::Flagged), ..message.facts.clone() };
        Some(Standing { facts, ..message.clone() })
    });
    let source = |facts: &Facts| world.source.edit(&world.account.id, &ItemId::new("m05"), facts);
    source(&Facts { read: Some(true), ..Facts::default() });
    conversions.0.store(2, Ordering::SeqCst);
    assert_eq!(engine.rerender(&project, &movers).await.unwrap(), 1);
    let changes = [
        Facts { answered: Some(true), ..Facts::default() },
        Facts { forwarded: Some(true), ..Facts::default() },
        Facts { flag: Some(FlagState::Complete), ..Facts::default() },
    ];
    for change in changes {
        world.pass(&engine, &project).await.unwrap();
        let now = five(&world);
        assert_eq!(now.facts.flag, Some(FlagState::Flagged), "before {change:?}");
        assert_eq!(now.facts.read, Some(true));
        source(&change);
    }
    world.pass(&engine, &project).await.unwrap();
    assert_eq!((world.standing().len(), world.target.placed()), (7, 8));
    let now = five(&world);
    assert_eq!((now.facts.flag, now.facts.answered), (Some(FlagState::Flagged), Some(true)));
}

/// Of either edition.
fn five(world: &World) -> Standing {
    let five = |message: &Standing| is_five(message) || message.bytes.starts_with(b"Subject: five");
    world.target.standing(&login()).into_iter().find(|(_, message)| five(message)).unwrap().1
}
