//! A mailbox cut into windows of UIDs, so that no answer holds more than so many messages.
//!
//! UIDs have gaps of any size: by them alone nobody knows how much a range holds. Numbers of messages have none, but
//! move with every EXPUNGE. So numbers only tell where to cut: the UIDs that stand so many messages apart are asked for
//! before anything is read. What is read is read by UID. One window starts where the other ends; whatever others remove
//! meanwhile, every message that stays is in one window, and a window only gets emptier.

use crate::link::Link;
use async_imap::imap_proto::{AttributeValue, Response};
use std::collections::{BTreeSet, VecDeque};
use transhume_contract::Fault;

/// Numbers in one command: servers limit the length of a line (Dovecot 2.3 to 64 KiB).
const NUMBERS: usize = 500;

/// What is still to be read.
#[derive(Debug, Default)]
pub struct Windows {
    next: u32,
    /// The last UID of each.
    ends: VecDeque<u32>,
}

impl Windows {
    /// Those of the mailbox that has just been selected, of at most so many messages each. What arrives later is in
    /// none, where the server tells its UIDNEXT.
    pub async fn of(link: &mut Link, most: u32) -> Result<Self, Fault> {
        let selected = link.selected.clone().unwrap_or_default();
        if selected.exists == 0 {
            return Ok(Self::default());
        }
        let last = selected.next.map_or(u32::MAX, |next| next.saturating_sub(1));
        let numbers: Vec<u32> = (most..selected.exists).step_by(most as usize).collect();
        let mut ends = BTreeSet::from([last]);
        for some in numbers.chunks(NUMBERS) {
            ends.extend(uids_at(link, some).await?);
        }
        Ok(Self { next: 1, ends: ends.into_iter().filter(|end| (1..=last).contains(end)).collect() })
    }

    /// The first and the last UID of the next one.
    pub fn next(&mut self) -> Option<(u32, u32)> {
        let end = self.ends.pop_front()?;
        let first = std::mem::replace(&mut self.next, end.saturating_add(1));
        Some((first, end))
    }
}

/// The UIDs of the messages with these numbers. While a FETCH is under way no EXPUNGE may be told (RFC 3501, section
/// 7.4.1), so that all of them are counted alike; a number that is gone by now would be an error.
async fn uids_at(link: &mut Link, numbers: &[u32]) -> Result<Vec<u32>, Fault> {
    let exists = link.selected.as_ref().map_or(0, |selected| selected.exists);
    let set: Vec<String> = numbers.iter().filter(|number| **number <= exists).map(u32::to_string).collect();
    let mut uids = Vec::new();
    if set.is_empty() {
        return Ok(uids);
    }
    link.order(&format!("FETCH {} (UID)", set.join(",")), "to list messages", |response| {
        if let Response::Fetch(_, attributes) = response {
            uids.extend(attributes.iter().filter_map(|attribute| match attribute {
                AttributeValue::Uid(uid) => Some(*uid),
                _ => None,
            }));
        }
    })
    .await?;
    Ok(uids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_join_without_gaps() {
        let mut windows = Windows { next: 1, ends: [5, 9, u32::MAX].into() };
        assert_eq!([windows.next(), windows.next()], [Some((1, 5)), Some((6, 9))]);
        assert_eq!([windows.next(), windows.next()], [Some((10, u32::MAX)), None]);
        assert_eq!(Windows::default().next(), None);
    }
}
