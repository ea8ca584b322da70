//! From a source's folder path to mailbox names a server takes.
//!
//! | refused by | names |
//! |---|---|
//! | Dovecot Maildir++ | a dot anywhere, a leading `~`, a leading or doubled separator |
//! | Dovecot dbox and LAYOUT=fs | `..`, `cur`, `new`, `tmp`, `dbox-Mails`, a leading `~` |
//! | Cyrus 3.6 | `% ; { } ^ "` and the backslash, control characters |
//! | all | the separator within a name; more than about 250 bytes |
//!
//! A name that the server takes as it is stays as it is. Else offending characters become `_`; what could then be
//! mistaken for another folder's name gets a suffix made from the whole path, the same at every run.

use crate::utf7;
use transhume_contract::{Digest, Role};

/// Longest encoded segment offered at first; Dovecot takes 250 bytes and refuses 260.
const SEGMENT_BYTES: usize = 240;
/// Longest encoded segment of the last resort, for servers and depths where the whole name counts.
const SHORT_SEGMENT_BYTES: usize = 40;
const OFFENDING: &[char] = &['.', '~', '/', '\\', '%', '*', ';', '{', '}', '^', '"'];

/// How a server builds names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hierarchy {
    /// `None` where names are flat.
    pub separator: Option<char>,
    /// What personal mailboxes start with: `INBOX.` on some servers, else empty.
    pub prefix: String,
    /// Prefixes of other people's and shared mailboxes.
    pub foreign: Vec<String>,
}

/// Spellings of one segment to try in turn, decoded: as it is but for the separator; without offending characters;
/// short. The flag says whether the spelling could be another folder's own name.
pub fn spellings(segment: &str, path: &[String], hierarchy: &Hierarchy) -> Vec<(String, bool)> {
    let plain = fit(&replace(segment, |letter| Some(letter) == hierarchy.separator), path, SEGMENT_BYTES);
    let offending =
        |letter: char| letter.is_control() || OFFENDING.contains(&letter) || Some(letter) == hierarchy.separator;
    let mut safe = fit(&replace(segment, offending), path, SEGMENT_BYTES);
    if safe == plain {
        safe = format!("{safe}_");
    }
    let short = fit(&format!("{}-{}", safe, mark(path)), path, SHORT_SEGMENT_BYTES);
    [plain, safe, short].into_iter().map(|spelling| (spelling.clone(), spelling != segment)).collect()
}

/// Whether no server seen refuses this segment.
pub fn is_taken_everywhere(segment: &str) -> bool {
    let reserved = ["cur", "new", "tmp", "dbox-Mails"].contains(&segment);
    !reserved && !segment.chars().any(|letter| letter.is_control() || OFFENDING.contains(&letter))
}

fn replace(segment: &str, offends: impl Fn(char) -> bool) -> String {
    let replaced: String = segment.chars().map(|letter| if offends(letter) { '_' } else { letter }).collect();
    if replaced.trim().is_empty() { "_".to_owned() } else { replaced }
}

/// Shortens a name whose encoded form is too long, keeping it unique by its mark.
fn fit(name: &str, path: &[String], limit: usize) -> String {
    if utf7::encode(name).len() <= limit {
        return name.to_owned();
    }
    let suffix = format!("-{}", mark(path));
    let mut kept = String::new();
    for letter in name.chars() {
        kept.push(letter);
        if utf7::encode(&kept).len() + suffix.len() > limit {
            kept.pop();
            break;
        }
    }
    kept.trim_end().to_owned() + &suffix
}

/// Eight letters that stand for a whole source path: the same at every run.
pub fn mark(path: &[String]) -> String {
    Digest::of_texts(path.iter().map(String::as_str)).front(8)
}

/// A spelling with the mark of its path, for when the plain one is taken by something else.
pub fn marked(spelling: &str, path: &[String]) -> String {
    fit(&format!("{spelling}-{}", mark(path)), path, SEGMENT_BYTES)
}

