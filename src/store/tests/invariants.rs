//! The invariants of the store, one test each. (I5 is in `crash`; I6 belongs to the verbs, the store has none that
//! deletes.)

use super::fixture::*;
use crate::store::{Opening, PlacementState, Project, Resolution, Shape, Stop, StoreOptions};
use bytes::Bytes;
use transhume_contract::{Amended, Content, Digest, Facts, ItemId, OriginalSink, Version};

#[tokio::test]
async fn i1_rows_and_cursor_commit_together() {
    for (stop, rows) in [(Stop::Before, 0), (Stop::After, 2)] {
        let fixture = Fixture::new().await;
        begin(&fixture.store().await, &["inbox"]).await;
        // This run: run row, pass, round, page.
        let project =
            fixture.project_with(StoreOptions { stop_at_commit: Some((4, stop)), ..Default::default() }).await.unwrap();
        let store = project.open_account(&account().id).await.unwrap();
        let number = store.begin_pass(MAIL).await.unwrap();
        let listing = store.resume_feed(number, &feed("inbox")).await.unwrap().unwrap();
        let page = more(vec![only_in("a", "1", "inbox"), only_in("b", "1", "inbox")], "c1");
        store.commit_page(number, &feed("inbox"), &listing, page).await.unwrap_err();
        drop((store, project));

        let store = fixture.store().await;
        let number = begin(&store, &["inbox"]).await;
        let listing = store.resume_feed(number, &feed("inbox")).await.unwrap().unwrap();
        assert_eq!(store.totals(MAIL).await.unwrap().listed.items, rows, "{stop:?}");
        assert_eq!(listing.from.is_some(), rows > 0, "{stop:?}");
    }
}

#[tokio::test]
async fn i2_bytes_are_durable_before_a_row_names_them() {
    let fixture = Fixture::new().await;
    let store = fixture.store().await;
    pass(&store, vec![("inbox", vec![only_in("a", "1", "inbox")])]).await;
    let bytes = noise(300 << 10, 1);
    fetch(&store, "a", &bytes).await;
    let digest = Digest::of(&bytes).hex();
    let folder = fixture.path().join("accounts/anna@contoso.example/blobs");
    let file = folder.join(&digest[..2]).join(&digest[2..]);
    assert_eq!(std::fs::read(file).unwrap(), bytes, "the file is named by its hash and holds the bytes themselves");
    assert_eq!(std::fs::read_dir(folder.join("held")).unwrap().count(), 0, "nothing is left half way");
}

#[tokio::test]
async fn i3_an_intent_is_on_disk_before_anything_is_sent() {
    let fixture = Fixture::new().await;
    let store = fixture.store().await;
    pass(&store, vec![("inbox", vec![only_in("a", "1", "inbox")])]).await;
    fetch(&store, "a", b"hello").await;
    let at = ensure(&store, "inbox").await;
    let intent = intend(&store, &to_place(&store, "inbox").await[0], at).await;
    drop(store);
    // The process ends here, before it heard what became of it.
    let store = fixture.store().await;
    let open = open_intents(&store, at).await;
    assert_eq!(open.len(), 1);
    assert_eq!((&open[0].id, open[0].stored.digest), (&intent, Digest::of(b"hello")));
    assert_eq!(store.targets_with_open_intents(MAIL).await.unwrap(), [at]);
}

#[tokio::test]
async fn i4_an_open_intent_is_not_offered_again_until_it_is_resolved() {
    let fixture = Fixture::new().await;
    let store = fixture.store().await;
    pass(&store, vec![("inbox", vec![only_in("a", "1", "inbox")])]).await;
    fetch(&store, "a", b"hello").await;
    let at = ensure(&store, "inbox").await;
    let what = to_place(&store, "inbox").await.remove(0);
    let intent = intend(&store, &what, at).await;
    assert_eq!(to_place(&store, "inbox").await, [], "nobody may place it a second time");

    store.resolve(vec![Resolution::NotSent { intent: intent.clone() }]).await.unwrap();
    assert_eq!(to_place(&store, "inbox").await.len(), 1, "find did not find it, so it is owed again");
    assert_eq!(intend(&store, &what, at).await, intent, "the same attempt has the same name");
    store.resolve(vec![Resolution::Placed { intent: intent.clone(), placed: placed("7") }]).await.unwrap();
    assert_eq!(to_place(&store, "inbox").await, []);
    let twice = store.resolve(vec![Resolution::Placed { intent, placed: placed("8") }]).await;
    assert!(twice.is_err(), "an intent is resolved once");
    assert_eq!(store.totals(MAIL).await.unwrap().placed.items, 1);
}

