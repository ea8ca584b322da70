//! Connections per account: logged in one at a time, lent, taken back, and given up where the server wants fewer.

use crate::{
    ImapConfig, faults,
    keywords::Keywords,
    link::Link,
    login::{LoginFailure, log_in},
    mailboxes::Mailboxes,
    wire,
};
use rustls::ClientConfig;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Duration, Instant, sleep, timeout},
};
use transhume_contract::{AccountId, Credential, Fault, Reach, Secret, What};

/// Refused accounts in a row, with none let in, after which no other is tried: ten lock everybody out of some servers.
const REFUSALS: usize = 3;
/// Pauses before another attempt to connect, where the failure may pass.
const ATTEMPTS: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(4)];

/// A connection used this recently needs no proof that it lives.
const FRESH: Duration = Duration::from_secs(60);

/// All accounts of one server.
pub struct Accounts {
    config: ImapConfig,
    tls: Arc<ClientConfig>,
    credential: Arc<dyn Credential>,
    known: Mutex<HashMap<AccountId, Arc<Account>>>,
    /// Held while an account logs in for the first time: one at a time per server.
    gate: tokio::sync::Mutex<()>,
    refused_in_a_row: AtomicUsize,
    /// Set once somebody was let in: an administrator's name and password are then right for all.
    let_in: AtomicBool,
}

/// What this process knows of one account.
pub struct Account {
    pub id: AccountId,
    lanes: Arc<Semaphore>,
    /// Lanes left after the server refused some.
    allowed: AtomicUsize,
    idle: Mutex<Vec<Link>>,
    /// Set once a login succeeded.
    proven: AtomicBool,
    refused: Mutex<Option<Fault>>,
    pub mailboxes: tokio::sync::Mutex<Mailboxes>,
    keywords: Mutex<HashMap<String, Keywords>>,
    /// When this process met the account, and per mailbox the last loss of a command under way.
    met: Instant,
    losses: Mutex<HashMap<String, Unsettled>>,
}

/// Since when a server may be at work on a command nobody waits for: one lost here, or one that a killed process before
/// us left behind.
#[derive(Clone, Copy, Debug)]
pub struct Unsettled {
    pub since: Instant,
    /// The server fell silent; else the connection was cut.
    pub silent: bool,
    /// How long was waited for it so far.
    pub waited: Duration,
}

impl Unsettled {
    pub const fn since(since: Instant) -> Self {
        Self { since, silent: false, waited: Duration::ZERO }
    }
}

/// A connection on loan. It goes back only by [`give_back`](Self::give_back), when a command has come to its end: one
/// that is merely dropped may be out of step with the server, and is closed.
pub struct Lease {
    pub link: Link,
    account: Arc<Account>,
    _lane: OwnedSemaphorePermit,
}

/// Why no connection came about.
enum NoLink {
    /// The server has enough of them.
    TooMany(String),
    Fault(Fault),
}

impl From<Fault> for NoLink {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Accounts {
    pub fn new(config: ImapConfig, credential: Arc<dyn Credential>) -> Result<Self, Fault> {
        config.validate()?;
        let tls = wire::tls_config(config.ca_file.as_deref())?;
        Ok(Self {
            config,
            tls,
            credential,
            known: Mutex::default(),
            gate: tokio::sync::Mutex::default(),
            refused_in_a_row: AtomicUsize::new(0),
            let_in: AtomicBool::new(false),
        })
    }

    pub fn config(&self) -> &ImapConfig {
        &self.config
    }

    pub fn account(&self, id: &AccountId) -> Arc<Account> {
        lock(&self.known)
            .entry(id.clone())
            .or_insert_with(|| Arc::new(Account::new(id, self.config.connections)))
            .clone()
    }

    /// Connects without logging in, and gives the greeting: for checks.
    pub async fn greeting(&self) -> Result<String, Fault> {
        Ok(wire::open(&self.config, &self.tls).await?.1)
    }

