//! The second origin: addresses that carry their own right to be read, and refuse an `Authorization` header.

use std::ops::Range;
use std::sync::atomic::Ordering;

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::graph::{self, Scene, delivered, fetchable, present};
use crate::options::{FileSwitches, Malware, Ranges};
use crate::stats::FILES;
use crate::tenant::sharepoint::{Drive, DriveItem, encoded, unique};
use crate::wire::{Call, Part, Payload, Refusal, Reply};
use crate::world::World;

/// Reports can be fetched for this many seconds.
const LIFETIME_S: i64 = 300;

#[derive(Serialize, Deserialize)]
struct Ticket {
    download: String,
    period: String,
    until: i64,
}

/// What an address of a file opens: its present content, whatever that is by then, or a former version.
#[derive(Serialize, Deserialize)]
struct FileTicket {
    app: String,
    drive: String,
    item: String,
    version: Option<String>,
    until: i64,
}

/// A pre-signed address for a report.
pub(crate) fn address(scene: &Scene<'_>, report: &str, period: &str) -> String {
    let until = scene.world.now().as_second() + LIFETIME_S;
    let ticket = Ticket { download: report.to_owned(), period: period.to_owned(), until };
    let token = scene.world.seal.seal(&ticket);
    format!("{}/data/download/{token}", origin(&scene.call.origin, scene.world.downloads))
}

/// A pre-signed address for a file, which serves for so many seconds.
pub(crate) fn of_file(
    scene: &Scene<'_>,
    drive: &Drive,
    item: &DriveItem,
    version: Option<&str>,
    lifetime_s: i64,
) -> String {
    let ticket = FileTicket {
        app: scene.caller.app.clone(),
        drive: drive.id.to_string(),
        item: item.id.to_string(),
        version: version.map(str::to_owned),
        until: scene.world.now().as_second() + lifetime_s,
    };
    let token = scene.world.seal.seal(&ticket);
    let tempauth = match scene.world.knobs().switches.files.tempauth_jwt {
        true => format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{token}.c2ltdWxhdGVk"),
        false => format!("v1.eyJzaXRlaWQiOiJzaW11bGF0ZWQifQ.{token}.CgoKBHNuaWQSAjY4"),
    };
    let host = origin(&scene.call.origin, scene.world.downloads);
    let (site, unique) = (site_path(drive), unique(&item.id));
    format!(
        "{host}{site}/_layouts/15/download.aspx?UniqueId={unique}&Translate=false&tempauth={tempauth}&ApiVersion=2.0"
    )
}

/// `/personal/somebody` or `/sites/something`, of the address of a drive.
fn site_path(drive: &Drive) -> String {
    let address = drive.resource.get("webUrl").and_then(serde_json::Value::as_str).unwrap_or_default();
    let path = address.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    path.split('/').filter(|name| !name.is_empty()).take(2).map(|name| format!("/{name}")).collect()
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

/// Whether a call is for a file.
pub(crate) fn is_file(call: &Call) -> bool {
    call.target.split('?').next().is_some_and(|path| path.ends_with("/_layouts/15/download.aspx"))
}

/// The application that a file's address was made for.
pub(crate) fn app(world: &World, call: &Call) -> Option<String> {
    opened(world, call).map(|ticket| ticket.app)
}

fn opened(world: &World, call: &Call) -> Option<FileTicket> {
    let tempauth = call.query.get("tempauth").filter(|_| is_file(call))?;
    let token = tempauth.split('.').rev().nth(1)?;
    world.seal.open(token).ok()
}

/// The name of a call for statistics.
pub(crate) fn endpoint(call: &Call) -> &'static str {
    if is_file(call) { FILES } else { "GET /data/download/{id}" }
}

/// Answers the second origin.
///
/// # Errors
/// 401 for those who bring a token, and for tickets that expired; 404 for what is no ticket or is gone.
pub(crate) fn answer(world: &World, call: &Call) -> Result<Reply, Refusal> {
    if ![Method::GET, Method::HEAD].contains(&call.method) {
        return Err(Refusal::new(405, "invalidRequest", "This address can be read only."));
    }
    if call.headers.contains_key("authorization") {
        return Err(not_authorised("This address is pre-signed; do not send an Authorization header."));
    }
    if is_file(call) { file(world, call) } else { report(world, call) }
}

fn not_authorised(message: &str) -> Refusal {
    Refusal::new(401, "unauthenticated", message)
}

fn report(world: &World, call: &Call) -> Result<Reply, Refusal> {
    let token = call.target.strip_prefix("/data/download/").and_then(|rest| rest.split('?').next());
    let ticket: Ticket =
        world.seal.open(token.unwrap_or_default()).map_err(|_| Refusal::new(404, "itemNotFound", "Not found."))?;
    if world.now().as_second() > ticket.until {
        return Err(not_authorised("The address has expired."));
    }
    let csv = graph::csv(world, &ticket.download, &ticket.period);
    let reply = Reply::of(StatusCode::OK, Payload::Bytes(csv.into()));
    Ok(reply
        .with("content-type", "application/octet-stream")
        .with("content-disposition", &format!("attachment; filename=\"{}.csv\"", ticket.download)))
}

