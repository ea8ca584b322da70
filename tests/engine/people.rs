//! What people do at the target between passes is theirs.

use crate::{
    proof::{kinds, moved},
    world::{Ear, LOGIN, World, project},
};
use futures::StreamExt;
use std::sync::Arc;
use tempfile::TempDir;
use transhume::{
    engine::{Engine, Event, Half},
    store::{NewVerdict, Project, Stop, StoreOptions, Subject},
};
use transhume_contract::{
    AccountId, Content, Depth, Facts, FlagState, ItemId, Target, Workload, memory::Standing, wrappers::Rehearsal,
};

#[tokio::test]
async fn a_flag_they_changed_stays() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.target.by_hand(&AccountId::new(LOGIN), |_, message| {
        let facts = Facts { flag: Some(FlagState::Complete), ..message.facts.clone() };
        Some(Standing { facts, ..message.clone() })
    });
    let change = Facts { flag: Some(FlagState::Flagged), read: Some(true), ..Facts::default() };
    world.source.edit(&world.account.id, &ItemId::new("m05"), &change);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    let standing = world.standing();
    assert!(standing.iter().all(|line| line.contains("Complete")), "{standing:#?}");
    let changed = standing.iter().find(|line| line.contains("Subject: 5")).unwrap();
    assert!(changed.contains("Some(true)"), "what they did not touch follows the source: {changed}");
}

#[tokio::test]
async fn what_they_deleted_stays_deleted_even_when_it_changes_or_moves_at_the_source() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.target.by_hand(&AccountId::new(LOGIN), |_, _| None);
    world.source.edit(&world.account.id, &ItemId::new("m02"), &Facts { read: Some(false), ..Facts::default() });
    world.source.shift(&world.account.id, &ItemId::new("m05"), &world.archive);
    for _ in 0..2 {
        world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
        assert_eq!(world.standing(), Vec::<String>::new());
    }
    world.put(&world.inbox, 60, "Subject: after\r\n\r\n\r\n");
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    assert_eq!(world.standing().len(), 1, "what is new arrives all the same");
}

#[tokio::test]
async fn a_folder_they_renamed_is_followed() {
    let (world, dir) = (World::new(true), project().await);
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.target.rename_by_hand(&AccountId::new(LOGIN), &["Inbox", "Archive/2019"], &["Papers"]);
    world.put(&world.archive, 61, "Subject: late\r\n\r\n\r\n");
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    let late = world.standing().into_iter().find(|line| line.contains("late")).unwrap();
    assert!(late.starts_with("Papers "), "{late}");
}

/// Takes the first messages that begin so out of the inbox, and gives them.
fn take_from_inbox(world: &World, most: usize, begin: &str) -> Vec<Standing> {
    let mut taken = Vec::new();
    world.target.by_hand(&AccountId::new(LOGIN), |path, message| {
        let meant = path.len() == 1 && taken.len() < most && message.bytes.starts_with(begin.as_bytes());
        taken.extend(meant.then(|| message.clone()));
        (!meant).then(|| message.clone())
    });
    taken
}

fn put_into_archive(world: &World, message: Standing) {
    world.target.put_by_hand(&AccountId::new(LOGIN), &["Inbox".to_owned(), "Archive/2019".to_owned()], message);
}

#[tokio::test]
async fn what_they_filed_elsewhere_is_no_difference_and_is_not_placed_again() {
    for depth in [Depth::Presence, Depth::Shape, Depth::Content] {
        let (world, _dir, project, engine, movers) = moved().await;
        let message = take_from_inbox(&world, 1, "Subject: 5").remove(0);
        // As long as what they moved, and not the same.
        put_into_archive(&world, Standing { bytes: "Subject: X\r\n\r\nbody\r\n".into(), ..message.clone() });
        put_into_archive(&world, message);
        let before = world.standing();
        for _ in 0..2 {
            let found = engine.verify(&project, &movers, depth).await.unwrap().remove(0);
            assert_eq!((found.compared, found.differences, found.moved, found.others), (7, 0, 1, 1), "{depth:?}");
            assert_eq!(kinds(&project, &world).await, ["changed_there", "extra"]);
            engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
            assert_eq!((world.standing(), world.target.placed()), (before.clone(), 7));
        }
    }
}

