//! What is placed, and how it reads back.

use crate::setting::{
    anna, count, dovecot, key, mailbox, observe, place, placement, placing, placing_of, target_at, text, wanted,
};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt};
use transhume_contract::{
    Amending, Body, Cause, Depth, Digest, Facts, Fault, FlagState, IntentId, Outcome, Placing, Reach, Remedy, Role,
    Target, Timestamp, What,
};
use transhume_servers::{Act, Cyrus, CyrusOptions, Proxy, RawImap, Script, Store};

fn at(second: i64) -> Option<Timestamp> {
    Timestamp::from_second(second).ok()
}

#[tokio::test]
async fn facts_read_back_as_placed() {
    let server = dovecot(Store::Maildir);
    let target = target_at(server.imap_port());
    let at_box = mailbox(&target, &["Facts"]).await;
    let facts = Facts {
        read: Some(true),
        flag: Some(FlagState::Flagged),
        answered: Some(true),
        forwarded: Some(true),
        draft: Some(false),
        categories: Some(vec!["Rot".into(), "$label1".into()]),
        received: at(1_583_000_000),
        ..Facts::default()
    };
    place(&target, &at_box, vec![placing_of("1", facts.clone(), text(1))]).await.remove(0).1.unwrap();
    let seen = observe(&target, &at_box, Depth::Content).await.remove(0);
    let categories = Some(vec!["$label1".to_owned(), "Rot".to_owned()]);
    // Where every byte is read, the Message-ID is told too.
    let message_id = Some("<m1@example.org>".to_owned());
    assert_eq!(seen.facts, Facts { categories, message_id, ..facts });
    assert_eq!(seen.digest, Some(Digest::of(text(1).as_bytes())));
    assert_eq!(seen.length, Some(text(1).len() as u64));
}

#[tokio::test]
async fn a_bad_message_in_a_batch_harms_no_other() {
    let server = Cyrus::start(CyrusOptions::with_accounts(&["anna"])).unwrap();
    let target = target_at(server.imap_port());
    let at_box = mailbox(&target, &["Bad"]).await;
    let mut batch: Vec<_> = (0..30).map(placing).collect();
    batch[17] = placing_of("17", Facts::default(), "Subject: nul\r\n\r\na\0b\r\n");
    batch[4] = placing_of("4", Facts::default(), "Subject: lf\n\nbare\n");
    let answers = place(&target, &at_box, batch).await;
    assert_eq!(answers.len(), 30);
    for (intent, answer) in answers {
        match answer {
            Ok(placed) => assert!(placed.handle.is_some()),
            Err(fault) => {
                assert!(intent == "17" || intent == "4");
                assert_eq!(fault.remedy, Remedy::Skip(Cause::RefusedByTarget), "{fault}");
                assert!(fault.sentence.contains("contains"), "the server's words are kept: {fault}");
            }
        }
    }
    assert_eq!(count(&target, &at_box).await, 28);
}

/// Bytes that are made as they are read: a large message needs no memory.
struct Made(u64);

const HEAD: &[u8] = b"Message-ID: <large@example.org>\r\nSubject: large\r\n\r\n";

#[async_trait]
impl Body for Made {
    fn length(&self) -> u64 {
        self.0
    }
    fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(HEAD);
        let line = [b'x'; 78];
        for _ in 0..(self.0 - HEAD.len() as u64) / 80 {
            hasher.update(&line).update(b"\r\n");
        }
        hasher.finalize().into()
    }
    fn at_hand(&self) -> Option<bytes::Bytes> {
        None
    }
    async fn open(&self) -> Result<Box<dyn AsyncRead + Send + Unpin>, Fault> {
        let line: &'static [u8] = Box::leak([&[b'x'; 78][..], b"\r\n"].concat().into_boxed_slice());
        let lines = (self.0 - HEAD.len() as u64) / 80;
        let rest = futures::stream::iter((0..lines).map(move |_| Ok::<_, std::io::Error>(line)));
        Ok(Box::new(HEAD.chain(tokio_util::io::StreamReader::new(rest))))
    }
}

