//! The one home of standard output: data goes there, talk goes to standard error.

use super::{args::Common, moving::Moved};
use crate::{
    engine::{Event, Observer},
    report::{JsonLines, Manner, Progress},
};
use serde::Serialize;
use std::{
    io::{IsTerminal, Stderr, Stdout, Write},
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
        let manner = Manner { bars, quiet: common.quiet, verbose: common.verbose > 0 };
        let json = common.json.then(|| JsonLines::new(std::io::stdout()));
        Self { json, progress: Progress::new(manner), quiet: common.quiet, moved: Mutex::default() }
    }

    /// What was done since this process began.
    pub fn moved(&self) -> Moved {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong, and a verb's last words, for people, on stdout. Nothing where JSON was asked for.
    pub fn print(&self, text: &str) {
        if self.json.is_none() && !text.is_empty() {
            self.progress.suspend(|| put(&mut std::io::stdout().lock(), text));
        }
    }

    /// What is neither: tables, figures and notes. Nothing where quiet was asked for.
    pub fn show(&self, text: &str) {
        if !self.quiet {
            self.print(text);
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

    /// Columns that tables may take: those of the terminal, or what COLUMNS says; any number where output is redirected.
    #[allow(clippy::unused_self, reason = "the terminal is asked, whatever stands behind it")]
    pub fn width(&self) -> Option<usize> {
        let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        told.or_else(|| {
            let size = terminal_size::terminal_size_of(std::io::stdout());
            size.map(|(terminal_size::Width(columns), _)| usize::from(columns))
        })
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
}

fn put(out: &mut impl Write, text: &str) {
    let _reader_may_be_gone = writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush());
}

/// The last words of a verb that could not end as it should.
pub fn complain(sentence: &str) {
    let mut err: Stderr = std::io::stderr();
    put(&mut err, sentence);
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
