#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The folder target: the conformance suite, and what other people's programs make of it.

mod crash;
mod people;
mod programs;
mod readers;
mod served;
mod subject;
mod vanished;
mod vdirs;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use subject::Subject;
use transhume_contract::{AccountId, Facts, Remedy, Severity, Target, What, conformance};
use transhume_folder::Folder;

#[tokio::test]
async fn it_conforms() {
    let on = Subject::new();
    let report = conformance::target(&on.target, &AccountId::new("ada@example.org")).await;
    assert!(report.passed(), "{report}");
}

#[tokio::test]
async fn a_27th_keyword_of_a_folder_is_a_named_loss() {
    let on = Subject::new();
    let at = on.ensure(&["Many"]).await;
    let facts = Facts { categories: Some((0..27).map(|n| format!("k{n:02}")).collect()), ..subject::facts() };
    let placed = on.place(&at, vec![subject::placing("one", "Subject: 1\r\n\r\n", facts)]).await.remove(0).unwrap();
    assert_eq!(placed.losses.len(), 1);
    assert_eq!(placed.losses[0].name, "keyword_refused");
    assert!(placed.losses[0].detail.contains("k26"), "{:?}", placed.losses);
    assert_eq!(on.observe(&at).await[0].facts.categories.as_ref().unwrap().len(), 26);
}

#[tokio::test]
async fn a_large_body_is_streamed_and_any_bytes_are_kept() {
    let on = Subject::new();
    let at = on.ensure(&["Large"]).await;
    let bytes: Vec<u8> = (0..=255).cycle().take(9 * 1024 * 1024 + 7).collect();
    let placed = on.place(&at, vec![subject::streamed("large", bytes.clone())]).await.remove(0).unwrap();
    let seen = on.observe(&at).await.remove(0);
    assert_eq!(Some(seen.handle), placed.handle);
    assert_eq!(seen.digest, Some(transhume_contract::Digest::of(&bytes)));
    assert_eq!(seen.length, Some(bytes.len() as u64));
}

#[tokio::test]
async fn a_body_that_is_not_what_it_says_is_refused_and_leaves_nothing() {
    let on = Subject::new();
    let at = on.ensure(&["Broken"]).await;
    let fault = on.place(&at, vec![subject::torn("torn")]).await.remove(0).unwrap_err();
    assert_eq!((fault.what, fault.remedy), (What::StoreBroken, Remedy::Report));
    assert!(on.files("Broken").is_empty());
    assert_eq!(fs::read_dir(on.folder("Broken").join("tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_found_by_check() {
    let root = tempfile::tempdir().unwrap();
    let target = Folder::open(root.path().join("out")).unwrap();
    assert_eq!(target.check(None).await.unwrap().worst(), None);
    assert!(!root.path().join("out").exists(), "looking makes nothing");
    // A file where the directory would be: true for root too, whom permissions do not stop.
    fs::write(root.path().join("out"), b"").unwrap();
    let access = target.check(None).await.unwrap();
    assert_eq!(access.worst(), Some(Severity::Blocker));
    assert!(!access.findings[0].fix.is_empty());
    assert!(Folder::open(root.path().join("out")).is_err());
}

#[tokio::test]
async fn the_manifest_names_what_stands_and_only_that() {
    let on = Subject::new();
    let at = on.ensure(&["Notes"]).await;
    let batch = (0..3).map(|n| {
        let text = format!("Message-ID: <{n}@x>\r\nSubject: {n}\r\n\r\nbody\r\n");
        subject::placing(&format!("m{n}"), &text, subject::facts())
    });
    on.place(&at, batch.collect()).await;
    on.target.settle(&at).await.unwrap();
    let csv = on.home().join("manifest/Notes.csv");
    let rows = fs::read_to_string(&csv).unwrap();
    assert_eq!(rows.lines().count(), 4, "{rows}");
    assert!(rows.starts_with("account,folder,file,message_id,size,blake3,received,flags,keywords\n"));
    let row: Vec<&str> = rows.lines().nth(1).unwrap().split(',').collect();
    assert!(rows.contains("<1@x>") && rows.contains("2025-03-01T10:00:00Z"), "{row:?}");
    let mode = fs::metadata(&csv).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "mail is nobody else's");

    // A torn journal, a file removed by hand, and one the journal never heard of.
    let journal = fs::read_dir(on.home().join("manifest")).unwrap().flatten().map(|entry| entry.path());
    let journal = journal.into_iter().find(|path| path.extension().is_some_and(|end| end == "jsonl")).unwrap();
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, &text[..text.len() - 20]).unwrap();
    fs::remove_file(&on.files("Notes")[0]).unwrap();
    on.target.settle(&at).await.unwrap();
    let again = fs::read_to_string(&csv).unwrap();
    assert_eq!(again.lines().count(), 3, "{again}");
    assert!(again.lines().skip(1).all(|row| rows.contains(row)), "{again}");
}