#[tokio::test]
async fn sixty_megabytes_go_there_and_come_back() {
    let server = dovecot(Store::Maildir);
    let target = target_at(server.imap_port());
    let at_box = mailbox(&target, &["Large"]).await;
    let length = HEAD.len() as u64 + 80 * 786_432;
    let body = Arc::new(Made(length));
    let digest = body.digest();
    let batch = vec![placing(1), Placing { body, ..placing(2) }, placing(3)];
    let answers = place(&target, &at_box, batch).await;
    assert!(answers.iter().all(|(_, answer)| answer.is_ok()));
    let seen = observe(&target, &at_box, Depth::Content).await;
    assert!(seen.iter().any(|message| message.digest == Some(digest) && message.length == Some(length)));
    assert_eq!(seen.len(), 3);
}

/// A body that breaks off.
struct Short;

#[async_trait]
impl Body for Short {
    fn length(&self) -> u64 {
        500
    }
    fn digest(&self) -> Digest {
        Digest::of(b"")
    }
    fn at_hand(&self) -> Option<bytes::Bytes> {
        None
    }
    async fn open(&self) -> Result<Box<dyn AsyncRead + Send + Unpin>, Fault> {
        Ok(Box::new(&b"Subject: short\r\n\r\n"[..]))
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_stored_and_harms_no_other() {
    let server = dovecot(Store::Sdbox);
    let target = target_at(server.imap_port());
    let at_box = mailbox(&target, &["Short"]).await;
    let broken = Placing { body: Arc::new(Short), ..placing(2) };
    let answers = place(&target, &at_box, vec![placing(1), broken, placing(3)]).await;
    let failed: Vec<_> =
        answers.iter().filter(|(_, answer)| answer.is_err()).map(|(intent, _)| intent.as_str()).collect();
    assert_eq!(failed, ["2"]);
    assert_eq!(count(&target, &at_box).await, 2);
}

#[tokio::test]
async fn many_messages_in_many_commands_keep_their_handles() {
    let server = dovecot(Store::Mdbox);
    let target = target_at(server.imap_port());
    let at_box = mailbox(&target, &["Many"]).await;
    let answers = place(&target, &at_box, (0..1050).map(placing).collect()).await;
    let seen = observe(&target, &at_box, Depth::Content).await;
    assert_eq!((answers.len(), seen.len()), (1050, 1050));
    for (intent, answer) in &answers {
        let handle = answer.as_ref().unwrap().handle.clone().unwrap();
        let own = seen.iter().find(|message| message.handle == handle).unwrap();
        assert_eq!(own.digest, Some(Digest::of(text(intent.parse().unwrap()).as_bytes())));
    }
}

#[tokio::test]
async fn keywords_beyond_what_a_mailbox_holds_are_named_losses() {
    let server = Cyrus::start(CyrusOptions::with_accounts(&["anna"])).unwrap();
    let target = target_at(server.imap_port());
    let at_box = mailbox(&target, &["Keywords"]).await;
    let tagged = |n: usize| {
        let categories = Some(vec!["Shared".to_owned(), format!("Word{n}")]);
        placing_of(&n.to_string(), Facts { categories, ..Facts::default() }, text(n))
    };
    let answers = place(&target, &at_box, (0..110).map(tagged).collect()).await;
    let lossy: Vec<_> = answers.iter().filter(|(_, answer)| !answer.as_ref().unwrap().losses.is_empty()).collect();
    assert_eq!(lossy.len(), 11, "100 keywords fit");
    let seen = observe(&target, &at_box, Depth::Shape).await;
    let shared = seen.iter().filter(|message| message.facts.categories.iter().flatten().any(|word| word == "Shared"));
    assert_eq!(shared.count(), 110, "the keyword that fits is set on all");
}

/// Cyrus 3.6 closes the connection in the middle of a batch that crosses its limit of 100 keywords.
#[tokio::test]
async fn a_batch_that_crosses_the_limit_of_keywords_is_survived() {
    let server = Cyrus::start(CyrusOptions::with_accounts(&["anna"])).unwrap();
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let target = target_at(proxy.port());
    let at_box = mailbox(&target, &["Crossing"]).await;
    let tagged = |n: usize| {
        let facts = Facts { categories: Some(vec![format!("Word{n}")]), ..Facts::default() };
        placing_of(&n.to_string(), facts, text(n))
    };
    place(&target, &at_box, (0..60).map(tagged).collect()).await;
    // Another process goes on, which knows nothing of the mailbox.
    let target = target_at(proxy.port());
    let answers = place(&target, &at_box, (60..150).map(tagged).collect()).await;
    let lossy = answers.iter().filter(|(_, answer)| !answer.as_ref().unwrap().losses.is_empty());
    assert_eq!(lossy.count(), 50, "100 keywords fit");
    assert_eq!(count(&target, &at_box).await, 150);
    // A server that does not say who it is: the batch is lost once, and the next goes more carefully.
    let hidden = Script { strip: vec!["X-CREATEDMODSEQ".into()], ..Script::default() };
    let proxy = Proxy::start(server.imap_port(), hidden).unwrap();
    let target = target_at(proxy.port());
    let at_box = mailbox(&target, &["Unknown"]).await;
    place(&target, &at_box, (0..60).map(tagged).collect()).await;
    proxy.on("APPEND", 1, Act::CutOnArrival);
    let first = place(&target, &at_box, (60..90).map(tagged).collect()).await;
    assert!(first.iter().all(|(_, answer)| answer.as_ref().is_err_and(|fault| fault.outcome == Outcome::Unknown)));
    proxy.reset_counts();
    let second = place(&target, &at_box, (60..90).map(tagged).collect()).await;
    assert!(second.iter().all(|(_, answer)| answer.is_ok()));
    assert_eq!(proxy.count("APPEND"), 30, "one at a time after a batch with keywords was lost");
}

/// A connection lost over a keyword says nothing of the keyword.
#[tokio::test]
async fn a_lost_connection_does_not_teach_that_a_keyword_is_refused() {
    let server = dovecot(Store::Maildir);
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let target = target_at(proxy.port());
    let at_box = mailbox(&target, &["Lost"]).await;
    let tagged = |n: usize| {
        let facts = Facts { categories: Some(vec!["Blau".to_owned()]), ..Facts::default() };
        placing_of(&n.to_string(), facts, text(n))
    };
    proxy.on("APPEND", 1, Act::Answer("NO refused with its keywords".into()));
    proxy.on("UID STORE", 1, Act::CutOnArrival);
    let placed = place(&target, &at_box, vec![tagged(1)]).await.remove(0).1.unwrap();
    assert_eq!(placed.losses, [], "it is set on another connection");
    proxy.on("APPEND", 1, Act::Answer("NO refused with its keywords".into()));
    proxy.on("UID STORE", 1, Act::CutOnArrival);
    proxy.on("UID STORE", 2, Act::CutOnArrival);
    let placed = place(&target, &at_box, vec![tagged(2)]).await.remove(0).1.unwrap();
    assert_eq!(placed.losses.len(), 1);
    let placed = place(&target, &at_box, vec![tagged(3)]).await.remove(0).1.unwrap();
    assert_eq!(placed.losses, [], "it is tried again with the next message");
    let seen = observe(&target, &at_box, Depth::Shape).await;
    let blue = seen.iter().filter(|message| message.facts.categories == Some(vec!["Blau".to_owned()]));
    assert_eq!(blue.count(), 2);
}

/// What an unknown server refuses without a code may be taken tomorrow: the engine counts.
#[tokio::test]
async fn a_refusal_without_a_reason_is_owed_and_keeps_the_servers_words() {
    let server = dovecot(Store::Maildir);
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let target = target_at(proxy.port());
    let at_box = mailbox(&target, &["Owed"]).await;
    proxy.on("APPEND", 1, Act::Answer("NO come back on Tuesday".into()));
    let fault = place(&target, &at_box, vec![placing(1)]).await.remove(0).1.unwrap_err();
    assert_eq!((fault.remedy, fault.reach, fault.outcome), (Remedy::Later, Reach::Item, Outcome::NotDone));
    assert!(fault.sentence.contains("come back on Tuesday"));
}

/// An intent without an outcome is looked for by its Message-ID: of thousands of messages of one size, one body is read.
#[tokio::test]
async fn looking_in_a_large_mailbox_reads_few_bodies() {
    let server = dovecot(Store::Mdbox);
    let proxy = Proxy::start(server.imap_port(), Script::default()).unwrap();
    let target = target_at(proxy.port());
    let at_box = mailbox(&target, &["Large"]).await;
    let even = |n: usize| placing_of(&n.to_string(), Facts::default(), text(10_000 + n));
    assert!(place(&target, &at_box, (0..3000).map(even).collect()).await.iter().all(|(_, answer)| answer.is_ok()));
    proxy.reset_counts();
    let found = target.find(&at_box, &[key(11_234)]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(proxy.count("UID FETCH"), 2, "one for the ids, one for the body");
    assert_eq!(target.find(&at_box, &[key(20_000)]).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_no_keyword_is_a_named_loss_and_the_message_stands() {
    let server = dovecot(Store::Maildir);
    let target = target_at(server.imap_port());
    let at_box = mailbox(&target, &["Words"]).await;
    let categories = Some(vec!["zwei Worte".to_owned(), "]".to_owned(), "gut".to_owned()]);
    let odd = placing_of("1", Facts { categories, ..Facts::default() }, text(1));
    let placed = place(&target, &at_box, vec![odd]).await.remove(0).1.unwrap();
    assert_eq!(placed.losses.len(), 2);
    let seen = observe(&target, &at_box, Depth::Shape).await.remove(0);
    assert_eq!(seen.facts.categories, Some(vec!["gut".to_owned()]));
}

#[tokio::test]
async fn dates_at_the_edges_are_kept_as_the_profile_says() {
    let dovecot = dovecot(Store::Maildir);
    let cyrus = Cyrus::start(CyrusOptions::with_accounts(&["anna"])).unwrap();
    for (port, keeps_the_future) in [(dovecot.imap_port(), false), (cyrus.imap_port(), true)] {
        let target = target_at(port);
        let profile = target.traits(&anna()).await.unwrap().profile;
        let at_box = mailbox(&target, &["Dates"]).await;
        let leap = "2020-02-29T23:59:59Z".parse().unwrap();
        let dates = [profile.earliest, leap, Timestamp::MIN, profile.latest, Timestamp::MAX];
        let dated =
            |n: usize| placing_of(&n.to_string(), Facts { received: Some(dates[n]), ..Facts::default() }, text(n));
        let answers = place(&target, &at_box, (0..5).map(dated).collect()).await;
        let seen = observe(&target, &at_box, Depth::Shape).await;
        let stored: Vec<_> = seen.into_iter().filter_map(|message| message.facts.received).collect();
        assert_eq!(stored[..3], [profile.earliest, leap, profile.earliest]);
        assert_eq!(profile.future_dates, keeps_the_future);
        for n in [3, 4] {
            assert!(answers[n].1.is_ok());
            assert_eq!(stored[n] == profile.latest, profile.future_dates);
        }
    }
}

#[tokio::test]
async fn profiles_differ_by_server() {
    let dovecot = dovecot(Store::Maildir);
    let cyrus = Cyrus::start(CyrusOptions::with_accounts(&["anna"])).unwrap();
    let first = target_at(dovecot.imap_port()).traits(&anna()).await.unwrap();
    let second = target_at(cyrus.imap_port()).traits(&anna()).await.unwrap();
    assert!(first.profile.eight_bit_headers && !second.profile.eight_bit_headers);
    assert!(first.tells_handle && second.tells_handle);
    assert_eq!(second.max_item_bytes, Some(4_294_967_295));
}

#[tokio::test]
async fn what_has_no_message_id_is_found_by_its_bytes() {
    let server = dovecot(Store::Maildir);
    let target = target_at(server.imap_port());
    let at_box = mailbox(&target, &["Nameless"]).await;
    let bytes = |letter: char| format!("Subject: {letter}\r\n\r\nsame length\r\n");
    let batch = ['a', 'b', 'b'].iter().enumerate();
    let batch = batch.map(|(n, letter)| placing_of(&n.to_string(), Facts::default(), bytes(*letter))).collect();
    place(&target, &at_box, batch).await;
    let text = bytes('b');
    let mut wanted = key(1);
    (wanted.key, wanted.digest, wanted.length) = (None, Digest::of(text.as_bytes()), text.len() as u64);
    assert_eq!(target.find(&at_box, &[wanted]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_same_message_id_with_other_bytes_is_no_match() {
    let server = dovecot(Store::Maildir);
    let target = target_at(server.imap_port());
    let at_box = mailbox(&target, &["Ids"]).await;
    let other = text(1).replace("Body", "Beau");
    place(&target, &at_box, vec![placing_of("1", Facts::default(), other)]).await;
    assert!(target.find(&at_box, &[key(1)]).await.unwrap().is_empty());
}

#[tokio::test]
async fn many_amendings_are_few_commands() {
    let server = dovecot(Store::Maildir);
    let proxy = transhume_servers::Proxy::start(server.imap_port(), transhume_servers::Script::default()).unwrap();
    let target = target_at(proxy.port());
    let at_box = mailbox(&target, &["Amend"]).await;
    let mut changes = Vec::new();
    for n in 0..40 {
        let placed = placement(&target, &at_box, placing(n)).await;
        let want = Facts { read: Some(true), categories: Some(vec!["Neu".into()]), ..placed.facts.clone() };
        changes.push(Amending::first(IntentId::new(n.to_string()), placed, want));
    }
    proxy.reset_counts();
    let answers = target.amend(&at_box, changes).await.unwrap();
    assert!(answers.len() == 40 && answers.iter().all(|(_, answer)| answer.is_ok()));
    assert_eq!((proxy.count("UID FETCH"), proxy.count("UID STORE")), (1, 2));
    let seen = observe(&target, &at_box, Depth::Shape).await;
    assert!(seen.iter().all(|message| message.facts.read == Some(true)));
    assert!(seen.iter().all(|message| message.facts.categories == Some(vec!["Neu".to_owned()])));
}

#[tokio::test]
async fn a_mailbox_renamed_between_ensuring_and_placing_is_followed() {
    let server = dovecot(Store::Maildir);
    let target = target_at(server.imap_port());
    let at_box = mailbox(&target, &["Before"]).await;
    let mut hand = RawImap::login(server.imap_port(), "anna", "secret").unwrap();
    assert!(hand.command("RENAME Before After").unwrap().is_ok());
    let answers = place(&target, &at_box, (0..5).map(placing).collect()).await;
    assert!(answers.iter().all(|(_, answer)| answer.is_ok()));
    assert_eq!(count(&target, &at_box).await, 5, "reading follows too");
    let status = hand.command("STATUS After (MESSAGES)").unwrap();
    assert!(status.text().contains("MESSAGES 5"));
    assert!(target.ensure(&wanted(&["Inbox"], Role::Inbox)).await.is_ok());
}

#[tokio::test]
async fn a_message_gone_there_is_vanished_for_every_verb() {
    let server = dovecot(Store::Maildir);
    let target = target_at(server.imap_port());
    let (here, there) = (mailbox(&target, &["Here"]).await, mailbox(&target, &["There"]).await);
    let placed = placement(&target, &here, placing(1)).await;
    let mut hand = RawImap::login(server.imap_port(), "anna", "secret").unwrap();
    hand.command("SELECT Here").unwrap();
    hand.command("STORE 1 +FLAGS (\\Deleted)").unwrap();
    hand.command("EXPUNGE").unwrap();
    assert_eq!(target.relocate(&placed, &there, None).await.unwrap_err().what, What::Vanished);
    assert_eq!(target.withdraw(&placed).await.unwrap_err().what, What::Vanished);
    let change = Amending::first(IntentId::new("1"), placed, Facts::default());
    let answer = target.amend(&here, vec![change]).await.unwrap().remove(0).1;
    assert_eq!(answer.unwrap_err().what, What::Vanished);
}
