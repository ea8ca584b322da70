//! One connection to one account, behind one guard.
//!
//! The session library reports a lost connection, and a NO to most commands, as a success with nothing in it (seen
//! with async-imap 0.12). So its typed commands are not used: every command goes through [`Link::ask`], which sends
//! through the library, reads through the library's parser, and succeeds only when the tagged answer has come.

use crate::{faults, spot::told_object, wire::Wire};
use async_imap::{
    Session,
    imap_proto::{MailboxDatum, RequestId, Response, ResponseCode, Status, rfc4315::UidSetMember},
};
use std::{
    collections::{BTreeSet, HashSet},
    io,
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, timeout},
};
use transhume_contract::Fault;

/// A tagged answer, whatever it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub ok: bool,
    /// The response code's name, in capitals.
    pub code: Option<String>,
    /// The server's words.
    pub text: String,
    pub uids: Option<Uids>,
}

/// What UIDPLUS tells of copied, moved and appended messages: in COPYUID the sources too, in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uids {
    pub validity: u32,
    pub sources: Vec<u32>,
    pub uids: Vec<u32>,
}

/// What is selected.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    /// As on the wire, in modified UTF-7.
    pub mailbox: String,
    pub validity: u32,
    /// Its MAILBOXID, where the server tells one.
    pub object: Option<String>,
    /// The keywords its messages bear, in lower case.
    pub keywords: BTreeSet<String>,
    pub next: Option<u32>,
    /// Messages in it, kept up to date with what the server says unasked.
    pub exists: u32,
    /// Messages that others removed since it was selected.
    pub expunged: u32,
}

/// A logged-in connection.
pub struct Link {
    session: Session<Wire>,
    silence: Duration,
    place: String,
    greeting: String,
    pub capabilities: HashSet<String>,
    pub selected: Option<Selected>,
    /// Out of step, silent or closed: never used again.
    pub broken: bool,
    /// Broken because nothing was heard for too long.
    pub silent: bool,
    pub used: Instant,
    tags: u32,
}

/// How much an APPENDUID or COPYUID may name, against a server that sends `1:4294967295`.
const MOST_UIDS: usize = 100_000;

impl Link {
    pub fn new(session: Session<Wire>, silence: Duration, place: String, greeting: String) -> Self {
        Self {
            session,
            silence,
            place,
            greeting,
            capabilities: HashSet::new(),
            selected: None,
            broken: false,
            silent: false,
            used: Instant::now(),
            tags: 0,
        }
    }

    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// By the greeting, or by what only Dovecot offers, where an administrator changed the greeting.
    pub fn is_dovecot(&self) -> bool {
        self.greeting.contains("Dovecot") || (self.can("LOGIN-REFERRALS") && self.can("PREVIEW=FUZZY"))
    }

    pub fn is_cyrus(&self) -> bool {
        self.greeting.contains("Cyrus") || self.can("X-CREATEDMODSEQ")
    }

    /// RFC 7889: the largest message taken, where the server says so for all mailboxes.
    pub fn append_limit(&self) -> Option<u64> {
        self.capabilities.iter().find_map(|name| name.strip_prefix("APPENDLIMIT=")?.parse().ok())
    }

    pub fn place(&self) -> &str {
        &self.place
    }

    fn lost(&mut self, error: &io::Error) -> Fault {
        self.broken = true;
        self.silent = error.kind() == io::ErrorKind::TimedOut;
        faults::lost(&self.place, error)
    }

