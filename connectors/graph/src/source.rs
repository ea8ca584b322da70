//! The source itself: the contract's verbs, each handed to the file that knows it.

use crate::{
    account::Discovery,
    check,
    config::GraphConfig,
    endpoint::Endpoint,
    faults::token_fault,
    mail::{
        cursor::{Place, Walk},
        folders::Folders,
        listing::Listing,
        original, settings,
    },
    service::Service,
    tenant,
    usage::Usage,
};
use async_trait::async_trait;
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use transhume_contract::{
    Access, Account, AccountPage, Collection, Cursor, Facts, Fault, Feed, FeedId, Identity, ItemRef, OriginalSink,
    Page, Source, SourceTraits, Traffic, What, Workload,
};
use transhume_http::{Counters, Road, TokenCache, Tokens, Wire};

/// Microsoft Graph as a source: one tenant, read as one application.
pub struct GraphSource {
    identity: Identity,
    service: Service,
    usage: Usage,
    lanes: usize,
    page_size: u32,
    requests_per_hour: u64,
    /// Whether this tenant refused extended properties in a listing.
    plainly: AtomicBool,
}

impl GraphSource {
    /// Nothing is sent yet. `Malformed`, reaching the run, for a configuration that cannot work.
    pub fn new(config: &GraphConfig) -> Result<Self, Fault> {
        let wire = config.wire()?;
        let tokens = TokenCache::new(wire.clone(), config.grant()?, token_fault);
        Self::with_tokens(config, wire, tokens)
    }

    /// As `new`, and finds out which tenant it is, so that a domain and a GUID name the same one. Where nobody tells
    /// now, the identity's place is empty; that stops nothing.
    pub async fn connect(config: &GraphConfig) -> Result<Self, Fault> {
        let mut source = Self::new(config)?;
        let service = &source.service;
        source.identity.place = tenant::id(config, &config.wire()?, &*service.tokens).await.unwrap_or_default();
        Ok(source)
    }

    /// As `new`, with tokens from elsewhere.
    pub fn with_tokens(config: &GraphConfig, wire: Wire, tokens: Arc<dyn Tokens>) -> Result<Self, Fault> {
        let endpoint = Endpoint::new(&config.graph()?, config.client_id.as_str());
        let road = Road::new(wire, config.road()?, Some(tokens.clone()));
        let hour = Duration::from_secs(3600).as_millis() / config.window.per.as_millis().max(1);
        Ok(Self {
            identity: Identity { connector: "graph".into(), place: config.tenant.trim().to_lowercase() },
            service: Service { road, endpoint, tokens },
            usage: Usage::default(),
            lanes: config.lanes,
            page_size: config.page_size,
            requests_per_hour: u64::from(config.window.requests).saturating_mul(hour as u64),
            plainly: AtomicBool::new(false),
        })
    }

    fn discovery(&self) -> Discovery<'_> {
        Discovery { service: &self.service, usage: &self.usage }
    }
}

#[async_trait]
impl Source for GraphSource {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn traits(&self) -> SourceTraits {
        SourceTraits { workloads: vec![Workload::Mail], lanes: self.lanes, requests_per_hour: self.requests_per_hour }
    }

    fn traffic(&self) -> Traffic {
        let Counters { requests, throttled, .. } = self.service.road.counters();
        Traffic { requests, throttled }
    }

    async fn check(&self, account: Option<&Account>) -> Result<Access, Fault> {
        match account {
            None => check::tenant(&self.service, &self.discovery()).await,
            Some(account) => check::account(&self.service, &self.discovery(), account).await,
        }
    }

    async fn accounts(&self, from: Option<&Cursor>) -> Result<AccountPage, Fault> {
        self.discovery().page(from).await
    }

    async fn collections(&self, account: &Account, workload: Workload) -> Result<Vec<Collection>, Fault> {
        only_mail(workload)?;
        Folders { service: &self.service, account: &account.id, lanes: self.lanes }.tree().await
    }

    /// One feed per mail folder: an Outlook delta speaks of one folder.
    async fn feeds(&self, account: &Account, collections: &[Collection]) -> Result<Vec<Feed>, Fault> {
        let own = collections.iter().filter(|one| one.account == account.id && one.workload == Workload::Mail);
        let feed = |one: &Collection| Feed {
            account: account.id.clone(),
            workload: Workload::Mail,
            id: FeedId::new(one.id.as_str()),
            collection: Some(one.id.clone()),
        };
        Ok(own.map(feed).collect())
    }

    async fn changes(&self, of: &Feed, from: Option<&Cursor>) -> Result<Page, Fault> {
        only_mail(of.workload)?;
        let place = from.map_or_else(|| Ok(Place::start(Walk::Delta, self.page_size)), Place::of)?;
        let listing =
            Listing { service: &self.service, page_size: self.page_size, lanes: self.lanes, plainly: &self.plainly };
        listing.page(of, place).await
    }

    async fn fetch(&self, item: &ItemRef, into: &mut dyn OriginalSink) -> Result<Facts, Fault> {
        only_mail(item.workload)?;
        original::fetch(&self.service, item, into).await
    }

    async fn settings(&self, account: &Account, workload: Workload, into: &mut dyn OriginalSink) -> Result<(), Fault> {
        only_mail(workload)?;
        settings::settings(&self.service, &account.id, into).await
    }
}

fn only_mail(workload: Workload) -> Result<(), Fault> {
    if workload == Workload::Mail {
        return Ok(());
    }
    let sentence = format!("this version reads no {workload} from Microsoft Graph");
    Err(Fault::new(What::Unsupported, sentence).reaching(transhume_contract::Reach::Account))
}
