//! A target before a real server, and short ways to say what a test wants.

use async_trait::async_trait;
use futures::StreamExt;
use secrecy::SecretString;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use transhume_contract::{
    AccountId, Appearance, Collection, Credential, Depth, Digest, Facts, Fault, IntentId, NaturalKey, Observed, Placed,
    Placement, Placing, Role, Secret, Target, Wanted, Workload, memory::HeldBody,
};
use transhume_dav::{DavConfig, DavTarget};
use transhume_servers::{Cyrus, CyrusOptions, DavKind, DavOptions, DavServer};

/// Says one password for every account, and counts how often it was asked.
pub struct OnePassword {
    password: &'static str,
    master: Option<&'static str>,
    pub asked: AtomicUsize,
}

impl OnePassword {
    pub fn new(password: &'static str) -> Arc<Self> {
        Arc::new(Self { password, master: None, asked: AtomicUsize::new(0) })
    }
    pub fn acting(master: &'static str, password: &'static str) -> Arc<Self> {
        Arc::new(Self { password, master: Some(master), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Credential for OnePassword {
    async fn secret(&self, account: &AccountId) -> Result<Secret, Fault> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (user, password) = (account.as_str().to_owned(), SecretString::from(self.password));
        Ok(match self.master {
            Some(master) => Secret::Acting { user, authority: master.to_owned(), password },
            None => Secret::Password { user, password },
        })
    }
}

pub fn target_at(url: &str) -> DavTarget {
    DavTarget::new(DavConfig { silence_seconds: 20, ..DavConfig::new(url) }, OnePassword::new("secret")).unwrap()
}

pub fn started(kind: DavKind) -> DavServer {
    DavServer::start(DavOptions::with_accounts(kind, &["alice", "bob"])).unwrap()
}

pub fn cyrus() -> Cyrus {
    Cyrus::start(CyrusOptions { dav: true, ..CyrusOptions::with_accounts(&["alice", "bob"]) }).unwrap()
}

pub fn alice() -> AccountId {
    AccountId::new("alice")
}

pub fn bob() -> AccountId {
    AccountId::new("bob")
}

pub fn wanted(workload: Workload, path: &[&str]) -> Wanted {
    Wanted {
        account: alice(),
        workload,
        path: path.iter().map(|name| (*name).to_owned()).collect(),
        parent: None,
        role: Role::Ordinary,
        known: None,
        adopt: false,
        claimed: std::sync::Arc::default(),
        appearance: Appearance::default(),
    }
}

pub async fn calendar(target: &DavTarget, name: &str) -> Collection {
    target.ensure(&wanted(Workload::Calendar, &[name])).await.unwrap()
}

/// An event with further lines of its own.
pub fn event(uid: &str, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20250101T000000Z\r\n\
         DTSTART:20300301T100000Z\r\nDTEND:20300301T110000Z\r\nSUMMARY:{uid}\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

pub fn placing(uid: &str, text: &str) -> Placing {
    let body = Arc::new(HeldBody::new(text.to_owned()));
    let (intent, key) = (IntentId::new(uid), Some(uid.to_owned()));
    Placing { intent, facts: Facts::default(), name: None, key, instead: None, body }
}

pub fn key(uid: &str, text: &str) -> NaturalKey {
    let (intent, digest, length) = (IntentId::new(uid), Digest::of(text.as_bytes()), text.len() as u64);
    NaturalKey { intent, key: Some(uid.to_owned()), digest, length, name: None }
}

pub type Answers = Vec<(String, Result<Placed, Fault>)>;

pub async fn place(target: &DavTarget, at: &Collection, batch: Vec<Placing>) -> Answers {
    let answers: Vec<_> = target.place(at, batch).collect().await;
    answers.into_iter().map(|(intent, answer)| (intent.as_str().to_owned(), answer)).collect()
}

pub async fn place_one(target: &DavTarget, at: &Collection, uid: &str, text: &str) -> Result<Placement, Fault> {
    let placed = place(target, at, vec![placing(uid, text)]).await.remove(0).1?;
    Ok(placement(at, placed, text))
}

pub fn placement(at: &Collection, placed: Placed, text: &str) -> Placement {
    let (digest, facts) = (Digest::of(text.as_bytes()), Facts::default());
    Placement { at: at.clone(), handle: placed.handle.unwrap(), version: placed.version, digest, facts }
}

pub async fn observe(target: &DavTarget, at: &Collection) -> Vec<Observed> {
    target.observe(at, Depth::Content.into()).map(Result::unwrap).collect().await
}
