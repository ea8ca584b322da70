//! A process that died and one that runs again.

use std::fs;

use transhume_contract::{Digest, IntentId, NaturalKey, Target};

use crate::subject::{Subject, facts, placing};

const TEXT: &str = "Message-ID: <1@x>\r\nSubject: once\r\n\r\nbody\r\n";

#[tokio::test]
async fn placing_the_same_intent_again_meets_its_own_file() {
    let on = Subject::new();
    let at = on.ensure(&["Again"]).await;
    let first = on.place(&at, vec![placing("intent", TEXT, facts())]).await.remove(0).unwrap();
    let second = on.place(&at, vec![placing("intent", TEXT, facts())]).await.remove(0).unwrap();
    assert_eq!(first, second);
    assert_eq!(on.files("Again").len(), 1);
    assert_eq!(fs::read_dir(on.folder("Again").join("tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_file_that_people_put_in_the_way_is_not_overwritten() {
    let on = Subject::new();
    let at = on.ensure(&["Way"]).await;
    on.place(&at, vec![placing("intent", TEXT, facts())]).await.remove(0).unwrap();
    fs::write(&on.files("Way")[0], "Subject: edited\r\n\r\n").unwrap();
    on.place(&at, vec![placing("intent", TEXT, facts())]).await.remove(0).unwrap();
    let texts: Vec<_> = on.files("Way").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_eq!(texts.len(), 2);
    assert!(texts.iter().any(|text| text.contains("edited")) && texts.iter().any(|text| text == TEXT));
}

#[tokio::test]
async fn what_stands_after_a_crash_is_found_and_a_half_written_file_is_not() {
    let on = Subject::new();
    let at = on.ensure(&["Found"]).await;
    let placed = on.place(&at, vec![placing("done", TEXT, facts())]).await.remove(0).unwrap();
    fs::write(on.folder("Found").join("tmp/0123.transhume"), &TEXT[..20]).unwrap();
    let key = |intent: &str, text: &str| NaturalKey {
        intent: IntentId::new(intent),
        key: None,
        digest: Digest::of(text.as_bytes()),
        length: text.len() as u64,
        name: None,
    };
    let found = on.target.find(&at, &[key("done", TEXT), key("half", "another")]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].intent, Some(&found[0].handle)), (&IntentId::new("done"), placed.handle.as_ref()));
    on.target.settle(&at).await.unwrap();
    assert_eq!(fs::read_dir(on.folder("Found").join("tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_move_that_was_done_before_the_crash_is_done() {
    let on = Subject::new();
    let (from, to) = (on.ensure(&["From"]).await, on.ensure(&["To"]).await);
    let placement = on.placement(&from, "moved", TEXT, facts()).await;
    let first = on.target.relocate(&placement, &to, None).await.unwrap();
    let second = on.target.relocate(&placement, &to, None).await.unwrap();
    assert_eq!(first.handle, second.handle);
    assert_eq!((on.files("From").len(), on.files("To").len()), (0, 1));
}

#[tokio::test]
async fn another_process_sees_the_same_collections() {
    let on = Subject::new();
    let at = on.ensure(&["A", "B"]).await;
    let again = transhume_folder::Folder::open(on.root.path()).unwrap();
    assert_eq!(again.identity(), on.target.identity());
    assert_eq!(again.ensure(&on.want(&["A", "B"], transhume_contract::Role::Ordinary)).await.unwrap().id, at.id);
}
