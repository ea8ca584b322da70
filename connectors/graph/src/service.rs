//! Asking the service: the road, with refusals turned into faults.

use crate::{
    endpoint::Endpoint,
    faults::{Asked, Complaint},
    json,
};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use transhume_contract::{Fault, Reach, What};
use transhume_http::{Request, Response, Road, Tokens, Whole};

/// No page of a listing comes near this.
const PAGE_LIMIT: usize = 64 << 20;
/// How often an answer that is no JSON is asked for again.
const ATTEMPTS: usize = 4;
/// As much of a refusal as is read.
const REFUSAL_LIMIT: usize = 256 << 10;

/// One tenant's Graph, as one application sees it.
pub struct Service {
    pub road: Road,
    pub endpoint: Endpoint,
    pub tokens: Arc<dyn Tokens>,
}

impl Service {
    /// The whole answer. `named` finishes the sentence "Microsoft Graph refused ...".
    pub async fn whole(&self, request: Request, asked: Asked, named: &str) -> Result<Whole, Fault> {
        let answer = self.road.whole(request, PAGE_LIMIT).await.map_err(|fault| reaching(fault, asked))?;
        if answer.status.as_u16() < 400 {
            return Ok(answer);
        }
        Err(Complaint::of(&answer).fault(asked, named))
    }

    pub async fn json<T: DeserializeOwned>(&self, request: Request, asked: Asked, named: &str) -> Result<T, Fault> {
        self.parsed(request, asked, named).await.map(|(parsed, _)| parsed)
    }

    /// The answer parsed, and its bytes. A body that stops short although its stream ended properly is asked for again.
    pub async fn parsed<T: DeserializeOwned>(
        &self,
        request: Request,
        asked: Asked,
        named: &str,
    ) -> Result<(T, Bytes), Fault> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let answer = self.whole(request.clone(), asked, named).await?;
            match json::parse(&answer.body, named) {
                Ok(parsed) => return Ok((parsed, answer.body)),
                Err(fault) if attempts == ATTEMPTS => return Err(fault.reaching(asked.reach())),
                Err(_) => tracing::debug!(named, "the answer is no JSON: asking again"),
            }
        }
    }

    /// An answer whose body is still on its way.
    pub async fn stream(&self, request: Request, asked: Asked, named: &str) -> Result<Response, Fault> {
        let answer = self.road.send(request).await.map_err(|fault| reaching(fault, asked))?;
        if answer.status.as_u16() < 400 {
            return Ok(answer);
        }
        let (status, headers, request_id) = (answer.status, answer.headers.clone(), answer.request_id.clone());
        let body = answer.bytes(REFUSAL_LIMIT).await.unwrap_or_default();
        Err(Complaint::of(&Whole { status, headers, request_id, body }).fault(asked, named))
    }
}

/// A fault of the road reaches at least as far as what was asked for, and a refused token everything.
pub fn reaching(fault: Fault, asked: Asked) -> Fault {
    let least = if fault.what == What::Unauthenticated { Reach::Run } else { asked.reach() };
    let reach = fault.reach.max(least);
    fault.reaching(reach)
}
