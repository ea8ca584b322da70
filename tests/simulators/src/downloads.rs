//! The second origin: addresses that carry their own right to be read, and refuse an `Authorization` header.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::graph::{Scene, mailbox_usage};
use crate::wire::{Call, Payload, Refusal, Reply};
use crate::world::World;

/// Reports can be fetched for this many seconds.
const LIFETIME_S: i64 = 300;

#[derive(Serialize, Deserialize)]
struct Ticket {
    download: String,
    period: String,
    until: i64,
}

/// A pre-signed address for a report.
pub(crate) fn address(scene: &Scene<'_>, report: &str, period: &str) -> String {
    let until = scene.world.now().as_second() + LIFETIME_S;
    let ticket = Ticket { download: report.to_owned(), period: period.to_owned(), until };
    let token = scene.world.seal.seal(&ticket);
    format!("{}/data/download/{token}", origin(&scene.call.origin, scene.world.downloads))
}

/// The other origin on the same host.
fn origin(of: &str, port: u16) -> String {
    let (scheme, authority) = of.split_once("://").unwrap_or(("http", of));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => authority,
    };
    format!("{scheme}://{host}:{port}")
}

/// Answers the second origin.
///
/// # Errors
/// 401 for those who bring a token, and for tickets that expired; 404 for what is no ticket.
pub(crate) fn answer(world: &World, call: &Call) -> Result<Reply, Refusal> {
    let not_authorised = |message: &str| Refusal::new(401, "unauthenticated", message);
    if call.headers.contains_key("authorization") {
        return Err(not_authorised("This address is pre-signed; do not send an Authorization header."));
    }
    let token = call.target.strip_prefix("/data/download/").and_then(|rest| rest.split('?').next());
    let ticket: Ticket =
        world.seal.open(token.unwrap_or_default()).map_err(|_| Refusal::new(404, "itemNotFound", "Not found."))?;
    if world.now().as_second() > ticket.until {
        return Err(not_authorised("The address has expired."));
    }
    let csv = mailbox_usage(world, &ticket.period);
    let reply = Reply::of(StatusCode::OK, Payload::Bytes(csv.into()));
    Ok(reply
        .with("content-type", "application/octet-stream")
        .with("content-disposition", &format!("attachment; filename=\"{}.csv\"", ticket.download)))
}