    /// Sends a command and reads to its tagged answer, showing every other response to `each`. A NO or BAD is an
    /// answer; no answer is a fault.
    pub async fn ask(&mut self, command: &str, each: impl FnMut(&Response<'_>) + Send) -> Result<Answer, Fault> {
        match timeout(self.silence, self.session.run_command(command)).await {
            Ok(Ok(RequestId(tag))) => self.answer(&tag, each).await,
            Ok(Err(error)) => Err(self.lost(&io::Error::other(error.to_string()))),
            Err(_) => Err(self.lost(&io::ErrorKind::TimedOut.into())),
        }
    }

    /// Like [`ask`](Self::ask), where a NO or BAD is a fault too: "refused `doing`".
    pub async fn order(
        &mut self,
        command: &str,
        doing: &str,
        each: impl FnMut(&Response<'_>) + Send,
    ) -> Result<Answer, Fault> {
        let answer = self.ask(command, each).await?;
        if answer.ok { Ok(answer) } else { Err(faults::refused(&self.place, doing, &answer)) }
    }

    /// Reads to the answer with this tag.
    pub async fn answer(&mut self, tag: &str, mut each: impl FnMut(&Response<'_>) + Send) -> Result<Answer, Fault> {
        let mut copied = None;
        loop {
            let mut done = None;
            self.response(|response| {
                done = tagged(response, tag);
                if let Response::Data { status: Status::Ok, outcome } = response {
                    copied = copied.take().or_else(|| outcome.code.as_ref().and_then(read_uids));
                }
                each(response);
            })
            .await?;
            if let Some(mut answer) = done {
                answer.uids = answer.uids.or(copied);
                return Ok(answer);
            }
        }
    }

    /// Reads one response: a lost connection, silence and an unreadable answer are faults.
    async fn response(&mut self, mut show: impl FnMut(&Response<'_>) + Send) -> Result<(), Fault> {
        match timeout(self.silence, self.session.read_response()).await {
            Ok(Ok(Some(data))) => {
                note(self.selected.as_mut(), data.parsed());
                show(data.parsed());
                Ok(())
            }
            Ok(Ok(None)) => Err(self.lost(&io::ErrorKind::UnexpectedEof.into())),
            Ok(Err(error)) => Err(self.lost(&readable(&error))),
            Err(_) => Err(self.lost(&io::ErrorKind::TimedOut.into())),
        }
    }

    /// Waits for the server's word to send a synchronising literal. `Some` is its tagged refusal instead.
    pub async fn invited(&mut self, tag: &str) -> Result<Option<Answer>, Fault> {
        loop {
            let (mut invited, mut done) = (false, None);
            self.response(|response| {
                invited = matches!(response, Response::Continue(_));
                done = tagged(response, tag);
            })
            .await?;
            if invited || done.is_some() {
                return Ok(done);
            }
        }
    }

    /// A tag for a command written by hand; the session library's own start with `A`.
    pub fn next_tag(&mut self) -> String {
        self.tags += 1;
        format!("T{}", self.tags)
    }

    /// Writes bytes of a command by hand; they leave at the latest with [`flush`](Self::flush).
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match timeout(self.silence, self.session.get_mut().write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.lost(&error)),
            Err(_) => Err(self.lost(&io::ErrorKind::TimedOut.into())),
        }
    }

    pub async fn flush(&mut self) -> Result<(), Fault> {
        match timeout(self.silence, self.session.get_mut().flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.lost(&error)),
            Err(_) => Err(self.lost(&io::ErrorKind::TimedOut.into())),
        }
    }

    /// Asks again what the server can do; capabilities change with the login.
    pub async fn learn_capabilities(&mut self) -> Result<(), Fault> {
        let mut found = HashSet::new();
        self.order("CAPABILITY", "to tell its capabilities", |response| {
            if let Response::Capabilities(told) = response {
                found.extend(told.iter().map(capability_name));
            }
        })
        .await?;
        self.capabilities = found;
        Ok(())
    }

    /// A command whose answer is unreadable to the session library (NAMESPACE, STATUS MAILBOXID), by hand; gives the
    /// untagged lines. Only between commands, when nothing waits in the library's own buffer.
    pub async fn by_hand(&mut self, command: &str) -> Result<Vec<String>, Fault> {
        let tag = self.next_tag();
        let asked = crate::wire::command(self.session.get_mut(), &tag, command);
        match timeout(self.silence, asked).await {
            Ok(Ok((lines, _))) => Ok(lines),
            Ok(Err(error)) => Err(self.lost(&error)),
            Err(_) => Err(self.lost(&io::ErrorKind::TimedOut.into())),
        }
    }

    /// Selects a mailbox, or brings its view up to date when it is selected already (its UIDNEXT stays as it was).
    /// `Ok(Err(answer))` is a refusal.
    pub async fn select(&mut self, mailbox: &str) -> Result<Result<Selected, Answer>, Fault> {
        if self.selected.as_ref().is_some_and(|selected| selected.mailbox == mailbox) {
            self.order("NOOP", "a NOOP", |_| {}).await?;
            return Ok(Ok(self.selected.clone().unwrap_or_default()));
        }
        self.open(mailbox).await
    }

    /// Selects a mailbox anew, so that its counts and its UIDNEXT are those of now.
    pub async fn open(&mut self, mailbox: &str) -> Result<Result<Selected, Answer>, Fault> {
        self.selected = None;
        let mut selected = Selected { mailbox: mailbox.to_owned(), ..Selected::default() };
        let command = format!("SELECT {}", quoted(mailbox));
        let answer = self.ask(&command, |response| read_selected(&mut selected, response)).await?;
        if !answer.ok {
            return Ok(Err(answer));
        }
        self.selected = Some(selected.clone());
        Ok(Ok(selected))
    }
}

fn tagged(response: &Response<'_>, tag: &str) -> Option<Answer> {
    match response {
        Response::Done { tag: theirs, status, outcome } if theirs.0 == tag => {
            Some(read_answer(status, outcome.code.as_ref(), outcome.information.as_deref()))
        }
        _ => None,
    }
}

fn note(selected: Option<&mut Selected>, response: &Response<'_>) {
    let Some(selected) = selected else { return };
    match response {
        Response::MailboxData(MailboxDatum::Exists(count)) => selected.exists = *count,
        Response::Expunge(_) => {
            selected.exists = selected.exists.saturating_sub(1);
            selected.expunged += 1;
        }
        _ => {}
    }
}

fn read_selected(selected: &mut Selected, response: &Response<'_>) {
    match response {
        Response::MailboxData(MailboxDatum::Exists(count)) => selected.exists = *count,
        Response::Data { status: Status::Ok, outcome } => match outcome.code {
            Some(ResponseCode::UidValidity(validity)) => selected.validity = validity,
            Some(ResponseCode::UidNext(next)) => selected.next = Some(next),
            None => selected.object = selected.object.take().or_else(|| told_object(outcome.information.as_deref()?)),
            Some(_) => {}
        },
        Response::MailboxData(MailboxDatum::Flags(flags)) => {
            let keywords = flags.iter().filter(|flag| !flag.starts_with('\\'));
            selected.keywords = keywords.map(|flag| flag.to_ascii_lowercase()).collect();
        }
        _ => {}
    }
}

fn capability_name(capability: &async_imap::imap_proto::Capability<'_>) -> String {
    use async_imap::imap_proto::Capability;
    match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_ascii_uppercase()),
        Capability::Atom(name) => name.to_ascii_uppercase(),
    }
}

