//! Progress for people: a bar per account and phase on a terminal, a line where something is wrong.

use super::{
    table::shorten,
    words::{bytes, items as items_of},
    wrap::wrapped,
};
use crate::engine::{Event, Observer, Phase, RIGHTS_PROTECTED, protected_mail};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};
use transhume_contract::{Fault, Loss, Reach, What, Workload};

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    pub bars: bool,
    pub quiet: bool,
    pub verbose: bool,
    /// Columns of what it is shown on, where that is known.
    pub width: Option<usize>,
}

/// Shows events on stderr.
pub struct Progress {
    manner: Manner,
    bars: MultiProgress,
    running: Mutex<BTreeMap<(String, u8), Bar>>,
    /// Accounts whose protected mail was spoken of: once each is enough.
    warned: Mutex<BTreeSet<String>>,
    /// Causes for which an account stopped: the first account of each is named at once, all of them at the end.
    stopped: Mutex<Vec<(What, Option<String>)>>,
    /// What the source deleted and the target keeps: one policy keeps it in every account, so it is told once.
    kept: Mutex<BTreeMap<Workload, u64>>,
}

struct Bar {
    bar: ProgressBar,
    bytes: u64,
}

/// Fits 80 columns with a bar of twelve: a line that wraps would be drawn again and again below itself.
const STYLE: &str = "{prefix:<24!} {wide_bar:.green/dim} {pos:>7}/{len:<7} {msg:>8!} {elapsed:>5} eta {eta:<5}";
const LISTING: &str = "{prefix:<24!} {spinner} {pos} listed";
/// What the prefix has for an account, after the phase.
const ACCOUNT: usize = 17;

