//! Looking for what was placed with an outcome nobody told.
//!
//! By Message-ID where the rendering has one, else by length; then by every byte. A search by header matches parts of
//! ids and costs 5 to 10 ms a look-up (seen with Dovecot 2.3 and Cyrus 3.6), so all ids are fetched at once and
//! compared here. What is marked as deleted is told as such: it may be what a move left behind, and is gone soon.

use crate::{
    account::Unsettled,
    bodies, handle,
    link::Link,
    observe::{Seen, read_newest, read_shapes},
    windows::Windows,
};
use std::collections::HashMap;
use tokio::time::{Duration, sleep};
use transhume_contract::{Batch, Digest, Fault, Found, NaturalKey};

/// Messages asked for in one command.
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
            match key.key.as_deref().map(bare) {
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
/// And for each message and the bytes of what may be under way: a slow disk flushes a hundred messages a second, and
/// writes 4 MiB.
const EACH: Duration = Duration::from_millis(10);
const BYTES_PER_SECOND: u64 = 4 << 20;
const STILL: Duration = Duration::from_millis(200);
/// Other mail may keep arriving: the wait ends.
const MOST_LOOKS: usize = 20;

/// How long after a loss a server may still be at work on what was sent. (Dovecot 2.3 and Cyrus 3.6 work on through
/// what they have read after the client is gone, and store a MULTIAPPEND as a whole at its end, so that counting
/// messages tells nothing of one that is under way.) A server that fell silent is in trouble: it is given the time
/// after which it counted as silent once more.
pub fn patience(lost: &Unsettled, batch: &Batch, keys: &[NaturalKey], silence: Duration) -> Duration {
    let largest = keys.iter().map(|key| key.length).max().unwrap_or_default();
    let items = u32::try_from(keys.len().min(batch.items)).unwrap_or(u32::MAX);
    let bytes = keys.iter().map(|key| key.length).fold(0, u64::saturating_add).min(batch.bytes.max(largest));
    let work =
        GRACE + EACH.saturating_mul(items) + Duration::from_millis(bytes.saturating_mul(1000) / BYTES_PER_SECOND);
    if lost.silent { work.saturating_add(silence) } else { work }
}

/// Waits until the selected mailbox stands still: what is found missing too early would be placed twice.
pub async fn await_still(link: &mut Link) -> Result<(), Fault> {
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
    let mut listed = 0;
    let mut windows = Windows::of(link, WINDOW).await?;
    while let Some((first, last)) = windows.next() {
        let mut seen = read_shapes(link, &format!("{first}:{last}"), ITEMS).await?;
        seen.retain(|message| (first..=last).contains(&message.uid));
        listed += u32::try_from(seen.len()).unwrap_or(u32::MAX);
        found.extend(matches(link, selected.validity, &wanted, &seen).await?);
    }
    complete(link, listed, selected.exists)?;
    Ok(found)
}

/// Messages asked for of one mailbox of a sample.
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
        if link.open(mailbox).await?.is_err() {
            continue;
        }
        let seen = read_newest(link, SAMPLED, ID_ONLY).await?;
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
            found.push(Found {
                intent: key.intent.clone(),
                handle,
                version: None,
                facts,
                deleted: message.deleted,
                content: None,
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use transhume_contract::IntentId;

    #[test]
    fn what_was_under_way_and_silence_lengthen_the_wait() {
        let key = |length| {
            let (intent, digest) = (IntentId::new("1"), Digest::of(b""));
            NaturalKey { intent, key: None, digest, length, name: None }
        };
        let (batch, silence) = (Batch { items: 100, bytes: 4 << 20 }, Duration::from_secs(300));
        let wait = |silent, keys: &[NaturalKey]| {
            let lost = Unsettled { silent, ..Unsettled::since(tokio::time::Instant::now()) };
            patience(&lost, &batch, keys, silence).as_millis()
        };
        assert_eq!(wait(false, &[]), 1500);
        assert_eq!(wait(false, &[key(0)]), 1510);
        assert_eq!(wait(false, &vec![key(1 << 20); 500]), 3500, "no command holds more than a batch");
        assert_eq!(wait(false, &[key(150 << 20)]), 39_010, "but one large message");
        assert_eq!(wait(true, &[key(0)]), 301_510);
    }

    #[test]
    fn ids_are_compared_whole_and_bare() {
        assert_eq!(bare(" <a@b> "), bare("a@b"));
        assert_ne!(bare("<a@b.example>"), bare("<a@b>"));
        assert!(is_usual("a+b=c@d.e") && !is_usual("a b@c") && !is_usual("\u{e9}@c") && !is_usual(""));
    }
}
