//! One answer, before it becomes bytes.

use std::ops::Range;

use bytes::Bytes;
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
    Bytes(Bytes),
    /// A part of a file, of known length.
    File(Part),
    /// Bytes sent in chunks without telling how many, and where they break off.
    Stream(Content, Option<Cut>),
}

/// Some bytes of a body, or all of them.
pub(crate) struct Part {
    pub content: Content,
    pub range: Range<u64>,
    /// The byte of this part, counted from its beginning, that a fault turned into another one.
    pub spoilt: Option<u64>,
}

impl Part {
    pub fn length(&self) -> u64 {
        self.range.end - self.range.start
    }

    pub fn pieces(self) -> impl Iterator<Item = Bytes> + Send {
        let mut at = 0;
        self.content.range(self.range).map(move |piece| {
            let within = self.spoilt.and_then(|spoilt| usize::try_from(spoilt.checked_sub(at)?).ok());
            at += piece.len() as u64;
            match within.filter(|within| *within < piece.len()) {
                Some(within) => turned(&piece, within),
                None => piece,
            }
        })
    }
}

fn turned(piece: &Bytes, at: usize) -> Bytes {
    let mut bytes = piece.to_vec();
    bytes[at] ^= 0x40;
    bytes.into()
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
