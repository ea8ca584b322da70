//! Looking for what was placed with an outcome nobody told.
//!
//! By Message-ID where the rendering has one, else by length; then by every byte. A search by header matches parts of
//! ids and costs 5 to 10 ms a look-up (seen with Dovecot 2.3 and Cyrus 3.6), so all ids are fetched at once and
//! compared here. What is marked as deleted is told as such: it may be what a move left behind, and is gone soon.

use crate::{
    bodies, handle,
    link::Link,
    observe::{Seen, read_shapes},
};
use std::collections::HashMap;
use tokio::time::{Duration, Instant, sleep, sleep_until};
use transhume_contract::{Digest, Fault, Found, NaturalKey};

/// UIDs asked for in one command.
const WINDOW: u32 = 5000;
const ITEMS: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])";

/// What the keys look like from the server's side.
struct Wanted<'a> {
    by_id: HashMap<&'a str, Vec<&'a NaturalKey>>,
    /// Those without an id.
    by_length: HashMap<u64, Vec<&'a NaturalKey>>,
    /// Those with one, should the server not tell the ids of messages as they are written.
    known_by_length: HashMap<u64, Vec<&'a NaturalKey>>,
}

impl<'a> Wanted<'a> {
    fn of(keys: &'a [NaturalKey]) -> Self {
        let mut wanted = Self { by_id: HashMap::new(), by_length: HashMap::new(), known_by_length: HashMap::new() };
        for key in keys {
            match key.message_id.as_deref().map(bare) {
                Some(id) if is_usual(id) => {
                    wanted.by_id.entry(id).or_default().push(key);
                    wanted.known_by_length.entry(key.length).or_default().push(key);
                }
                _ => wanted.by_length.entry(key.length).or_default().push(key),
            }
        }
        wanted
    }

    fn candidates(&self, seen: &Seen) -> Vec<&'a NaturalKey> {
        let told = seen.message_id.as_deref().map(bare).filter(|id| is_usual(id));
        let known = match told {
            Some(id) => self.by_id.get(id),
            None => seen.size.and_then(|size| self.known_by_length.get(&size)),
        };
        let by_length = seen.size.and_then(|size| self.by_length.get(&size));
        known.into_iter().chain(by_length).flatten().copied().collect()
    }
}

/// Whether an id reads the same everywhere. Others (comments, blanks, 8-bit letters) are found by length.
fn is_usual(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>()\"\\,;".contains(&byte))
}

/// Message-IDs are compared without angle brackets and blanks around them.
fn bare(id: &str) -> &str {
    id.trim().trim_start_matches('<').trim_end_matches('>')
}

/// Time a server is given to finish what a lost connection had sent; then the mailbox must stand still.
const GRACE: Duration = Duration::from_millis(1500);
const STILL: Duration = Duration::from_millis(200);
/// Other mail may keep arriving: the wait ends.
const MOST_LOOKS: usize = 20;

/// Waits until the server can have finished a command whose answer was lost: what is found missing too early would be
/// placed twice. (Dovecot 2.3 works on through what it has read after the client is gone.)
pub async fn await_calm(link: &mut Link, since: Instant) -> Result<(), Fault> {
    sleep_until(since + GRACE).await;
    for _ in 0..MOST_LOOKS {
        let before = count_of(link).await?;
        sleep(STILL).await;
        if count_of(link).await? == before {
            break;
        }
    }
    Ok(())
}

async fn count_of(link: &mut Link) -> Result<u32, Fault> {
    link.order("NOOP", "a NOOP", |_| {}).await?;
    Ok(link.selected.as_ref().map_or(0, |selected| selected.exists))
}

/// Finds every message of the selected mailbox that matches a key byte for byte.
pub async fn find(link: &mut Link, keys: &[NaturalKey]) -> Result<Vec<Found>, Fault> {
    let selected = link.selected.clone().unwrap_or_default();
    if selected.exists == 0 || keys.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = Wanted::of(keys);
    let mut found = Vec::new();
    let (mut first, last) = (1, selected.next.map_or(u32::MAX, |next| next.saturating_sub(1)));
    let mut width = if selected.next.is_some() { WINDOW } else { u32::MAX };
    let mut listed = 0;
    while first <= last {
        let until = first.saturating_add(width - 1).min(last);
        let seen = read_shapes(link, &format!("{first}:{until}"), ITEMS).await?;
        listed += u32::try_from(seen.len()).unwrap_or(u32::MAX);
        found.extend(matches(link, selected.validity, &wanted, &seen).await?);
        let Some(next) = until.checked_add(1) else { break };
        first = next;
        width = if seen.len() < (WINDOW / 4) as usize { width.saturating_mul(2) } else { WINDOW };
    }
    complete(link, listed, selected.exists)?;
    Ok(found)
}

/// UIDs asked for of one mailbox of a sample.
const SAMPLED: u32 = 200;
const ID_ONLY: &str = "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])";

/// Message-IDs of the newest messages, of the fullest mailboxes first.
pub async fn sample(link: &mut Link, census: &[(String, u32)], most: usize) -> Result<Vec<String>, Fault> {
    let mut fullest: Vec<_> = census.iter().collect();
    fullest.sort_by_key(|(_, messages)| std::cmp::Reverse(*messages));
    let each = most.div_ceil(fullest.len().max(1)).max(20);
    let mut ids = Vec::new();
    for (mailbox, _) in fullest {
        if ids.len() >= most {
            break;
        }
        let Ok(selected) = link.open(mailbox).await? else { continue };
        let first = selected.next.map_or(1, |next| next.saturating_sub(SAMPLED).max(1));
        let seen = read_shapes(link, &format!("{first}:*"), ID_ONLY).await?;
        ids.extend(seen.into_iter().rev().take(each).filter_map(|message| message.message_id));
    }
    ids.truncate(most);
    Ok(ids)
}

/// A list that is shorter than the server's own count would make us place twice.
fn complete(link: &mut Link, listed: u32, expected: u32) -> Result<(), Fault> {
    let removed = link.selected.as_ref().map_or(0, |selected| selected.expunged);
    if listed.saturating_add(removed) >= expected {
        return Ok(());
    }
    link.broken = true;
    Err(crate::faults::short_list(link.place(), expected, listed))
}

async fn matches(link: &mut Link, validity: u32, wanted: &Wanted<'_>, seen: &[Seen]) -> Result<Vec<Found>, Fault> {
    let candidates: Vec<(&Seen, Vec<&NaturalKey>)> =
        seen.iter().map(|message| (message, wanted.candidates(message))).filter(|(_, keys)| !keys.is_empty()).collect();
    let sizes: Vec<_> = candidates.iter().map(|(seen, _)| (seen.uid, seen.size.unwrap_or(u64::MAX))).collect();
    let digests: HashMap<u32, Digest> = bodies::digests(link, &sizes).await?;
    let mut found = Vec::new();
    for (message, keys) in candidates {
        let digest = digests.get(&message.uid);
        for key in keys.into_iter().filter(|key| digest == Some(&key.digest)) {
            let handle = handle::make(validity, message.uid);
            let facts = message.facts.clone();
            found.push(Found { intent: key.intent.clone(), handle, version: None, facts, deleted: message.deleted });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_compared_whole_and_bare() {
        assert_eq!(bare(" <a@b> "), bare("a@b"));
        assert_ne!(bare("<a@b.example>"), bare("<a@b>"));
        assert!(is_usual("a+b=c@d.e") && !is_usual("a b@c") && !is_usual("\u{e9}@c") && !is_usual(""));
    }
}
