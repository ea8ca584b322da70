//! A folder target with one account, and messages for it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use tempfile::TempDir;
use tokio::io::AsyncRead;
use transhume_contract::memory::HeldBody;
use transhume_contract::{
    AccountId, Amended, Amending, Appearance, Body, Collection, Depth, Digest, Facts, Fault, FlagState, IntentId,
    Observed, Placed, Placement, Placing, Role, Target, Timestamp, Wanted, Workload,
};
use transhume_folder::Folder;

pub struct Subject {
    pub root: TempDir,
    pub target: Folder,
}

pub fn facts() -> Facts {
    Facts {
        read: Some(false),
        flag: Some(FlagState::None),
        answered: Some(false),
        forwarded: Some(false),
        draft: Some(false),
        categories: Some(Vec::new()),
        received: Timestamp::from_second(1_740_823_200).ok(),
        ..Facts::default()
    }
}

pub fn placing(intent: &str, text: &str, facts: Facts) -> Placing {
    let body = Arc::new(HeldBody::new(text.to_owned()));
    Placing { intent: IntentId::new(intent), facts, name: None, key: None, instead: None, body }
}

/// A body that must be opened, and may give other bytes than its digest says.
struct Streamed {
    says: Digest,
    bytes: Vec<u8>,
}

#[async_trait]
impl Body for Streamed {
    fn length(&self) -> u64 {
        self.bytes.len() as u64
    }
    fn digest(&self) -> Digest {
        self.says
    }
    fn at_hand(&self) -> Option<bytes::Bytes> {
        None
    }
    async fn open(&self) -> Result<Box<dyn AsyncRead + Send + Unpin>, Fault> {
        Ok(Box::new(std::io::Cursor::new(self.bytes.clone())))
    }
}

pub fn streamed(intent: &str, bytes: Vec<u8>) -> Placing {
    let body = Arc::new(Streamed { says: Digest::of(&bytes), bytes });
    Placing { intent: IntentId::new(intent), facts: facts(), name: None, key: None, instead: None, body }
}

pub fn torn(intent: &str) -> Placing {
    let body = Arc::new(Streamed { says: Digest::of(b"other"), bytes: b"bytes".to_vec() });
    Placing { intent: IntentId::new(intent), facts: facts(), name: None, key: None, instead: None, body }
}

impl Subject {
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("thf").tempdir_in("/tmp").unwrap();
        let target = Folder::open(root.path()).unwrap();
        Self { root, target }
    }

    pub fn account(&self) -> AccountId {
        AccountId::new("ada")
    }

    pub fn home(&self) -> PathBuf {
        self.root.path().join("ada")
    }

    pub fn folder(&self, name: &str) -> PathBuf {
        self.target.maildir(&self.account()).join(format!(".{name}"))
    }

    /// The message files of a folder, sorted.
    pub fn files(&self, name: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder(name).join("cur")).unwrap();
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        files
    }

    pub fn want(&self, path: &[&str], role: Role) -> Wanted {
        let path = path.iter().map(|&name| name.to_owned()).collect();
        Wanted {
            account: self.account(),
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

    pub async fn ensure(&self, path: &[&str]) -> Collection {
        self.target.ensure(&self.want(path, Role::Ordinary)).await.unwrap()
    }

    pub async fn place(&self, at: &Collection, batch: Vec<Placing>) -> Vec<Result<Placed, Fault>> {
        self.target.place(at, batch).map(|(_, placed)| placed).collect().await
    }

    pub async fn observe(&self, at: &Collection) -> Vec<Observed> {
        self.target.observe(at, Depth::Content.into()).map(Result::unwrap).collect().await
    }

    /// Places one message and gives its placement.
    pub async fn placement(&self, at: &Collection, intent: &str, text: &str, facts: Facts) -> Placement {
        let placed = self.place(at, vec![placing(intent, text, facts.clone())]).await.remove(0).unwrap();
        let digest = Digest::of(text.as_bytes());
        Placement { at: at.clone(), handle: placed.handle.unwrap(), version: None, digest, facts }
    }

    pub async fn amend(&self, placement: &Placement, want: Facts) -> Result<Amended, Fault> {
        let change = Amending::first(IntentId::new("amend"), placement.clone(), want);
        self.target.amend(&placement.at, vec![change]).await.unwrap().remove(0).1
    }
}