    /// Lends a connection, one with `mailbox` selected if there is one.
    pub async fn lease(&self, id: &AccountId, mailbox: Option<&str>) -> Result<Lease, Fault> {
        let account = self.account(id);
        loop {
            let lane = account.lanes.clone().acquire_owned().await.map_err(|_| closed())?;
            if let Some(fault) = lock(&account.refused).clone() {
                return Err(fault);
            }
            if let Some(link) = account.living(mailbox).await {
                return Ok(Lease { link, account, _lane: lane });
            }
            match self.connect(&account).await {
                Ok(link) => return Ok(Lease { link, account, _lane: lane }),
                Err(NoLink::TooMany(_)) if account.gave_up_one() => lane.forget(),
                Err(NoLink::TooMany(words)) => return Err(faults::no_connection_left(&self.config.place(), &words)),
                Err(NoLink::Fault(fault)) => return Err(fault),
            }
        }
    }

    /// Puts a new connection in the place of one that was lost.
    pub async fn renew(&self, lease: &mut Lease) -> Result<(), Fault> {
        lease.link = match self.connect(&lease.account).await {
            Ok(link) => link,
            Err(NoLink::TooMany(words)) => return Err(faults::no_connection_left(&self.config.place(), &words)),
            Err(NoLink::Fault(fault)) => return Err(fault),
        };
        Ok(())
    }

    async fn connect(&self, account: &Account) -> Result<Link, NoLink> {
        if account.proven.load(Ordering::Acquire) {
            return self.try_often(account).await;
        }
        let _one_at_a_time = self.gate.lock().await;
        if let Some(fault) = lock(&account.refused).clone() {
            return Err(fault.into());
        }
        if self.refused_in_a_row.load(Ordering::Acquire) >= REFUSALS {
            return Err(faults::too_many_refusals(&self.config.place()).into());
        }
        self.try_often(account).await
    }

    async fn try_often(&self, account: &Account) -> Result<Link, NoLink> {
        for pause in ATTEMPTS {
            match self.connect_once(account).await {
                Err(NoLink::Fault(fault)) if passes(&fault) => sleep(pause).await,
                outcome => return outcome,
            }
        }
        self.connect_once(account).await
    }

    async fn connect_once(&self, account: &Account) -> Result<Link, NoLink> {
        let secret = self.credential.secret(&account.id).await?;
        let (wire, greeting) = wire::open(&self.config, &self.tls).await?;
        let logged_in = timeout(self.config.connect_time(), log_in(wire, &greeting, &secret)).await;
        let session = match logged_in {
            Ok(Ok(session)) => session,
            Ok(Err(failure)) => return Err(self.not_logged_in(account, &secret, failure)),
            Err(_) => return Err(faults::lost(&self.config.place(), &std::io::ErrorKind::TimedOut.into()).into()),
        };
        account.proven.store(true, Ordering::Release);
        self.refused_in_a_row.store(0, Ordering::Release);
        self.let_in.store(true, Ordering::Release);
        let mut link = Link::new(session, self.config.silence(), self.config.place(), greeting);
        link.learn_capabilities().await?;
        Ok(link)
    }

    /// Whose refusal it is. A secret that was refused counts towards giving up on the server; an account that an
    /// administrator known to it cannot enter does not.
    fn refusal(&self, secret: &Secret, words: &str) -> Fault {
        let place = self.config.place();
        let known = self.let_in.load(Ordering::Acquire);
        let fault = match secret {
            Secret::Password { user, .. } => faults::login_refused(&place, user, words),
            Secret::Bearer { user, .. } => faults::token_refused(&place, user, words),
            Secret::Acting { user, authority, .. } => faults::acting_refused(&place, (authority, user), known, words),
        };
        if !(known && matches!(secret, Secret::Acting { .. })) {
            self.refused_in_a_row.fetch_add(1, Ordering::AcqRel);
        }
        fault
    }

