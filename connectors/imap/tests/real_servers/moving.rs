//! Moves that are cut at every point: looked for, then finished, a message stands once, where it was to go.

use crate::setting::{dovecot, key, mailbox, placement, placing, target_at};
use transhume_contract::{Collection, Outcome, Placement, Reach, Target, What};
use transhume_imap::ImapTarget;
use transhume_servers::{Act, Cyrus, CyrusOptions, Proxy, RawImap, Script, Store};

const MESSAGE: usize = 7;

/// What a pass does: moves; where nobody knows the outcome, looks, and takes the copy or moves again.
async fn moved(target: &ImapTarget, placed: &Placement, to: &Collection) -> usize {
    for attempt in 1..4 {
        let fault = match target.relocate(placed, to, None).await {
            Ok(_) => return attempt,
            Err(fault) if fault.what == What::Vanished => panic!("lost"),
            Err(fault) => fault,
        };
        assert_eq!((fault.outcome, fault.reach), (Outcome::Unknown, Reach::Item), "{fault}");
        let found = target.find(to, &[key(MESSAGE)]).await.unwrap();
        assert!(found.len() < 2, "twice");
        if let Some(copy) = found.first() {
            match target.relocate(placed, to, Some(&copy.handle)).await {
                Err(fault) => assert_eq!(fault.what, What::Vanished, "{fault}"),
                Ok(adopted) => assert_eq!(adopted.handle.as_ref(), Some(&copy.handle)),
            }
            return attempt;
        }
    }
    panic!("never moved");
}

/// How many messages nobody marked as deleted a mailbox holds.
fn standing(port: u16, name: &str) -> usize {
    let mut session = RawImap::login(port, "anna", "secret").unwrap();
    assert!(session.command(&format!("SELECT \"{name}\"")).unwrap().is_ok());
    let told = session.command("UID SEARCH UNDELETED").unwrap().text();
    let line = told.lines().find(|line| line.starts_with("* SEARCH")).unwrap_or("* SEARCH").to_owned();
    line.split_whitespace().count() - 2
}

async fn cut_everywhere(port: u16, hidden: &[&str], verbs: &[&str]) {
    let proxy = Proxy::start(port, Script::without(hidden)).unwrap();
    let target = target_at(proxy.port());
    for verb in verbs {
        for act in [Act::CutOnArrival, Act::CutMidway, Act::CutBefore, Act::CutAfter] {
            let case = format!("{} {verb} {act:?}", hidden.join(" "));
            let (from, to) = (format!("From {case}"), format!("To {case}"));
            let (source, goal) = (mailbox(&target, &[&from]).await, mailbox(&target, &[&to]).await);
            let placed = match hidden.contains(&"UIDPLUS") {
                false => placement(&target, &source, placing(MESSAGE)).await,
                true => unnamed(&target, &source).await,
            };
            proxy.on(verb, 1, act);
            moved(&target, &placed, &goal).await;
            assert_eq!(proxy.pending(), 0, "{case}: a cut that never came proves nothing");
            assert_eq!((standing(port, &from), standing(port, &to)), (0, 1), "{case}");
        }
    }
}

async fn unnamed(target: &ImapTarget, at: &Collection) -> Placement {
    let placing = placing(MESSAGE);
    let (digest, facts) = (placing.body.digest(), placing.facts.clone());
    assert_eq!(crate::setting::place(target, at, vec![placing]).await[0].1.as_ref().unwrap().handle, None);
    let handle = target.find(at, &[key(MESSAGE)]).await.unwrap().remove(0).handle;
    Placement { at: at.clone(), handle, version: None, digest, facts }
}

#[tokio::test]
async fn a_move_cut_anywhere_before_dovecot_is_finished_once() {
    let server = dovecot(Store::Maildir);
    cut_everywhere(server.imap_port(), &[], &["UID MOVE"]).await;
    cut_everywhere(server.imap_port(), &["MOVE"], &["UID COPY", "UID STORE", "UID EXPUNGE"]).await;
    cut_everywhere(server.imap_port(), &["MOVE", "UIDPLUS"], &["UID COPY", "UID STORE"]).await;
}

#[tokio::test]
async fn a_move_cut_anywhere_before_cyrus_is_finished_once() {
    let server = Cyrus::start(CyrusOptions::with_accounts(&["anna"])).unwrap();
    cut_everywhere(server.imap_port(), &[], &["UID MOVE"]).await;
    cut_everywhere(server.imap_port(), &["MOVE"], &["UID COPY", "UID STORE", "UID EXPUNGE"]).await;
}

/// What a move left behind is told as marked: it goes with the next EXPUNGE, and is not what is looked for.
#[tokio::test]
async fn what_is_marked_as_deleted_is_told_as_such() {
    let server = dovecot(Store::Maildir);
    let proxy = Proxy::start(server.imap_port(), Script::without(&["MOVE", "UIDPLUS"])).unwrap();
    let target = target_at(proxy.port());
    let (from, to) = (mailbox(&target, &["Old"]).await, mailbox(&target, &["New"]).await);
    let placed = unnamed(&target, &from).await;
    let told = target.relocate(&placed, &to, None).await.unwrap();
    assert_eq!(told.losses[0].name, "marked_deleted");
    let marks =
        async |at| target.find(at, &[key(MESSAGE)]).await.unwrap().iter().map(|one| one.deleted).collect::<Vec<_>>();
    assert_eq!((marks(&from).await, marks(&to).await), (vec![true], vec![false]));
    // COPY takes along the mark of people.
    let mut session = RawImap::login(server.imap_port(), "anna", "secret").unwrap();
    assert!(session.command("SELECT New").unwrap().is_ok());
    assert!(session.command("STORE 1 +FLAGS (\\Deleted)").unwrap().is_ok());
    let back = mailbox(&target, &["Back"]).await;
    assert!(session.command("COPY 1 Back").unwrap().is_ok());
    assert_eq!(marks(&back).await, [true]);
    assert_eq!(target.withdraw(&unnamed(&target, &from).await).await.unwrap()[0].name, "marked_deleted");
}
