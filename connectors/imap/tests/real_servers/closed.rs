//! Mailboxes that stand and that the server does not open for now.

use crate::setting::{anna, dovecot, key, mailbox, place, placement, placing, target_at, wanted};
use futures::StreamExt;
use transhume_contract::{
    Amending, Depth, Facts, Fault, IntentId, Reach, Remedy, Role, Target, Wanted, What, Workload,
};
use transhume_servers::{Act, Deed, Proxy, RawImap, Script, Store};

/// As servers say it that stand before a lock, a damaged file or their own limits.
const WORDS: &[&str] = &[
    "NO [INUSE] Mailbox is in use",
    "NO Mailbox is locked by another session",
    "NO [SERVERBUG] Internal error occurred",
    "NO Mailbox has an invalid format",
    "NO [LIMIT] Try again later",
    "NO [CANNOT] Not now",
    "BAD Cannot open it",
];

/// The server refuses this command from now on.
fn refuse(proxy: &Proxy, verb: &str, words: &str) {
    proxy.tell(|script| {
        script.deeds.clear();
        script.add(Deed::new(verb, 1, Act::Answer(words.to_owned())).every(1));
    });
}

fn owed(fault: &Fault, said: &str) {
    assert_eq!((fault.what, fault.reach), (What::Unreachable, Reach::Collection), "{said}: {fault}");
    assert!(matches!(fault.remedy, Remedy::Wait(_)), "{said}: {fault}");
}

#[tokio::test]
async fn what_stands_in_a_mailbox_that_cannot_be_opened_is_not_gone() {
    let server = dovecot(Store::Maildir);
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let near = target_at(server.imap_port());
    let at = mailbox(&near, &["Locked"]).await;
    let placed = placement(&near, &at, placing(1)).await;
    for words in WORDS {
        let target = target_at(proxy.port());
        refuse(&proxy, "SELECT", words);
        owed(&target.find(&at, &[key(1)]).await.expect_err(words), words);
        owed(&target.withdraw(&placed).await.expect_err(words), words);
        owed(&target.relocate(&placed, &at, None).await.expect_err(words), words);
        let change = Amending::first(IntentId::new("m"), placed.clone(), Facts::default());
        owed(&target.amend(&at, vec![change]).await.expect_err(words), words);
        let seen: Vec<_> = target.observe(&at, Depth::Presence.into()).collect().await;
        owed(seen[0].as_ref().expect_err(words), words);
    }
    proxy.tell(|script| script.deeds.clear());
    assert_eq!(target_at(proxy.port()).find(&at, &[key(1)]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_mailbox_that_is_gone_is_gone_in_any_words() {
    let server = dovecot(Store::Maildir);
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let near = target_at(server.imap_port());
    for (n, words) in
        ["NO [NONEXISTENT] Mailbox doesn't exist", "NO Unknown mailbox", "NO Never heard of it"].iter().enumerate()
    {
        let at = mailbox(&near, &[&format!("Gone {n}")]).await;
        place(&near, &at, vec![placing(1)]).await;
        let mut raw = RawImap::login(server.imap_port(), "anna", "secret").unwrap();
        assert!(raw.command(&format!("DELETE \"Gone {n}\"")).unwrap().is_ok());
        let target = target_at(proxy.port());
        proxy.tell(|script| {
            script.deeds.clear();
            script.add(Deed::new("SELECT", 1, Act::Answer((*words).to_owned())).every(1));
        });
        let fault = target.find(&at, &[key(1)]).await.expect_err(words);
        assert_eq!((fault.what, fault.reach), (What::Vanished, Reach::Collection), "{words}: {fault}");
    }
}

/// Another spelling would split a folder's mail over two mailboxes.
#[tokio::test]
async fn a_mailbox_that_cannot_be_looked_at_is_not_made_a_second_time() {
    let server = dovecot(Store::MaildirFs);
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let near = target_at(server.imap_port());
    let at = mailbox(&near, &["Budget"]).await;
    place(&near, &at, vec![placing(1)]).await;
    let known = Wanted { known: Some(at.id.clone()), ..wanted(&["Budget"], Role::Ordinary) };
    for words in WORDS {
        for want in [wanted(&["Budget"], Role::Ordinary), known.clone()] {
            for missing in [&[][..], &["LIST-STATUS"]] {
                refuse(&proxy, "STATUS", words);
                proxy.tell(|script| script.strip = missing.iter().map(|name| (*name).to_owned()).collect());
                owed(&target_at(proxy.port()).ensure(&want).await.expect_err(words), words);
            }
        }
    }
    proxy.tell(|script| (script.deeds, script.strip) = Default::default());
    let target = target_at(proxy.port());
    assert_eq!(target.ensure(&known).await.unwrap().id, at.id);
    let others = target.others(&anna(), Workload::Mail, &[at.id]).await.unwrap();
    assert!(!others.iter().any(|other| other.name.starts_with("Budget")), "{others:?}");
}