fn file(world: &World, call: &Call) -> Result<Reply, Refusal> {
    let expired = || Refusal { empty: true, ..not_authorised("") };
    let ticket = opened(world, call).ok_or_else(expired)?;
    if world.now().as_second() > ticket.until {
        return Err(expired());
    }
    let switches = world.knobs().switches.files.clone();
    let drive = world.tenant.sharepoint.drive(&ticket.drive).ok_or_else(Refusal::drive_item_not_found)?;
    let slot = drive.tree.read().named(&ticket.item).ok_or_else(Refusal::drive_item_not_found)?;
    present(world, drive, slot)?;
    let tree = drive.tree.read();
    let item = tree.item(slot).ok_or_else(Refusal::drive_item_not_found)?;
    fetchable(item)?;
    let content = match &ticket.version {
        None => delivered(&switches, drive, item),
        Some(id) => item.versions.iter().find(|version| version.id == *id).and_then(|version| version.content.clone()),
    };
    let content = content.ok_or_else(Refusal::drive_item_not_found)?;
    item.was_read.store(true, Ordering::Relaxed);
    let about = item.resource();
    let text = |name: &str| about.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let (length, tag) = (content.len(), text("eTag"));
    let (status, range) = match Wanted::of(call, &switches, length, tag) {
        Wanted::All => (StatusCode::OK, 0..length),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => {
            let refusal = Refusal::new(416, "invalidRange", "The range specified is invalid for this stream.");
            return Err(refusal.with("content-range", format!("bytes */{length}")));
        }
    };
    let told = format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1));
    let kind = about.get("file").and_then(|file| file["mimeType"].as_str()).unwrap_or("application/octet-stream");
    let name = format!("attachment; filename*=UTF-8''{}", encoded(&item.name));
    let reply = Reply::of(status, Payload::File(Part { content, range, spoilt: None }))
        .with("content-type", kind)
        .with("content-disposition", &name)
        .with("accept-ranges", "bytes")
        .with("etag", tag);
    let reply = if status == StatusCode::PARTIAL_CONTENT { reply.with("content-range", &told) } else { reply };
    let marked = about.contains_key("malware") && switches.malware == Malware::Header;
    Ok(if marked { reply.with("x-virus-infected", "true") } else { reply })
}

/// Which bytes a call asks for.
#[derive(Debug, PartialEq)]
enum Wanted {
    All,
    Part(Range<u64>),
    /// The range lies outside, or the server does not like it.
    Nothing,
}

impl Wanted {
    fn of(call: &Call, switches: &FileSwitches, length: u64, tag: &str) -> Self {
        let Some(header) = call.header("range") else { return Self::All };
        let accepts = call.header("accept").is_some_and(|kinds| kinds.contains("*/*"));
        let changed = call.header("if-range").is_some_and(|known| known != tag);
        match switches.ranges {
            Ranges::Ignored => Self::All,
            Ranges::Refused => Self::Nothing,
            Ranges::Honoured if switches.ranges_need_accept && !accepts => Self::Nothing,
            Ranges::Honoured if changed => Self::All,
            Ranges::Honoured => Self::parse(header, length),
        }
    }

    /// RFC 9110, section 14.2: what is no range is ignored; so are several at once, which need not be served.
    fn parse(header: &str, length: u64) -> Self {
        let Some((first, last)) = header.trim().strip_prefix("bytes=").and_then(|one| one.split_once('-')) else {
            return Self::All;
        };
        match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
            (Ok(first), Ok(last)) if last < first => Self::All,
            (Ok(first), _) if first >= length && (last.trim().is_empty() || last.trim().parse::<u64>().is_ok()) => {
                Self::Nothing
            }
            (Ok(first), Ok(last)) => Self::Part(first..last.saturating_add(1).min(length)),
            (Ok(first), Err(_)) if last.trim().is_empty() => Self::Part(first..length),
            (Err(_), Ok(count)) if first.trim().is_empty() => match count.min(length) {
                0 => Self::Nothing,
                count => Self::Part(length - count..length),
            },
            _ => Self::All,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        for (header, wanted) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=3-", Wanted::Part(3..10)),
            ("bytes=3-99", Wanted::Part(3..10)),
            ("bytes=-4", Wanted::Part(6..10)),
            ("bytes=-99", Wanted::Part(0..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=10-12", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-3", Wanted::All),
            ("bytes=0-1,4-5", Wanted::All),
            ("lines=1-2", Wanted::All),
            ("bytes=a-b", Wanted::All),
        ] {
            assert_eq!(Wanted::parse(header, 10), wanted, "{header}");
        }
        assert_eq!(Wanted::parse("bytes=0-", 0), Wanted::Nothing);
    }
}
