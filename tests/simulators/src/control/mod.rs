//! The control surface under `/_sim/`: what a test tells the simulator and asks it. No token is needed.

mod churn;
mod events;
mod file_churn;
mod files;
mod hand;
mod mutate;
mod room_churn;
mod rooms;
mod script;
mod tasks;

use std::sync::Arc;

use http::{HeaderValue, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use files::mime_type;
pub(crate) use hand::blank_contact;
pub(crate) use mutate::mutate;

pub(crate) use script::faults;

use crate::login::Outcome;
use crate::tenant;
use crate::wire::{Call, Sending};
use crate::world::World;

/// Answers a path below `/_sim/`.
pub(crate) async fn answer(world: &Arc<World>, call: &Call, path: &str) -> Response<Sending> {
    match (&call.method, path) {
        (&Method::GET, "tenant") => dumped(world),
        (&Method::GET, "stats") => shown(world, StatusCode::OK, &json!(world.stats.counts())),
        (&Method::POST, "stats/reset") => {
            world.stats.reset();
            shown(world, StatusCode::OK, &json!({}))
        }
        (&Method::GET, "faults") => shown(world, StatusCode::OK, &json!(*world.knobs())),
        (&Method::POST, "faults") => {
            done(world, body(call).and_then(|script| faults(world, script)).map(|()| json!({})))
        }
        (&Method::POST, "mutate") => done(world, body(call).and_then(|operations| mutate(world, operations))),
        (&Method::GET, "device") => {
            shown(world, StatusCode::OK, &json!({"next": "POST {\"outcome\": \"approve\", \"user\": ...} here"}))
        }
        (&Method::POST, "device") => done(world, body(call).and_then(|wish| device(world, wish))),
        _ => shown(world, StatusCode::NOT_FOUND, &json!({"error": SURFACE})),
    }
}

const SURFACE: &str =
    "The control surface is GET tenant, GET and POST faults, POST mutate, GET stats, POST stats/reset, POST device.";

fn body(call: &Call) -> Result<Value, String> {
    serde_json::from_slice(&call.body).map_err(|why| format!("The body is not JSON: {why}."))
}

fn done(world: &World, result: Result<Value, String>) -> Response<Sending> {
    match result {
        Ok(value) => shown(world, StatusCode::OK, &value),
        Err(why) => shown(world, StatusCode::BAD_REQUEST, &json!({"error": why})),
    }
}

fn shown(world: &World, status: StatusCode, value: &Value) -> Response<Sending> {
    let text = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Sending::whole(text.into(), world.stats.clone()));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}

/// The present tenant as the lines of a dump, written while they are sent.
fn dumped(world: &Arc<World>) -> Response<Sending> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(16);
    let dump = tenant::unload(&world.tenant);
    std::thread::spawn(move || {
        let mut out = std::io::BufWriter::with_capacity(64 * 1024, Pieces(sender));
        if let Err(why) = dump.to_jsonl(&mut out) {
            tracing::debug!(%why, "nobody waits for the rest of the tenant");
        }
    });
    let mut response = Response::new(Sending::chunked(receiver.into_iter(), world.stats.clone()));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/x-ndjson"));
    response
}

/// Writes into a channel.
struct Pieces(std::sync::mpsc::SyncSender<bytes::Bytes>);

impl std::io::Write for Pieces {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        let sent = self.0.send(bytes::Bytes::copy_from_slice(piece));
        sent.map(|()| piece.len()).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    outcome: String,
    user: Option<String>,
    user_code: Option<String>,
}

/// Plays the person in front of a device code.
fn device(world: &World, wish: Value) -> Result<Value, String> {
    let wish: Wish = serde_json::from_value(wish).map_err(|why| format!("Not a device outcome: {why}."))?;
    let outcome = match wish.outcome.as_str() {
        "approve" => {
            let name = wish.user.as_deref().ok_or("Name the \"user\" who signs in.")?;
            let user = world.tenant.any_address(name).ok_or_else(|| format!("There is no user {name}."))?;
            Outcome::Approved(user.id.clone())
        }
        "decline" => Outcome::Declined,
        "expire" => Outcome::Expired,
        other => return Err(format!("The outcome {other} is none of approve, decline, expire.")),
    };
    Ok(json!({"settled": world.devices.settle(wish.user_code.as_deref(), &outcome)}))
}