/// A target may name files by it: those of a second project would be taken for the first one's.
#[tokio::test]
async fn i4_the_same_attempt_of_another_project_has_another_name() {
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let store = Fixture::fresh().await;
        pass(&store, vec![("inbox", vec![only_in("a", "1", "inbox")])]).await;
        fetch(&store, "a", b"hello").await;
        let at = ensure(&store, "inbox").await;
        names.insert(intend(&store, &to_place(&store, "inbox").await[0], at).await.as_str().to_owned());
    }
    assert_eq!(names.len(), 2);
}

#[tokio::test]
async fn i7_originals_are_immutable() {
    let fixture = Fixture::new().await;
    let store = fixture.store().await;
    let draft = |version| altered(only_in("a", version, "drafts"), |it| it.content = Some(Content::FollowsVersion));
    pass(&store, vec![("drafts", vec![draft("1")])]).await;
    let first = fetch(&store, "a", b"first").await;
    pass(&store, vec![("drafts", vec![draft("2")])]).await;
    assert_eq!(to_fetch(&store, &["drafts"]).await, ["a"]);
    let second = fetch(&store, "a", b"second").await;
    assert_ne!(first.original, second.original);
    let explained = store.explain("a").await.unwrap().remove(0);
    let digests: Vec<_> = explained.originals.iter().map(|original| original.parts[0].digest.unwrap()).collect();
    assert_eq!(digests, [Digest::of(b"first"), Digest::of(b"second")], "the first is still there, untouched");
    for sql in
        ["DELETE FROM original", "UPDATE original SET version = 'x'", "DELETE FROM part", "UPDATE part SET length = 0"]
    {
        let refused = store.write(move |db| Ok(db.execute(sql, [])?)).await.unwrap_err();
        assert!(refused.sentence.contains("immutable"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn i7_the_journal_only_grows() {
    let store = Fixture::fresh().await;
    store.note("begun", "for the test").await.unwrap();
    for sql in ["DELETE FROM journal", "UPDATE journal SET event = 'x'"] {
        store.write(move |db| Ok(db.execute(sql, [])?)).await.unwrap_err();
    }
    assert_eq!(store.journal(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn i8_the_same_rendering_cannot_have_two_results() {
    let store = Fixture::fresh().await;
    pass(&store, vec![("inbox", vec![only_in("a", "1", "inbox")])]).await;
    fetch(&store, "a", b"hello").await;
    let item = key(&store, "a").await;
    let original = store.original(item).await.unwrap().unwrap();
    let mut rendering = unchanged(item, &original);
    let first = store.record_renderings(vec![rendering.clone()]).await.unwrap();
    assert_eq!(store.record_renderings(vec![rendering.clone()]).await.unwrap(), first);
    rendering.shape = Shape::Bytes(Bytes::from_static(b"other"));
    store.record_renderings(vec![rendering]).await.unwrap_err();
}

#[tokio::test]
async fn i9_a_large_part_is_never_held_in_memory() {
    let store = Fixture::fresh().await;
    pass(&store, vec![("inbox", vec![only_in("a", "1", "inbox")])]).await;
    let item = key(&store, "a").await;
    let mut sink = store.original_sink(item, &Version::new("1")).await.unwrap();
    sink.open(part("mime")).await.unwrap();
    for number in 0..64 {
        sink.write(noise(1 << 20, number).into()).await.unwrap();
    }
    sink.close().await.unwrap();
    let done = sink.complete(&Facts::default()).await.unwrap();
    assert_eq!(done.bytes, 64 << 20);
    if let Some(peak) = peak_resident() {
        assert!(peak < 250 << 20, "{} MiB", peak >> 20);
    }
}

/// This process's highest resident set so far, other tests included.
fn peak_resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10)
}

#[tokio::test]
async fn i10_what_was_lost_there_is_not_placed_again_unless_repaired() {
    let store = Fixture::fresh().await;
    let here = || vec![("inbox", vec![only_in("a", "1", "inbox")]), ("old", vec![])];
    pass(&store, here()).await;
    fetch(&store, "a", b"hello").await;
    push(&store, "inbox").await;
    let placement = store.placements_of(key(&store, "a").await).await.unwrap().remove(0);
    store.record_lost(placement.key, None).await.unwrap();
    pass(&store, here()).await;
    assert_eq!(push(&store, "inbox").await, 0);

    // It moves at the source: the loss moves with it.
    pass(&store, vec![("inbox", vec![]), ("old", vec![only_in("a", "1", "old")])]).await;
    assert_eq!(push(&store, "old").await, 0);
    assert_eq!(store.totals(MAIL).await.unwrap().lost.items, 1);

    store.repair(placement.key).await.unwrap();
    assert_eq!(push(&store, "old").await, 1);
    let states: Vec<_> = store.placements_of(placement.item).await.unwrap().iter().map(|one| one.state).collect();
    assert_eq!(states, [PlacementState::Superseded, PlacementState::Present]);
}

#[tokio::test]
async fn i10_the_base_of_a_merge_is_what_the_source_last_wanted() {
    let store = Fixture::fresh().await;
    pass(&store, vec![("inbox", vec![only_in("a", "1", "inbox")])]).await;
    fetch(&store, "a", b"hello").await;
    push(&store, "inbox").await;
    let read = |version| altered(only_in("a", version, "inbox"), |it| it.facts.read = Some(true));
    pass(&store, vec![("inbox", vec![read("2")])]).await;
    let at = ensure(&store, "inbox").await;
    let due = store.placements_to_amend(at, None, 10).await.unwrap().remove(0);
    assert_eq!((due.placement.facts.read, due.facts.read), (Some(false), Some(true)));
    let facts = Facts { read: Some(false), answered: Some(true), ..due.facts.clone() };
    assert_eq!(due.placement.base, due.placement.facts, "what was placed is what the source wanted");
    // What is begun is known until its outcome is; twice the same is once.
    for _ in 0..2 {
        store.begin_amending(vec![(due.placement.key, due.facts.clone())]).await.unwrap();
    }
    store.begin_amending(vec![(due.placement.key, facts.clone())]).await.unwrap();
    let begun = store.placements_to_amend(at, None, 10).await.unwrap().remove(0).placement.begun;
    assert_eq!(begun, [due.facts.amendable(), facts.amendable()]);
    let base = Facts { read: Some(true), ..facts.amendable() };
    let (changed_there, losses) = (vec!["read".to_owned()], Vec::new());
    let amended = Amended { facts: facts.clone(), base: base.clone(), changed_there, losses };
    store.record_amended(vec![(due.placement.key, due.revision, amended)]).await.unwrap();
    assert_eq!(store.placements_to_amend(at, None, 10).await.unwrap(), []);
    let placement = store.placements_of(due.placement.item).await.unwrap().remove(0);
    assert_eq!((placement.facts, placement.base, placement.begun), (facts, base, Vec::new()));
    assert_eq!(store.differences(MAIL, 0, 10).await.unwrap()[0].kind, "changed_there");
}

#[tokio::test]
async fn a_reader_goes_on_beside_a_run_and_cannot_write() {
    let fixture = Fixture::new().await;
    let running = fixture.store().await;
    pass(&running, vec![("inbox", vec![only_in("a", "1", "inbox")])]).await;
    let project = Project::open(fixture.path(), Opening::Reading, StoreOptions::default()).await.unwrap();
    let reading = project.open_account(&account().id).await.unwrap();
    assert_eq!(reading.totals(MAIL).await.unwrap().listed.items, 1);
    pass(&running, vec![("inbox", vec![only_in("b", "1", "inbox")])]).await;
    assert!(reading.item_by_id(MAIL, &ItemId::new("b")).await.unwrap().is_some());
    reading.begin_pass(MAIL).await.unwrap_err();
}
