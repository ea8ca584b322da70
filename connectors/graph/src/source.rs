//! The source itself: the contract's verbs, each handed to the file that knows it.

use crate::{
    account::Discovery,
    calendar::{self, calendars, round::Round},
    check,
    config::GraphConfig,
    contacts::{self, rows::CONTACTS},
    endpoint::Endpoint,
    faults::token_fault,
    listing::{
        Family, Listing,
        cursor::{Place, Walk},
    },
    mail::{folders::Folders, original, rows::MAIL, settings},
    reach::Permissions,
    service::Service,
    tasks::{self, rows::TASKS},
    tenant,
    usage::Usage,
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use transhume_contract::{
    Access, Account, AccountPage, Collection, Cost, Cursor, Facts, Fault, Feed, FeedId, Identity, ItemRef,
    OriginalSink, Page, Role, Source, SourceTraits, Traffic, What, Workload,
};
use transhume_http::{Counters, Road, TokenCache, Tokens, Wire};

/// Microsoft Graph as a source: one tenant, read as one application.
pub struct GraphSource {
    identity: Identity,
    service: Service,
    usage: Usage,
    permissions: Permissions,
    lanes: usize,
    page_size: u32,
    requests_per_hour: u64,
    /// Whether this tenant refused extended properties in a listing.
    plainly: AtomicBool,
    calendars: calendar::Known,
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
            permissions: Permissions::default(),
            lanes: config.lanes,
            page_size: config.page_size,
            requests_per_hour: u64::from(config.window.requests).saturating_mul(hour as u64),
            plainly: AtomicBool::new(false),
            calendars: calendar::Known::default(),
        })
    }

    async fn listed(&self, family: Family, of: &Feed, from: Option<&Cursor>) -> Result<Page, Fault> {
        let place = from.map_or_else(|| Ok(Place::start(Walk::Delta, self.page_size)), Place::of)?;
        let (service, page_size, lanes, plainly) = (&self.service, self.page_size, self.lanes, &self.plainly);
        Listing { family, service, page_size, lanes, plainly }.page(of, place).await
    }

    fn round(&self) -> Round<'_> {
        Round { service: &self.service, known: &self.calendars, page_size: self.page_size, lanes: self.lanes }
    }

    fn discovery(&self) -> Discovery<'_> {
        Discovery { service: &self.service, usage: &self.usage, permissions: &self.permissions }
    }
}

#[async_trait]
impl Source for GraphSource {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn traits(&self) -> SourceTraits {
        SourceTraits { workloads: WORKLOADS.to_vec(), lanes: self.lanes, requests_per_hour: self.requests_per_hour }
    }

    fn traffic(&self) -> Traffic {
        let Counters { requests, throttled, .. } = self.service.road.counters();
        Traffic { requests, throttled }
    }

    fn cost(&self, workload: Workload, items: &BTreeMap<String, u64>) -> Cost {
        let all: u64 = items.values().sum();
        match workload {
            Workload::Calendar => self.calendars.cost(items, self.page_size),
            // With each its photo, which most do not have.
            Workload::Contacts => Cost { originals: 2 * all, round: 0 },
            Workload::Mail | Workload::Tasks | Workload::Files => Cost { originals: all, round: 0 },
        }
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
        match workload {
            Workload::Mail => Folders { service: &self.service, account: &account.id, lanes: self.lanes }.tree().await,
            Workload::Calendar => calendars::all(&self.service, account).await,
            Workload::Contacts => contacts::folders::all(&self.service, account).await,
            Workload::Tasks => tasks::lists::all(&self.service, account).await,
            Workload::Files => Err(unread(workload)),
        }
    }

    /// One feed for each collection: an Outlook delta speaks of one. What others share with the account has none.
    async fn feeds(&self, account: &Account, collections: &[Collection]) -> Result<Vec<Feed>, Fault> {
        let own = collections.iter().filter(|one| one.account == account.id && is_listed(one));
        let feed = |one: &Collection| Feed {
            account: account.id.clone(),
            workload: one.workload,
            id: FeedId::new(one.id.as_str()),
            collection: Some(one.id.clone()),
        };
        Ok(own.map(feed).collect())
    }

    async fn changes(&self, of: &Feed, from: Option<&Cursor>) -> Result<Page, Fault> {
        match of.workload {
            Workload::Mail => self.listed(MAIL, of, from).await,
            Workload::Calendar => self.round().page(of, from).await,
            Workload::Contacts => self.listed(CONTACTS, of, from).await,
            Workload::Tasks => self.listed(TASKS, of, from).await,
            Workload::Files => Err(unread(of.workload)),
        }
    }

    async fn fetch(&self, item: &ItemRef, into: &mut dyn OriginalSink) -> Result<Facts, Fault> {
        match item.workload {
            Workload::Mail => original::fetch(&self.service, item, into).await,
            Workload::Calendar => calendar::original::fetch(&self.service, &self.calendars, item, into).await,
            Workload::Contacts => contacts::original::fetch(&self.service, item, into).await,
            Workload::Tasks => tasks::original::fetch(&self.service, item, into).await,
            Workload::Files => Err(unread(item.workload)),
        }
    }

    async fn settings(&self, account: &Account, workload: Workload, into: &mut dyn OriginalSink) -> Result<(), Fault> {
        match workload {
            Workload::Mail => settings::settings(&self.service, &account.id, into).await,
            Workload::Calendar => calendar::settings::settings(&self.service, account, into).await,
            // Colours of categories come with the calendars; nothing else is set for these.
            Workload::Contacts | Workload::Tasks => Ok(()),
            Workload::Files => Err(unread(workload)),
        }
    }
}

const WORKLOADS: &[Workload] = &[Workload::Mail, Workload::Calendar, Workload::Contacts, Workload::Tasks];

/// Mail folders that the service keeps for itself may hold mail all the same; a calendar or list of that kind is somebody
/// else's, or a mirror.
fn is_listed(collection: &Collection) -> bool {
    collection.workload == Workload::Mail || collection.role != Role::Internal
}

fn unread(workload: Workload) -> Fault {
    let sentence = format!("this version reads no {workload} from Microsoft Graph");
    Fault::new(What::Unsupported, sentence).reaching(transhume_contract::Reach::Account)
}
