//! Accounts: logged in one at a time, found once, then spoken to by requests.

use crate::{
    DavConfig,
    answer::Answer,
    ask::Ask,
    faults,
    homes::{Home, Seeker},
    server::Server,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::OnceCell, time::Instant};
use transhume_contract::{AccountId, Credential, Fault, Outcome, Reach, Secret, What};
use transhume_http::{
    HeaderMap, HeaderValue, HostRule, LaneKey, Limit, Limits, Patience, Reading, Request, Road, RoadConfig, StatusCode,
    Url, Verdict, Wire, WireConfig, header,
};

/// Refused accounts in a row, with none let in, after which no other is tried: ten lock everybody out of a Nextcloud.
const REFUSALS: usize = 3;
/// A token is asked for again after this, as it may have run out.
const FRESH: Duration = Duration::from_secs(60);
/// The largest answer that is read: a listing of a hundred thousand items has some fifty megabytes.
const LARGEST: usize = 256 << 20;
/// The key that requests of one account are counted by.
const LANE: &str = "account";

/// All accounts of one server.
pub struct Accounts {
    pub config: DavConfig,
    pub start: Url,
    wire: Wire,
    credential: Arc<dyn Credential>,
    known: Mutex<HashMap<AccountId, Arc<Account>>>,
    /// Held while an account logs in for the first time: one at a time per server.
    gate: tokio::sync::Mutex<()>,
    refused_in_a_row: AtomicUsize,
    /// Before the server is known, and once it is: the number of its lanes differs.
    first: Arc<Road>,
    road: OnceCell<Arc<Road>>,
}

/// What this process knows of one account.
pub struct Account {
    pub id: AccountId,
    home: OnceCell<Arc<Home>>,
    refused: Mutex<Option<Fault>>,
    proof: Mutex<Option<(HeaderValue, Instant)>>,
    /// Held while collections are looked up and made: no two of a name.
    pub making: tokio::sync::Mutex<()>,
    /// Calls of `place` that are under way.
    placings: AtomicUsize,
    /// Collections that this process made, and that nothing was placed in yet.
    made: Mutex<BTreeSet<String>>,
    /// Collections in which nothing can be reserved: this process made them, or removed what was left of it.
    unreserved: Mutex<BTreeSet<String>>,
    /// When this process met the account, and per collection the last write whose answer never came.
    met: Instant,
    losses: Mutex<HashMap<String, Unsettled>>,
}

/// Since when a server may be at work on a write nobody waits for: one lost here, or one that a killed process before
/// us left behind.
#[derive(Clone, Copy, Debug)]
pub struct Unsettled {
    pub since: Instant,
    /// The server fell silent; else the connection was cut.
    pub silent: bool,
}

/// A call of `place`.
pub struct UnderWay<'a>(&'a Account);

impl UnderWay<'_> {
    /// The part of an account's lanes that is this call's. Servers lock a collection while they write an item into it,
    /// so lanes do more in several collections than in one.
    pub fn share(&self, lanes: usize) -> usize {
        (lanes / self.0.placings.load(Ordering::Acquire).max(1)).max(1)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.placings.fetch_sub(1, Ordering::AcqRel);
    }
}

/// One account to speak to.
#[derive(Clone)]
pub struct Link {
    accounts: Arc<Accounts>,
    pub account: Arc<Account>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which refusals are for the road. 401 and 500 are told apart by the connector; 423 and 507 are no matter of time.
fn classify(status: StatusCode, _: &HeaderMap, _: &[u8]) -> Reading {
    let verdict = match status.as_u16() {
        429 => Verdict::Throttled(None),
        408 | 502 | 503 | 504 | 509 => Verdict::Transient,
        _ => Verdict::Final,
    };
    Reading::new(verdict, None)
}

fn road(wire: &Wire, start: &Url, lanes: usize) -> Arc<Road> {
    let limits = Limits::default().with(LANE, Limit { lanes, window: None });
    let patience = Patience { total: Duration::from_secs(300), throttled: 10, refused: 4, ..Patience::default() };
    let config = RoadConfig { limits, patience, classify, ..RoadConfig::new(vec![HostRule::of(start)]) };
    Arc::new(Road::new(wire.clone(), config, None))
}

impl Accounts {
    pub fn new(config: DavConfig, credential: Arc<dyn Credential>) -> Result<Self, Fault> {
        config.validate()?;
        let start = config.start()?;
        let wire = Wire::new(&WireConfig {
            silence: config.silence(),
            connect: Duration::from_secs(config.connect_seconds.max(1)),
            extra_ca: config.ca_file.clone(),
            ..WireConfig::default()
        })?;
        let first = road(&wire, &start, 1);
        Ok(Self {
            config,
            start,
            wire,
            credential,
            known: Mutex::default(),
            gate: tokio::sync::Mutex::default(),
            refused_in_a_row: AtomicUsize::new(0),
            first,
            road: OnceCell::new(),
        })
    }

