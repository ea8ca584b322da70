//! Everything that stands in a mailbox, window by window, checked against the count the server stated.

use crate::{
    account::Lease,
    bodies, faults,
    flags::{read_flags, read_internal_date},
    handle,
    link::Link,
    windows::Windows,
};
use async_imap::imap_proto::{AttributeValue, Response};
use std::collections::{HashSet, VecDeque};
use transhume_contract::{Depth, Facts, Fault, Look, Observed};

/// Messages asked for in one command.
const WINDOW: u32 = 1000;

/// What one FETCH response told of a message.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub uid: u32,
    pub size: Option<u64>,
    pub facts: Facts,
    /// Marked as deleted: it goes with the next EXPUNGE.
    pub deleted: bool,
    pub message_id: Option<String>,
}

/// A walk over the selected mailbox.
pub struct Walk {
    lease: Lease,
    look: Look,
    validity: u32,
    /// Known once the first was asked for.
    windows: Option<Windows>,
    seen: u32,
    expected: u32,
    ready: VecDeque<Observed>,
}

impl Walk {
    /// Starts at a mailbox that has just been selected.
    pub fn new(lease: Lease, look: Look) -> Self {
        let selected = lease.link.selected.clone().unwrap_or_default();
        Self {
            lease,
            look,
            validity: selected.validity,
            windows: None,
            seen: 0,
            expected: selected.exists,
            ready: VecDeque::new(),
        }
    }

    /// The next message, or the walk's end.
    pub async fn step(&mut self) -> Result<Option<Observed>, Fault> {
        loop {
            if let Some(observed) = self.ready.pop_front() {
                return Ok(Some(observed));
            }
            let Some((first, last)) = self.next_window().await? else {
                return self.check_count().map(|()| None);
            };
            self.read_window(first, last).await?;
        }
    }

    async fn next_window(&mut self) -> Result<Option<(u32, u32)>, Fault> {
        let mut windows = match self.windows.take() {
            Some(windows) => windows,
            None => Windows::of(&mut self.lease.link, WINDOW).await?,
        };
        let next = windows.next();
        self.windows = Some(windows);
        Ok(next)
    }

    /// The connection goes back when the walk has come to its end.
    pub fn finish(self) {
        self.lease.give_back();
    }

    async fn read_window(&mut self, first: u32, last: u32) -> Result<(), Fault> {
        let mut seen = read_shapes(&mut self.lease.link, &format!("{first}:{last}"), items(self.look.depth())).await?;
        seen.retain(|message| (first..=last).contains(&message.uid));
        self.seen += u32::try_from(seen.len()).unwrap_or(u32::MAX);
        self.ready = self.observations(seen).await?.into();
        Ok(())
    }

    async fn observations(&mut self, seen: Vec<Seen>) -> Result<Vec<Observed>, Fault> {
        let seen: Vec<_> = seen.into_iter().map(|one| (handle::make(self.validity, one.uid), one)).collect();
        let deep = seen.iter().filter(|(handle, _)| self.look.depth_of(handle) == Depth::Content);
        let sizes: Vec<_> = deep.map(|(_, one)| (one.uid, one.size.unwrap_or(u64::MAX))).collect();
        let digests = bodies::digests(&mut self.lease.link, &sizes).await?;
        let gone: HashSet<u32> = sizes.iter().map(|(uid, _)| *uid).filter(|uid| !digests.contains_key(uid)).collect();
        let still_there = seen.into_iter().filter(|(_, one)| !gone.contains(&one.uid));
        let observed = still_there.map(|(handle, one)| {
            let facts = Facts { message_id: one.message_id, ..one.facts };
            Observed {
                handle,
                version: None,
                facts,
                length: one.size,
                digest: digests.get(&one.uid).copied(),
                content: None,
            }
        });
        Ok(observed.collect())
    }

    /// A server that states a number of messages and lists fewer is not believed.
    fn check_count(&mut self) -> Result<(), Fault> {
        let removed = self.lease.link.selected.as_ref().map_or(0, |selected| selected.expunged);
        if self.seen.saturating_add(removed) >= self.expected {
            return Ok(());
        }
        self.lease.link.broken = true;
        Err(faults::short_list(self.lease.link.place(), self.expected, self.seen))
    }
}

