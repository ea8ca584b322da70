//! What every test needs: a tenant at work, a source before it, and ways to walk and to fetch.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use transhume_contract::{
    Account, Change, CollectionId, Cursor, Facts, Fault, Feed, ItemId, ItemRef, Listed, Next, Source, Workload,
    memory::HeldOriginal,
};
use transhume_graph::{GraphConfig, GraphSource, Patience, Proof};
use transhume_simulators::{
    Options, Running, Simulator,
    dump::{Dump, Entry},
    seed::{Recipe, tenant},
};

pub struct Stage {
    pub sim: Running,
    pub source: GraphSource,
}

/// A few mailboxes with every odd mail in them.
pub fn hostile(accounts: u32, messages: u32) -> Dump {
    tenant(&Recipe { accounts, messages, hostile: true, ..Recipe::default() })
}

/// Plain mail, quickly made.
pub fn plain(accounts: u32, messages: u32) -> Dump {
    tenant(&Recipe { accounts, messages, hostile: false, message_bytes: Some(2000), ..Recipe::default() })
}

/// Every odd event, contact and task in the first account, and a few ordinary ones.
pub fn full(accounts: u32, each: u32) -> Dump {
    let (events, contacts, tasks) = (each, each, each);
    tenant(&Recipe { accounts, messages: 2, events, contacts, tasks, hostile: true, ..Recipe::default() })
}

pub fn config(sim: &Running) -> GraphConfig {
    let mut config = GraphConfig::new("contoso", "app", Proof::Secret("secret".to_owned().into()));
    config.graph_host = Some(sim.base_url());
    config.login_host = Some(sim.login_url());
    config.patience =
        Patience { pause: Duration::from_millis(20), pause_max: Duration::from_secs(1), ..config.patience };
    config
}

impl Stage {
    pub async fn with(dump: Dump, options: Options) -> Self {
        let sim = Simulator::start(dump, options).await.unwrap();
        let source = GraphSource::new(&config(&sim)).unwrap();
        Self { sim, source }
    }

    pub async fn of(dump: Dump) -> Self {
        Self::with(dump, Options::default()).await
    }

    pub fn again(&mut self, change: impl FnOnce(&mut GraphConfig)) {
        let mut config = config(&self.sim);
        change(&mut config);
        self.source = GraphSource::new(&config).unwrap();
    }

    pub async fn accounts(&self) -> Vec<Account> {
        let (mut all, mut from) = (Vec::new(), None);
        loop {
            let page = self.source.accounts(from.as_ref()).await.unwrap();
            all.extend(page.accounts);
            from = page.next;
            if from.is_none() {
                return all;
            }
        }
    }

    /// The first account of the tenant.
    pub async fn first(&self) -> Account {
        self.accounts().await.remove(0)
    }

    pub async fn feeds(&self, account: &Account) -> Vec<Feed> {
        self.feeds_of(account, Workload::Mail).await
    }

    pub async fn feeds_of(&self, account: &Account, workload: Workload) -> Vec<Feed> {
        let collections = self.source.collections(account, workload).await.unwrap();
        self.source.feeds(account, &collections).await.unwrap()
    }

    /// The feed of a folder by its role.
    pub async fn inbox(&self, account: &Account) -> Feed {
        let collections = self.source.collections(account, Workload::Mail).await.unwrap();
        let inbox = collections.into_iter().find(|one| one.role == transhume_contract::Role::Inbox).unwrap();
        self.source.feeds(account, &[inbox]).await.unwrap().remove(0)
    }

    pub async fn walk(&self, feed: &Feed, from: Option<Cursor>) -> Result<Round, Fault> {
        let mut round = Round::default();
        let mut cursor = from;
        loop {
            let page = self.source.changes(feed, cursor.as_ref()).await?;
            round.take(page.changes);
            match page.next {
                Next::Done(done) => {
                    round.done = Some(done);
                    return Ok(round);
                }
                Next::More(more) => cursor = Some(more),
            }
        }
    }

    /// One whole round of every folder of an account.
    pub async fn whole(&self, account: &Account) -> BTreeMap<CollectionId, Round> {
        self.whole_of(account, Workload::Mail).await
    }

    pub async fn whole_of(&self, account: &Account, workload: Workload) -> BTreeMap<CollectionId, Round> {
        let mut rounds = BTreeMap::new();
        for feed in self.feeds_of(account, workload).await {
            rounds.insert(feed.collection.clone().unwrap(), self.walk(&feed, None).await.unwrap());
        }
        rounds
    }

    pub async fn fetch(&self, account: &Account, listed: &Listed) -> Result<(HeldOriginal, Facts), Fault> {
        self.fetch_of(account, listed, Workload::Mail).await
    }

    pub async fn fetch_of(
        &self,
        account: &Account,
        listed: &Listed,
        workload: Workload,
    ) -> Result<(HeldOriginal, Facts), Fault> {
        let mut original = HeldOriginal::default();
        let item = ItemRef { workload, ..item(account, listed) };
        let facts = self.source.fetch(&item, &mut original).await?;
        Ok((original, facts))
    }

    pub fn messages(&self, account: &Account) -> Vec<Entry> {
        self.truth(account, "message")
    }

    /// What the tenant holds of one kind for an account.
    pub fn truth(&self, account: &Account, kind: &str) -> Vec<Entry> {
        let own = |entry: &Entry| entry.kind == kind && entry.user.as_deref().is_some_and(|user| is(account, user));
        self.sim.tenant().entries.into_iter().filter(own).collect()
    }

    pub fn switch(&self, switches: Value) {
        self.sim.faults(serde_json::json!({ "switches": switches })).unwrap();
    }

    pub fn mutate(&self, operations: Value) -> Value {
        self.sim.mutate(operations).unwrap()
    }
}

fn is(account: &Account, address: &str) -> bool {
    address.eq_ignore_ascii_case(&account.address)
        || account.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(address))
}

pub fn item(account: &Account, listed: &Listed) -> ItemRef {
    ItemRef {
        account: account.clone(),
        workload: Workload::Mail,
        id: listed.id.clone(),
        version: listed.version.clone(),
        facts: listed.facts.clone(),
    }
}

#[derive(Debug, Default)]
pub struct Round {
    pub listed: BTreeMap<ItemId, Listed>,
    pub gone: BTreeSet<ItemId>,
    pub refused: BTreeMap<ItemId, Fault>,
    pub done: Option<Cursor>,
}

impl Round {
    pub fn take(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Listed(listed) => {
                    self.gone.remove(&listed.id);
                    self.listed.insert(listed.id.clone(), *listed);
                }
                Change::Gone(id, _) => {
                    self.listed.remove(&id);
                    self.gone.insert(id);
                }
                Change::Refused(id, _, fault) => {
                    self.listed.remove(&id);
                    self.refused.insert(id, fault);
                }
            }
        }
    }
}
