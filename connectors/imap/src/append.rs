//! APPEND, one message or many in one command, written by hand.
//!
//! RFC 3501 6.3.11, RFC 3502 (MULTIAPPEND), RFC 7888 (LITERAL+ and LITERAL-). A MULTIAPPEND is atomic: all or none.

use crate::{
    flags::internal_date,
    link::{Answer, Link, quoted},
};
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use transhume_contract::{Body, Fault, Timestamp, What};

/// What a server with LITERAL- takes without being asked.
const SMALL_LITERAL: u64 = 4096;
const CHUNK: usize = 128 << 10;

/// One message of an APPEND.
pub struct Entry {
    /// Flags and keywords, without parentheses.
    pub flags: String,
    pub date: Option<Timestamp>,
    pub body: Arc<dyn Body>,
}

/// What became of an APPEND.
pub enum Reply {
    Told(Answer),
    /// The command cannot have been complete at the server.
    NotDone(Fault),
    /// The command went out whole and its answer never came.
    Unknown(Fault),
    /// The body of the entry with this index could not be read; nothing was stored. The connection is spent.
    BadBody(usize, Fault),
}

/// Which literals a server takes without being asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literals {
    Any,
    Small,
    None,
}

impl Literals {
    pub fn of(link: &Link) -> Self {
        if link.can("LITERAL+") {
            Self::Any
        } else if link.can("LITERAL-") {
            Self::Small
        } else {
            Self::None
        }
    }

    pub fn unasked(self, length: u64) -> bool {
        match self {
            Self::Any => true,
            Self::Small => length <= SMALL_LITERAL,
            Self::None => false,
        }
    }
}

/// `tag APPEND "mailbox"`: what stands before the first message.
pub fn opening(tag: &str, mailbox: &str) -> String {
    format!("{tag} APPEND {}", quoted(mailbox))
}

/// ` (flags) "date" {length+}`: what stands before a message's bytes.
pub fn announce(flags: &str, date: Option<Timestamp>, length: u64, unasked: bool) -> String {
    let date = date.map_or_else(String::new, |instant| format!(" {}", internal_date(instant)));
    let plus = if unasked { "+" } else { "" };
    format!(" ({flags}){date} {{{length}{plus}}}\r\n")
}

/// How writing one message ended, where not well.
enum Stop {
    Lost(Fault),
    /// The server answered before the message was sent.
    Told(Answer),
    Body(Fault),
}

/// Sends many messages in one command.
pub async fn append_many(link: &mut Link, mailbox: &str, entries: &[Entry]) -> Reply {
    let tag = link.next_tag();
    if let Err(fault) = link.write(opening(&tag, mailbox).as_bytes()).await {
        return Reply::NotDone(fault);
    }
    for (index, entry) in entries.iter().enumerate() {
        match write_entry(link, &tag, entry).await {
            Ok(()) => {}
            Err(Stop::Lost(fault)) => return Reply::NotDone(fault),
            Err(Stop::Told(answer)) => return Reply::Told(answer),
            Err(Stop::Body(fault)) => return Reply::BadBody(index, fault),
        }
    }
    if let Err(fault) = finish(link).await {
        return Reply::Unknown(fault);
    }
    told(link, &tag).await
}

/// Sends messages one command each, the next before the answer to the last where literals allow it. The replies are in
/// order; those missing at the end were not begun.
pub async fn append_each(link: &mut Link, mailbox: &str, entries: &[Entry]) -> Vec<Reply> {
    let mut replies = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let literals = Literals::of(link);
    for (index, entry) in entries.iter().enumerate() {
        if !literals.unasked(entry.body.length()) && !drain(link, &mut open, &mut replies).await {
            return replies;
        }
        let tag = link.next_tag();
        match append_one(link, &tag, mailbox, entry).await {
            Ok(()) => open.push(tag),
            Err(stop) => {
                let after = match stop {
                    Stop::Told(answer) => Reply::Told(answer),
                    Stop::Lost(fault) => Reply::NotDone(fault),
                    Stop::Body(fault) => Reply::BadBody(index, fault),
                };
                drain(link, &mut open, &mut replies).await;
                replies.push(after);
                if link.broken {
                    return replies;
                }
            }
        }
    }
    drain(link, &mut open, &mut replies).await;
    replies
}

