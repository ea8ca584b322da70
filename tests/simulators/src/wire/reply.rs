//! One answer, before it becomes bytes.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::Cut;
use crate::dump::Content;

pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub payload: Payload,
}

pub(crate) enum Payload {
    Empty,
    Json(Value),
    /// Bytes of known length.
    Bytes(bytes::Bytes),
    /// Bytes sent in chunks without telling how many, and where they break off.
    Stream(Content, Option<Cut>),
}

impl Reply {
    pub fn json(value: impl Into<Value>) -> Self {
        Self::of(StatusCode::OK, Payload::Json(value.into()))
    }

    pub fn of(status: StatusCode, payload: Payload) -> Self {
        Self { status, headers: HeaderMap::new(), payload }
    }

    pub fn text(text: impl Into<String>) -> Self {
        let text: String = text.into();
        Self::of(StatusCode::OK, Payload::Bytes(text.into())).with("content-type", "text/plain")
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}
