//! Sends requests, and sends them again where that is right.

use crate::{
    Counters, LaneKey, LaneView, Patience, Request, Response, RoadConfig, Tokens, Verdict, Whole, Wire,
    answer::{Answer, request_id},
    pacer::{Pacer, Permit},
    response::pieces,
    tokens::Bearer,
    tries::{Setback, Tries},
    wire::{Broken, permitted},
};
use http::{HeaderName, HeaderValue, header::AUTHORIZATION};
use secrecy::ExposeSecret;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use transhume_contract::{Fault, Reach, What};

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// The road to one service. Cheap to share behind an `Arc`.
pub struct Road {
    wire: Wire,
    pub(crate) config: RoadConfig,
    tokens: Option<Arc<dyn Tokens>>,
    pacer: Pacer,
    /// Whether the service has answered since the start.
    reached: AtomicBool,
}

/// An attempt that did not bring a final answer.
struct Failed {
    setback: Setback,
    asked: Option<Duration>,
    fault: Fault,
    /// Whether the same request may be sent again without harm.
    repeatable: bool,
}

type Attempt = Result<Result<Response, Failed>, Fault>;

impl Road {
    pub fn new(wire: Wire, config: RoadConfig, tokens: Option<Arc<dyn Tokens>>) -> Self {
        let pacer = Pacer::new(config.limits.clone());
        Self { wire, config, tokens, pacer, reached: AtomicBool::new(false) }
    }

    /// Sends a request when its keys allow, and again where that is right. Returns every final answer, redirects and
    /// refusals included: what a 404 means is the connector's to say.
    ///
    /// Faults: `Throttled` or `Unreachable` when patience has ended, `Unauthenticated` when the token was refused
    /// twice or cannot be had, `Forbidden` (reaching the run, remedy `Report`) for an address that must not be
    /// reached. The code is the service's own, or `HTTP 504` and the like where it gave none. `Throttled` reaches the
    /// account; `Unreachable` the run when no connection could be made or trusted, else the item: a connector that
    /// knows better says so.
    pub async fn send(&self, request: Request) -> Result<Response, Fault> {
        self.allowed(&request)?;
        self.until_answered(&request, &mut Tries::new(self.patience(&request))).await
    }

    /// As `send`, with the whole body, at most `limit` bytes. A body that breaks is asked for again where the request
    /// is idempotent.
    pub async fn whole(&self, request: Request, limit: usize) -> Result<Whole, Fault> {
        self.allowed(&request)?;
        let mut tries = Tries::new(self.patience(&request));
        loop {
            let answer = self.until_answered(&request, &mut tries).await?;
            let (status, headers, id) = (answer.status, answer.headers.clone(), answer.request_id.clone());
            match answer.bytes(limit).await {
                Ok(body) => return Ok(Whole { status, headers, request_id: id, body }),
                Err(fault) if fault.what == What::TooLarge => return Err(fault),
                Err(fault) if !request.idempotent => return Err(fault.outcome_unknown()),
                Err(fault) => self.rest(&mut tries, Failed::broken(fault)).await?,
            }
        }
    }

    pub fn counters(&self) -> Counters {
        self.pacer.counters()
    }
    /// How a key stands now; `None` when it was not used lately.
    pub fn lane(&self, key: &LaneKey) -> Option<LaneView> {
        self.pacer.view(key)
    }
    /// The servers' clock minus ours, in seconds.
    pub fn clock_skew(&self) -> Option<i64> {
        self.wire.clock_skew()
    }

    /// A bearer token, ours or one a connector wrote itself, is for the hosts of this service alone.
    fn allowed(&self, request: &Request) -> Result<(), Fault> {
        permitted(&request.url)?;
        let proves = request.auth || request.headers.contains_key(AUTHORIZATION);
        if !proves || self.trusts(&request.url) {
            return Ok(());
        }
        let sentence = format!("{} is not an address of this service, so that no token goes there", request.shown());
        Err(Fault::new(What::Forbidden, sentence).reaching(Reach::Run).report())
    }

    pub(crate) fn trusts(&self, url: &crate::Url) -> bool {
        permitted(url).is_ok() && self.config.trusted.iter().any(|rule| rule.covers(url))
    }

