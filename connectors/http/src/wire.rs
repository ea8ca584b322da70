//! The one client: TLS, timeouts, the server's clock.

use crate::{HeaderMap, Url, WireConfig, answer::date, is_loopback, request::shown, tls};
use std::{
    error::Error,
    io,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};
use transhume_contract::{Fault, Reach, What};

/// The way to the network, shared by the road and its token cache. Cheap to clone.
#[derive(Clone)]
pub struct Wire(Arc<Clients>);

struct Clients {
    /// Through the proxies the environment names.
    outside: reqwest::Client,
    /// Loopback never goes through a proxy: it is the only place where plain http, and so a readable token, may go.
    loopback: reqwest::Client,
    silence: Duration,
    skew: AtomicI64,
}

/// Before the first answer.
const NO_SKEW: i64 = i64::MIN;

/// A request that got no answer.
pub(crate) struct Broken {
    pub fault: Fault,
    /// Whether the service may have seen the request.
    pub sent: bool,
    /// Whether trying again is pointless.
    pub lasting: bool,
}

impl Wire {
    /// `Malformed`, reaching the run, when the file of certificate authorities cannot be read.
    pub fn new(config: &WireConfig) -> Result<Self, Fault> {
        let tls = tls::client_config(config.extra_ca.as_deref())?;
        let outside = client(config, tls.clone(), false)?;
        let loopback = client(config, tls, true)?;
        let silence = config.silence;
        Ok(Self(Arc::new(Clients { outside, loopback, silence, skew: AtomicI64::new(NO_SKEW) })))
    }

    /// The servers' clock minus ours, in seconds, as the latest Date header told. `None` before the first answer.
    pub fn clock_skew(&self) -> Option<i64> {
        Some(self.0.skew.load(Ordering::Relaxed)).filter(|skew| *skew != NO_SKEW)
    }

    /// The longest time without a byte.
    pub(crate) fn silence(&self) -> Duration {
        self.0.silence
    }

    /// One request, one answer, nothing repeated.
    pub(crate) async fn execute(&self, request: reqwest::Request) -> Result<reqwest::Response, Broken> {
        let url = request.url().clone();
        permitted(&url).map_err(|fault| Broken { fault, sent: false, lasting: true })?;
        let client = if is_loopback(&url) { &self.0.loopback } else { &self.0.outside };
        let answer = client.execute(request).await.map_err(|error| self.broken(&url, &error))?;
        self.note_clock(answer.headers());
        Ok(answer)
    }

    fn note_clock(&self, headers: &HeaderMap) {
        if let Some(theirs) = date(headers) {
            self.0.skew.store(apart(theirs, SystemTime::now()), Ordering::Relaxed);
        }
    }

    fn broken(&self, url: &Url, error: &reqwest::Error) -> Broken {
        let host = url.host_str().unwrap_or_default();
        if let Some(refusal) = tls::refusal_in(error) {
            return Broken { fault: tls::distrust(host, refusal), sent: false, lasting: true };
        }
        let sentence = format!("{}: {}", shown(url), in_words(error, self.0.silence));
        let fault = Fault::new(What::Unreachable, sentence);
        let fault = match error.is_connect() {
            true => fault.reaching(Reach::Run).ask(
                "check that this machine reaches that host (name, port, proxy, firewall), then run the same command again",
            ),
            false => fault.reaching(Reach::Item),
        };
        Broken { fault, sent: !error.is_connect(), lasting: error.is_builder() }
    }
}

fn client(config: &WireConfig, tls: rustls::ClientConfig, direct: bool) -> Result<reqwest::Client, Fault> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(&config.user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .gzip(true)
        .connect_timeout(config.connect)
        .read_timeout(config.silence)
        .tcp_keepalive(Duration::from_secs(30));
    let builder = if direct { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| {
        Fault::new(What::Malformed, format!("the HTTP client cannot start: {}", error.without_url()))
            .reaching(Reach::Run)
            .ask("check the user agent and the proxy settings of the environment (HTTPS_PROXY, NO_PROXY)")
    })
}

/// Plain http is for this machine only, and no address carries a password.
pub(crate) fn permitted(url: &Url) -> Result<(), Fault> {
    let bad = |sentence: String| Fault::new(What::Forbidden, sentence).reaching(Reach::Run);
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad(format!("{} carries a user name in the address", shown(url))).report());
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => Err(bad(format!("{} is plain http, which anybody on the way can read", shown(url)))
            .ask("write the address with https; plain http is for loopback only")),
        other => Err(bad(format!("`{other}` is not an address of the web")).report()),
    }
}

/// Whole seconds, rounded towards zero: Date headers have no fractions.
fn apart(theirs: SystemTime, ours: SystemTime) -> i64 {
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match theirs.duration_since(ours) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    }
}

/// What broke, from the kind of the innermost I/O error; the library's own words hold whole addresses.
pub(crate) fn in_words(error: &reqwest::Error, silence: Duration) -> String {
    if error.is_builder() {
        return "the address cannot be written as a request".into();
    }
    if error.is_timeout() && error.is_connect() {
        return "no connection in time".into();
    }
    if error.is_timeout() {
        return format!("no answer for {} s", silence.as_secs());
    }
    let kind = io_kind(error);
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => "the connection was refused: nothing listens there".into(),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe) => {
            "the connection was reset".into()
        }
        Some(io::ErrorKind::UnexpectedEof) => "the answer broke off before its end".into(),
        _ if error.is_connect() => "the host cannot be found or reached".into(),
        _ if error.is_decode() || error.is_body() => "the answer broke off before its end".into(),
        _ => "the connection broke before an answer came".into(),
    }
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let mut next = Some(error);
    let mut kind = None;
    while let Some(error) = next {
        kind = error.downcast_ref::<io::Error>().map(io::Error::kind).or(kind);
        next = error.source();
    }
    kind
}
