//! What a collection's folder is called on the disk: Maildir++, where `A/B` is the directory `.A.B`.
//!
//! A name is kept as it is wherever Dovecot can serve it. What it cannot hold becomes `_`, and then the name ends in
//! `~` and eight digits of the hash of the true name, so that two names never fall together and the same name always
//! becomes the same directory:
//!
//! | in the name | becomes |
//! |---|---|
//! | `.` `/` and control characters (anywhere), `~` (first) | `_` and the hash |
//! | nothing at all | `_` and the hash |
//! | `INBOX`, `Sent`, `Drafts`, `Trash`, `Junk`, `Archive` at the top, of a collection without that role | the hash is added |
//! | something that ends like such a hash | the hash is added |
//! | more than 60 bytes | cut, and the hash |
//! | a path of more than 220 bytes | hung under an ancestor that leaves room, with a longer hash of the whole path |

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{GeneralPurpose, general_purpose::NO_PAD};
use transhume_contract::Role;

const MODIFIED: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// The name of INBOX as the parent of other folders. Its own directory is the Maildir itself, the empty name.
const INBOX: &str = ".INBOX";

/// One part of a path, encoded.
const LONGEST_NAME: usize = 60;

/// A directory name; 255 bytes is what file systems take, and mail readers add suffixes for temporary names.
const LONGEST_PATH: usize = 220;

/// Names that mean something at the top.
const RESERVED: [&str; 5] = ["Sent", "Drafts", "Trash", "Junk", "Archive"];

/// The directory of a collection below `parent` (empty: at the top); the empty name is the Maildir itself.
pub(crate) fn directory(parent: Option<&str>, name: &str, role: Role) -> String {
    match role {
        Role::Inbox => String::new(),
        Role::Sent => ".Sent".to_owned(),
        Role::Drafts => ".Drafts".to_owned(),
        Role::Deleted => ".Trash".to_owned(),
        Role::Junk => ".Junk".to_owned(),
        Role::Archive => ".Archive".to_owned(),
        Role::Ordinary
        | Role::Default
        | Role::Outbox
        | Role::ConversationHistory
        | Role::SyncIssues
        | Role::RecoverableItems
        | Role::ReadOnly
        | Role::Internal => below(parent, &part(name, parent.is_none()), name),
    }
}

/// The directory that a path of ordinary collections leads to, `None` at the top.
pub(crate) fn of_path(path: &[String]) -> Option<String> {
    path.iter().fold(None, |parent: Option<String>, name| Some(directory(parent.as_deref(), name, Role::Ordinary)))
}

/// Another directory for the same collection, when its own is taken by another one.
pub(crate) fn apart(parent: Option<&str>, path: &[String]) -> String {
    let name = path.last().map(String::as_str).unwrap_or_default();
    let marked = marked(&cleaned(name), &path.join("\0"));
    below(parent, &marked, name)
}

/// What people see: `A/B`.
pub(crate) fn shown(directory: &str) -> String {
    if directory.is_empty() {
        return "INBOX".to_owned();
    }
    directory.split('.').skip(1).map(decoded).collect::<Vec<_>>().join("/")
}

fn below(parent: Option<&str>, part: &str, name: &str) -> String {
    let parent = match parent {
        None => "",
        Some("") => INBOX,
        Some(parent) => parent,
    };
    let whole = format!("{parent}.{part}");
    if whole.len() <= LONGEST_PATH {
        return whole;
    }
    let room = LONGEST_PATH - LONGEST_NAME - 20;
    let kept = parent.get(..room).map_or(parent, |front| front.rsplit_once('.').map_or("", |(ancestor, _)| ancestor));
    format!("{kept}.{}~{}", encoded(&shortened(&cleaned(name), 24)), hash(&format!("{parent}\0{name}"), 16))
}

/// One name as a part of a directory name.
fn part(name: &str, at_top: bool) -> String {
    let clean = cleaned(name);
    let reserved = at_top && (name.eq_ignore_ascii_case("INBOX") || RESERVED.contains(&name));
    let encoded = encoded(&clean);
    if clean == name && !reserved && !ends_like_a_hash(name) && encoded.len() <= LONGEST_NAME {
        return encoded;
    }
    marked(&clean, name)
}

fn marked(clean: &str, name: &str) -> String {
    format!("{}~{}", encoded(&shortened(clean, LONGEST_NAME - 9)), hash(name, 8))
}

