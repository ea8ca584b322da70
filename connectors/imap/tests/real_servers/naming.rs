//! Which mailbox a folder becomes.

use crate::setting::{anna, dovecot, mailbox, place, placement, placing, target_at, wanted};
use std::collections::BTreeSet;
use transhume_contract::{Collection, Role, Target, Wanted, What, Workload};
use transhume_imap::ImapTarget;
use transhume_servers::{Cyrus, CyrusOptions, Dovecot, DovecotOptions, RawImap, Store};

async fn ensure(target: &ImapTarget, path: &[&str], role: Role) -> Collection {
    target.ensure(&wanted(path, role)).await.unwrap_or_else(|fault| panic!("{path:?}: {fault}"))
}

async fn again(target: &ImapTarget, path: &[&str], role: Role, known: &Collection) -> Collection {
    target.ensure(&Wanted { known: Some(known.id.clone()), ..wanted(path, role) }).await.unwrap()
}

/// Names that some server refuses or misreads.
const ODD: &[&str] = &[
    "a.b",
    "a_b",
    "a/b",
    "a\\b",
    "..",
    ".",
    "~home",
    "50% off",
    "a*b",
    "x;y",
    "{z}",
    "^",
    "say \"hi\"",
    "tab\there",
    "cur",
    "new",
    "tmp",
    "dbox-Mails",
    "Entw\u{fc}rfe & mehr",
    "&",
    "&-",
    "\u{65e5}\u{672c}\u{8a9e}",
    "\u{1f600} emoji",
    "e\u{301}",
    "\u{e9}",
    " leading",
    "trailing ",
    "INBOX",
    "inbox",
    "Sent",
    "Trash",
    "CaseT",
    "caset",
    "#shared",
    "a//b",
    "/",
];

async fn every_name_has_its_own_mailbox(port: u16) {
    let long = "l\u{e4}nger ".repeat(60);
    let longer = format!("{long}!");
    let target = target_at(port);
    let mut ids = BTreeSet::new();
    for name in ODD.iter().copied().chain([long.as_str(), longer.as_str()]) {
        let at = ensure(&target, &["Odd", name], Role::Ordinary).await;
        let answers = place(&target, &at, vec![placing(1)]).await;
        assert!(answers[0].1.is_ok(), "{name}: {:?}", answers[0].1);
        assert!(ids.insert(at.id.clone()), "{name:?} shares a mailbox: {}", at.id.as_str());
        let top = ensure(&target, &[name], Role::Ordinary).await;
        assert!(ids.insert(top.id.clone()), "{name:?} at the top shares a mailbox: {}", top.id.as_str());
        let later = again(&target_at(port), &["Odd", name], Role::Ordinary, &at).await;
        assert_eq!(later.id, at.id, "another process finds {name:?} again");
    }
    assert_eq!(ids.len(), 2 * (ODD.len() + 2));
}

#[tokio::test]
async fn odd_names_on_dovecot() {
    for store in [Store::Maildir, Store::MaildirFs, Store::Sdbox] {
        every_name_has_its_own_mailbox(dovecot(store).imap_port()).await;
    }
}

#[tokio::test]
async fn odd_names_on_cyrus() {
    let server = Cyrus::start(CyrusOptions::with_accounts(&["anna"])).unwrap();
    every_name_has_its_own_mailbox(server.imap_port()).await;
}

#[tokio::test]
async fn names_a_server_takes_stay_as_they_are() {
    let server = dovecot(Store::MaildirFs);
    let target = target_at(server.imap_port());
    for name in ["a.b", "50% off", "Entw\u{fc}rfe & mehr", "\u{1f600} emoji", "{z}"] {
        assert_eq!(ensure(&target, &[name], Role::Ordinary).await.name, name);
    }
    assert_eq!(ensure(&target, &["a/b"], Role::Ordinary).await.name, "a_b");
}

/// Another project finds the mailboxes that a first one made for names this server refuses, if it is to adopt them.
#[tokio::test]
async fn an_altered_name_that_holds_mail_is_adopted_only_when_asked() {
    let server = dovecot(Store::MaildirFs);
    let first = target_at(server.imap_port());
    let made = ensure(&first, &["Budget/Finances"], Role::Ordinary).await;
    assert!(place(&first, &made, vec![placing(1)]).await[0].1.is_ok());
    let adopting = || Wanted { adopt: true, ..wanted(&["Budget/Finances"], Role::Ordinary) };
    assert_eq!(target_at(server.imap_port()).ensure(&adopting()).await.unwrap().id, made.id);
    // Nobody asked: it is somebody else's. What was made beside it is found again by its mark.
    let beside = ensure(&target_at(server.imap_port()), &["Budget/Finances"], Role::Ordinary).await;
    assert_ne!(beside.id, made.id);
    assert_eq!(target_at(server.imap_port()).ensure(&adopting()).await.unwrap().id, beside.id);
    // Another folder of the same project has that name by right.
    let both = target_at(server.imap_port());
    let plain = ensure(&both, &["Budget_Finances"], Role::Ordinary).await;
    assert_ne!(both.ensure(&adopting()).await.unwrap().id, plain.id);
}

