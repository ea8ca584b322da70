//! What this target calls a message: the UIDVALIDITY of its mailbox and its UID.

use transhume_contract::{Fault, Handle, What};

pub fn make(validity: u32, uid: u32) -> Handle {
    Handle::new(format!("{validity}.{uid}"))
}

pub fn read(handle: &Handle) -> Result<(u32, u32), Fault> {
    let parts = handle.as_str().split_once('.');
    parts.and_then(|(validity, uid)| Some((validity.parse().ok()?, uid.parse().ok()?))).ok_or_else(|| {
        Fault::new(What::Malformed, "A message handle of the store is not one this connector made.").report()
    })
}

/// A set of UIDs as commands take it: `1:3,7`.
pub fn set(uids: &[u32]) -> String {
    let mut sorted = uids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in sorted {
        match ranges.last_mut() {
            Some((_, last)) if uid == *last + 1 => *last = uid,
            _ => ranges.push((uid, uid)),
        }
    }
    let shown =
        ranges.iter().map(|(first, last)| if first == last { first.to_string() } else { format!("{first}:{last}") });
    shown.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_come_back() {
        assert_eq!(read(&make(1_700_000_000, 42)), Ok((1_700_000_000, 42)));
        assert!(read(&Handle::new("42")).is_err());
    }

    #[test]
    fn sets_are_short() {
        assert_eq!(set(&[7, 1, 3, 2, 2]), "1:3,7");
        assert_eq!(set(&[]), "");
    }
}
