//! One conversation with a token endpoint, on our own wire.

use crate::{
    Patience, Refusal, TokenFaults, Verdict, Wire,
    answer::{request_id, retry_after},
    http_only,
    request::shown,
    tries::{Setback, Tries},
};
use futures::{FutureExt, future::BoxFuture};
use oauth2::{AsyncHttpClient, ErrorResponse, HttpRequest, HttpResponse, RequestTokenError};
use serde::Deserialize;
use std::{
    sync::{Mutex, PoisonError},
    time::SystemTime,
};
use transhume_contract::{Fault, Reach, What};
use url::Url;

/// The HTTP client that the crate oauth2 is given. It keeps the last answer, because the crate's error types drop the
/// fields that services add to RFC 6749.
pub(crate) struct Exchange {
    wire: Wire,
    patience: Patience,
    faults: TokenFaults,
    last: Mutex<Option<Last>>,
}

struct Last {
    status: u16,
    request_id: Option<String>,
    body: Vec<u8>,
}

/// RFC 6749 section 5.2 and what Entra adds (Entra docs: handle errors).
#[derive(Deserialize)]
struct Told {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
    #[serde(default)]
    error_codes: Vec<u64>,
    #[serde(default)]
    trace_id: Option<String>,
}

impl Exchange {
    pub fn new(wire: Wire, patience: Patience, faults: TokenFaults) -> Self {
        Self { wire, patience, faults, last: Mutex::new(None) }
    }

    /// Sends one token request, again where the endpoint is not at hand: asking twice for a token does no harm.
    async fn post(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let mut tries = Tries::new(self.patience);
        if self.wire.clock_skew().is_none() {
            tries.never_reached();
        }
        loop {
            let (setback, asked, fault) = match self.once(&request).await {
                Ok(answer) => match self.settled(&answer) {
                    None => return Ok(answer),
                    Some(failed) => failed,
                },
                Err(failed) => failed,
            };
            let pause = asked.unwrap_or_default();
            tokio::time::sleep(tries.after(setback, asked, fault)?.max(pause)).await;
        }
    }

    async fn once(&self, request: &HttpRequest) -> Result<HttpResponse, Failed> {
        let copy = reqwest::Request::try_from(request.clone()).map_err(|_| {
            let fault = Fault::new(What::Malformed, "a token request cannot be written").reaching(Reach::Run).report();
            (Setback::Hopeless, None, fault)
        })?;
        let answer = self.wire.execute(copy).await.map_err(|broken| {
            let setback = match (broken.lasting, broken.sent) {
                (true, _) => Setback::Hopeless,
                (false, true) => Setback::Broken,
                (false, false) => Setback::Unreached,
            };
            (setback, None, broken.fault)
        })?;
        let (status, headers, url) = (answer.status(), answer.headers().clone(), answer.url().clone());
        let body = answer.bytes().await.map_err(|_| {
            let fault = Fault::new(What::Unreachable, format!("{}: the answer broke off before its end", shown(&url)));
            (Setback::Broken, None, fault.reaching(Reach::Run))
        })?;
        let mut answer = http::Response::new(body.to_vec());
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }

    /// `None` for an answer that is one, kept for its details.
    fn settled(&self, answer: &HttpResponse) -> Option<Failed> {
        let asked = retry_after(answer.headers(), SystemTime::now());
        let id = request_id(answer.headers());
        let status = answer.status();
        let fault = |what| {
            let fault = Fault::new(what, format!("the sign-in service answered {status}")).reaching(Reach::Run);
            fault.code(format!("HTTP {}", status.as_u16())).request(id.clone())
        };
        let verdict =
            if status.is_success() { Verdict::Final } else { http_only(status, answer.headers(), &[]).verdict };
        match verdict {
            Verdict::Throttled(_) | Verdict::Crowded(_) => {
                Some((Setback::Refused, asked, fault(What::Throttled).wait(asked.unwrap_or(self.patience.pause_max))))
            }
            Verdict::Transient => Some((Setback::Refused, asked, fault(What::Unreachable))),
            Verdict::Final | Verdict::TokenRefused => {
                let last = Last { status: status.as_u16(), request_id: id, body: answer.body().clone() };
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
                None
            }
        }
    }

    /// What a failed exchange means to a person. A success is no longer kept then: it holds secrets.
    pub fn fault<E: ErrorResponse + 'static>(&self, error: RequestTokenError<Fault, E>, url: &Url) -> Fault {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (error, last) {
            (RequestTokenError::Request(fault), _) => fault,
            (_, Some(last)) => match serde_json::from_slice::<Told>(&last.body) {
                Ok(told) => (self.faults)(&self.refusal(told, &last)),
                Err(_) => unreadable(url, last.status),
            },
            (_, None) => unreadable(url, 0),
        }
    }

    /// A refusal that was decided here.
    pub fn refuse(&self, error: &str) -> Fault {
        (self.faults)(&Refusal { error: error.to_owned(), clock_skew: self.wire.clock_skew(), ..Refusal::default() })
    }

    /// Forgets the last answer, which may hold a token.
    pub fn forget(&self) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn refusal(&self, told: Told, last: &Last) -> Refusal {
        Refusal {
            status: last.status,
            error: told.error,
            codes: told.error_codes,
            description: told.error_description.unwrap_or_default(),
            request_id: told.trace_id.or_else(|| last.request_id.clone()),
            clock_skew: self.wire.clock_skew(),
        }
    }
}

impl<'c> AsyncHttpClient<'c> for Exchange {
    type Error = Fault;
    type Future = BoxFuture<'c, Result<HttpResponse, Fault>>;
    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.post(request).boxed()
    }
}

type Failed = (Setback, Option<std::time::Duration>, Fault);

fn unreadable(url: &Url, status: u16) -> Fault {
    Fault::new(What::Malformed, format!("{} does not answer like a token endpoint (HTTP {status})", shown(url)))
        .reaching(Reach::Run)
        .ask("check the sign-in host and the tenant in transhume.toml")
}
