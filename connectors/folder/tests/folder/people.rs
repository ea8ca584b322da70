//! What people do on the target between passes is theirs.

use std::fs;
use std::path::Path;

use transhume_contract::{Amending, Facts, FlagState, IntentId, NaturalKey, Role, Target, Wanted, What, Workload};

use crate::subject::{Subject, facts};

const TEXT: &str = "Message-ID: <1@x>\r\nSubject: once\r\n\r\nbody\r\n";

/// What a mail reader does when somebody changes flags.
fn reflag(file: &Path, flags: &str) {
    let name = file.file_name().unwrap().to_str().unwrap();
    let (base, _) = name.split_once(":2,").unwrap();
    fs::rename(file, file.with_file_name(format!("{base}:2,{flags}"))).unwrap();
}

#[tokio::test]
async fn a_flag_they_changed_stays_and_what_only_the_source_changed_is_set() {
    let on = Subject::new();
    let at = on.ensure(&["Flags"]).await;
    let placement = on.placement(&at, "m", TEXT, facts()).await;
    reflag(&on.files("Flags")[0], "S");
    let want = Facts { read: Some(false), flag: Some(FlagState::Flagged), ..facts() };
    let amended = on.amend(&placement, want).await.unwrap();
    assert_eq!((amended.facts.read, amended.facts.flag), (Some(true), Some(FlagState::Flagged)));
    assert!(amended.changed_there.is_empty(), "the source did not change it: {:?}", amended.changed_there);
    // They unread it and answered; the source only takes the flag back.
    let base = transhume_contract::Placement { facts: amended.facts.clone(), ..placement };
    reflag(&on.files("Flags")[0], "R");
    let want = Facts { flag: Some(FlagState::None), read: Some(false), answered: Some(false), ..amended.facts };
    let amended = on.amend(&base, want).await.unwrap();
    assert_eq!(amended.facts.answered, Some(true));
    assert!(on.files("Flags")[0].to_str().unwrap().ends_with(":2,R"));
}

#[tokio::test]
async fn where_both_sides_changed_the_target_wins_and_is_named() {
    let on = Subject::new();
    let at = on.ensure(&["Both"]).await;
    let placed = Facts { categories: Some(vec!["Green".into(), "Red".into()]), ..facts() };
    let placement = on.placement(&at, "m", TEXT, placed).await;
    reflag(&on.files("Both")[0], "");
    let want = Facts { categories: Some(vec!["Blue".into(), "Green".into()]), read: Some(true), ..facts() };
    let amended = on.amend(&placement, want).await.unwrap();
    // Each keyword by itself: what they took away stays away, and what is new comes. In none of them both changed.
    assert!(amended.changed_there.is_empty(), "{:?}", amended.changed_there);
    assert_eq!((amended.facts.read, &amended.facts.categories), (Some(true), &Some(vec!["Blue".into()])));
    // They set `Green` again (its letter is `a`, and that of `Blue` is `c`) just as the source takes it away.
    reflag(&on.files("Both")[0], "Sac");
    let placement = transhume_contract::Placement { facts: amended.facts, ..placement };
    let want = Facts { categories: Some(vec!["Blue".into()]), read: Some(true), ..facts() };
    let change = Amending { base: amended.base, ..Amending::first(IntentId::new("m"), placement, want) };
    let mut amended = on.target.amend(&at, vec![change]).await.unwrap().remove(0).1.unwrap();
    assert_eq!(amended.changed_there, ["categories"]);
    amended.facts.categories.get_or_insert_default().sort();
    assert_eq!(amended.facts.categories, Some(vec!["Blue".into(), "Green".into()]));
}

#[tokio::test]
async fn a_flag_they_set_and_a_keyword_they_took_away_outlive_every_change_at_the_source() {
    let on = Subject::new();
    let at = on.ensure(&["Keywords"]).await;
    let words = |list: &[&str]| Facts { categories: Some(list.iter().map(|&word| word.into()).collect()), ..facts() };
    let mut placement = on.placement(&at, "m", TEXT, words(&["Kept", "Red"])).await;
    // Letters are given in the order of the names: `Kept` is `a`.
    reflag(&on.files("Keywords")[0], "Fa");
    let mut base = placement.facts.clone();
    for (source, stands) in [
        (&["Kept", "New", "Red"][..], &["Kept", "New"][..]),
        (&["Kept"], &["Kept"]),
        (&["Red"], &[]),
        (&["Red", "New"], &["New"]),
    ] {
        let change = Amending { base, ..Amending::first(IntentId::new("m"), placement.clone(), words(source)) };
        let amended = on.target.amend(&at, vec![change]).await.unwrap().remove(0).1.unwrap();
        (placement.facts, base) = (amended.facts, amended.base);
        let mut seen = on.observe(&at).await.remove(0).facts;
        seen.categories.get_or_insert_default().sort();
        assert_eq!((seen.categories, seen.flag), (words(stands).categories, Some(FlagState::Flagged)), "{source:?}");
    }
}

