//! Between facts and IMAP flags, keywords and dates.
//!
//! RFC 3501 section 2.3.2 and the keyword registry (`$Forwarded`). A keyword is an `atom`: anything else makes the
//! server refuse the whole command.

use jiff::{Timestamp, civil, fmt::strtime, tz::Offset};
use std::collections::BTreeSet;
use transhume_contract::{Facts, FlagState, Loss};

/// The longest keyword offered: Dovecot's `mail_max_keyword_length`; Cyrus takes 1,000.
pub const KEYWORD_BYTES: usize = 50;

/// Flags to set, and what of the facts they cannot say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    pub system: Vec<&'static str>,
    pub keywords: Vec<String>,
    pub losses: Vec<Loss>,
}

impl Flags {
    pub fn of(facts: &Facts) -> Self {
        let mut flags = Self::default();
        let marks = [
            (facts.read == Some(true), "\\Seen"),
            (facts.flag == Some(FlagState::Flagged), "\\Flagged"),
            (facts.answered == Some(true), "\\Answered"),
            (facts.draft == Some(true), "\\Draft"),
            (facts.forwarded == Some(true), "$Forwarded"),
        ];
        flags.system.extend(marks.iter().filter(|(set, _)| *set).map(|(_, name)| *name));
        for keyword in facts.categories.iter().flatten() {
            match keyword_trouble(keyword) {
                None => flags.keywords.push(keyword.clone()),
                Some(why) => flags.losses.push(refused_keyword(keyword, why)),
            }
        }
        flags.keywords.sort();
        flags.keywords.dedup();
        flags
    }

    /// As an APPEND or STORE takes them, without the parentheses.
    pub fn list(&self) -> String {
        let keywords = self.keywords.iter().map(String::as_str);
        self.system.iter().copied().chain(keywords).collect::<Vec<_>>().join(" ")
    }
}

pub fn refused_keyword(keyword: &str, why: &str) -> Loss {
    Loss::new("keyword_refused", format!("the keyword `{keyword}` was not set: {why}"))
}

/// RFC 3501 `atom`: any CHAR but `( ) { SP CTL % * " \ ]`. Dovecot refuses `]` though `flag-keyword` allows it.
fn keyword_trouble(keyword: &str) -> Option<&'static str> {
    let odd = |byte: u8| !byte.is_ascii_graphic() || b"(){%*\"\\]".contains(&byte);
    if keyword.is_empty() || keyword.bytes().any(odd) {
        Some("it is no IMAP keyword")
    } else if keyword.len() > KEYWORD_BYTES {
        Some("it is longer than 50 bytes")
    } else {
        None
    }
}

/// The facts as flags can say them: a finished follow-up reads back as no flag, and what is no keyword is not there.
pub fn sayable(facts: &Facts) -> Facts {
    let mut said = facts.clone();
    if said.flag == Some(FlagState::Complete) {
        said.flag = Some(FlagState::None);
    }
    if let Some(keywords) = &mut said.categories {
        keywords.retain(|keyword| keyword_trouble(keyword).is_none());
    }
    said
}

/// What stands at a message right after it was placed with these facts: what they leave unsaid is unset.
pub fn as_placed(facts: &Facts) -> Facts {
    let flags = Flags::of(facts);
    read_flags(flags.system.iter().copied().chain(flags.keywords.iter().map(String::as_str)))
}

/// Reads what stands at a message.
pub fn read_flags<'a>(flags: impl Iterator<Item = &'a str>) -> Facts {
    let mut facts = Facts {
        read: Some(false),
        flag: Some(FlagState::None),
        answered: Some(false),
        forwarded: Some(false),
        draft: Some(false),
        ..Facts::default()
    };
    let mut keywords = BTreeSet::new();
    for flag in flags {
        match flag.to_ascii_lowercase().as_str() {
            "\\seen" => facts.read = Some(true),
            "\\flagged" => facts.flag = Some(FlagState::Flagged),
            "\\answered" => facts.answered = Some(true),
            "\\draft" => facts.draft = Some(true),
            "$forwarded" => facts.forwarded = Some(true),
            system if system.starts_with('\\') => {}
            _ => {
                keywords.insert(flag.to_owned());
            }
        }
    }
    facts.categories = Some(keywords.into_iter().collect());
    facts
}

/// RFC 3501 `date-time`, in UTC, with its quotes.
pub fn internal_date(instant: Timestamp) -> String {
    strtime::format("\"%d-%b-%Y %H:%M:%S +0000\"", &instant.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default()
}

/// Reads an INTERNALDATE, which may start with a blank and be in any zone: ` 1-Jan-2020 10:00:00 +0100`.
pub fn read_internal_date(text: &str) -> Option<Timestamp> {
    let (clock, zone) = text.trim().rsplit_once(' ')?;
    let clock = civil::DateTime::strptime("%d-%b-%Y %H:%M:%S", clock).ok()?;
    let (sign, digits) = (zone.get(..1)?, zone.get(1..)?.parse::<i32>().ok()?);
    let seconds = (digits / 100) * 3600 + (digits % 100) * 60;
    let offset = Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()?;
    offset.to_timestamp(clock).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn facts_become_flags_and_back() {
        let facts = Facts {
            read: Some(true),
            flag: Some(FlagState::Flagged),
            answered: Some(true),
            forwarded: Some(true),
            draft: Some(false),
            categories: Some(vec!["Rot".into(), "Blau".into()]),
            ..Facts::default()
        };
        let flags = Flags::of(&facts);
        assert_eq!(flags.list(), "\\Seen \\Flagged \\Answered $Forwarded Blau Rot");
        let list = flags.list();
        let back = read_flags(list.split(' '));
        assert_eq!(back.categories, Some(vec!["Blau".into(), "Rot".into()]));
        assert_eq!((back.read, back.forwarded, back.draft), (Some(true), Some(true), Some(false)));
    }

    #[test]
    fn what_is_no_atom_is_a_named_loss() {
        let long = "x".repeat(51);
        for bad in ["", "a b", "a]b", "50%", "Geb\u{fc}hr", "a\\b", long.as_str()] {
            let facts = Facts { categories: Some(vec![bad.into()]), ..Facts::default() };
            let flags = Flags::of(&facts);
            assert!(flags.keywords.is_empty(), "{bad}");
            assert_eq!(flags.losses[0].name, "keyword_refused");
        }
    }

    #[test]
    fn dates_keep_the_instant() {
        let instant: Timestamp = "2020-01-01T10:00:00Z".parse().unwrap();
        assert_eq!(internal_date(instant), "\"01-Jan-2020 10:00:00 +0000\"");
        assert_eq!(read_internal_date(" 1-Jan-2020 10:00:00 +0000"), Some(instant));
        assert_eq!(read_internal_date("01-Jan-2020 15:30:00 +0530"), Some(instant));
        assert_eq!(read_internal_date("31-Dec-2019 22:00:00 -1200"), Some(instant));
        assert_eq!(read_internal_date("yesterday"), None);
    }
}
