//! A target before a real server, and short ways to say what a test wants.

use async_trait::async_trait;
use futures::StreamExt;
use secrecy::SecretString;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use transhume_contract::{
    AccountId, Appearance, Body, Collection, Credential, Depth, Digest, Facts, Fault, IntentId, NaturalKey, Observed,
    Placed, Placement, Placing, Role, Secret, Target, Wanted, Workload, memory::HeldBody,
};
use transhume_imap::{ImapConfig, ImapTarget, Security};
use transhume_servers::{Dovecot, DovecotOptions, Store};

/// Says one password for every account, and counts how often it was asked.
pub struct OnePassword {
    pub password: &'static str,
    pub master: Option<&'static str>,
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

pub fn plain(port: u16) -> ImapConfig {
    ImapConfig { port: Some(port), silence_seconds: 20, ..ImapConfig::new("127.0.0.1", Security::Plain) }
}

pub fn secured(port: u16, security: Security, ca: Option<&Path>) -> ImapConfig {
    let ca_file = ca.map(Path::to_owned);
    ImapConfig { port: Some(port), ca_file, ..ImapConfig::new("localhost", security) }
}

pub fn target_at(port: u16) -> ImapTarget {
    target_with(plain(port))
}

pub fn target_with(config: ImapConfig) -> ImapTarget {
    ImapTarget::new(config, OnePassword::new("secret")).unwrap()
}

pub fn dovecot(store: Store) -> Dovecot {
    Dovecot::start(DovecotOptions { store, ..DovecotOptions::with_accounts(&["anna", "bert", "carl"]) }).unwrap()
}

pub fn anna() -> AccountId {
    AccountId::new("anna")
}

pub fn wanted(path: &[&str], role: Role) -> Wanted {
    let path = path.iter().map(|name| (*name).to_owned()).collect();
    Wanted {
        account: anna(),
        workload: Workload::Mail,
        path,
        parent: None,
        role,
        known: None,
        adopt: false,
        claimed: std::sync::Arc::default(),
        appearance: Appearance::default(),
    }
}

pub async fn mailbox(target: &ImapTarget, path: &[&str]) -> Collection {
    target.ensure(&wanted(path, Role::Ordinary)).await.unwrap()
}

pub fn text(n: usize) -> String {
    format!("Message-ID: <m{n}@example.org>\r\nFrom: a@example.org\r\nSubject: number {n}\r\n\r\nBody {n}\r\n")
}

pub fn placing_of(intent: &str, facts: Facts, bytes: impl Into<Vec<u8>>) -> Placing {
    let body: Arc<dyn Body> = Arc::new(HeldBody::new(bytes.into()));
    Placing { intent: IntentId::new(intent), facts, name: None, key: None, instead: None, body }
}

pub fn placing(n: usize) -> Placing {
    placing_of(&n.to_string(), Facts { read: Some(n.is_multiple_of(2)), ..Facts::default() }, text(n))
}

pub fn key(n: usize) -> NaturalKey {
    let text = text(n);
    NaturalKey {
        intent: IntentId::new(n.to_string()),
        key: Some(format!("<m{n}@example.org>")),
        digest: Digest::of(text.as_bytes()),
        length: text.len() as u64,
        name: None,
    }
}

pub type Answers = Vec<(String, Result<Placed, Fault>)>;

pub async fn place(target: &ImapTarget, at: &Collection, batch: Vec<Placing>) -> Answers {
    let answers: Vec<_> = target.place(at, batch).collect().await;
    answers.into_iter().map(|(intent, answer)| (intent.as_str().to_owned(), answer)).collect()
}

pub async fn placement(target: &ImapTarget, at: &Collection, placing: Placing) -> Placement {
    let (digest, facts) = (placing.body.digest(), placing.facts.clone());
    let placed = place(target, at, vec![placing]).await.remove(0).1.unwrap();
    Placement { at: at.clone(), handle: placed.handle.unwrap(), version: None, digest, facts }
}

pub async fn observe(target: &ImapTarget, at: &Collection, depth: Depth) -> Vec<Observed> {
    target.observe(at, depth.into()).map(Result::unwrap).collect().await
}

pub async fn count(target: &ImapTarget, at: &Collection) -> usize {
    observe(target, at, Depth::Presence).await.len()
}
