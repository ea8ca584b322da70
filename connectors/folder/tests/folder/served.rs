//! Dovecot serves what we wrote, and what people do through it is understood.

use transhume_contract::{Collection, Facts, FlagState, Role, Target, Wanted};
use transhume_servers::{Dovecot, DovecotOptions, RawImap};

use crate::subject::{Subject, facts, placing};

const TEXT: &str = "Message-ID: <1@x>\r\nSubject: served\r\n\r\nbody\r\n";

async fn written(on: &Subject) -> (Collection, Collection) {
    let inbox = on.target.ensure(&on.want(&["Posteingang"], Role::Inbox)).await.unwrap();
    let sent = on.target.ensure(&on.want(&["Gesendet"], Role::Sent)).await.unwrap();
    on.target
        .ensure(&Wanted { parent: Some(inbox.id.clone()), ..on.want(&["Posteingang", "Unter.x"], Role::Ordinary) })
        .await
        .unwrap();
    on.ensure(&["Projets", "Été & co"]).await;
    let marked = Facts {
        read: Some(true),
        flag: Some(FlagState::Flagged),
        answered: Some(true),
        forwarded: Some(true),
        categories: Some(vec!["Work".into(), "$label1".into()]),
        ..facts()
    };
    let bare_line_ends = "Subject: bare\n\nline\nline\n";
    let batch = vec![placing("a", TEXT, marked), placing("b", bare_line_ends, facts())];
    for placed in on.place(&inbox, batch).await {
        assert_eq!(placed.unwrap().losses, []);
    }
    on.place(&sent, vec![placing("c", TEXT, Facts { read: Some(true), ..facts() })]).await.remove(0).unwrap();
    (inbox, sent)
}

fn serve(on: &Subject) -> Dovecot {
    let homes = Some(on.root.path().to_owned());
    Dovecot::start(DovecotOptions { homes, ..DovecotOptions::with_accounts(&["ada"]) }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_keywords_dates_sizes_and_bytes_come_through_imap() {
    let on = Subject::new();
    written(&on).await;
    let server = serve(&on);
    let mut session = RawImap::login(server.imap_port(), "ada", "secret").unwrap();
    session.command("SELECT INBOX").unwrap();
    let items = "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])";
    let lines = session.command(&format!("UID FETCH 1:* {items}")).unwrap().lines();
    let marked = lines.iter().find(|line| line.contains("served")).unwrap();
    for part in ["\\Seen", "\\Flagged", "\\Answered", "$Forwarded", "Work", "$label1"] {
        assert!(marked.contains(part), "{part} in {marked}");
    }
    assert!(marked.contains("01-Mar-2025 10:00:00 +0000"), "{marked}");
    assert!(marked.contains(&format!("RFC822.SIZE {} ", TEXT.len())) && marked.contains(TEXT), "{marked}");
    let bare = lines.iter().find(|line| line.contains("bare")).unwrap();
    assert!(bare.contains("RFC822.SIZE 29 ") && bare.contains("line\r\nline\r\n"), "{bare}");
    let lines = session.command("STATUS Sent (MESSAGES UNSEEN)").unwrap().text();
    assert!(lines.contains("MESSAGES 1 UNSEEN 0"), "{lines}");
    assert!(!server.log().contains("Error"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_listed_by_their_names_and_subscribed() {
    let on = Subject::new();
    written(&on).await;
    let server = serve(&on);
    let mut session = RawImap::login(server.imap_port(), "ada", "secret").unwrap();
    for command in ["LIST \"\" *", "LSUB \"\" *"] {
        let lines = session.command(command).unwrap().text();
        for name in ["Sent", "INBOX/Unter_x~", "Projets/&AMk-t&AOk- &- co"] {
            assert!(lines.contains(name), "{command}: {name} in {lines}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_do_through_imap_is_seen_and_kept() {
    let on = Subject::new();
    let (inbox, sent) = written(&on).await;
    let server = serve(&on);
    let mut session = RawImap::login(server.imap_port(), "ada", "secret").unwrap();
    session.command("SELECT INBOX").unwrap();
    session.command("STORE 1:* +FLAGS (Private)").unwrap();
    session.command("STORE 1:* -FLAGS (\\Seen)").unwrap();
    assert!(session.append("INBOX", "(Theirs)", b"Subject: theirs\r\n\r\n").unwrap().is_ok());
    assert!(session.command("RENAME Sent Posted").unwrap().is_ok());
    session.command("LOGOUT").unwrap();
    let seen = on.observe(&inbox).await;
    assert_eq!(seen.len(), 3);
    let served = seen.iter().find(|seen| seen.facts.message_id.as_deref() == Some("<1@x>")).unwrap();
    assert_eq!(served.facts.read, Some(false));
    assert_eq!(served.facts.forwarded, Some(true));
    let mut keywords = served.facts.categories.clone().unwrap();
    keywords.sort();
    assert_eq!(keywords, ["$label1", "Private", "Work"]);
    let again = on.target.ensure(&Wanted { known: Some(sent.id.clone()), ..on.want(&["Gesendet"], Role::Sent) }).await;
    assert_eq!(again.unwrap().name, "Posted");
    assert_eq!(on.observe(&sent).await.len(), 1);

    // A keyword of ours joins those that Dovecot wrote, and is served.
    let at = &inbox;
    let placed = Facts { categories: Some(vec!["Fresh".into()]), ..facts() };
    on.place(at, vec![placing("later", "Subject: later\r\n\r\n", placed)]).await.remove(0).unwrap();
    drop(server);
    let server = serve(&on);
    let mut session = RawImap::login(server.imap_port(), "ada", "secret").unwrap();
    session.command("SELECT INBOX").unwrap();
    let lines = session.command("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER])").unwrap().lines();
    let later = lines.iter().find(|line| line.contains("later")).unwrap();
    assert!(later.contains("Fresh") && !later.contains("Private"), "{later}");
    let theirs = lines.iter().find(|line| line.contains("Subject: theirs")).unwrap();
    assert!(theirs.contains("Theirs"), "{theirs}");
}
