//! Categories to IMAP keywords.
//!
//! `flag-keyword = atom` (RFC 9051), without regard to case. Outlook too takes categories for equal that differ only in
//! case. The promise: two different categories of one mailbox never become one keyword, and one category always becomes
//! the same keyword, whatever else the mailbox holds. Names that follow a simple rule stay readable (`Project X` is
//! `Project_X`); a name that cannot stand as it is carries a mark made from the whole name (`Deja_vu~m3k0t7a1`).

use crate::{MailProfile, Tables};

/// A keyword that the target takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyword {
    pub text: String,
    /// The name can be read back from it, by rule or by table. Else it carries a mark and a loss is due.
    pub faithful: bool,
}

/// Sets the mark apart. A name that happens to end like a mark gets one itself.
const MARK: char = '~';
/// 8 digits of 5 bits: among 1,000 categories two share a mark once in two million mailboxes.
const MARK_DIGITS: usize = 8;
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The keyword for a category; none for a blank name, or where the target has no room for keywords.
pub fn keyword(category: &str, profile: &MailProfile, tables: &Tables) -> Option<Keyword> {
    if category.trim().is_empty() || profile.keyword_max_len <= MARK_DIGITS {
        return None;
    }
    let fits = |text: &String| text.len() <= profile.keyword_max_len;
    let promised = tables.category(category).map(str::to_owned).filter(fits);
    let faithful = promised.or_else(|| by_rule(category, profile).filter(fits).filter(|text| !tables.is_taken(text)));
    Some(match faithful {
        Some(text) => Keyword { text, faithful: true },
        None => Keyword { text: marked(category, profile, tables), faithful: false },
    })
}

/// A space is written `_` and a `_` is written twice; nothing else may change, and no two of them may touch.
fn by_rule(category: &str, profile: &MailProfile) -> Option<String> {
    let mut text = String::with_capacity(category.len());
    let mut after_gap = true;
    for c in category.chars() {
        let gap = matches!(c, ' ' | '_');
        if (gap && after_gap) || !(gap || may_stand(c, profile)) {
            return None;
        }
        text.push_str(if c == '_' { "__" } else { "" });
        text.extend((c != '_').then_some(if c == ' ' { '_' } else { c }));
        after_gap = gap;
    }
    (!after_gap && !looks_marked(&text)).then_some(text)
}

/// `ATOM-CHAR` of RFC 9051, less `]`, which Dovecot refuses, and, where told so, with letters beyond ASCII.
fn may_stand(c: char, profile: &MailProfile) -> bool {
    (c.is_ascii_graphic() && !"(){%*\"\\]".contains(c))
        || (profile.keyword_8bit && !c.is_ascii() && c.is_alphanumeric())
}

fn looks_marked(text: &str) -> bool {
    let Some((_, mark)) = text.rsplit_once(MARK) else { return false };
    mark.len() == MARK_DIGITS && mark.bytes().all(|byte| DIGITS.contains(&byte.to_ascii_lowercase()))
}

fn marked(category: &str, profile: &MailProfile, tables: &Tables) -> String {
    let readable = readable(category, profile, tables);
    let mut text = String::new();
    let room = profile.keyword_max_len - MARK_DIGITS - 1;
    text.extend(readable.chars().scan(0, |used, c| {
        *used += c.len_utf8();
        (*used <= room).then_some(c)
    }));
    text.push(MARK);
    text.extend(digits(category));
    text
}

fn readable(category: &str, profile: &MailProfile, tables: &Tables) -> String {
    let mut text = String::new();
    for c in category.chars() {
        if may_stand(c, profile) {
            text.push(c);
        } else if c.is_whitespace() {
            text.push('_');
        } else {
            spell(&mut text, c, tables);
        }
    }
    // A leading `$` belongs to registered keywords, a leading `\` to system flags.
    text.trim_matches(['_', '$']).to_owned()
}

/// Spells a letter by the table; a capital without a row of its own as the small letter's, capitalised.
fn spell(into: &mut String, letter: char, tables: &Tables) {
    let own = tables.transliterate(letter);
    if !own.is_empty() {
        return into.push_str(own);
    }
    let mut small = letter.to_lowercase();
    let spelled = small.next().filter(|_| small.next().is_none()).map_or("", |c| tables.transliterate(c));
    let mut chars = spelled.chars();
    into.extend(chars.next().map(|c| c.to_ascii_uppercase()));
    into.push_str(chars.as_str());
}

fn digits(category: &str) -> impl Iterator<Item = char> {
    let digest = blake3::derive_key("transhume mappings keyword 1", category.to_lowercase().as_bytes());
    let bits = digest.iter().take(5).fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
    (0..MARK_DIGITS).rev().map(move |at| char::from(DIGITS[(bits >> (5 * at) & 31) as usize]))
}