#[tokio::test]
async fn unknown_letters_and_foreign_messages_are_left_alone() {
    let on = Subject::new();
    let at = on.ensure(&["Theirs"]).await;
    let placement = on.placement(&at, "m", TEXT, facts()).await;
    reflag(&on.files("Theirs")[0], "ST");
    fs::write(on.folder("Theirs").join("new/123.their.host"), "Subject: theirs\n\n").unwrap();
    on.amend(&placement, Facts { answered: Some(true), ..facts() }).await.unwrap();
    assert!(on.files("Theirs")[0].to_str().unwrap().ends_with(":2,RST"));
    let seen = on.observe(&at).await;
    assert_eq!(seen.len(), 2, "what is in new is seen too");
    on.target.settle(&at).await.unwrap();
    let csv = fs::read_to_string(on.home().join("manifest/Theirs.csv")).unwrap();
    assert!(!csv.contains("their.host"), "the manifest names what was placed");
    assert!(on.folder("Theirs").join("new/123.their.host").exists());
}

#[tokio::test]
async fn withdrawing_refuses_what_they_read_or_edited_and_what_is_gone_is_vanished() {
    let on = Subject::new();
    let at = on.ensure(&["Withdraw"]).await;
    let read = on.placement(&at, "read", TEXT, facts()).await;
    reflag(&on.files("Withdraw")[0], "S");
    assert_eq!(on.target.withdraw(&read).await.unwrap_err().what, What::Forbidden);
    let edited = on.placement(&at, "edited", TEXT, facts()).await;
    let file = on.files("Withdraw").into_iter().find(|file| file.to_str().unwrap().ends_with(":2,")).unwrap();
    fs::write(&file, TEXT.replace("once", "1234")).unwrap();
    assert_eq!(on.target.withdraw(&edited).await.unwrap_err().what, What::Forbidden);
    fs::remove_file(&file).unwrap();
    assert_eq!(on.target.withdraw(&edited).await.unwrap_err().what, What::Vanished);
    assert_eq!(on.amend(&edited, facts()).await.unwrap_err().what, What::Vanished);
    assert_eq!(on.files("Withdraw").len(), 1);
}

#[tokio::test]
async fn a_folder_they_renamed_is_followed_by_every_verb_and_by_its_children() {
    let on = Subject::new();
    let at = on.ensure(&["Old"]).await;
    let placement = on.placement(&at, "m", TEXT, facts()).await;
    fs::rename(on.folder("Old"), on.folder("New")).unwrap();
    on.amend(&placement, Facts { read: Some(true), ..facts() }).await.unwrap();
    let known = Some(at.id.clone());
    let again = on.target.ensure(&Wanted { known, ..on.want(&["Old"], Role::Ordinary) }).await.unwrap();
    assert_eq!((&again.id, again.name.as_str()), (&at.id, "New"));
    let parent = Some(at.id.clone());
    let child = on.target.ensure(&Wanted { parent, ..on.want(&["Old", "Child"], Role::Ordinary) }).await.unwrap();
    assert_eq!(child.name, "New/Child");
    on.target.settle(&at).await.unwrap();
    assert!(on.home().join("manifest/New.csv").exists());
    fs::remove_dir_all(on.folder("New")).unwrap();
    let fault = on.target.withdraw(&placement).await.unwrap_err();
    assert_eq!((fault.what, fault.reach), (What::Vanished, transhume_contract::Reach::Collection));
}

#[tokio::test]
async fn a_folder_they_made_is_told_and_can_be_looked_through() {
    let on = Subject::new();
    let ours = on.ensure(&["Ours"]).await;
    let placement = on.placement(&ours, "m", TEXT, facts()).await;
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(on.folder("Theirs").join(part)).unwrap();
    }
    fs::create_dir_all(on.folder("No Maildir").join("cur")).unwrap();
    let file = on.files("Ours").remove(0);
    fs::rename(&file, on.folder("Theirs").join("cur").join(file.file_name().unwrap())).unwrap();
    let others = on.target.others(&on.account(), Workload::Mail, std::slice::from_ref(&ours.id)).await.unwrap();
    let names: Vec<_> = others.iter().map(|other| other.name.as_str()).collect();
    assert_eq!(names, ["INBOX", "Theirs"]);
    let length = TEXT.len() as u64;
    let (key, digest) = (Some("<1@x>".to_owned()), placement.digest);
    let key = NaturalKey { intent: IntentId::new("m"), key, digest, length, name: None };
    assert_eq!(on.target.find(&others[1], &[key]).await.unwrap().len(), 1);
}