async fn append_one(link: &mut Link, tag: &str, mailbox: &str, entry: &Entry) -> Result<(), Stop> {
    link.write(opening(tag, mailbox).as_bytes()).await.map_err(Stop::Lost)?;
    write_entry(link, tag, entry).await?;
    link.write(b"\r\n").await.map_err(Stop::Lost)
}

/// Reads the answers still open. False when the connection broke: what was open is of unknown outcome.
async fn drain(link: &mut Link, open: &mut Vec<String>, replies: &mut Vec<Reply>) -> bool {
    let mut failed = match open.is_empty() || link.broken {
        true => None,
        false => link.flush().await.err(),
    };
    for tag in open.drain(..) {
        let reply = match failed.clone() {
            Some(fault) => Reply::Unknown(fault),
            None => told(link, &tag).await,
        };
        if let Reply::Unknown(fault) = &reply {
            failed = Some(fault.clone());
        }
        replies.push(reply);
    }
    failed.is_none()
}

async fn finish(link: &mut Link) -> Result<(), Fault> {
    link.write(b"\r\n").await?;
    link.flush().await
}

async fn told(link: &mut Link, tag: &str) -> Reply {
    match link.answer(tag, |_| {}).await {
        Ok(answer) => Reply::Told(answer),
        Err(fault) => Reply::Unknown(fault),
    }
}

async fn write_entry(link: &mut Link, tag: &str, entry: &Entry) -> Result<(), Stop> {
    let length = entry.body.length();
    let unasked = Literals::of(link).unasked(length);
    let head = announce(&entry.flags, entry.date, length, unasked);
    link.write(head.as_bytes()).await.map_err(Stop::Lost)?;
    if !unasked {
        link.flush().await.map_err(Stop::Lost)?;
        if let Some(answer) = link.invited(tag).await.map_err(Stop::Lost)? {
            return Err(Stop::Told(answer));
        }
    }
    match entry.body.at_hand() {
        Some(bytes) if bytes.len() as u64 == length => link.write(&bytes).await.map_err(Stop::Lost),
        Some(_) => Err(spend(link, wrong_length())),
        None => write_streamed(link, entry.body.as_ref()).await,
    }
}

async fn write_streamed(link: &mut Link, body: &dyn Body) -> Result<(), Stop> {
    let mut stream = match body.open().await {
        Ok(stream) => stream,
        Err(fault) => return Err(spend(link, fault)),
    };
    let mut left = body.length();
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match stream.read(&mut chunk).await {
            Ok(read) => read as u64,
            Err(error) => return Err(spend(link, unreadable(&error))),
        };
        if read > left || (read == 0 && left > 0) {
            return Err(spend(link, wrong_length()));
        }
        if read == 0 {
            return Ok(());
        }
        left -= read;
        link.write(&chunk[..read as usize]).await.map_err(Stop::Lost)?;
    }
}

/// A literal announced and not sent leaves the connection useless.
fn spend(link: &mut Link, fault: Fault) -> Stop {
    link.broken = true;
    Stop::Body(fault)
}

fn wrong_length() -> Fault {
    Fault::new(What::StoreBroken, "A rendering in the store is not as long as it says.").report()
}

fn unreadable(error: &std::io::Error) -> Fault {
    Fault::new(What::StoreBroken, format!("A rendering in the store cannot be read: {error}.")).report()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_written_as_the_grammar_wants() {
        let date: Timestamp = "2020-02-03T04:05:06Z".parse().unwrap();
        assert_eq!(opening("T1", "A \"b\""), "T1 APPEND \"A \\\"b\\\"\"");
        assert_eq!(
            announce("\\Seen Blau", Some(date), 12, true),
            " (\\Seen Blau) \"03-Feb-2020 04:05:06 +0000\" {12+}\r\n"
        );
        assert_eq!(announce("", None, 5000, false), " () {5000}\r\n");
    }

    #[test]
    fn small_literals_go_unasked() {
        assert!(Literals::Small.unasked(4096) && !Literals::Small.unasked(4097));
        assert!(Literals::Any.unasked(u64::MAX) && !Literals::None.unasked(1));
    }
}
