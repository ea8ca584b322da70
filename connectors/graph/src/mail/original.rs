//! The original of a message: its MIME, streamed, and whether it came whole.
//!
//! Exchange keeps no MIME: it is made anew at every call, so a cut one never continues, it starts again. One that stays
//! cut (seen above 25 MB, microsoft-graph-docs#18439) is fetched in pieces instead.

use super::pieces::Pieces;
use crate::{
    endpoint::{IMMUTABLE, preferring, segment},
    faults::Asked,
    mime_end::{MimeEnd, MimeWatch},
    service::{Service, reaching},
};
use futures::StreamExt;
use transhume_contract::{Facts, Fault, ItemRef, OriginalSink, Part, What};
use transhume_http::Request;

/// A cut above this size is the service's own habit; below, it is more likely the network's, and asking again helps.
const LARGE: u64 = 20 << 20;
const ATTEMPTS_LARGE: usize = 3;
const ATTEMPTS_SMALL: usize = 5;
const NAMED: &str = "the MIME of a message";

/// What came of one attempt at the MIME.
enum Attempt {
    Whole(Facts),
    /// The stream ended properly, but not the message; or the connection was cut. So many bytes had come.
    Cut(u64, Option<Fault>),
}

/// Gives the original of one message.
pub async fn fetch(service: &Service, item: &ItemRef, into: &mut dyn OriginalSink) -> Result<Facts, Fault> {
    let (mut attempts, mut opened) = (0, false);
    loop {
        let (seen, broken) = match attempt(service, item, into, &mut opened).await? {
            Attempt::Whole(facts) => return Ok(facts),
            Attempt::Cut(seen, broken) => (seen, broken),
        };
        attempts += 1;
        let large = seen >= LARGE || item.facts.size.is_some_and(|size| size >= LARGE);
        if attempts < if large { ATTEMPTS_LARGE } else { ATTEMPTS_SMALL } {
            continue;
        }
        // A small body that keeps losing its connection is the network's trouble: it stays owed.
        match broken {
            Some(fault) if !large => return Err(fault),
            _ => return in_pieces(service, item, into, seen).await,
        }
    }
}

async fn attempt(
    service: &Service,
    item: &ItemRef,
    into: &mut dyn OriginalSink,
    opened: &mut bool,
) -> Result<Attempt, Fault> {
    let answer = service.stream(prepare(service, item), Asked::Item, NAMED).await?;
    if !std::mem::replace(opened, true) {
        open(into).await?;
    }
    let (mut watch, mut body) = (MimeWatch::default(), answer.stream());
    while let Some(piece) = body.next().await {
        match piece {
            Ok(bytes) => {
                watch.take(&bytes);
                into.write(bytes).await?;
            }
            Err(fault) if fault.what == What::Unreachable => {
                let (seen, fault) = (watch.seen(), reaching(fault, Asked::Item));
                into.restart().await?;
                return Ok(Attempt::Cut(seen, Some(fault)));
            }
            Err(fault) => return Err(reaching(fault, Asked::Item)),
        }
    }
    finished(watch, into).await
}

async fn finished(watch: MimeWatch, into: &mut dyn OriginalSink) -> Result<Attempt, Fault> {
    let (seen, protected) = (watch.seen(), watch.protected());
    if watch.end() == MimeEnd::Cut {
        into.restart().await?;
        return Ok(Attempt::Cut(seen, None));
    }
    into.close().await?;
    Ok(Attempt::Whole(Facts { protected: protected.then_some(true), ..Facts::default() }))
}

/// Whatever an earlier attempt left is of another making.
async fn open(into: &mut dyn OriginalSink) -> Result<(), Fault> {
    let part = Part { name: "mime".into(), media_type: "message/rfc822".into(), length: None };
    if into.open(part).await? > 0 {
        into.restart().await?;
    }
    Ok(())
}

async fn in_pieces(service: &Service, item: &ItemRef, into: &mut dyn OriginalSink, seen: u64) -> Result<Facts, Fault> {
    tracing::info!(bytes = seen, "the MIME of a message stays cut: fetching it in pieces");
    into.clear().await?;
    Pieces { service, item }.fetch(into).await?;
    Ok(Facts::default())
}

/// Only the direct path works: the one through a folder answers 405 (microsoft-graph-docs-contrib#5546).
fn prepare(service: &Service, item: &ItemRef) -> Request {
    let (user, message) = (segment(item.account.id.as_str()), segment(item.id.as_str()));
    let url = service.endpoint.at(&format!("/users/{user}/messages/{message}/$value"));
    preferring(service.endpoint.mailbox(item.account.id.as_str(), url), &[IMMUTABLE])
}