impl Progress {
    pub fn new(manner: Manner) -> Self {
        let target = if manner.bars { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self {
            manner,
            bars: MultiProgress::with_draw_target(target),
            running: Mutex::default(),
            warned: Mutex::default(),
            stopped: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// Says a sentence above the bars.
    pub fn say(&self, sentence: &str) {
        self.put(&wrapped(sentence, self.manner.width));
    }

    /// Puts a line above the bars as it is.
    pub fn put(&self, line: &str) {
        if self.manner.bars {
            let _terminal_may_be_gone = self.bars.println(line);
        } else {
            tell(line);
        }
    }

    /// Runs something that writes to the terminal itself, with the bars out of the way.
    pub fn suspend<T>(&self, act: impl FnOnce() -> T) -> T {
        self.bars.suspend(act)
    }

    fn begin(&self, account: &str, phase: Phase) {
        let (word, template) = match phase {
            Phase::List => ("list", LISTING),
            Phase::Pull => ("pull", STYLE),
            Phase::Push => ("push", STYLE),
            Phase::Verify => ("verify", STYLE),
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar =
            self.bars.add(ProgressBar::new(0)).with_style(style).with_prefix(format!("{word:<6} {}", short(account)));
        self.running().insert((account.into(), phase as u8), Bar { bar, bytes: 0 });
    }

    fn end(&self, account: &str, phase: Phase) {
        if let Some(ended) = self.running().remove(&(account.into(), phase as u8)) {
            ended.bar.finish_and_clear();
            self.bars.remove(&ended.bar);
        }
    }

    fn advance(&self, account: &str, phase: Phase, items: u64, moved: u64) {
        if let Some(running) = self.running().get_mut(&(account.to_owned(), phase as u8)) {
            running.bytes += moved;
            running.bar.inc(items);
            running.bar.set_message(bytes(running.bytes));
        }
    }

    fn expect(&self, account: &str, phase: Phase, items: u64) {
        if let Some(running) = self.running().get_mut(&(account.to_owned(), phase as u8)) {
            running.bar.set_length(items);
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, u8), Bar>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// That something stopped is said at once; why, once and for everybody, when the pass ends. What reaches the run is
    /// what it ends with.
    fn stopped(&self, account: &str, fault: &Fault) {
        if fault.reach == Reach::Run {
            return;
        }
        let cause = (fault.what, fault.code.clone());
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        if !stopped.contains(&cause) {
            stopped.push(cause);
            self.say(&format!(
                "{account} stopped ({}); the others go on, and why is told at the end",
                plain(fault.what)
            ));
        }
    }

    /// What only its owner can rescue, and only while the source still lives, is said whatever the manner.
    fn warn_once(&self, account: String, loss: &Loss) {
        if self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(account.clone()) {
            self.say(&format!("{account}: some mail is {}", loss.detail));
        }
    }

    /// What goes is told before it goes, account by account.
    fn deleted(&self, account: &str, workload: Workload, items: u64, withdrawn: bool) {
        let fate = if withdrawn { "to be withdrawn" } else { "kept" };
        let what = items_of(&BTreeMap::from([(workload, items)]));
        let line =
            || format!("{account}: deleted at the source, {fate} at the target: {what} (policy withdraw_deleted)");
        match withdrawn {
            true if !self.manner.quiet => self.say(&line()),
            true => {}
            false => {
                self.details(line);
                *self.kept().entry(workload).or_default() += items;
            }
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<Workload, u64>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says once, for all accounts of a pass, what stays at the target though the source deleted it.
    pub fn tell_kept(&self) {
        let kept = std::mem::take(&mut *self.kept());
        if !kept.is_empty() && !self.manner.quiet {
            let items = items_of(&kept);
            self.say(&format!("deleted at the source, kept at the target: {items} (policy withdraw_deleted)"));
        }
    }

    fn details(&self, line: impl FnOnce() -> String) {
        if self.manner.verbose {
            self.say(&line());
        }
    }
}

/// An address as a bar has room for it: its domain goes first.
fn short(account: &str) -> String {
    let whole = account.chars().count() <= ACCOUNT;
    let local = account.split_once('@').map_or(account, |(local, _)| local);
    if whole { account.to_owned() } else { shorten(local, ACCOUNT) }
}

/// The name of what happened, as words.
fn plain(what: What) -> String {
    what.name().replace('_', " ")
}

/// The one place where talk leaves for stderr without bars.
fn tell(line: &str) {
    use std::io::Write;
    let _terminal_may_be_gone = writeln!(std::io::stderr().lock(), "{line}");
}

impl Observer for Progress {
    fn hear(&self, event: Event) {
        match event {
            Event::Started { account, phase } => self.begin(&account, phase),
            Event::Finished { account, phase } => self.end(&account, phase),
            Event::Expected { account, phase, items, .. } => self.expect(&account, phase, items),
            Event::Listed { account, items, .. } => self.advance(&account, Phase::List, items, 0),
            Event::Fetched { account, items, bytes } => self.advance(&account, Phase::Pull, items, bytes),
            Event::Placed { account, items, bytes, .. } => self.advance(&account, Phase::Push, items, bytes),
            Event::Amended { account, items }
            | Event::Relocated { account, items }
            | Event::Replaced { account, items }
            | Event::Withdrawn { account, items } => {
                self.advance(&account, Phase::Push, items, 0);
            }
            Event::Verified { account, items, .. } => self.advance(&account, Phase::Verify, items, 0),
            Event::Lost { account, loss, .. } if loss.name == RIGHTS_PROTECTED => self.warn_once(account, &loss),
            Event::Lost { account, item, loss } => {
                self.details(|| format!("{account}, {item}: {} ({})", loss.detail, loss.name));
            }
            Event::Protected { account, items, .. } => {
                self.say(&format!("{account}: {}", protected_mail(items)));
            }
            Event::Deleted { account, workload, items, withdrawn } => {
                self.deleted(&account, workload, items, withdrawn);
            }
            Event::ChangedThere { account, item, fields } => {
                self.details(|| {
                    format!("{account}, {item}: changed at the target, left as it is ({})", fields.join(", "))
                });
            }
            Event::Refused { account, item, quarantined, fault } => {
                let fate = if quarantined { "quarantined" } else { "owed" };
                self.details(|| format!("{account}, {item}: {fate}: {}", fault.sentence));
            }
            Event::Stopped { account, fault } => self.stopped(&account, &fault),
            Event::Note { account, sentence } => {
                if !self.manner.quiet {
                    self.say(&account.map_or_else(|| sentence.clone(), |account| format!("{account}: {sentence}")));
                }
            }
        }
    }
}

/// Talk that a person must see whatever was asked for: the work waits for them.
pub fn ask_person(line: &str) {
    tell(line);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{ACCOUNT, LISTING, STYLE, short};

    /// The columns that a template takes without its bar.
    fn fixed(template: &str) -> usize {
        let placeholder = regex::Regex::new(r"\{[a-z_]+(:[<>]?(?P<width>\d+)?[^}]*)?\}").unwrap();
        let widths = placeholder.captures_iter(template);
        let widths = widths.filter_map(|one| one.name("width")).map(|width| width.as_str().parse::<usize>().unwrap());
        widths.sum::<usize>() + placeholder.replace_all(template, "").chars().count()
    }

    #[test]
    fn a_bar_has_room_at_80_columns() {
        assert!(fixed(STYLE) + 12 <= 80, "{}", fixed(STYLE));
        assert!(fixed(LISTING) + "| 1234567".len() <= 80, "{}", fixed(LISTING));
    }

    #[test]
    fn the_domain_of_an_account_goes_before_its_name() {
        assert_eq!(short("ada@ville.example"), "ada@ville.example");
        assert_eq!(short("emilie.lefevre@valmont.example"), "emilie.lefevre");
        assert!(short("secretariat.general.des.services@x.example").chars().count() <= ACCOUNT);
    }
}