    pub fn link(self: &Arc<Self>, id: &AccountId) -> Link {
        let account = lock(&self.known).entry(id.clone()).or_insert_with(|| Arc::new(Account::new(id))).clone();
        Link { accounts: self.clone(), account }
    }

    /// An answer to somebody who does not log in: for checks.
    pub async fn greeting(&self) -> Result<Answer, Fault> {
        let ask = crate::ask::options(self.start.path());
        let request = request(&self.start, &ask, Vec::new())?;
        whole(&self.first, request).await
    }

    fn road(&self) -> &Road {
        self.road.get().unwrap_or(&self.first)
    }

    pub fn lanes(&self, server: &Server) -> usize {
        self.config.connections.unwrap_or_else(|| server.lanes())
    }
}

impl Account {
    fn new(id: &AccountId) -> Self {
        Self {
            id: id.clone(),
            home: OnceCell::new(),
            refused: Mutex::default(),
            proof: Mutex::default(),
            making: tokio::sync::Mutex::default(),
            placings: AtomicUsize::new(0),
            made: Mutex::default(),
            unreserved: Mutex::default(),
            met: Instant::now(),
            losses: Mutex::default(),
        }
    }

    /// Counts a call of `place` until what is returned is dropped.
    pub fn begin_placing(&self) -> UnderWay<'_> {
        self.placings.fetch_add(1, Ordering::AcqRel);
        UnderWay(self)
    }

    pub fn remember_loss(&self, path: &str, silent: bool) {
        lock(&self.losses).insert(path.to_owned(), Unsettled { since: Instant::now(), silent });
    }

    /// Whether the answer to a write into this collection was lost in this process.
    pub fn has_lost(&self, path: &str) -> bool {
        lock(&self.losses).contains_key(path)
    }

    pub fn unsettled(&self, path: &str) -> Unsettled {
        let unknown = Unsettled { since: self.met, silent: false };
        lock(&self.losses).get(path).copied().unwrap_or(unknown)
    }

    pub fn remember_made(&self, path: &str) {
        lock(&self.made).insert(path.to_owned());
        self.remember_unreserved(path);
    }

    pub fn remember_reserved(&self, path: &str) {
        lock(&self.unreserved).remove(path);
    }

    pub fn remember_unreserved(&self, path: &str) {
        lock(&self.unreserved).insert(path.to_owned());
    }

    /// Whether a place may be reserved in a collection: by this process, or by one that was killed.
    pub fn may_be_reserved(&self, path: &str) -> bool {
        !lock(&self.unreserved).contains(path)
    }

    /// Whether this process made a collection that nothing was placed in yet. True once.
    pub fn takes_first_placing(&self, path: &str) -> bool {
        lock(&self.made).remove(path)
    }
}

