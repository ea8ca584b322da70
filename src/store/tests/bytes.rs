//! Bytes: what goes in comes out, small or large, and an interrupted part goes on.

use super::fixture::*;
use crate::store::{AccountStore, Shape, StoredSink};
use bytes::Bytes;
use proptest::prelude::*;
use tokio::io::AsyncReadExt;
use transhume_contract::{Body, Digest, Facts, OriginalSink, Part, Version, What};

async fn read(store: &AccountStore, digest: &Digest) -> Vec<u8> {
    let body = store.body(digest).await.unwrap();
    let mut bytes = Vec::new();
    body.open().await.unwrap().read_to_end(&mut bytes).await.unwrap();
    assert_eq!(body.length(), bytes.len() as u64);
    bytes
}

async fn listed_a(store: &AccountStore) -> StoredSink {
    pass(store, vec![("inbox", vec![only_in("a", "1", "inbox")])]).await;
    store.original_sink(key(store, "a").await, &Version::new("1")).await.unwrap()
}

#[tokio::test]
async fn every_size_comes_back_as_it_was() {
    let store = Fixture::fresh().await;
    let mut sink = listed_a(&store).await;
    let mut given = Vec::new();
    for (number, length) in
        [0, 1, 255, 256, 8 << 10, 64 << 10, (128 << 10) + 1, 1 << 20, (9 << 20) + 3].into_iter().enumerate()
    {
        for (kind, bytes) in [("noise", noise(length, 9)), ("text", b"abcd efgh ".repeat(length / 10))] {
            give(&mut sink, &format!("{kind}{number}"), &bytes).await;
            given.push(bytes);
        }
    }
    sink.complete(&Facts::default()).await.unwrap();
    let original = store.original(key(&store, "a").await).await.unwrap().unwrap();
    assert_eq!(original.parts.len(), given.len());
    for (part, bytes) in original.parts.iter().zip(given) {
        assert_eq!(part.digest, Digest::of(&bytes), "{}", part.name);
        assert_eq!(read(&store, &part.digest).await, bytes, "{}", part.name);
        let at_hand = store.body(&part.digest).await.unwrap().at_hand();
        assert_eq!(
            at_hand.is_some(),
            bytes.len() < 64 << 10 || part.length <= 128 << 10 && part.name.starts_with("text")
        );
    }
}

#[tokio::test]
async fn the_same_bytes_are_kept_once() {
    let store = Fixture::fresh().await;
    pass(&store, vec![("inbox", vec![only_in("a", "1", "inbox"), only_in("b", "1", "inbox")])]).await;
    fetch(&store, "a", b"the same newsletter").await;
    fetch(&store, "b", b"the same newsletter").await;
    let blobs: i64 =
        store.read(|db| Ok(db.query_row("SELECT count(*) FROM blob", [], |row| row.get(0))?)).await.unwrap();
    assert_eq!(blobs, 1);
}

#[tokio::test]
async fn a_large_part_goes_on_where_it_was_durable() {
    let fixture = Fixture::new().await;
    let store = fixture.store().await;
    let bytes = noise(20 << 20, 3);
    let mut sink = listed_a(&store).await;
    give(&mut sink, "small", b"closed before").await;
    assert_eq!(sink.open(part("mime")).await.unwrap(), 0);
    for chunk in bytes[..10 << 20].chunks(100_000) {
        sink.write(Bytes::copy_from_slice(chunk)).await.unwrap();
    }
    drop((sink, store));

    let store = fixture.store().await;
    let mut sink = store.original_sink(key(&store, "a").await, &Version::new("1")).await.unwrap();
    assert_eq!(sink.open(part("small")).await.unwrap(), 13, "it is whole");
    sink.close().await.unwrap();
    let held = sink.open(part("mime")).await.unwrap();
    assert!((8 << 20..10 << 20).contains(&held), "{held}");
    sink.write(Bytes::copy_from_slice(&bytes[usize::try_from(held).unwrap()..])).await.unwrap();
    sink.close().await.unwrap();
    sink.complete(&Facts::default()).await.unwrap();
    let original = store.original(key(&store, "a").await).await.unwrap().unwrap();
    assert_eq!(
        original.parts.iter().map(|part| part.digest).collect::<Vec<_>>(),
        [Digest::of(b"closed before"), Digest::of(&bytes)]
    );
    assert_eq!(read(&store, &Digest::of(&bytes)).await, bytes);
}

#[tokio::test]
async fn what_was_held_of_another_version_is_not_used() {
    let store = Fixture::fresh().await;
    let mut sink = listed_a(&store).await;
    give(&mut sink, "mime", &noise(200 << 10, 1)).await;
    drop(sink);
    let mut sink = store.original_sink(key(&store, "a").await, &Version::new("2")).await.unwrap();
    assert_eq!(sink.open(part("mime")).await.unwrap(), 0);
    sink.write(Bytes::from_static(b"new")).await.unwrap();
    sink.close().await.unwrap();
    sink.complete(&Facts::default()).await.unwrap();
    let original = store.original(key(&store, "a").await).await.unwrap().unwrap();
    assert_eq!((original.version, original.parts[0].digest), (Version::new("2"), Digest::of(b"new")));
}