/// A mailbox of their own making, that no placement ever named.
fn own_mailbox(world: &World, name: &str) -> Vec<String> {
    let path = vec![name.to_owned()];
    world.target.make_by_hand(&AccountId::new(LOGIN), &path);
    path
}

#[tokio::test]
async fn what_they_filed_in_a_mailbox_of_their_own_is_no_difference_and_is_not_placed_again() {
    for depth in [Depth::Presence, Depth::Shape, Depth::Content] {
        let (world, _dir, project, engine, movers) = moved().await;
        let theirs = own_mailbox(&world, "Customers");
        for message in take_from_inbox(&world, 3, "Subject: ") {
            world.target.put_by_hand(&AccountId::new(LOGIN), &theirs, message);
        }
        let before = world.standing();
        for _ in 0..2 {
            let found = engine.verify(&project, &movers, depth).await.unwrap().remove(0);
            assert_eq!((found.compared, found.differences, found.moved, found.others), (7, 0, 3, 0), "{depth:?}");
            assert_eq!(kinds(&project, &world).await, ["changed_there"; 3]);
            engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
            assert_eq!((world.standing(), world.target.placed()), (before.clone(), 7));
        }
    }
}

/// What is marked as deleted is gone with the next expunge: it proves nothing.
#[tokio::test]
async fn what_they_marked_as_deleted_elsewhere_is_missing() {
    let (world, _dir, project, engine, movers) = moved().await;
    let theirs = own_mailbox(&world, "Customers");
    let message = take_from_inbox(&world, 1, "Subject: 5").remove(0);
    put_into_archive(&world, Standing { deleted: true, ..message.clone() });
    world.target.put_by_hand(&AccountId::new(LOGIN), &theirs, Standing { deleted: true, ..message });
    let found = engine.verify(&project, &movers, Depth::Content).await.unwrap().remove(0);
    assert_eq!((found.differences, found.moved), (1, 0));
    engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
    assert_eq!(world.target.placed(), 8);
}

/// A message in a mailbox of theirs answers for one placement, in this process and in the next.
#[tokio::test]
async fn of_equal_ones_one_filed_in_a_mailbox_of_their_own_answers_for_one() {
    let (world, _dir, project, engine, movers) = moved().await;
    let theirs = own_mailbox(&world, "Customers");
    let mut equal = take_from_inbox(&world, 7, "Subject: 2");
    let missing = equal.len() as u64 - 1;
    assert!(missing > 0 && equal.iter().all(|one| one.bytes == equal[0].bytes));
    world.target.put_by_hand(&AccountId::new(LOGIN), &theirs, equal.remove(0));
    let found = engine.verify(&project, &movers, Depth::Content).await.unwrap().remove(0);
    assert_eq!((found.compared, found.differences, found.moved), (7, missing, 1));
    engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
    assert_eq!((world.standing().len(), world.target.placed()), (7, 7 + missing));
    let found = engine.verify(&project, &movers, Depth::Content).await.unwrap().remove(0);
    assert_eq!((found.compared, found.differences, found.moved), (7, 0, 1));
}

/// One message answers for one placement, also where it was filed beside an equal one of ours.
#[tokio::test]
async fn of_equal_ones_that_they_took_away_only_those_are_restored_that_stand_nowhere() {
    let (world, _dir, project, engine, movers) = moved().await;
    world.put(&world.archive, 70, "Subject: 2\r\n\r\nbody\r\n");
    engine.pass(&project, &movers, Half::Both).await.unwrap();
    let twin = take_from_inbox(&world, 2, "Subject: 2").remove(0);
    put_into_archive(&world, twin);
    let found = engine.verify(&project, &movers, Depth::Content).await.unwrap().remove(0);
    assert_eq!((found.compared, found.differences, found.moved, found.others), (8, 1, 1, 0));
    assert_eq!(kinds(&project, &world).await, ["changed_there", "missing"]);
    engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
    assert_eq!((world.standing().len(), world.target.placed()), (8, 9));
}

