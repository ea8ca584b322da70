//! `$batch`: up to twenty requests in one, four of them at a time, answered in any order (Microsoft Graph docs: JSON
//! batching).

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::wire::{Call, Payload, Refusal, Reply};

const MOST: usize = 20;
/// Graph forwards so many inner requests to Outlook at a time.
const AT_ONCE: usize = 4;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Inner>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "camelCase")]
struct Inner {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// Answers a batch; `answer` answers each request inside it.
///
/// # Errors
/// 400 for the whole batch if its form is wrong.
pub(crate) async fn answer<F>(call: &Call, shuffle: u64, answer: impl Fn(Call) -> F) -> Result<Reply, Refusal>
where
    F: Future<Output = Reply>,
{
    let mut waiting = read(call)?;
    let mut statuses: HashMap<String, u16> = HashMap::new();
    let mut responses = Vec::new();
    while !waiting.is_empty() {
        let ready = |inner: &Inner| inner.depends_on.iter().all(|id| statuses.contains_key(&id.to_lowercase()));
        let (now, later): (Vec<Inner>, Vec<Inner>) = waiting.into_iter().partition(ready);
        if now.is_empty() {
            return Err(invalid("A dependency of a request is missing or circular."));
        }
        let failed = |inner: &Inner| inner.depends_on.iter().any(|id| statuses[&id.to_lowercase()] >= 400);
        let (doomed, now): (Vec<Inner>, Vec<Inner>) = now.into_iter().partition(failed);
        let mut answers: Vec<(String, Value)> = doomed.into_iter().map(|inner| failed_dependency(&inner)).collect();
        let running = now.into_iter().map(|inner| one(call, inner, &answer));
        answers.extend(stream::iter(running).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await);
        for (id, response) in answers {
            statuses.insert(id, u16::try_from(response["status"].as_u64().unwrap_or(500)).unwrap_or(500));
            responses.push(response);
        }
        waiting = later;
    }
    let turn = usize::try_from(shuffle).unwrap_or(0) % responses.len().max(1);
    responses.rotate_left(turn);
    Ok(Reply::json(json!({"responses": responses})))
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(400, "BadRequest", message)
}

fn read(call: &Call) -> Result<Vec<Inner>, Refusal> {
    let batch: Batch =
        serde_json::from_slice(&call.body).map_err(|why| invalid(&format!("Invalid batch payload format: {why}")))?;
    if batch.requests.is_empty() || batch.requests.len() > MOST {
        return Err(invalid("Number of batch request steps must be between 1 and 20."));
    }
    let mut ids = HashSet::new();
    for inner in &batch.requests {
        if !ids.insert(inner.id.to_lowercase()) {
            return Err(invalid(&format!("Request Id '{}' is used more than once.", inner.id)));
        }
        let typed = inner.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
        if inner.body.is_some() && !typed {
            return Err(invalid("Write request inside a batch must contain a Content-Type header and a body."));
        }
    }
    let known = |id: &String| ids.contains(&id.to_lowercase());
    if batch.requests.iter().flat_map(|inner| &inner.depends_on).all(known) {
        return Ok(batch.requests);
    }
    Err(invalid("A request depends on one that is not in the batch."))
}

fn failed_dependency(inner: &Inner) -> (String, Value) {
    let message = "The dependency of this request failed.";
    let body = json!({"error": {"code": "FailedDependency", "message": message}});
    (inner.id.to_lowercase(), json!({"id": inner.id, "status": 424, "headers": {}, "body": body}))
}

async fn one<F>(outer: &Call, inner: Inner, answer: &impl Fn(Call) -> F) -> (String, Value)
where
    F: Future<Output = Reply>,
{
    let reply = answer(inner_call(outer, &inner)).await;
    let headers: serde_json::Map<String, Value> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().into()))
        .collect();
    let mut response = json!({"id": inner.id, "status": reply.status.as_u16(), "headers": headers});
    match reply.payload {
        Payload::Empty => {}
        Payload::Json(body) => response["body"] = body,
        Payload::Bytes(bytes) => response["body"] = STANDARD.encode(bytes).into(),
        Payload::File(part) => {
            let bytes: Vec<u8> = part.pieces().flatten().collect();
            response["body"] = STANDARD.encode(bytes).into();
        }
        Payload::Stream(content, _) => response["body"] = STANDARD.encode(content.to_bytes()).into(),
    }
    (inner.id.to_lowercase(), response)
}

/// The inner request with its own headers and the outer one's authority.
fn inner_call(outer: &Call, inner: &Inner) -> Call {
    let mut headers = HeaderMap::new();
    for name in ["authorization", "client-request-id"] {
        if let Some(value) = outer.headers.get(name) {
            headers.insert(name, value.clone());
        }
    }
    for (name, value) in &inner.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    let method = inner.method.parse().unwrap_or(Method::GET);
    let target = format!("/v1.0/{}", inner.url.trim_start_matches('/'));
    let body = inner.body.as_ref().map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    Call::to(method, target, headers, body, outer.origin.clone())
}