#[tokio::test]
async fn twelve_levels_and_long_names_fit_maildir() {
    let server = dovecot(Store::Maildir);
    let target = target_at(server.imap_port());
    let mut path: Vec<String> = Vec::new();
    let mut ids = BTreeSet::new();
    for level in 0..12 {
        path.push(format!("Ebene {level} mit einem recht langen Namen"));
        let segments: Vec<&str> = path.iter().map(String::as_str).collect();
        let at = ensure(&target, &segments, Role::Ordinary).await;
        assert!(place(&target, &at, vec![placing(level)]).await[0].1.is_ok());
        assert!(ids.insert(at.id));
    }
}

#[tokio::test]
async fn roles_land_in_the_servers_own_mailboxes() {
    let server = dovecot(Store::Maildir);
    let target = target_at(server.imap_port());
    let roles = [
        ("Gesendete Elemente", Role::Sent, "Sent"),
        ("Entw\u{fc}rfe", Role::Drafts, "Drafts"),
        ("Gel\u{f6}schte Elemente", Role::Deleted, "Trash"),
        ("Junk-E-Mail", Role::Junk, "Junk"),
        ("Archiv", Role::Archive, "Archive"),
        ("Posteingang", Role::Inbox, "INBOX"),
    ];
    for (name, role, mailbox) in roles {
        let at = ensure(&target, &[name], role).await;
        assert_eq!(at.name, mailbox);
        let child = Wanted { parent: Some(at.id.clone()), ..wanted(&[name, "Kind"], Role::Ordinary) };
        let child = target.ensure(&child).await.unwrap();
        assert!(child.id.as_str().ends_with(&format!("{mailbox}/Kind")), "{}", child.id.as_str());
    }
    let own = ensure(&target, &["Sent"], Role::Ordinary).await;
    assert_ne!(own.name, "Sent", "an ordinary folder of that name is not mixed into the server's");
}

#[tokio::test]
async fn roles_without_special_use_go_by_usual_names() {
    let options = DovecotOptions { special_folders: false, ..DovecotOptions::with_accounts(&["anna"]) };
    let server = Dovecot::start(options).unwrap();
    let mut hand = RawImap::login(server.imap_port(), "anna", "secret").unwrap();
    hand.command("CREATE \"Sent Items\"").unwrap();
    let target = target_at(server.imap_port());
    assert_eq!(ensure(&target, &["Gesendet"], Role::Sent).await.name, "Sent Items");
    assert_eq!(ensure(&target, &["M\u{fc}ll"], Role::Deleted).await.name, "Trash");
}

#[tokio::test]
async fn new_mailboxes_are_subscribed_and_later_choices_kept() {
    let server = dovecot(Store::Maildir);
    let target = target_at(server.imap_port());
    let at = ensure(&target, &["Abo", "Kind"], Role::Ordinary).await;
    let mut hand = RawImap::login(server.imap_port(), "anna", "secret").unwrap();
    assert!(hand.command("LSUB \"\" \"*\"").unwrap().text().contains("Abo/Kind"));
    hand.command("UNSUBSCRIBE \"Abo/Kind\"").unwrap();
    again(&target_at(server.imap_port()), &["Abo", "Kind"], Role::Ordinary, &at).await;
    assert!(!hand.command("LSUB \"\" \"*\"").unwrap().text().contains("Abo/Kind"));
}

async fn others(target: &ImapTarget, known: &[&Collection]) -> Vec<String> {
    let known: Vec<_> = known.iter().map(|at| at.id.clone()).collect();
    let others = target.others(&anna(), Workload::Mail, &known).await.unwrap();
    others.into_iter().map(|other| other.name).collect()
}

