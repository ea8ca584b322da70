//! Refusals by their cause: four hundred accounts that one missing permission stops are one matter, told once.

use super::words::{count, fault_lines, moment};
use crate::store::Side;
use std::fmt::Write;
use transhume_contract::{Fault, Timestamp};

/// Accounts named of each cause.
const NAMED: usize = 10;

/// Why an account stopped, with the words that are its own and say nothing of the cause.
pub struct Stopped<'a> {
    pub account: &'a str,
    pub target: Option<&'a str>,
    pub side: Side,
    pub fault: &'a Fault,
    /// When, where it was not in the pass that is told of.
    pub earlier: Option<Timestamp>,
}

struct Group<'a> {
    cause: Cause,
    first: &'a Stopped<'a>,
    accounts: Vec<&'a str>,
    /// The latest of them.
    earlier: Option<Timestamp>,
}

/// What makes two refusals the same: all but whom they met, and how many items or seconds.
#[derive(PartialEq, Eq)]
struct Cause {
    side: Side,
    earlier: bool,
    code: Option<String>,
    sentence: String,
    step: Option<String>,
}

/// Every cause once: the sentence, the next step, and whom it met.
pub fn told_once(stopped: &[Stopped<'_>]) -> String {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for one in stopped {
        let cause = cause(one);
        match groups.iter_mut().find(|group| group.cause == cause) {
            Some(group) => {
                group.accounts.push(one.account);
                group.earlier = group.earlier.max(one.earlier);
            }
            None => groups.push(Group { cause, first: one, accounts: vec![one.account], earlier: one.earlier }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.accounts.len()));
    groups.iter().map(told).collect()
}

fn cause(stopped: &Stopped<'_>) -> Cause {
    let numberless = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "#");
    Cause {
        side: stopped.side,
        earlier: stopped.earlier.is_some(),
        code: stopped.fault.code.clone(),
        sentence: numberless(&anyone(stopped, &stopped.fault.sentence)),
        step: stopped.fault.next_step().map(|step| numberless(&anyone(stopped, step))),
    }
}

/// The same words about whoever it may be.
fn anyone(stopped: &Stopped<'_>, text: &str) -> String {
    let text = without(text, stopped.account);
    stopped.target.map_or_else(|| text.clone(), |target| without(&text, target))
}

/// Replaces a name where it stands as a word of its own.
fn without(text: &str, name: &str) -> String {
    let inside = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '@');
    let (mut said, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(name).filter(|_| !name.is_empty()) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        said.push_str(before);
        let word = !inside(before.chars().next_back()) && !inside(after.chars().next());
        said.push_str(if word { "ACCOUNT" } else { name });
        rest = after;
    }
    said + rest
}

fn told(group: &Group<'_>) -> String {
    let Stopped { side, fault, .. } = group.first;
    let (who, names) = subject(&group.accounts);
    let mut lines = fault_lines(fault);
    if names.is_some() {
        lines.iter_mut().for_each(|line| *line = anyone(group.first, line));
        lines.extend(names);
    }
    let when = group.earlier.map_or_else(String::new, |at| format!(" on {}", moment(at)));
    let mut text = String::new();
    let _infallible = writeln!(text, "{who} stopped at the {}{when}: {}", side.name(), lines.join("\n    "));
    text
}

/// `a, b, c and 27 more (--json names all)`.
pub fn named(accounts: &[&str]) -> String {
    let first = accounts[..accounts.len().min(NAMED)].join(", ");
    match accounts.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more (--json names all)"),
    }
}

/// What is said of several in the same words, said once: whom it is said of, and the words, in the order they came up.
pub fn said_once<'a, W: PartialEq>(said: impl IntoIterator<Item = (&'a str, W)>) -> Vec<(Vec<&'a str>, W)> {
    let by_words = together(said.into_iter().map(|(account, words)| (words, account)));
    by_words.into_iter().map(|(words, accounts)| (accounts, words)).collect()
}