const fn items(depth: Depth) -> &'static str {
    match depth {
        Depth::Presence => "(UID)",
        Depth::Shape => "(UID FLAGS INTERNALDATE RFC822.SIZE)",
        // Where every body is read, its Message-ID costs nothing more; else it would open every file of a Maildir.
        Depth::Content => "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])",
    }
}

/// Fetches what is asked of a set of UIDs of the selected mailbox.
pub async fn read_shapes(link: &mut Link, set: &str, items: &str) -> Result<Vec<Seen>, Fault> {
    fetch(link, &format!("UID FETCH {set} {items}")).await
}

/// Fetches what is asked of the newest messages of the selected mailbox, at most so many.
pub async fn read_newest(link: &mut Link, most: u32, items: &str) -> Result<Vec<Seen>, Fault> {
    let exists = link.selected.as_ref().map_or(0, |selected| selected.exists);
    if exists == 0 {
        return Ok(Vec::new());
    }
    fetch(link, &format!("FETCH {}:{exists} {items}", exists.saturating_sub(most - 1).max(1))).await
}

async fn fetch(link: &mut Link, command: &str) -> Result<Vec<Seen>, Fault> {
    let mut seen = Vec::new();
    link.order(command, "to list messages", |response| seen.extend(read_shape(response))).await?;
    seen.sort_by_key(|message: &Seen| message.uid);
    seen.dedup_by_key(|message| message.uid);
    Ok(seen)
}

fn read_shape(response: &Response<'_>) -> Option<Seen> {
    let Response::Fetch(_, attributes) = response else { return None };
    let mut seen = Seen::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => seen.uid = *uid,
            AttributeValue::Rfc822Size(size) => seen.size = Some(u64::from(*size)),
            AttributeValue::Flags(flags) => {
                seen.deleted = flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Deleted"));
                seen.facts = Facts { received: seen.facts.received, ..read_flags(flags.iter().map(AsRef::as_ref)) };
            }
            AttributeValue::InternalDate(date) => seen.facts.received = read_internal_date(date),
            AttributeValue::BodySection { data: Some(header), section: Some(_), .. } => {
                seen.message_id = read_message_id(header);
            }
            _ => {}
        }
    }
    (seen.uid > 0).then_some(seen)
}

/// The value of the first Message-ID field, unfolded.
fn read_message_id(header: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(header);
    let (_, value) = text.split_once(':')?;
    let mut id = String::new();
    for (at, line) in value.lines().enumerate() {
        if at > 0 && !line.starts_with([' ', '\t']) {
            break;
        }
        id.push_str(line.trim());
    }
    (!id.is_empty()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_are_unfolded() {
        assert_eq!(read_message_id(b"Message-ID: <a@b>\r\n\r\n").as_deref(), Some("<a@b>"));
        assert_eq!(read_message_id(b"Message-Id:\r\n <long@id>\r\n\r\n").as_deref(), Some("<long@id>"));
        assert_eq!(read_message_id(b"Message-ID: <a@b>\r\nMessage-ID: <c@d>\r\n\r\n").as_deref(), Some("<a@b>"));
        assert_eq!(read_message_id(b"\r\n"), None);
    }

    #[test]
    fn shapes_are_read() {
        let line = b"* 3 FETCH (UID 9 FLAGS (\\Seen Blau \\Recent) INTERNALDATE \" 1-Jan-2020 10:00:00 +0000\" RFC822.SIZE 77)\r\n";
        let seen = async_imap::imap_proto::Response::parse(line).ok().and_then(|(_, response)| read_shape(&response));
        let seen = seen.unwrap_or_default();
        assert_eq!((seen.uid, seen.size, seen.facts.read), (9, Some(77), Some(true)));
        assert_eq!(seen.facts.categories, Some(vec!["Blau".to_owned()]));
        assert!(seen.facts.received.is_some());
    }
}
