//! The way of every request: sign-in, control or Graph; faults, identity, pace, answer; then into bytes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use serde_json::Value;

use crate::faults::{Fault, raw_controls};
use crate::graph::{Scene, batch};
use crate::pace::{Key, Lane, Overrun};
use crate::units::Charge;
use crate::wire::{Call, Caller, Cut, Payload, Refusal, Reply, Sending};
use crate::world::World;
use crate::{control, downloads, graph, login};

/// The connection is to be broken without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the fault script broke this connection")]
pub(crate) struct Broken;

/// What is sent, and what is held or spoilt while it is sent.
struct Outgoing {
    reply: Reply,
    lane: Option<Lane>,
    cut: Option<Cut>,
}

impl From<Reply> for Outgoing {
    fn from(reply: Reply) -> Self {
        Self { reply, lane: None, cut: None }
    }
}

/// Answers a request to the first origin.
///
/// # Errors
/// When a fault script wants no answer at all.
pub(crate) async fn serve(world: Arc<World>, head: Parts, body: Bytes) -> Result<Response<Sending>, Broken> {
    let call = Call::new(&head, body, origin(&world, &head));
    let path = call.target.split('?').next().unwrap_or_default().to_owned();
    if let Some(path) = path.strip_prefix("/_sim/") {
        return Ok(control::answer(&world, &call, path).await);
    }
    let ids = Ids::of(&world, &call);
    let outgoing = if path.starts_with("/v1.0/") || path == "/v1.0" {
        through_graph(&world, &call, &ids).await?
    } else {
        through_login(&world, &call, &ids).await?
    };
    Ok(finish(&world, &call, &ids, outgoing))
}

/// Answers a request to the second origin.
pub(crate) async fn serve_download(world: Arc<World>, head: Parts, body: Bytes) -> Result<Response<Sending>, Broken> {
    let call = Call::new(&head, body, origin(&world, &head));
    let ids = Ids::of(&world, &call);
    world.stats.arrived(&request_name(&call));
    let fault = world.faults.strike(&call, &world.stats);
    let key = downloads::app(&world, &call).map(|app| sharepoint(&app));
    let paid = key.as_ref().filter(|_| world.knobs().switches.files.presigned_units);
    let charge = paid.map(|key| world.units.charge(&key.0, 1, &world.knobs().limits, &world.stats));
    if let Some(key) = &key {
        world.pace.called(key, &world.stats);
    }
    wait(&world, fault.as_ref()).await;
    let answer = |call: &Call| match (&charge, &key) {
        (Some(charge), Some(key)) if charge.is_refused() => Err(charge.refusal(&world, key)),
        _ => downloads::answer(&world, call),
    };
    let mut outgoing = faulty(&world, &call, &ids, fault, key.as_ref(), answer)?;
    if let Some(charge) = &charge {
        outgoing.reply = charge.dress(&world, outgoing.reply);
    }
    note(&world, &call, downloads::endpoint(&call), &outgoing.reply);
    Ok(finish(&world, &call, &ids, outgoing))
}

/// Under which an application is told to leave SharePoint alone for a while.
fn sharepoint(app: &str) -> Key {
    (app.to_owned(), "SharePoint".to_owned())
}

async fn through_login(world: &World, call: &Call, ids: &Ids) -> Result<Outgoing, Broken> {
    let fault = world.faults.strike(call, &world.stats);
    wait(world, fault.as_ref()).await;
    let nowhere = || Refusal::new(404, "NotFound", format!("Nothing is served at {}.", call.target));
    let answer = |call: &Call| login::answer(world, call).ok_or_else(nowhere);
    world.stats.arrived(&request_name(call));
    let outgoing = faulty(world, call, ids, fault, None, answer)?;
    let name = call.target.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    world.stats.answered(&format!("{} /login/{name}", call.method), outgoing.reply.status.as_u16());
    Ok(outgoing)
}

async fn through_graph(world: &World, call: &Call, ids: &Ids) -> Result<Outgoing, Broken> {
    if call.segments == ["$batch"] {
        return batched(world, call, ids).await;
    }
    one(world, call, ids).await
}