/// Missing when it was looked, put back since, and written into.
#[tokio::test]
async fn what_they_put_back_altered_is_not_doubled_by_a_repair() {
    for lost_by_a_push in [false, true] {
        let (world, _dir, project, engine, movers) = moved().await;
        let login = AccountId::new(LOGIN);
        let backup = world.target.backup(&login);
        take_from_inbox(&world, 1, "Subject: 5");
        take_from_inbox(&world, 1, "Subject: 4");
        if lost_by_a_push {
            world.source.edit(&world.account.id, &ItemId::new("m05"), &read(true));
            world.pass(&engine, &project).await.unwrap();
        }
        assert_eq!(engine.verify(&project, &movers, Depth::Content).await.unwrap()[0].differences, 2);
        world.target.restore_by_hand(&login, &backup);
        world.target.by_hand(&login, |_, message| match () {
            () if message.bytes.starts_with(b"Subject: 4") => None,
            () if message.bytes.starts_with(b"Subject: 5") => {
                Some(Standing { bytes: "Subject: theirs\r\n\r\n".into(), ..message.clone() })
            }
            () => Some(message.clone()),
        });
        for _ in 0..2 {
            engine.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
            assert_eq!((world.standing().len(), world.target.placed()), (7, 8), "only what stands nowhere is placed");
            engine.verify(&project, &movers, Depth::Content).await.unwrap();
            assert_eq!(kinds(&project, &world).await, ["altered"], "lost by a push: {lost_by_a_push}");
        }
    }
}

/// As if verification had been interrupted before it looked elsewhere for what is missing.
async fn not_looked_for_elsewhere(project: &Project, world: &World) {
    let store = project.open_account(&world.account.id).await.unwrap();
    let all = store.differences(Workload::Mail, 0, 100).await.unwrap();
    let moved = all.into_iter().find(|verdict| verdict.kind == "changed_there").unwrap();
    let new = |subject, kind: &str, detail| NewVerdict {
        workload: Workload::Mail,
        subject,
        depth: Depth::Content,
        kind: kind.into(),
        detail,
    };
    let collections = store.target_collections(Workload::Mail).await.unwrap();
    let (key, archive) = collections.into_iter().find(|(_, at)| at.name == "Inbox/Archive/2019").unwrap();
    let seen: Vec<_> = world.target.observe(&archive, Depth::Shape.into()).collect().await;
    let last = seen.into_iter().map(Result::unwrap).max_by_key(|seen| seen.handle.as_str().parse::<u64>().unwrap());
    let (handle, bytes) = last.map(|last| (last.handle, last.length)).unwrap();
    let extra = new(Subject::Extra(key, handle), "extra", serde_json::json!({ "bytes": bytes }));
    let missing = new(moved.subject, "missing", serde_json::json!({}));
    store.record_verdicts(vec![missing, extra]).await.unwrap();
}

#[tokio::test]
async fn a_dry_repair_says_what_it_would_leave_to_people() {
    let (world, _dir, project, engine, movers) = moved().await;
    take_from_inbox(&world, 1, "Subject: 4");
    let taken = take_from_inbox(&world, 1, "Subject: 5").remove(0);
    assert_eq!(engine.verify(&project, &movers, Depth::Content).await.unwrap()[0].differences, 2);
    put_into_archive(&world, taken.clone());
    let found = engine.verify(&project, &movers, Depth::Content).await.unwrap().remove(0);
    assert_eq!((found.differences, found.moved), (1, 1));
    not_looked_for_elsewhere(&project, &world).await;
    let ear = Arc::new(Ear::default());
    let target = Arc::new(Rehearsal::new(world.target.clone()));
    let dry = Engine { rehearsing: true, ..world.engine_with(world.source.clone(), target, ear.clone()) };
    let before = (kinds(&project, &world).await, world.standing());
    dry.pass(&project, &movers, Half::Push { repair: true }).await.unwrap();
    let note = |event: &Event| match event {
        Event::Note { sentence, .. } => Some(sentence.clone()),
        _ => None,
    };
    let notes: Vec<_> = ear.0.lock().unwrap().iter().filter_map(note).collect();
    for begin in ["1 that people filed elsewhere would stay there", "1 missing in Inbox would be placed again"] {
        assert!(notes.iter().any(|note| note.starts_with(begin)), "{notes:#?}");
    }
    assert_eq!((kinds(&project, &world).await, world.standing()), before, "a dry run writes nothing down");
}

