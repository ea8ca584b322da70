//! An amending that was cut in half or refused, and what comes after it.

use crate::{
    people::{Both, flag, keywords, read},
    proof::{kinds, moved},
    world::{Ear, LOGIN, World, project},
};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;
use transhume::{
    engine::{Engine, Event, Policy},
    store::{Opening, Project, Stop, StoreOptions},
};
use transhume_contract::{AccountId, Content, Facts, FlagState, ItemId, Workload};

fn deadly(commit: u64, stop: Stop) -> StoreOptions {
    StoreOptions { stop_at_commit: Some((commit, stop)), ..StoreOptions::default() }
}

/// A draft that is written on after the run that amends it died, and perhaps the next one too.
struct Draft {
    world: World,
    dir: TempDir,
}

impl Draft {
    fn write(&self, text: &str, read: bool) {
        let facts = Facts { draft: Some(true), read: Some(read), ..Facts::default() };
        let (own, inbox) = (&self.world.account.id, &self.world.inbox);
        let text = format!("Subject: draft\r\n\r\n{text}\r\n");
        self.world.source.put(own, inbox, "draft", Content::FollowsVersion, facts, text);
    }

    /// Answers how many commits it made, if it did not die.
    async fn run(&self, options: StoreOptions) -> u64 {
        self.world.run(&self.world.engine(), self.dir.path(), options).await.unwrap_or(0)
    }

    /// Placed, read at the source, and perhaps brought so.
    async fn read_at_the_source(options: StoreOptions) -> (Self, u64) {
        let draft = Self { world: World::new(true), dir: project().await };
        draft.write("first", false);
        draft.run(StoreOptions::default()).await;
        draft.world.source.edit(&draft.world.account.id, &ItemId::new("draft"), &read(true));
        let commits = draft.run(options).await;
        (draft, commits)
    }

    /// Every draft that stands: whether it is read, and its text.
    fn standing(&self) -> Vec<(Option<bool>, String)> {
        let all = self.world.target.standing(&AccountId::new(LOGIN)).into_iter().map(|(_, message)| message);
        let drafts = all.filter(|message| message.bytes.starts_with(b"Subject: draft"));
        drafts.map(|message| (message.facts.read, String::from_utf8_lossy(&message.bytes[18..]).into())).collect()
    }
}

#[tokio::test]
async fn a_draft_is_not_doubled_where_death_cut_its_amending_in_half() {
    let (draft, first) = Draft::read_at_the_source(StoreOptions::default()).await;
    draft.write("second", true);
    let second = draft.run(StoreOptions::default()).await + 3;
    for commit in 1..=first {
        for stop in [Stop::Before, Stop::After] {
            // The second death is at another commit each time.
            for then in [commit, second.saturating_sub(commit)] {
                let (draft, _) = Draft::read_at_the_source(deadly(commit, stop)).await;
                draft.write("second", true);
                draft.run(deadly(then, stop)).await;
                draft.run(StoreOptions::default()).await;
                let one = [(Some(true), "second\r\n".to_owned())];
                assert_eq!(draft.standing(), one, "commits {commit} and {then}, {stop:?}");
            }
        }
    }
}

fn withdrawing(world: &World) -> Engine {
    let policy = Policy { withdraw_deleted: true, ..Policy::default() };
    Engine { policy, ..world.engine() }
}

/// The sentences of all that is owed.
async fn owed(world: &World, dir: &Path) -> Vec<String> {
    let project = Project::open(dir, Opening::Reading, StoreOptions::default()).await.unwrap();
    let store = project.open_account(&world.account.id).await.unwrap();
    let setbacks = store.setbacks(Workload::Mail, None, 10).await.unwrap();
    setbacks.into_iter().map(|setback| setback.fault.sentence).collect()
}