/// A request of its own, or one inside a batch.
async fn one(world: &World, call: &Call, ids: &Ids) -> Result<Outgoing, Broken> {
    world.stats.arrived(&request_name(call));
    let fault = world.faults.strike(call, &world.stats);
    let admitted = authenticated(world, call);
    let key = admitted.as_ref().ok().and_then(|caller| key(world, call, caller));
    let entered = key.as_ref().map(|key| world.pace.enter(key, &world.knobs().limits, &world.stats)).transpose();
    let (lane, overrun) = match entered {
        Ok(lane) => (lane, None),
        Err(overrun) => (None, Some(overrun)),
    };
    let toll = admitted.as_ref().ok().and_then(|caller| Toll::of(world, call, caller));
    let key = key.as_ref().or(toll.as_ref().map(|toll| &toll.key));
    wait(world, fault.as_ref()).await;
    let answer = |call: &Call| match (&admitted, &overrun, &toll) {
        (Err(refusal), ..) => Err(refusal.clone()),
        (_, Some(overrun), _) => Err(throttled(world, key, overrun)),
        (_, _, Some(toll)) if toll.charge.is_refused() => Err(toll.charge.refusal(world, &toll.key)),
        (Ok(caller), None, _) => graph::answer(&Scene { world, call, caller }).map(|reply| applied(call, reply)),
    };
    let mut outgoing = faulty(world, call, ids, fault, key, answer)?;
    if let Some(toll) = &toll {
        outgoing.reply = toll.charge.dress(world, outgoing.reply);
    }
    note(world, call, &graph::template(&call.method, &call.segments), &outgoing.reply);
    Ok(Outgoing { lane, ..outgoing })
}

/// What a call to SharePoint costs.
struct Toll {
    key: Key,
    charge: Charge,
}

impl Toll {
    fn of(world: &World, call: &Call, caller: &Caller) -> Option<Self> {
        let cost = graph::units(call)?;
        let key = sharepoint(&caller.app);
        world.pace.called(&key, &world.stats);
        let charge = world.units.charge(&caller.app, cost, &world.knobs().limits, &world.stats);
        Some(Self { key, charge })
    }
}