/// Errors of the session library quote what they could not read, which may be somebody's mail.
fn readable(error: &io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::Other {
        return io::Error::other("an answer could not be read");
    }
    io::Error::from(error.kind())
}

fn read_answer(status: &Status, code: Option<&ResponseCode<'_>>, text: Option<&str>) -> Answer {
    let (unread, text) = split_code(text.unwrap_or_default());
    let code_name = match code {
        Some(ResponseCode::TryCreate) => Some("TRYCREATE".to_owned()),
        Some(_) => None,
        None => unread,
    };
    Answer { ok: *status == Status::Ok, code: code_name, text, uids: code.and_then(read_uids) }
}

/// The session library reads a few response codes and leaves the others in the text: `[OVERQUOTA] Quota exceeded`.
fn split_code(text: &str) -> (Option<String>, String) {
    let Some((code, rest)) = text.strip_prefix('[').and_then(|inner| inner.split_once(']')) else {
        return (None, text.to_owned());
    };
    let name = code.split(' ').next().unwrap_or_default().to_ascii_uppercase();
    (Some(name), rest.trim_start().to_owned())
}

fn read_uids(code: &ResponseCode<'_>) -> Option<Uids> {
    match code {
        ResponseCode::AppendUid(validity, uids) => {
            Some(Uids { validity: *validity, sources: Vec::new(), uids: every_uid(uids)? })
        }
        ResponseCode::CopyUid(validity, sources, uids) => {
            Some(Uids { validity: *validity, sources: every_uid(sources)?, uids: every_uid(uids)? })
        }
        _ => None,
    }
}

fn every_uid(members: &[UidSetMember]) -> Option<Vec<u32>> {
    let mut uids = Vec::new();
    for member in members {
        match member {
            UidSetMember::Uid(uid) => uids.push(*uid),
            UidSetMember::UidRange(range) => {
                if (range.end() - range.start()) as usize >= MOST_UIDS {
                    return None;
                }
                uids.extend(range.clone());
            }
        }
    }
    Some(uids)
}

/// Writes a string as the grammar wants it: RFC 3501 `quoted`.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[u8]) -> Answer {
        match async_imap::imap_proto::Response::parse(line) {
            Ok((_, Response::Done { status, outcome, .. })) => {
                read_answer(&status, outcome.code.as_ref(), outcome.information.as_deref())
            }
            _ => Answer::default(),
        }
    }

    #[test]
    fn appenduid_ranges_are_read() {
        let answer = parse(b"A1 OK [APPENDUID 1700000001 35:37,40] Append completed.\r\n");
        assert!(answer.ok);
        assert_eq!(answer.uids.map(|uids| (uids.validity, uids.uids)), Some((1_700_000_001, vec![35, 36, 37, 40])));
    }

    #[test]
    fn copyuid_pairs_are_read() {
        let answer = parse(b"A1 OK [COPYUID 7 304,319:320 3956:3958] Done\r\n");
        let uids = answer.uids.map(|uids| (uids.sources, uids.uids));
        assert_eq!(uids, Some((vec![304, 319, 320], vec![3956, 3957, 3958])));
    }

    #[test]
    fn an_absurd_range_is_not_expanded() {
        assert_eq!(parse(b"A1 OK [APPENDUID 1 1:4294967295] ok\r\n").uids, None);
    }

    #[test]
    fn unread_codes_are_split_from_the_words() {
        let answer = parse(b"A1 NO [OVERQUOTA] Quota exceeded (mailbox for user is full)\r\n");
        assert_eq!(answer.code.as_deref(), Some("OVERQUOTA"));
        assert_eq!(answer.text, "Quota exceeded (mailbox for user is full)");
        assert_eq!(parse(b"A1 NO [TRYCREATE] no such\r\n").code.as_deref(), Some("TRYCREATE"));
        assert_eq!(parse(b"A1 OK done\r\n").code, None);
    }

    #[test]
    fn strings_are_quoted() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    }
}