/// What belongs to the same, brought together, in the order in which the first of each came up.
pub fn together<K: PartialEq, V>(all: impl IntoIterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in all {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}

/// Whom words are said of: by name, or their number, with the names for a line of their own.
pub fn subject(accounts: &[&str]) -> (String, Option<String>) {
    match accounts {
        [one] => ((*one).to_owned(), None),
        many => (count(many.len() as u64, "account"), Some(named(many))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Stopped, said_once, subject, told_once};
    use crate::store::Side;
    use transhume_contract::{Fault, What};

    fn at_target<'a>(((account, login), fault): (&'a (String, String), &'a Fault)) -> Stopped<'a> {
        Stopped { account, target: Some(login), side: Side::Target, fault, earlier: None }
    }

    #[test]
    fn four_hundred_accounts_with_one_cause_are_one_matter() {
        let addresses: Vec<_> = (1..=400).map(|number| (format!("u{number}@x"), format!("login{number}"))).collect();
        let fault = |login: &str, id: u32| {
            let sentence = format!("the server refused the login of migrator acting for {login}");
            let fault = Fault::new(What::Unauthenticated, sentence).ask(format!("give {login} its right password"));
            fault.request(Some(format!("request-{id}")))
        };
        let faults: Vec<_> = addresses.iter().zip(0..).map(|((_, login), id)| fault(login, id)).collect();
        let text = told_once(&addresses.iter().zip(&faults).map(at_target).collect::<Vec<_>>());
        assert_eq!(
            text,
            "400 accounts stopped at the target: the server refused the login of migrator acting for ACCOUNT\n    \
             give ACCOUNT its right password\n    (request request-0)\n    u1@x, u2@x, u3@x, u4@x, u5@x, u6@x, u7@x, u8@x, \
             u9@x, u10@x and 390 more (--json names all)\n"
        );
    }

    #[test]
    fn the_same_words_are_said_once_of_all() {
        let once = said_once([("u1", "is full"), ("u2", "has no mailbox"), ("u3", "is full")]);
        assert_eq!(once, [(vec!["u1", "u3"], "is full"), (vec!["u2"], "has no mailbox")]);
        assert_eq!(subject(&once[0].0), ("2 accounts".to_owned(), Some("u1, u3".to_owned())));
        assert_eq!(subject(&once[1].0), ("u2".to_owned(), None));
    }

    #[test]
    fn what_stopped_an_earlier_pass_says_when() {
        let fault = Fault::new(What::Full, "the mailbox is full");
        let at = |text: &str| text.parse().ok();
        let (first, last) = (at("2026-11-20T10:00:00Z"), at("2026-11-21T10:00:00Z"));
        let stopped = |account, earlier| Stopped { account, target: None, side: Side::Target, fault: &fault, earlier };
        let text = told_once(&[stopped("u1", first), stopped("u2", None), stopped("u3", last)]);
        let (earlier, now) = text.split_once("u2 ").unwrap_or_default();
        let moment = last.map(super::moment).unwrap_or_default();
        assert!(earlier.starts_with(&format!("2 accounts stopped at the target on {moment}: the mailbox")), "{text}");
        assert_eq!(now, "stopped at the target: the mailbox is full\n");
    }

    #[test]
    fn different_causes_stay_apart_and_one_account_keeps_its_words() {
        let (denied, full) =
            (Fault::new(What::Forbidden, "access is denied").code("A"), Fault::new(What::Full, "u2 is full"));
        let stopped = |account, side, fault| Stopped { account, target: None, side, fault, earlier: None };
        let all = [stopped("u1", Side::Source, &denied), stopped("u2", Side::Target, &full)];
        assert_eq!(
            told_once(&all),
            "u1 stopped at the source: access is denied\n    (service code A)\nu2 stopped at the target: u2 is full\n"
        );
    }
}