/// One message, `m05`, that both sides change: pass after pass.
pub struct Both {
    pub world: World,
    pub dir: TempDir,
}

impl Both {
    /// Placed with these facts laid over its own.
    pub async fn placed(facts: &Facts) -> Self {
        let both = Self { world: World::new(true), dir: project().await };
        both.source(facts).await;
        both
    }

    /// The source changes it, and a pass brings that.
    pub async fn source(&self, patch: &Facts) {
        self.world.source.edit(&self.world.account.id, &ItemId::new("m05"), patch);
        self.world.run(&self.world.engine(), self.dir.path(), StoreOptions::default()).await.unwrap();
    }

    pub fn people(&self, patch: &Facts) {
        self.world.target.by_hand(&AccountId::new(LOGIN), |_, message| {
            let mut message = message.clone();
            if message.bytes.starts_with(b"Subject: 5") {
                message.facts.apply(patch);
            }
            Some(message)
        });
    }

    pub fn stands(&self) -> Facts {
        let all = self.world.target.standing(&AccountId::new(LOGIN));
        let five = all.into_iter().find(|(_, message)| message.bytes.starts_with(b"Subject: 5")).unwrap().1;
        let mut facts = five.facts.amendable();
        facts.categories.get_or_insert_default().sort();
        facts
    }
}

pub fn flag(flag: FlagState) -> Facts {
    Facts { flag: Some(flag), ..Facts::default() }
}

pub fn read(read: bool) -> Facts {
    Facts { read: Some(read), ..Facts::default() }
}

pub fn keywords(words: &[&str]) -> Facts {
    Facts { categories: Some(words.iter().map(|&word| word.to_owned()).collect()), ..Facts::default() }
}

#[tokio::test]
async fn a_flag_they_set_outlives_every_later_change_of_something_else() {
    let both = Both::placed(&read(false)).await;
    both.people(&flag(FlagState::Flagged));
    for change in [read(true), keywords(&["Rot"]), read(false), keywords(&["Blau"])] {
        both.source(&change).await;
        assert_eq!(both.stands().flag, Some(FlagState::Flagged), "after {change:?}");
    }
    assert_eq!((both.stands().read, both.stands().categories), (Some(false), keywords(&["Blau"]).categories));
}

#[tokio::test]
async fn a_flag_they_changed_outlives_a_source_that_changes_it_too_and_back() {
    for seen_between in [false, true] {
        let both = Both::placed(&read(false)).await;
        both.people(&read(true));
        if seen_between {
            both.source(&keywords(&["Rot"])).await;
        }
        for back_and_forth in [true, false, true, false] {
            both.source(&read(back_and_forth)).await;
            assert_eq!(both.stands().read, Some(true), "seen between: {seen_between}");
        }
        // They take it back themselves: then all agree, and it follows the source again.
        both.people(&read(false));
        both.source(&keywords(&["Blau"])).await;
        both.source(&read(true)).await;
        assert_eq!(both.stands().read, Some(true));
        both.source(&read(false)).await;
        assert_eq!(both.stands().read, Some(false));
    }
}

#[tokio::test]
async fn a_flag_they_took_away_stays_away() {
    let both = Both::placed(&flag(FlagState::Flagged)).await;
    both.people(&flag(FlagState::None));
    for change in [read(true), read(false), flag(FlagState::None), flag(FlagState::Flagged), read(true)] {
        both.source(&change).await;
        assert_eq!(both.stands().flag, Some(FlagState::None), "after {change:?}");
    }
    assert_eq!(both.stands().read, Some(true), "what they did not touch follows the source");
}

