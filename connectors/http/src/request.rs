//! A request as a value.

use crate::{HeaderMap, HeaderName, HeaderValue, LaneKey, Method, Url};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use std::{fmt, time::Duration};

/// One request, to be sent once or several times. Its `Debug` shows neither query, headers nor body.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Bytes>,
    /// The keys it is counted under, the narrowest first (mailbox, then app). All requests name them in one order.
    pub lanes: Vec<LaneKey>,
    /// What it costs in the windows of its keys; 1 but for services that count in units.
    pub cost: u32,
    /// Whether sending it twice does no harm. Only such a request is sent again when its outcome is unknown.
    pub idempotent: bool,
    /// Whether it carries the service's token.
    pub auth: bool,
    /// The longest it may be waited for, where that is less than the road's own patience.
    pub within: Option<Duration>,
}

impl Request {
    /// A request with the token; idempotent where HTTP says that the method is (RFC 9110 section 9.2.2).
    pub fn new(method: Method, url: Url, lanes: impl IntoIterator<Item = LaneKey>) -> Self {
        let idempotent = method.is_idempotent();
        let lanes = lanes.into_iter().collect();
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            lanes,
            cost: 1,
            idempotent,
            auth: true,
            within: None,
        }
    }
    pub fn get(url: Url, lanes: impl IntoIterator<Item = LaneKey>) -> Self {
        Self::new(Method::GET, url, lanes)
    }
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }
    #[must_use]
    pub fn accept(self, media_type: &'static str) -> Self {
        self.header(ACCEPT, HeaderValue::from_static(media_type))
    }
    #[must_use]
    pub fn body(mut self, media_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        self.body = Some(bytes.into());
        self
    }
    #[must_use]
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.body("application/json", value.to_string())
    }
    #[must_use]
    pub fn costing(mut self, units: u32) -> Self {
        self.cost = units;
        self
    }
    /// Declares that sending it twice does no harm (a POST that only asks, or one with an idempotency key).
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.idempotent = true;
        self
    }
    /// Without the service's token: a pre-signed download.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.auth = false;
        self
    }
    /// Gives up rather than wait longer: for an answer that is welcome, and not needed.
    #[must_use]
    pub fn within(mut self, patience: Duration) -> Self {
        self.within = Some(patience);
        self
    }
    /// Method and address without query or fragment, as faults and logs show it.
    pub fn shown(&self) -> String {
        format!("{} {}", self.method, shown(&self.url))
    }
}

/// An address as faults and logs show it: without query, fragment and user name, which hold cursors, signatures and
/// passwords, and with long segments, which are foreign ids, by their end alone.
pub(crate) fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path: Vec<String> = url.path().split('/').map(shortened).collect();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), path.join("/"))
}

fn shortened(segment: &str) -> String {
    const LONGEST: usize = 32;
    const KEPT: usize = 8;
    let length = segment.chars().count();
    if length <= LONGEST {
        return segment.to_owned();
    }
    format!("…{}", segment.chars().skip(length - KEPT).collect::<String>())
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({}, {} bytes)", self.shown(), self.body.as_ref().map_or(0, Bytes::len))
    }
}