#[tokio::test]
async fn a_part_can_start_again_and_an_original_can_take_another_shape() {
    let store = Fixture::fresh().await;
    let mut sink = listed_a(&store).await;
    sink.open(part("mime")).await.unwrap();
    sink.write(noise(500 << 10, 1).into()).await.unwrap();
    sink.restart().await.unwrap();
    sink.write(Bytes::from_static(b"cut")).await.unwrap();
    sink.close().await.unwrap();
    sink.clear().await.unwrap();
    give(&mut sink, "message", b"{}").await;
    give(&mut sink, "attachment/1", &noise(200 << 10, 2)).await;
    sink.complete(&Facts::default()).await.unwrap();
    let original = store.original(key(&store, "a").await).await.unwrap().unwrap();
    let names: Vec<_> = original.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["message", "attachment/1"]);
}

#[tokio::test]
async fn parts_of_a_failed_attempt_that_the_next_does_not_give_are_dropped() {
    let store = Fixture::fresh().await;
    let mut sink = listed_a(&store).await;
    give(&mut sink, "photo", &noise(200 << 10, 1)).await;
    drop(sink);
    fetch(&store, "a", b"without a photo").await;
    let original = store.original(key(&store, "a").await).await.unwrap().unwrap();
    assert_eq!(original.parts.len(), 1);
}

#[tokio::test]
async fn a_stream_shorter_than_announced_is_no_part() {
    let store = Fixture::fresh().await;
    let mut sink = listed_a(&store).await;
    sink.open(Part { length: Some(10), ..part("mime") }).await.unwrap();
    sink.write(Bytes::from_static(b"short")).await.unwrap();
    assert_eq!(sink.close().await.unwrap_err().what, What::Malformed);
    drop(sink);
    assert_eq!(to_fetch(&store, &["inbox"]).await, ["a"]);
}

#[tokio::test]
async fn bytes_that_were_altered_on_disk_are_not_given_out() {
    let fixture = Fixture::new().await;
    let store = fixture.store().await;
    let bytes = noise(300 << 10, 5);
    let mut sink = listed_a(&store).await;
    give(&mut sink, "small", b"some words in a row, some words in a row").await;
    give(&mut sink, "large", &bytes).await;
    sink.complete(&Facts::default()).await.unwrap();

    let hex = Digest::of(&bytes).hex();
    let path = fixture.path().join("accounts/anna@contoso.example/blobs").join(&hex[..2]).join(&hex[2..]);
    let mut on_disk = std::fs::read(&path).unwrap();
    on_disk[1000] ^= 1;
    std::fs::write(&path, on_disk).unwrap();
    let mut out = Vec::new();
    let body = store.body(&Digest::of(&bytes)).await.unwrap();
    body.open().await.unwrap().read_to_end(&mut out).await.unwrap_err();

    store.write(|db| Ok(db.execute("UPDATE blob SET data = x'00' WHERE data IS NOT NULL", [])?)).await.unwrap();
    let fault = store.body(&Digest::of(b"some words in a row, some words in a row")).await.unwrap_err();
    assert!(fault.sentence.contains("not those that were stored") && fault.next_step().is_some(), "{fault}");
    std::fs::remove_file(&path).unwrap();
    let gone = store.body(&Digest::of(&bytes)).await.unwrap().open().await.map(|_| ()).unwrap_err();
    assert_eq!(gone.what, What::StoreBroken);
}

#[tokio::test]
async fn a_rendering_of_any_length_is_written_as_it_is_made() {
    let store = Fixture::fresh().await;
    let sink = listed_a(&store).await;
    drop(sink);
    fetch(&store, "a", b"hello").await;
    let item = key(&store, "a").await;
    let original = store.original(item).await.unwrap().unwrap();
    for (edition, length) in [(2, 10), (3, 3 << 20)] {
        let bytes = noise(length, 4);
        let mut writer = store.blob_writer();
        for chunk in bytes.chunks(10_000) {
            writer.write(chunk).await.unwrap();
        }
        let stored = writer.finish().await.unwrap();
        let rendering =
            crate::store::NewRendering { edition, shape: Shape::Held(stored), ..unchanged(item, &original) };
        store.record_renderings(vec![rendering]).await.unwrap();
        assert_eq!(read(&store, &stored.digest).await, bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_chunking_gives_the_same_original(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..70_000), 0..8)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Fixture::fresh().await;
            let mut sink = listed_a(&store).await;
            sink.open(part("mime")).await.unwrap();
            for chunk in &chunks {
                sink.write(Bytes::copy_from_slice(chunk)).await.unwrap();
            }
            sink.close().await.unwrap();
            sink.complete(&Facts::default()).await.unwrap();
            let whole = chunks.concat();
            assert_eq!(read(&store, &Digest::of(&whole)).await, whole);
        });
    }
}
