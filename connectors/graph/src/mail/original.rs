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
/// A text without an end of its own is doubted where the mailbox counts four times as many bytes for it. Headers and
/// the store's own properties weigh much in a small message, so that nothing is said of those.
const TELLING: u64 = 64 << 10;
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
    let mut taking = Taking { service, item, into, opened: false, doubted: None };
    let mut attempts = 0;
    loop {
        let (seen, broken) = match taking.attempt().await? {
            Attempt::Whole(facts) => return Ok(facts),
            Attempt::Cut(seen, broken) => (seen, broken),
        };
        attempts += 1;
        let large = seen >= LARGE || item.facts.size.is_some_and(|size| size >= LARGE);
        if attempts < if large { ATTEMPTS_LARGE } else { ATTEMPTS_SMALL } {
            continue;
        }
        // A small body that keeps losing its connection is the network's trouble: it stays owed.
        return match broken {
            Some(fault) if !large => Err(fault),
            _ => taking.in_pieces(seen).await,
        };
    }
}

/// One message being taken.
struct Taking<'a> {
    service: &'a Service,
    item: &'a ItemRef,
    into: &'a mut dyn OriginalSink,
    /// The part is open, and stays so over all attempts.
    opened: bool,
    /// How long an attempt was whose end was doubted.
    doubted: Option<u64>,
}

impl Taking<'_> {
    async fn attempt(&mut self) -> Result<Attempt, Fault> {
        // Before the question: the mailbox's lane is for its answers, not for the store.
        self.open().await?;
        let answer = self.service.stream(prepare(self.service, self.item), Asked::Item, NAMED).await?;
        let (mut watch, mut body) = (MimeWatch::default(), answer.stream());
        while let Some(piece) = body.next().await {
            match piece.map_err(|fault| reaching(fault, Asked::Item)) {
                Ok(bytes) => {
                    watch.take(&bytes);
                    self.into.write(bytes).await?;
                }
                Err(fault) if fault.what == What::Unreachable => return self.cut(watch.seen(), Some(fault)).await,
                Err(fault) => return Err(fault),
            }
        }
        self.finished(watch).await
    }

    async fn finished(&mut self, watch: MimeWatch) -> Result<Attempt, Fault> {
        let (seen, protected) = (watch.seen(), watch.protected());
        let whole = match watch.end() {
            MimeEnd::Whole => true,
            MimeEnd::Likely if self.is_plausible(seen) => true,
            // Two attempts of one length are no accident, unless the service cuts where it always cuts.
            MimeEnd::Likely | MimeEnd::Doubtful => self.doubted.replace(seen) == Some(seen) && seen < LARGE,
            MimeEnd::Cut => false,
        };
        if !whole {
            return self.cut(seen, None).await;
        }
        self.into.close().await?;
        Ok(Attempt::Whole(Facts { protected: protected.then_some(true), ..Facts::default() }))
    }

    fn is_plausible(&self, seen: u64) -> bool {
        self.item.facts.size.is_none_or(|size| size < TELLING || seen >= size / 4)
    }

    async fn cut(&mut self, seen: u64, broken: Option<Fault>) -> Result<Attempt, Fault> {
        self.into.restart().await?;
        Ok(Attempt::Cut(seen, broken))
    }

    /// Whatever an earlier run left is of another making.
    async fn open(&mut self) -> Result<(), Fault> {
        if std::mem::replace(&mut self.opened, true) {
            return Ok(());
        }
        let part = Part { name: "mime".into(), media_type: "message/rfc822".into(), length: None };
        if self.into.open(part).await? > 0 {
            self.into.restart().await?;
        }
        Ok(())
    }

    async fn in_pieces(self, seen: u64) -> Result<Facts, Fault> {
        tracing::info!(bytes = seen, "the MIME of a message stays cut: fetching it in pieces");
        self.into.clear().await?;
        Pieces { service: self.service, item: self.item }.fetch(self.into).await
    }
}

/// Only the direct path works: the one through a folder answers 405 (microsoft-graph-docs-contrib#5546).
fn prepare(service: &Service, item: &ItemRef) -> Request {
    let (user, message) = (segment(item.account.id.as_str()), segment(item.id.as_str()));
    let url = service.endpoint.at(&format!("/users/{user}/messages/{message}/$value"));
    preferring(service.endpoint.mailbox(item.account.id.as_str(), url), &[IMMUTABLE])
}