#[tokio::test]
async fn what_was_deleted_is_withdrawn_where_death_cut_its_amending_in_half() {
    let first = Both::placed(&read(false)).await;
    first.world.source.edit(&first.world.account.id, &ItemId::new("m05"), &read(true));
    let commits = first.world.run(&first.world.engine(), first.dir.path(), StoreOptions::default()).await.unwrap();
    for commit in 1..=commits {
        for stop in [Stop::Before, Stop::After] {
            let Both { world, dir } = Both::placed(&read(false)).await;
            world.source.edit(&world.account.id, &ItemId::new("m05"), &read(true));
            let _death_or_fewer_commits = world.run(&world.engine(), dir.path(), deadly(commit, stop)).await;
            world.source.remove(&world.account.id, &ItemId::new("m05"));
            world.run(&withdrawing(&world), dir.path(), StoreOptions::default()).await.unwrap();
            assert_eq!(owed(&world, dir.path()).await, Vec::<String>::new(), "commit {commit} {stop:?}");
            assert_eq!(world.standing().len(), 6, "commit {commit} {stop:?}");
        }
    }
}

#[tokio::test]
async fn what_they_flagged_is_not_withdrawn_whenever_it_was_seen() {
    for (seen, taken_back) in [(false, false), (true, false), (true, true)] {
        let both = Both::placed(&read(false)).await;
        both.people(&flag(FlagState::Flagged));
        if seen {
            both.source(&read(true)).await;
        }
        if taken_back {
            both.people(&flag(FlagState::None));
            both.source(&read(false)).await;
        }
        let Both { world, dir } = both;
        world.source.remove(&world.account.id, &ItemId::new("m05"));
        for _ in 0..2 {
            world.run(&withdrawing(&world), dir.path(), StoreOptions::default()).await.unwrap();
            let (owed, stand) = (owed(&world, dir.path()).await, world.standing().len());
            assert_eq!((owed.len(), stand), if taken_back { (0, 6) } else { (1, 7) }, "seen: {seen}");
            assert!(owed.iter().all(|sentence| sentence.contains("changed there since")), "{owed:?}");
        }
    }
}

/// It was never done, so what stands there later is their doing, whatever we had wanted.
#[tokio::test]
async fn what_they_set_after_we_were_refused_it_is_theirs() {
    let both = Both::placed(&read(false)).await;
    both.world.target.refuse_amending(true);
    both.source(&read(true)).await;
    assert_eq!(both.stands().read, Some(false));
    both.people(&read(true));
    both.world.target.refuse_amending(false);
    for change in [read(false), keywords(&["Rot"])] {
        both.source(&change).await;
        assert_eq!(both.stands().read, Some(true), "after {change:?}");
    }
    assert_eq!(both.stands().categories, keywords(&["Rot"]).categories);
}

#[tokio::test]
async fn a_keyword_of_their_own_is_no_conflict() {
    let (world, _dir, project, _, _) = moved().await;
    let both = Both { world, dir: tempfile::tempdir().unwrap() };
    both.people(&keywords(&["eigen"]));
    let ear = Arc::new(Ear::default());
    let engine = both.world.engine_with(both.world.source.clone(), both.world.target.clone(), ear.clone());
    let mut told = Vec::new();
    for (source, people) in [(&["Rot"][..], None), (&["Rot", "eigen"], Some(&["Rot"])), (&["Rot"], None)] {
        both.world.source.edit(&both.world.account.id, &ItemId::new("m05"), &keywords(source));
        if let Some(people) = people {
            both.people(&keywords(people));
        }
        both.world.pass(&engine, &project).await.unwrap();
        let heard = std::mem::take(&mut *ear.0.lock().unwrap());
        let conflicts = heard.iter().filter(|event| matches!(event, Event::ChangedThere { .. })).count();
        told.push((conflicts, kinds(&project, &both.world).await.len()));
    }
    // Only the second time both decided: they took away the word that the source set.
    assert_eq!(told, [(0, 0), (1, 1), (0, 1)]);
    assert_eq!(both.stands().categories, keywords(&["Rot"]).categories);
}
