//! What collections and items are called on the disk.
//!
//! A name is kept as it is wherever every file system and every reader takes it. Any other gets `_` for what it cannot
//! hold and ends in `~` and digits of the hash of the true name, so that two names never fall together and the same name
//! always becomes the same file:
//!
//! | in the name of a collection | becomes |
//! |---|---|
//! | `/` `\` `<` `>` `:` `"` `\|` `?` `*`, control characters, `.` or a blank at an end | `_` and the hash |
//! | nothing at all, a name that DOS gave to a device (`con`, `nul`, `com1`) | the hash is added |
//! | something that ends like such a hash | the hash is added |
//! | more than 60 bytes | cut, and the hash |
//! | a path of several names | joined by `-`, for these folders lie flat, and the hash |
//!
//! An item is called by its UID where that consists of ASCII letters, digits and `_.-+@`; else the same is done to it.

use transhume_contract::{Digest, Workload};

use crate::layout::ends_like_a_hash;

/// Bytes of a collection's name before its hash.
const LONGEST_NAME: usize = 60;
/// Bytes of a UID as a file name: Exchange's have 112 and more.
const LONGEST_UID: usize = 200;
/// Bytes that are kept of another UID, to be recognised by.
const KEPT_OF_UID: usize = 60;

const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// The directories a collection may have, in the order in which they are tried: later ones are for what stands apart
/// from another collection of the same name.
pub(super) fn directories(path: &[String]) -> Vec<String> {
    let own = match path {
        [name] if is_plain(name) => Some(name.clone()),
        _ => None,
    };
    own.into_iter().chain([8, 12, 16, 20, 24, 28, 32].map(|digits| marked(path, digits))).collect()
}

/// What people see of a collection: one line.
pub(super) fn shown(path: &[String]) -> String {
    let line = path.join(" / ").replace(char::is_control, " ");
    let line = line.trim();
    if line.is_empty() { "?".to_owned() } else { line.to_owned() }
}

/// The end of the names of a workload's items.
pub(super) const fn extension(workload: Workload) -> &'static str {
    match workload {
        Workload::Contacts => ".vcf",
        Workload::Mail | Workload::Calendar | Workload::Tasks | Workload::Files => ".ics",
    }
}

/// The name of an item, from its UID alone; from its bytes where it has none.
pub(super) fn item(workload: Workload, uid: Option<&str>, digest: &Digest) -> String {
    let stem = match uid {
        Some(uid) if is_safe(uid) => uid.to_owned(),
        Some(uid) => format!("{}~{}", spelled(uid), Digest::of_texts([uid]).front(16)),
        None => digest.front(40),
    };
    stem + extension(workload)
}

fn is_safe(uid: &str) -> bool {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-+@".contains(&byte);
    !uid.is_empty() && uid.len() <= LONGEST_UID && uid.bytes().all(safe) && !uid.starts_with('.') && !is_device(uid)
}

fn spelled(uid: &str) -> String {
    let safe = |letter: char| if letter.is_ascii_alphanumeric() || "_-+@".contains(letter) { letter } else { '_' };
    uid.chars().take(KEPT_OF_UID).map(safe).collect()
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && cleaned(name) == name
        && !ends_like_a_hash(name)
        && !is_device(name)
}

fn marked(path: &[String], digits: usize) -> String {
    let clean = cleaned(&path.join("-"));
    let room = clean.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(|end| *end <= LONGEST_NAME);
    let kept = clean.get(..room.last().unwrap_or(0)).unwrap_or_default();
    format!("{kept}~{}", Digest::of_texts(path.iter().map(String::as_str)).front(digits))
}

fn cleaned(name: &str) -> String {
    let last = name.chars().count().saturating_sub(1);
    let legal = |(at, letter): (usize, char)| match letter {
        '/' | '\\' | '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
        '.' | ' ' if at == 0 || at == last => '_',
        letter if letter.is_control() => '_',
        letter => letter,
    };
    name.chars().enumerate().map(legal).collect()
}

/// Windows knows `con`, `con.ics` and `com1` in any case as devices.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    DEVICES.contains(&stem.trim_end_matches(|letter: char| letter.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::collections::BTreeSet;

    fn top(name: &str) -> String {
        directories(&[name.to_owned()]).remove(0)
    }

    fn named(uid: &str) -> String {
        item(Workload::Calendar, Some(uid), &Digest::of(b""))
    }

    #[test]
    fn plain_names_stay_as_they_are() {
        for name in ["Calendar", "Été & co", "日本", "\u{1F4C5} home", "v1.2", "100%"] {
            assert_eq!(top(name), name);
        }
        assert_eq!(named("040000008200E00074C5B7101A82E008@x"), "040000008200E00074C5B7101A82E008@x.ics");
        assert_eq!(item(Workload::Contacts, Some("a-1"), &Digest::of(b"")), "a-1.vcf");
    }

    #[test]
    fn what_a_folder_cannot_hold_is_escaped_and_stays_apart() {
        let names = ["a/b", "a\\b", "a:b", "..", ".", "", " ", "_", "a\nb", "con", "Com1.x", ".hidden", "x.", "a\0b"];
        let mut all: BTreeSet<String> = names.iter().map(|name| top(name)).collect();
        all.insert(top(&top("a/b")));
        all.insert(directories(&["a".to_owned(), "b".to_owned()]).remove(0));
        assert_eq!(all.len(), names.len() + 2, "{all:?}");
        let bad = |name: &&String| name.starts_with('.') || name.contains(['/', '\0', '\n', ':']);
        assert_eq!(all.iter().find(bad), None);
    }

    #[test]
    fn long_names_fit_and_stay_apart() {
        let (one, two) = (top(&"é".repeat(300)), top(&"é".repeat(301)));
        assert!(one != two && one.len() <= 100, "{one}");
        let (one, two) = (named(&"x".repeat(300)), named(&"x".repeat(301)));
        assert!(one != two && one.len() <= 100, "{one}");
        assert_eq!(named("a:b"), "a_b~24ddfe5821d95e41.ics", "as in every version: what stands there is found by it");
    }

    #[test]
    fn no_uid_leaves_its_folder_or_hides() {
        let uids = ["../../etc/passwd", ".", ".hidden", "", "a b", "a_b", "nul", "Ümläut", "a/b", "a\0b", "x.tmp"];
        let all: BTreeSet<String> = uids.iter().map(|uid| named(uid)).collect();
        assert_eq!(all.len(), uids.len());
        let bad = |name: &&String| name.starts_with('.') || name.contains(['/', '\0']) || !name.ends_with(".ics");
        assert_eq!(all.iter().find(bad), None);
    }

    #[test]
    fn a_shown_name_is_one_line() {
        assert_eq!(shown(&["Team".to_owned(), "R&D\n".to_owned()]), "Team / R&D");
        assert_eq!(shown(&["\t".to_owned()]), "?");
    }
}