    fn not_logged_in(&self, account: &Account, secret: &Secret, failure: LoginFailure) -> NoLink {
        let place = self.config.place();
        let fault = match failure {
            LoginFailure::Lost(error) => return faults::lost(&place, &error).into(),
            LoginFailure::Refused(words) if no_room(&words) => return NoLink::TooMany(words),
            LoginFailure::Refused(words) if server_trouble(&words) => return in_trouble(&place, secret, &words).into(),
            LoginFailure::Refused(words) => self.refusal(secret, &words),
            LoginFailure::NoWay(why) => faults::no_way_to_log_in(&place, &why),
        };
        *lock(&account.refused) = Some(fault.clone());
        fault.into()
    }
}

fn in_trouble(place: &str, secret: &Secret, words: &str) -> Fault {
    match secret {
        Secret::Acting { user, authority, .. } => faults::not_opened(place, (authority, user), words),
        Secret::Password { .. } | Secret::Bearer { .. } => faults::no_connection_left(place, words),
    }
}

/// As Dovecot (`Maximum number of connections from user+IP exceeded`) and others say it.
fn no_room(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    words.contains("connections") || words.contains("[limit]")
}

fn server_trouble(words: &str) -> bool {
    ["[UNAVAILABLE]", "[INUSE]", "[SERVERBUG]", "[CONTACTADMIN]"].iter().any(|code| words.contains(code))
}

/// Whether another attempt a moment later may do.
fn passes(fault: &Fault) -> bool {
    fault.what == What::Unreachable && fault.reach <= Reach::Account
}

fn closed() -> Fault {
    Fault::new(What::Interrupted, "The connections of the account were closed.").reaching(Reach::Account)
}

impl Account {
    fn new(id: &AccountId, connections: usize) -> Self {
        Self {
            id: id.clone(),
            lanes: Arc::new(Semaphore::new(connections)),
            allowed: AtomicUsize::new(connections),
            idle: Mutex::default(),
            proven: AtomicBool::new(false),
            refused: Mutex::default(),
            mailboxes: tokio::sync::Mutex::default(),
            keywords: Mutex::default(),
            met: Instant::now(),
            losses: Mutex::default(),
        }
    }

    fn take_idle(&self, mailbox: Option<&str>) -> Option<Link> {
        let mut idle = lock(&self.idle);
        let selected = |link: &Link| link.selected.as_ref().map(|selected| selected.mailbox.as_str()) == mailbox;
        let found = idle.iter().position(selected);
        found.map(|at| idle.swap_remove(at)).or_else(|| idle.pop())
    }

    /// An idle connection that still answers.
    async fn living(&self, mailbox: Option<&str>) -> Option<Link> {
        while let Some(mut link) = self.take_idle(mailbox) {
            if link.used.elapsed() < FRESH || link.ask("NOOP", |_| {}).await.is_ok() {
                return Some(link);
            }
        }
        None
    }

    /// One lane fewer, unless it is the last.
    fn gave_up_one(&self) -> bool {
        self.allowed.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now > 1).then(|| now - 1)).is_ok()
    }

    /// A command that writes into this mailbox was lost: the server may still be at it. What a silent server was sent
    /// before is not done because a connection is cut now.
    pub fn remember_loss(&self, mailbox: &str, silent: bool) {
        let mut losses = lock(&self.losses);
        let before = losses.get(mailbox).is_some_and(|loss| loss.silent && loss.waited.is_zero());
        let loss = Unsettled { silent: silent || before, ..Unsettled::since(Instant::now()) };
        losses.insert(mailbox.to_owned(), loss);
    }

    pub fn unsettled(&self, mailbox: &str) -> Unsettled {
        lock(&self.losses).get(mailbox).copied().unwrap_or_else(|| Unsettled::since(self.met))
    }

    pub fn remember_waited(&self, mailbox: &str, lost: Unsettled, waited: Duration) {
        let mut losses = lock(&self.losses);
        let known = losses.entry(mailbox.to_owned()).or_insert(lost);
        if known.since == lost.since {
            known.waited = known.waited.max(waited);
        }
    }

    /// Reads or notes what is known of a mailbox's keywords.
    pub fn keywords_in<T>(&self, mailbox: &str, act: impl FnOnce(&mut Keywords) -> T) -> T {
        act(lock(&self.keywords).entry(mailbox.to_owned()).or_default())
    }
}

impl Lease {
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    pub fn give_back(mut self) {
        if !self.link.broken {
            self.link.used = Instant::now();
            lock(&self.account.idle).push(self.link);
        }
    }
}
