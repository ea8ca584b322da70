//! Mailboxes whose UIDs have gaps, before a server of our own that counts what it answers at once.

use crate::setting::{anna, key, target_at};
use futures::StreamExt;
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use transhume_contract::{Appearance, Collection, CollectionId, Depth, Observed, Role, Size, Target, Workload};

/// One mailbox, `INBOX` with UIDVALIDITY 7.
struct Gaps {
    uids: Vec<u32>,
    next: Option<u32>,
    /// How many of the oldest somebody removes while the answer to every UID FETCH is on its way.
    removed_at_each: usize,
    /// The most messages that one answer told.
    most: usize,
}

impl Gaps {
    fn fetched(&mut self, wanted: impl Fn(usize, u32) -> bool, header: bool, by_uid: bool) -> String {
        let mut text = String::new();
        let all = self.uids.iter().enumerate().filter(|(index, uid)| wanted(index + 1, **uid));
        let mut told = 0;
        for (index, uid) in all {
            told += 1;
            let shape = "FLAGS () INTERNALDATE \"01-Jan-2020 10:00:00 +0000\" RFC822.SIZE 9";
            let header = if header { " BODY[HEADER.FIELDS (MESSAGE-ID)] {2}\r\n\r\n" } else { "" };
            write!(text, "* {} FETCH (UID {uid} {shape}{header})\r\n", index + 1).unwrap();
        }
        self.most = self.most.max(told);
        if by_uid {
            let removed = self.removed_at_each.min(self.uids.len());
            self.uids.drain(..removed);
            text.push_str(&"* 1 EXPUNGE\r\n".repeat(removed));
        }
        text
    }

    fn selected(&self) -> String {
        let next = self.next.map_or_else(String::new, |next| format!("* OK [UIDNEXT {next}] next\r\n"));
        format!("* {} EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n{next}* FLAGS (\\Seen)\r\n", self.uids.len())
    }

    fn answer(&mut self, command: &str) -> String {
        let words: Vec<&str> = command.split(' ').collect();
        let header = command.contains("BODY.PEEK");
        match words[0] {
            "CAPABILITY" => "* CAPABILITY IMAP4rev1\r\n".to_owned(),
            "SELECT" => self.selected(),
            "FETCH" => {
                let set = members(words[1]);
                self.fetched(|number, _| in_set(&set, number as u32), header, false)
            }
            "UID" => {
                let set = members(words[2]);
                self.fetched(|_, uid| in_set(&set, uid), header, true)
            }
            _ => String::new(),
        }
    }
}

fn members(set: &str) -> BTreeSet<(u32, u32)> {
    let range = |member: &str| {
        let (first, last) = member.split_once(':').unwrap_or((member, member));
        (first.parse().unwrap(), last.parse().unwrap_or(u32::MAX))
    };
    set.split(',').map(range).collect()
}

fn in_set(set: &BTreeSet<(u32, u32)>, number: u32) -> bool {
    set.range(..=(number, u32::MAX)).next_back().is_some_and(|(_, last)| number <= *last)
}

async fn serve(stream: TcpStream, gaps: Arc<Mutex<Gaps>>) {
    let (from, mut to) = stream.into_split();
    let mut lines = BufReader::new(from).lines();
    to.write_all(b"* OK ready\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        let (tag, command) = line.split_once(' ').unwrap();
        let mut answer = gaps.lock().unwrap().answer(command);
        write!(answer, "{tag} OK done\r\n").unwrap();
        to.write_all(answer.as_bytes()).await.unwrap();
    }
}

/// Listens, and gives the port.
async fn started(gaps: Gaps) -> (u16, Arc<Mutex<Gaps>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, gaps) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(gaps)));
    let shared = gaps.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, shared.clone()));
        }
    });
    (port, gaps)
}

fn inbox() -> Collection {
    Collection {
        account: anna(),
        workload: Workload::Mail,
        id: CollectionId::new("7 INBOX"),
        parent: None,
        name: "INBOX".into(),
        role: Role::Inbox,
        hidden: false,
        expected: Size::default(),
        appearance: Appearance::default(),
    }
}

async fn observed(port: u16) -> Vec<Observed> {
    let target = target_at(port);
    let at = inbox();
    target.observe(&at, Depth::Shape.into()).map(Result::unwrap).collect().await
}

/// Far above where millions were removed, and thinly sown in between.
fn sown() -> Vec<u32> {
    let few = (1..50).map(|n| n * 90_000);
    few.chain(4_800_000..4_820_000).chain((4_830_000..4_900_000).step_by(7)).collect()
}

#[tokio::test]
async fn no_answer_holds_more_messages_than_a_window() {
    for told in [true, false] {
        let uids = sown();
        let next = told.then_some(4_900_000);
        let (port, gaps) = started(Gaps { uids: uids.clone(), next, removed_at_each: 0, most: 0 }).await;
        assert_eq!(observed(port).await.len(), uids.len());
        let most = std::mem::take(&mut gaps.lock().unwrap().most);
        assert!((100..=1000).contains(&most), "UIDNEXT told {told}: one answer held {most} messages");
        assert!(target_at(port).find(&inbox(), &[key(1)]).await.unwrap().is_empty());
        let most = std::mem::take(&mut gaps.lock().unwrap().most);
        assert!((100..=5000).contains(&most), "UIDNEXT told {told}: one answer held {most} messages");
    }
}

#[tokio::test]
async fn every_message_that_stays_is_seen_once_whatever_is_removed_meanwhile() {
    for told in [true, false] {
        let uids = sown();
        let next = told.then_some(4_900_000);
        let (port, gaps) = started(Gaps { uids: uids.clone(), next, removed_at_each: 137, most: 0 }).await;
        let seen = observed(port).await;
        let handles: BTreeSet<_> = seen.iter().map(|one| one.handle.as_str().to_owned()).collect();
        assert_eq!(handles.len(), seen.len(), "none twice");
        let stays = gaps.lock().unwrap().uids.clone();
        assert!(stays.len() + 1000 < uids.len(), "nothing was removed");
        let missing = stays.iter().filter(|uid| !handles.contains(&format!("7.{uid}")));
        assert_eq!(missing.count(), 0);
    }
}