#[tokio::test]
async fn keywords_are_merged_one_by_one() {
    let both = Both::placed(&keywords(&["Rot", "Neu"])).await;
    both.people(&keywords(&["Rot", "eigen"]));
    for (source, stands) in [
        (&["Rot", "Neu", "Blau"][..], &["Blau", "Rot", "eigen"][..]),
        (&["Neu", "Blau"], &["Blau", "eigen"]),
        (&[], &["eigen"]),
        (&["eigen"], &["eigen"]),
        (&["Neu", "Alt"], &["Alt", "eigen"]),
    ] {
        both.source(&keywords(source)).await;
        assert_eq!(both.stands().categories, keywords(stands).categories, "after {source:?}");
    }
}

#[tokio::test]
async fn what_they_changed_is_no_difference_once_a_pass_has_seen_it() {
    let (world, _dir, project, engine, movers) = moved().await;
    let both = Both { world, dir: tempfile::tempdir().unwrap() };
    both.people(&flag(FlagState::Flagged));
    for change in [read(true), keywords(&["Rot"])] {
        both.world.source.edit(&both.world.account.id, &ItemId::new("m05"), &change);
        both.world.pass(&engine, &project).await.unwrap();
        assert_eq!(engine.verify(&project, &movers, Depth::Content).await.unwrap()[0].differences, 0);
    }
    assert_eq!(both.stands().flag, Some(FlagState::Flagged));
}

/// What they set at a draft is theirs at the next one, too.
#[tokio::test]
async fn a_flag_they_set_at_a_draft_goes_over_to_the_newer_one() {
    let (world, dir) = (World::new(true), project().await);
    let draft = |text: &str| {
        let facts = Facts { draft: Some(true), read: Some(true), ..Facts::default() };
        let text = format!("Subject: draft\r\n\r\n{text}\r\n");
        world.source.put(&world.account.id, &world.inbox, "draft", Content::FollowsVersion, facts, text);
    };
    let drafts = || {
        let all = world.target.standing(&AccountId::new(LOGIN)).into_iter().map(|(_, message)| message);
        all.filter(|message| message.bytes.starts_with(b"Subject: draft")).collect::<Vec<_>>()
    };
    draft("first");
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    world.target.by_hand(&AccountId::new(LOGIN), |_, message| {
        let facts = Facts { flag: Some(FlagState::Flagged), ..message.facts.clone() };
        Some(Standing { facts, ..message.clone() })
    });
    world.source.edit(&world.account.id, &ItemId::new("draft"), &keywords(&["Rot"]));
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    for text in ["second", "third"] {
        draft(text);
        world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
        let only = drafts().pop().unwrap();
        assert_eq!((drafts().len(), only.facts.flag), (1, Some(FlagState::Flagged)), "{text}");
        assert!(only.bytes.ends_with(format!("{text}\r\n").as_bytes()));
    }
    world.source.edit(&world.account.id, &ItemId::new("draft"), &flag(FlagState::Complete));
    world.run(&world.engine(), dir.path(), StoreOptions::default()).await.unwrap();
    assert_eq!(drafts()[0].facts.flag, Some(FlagState::Flagged));
}

/// Our own change stands there, and the run died before it could write that down: nobody's decision but ours.
#[tokio::test]
async fn a_change_of_ours_that_death_cut_in_half_is_not_taken_for_theirs() {
    let first = Both::placed(&read(false)).await;
    first.world.source.edit(&first.world.account.id, &ItemId::new("m05"), &read(true));
    let commits = first.world.run(&first.world.engine(), first.dir.path(), StoreOptions::default()).await.unwrap();
    for commit in 1..=commits {
        for stop in [Stop::Before, Stop::After] {
            let both = Both::placed(&read(false)).await;
            both.people(&flag(FlagState::Flagged));
            both.world.source.edit(&both.world.account.id, &ItemId::new("m05"), &read(true));
            let deadly = StoreOptions { stop_at_commit: Some((commit, stop)), ..StoreOptions::default() };
            let _death_or_fewer_commits = both.world.run(&both.world.engine(), both.dir.path(), deadly).await;
            for back_and_forth in [false, true, false] {
                both.source(&read(back_and_forth)).await;
                assert_eq!(both.stands().read, Some(back_and_forth), "commit {commit} {stop:?}");
                assert_eq!(both.stands().flag, Some(FlagState::Flagged), "commit {commit} {stop:?}");
            }
        }
    }
}
