//! Reading bytes back: many small messages in one command, a large one in pieces.

use crate::{handle, link::Link};
use async_imap::imap_proto::{AttributeValue, Response};
use std::collections::HashMap;
use transhume_contract::{Digest, Fault};

/// A larger message is read in pieces of this size, so that memory does not grow with it.
const PIECE: u64 = 1 << 20;
/// What one command asks for at most.
const AT_ONCE: u64 = 8 << 20;

/// Hashes the bytes of messages of the selected mailbox, given with the sizes the server stated. A message that is no
/// longer there has no entry.
pub async fn digests(link: &mut Link, messages: &[(u32, u64)]) -> Result<HashMap<u32, Digest>, Fault> {
    let mut found = HashMap::with_capacity(messages.len());
    for group in groups(messages) {
        match group {
            [(uid, size)] if *size > PIECE => {
                if let Some(digest) = in_pieces(link, *uid).await? {
                    found.insert(*uid, digest);
                }
            }
            many => at_once(link, many, &mut found).await?,
        }
    }
    Ok(found)
}

/// Cuts a list into what one command asks for; a message above a piece stands alone.
fn groups(messages: &[(u32, u64)]) -> Vec<&[(u32, u64)]> {
    let mut groups = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, (_, size)) in messages.iter().enumerate() {
        let alone = *size > PIECE || (at > start && messages[at - 1].1 > PIECE);
        if at > start && (alone || bytes + size > AT_ONCE) {
            groups.push(&messages[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += size;
    }
    if start < messages.len() {
        groups.push(&messages[start..]);
    }
    groups
}

async fn at_once(link: &mut Link, messages: &[(u32, u64)], found: &mut HashMap<u32, Digest>) -> Result<(), Fault> {
    let uids: Vec<u32> = messages.iter().map(|(uid, _)| *uid).collect();
    let command = format!("UID FETCH {} (UID BODY.PEEK[])", handle::set(&uids));
    link.order(&command, "to read messages back", |response| {
        if let Some((uid, Some(bytes))) = read_body(response) {
            found.insert(uid, Digest::of(bytes));
        }
    })
    .await?;
    Ok(())
}

async fn in_pieces(link: &mut Link, uid: u32) -> Result<Option<Digest>, Fault> {
    let mut hasher = blake3::Hasher::new();
    let mut offset = 0;
    loop {
        let mut got = None;
        let command = format!("UID FETCH {uid} (UID BODY.PEEK[]<{offset}.{PIECE}>)");
        link.order(&command, "to read a message back", |response| {
            if let Some((told, Some(bytes))) = read_body(response)
                && told == uid
            {
                hasher.update(bytes);
                got = Some(bytes.len() as u64);
            }
        })
        .await?;
        match got {
            None => return Ok(None),
            Some(length) if length < PIECE => return Ok(Some(hasher.finalize().into())),
            Some(length) => offset += length,
        }
    }
}

/// The UID and the body of a FETCH response, where it has both.
fn read_body<'a>(response: &'a Response<'_>) -> Option<(u32, Option<&'a [u8]>)> {
    let Response::Fetch(_, attributes) = response else { return None };
    let mut uid = None;
    let mut body = None;
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(found) => uid = Some(*found),
            AttributeValue::BodySection { section: None, data, .. } => body = data.as_deref(),
            _ => {}
        }
    }
    Some((uid?, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_messages_stand_alone() {
        let list = [(1, 10), (2, 20), (3, PIECE + 1), (4, 5), (5, AT_ONCE), (6, 1), (7, 1)];
        let sizes: Vec<usize> = groups(&list).iter().map(|group| group.len()).collect();
        assert_eq!(sizes, [2, 1, 1, 1, 2]);
    }

    #[test]
    fn groups_keep_below_the_limit() {
        let list: Vec<(u32, u64)> = (0..40).map(|uid| (uid, PIECE)).collect();
        assert!(groups(&list).iter().all(|group| group.len() == 8));
    }
}
