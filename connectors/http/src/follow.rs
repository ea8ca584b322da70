//! Where a redirect may lead, and what goes along.

use crate::{Request, Road, request::shown, wire::permitted};
use http::{
    HeaderMap, HeaderName, Method,
    header::{ACCEPT, IF_MATCH, IF_RANGE, RANGE},
};
use transhume_contract::{Fault, Reach, What};

/// What a foreign host may know of a request; everything else may prove or tell something.
const HARMLESS: [HeaderName; 4] = [ACCEPT, RANGE, IF_RANGE, IF_MATCH];

impl Road {
    /// The request that follows a redirect of a GET or HEAD. It carries the token only where the new host is of this
    /// service; to any other host only Accept, Range and If-* go along. From https it never leads to http.
    pub fn follow(&self, from: &Request, location: &str) -> Result<Request, Fault> {
        let refuse = |why: &str| {
            let sentence = format!("{} was redirected {why}", from.shown());
            Fault::new(What::Forbidden, sentence).reaching(Reach::Run).report()
        };
        if from.method != Method::GET && from.method != Method::HEAD {
            return Err(refuse("though it is no GET"));
        }
        let mut url = from.url.join(location).map_err(|_| refuse("to something that is no address"))?;
        url.set_fragment(None);
        permitted(&url).map_err(|_| refuse(&format!("to {}, where nothing may be sent", shown(&url))))?;
        if from.url.scheme() == "https" && url.scheme() != "https" {
            return Err(refuse("from https to http"));
        }
        let trusted = self.trusts(&url);
        let headers = if trusted { from.headers.clone() } else { harmless(&from.headers) };
        Ok(Request { url, headers, auth: from.auth && trusted, ..from.clone() })
    }
}

fn harmless(headers: &HeaderMap) -> HeaderMap {
    let known = headers.iter().filter(|(name, _)| HARMLESS.contains(name));
    known.map(|(name, value)| (name.clone(), value.clone())).collect()
}