fn request(base: &Url, ask: &Ask, lanes: Vec<LaneKey>) -> Result<Request, Fault> {
    let url = base.join(&ask.path).map_err(|_| {
        Fault::new(What::Malformed, "The path of an item cannot be written as an address.").reaching(Reach::Item)
    })?;
    let mut request = Request::new(ask.method.clone(), url, lanes).anonymous();
    request.idempotent = ask.repeatable;
    if let Some((media, body)) = &ask.body {
        request = request.body(media, body.clone());
    }
    request.headers.extend(ask.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    Ok(request)
}

async fn whole(road: &Road, request: Request) -> Result<Answer, Fault> {
    let answer = road.whole(request, LARGEST).await?;
    Ok(Answer { status: answer.status.as_u16(), headers: answer.headers, body: answer.body })
}

impl Link {
    pub fn place(&self) -> String {
        self.accounts.config.place()
    }

    pub fn base(&self) -> &Url {
        &self.accounts.start
    }

    pub fn config(&self) -> &DavConfig {
        &self.accounts.config
    }

    /// Requests at once for this account.
    pub fn lanes(&self, server: &Server) -> usize {
        self.accounts.lanes(server)
    }

    /// Whose collections these are, and where: found with the first request.
    pub async fn home(&self) -> Result<Arc<Home>, Fault> {
        self.account.home.get_or_try_init(|| self.find_home()).await.cloned()
    }

    async fn find_home(&self) -> Result<Arc<Home>, Fault> {
        let _one_at_a_time = self.accounts.gate.lock().await;
        self.not_refused()?;
        if self.accounts.refused_in_a_row.load(Ordering::Acquire) >= REFUSALS {
            return Err(faults::too_many_refusals(&self.place()));
        }
        let home = Arc::new(Seeker { link: self }.home().await?);
        self.accounts.refused_in_a_row.store(0, Ordering::Release);
        let lanes = self.accounts.lanes(&home.server);
        let make = || async { road(&self.accounts.wire, &self.accounts.start, lanes) };
        self.accounts.road.get_or_init(make).await;
        Ok(home)
    }

    fn not_refused(&self) -> Result<(), Fault> {
        lock(&self.account.refused).clone().map_or(Ok(()), Err)
    }

    /// Sends a write into a collection, and remembers it where its answer never came.
    pub async fn write(&self, ask: &Ask, collection: &str) -> Result<Answer, Fault> {
        let since = Instant::now();
        let outcome = self.send(ask).await;
        if outcome.as_ref().is_err_and(|fault| fault.outcome == Outcome::Unknown) {
            let silent = since.elapsed() >= self.config().silence();
            self.account.remember_loss(collection, silent);
        }
        outcome
    }

    /// The secret, asked for when it is needed.
    pub async fn secret(&self) -> Result<Secret, Fault> {
        self.accounts.credential.secret(&self.account.id).await
    }

    /// Sends a request as this account. What a status means is for the caller to say, but for a refused login.
    pub async fn send(&self, ask: &Ask) -> Result<Answer, Fault> {
        self.not_refused()?;
        let answer = self.send_once(ask).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let before = lock(&self.account.proof).take().map(|(proof, _)| proof);
        if self.proof().await.ok() != before {
            let answer = self.send_once(ask).await?;
            if answer.status != 401 {
                return Ok(answer);
            }
        }
        Err(self.refuse(&answer).await)
    }

    async fn send_once(&self, ask: &Ask) -> Result<Answer, Fault> {
        let lane = LaneKey::new(LANE, self.account.id.as_str());
        let request = request(&self.accounts.start, ask, vec![lane])?;
        let request = request.header(header::AUTHORIZATION, self.proof().await?);
        whole(self.accounts.road(), request).await.map_err(|fault| self.in_context(fault))
    }

    /// A server that is reached and throttles, or falls silent, does so for this account.
    fn in_context(&self, fault: Fault) -> Fault {
        match fault.what {
            What::Unreachable if fault.reach == Reach::Item && fault.outcome == Outcome::NotDone => {
                fault.reaching(Reach::Account).wait(Duration::from_secs(30))
            }
            _ => fault,
        }
    }

    async fn proof(&self) -> Result<HeaderValue, Fault> {
        if let Some((proof, since)) = lock(&self.account.proof).clone()
            && (!proof.as_bytes().starts_with(b"Bearer") || since.elapsed() < FRESH)
        {
            return Ok(proof);
        }
        let proof = authorization(&self.secret().await?)?;
        *lock(&self.account.proof) = Some((proof.clone(), Instant::now()));
        Ok(proof)
    }

    /// A refused secret is not tried again in this process.
    async fn refuse(&self, answer: &Answer) -> Fault {
        self.accounts.refused_in_a_row.fetch_add(1, Ordering::AcqRel);
        let place = self.place();
        let offered = answer.header("www-authenticate").unwrap_or("Basic").to_ascii_lowercase();
        let fault = match self.secret().await {
            _ if !(offered.contains("basic") || offered.contains("bearer")) => {
                faults::no_way_to_log_in(&place, offered.split_whitespace().next().unwrap_or_default())
            }
            Ok(Secret::Acting { authority, .. }) => faults::authority_refused(&place, &authority),
            Ok(Secret::Password { user, .. } | Secret::Bearer { user, .. }) => faults::login_refused(&place, &user),
            Err(fault) => fault,
        };
        *lock(&self.account.refused) = Some(fault.clone());
        fault
    }
}

/// RFC 7617 with UTF-8, or RFC 6750.
fn authorization(secret: &Secret) -> Result<HeaderValue, Fault> {
    let basic = |user: &str, password: &SecretString| {
        format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose_secret())))
    };
    let text = match secret {
        Secret::Password { user, password } => basic(user, password),
        Secret::Acting { authority, password, .. } => basic(authority, password),
        Secret::Bearer { token, .. } => format!("Bearer {}", token.expose_secret()),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        Fault::new(What::Unauthenticated, "The token of an account holds letters that no request can carry.")
            .reaching(Reach::Account)
            .ask("Check the file or command that tells the token: it must print the token and nothing else.")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_shared_evenly_by_the_calls_under_way_and_given_back() {
        let account = Account::new(&AccountId::new("ann"));
        let first = account.begin_placing();
        assert_eq!(first.share(6), 6);
        let second = account.begin_placing();
        assert_eq!([first.share(6), second.share(6)], [3, 3]);
        let third = account.begin_placing();
        assert_eq!([first.share(6), second.share(6), third.share(6)], [2, 2, 2]);
        assert_eq!(third.share(2), 1, "none is left without a lane");
        let other = Account::new(&AccountId::new("bob"));
        assert_eq!(other.begin_placing().share(6), 6, "lanes are an account's own");
        drop(second);
        assert_eq!([first.share(6), third.share(6)], [3, 3]);
        drop((first, third));
        assert_eq!(account.begin_placing().share(6), 6);
    }
}