fn cleaned(name: &str) -> String {
    let legal = |(at, c): (usize, char)| match c {
        '.' | '/' => '_',
        '~' if at == 0 => '_',
        c if c.is_control() => '_',
        c => c,
    };
    let clean: String = name.char_indices().map(legal).collect();
    if clean.is_empty() { "_".to_owned() } else { clean }
}

/// As many characters as fit into so many bytes once encoded.
fn shortened(name: &str, bytes: usize) -> String {
    let mut kept = name.to_owned();
    while encoded(&kept).len() > bytes {
        kept.pop();
    }
    kept
}

/// Whether a name could be taken for one that we marked with a hash.
pub(crate) fn ends_like_a_hash(name: &str) -> bool {
    name.rsplit_once('~')
        .is_some_and(|(_, end)| matches!(end.len(), 8 | 16) && end.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn hash(text: &str, digits: usize) -> String {
    let hex = blake3::hash(text.as_bytes()).to_hex();
    hex.chars().take(digits).collect()
}

/// RFC 3501, 5.1.3: modified UTF-7.
fn encoded(name: &str) -> String {
    let mut out = String::new();
    let mut wide = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut wide, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            wide.extend(c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut wide, &mut out);
    out
}

fn flush(wide: &mut Vec<u8>, out: &mut String) {
    if !wide.is_empty() {
        out.push('&');
        MODIFIED.encode_string(&*wide, out);
        out.push('-');
        wide.clear();
    }
}

/// The reverse of [`encoded`]; what is no modified UTF-7 is shown as it stands.
fn decoded(part: &str) -> String {
    let mut out = String::new();
    let mut rest = part;
    while let Some((plain, shifted)) = rest.split_once('&') {
        let Some((code, after)) = shifted.split_once('-') else { break };
        out.push_str(plain);
        match (code, units(code)) {
            ("", _) => out.push('&'),
            (_, Some(units)) => out.push_str(&String::from_utf16_lossy(&units)),
            (_, None) => return part.to_owned(),
        }
        rest = after;
    }
    out + rest
}

fn units(code: &str) -> Option<Vec<u16>> {
    let bytes = MODIFIED.decode(code).ok()?;
    Some(bytes.chunks_exact(2).map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top(name: &str) -> String {
        directory(None, name, Role::Ordinary)
    }

    #[test]
    fn plain_names_stay_and_others_are_encoded() {
        assert_eq!(top("Projects 2024"), ".Projects 2024");
        assert_eq!(top("R&D"), ".R&-D");
        assert_eq!(top("日本"), ".&ZeVnLA-");
        assert_eq!(top("台北"), ".&U,BTFw-");
        for name in ["R&D", "Été", "日本", "a \u{1F4E7} b", "&&", "x&-y"] {
            assert_eq!(shown(&top(name)), name);
        }
    }

    #[test]
    fn roles_have_their_place_and_nobody_else_takes_it() {
        assert_eq!(directory(None, "Éléments envoyés", Role::Sent), ".Sent");
        assert_eq!(directory(None, "Posteingang", Role::Inbox), "");
        assert_eq!(directory(Some(""), "Sub", Role::Ordinary), ".INBOX.Sub");
        assert_eq!(directory(Some(".A"), "Sent", Role::Ordinary), ".A.Sent");
        for name in ["Sent", "inbox", "Archive"] {
            assert!(top(name).starts_with(&format!(".{name}~")), "{}", top(name));
        }
    }

    #[test]
    fn what_maildir_cannot_hold_is_escaped_and_stays_apart() {
        let names = ["a/b", "a.b", "a_b", "~x", "_x", "..", "", "_", "a\tb", "A.B"];
        let mut all: Vec<String> = names.iter().map(|name| top(name)).collect();
        assert_eq!(top("a/b"), top("a/b"));
        let imitation = shown(&top("a/b"));
        all.push(top(&imitation));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), names.len() + 1);
        assert!(all.iter().all(|name| !name[1..].contains(['.', '/', '\t']) && !name.starts_with(".~")));
    }

    #[test]
    fn long_names_and_deep_paths_fit_a_directory_name() {
        let (one, two) = (top(&"é".repeat(300)), top(&"é".repeat(301)));
        assert!(one != two && one.len() <= 100);
        let deep: Vec<String> = (0..40).map(|level| format!("a rather long name for level {level}")).collect();
        let all: std::collections::BTreeSet<_> = (1..=40).filter_map(|depth| of_path(&deep[..depth])).collect();
        assert_eq!(all.len(), 40);
        assert!(all.iter().all(|name| name.len() <= LONGEST_PATH));
    }
}
