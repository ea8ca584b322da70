//! Asking the service: the road, with refusals turned into faults.

use crate::{
    endpoint::{Endpoint, IMMUTABLE, preferring},
    faults::{Asked, Complaint},
    json, wire,
};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use transhume_contract::{Fault, Reach, What};
use transhume_http::{Request, Response, Road, Tokens, Url, Whole};

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

    /// Every row of a short list of one mailbox: its calendars, its folders, its lists. `path` is encoded.
    pub async fn rows<T: DeserializeOwned>(&self, user: &str, path: &str, named: &str) -> Result<Vec<T>, Fault> {
        let (mut rows, mut url) = (Vec::new(), self.endpoint.at(path));
        loop {
            let mut page: wire::Page = self.json(self.of_mailbox(user, url), Asked::Mailbox, named).await?;
            rows.extend(page.rows::<T>(named).map_err(|fault| fault.reaching(Reach::Account))?);
            let Some(link) = &page.next_link else { return Ok(rows) };
            let next = self.endpoint.kept(link).and_then(|link| self.endpoint.resumed(&link));
            url = next.map_err(|fault| fault.reaching(Reach::Account))?;
        }
    }

    /// The first page of a list, where one is enough.
    pub async fn first(&self, user: &str, path: &str, named: &str) -> Result<wire::Page, Fault> {
        let request = preferring(self.endpoint.mailbox(user, self.endpoint.at(path)), &[IMMUTABLE]);
        self.json(request, Asked::Mailbox, named).await
    }

    /// Every row of a short list, each to the byte.
    pub async fn rows_verbatim(&self, user: &str, path: &str, asked: Asked, named: &str) -> Result<Vec<Bytes>, Fault> {
        let (mut rows, mut url) = (Vec::new(), self.endpoint.at(path));
        loop {
            let (page, bytes): (wire::Page, _) = self.parsed(self.of_mailbox(user, url), asked, named).await?;
            let bytes = json::verbatim(bytes.to_vec(), named)?;
            rows.extend(json::elements(&bytes, "value").into_iter().flatten().map(Bytes::copy_from_slice));
            let Some(link) = &page.next_link else { return Ok(rows) };
            let next = self.endpoint.kept(link).and_then(|link| self.endpoint.resumed(&link));
            url = next.map_err(|fault| fault.reaching(asked.reach()))?;
        }
    }

    fn of_mailbox(&self, user: &str, url: Url) -> Request {
        preferring(self.endpoint.mailbox(user, url), &[IMMUTABLE, "odata.maxpagesize=250"])
    }

    /// One resource: parsed as far as we read it, and its bytes as they came. `path` is encoded.
    pub async fn item<T: DeserializeOwned>(
        &self,
        user: &str,
        path: &str,
        wishes: &[&str],
        named: &str,
    ) -> Result<(T, Vec<u8>), Fault> {
        let request = self.endpoint.mailbox(user, self.endpoint.at(path));
        let wishes = [&[IMMUTABLE], wishes].concat();
        let (parsed, bytes) = self.parsed(preferring(request, &wishes), Asked::Item, named).await?;
        Ok((parsed, json::verbatim(bytes.to_vec(), named)?))
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