/// The attribute of RFC 6154 a role has, and names in use on servers that tell none; the first is the one made.
pub fn special_use(role: Role) -> Option<(&'static str, &'static [&'static str])> {
    match role {
        Role::Sent => Some(("\\Sent", &["Sent", "Sent Items", "Sent Messages", "Gesendet"])),
        Role::Drafts => Some(("\\Drafts", &["Drafts", "Entw\u{fc}rfe"])),
        Role::Deleted => Some(("\\Trash", &["Trash", "Deleted Items", "Deleted Messages", "Papierkorb"])),
        Role::Junk => Some(("\\Junk", &["Junk", "Spam", "Junk E-mail", "Junk Email"])),
        Role::Archive => Some(("\\Archive", &["Archive", "Archives", "Archiv"])),
        Role::Ordinary
        | Role::Default
        | Role::Inbox
        | Role::Outbox
        | Role::ConversationHistory
        | Role::SyncIssues
        | Role::RecoverableItems
        | Role::ReadOnly
        | Role::Internal => None,
    }
}

/// Reads a NAMESPACE answer (RFC 2342): the first personal prefix, and those of others. Lines that are no such answer
/// are passed over.
pub fn read_namespaces(lines: &[String]) -> Option<(String, Vec<String>)> {
    let answer = lines.iter().find_map(|line| line.strip_prefix("* NAMESPACE "))?;
    let mut groups = groups(answer).into_iter();
    let personal = prefixes(groups.next()?).into_iter().next().unwrap_or_default();
    Some((personal, groups.flat_map(prefixes).collect()))
}

/// The top-level members of the answer: `NIL` or a list.
fn groups(answer: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0_usize, false, 0);
    let mut found = Vec::new();
    for (at, letter) in answer.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ' ' if !quoted && depth == 0 => {
                found.push(&answer[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&answer[start..]);
    found
}

/// The prefixes in `(("INBOX." ".") ("#mh/" "/"))`: the first quoted string of each inner list.
fn prefixes(group: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut depth, mut first) = (0_usize, false);
    let mut rest = group.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '(' => (depth, first) = (depth + 1, true),
            ')' => depth = depth.saturating_sub(1),
            '"' => {
                let string: String = rest.by_ref().take_while(|letter| *letter != '"').collect();
                if first && depth == 2 {
                    found.push(string);
                }
                first = false;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn path(segments: &[&str]) -> Vec<String> {
        segments.iter().map(|segment| (*segment).to_owned()).collect()
    }

    fn spelled(segment: &str, separator: char) -> Vec<String> {
        let hierarchy = Hierarchy { separator: Some(separator), ..Hierarchy::default() };
        spellings(segment, &path(&[segment]), &hierarchy).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn only_the_separator_is_replaced_at_first() {
        assert_eq!(spelled("50% a.b/c", '/')[..2], ["50% a.b_c", "50_ a_b_c"]);
        assert_eq!(spelled("50% a.b/c", '.')[..2], ["50% a_b/c", "50_ a_b_c"]);
        assert_eq!(spelled("..", '/')[..2], ["..", "__"]);
        assert_eq!(spelled("cur", '/')[..2], ["cur", "cur_"]);
        assert_eq!(spelled("", '/')[0], "_");
    }

    #[test]
    fn long_names_are_cut_by_letters_and_stay_apart() {
        let long = "\u{65e5}".repeat(200);
        let other = format!("{long}x");
        let (one, two) = (spelled(&long, '/'), spelled(&other, '/'));
        assert_ne!(one[0], two[0]);
        assert!(one.iter().all(|name| utf7::encode(name).len() <= SEGMENT_BYTES));
        assert!(utf7::encode(&one[2]).len() <= SHORT_SEGMENT_BYTES);
        assert_eq!(one, spelled(&long, '/'));
    }

    #[test]
    fn namespaces_are_read() {
        let dovecot = vec!["* NAMESPACE ((\"\" \"/\")) NIL NIL".to_owned()];
        assert_eq!(read_namespaces(&dovecot), Some((String::new(), vec![])));
        let courier = vec!["* NAMESPACE ((\"INBOX.\" \".\")) ((\"~\" \".\")) ((\"#shared.\" \".\"))".to_owned()];
        assert_eq!(read_namespaces(&courier), Some(("INBOX.".into(), vec!["~".into(), "#shared.".into()])));
        assert_eq!(read_namespaces(&["* OK hello".to_owned()]), None);
        let odd = vec!["* NAMESPACE ((\"a(b) c\" \"/\" \"X-P\" (\"FLAG\"))) NIL NIL".to_owned()];
        assert_eq!(read_namespaces(&odd).unwrap().0, "a(b) c");
    }

    #[test]
    fn marks_tell_paths_apart() {
        assert_ne!(mark(&path(&["a", "b"])), mark(&path(&["ab"])));
        assert_ne!(mark(&path(&["a", "b"])), mark(&path(&["a\0b"])));
        assert_eq!(mark(&path(&["a", "b"])), "237238bc", "as in every version: mailboxes have names made from it");
    }
}