async fn batched(world: &World, call: &Call, ids: &Ids) -> Result<Outgoing, Broken> {
    let fault = world.faults.strike(call, &world.stats);
    wait(world, fault.as_ref()).await;
    let admitted = authenticated(world, call).map(|_| ());
    let whole = match admitted {
        Ok(()) if call.method == Method::POST => {
            let inner = |inner: Call| async move { unbroken(world, &inner).await };
            batch::answer(call, world.roll(), inner).await
        }
        Ok(()) => {
            Err(Refusal::new(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."))
        }
        Err(refusal) => Err(refusal),
    };
    let outgoing = faulty(world, call, ids, fault, None, |_| whole)?;
    world.stats.answered("POST /$batch", outgoing.reply.status.as_u16());
    Ok(outgoing)
}

/// A request inside a batch; a connection that breaks inside shows as a 504.
async fn unbroken(world: &World, call: &Call) -> Reply {
    let ids = Ids::of(world, call);
    match one(world, call, &ids).await {
        Ok(outgoing) => outgoing.reply,
        Err(Broken) => refused(world, &ids, &Refusal::new(504, "UnknownError", "")),
    }
}

fn authenticated(world: &World, call: &Call) -> Result<Caller, Refusal> {
    let audiences = login::audiences(world, call);
    let admitted = world.doorkeeper.admit(call.bearer(), &audiences, world.now().as_second());
    admitted.map_err(|refusal| {
        let realm = format!("Bearer realm=\"\", authorization_uri=\"{}/common/oauth2/authorize\"", call.origin);
        refusal.with("www-authenticate", realm)
    })
}

/// What a call to a mailbox is limited together with.
fn key(world: &World, call: &Call, caller: &Caller) -> Option<Key> {
    let name = graph::mailbox_of(call)?;
    let name = if name == "me" { caller.person.as_deref()? } else { name };
    let user = world.tenant.user(name)?;
    Some((caller.app.clone(), user.id.clone()))
}

fn throttled(world: &World, key: Option<&Key>, overrun: &Overrun) -> Refusal {
    let seconds = overrun.seconds();
    if let Some(key) = key {
        world.pace.told(key, seconds);
    }
    let told = match world.knobs().switches.fractional_retry_after {
        true => format!("{seconds:.3}"),
        false => seconds.ceil().to_string(),
    };
    Refusal::new(429, "ApplicationThrottled", overrun.message()).with("retry-after", told)
}

/// Outlook says which preferences it honoured.
fn applied(call: &Call, reply: Reply) -> Reply {
    match call.prefer().applied().filter(|_| graph::mailbox_of(call).is_some()) {
        Some(applied) => reply.with("preference-applied", &applied),
        None => reply,
    }
}

/// Answers unless a fault answers first, then lets the fault spoil the answer.
fn faulty(
    world: &World,
    call: &Call,
    ids: &Ids,
    fault: Option<Fault>,
    key: Option<&Key>,
    answer: impl FnOnce(&Call) -> Result<Reply, Refusal>,
) -> Result<Outgoing, Broken> {
    let of_drive = graph::units(call).is_some() || downloads::is_file(call);
    let instead = fault.as_ref().and_then(|fault| fault.instead(world, key, of_drive));
    let answered = match instead {
        Some(refusal) => Err(refusal),
        None if fault.as_ref().is_some_and(Fault::breaks) => return Err(Broken),
        None => answer(call),
    };
    let reply = answered.unwrap_or_else(|refusal| refused(world, ids, &refusal));
    match fault {
        Some(fault) => {
            let (reply, cut) = fault.spoil(call, reply);
            Ok(Outgoing { reply, lane: None, cut })
        }
        None => Ok(reply.into()),
    }
}

fn refused(world: &World, ids: &Ids, refusal: &Refusal) -> Reply {
    let payload = match refusal.empty {
        true => Payload::Empty,
        false => Payload::Json(refusal.envelope(&ids.request, &ids.client, world.now())),
    };
    refusal.headers.iter().fold(Reply::of(refusal.status, payload), |reply, (name, value)| reply.with(name, value))
}

async fn wait(world: &World, fault: Option<&Fault>) {
    let wait = world.knobs().latency_ms + fault.map_or(0, Fault::latency_ms);
    if wait > 0 {
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}

/// Counts an answer, and until when its request must not come again.
fn note(world: &World, call: &Call, endpoint: &str, reply: &Reply) {
    world.stats.answered(endpoint, reply.status.as_u16());
    let told = reply.headers.get("retry-after").and_then(|value| value.to_str().ok());
    if let Some(seconds) = told.and_then(|told| seconds(world, told)) {
        world.stats.deadline(&request_name(call), seconds);
    }
}

/// A time to wait, written as seconds or as a date.
fn seconds(world: &World, told: &str) -> Option<f64> {
    let until = || httpdate::parse_http_date(told).ok();
    let from_date = || until()?.duration_since(world.now().into()).ok().map(|wait| wait.as_secs_f64());
    told.parse().ok().or_else(from_date)
}

fn request_name(call: &Call) -> String {
    format!("{} {}", call.method, call.target)
}

/// The names by which both sides know a request.
struct Ids {
    request: String,
    client: String,
}

impl Ids {
    fn of(world: &World, call: &Call) -> Self {
        let request = world.guid();
        let client = call.header("client-request-id").map_or_else(|| request.clone(), str::to_owned);
        Self { request, client }
    }
}

/// How the client sees this server: as a proxy tells, else as `Host` tells.
fn origin(world: &World, head: &Parts) -> String {
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = if world.options.tls.is_some() { "https" } else { "http" };
    let scheme = header("x-forwarded-proto").unwrap_or(scheme);
    let host = header("x-forwarded-host").or_else(|| header("host")).unwrap_or("localhost");
    format!("{scheme}://{host}")
}

const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
const DIAGNOSTIC: &str = r#"{"ServerInfo":{"DataCenter":"Simulated","Slice":"E","Ring":"1","ScaleUnit":"000","RoleInstance":"SIM000000000"}}"#;

fn finish(world: &World, call: &Call, ids: &Ids, outgoing: Outgoing) -> Response<Sending> {
    let Outgoing { reply, lane, cut } = outgoing;
    let stats = world.stats.clone();
    let kind = matches!(reply.payload, Payload::Json(_)).then_some(JSON);
    let (body, own_cut) = match reply.payload {
        Payload::Empty => (Sending::whole(Bytes::new(), stats), None),
        Payload::Json(value) => (json_body(world, &value), None),
        Payload::Bytes(bytes) => (Sending::whole(bytes, stats), None),
        Payload::File(part) => (Sending::file(part.length(), part.pieces(), stats), None),
        Payload::Stream(content, cut) => (Sending::chunked(content.chunks(), stats), cut),
    };
    let mut response = Response::new(body.cut(cut.or(own_cut)).holding(lane));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    *headers = reply.headers;
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.entry(HeaderName::from_static(name)).or_insert(value);
        }
    };
    put("request-id", &ids.request);
    put("client-request-id", &ids.client);
    put("x-ms-ags-diagnostic", DIAGNOSTIC);
    put("date", &httpdate::fmt_http_date(world.now().into()));
    put("cache-control", "no-store, no-cache");
    kind.into_iter().for_each(|kind| put("content-type", kind));
    if call.method == Method::HEAD || reply.status == StatusCode::NO_CONTENT {
        *response.body_mut() = Sending::whole(Bytes::new(), world.stats.clone());
    }
    response
}

fn json_body(world: &World, value: &Value) -> Sending {
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    if world.knobs().switches.raw_control_characters {
        text = raw_controls(&text);
    }
    Sending::whole(text.into(), world.stats.clone())
}
