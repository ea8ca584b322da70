//! An answer, with its body still on the way or already whole.

use crate::{HeaderMap, StatusCode, pacer::Permit, request::shown, wire::in_words};
use bytes::{Bytes, BytesMut};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use http::header::LOCATION;
use std::{fmt, time::Duration};
use transhume_contract::{Fault, What};
use url::Url;

pub(crate) type Pieces = BoxStream<'static, Result<Bytes, Fault>>;

/// An answer whose body may still be on its way. Its lanes stay taken until the body has ended or is dropped.
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The service's id of the request, for its support desk.
    pub request_id: Option<String>,
    pub(crate) pieces: Pieces,
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
        self.pieces
    }

    /// The whole body, at most `limit` bytes; more is `TooLarge`.
    pub async fn bytes(self, limit: usize) -> Result<Bytes, Fault> {
        let request_id = self.request_id;
        let mut pieces = self.pieces;
        let mut whole = BytesMut::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            if whole.len() + piece.len() > limit {
                return Err(too_large(limit).request(request_id));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// The `Location` header as it stands. [`crate::Road::follow`] makes a safe request of it.
    pub fn location(&self) -> Option<&str> {
        location(&self.headers)
    }
}

impl Whole {
    /// As [`Response::location`].
    pub fn location(&self) -> Option<&str> {
        location(&self.headers)
    }
}

fn location(headers: &HeaderMap) -> Option<&str> {
    headers.get(LOCATION)?.to_str().ok()
}

fn too_large(limit: usize) -> Fault {
    Fault::new(What::TooLarge, format!("an answer is larger than the {limit} bytes it may have"))
}

/// The body of an answer, which keeps its lanes until it has ended, failed or is dropped. An empty one keeps none.
pub(crate) fn pieces(answer: reqwest::Response, permit: Permit, id: Option<String>, silence: Duration) -> Pieces {
    if answer.content_length() == Some(0) {
        return stream::empty().boxed();
    }
    let under_way = (answer.url().clone(), answer.bytes_stream().boxed(), permit, id);
    let next = move |state: Option<(Url, BoxStream<'static, _>, Permit, Option<String>)>| async move {
        let (url, mut stream, permit, id) = state?;
        match stream.next().await? {
            Ok(piece) => Some((Ok(piece), Some((url, stream, permit, id)))),
            Err(error) => Some((Err(cut(&url, &error, silence).request(id)), None)),
        }
    };
    stream::unfold(Some(under_way), next).boxed()
}

fn cut(url: &Url, error: &reqwest::Error, silence: Duration) -> Fault {
    Fault::new(What::Unreachable, format!("{}: {}", shown(url), in_words(error, silence)))
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
