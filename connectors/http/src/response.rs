//! An answer, with its body still on the way or already whole.

use crate::{HeaderMap, StatusCode};
use bytes::Bytes;
use futures::stream::BoxStream;
use std::fmt;
use transhume_contract::Fault;

/// An answer whose body may still be on its way. Its lanes stay taken until the body has ended or is dropped.
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The service's id of the request, for its support desk.
    pub request_id: Option<String>,
    pub(crate) body: BoxStream<'static, Result<Bytes, Fault>>,
}

/// An answer with its whole body. `Debug` shows its size alone.
#[derive(Clone)]
pub struct Whole {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub request_id: Option<String>,
    pub body: Bytes,
}

impl Response {
    /// The body in pieces. An early end (a cut connection, fewer bytes than announced, an unfinished chunk or gzip
    /// stream) is a fault, `Unreachable`, never an end.
    pub fn stream(self) -> BoxStream<'static, Result<Bytes, Fault>> {
        self.body
    }
    /// The whole body, at most `limit` bytes; more is `TooLarge`.
    pub async fn bytes(self, limit: usize) -> Result<Bytes, Fault> {
        let _ = limit;
        Err(Fault::new(transhume_contract::What::Unsupported, "not yet"))
    }
    /// The `Location` header as it stands. [`crate::Road::follow`] makes a safe request of it.
    pub fn location(&self) -> Option<&str> {
        self.headers.get(http::header::LOCATION)?.to_str().ok()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({})", self.status)
    }
}

impl fmt::Debug for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Whole({}, {} bytes)", self.status, self.body.len())
    }
}