async fn renamed_and_deleted(port: u16) {
    let target = target_at(port);
    let at = ensure(&target, &["Projekt"], Role::Ordinary).await;
    let placed = placement(&target, &at, placing(1)).await;
    let mut hand = RawImap::login(port, "anna", "secret").unwrap();
    assert!(hand.command("RENAME Projekt Umbenannt").unwrap().is_ok());
    let target = target_at(port);
    let renamed = again(&target, &["Projekt"], Role::Ordinary, &at).await;
    assert_eq!(renamed.name, "Umbenannt");
    assert!(!others(&target, &[&at]).await.contains(&"Umbenannt".to_owned()), "it is the one that is known");
    assert!(others(&target, &[]).await.contains(&"Umbenannt".to_owned()));
    let child = Wanted { parent: Some(at.id.clone()), ..wanted(&["Projekt", "Kind"], Role::Ordinary) };
    assert!(target.ensure(&child).await.unwrap().id.as_str().ends_with("Umbenannt/Kind"), "new folders follow");

    hand.command("DELETE Umbenannt/Kind").unwrap();
    assert!(hand.command("DELETE Umbenannt").unwrap().is_ok());
    let target = target_at(port);
    let anew = again(&target, &["Projekt"], Role::Ordinary, &renamed).await;
    assert_ne!(anew.id, renamed.id);
    assert_eq!(anew.name, "Projekt");
    assert!(!others(&target, &[&at]).await.contains(&"Projekt".to_owned()), "what is known opens it");
    assert!(place(&target, &anew, vec![placing(2)]).await[0].1.is_ok());
    assert_eq!(target.withdraw(&placed).await.unwrap_err().what, What::Vanished, "the old message is not the new one");
}

#[tokio::test]
async fn a_folder_renamed_there_is_followed_and_a_deleted_one_made_anew() {
    renamed_and_deleted(dovecot(Store::Maildir).imap_port()).await;
    renamed_and_deleted(Cyrus::start(CyrusOptions::with_accounts(&["anna"])).unwrap().imap_port()).await;
}

/// Cyrus gives mailboxes made within one second one UIDVALIDITY, and tells them apart by MAILBOXID.
#[tokio::test]
async fn mailboxes_of_one_second_are_told_apart_by_their_mailboxid() {
    let server = Cyrus::start(CyrusOptions::with_accounts(&["anna"])).unwrap();
    let port = server.imap_port();
    let target = target_at(port);
    let names = ["Eins", "Zwei", "Drei", "Vier"];
    let mut made = Vec::new();
    for name in names {
        made.push(ensure(&target, &[name], Role::Ordinary).await);
    }
    let placed = placement(&target, &made[3], placing(1)).await;
    let mut hand = RawImap::login(port, "anna", "secret").unwrap();
    for command in ["RENAME Zwei Umbenannt", "DELETE Vier", "CREATE Vier", "APPEND Vier {6+}\r\na: b\r\n"] {
        assert!(hand.command(command).unwrap().is_ok(), "{command}");
    }
    let target = target_at(port);
    assert_eq!(again(&target, &["Eins"], Role::Ordinary, &made[0]).await.id, made[0].id);
    assert_eq!(again(&target, &["Zwei"], Role::Ordinary, &made[1]).await.name, "Umbenannt");
    assert_ne!(again(&target, &["Vier"], Role::Ordinary, &made[3]).await.id, made[3].id, "another of the same name");
    let gone = target_at(port).withdraw(&placed).await.unwrap_err();
    assert_eq!(gone.what, What::Vanished, "the new mailbox's first message is not ours");
}

#[tokio::test]
async fn a_folder_put_into_the_trash_counts_as_deleted() {
    let server = dovecot(Store::Maildir);
    let target = target_at(server.imap_port());
    let at = ensure(&target, &["Alt"], Role::Ordinary).await;
    let mut hand = RawImap::login(server.imap_port(), "anna", "secret").unwrap();
    assert!(hand.command("RENAME Alt Trash/Alt").unwrap().is_ok());
    let anew = again(&target_at(server.imap_port()), &["Alt"], Role::Ordinary, &at).await;
    assert_ne!(anew.id, at.id);
    assert!(anew.id.as_str().ends_with(" Alt"));
}

#[tokio::test]
async fn reading_a_deleted_mailbox_says_vanished() {
    use futures::StreamExt;
    let server = dovecot(Store::Maildir);
    let target = target_at(server.imap_port());
    let at = mailbox(&target, &["Weg"]).await;
    RawImap::login(server.imap_port(), "anna", "secret").unwrap().command("DELETE Weg").unwrap();
    let seen: Vec<_> = target.observe(&at, transhume_contract::Depth::Shape.into()).collect().await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].as_ref().unwrap_err().what, What::Vanished);
    assert!(target.check(Some(&anna())).await.unwrap().findings.iter().all(|finding| finding.code != "login_refused"));
}