    fn patience(&self, request: &Request) -> Patience {
        let patience = self.config.patience;
        Patience { total: request.within.unwrap_or(patience.total).min(patience.total), ..patience }
    }

    async fn until_answered(&self, request: &Request, tries: &mut Tries) -> Result<Response, Fault> {
        loop {
            match self.attempt(request).await? {
                Ok(response) => return Ok(response),
                Err(failed) if failed.repeatable => self.rest(tries, failed).await?,
                Err(failed) => return Err(failed.fault),
            }
        }
    }

    async fn rest(&self, tries: &mut Tries, failed: Failed) -> Result<(), Fault> {
        match failed.setback {
            Setback::Throttled => self.pacer.count(|counters| counters.throttled += 1),
            Setback::Refused | Setback::Broken | Setback::Unreached => {
                self.pacer.count(|counters| counters.refused += 1)
            }
            Setback::Token | Setback::Hopeless => {}
        }
        if !self.reached.load(Ordering::Relaxed) {
            tries.never_reached();
        }
        let pause = tries.after(failed.setback, failed.asked, failed.fault)?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    async fn attempt(&self, request: &Request) -> Attempt {
        // Before the lanes are taken, so that nobody holds one while a token is fetched; and again after, for the wait
        // may have outlived it.
        self.bearer(request).await?;
        let longest = self.patience(request).total;
        let entered = self.pacer.enter(&request.lanes, request.cost, longest).await;
        let permit = entered.map_err(|pause| throttled(request, "the service asks for a long pause").wait(pause))?;
        let bearer = self.bearer(request).await?;
        let started = Instant::now();
        self.pacer.count(|counters| counters.requests += 1);
        match self.wire.execute(written(request, bearer.as_ref())?).await {
            Ok(answer) => {
                self.reached.store(true, Ordering::Relaxed);
                trace(request, answer.status(), request_id(answer.headers()), started);
                self.read(request, answer, permit, bearer).await
            }
            Err(broken) if broken.lasting => Err(broken.fault),
            Err(broken) => Ok(Err(Failed::unanswered(request, broken))),
        }
    }

    async fn bearer(&self, request: &Request) -> Result<Option<Bearer>, Fault> {
        match &self.tokens {
            Some(tokens) if request.auth => tokens.bearer().await.map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// Decides what an answer means. Below 400 nothing is read ahead.
    async fn read(
        &self,
        request: &Request,
        answer: reqwest::Response,
        permit: Permit,
        bearer: Option<Bearer>,
    ) -> Attempt {
        let (status, headers, id) = (answer.status(), answer.headers().clone(), request_id(answer.headers()));
        let silence = self.wire.silence();
        if !(status.is_client_error() || status.is_server_error()) {
            permit.went_well();
            return Ok(Ok(Response {
                status,
                headers,
                request_id: id.clone(),
                pieces: pieces(answer, permit, id, silence),
            }));
        }
        let keys = Keys::of(&permit);
        let answer =
            Answer::read(status, headers, id.clone(), pieces(answer, permit, id, silence), self.config.classify).await;
        match answer.reading.verdict {
            Verdict::Final => Ok(Ok(answer.into_response())),
            Verdict::Transient => Ok(Err(self.refused(request, &answer, &keys))),
            Verdict::Throttled(class) => Ok(Err(self.throttle(request, &answer, &keys, class))),
            Verdict::Crowded(class) => {
                if let Some(key) = keys.named(class) {
                    self.pacer.step_down(key, keys.entered);
                }
                Ok(Err(self.throttle(request, &answer, &keys, class)))
            }
            Verdict::TokenRefused => {
                let fault = answer.mark(no_token_helps(request));
                drop(answer);
                self.token_refused(fault, bearer).await
            }
        }
    }

    fn refused(&self, request: &Request, answer: &Answer, keys: &Keys) -> Failed {
        let asked = answer.retry_after();
        if let (Some(_), Some(key)) = (asked, keys.named(None)) {
            self.pause(key, asked, keys.entered);
        }
        let sentence = format!("{}: the service answered {}", request.shown(), answer.status);
        let fault = answer.mark(Fault::new(What::Unreachable, sentence));
        let fault = match asked {
            Some(pause) => fault.wait(pause),
            None => fault,
        };
        let (fault, repeatable) = if request.idempotent { (fault, true) } else { (fault.outcome_unknown(), false) };
        Failed { setback: Setback::Refused, asked, fault, repeatable }
    }

    fn throttle(&self, request: &Request, answer: &Answer, keys: &Keys, class: Option<&str>) -> Failed {
        let (asked, key) = (answer.retry_after(), keys.named(class));
        let pause =
            key.map_or_else(|| asked.unwrap_or(self.config.patience.pause), |key| self.pause(key, asked, keys.entered));
        let fault = throttled(request, "the service asks for fewer requests").wait(pause);
        // The pause is the key's: the request waits for it where all others do.
        Failed { setback: Setback::Throttled, asked: None, fault: answer.mark(fault), repeatable: true }
    }

    fn pause(&self, key: &LaneKey, asked: Option<Duration>, entered: Instant) -> Duration {
        let until = self.pacer.pause(key, asked, entered, &self.config.patience);
        tracing::info!(
            class = key.class,
            seconds = asked.map(|asked| asked.as_secs_f64()),
            "the service asks for a pause"
        );
        until.saturating_duration_since(Instant::now())
    }

    async fn token_refused(&self, fault: Fault, bearer: Option<Bearer>) -> Attempt {
        let (Some(tokens), Some(bearer)) = (&self.tokens, &bearer) else { return Err(fault) };
        tokens.refused(bearer).await;
        Ok(Err(Failed { setback: Setback::Token, asked: None, fault, repeatable: true }))
    }
}

fn no_token_helps(request: &Request) -> Fault {
    let sentence = format!("{}: the service refuses the token", request.shown());
    Fault::new(What::Unauthenticated, sentence).reaching(Reach::Run).ask(
        "check that the application still exists, that it has its permissions and that this clock is right; then run again",
    )
}

/// The keys of a permit that has gone with its body.
struct Keys {
    keys: Vec<LaneKey>,
    entered: Instant,
}

impl Keys {
    fn of(permit: &Permit) -> Self {
        Self { keys: permit.keys().to_vec(), entered: permit.entered }
    }
    /// The key a refusal falls on: the one of this class, or the narrowest.
    fn named(&self, class: Option<&str>) -> Option<&LaneKey> {
        let named = class.and_then(|class| self.keys.iter().find(|key| key.class == class));
        named.or_else(|| self.keys.first())
    }
}

impl Failed {
    fn broken(fault: Fault) -> Self {
        Self { setback: Setback::Broken, asked: None, fault, repeatable: true }
    }
    fn unanswered(request: &Request, broken: Broken) -> Self {
        let setback = if broken.sent { Setback::Broken } else { Setback::Unreached };
        let repeatable = request.idempotent || !broken.sent;
        let fault = if repeatable { broken.fault } else { broken.fault.outcome_unknown() };
        Self { setback, asked: None, fault, repeatable }
    }
}

fn throttled(request: &Request, why: &str) -> Fault {
    Fault::new(What::Throttled, format!("{}: {why}", request.shown())).reaching(Reach::Account)
}

/// Links are sent as they came: the address is not taken apart and put together again on the way.
fn written(request: &Request, bearer: Option<&Bearer>) -> Result<reqwest::Request, Fault> {
    let malformed = || Fault::new(What::Malformed, format!("{} cannot be written", request.shown())).report();
    let mut written = reqwest::Request::new(request.method.clone(), request.url.clone());
    *written.body_mut() = request.body.clone().map(reqwest::Body::from);
    *written.headers_mut() = request.headers.clone();
    let id = uuid::Uuid::new_v4().to_string();
    written.headers_mut().insert(CLIENT_REQUEST_ID, HeaderValue::from_str(&id).map_err(|_| malformed())?);
    if let Some(bearer) = bearer {
        let text = format!("Bearer {}", bearer.token.expose_secret());
        let mut value = HeaderValue::from_str(&text).map_err(|_| malformed())?;
        value.set_sensitive(true);
        written.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(written)
}

fn trace(request: &Request, status: http::StatusCode, id: Option<String>, started: Instant) {
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(request = %request.shown(), status = status.as_u16(), id, milliseconds, "answered");
}
