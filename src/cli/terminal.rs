//! The one home of standard output: data goes there, talk goes to standard error.

use super::{args::Common, moving::Moved};
use crate::{
    engine::{Event, Observer},
    report::{JsonLines, Manner, Progress, wrapped},
};
use serde::Serialize;
use std::{
    io::{IsTerminal, Stderr, Stdout, Write},
    os::fd::AsFd,
    sync::{Mutex, PoisonError},
};

/// Shows what happens as the command line asked: bars and sentences, or JSON lines.
pub struct Terminal {
    json: Option<JsonLines<Stdout>>,
    progress: Progress,
    quiet: bool,
    moved: Mutex<Moved>,
}

impl Terminal {
    pub fn new(common: &Common) -> Self {
        let bars = !common.json && !common.quiet && !common.no_progress && std::io::stderr().is_terminal();
        let (verbose, width) = (common.verbose > 0, room(&std::io::stderr()));
        let manner = Manner { bars, quiet: common.quiet, verbose, width };
        let json = common.json.then(|| JsonLines::new(std::io::stdout()));
        Self { json, progress: Progress::new(manner), quiet: common.quiet, moved: Mutex::default() }
    }

    /// What was done since this process began.
    pub fn moved(&self) -> Moved {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked for, as it is, on stdout. Nothing where JSON was asked for.
    pub fn answer(&self, text: &str) {
        if self.json.is_none() && !text.is_empty() {
            self.progress.suspend(|| put(&mut std::io::stdout().lock(), text));
        }
    }

    /// What is wrong, and a verb's last words, for people: sentences, wrapped where the terminal is narrower.
    pub fn print(&self, text: &str) {
        self.answer(&wrapped(text, self.room()));
    }

    /// What is neither: figures and notes. Nothing where quiet was asked for.
    pub fn show(&self, text: &str) {
        if !self.quiet {
            self.print(text);
        }
    }

    /// The same of tables, which are fitted where they are made.
    pub fn draw(&self, table: &str) {
        if !self.quiet {
            self.answer(table);
        }
    }

    /// A line of this type for scripts, where JSON was asked for.
    pub fn tell(&self, r#type: &str, what: &impl Serialize) {
        if let Some(json) = &self.json {
            json.typed(r#type, what);
        }
    }

    /// The last line of a verb for scripts.
    pub fn summary(&self, verb: &str, figures: &impl Serialize) {
        if let Some(json) = &self.json {
            json.summary(verb, figures);
        }
    }

    /// Columns that tables may take.
    #[allow(clippy::unused_self, reason = "the terminal is asked, whatever stands behind it")]
    pub fn width(&self) -> Option<usize> {
        columns(&std::io::stdout())
    }

    /// Columns that sentences may take.
    #[allow(clippy::unused_self, reason = "the terminal is asked, whatever stands behind it")]
    pub fn room(&self) -> Option<usize> {
        room(&std::io::stdout())
    }

    /// What a pass left standing at the target though the source deleted it, once for all accounts.
    pub fn tell_kept(&self) {
        self.progress.tell_kept();
    }

    /// Talk, on stderr, unless quiet was asked for.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            self.progress.say(line);
        }
    }

    /// The same of what is there to be typed: it is never wrapped.
    pub fn suggest(&self, commands: &str) {
        if !self.quiet {
            self.progress.put(commands);
        }
    }
}

/// What COLUMNS says, or those of a terminal; any number where output is redirected.
fn columns(of: &impl AsFd) -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.or_else(|| terminal_size::terminal_size_of(of).map(|(terminal_size::Width(columns), _)| usize::from(columns)))
}

/// Columns that a sentence may take. COLUMNS, which some export, says nothing of where output is redirected to: there a
/// sentence stays whole, so that it can be searched.
fn room(of: &(impl AsFd + IsTerminal)) -> Option<usize> {
    if of.is_terminal() { columns(of) } else { None }
}

fn put(out: &mut impl Write, text: &str) {
    let _reader_may_be_gone = writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush());
}

/// The last words of a verb that could not end as it should.
pub fn complain(sentence: &str) {
    let mut err: Stderr = std::io::stderr();
    let text = wrapped(sentence, room(&err));
    put(&mut err, &text);
}

impl Observer for Terminal {
    fn hear(&self, event: Event) {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner).count(&event);
        match &self.json {
            Some(json) => json.hear(event),
            None => self.progress.hear(event),
        }
    }
}
