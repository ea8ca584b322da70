//! What the service's refusals mean: one table, read once, here.
//!
//! Three dialects meet in Microsoft Graph: Exchange (`ErrorItemNotFound`), SharePoint (`itemNotFound`) and the directory
//! (`Request_ResourceNotFound`). Codes are compared without case (the documentation prints `syncStateNotFound`, the
//! wire shows `SyncStateNotFound`), the innermost one that is understood wins (OneDrive API docs: errors), a code may
//! be empty and so may the body.

mod signin;
mod table;

pub use signin::token_fault;
pub use table::NOT_TRACKED;
use table::{Act, Known, Span};

use serde_json::Value;
use std::time::{Duration, SystemTime};
use transhume_contract::{Cause, Fault, Reach};
use transhume_http::{HeaderMap, Reading, StatusCode, Verdict, Whole, retry_after};

/// Longest part of the service's own message that a sentence quotes.
const QUOTED: usize = 160;
/// A word longer than this is an id or a token: it is not quoted whole.
const WORD: usize = 40;

/// A refusal as the service worded it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaint {
    pub status: u16,
    /// Outermost first, without empty ones.
    pub codes: Vec<String>,
    pub message: String,
    pub request_id: Option<String>,
    pub pause: Option<Duration>,
}

/// What was asked for, and so how far a refusal reaches that does not say itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Directory,
    Mailbox,
    Folder,
    Item,
}

impl Asked {
    pub fn reach(self) -> Reach {
        match self {
            Self::Directory => Reach::Run,
            Self::Mailbox => Reach::Account,
            Self::Folder => Reach::Collection,
            Self::Item => Reach::Item,
        }
    }
}

impl Complaint {
    /// Reads the envelope of Graph docs "Microsoft Graph error responses": `innerError` may be spelled `innererror`
    /// and nest further.
    pub fn read(status: u16, body: &[u8]) -> Self {
        let envelope: Value = crate::json::parse(body, "").unwrap_or_default();
        let mut complaint = Self { status, ..Self::default() };
        let mut level = envelope.get("error");
        while let Some(error) = level {
            complaint.take(error);
            level = error.get("innerError").or_else(|| error.get("innererror"));
        }
        complaint
    }

    /// As `read`, with what the headers tell.
    pub fn of(answer: &Whole) -> Self {
        let mut complaint = Self::read(answer.status.as_u16(), &answer.body);
        complaint.request_id = answer.request_id.clone().or(complaint.request_id);
        complaint.pause = retry_after(&answer.headers, SystemTime::now());
        complaint
    }

    fn take(&mut self, error: &Value) {
        let text = |key: &str| error.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        // `error` is a bare string where a token endpoint or a proxy answers instead of Graph.
        let code = text("code").or_else(|| error.as_str());
        self.codes.extend(code.map(str::to_owned));
        if self.message.is_empty() {
            self.message.extend(text("message"));
        }
        self.request_id = text("request-id").map(str::to_owned).or_else(|| self.request_id.take());
    }

    /// The innermost code that is understood, else the outermost one.
    fn known(&self) -> &'static Known {
        let by_words = table::by_words(self.status, &self.message);
        let by_code = || self.codes.iter().rev().find_map(|code| table::by_code(self.status, code));
        by_words.or_else(by_code).unwrap_or_else(|| table::by_status(self.status))
    }

    fn code(&self) -> String {
        let understood = self.codes.iter().rev().find(|code| table::by_code(self.status, code).is_some());
        understood.or(self.codes.first()).cloned().unwrap_or_else(|| format!("HTTP {}", self.status))
    }

    /// The fault this refusal is. `named` finishes the sentence "Microsoft Graph refused ...".
    pub fn fault(&self, asked: Asked, named: &str) -> Fault {
        let known = self.known();
        let message = if self.message.is_empty() { String::new() } else { format!(": {}", quoted(&self.message)) };
        let code = self.code();
        tracing::debug!(status = self.status, code, known_from = known.source, "refused");
        let sentence = format!("Microsoft Graph refused {named}: {} ({code}{message})", known.seen);
        let reach = match known.span {
            Span::Asked => asked.reach(),
            Span::Account => asked.reach().max(Reach::Account),
            Span::Run => Reach::Run,
        };
        let fault = Fault::new(known.what, sentence).reaching(reach).code(code).request(self.request_id.clone());
        self.remedied(fault, known.act)
    }

    fn remedied(&self, fault: Fault, act: Act) -> Fault {
        let of_one_item = fault.reach == Reach::Item;
        match act {
            Act::Corrupt if of_one_item => fault.skip(Cause::CorruptAtSource),
            Act::NotConvertible if of_one_item => fault.skip(Cause::NotConvertible),
            Act::Throttled | Act::Crowded => fault.wait(self.pause.unwrap_or(Duration::from_secs(60))),
            Act::Ask(step) => fault.ask(step),
            Act::Report => fault.report(),
            Act::Token => fault.ask("run `transhume check`: the token was refused although it is fresh"),
            Act::Transient | Act::Later | Act::Corrupt | Act::NotConvertible => fault,
        }
    }
}

/// Reads an answer for the road: whether it retries, waits, signs in again, or leaves it to us.
pub fn classify(status: StatusCode, _: &HeaderMap, body: &[u8]) -> Reading {
    let complaint = Complaint::read(status.as_u16(), body);
    let verdict = match complaint.known().act {
        Act::Transient => Verdict::Transient,
        Act::Throttled => Verdict::Throttled(None),
        Act::Crowded => Verdict::Crowded(None),
        Act::Token => Verdict::TokenRefused,
        Act::Later | Act::Corrupt | Act::NotConvertible | Act::Ask(_) | Act::Report => Verdict::Final,
    };
    Reading::new(verdict, Some(complaint.code()))
}

/// The service's message as a sentence may show it: one line, short, long words (ids, tokens) by their end alone.
pub(crate) fn quoted(message: &str) -> String {
    let shorten = |word: &str| match word.chars().count() {
        count if count > WORD => format!("…{}", word.chars().skip(count - 12).collect::<String>()),
        _ => word.to_owned(),
    };
    let line = message.split_whitespace().map(shorten).collect::<Vec<_>>().join(" ");
    match line.chars().count() {
        count if count > QUOTED => format!("{}…", line.chars().take(QUOTED).collect::<String>()),
        _ => line,
    }
}

/// Why there is no mailbox behind an account, where a refusal says that: `Graph docs: mailboxSettings`,
/// microsoft-graph-docs-contrib#6519, microsoft-graph-docs#6305, #17826.
pub fn no_mailbox(fault: &Fault) -> Option<String> {
    let code = fault.code.as_deref()?;
    let known = [
        "MailboxNotEnabledForRESTAPI",
        "ResourceNotFound",
        "Request_ResourceNotFound",
        "ErrorInvalidUser",
        "AuthenticationError",
        "ErrorNonExistentMailbox",
    ];
    let said = known.iter().any(|name| name.eq_ignore_ascii_case(code));
    said.then(|| format!("no Exchange Online mailbox ({code})"))
}

#[cfg(test)]
#[path = "faults/tests.rs"]
mod tests;
