//! What an answer means for the road: go on, wait, try again, sign in again.

use crate::{Response, response::Pieces};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use http::{
    HeaderMap, StatusCode,
    header::{DATE, RETRY_AFTER},
};
use std::time::{Duration, SystemTime};
use transhume_contract::Fault;

/// Reads an answer of status 400 or above. The bytes are the body's beginning (64 KiB at most).
pub type Classify = fn(StatusCode, &HeaderMap, &[u8]) -> Reading;

/// What an answer means to the road.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub verdict: Verdict,
    /// The service's own code; it ends up in the fault.
    pub code: Option<String>,
}

/// What is to be done with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is for the connector, whatever its status.
    Final,
    /// The same request may succeed later.
    Transient,
    /// Too many requests. The pause falls on the request's key of this class, or on its first key.
    Throttled(Option<&'static str>),
    /// Too many requests at the same time: as `Throttled`, and that key loses a lane.
    Crowded(Option<&'static str>),
    /// The token was refused. Once a fresh one is tried, then the run stops.
    TokenRefused,
}

impl Reading {
    pub fn new(verdict: Verdict, code: Option<String>) -> Self {
        Self { verdict, code }
    }
}

/// The reading that goes by the status alone.
pub fn http_only(status: StatusCode, _: &HeaderMap, _: &[u8]) -> Reading {
    let verdict = match status.as_u16() {
        401 => Verdict::TokenRefused,
        429 => Verdict::Throttled(None),
        408 | 500 | 502 | 503 | 504 | 509 => Verdict::Transient,
        _ => Verdict::Final,
    };
    Reading::new(verdict, None)
}

/// The pause an answer asks for. Whole seconds and dates are RFC 9110 section 10.2.3; fractions of a second are not,
/// yet the Microsoft Graph throttling guidance shows `2.128`. A date is read by the server's own clock where the
/// answer tells it, so that a wrong clock here neither shortens nor stretches the pause; `now` is the local time.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(date(headers).unwrap_or(now)).unwrap_or_default())
}

/// The server's clock, in whole seconds.
pub(crate) fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

/// The service's id of a request, by whichever name it goes.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    const NAMES: [&str; 4] = ["request-id", "x-ms-request-id", "sprequestguid", "x-request-id"];
    NAMES.iter().find_map(|name| headers.get(*name)?.to_str().ok()).map(str::to_owned)
}

/// So much of a refusal's body is read before it is judged.
const JUDGED: usize = 64 * 1024;

/// A refusal with the beginning of its body.
pub(crate) struct Answer {
    pub status: StatusCode,
    headers: HeaderMap,
    request_id: Option<String>,
    read: Vec<Result<Bytes, Fault>>,
    rest: Option<Pieces>,
    pub reading: Reading,
}

impl Answer {
    pub async fn read(
        status: StatusCode,
        headers: HeaderMap,
        request_id: Option<String>,
        mut pieces: Pieces,
        classify: Classify,
    ) -> Self {
        let mut begin = BytesMut::new();
        let mut read = Vec::new();
        let mut rest = None;
        while let Some(piece) = pieces.next().await {
            begin.extend_from_slice(piece.as_deref().unwrap_or_default());
            read.push(piece);
            if begin.len() >= JUDGED {
                rest = Some(pieces);
                break;
            }
        }
        begin.truncate(JUDGED);
        let reading = classify(status, &headers, &begin);
        Self { status, headers, request_id, read, rest, reading }
    }

    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers, SystemTime::now())
    }

    /// The service's code and request id, for the fault.
    pub fn mark(&self, fault: Fault) -> Fault {
        let code = self.reading.code.clone().filter(|code| !code.is_empty());
        let code = code.unwrap_or_else(|| format!("HTTP {}", self.status.as_u16()));
        fault.code(code).request(self.request_id.clone())
    }

    pub fn into_response(self) -> Response {
        let read = stream::iter(self.read);
        let pieces = match self.rest {
            Some(rest) => read.chain(rest).boxed(),
            None => read.boxed(),
        };
        Response { status: self.status, headers: self.headers, request_id: self.request_id, pieces }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    /// 2026-01-31 08:15:00 UTC.
    const NOW: Duration = Duration::from_secs(1_769_847_300);

    fn pause(retry_after_text: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after_text.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        retry_after(&headers, SystemTime::UNIX_EPOCH + NOW)
    }

    #[test]
    fn retry_after_is_seconds_fractions_or_a_date() {
        assert_eq!(pause("120", None), Some(Duration::from_secs(120)));
        assert_eq!(pause(" 2.128 ", None), Some(Duration::from_millis(2_128)));
        assert_eq!(pause("Sat, 31 Jan 2026 08:16:00 GMT", None), Some(Duration::from_secs(60)));
        assert_eq!(pause("Sat, 31 Jan 2026 08:14:00 GMT", None), Some(Duration::ZERO));
        assert_eq!(pause("-3", None), Some(Duration::ZERO));
    }

    #[test]
    fn a_date_is_read_by_the_servers_own_clock() {
        let date = "Sat, 31 Jan 2026 09:00:00 GMT";
        assert_eq!(pause("Sat, 31 Jan 2026 09:00:30 GMT", Some(date)), Some(Duration::from_secs(30)));
    }

    #[test]
    fn nonsense_is_no_pause() {
        for text in ["soon", "", "inf", "1e400", "NaNs"] {
            assert_eq!(pause(text, None), None, "{text}");
        }
    }
}
