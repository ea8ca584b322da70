//! How a verb ends.

use crate::{config, registry, report, store::NotOpened};
use std::process::ExitCode;
use transhume_contract::{Fault, What};

/// What a script reads from the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, nothing owed.
    Done,
    /// Could not go on; the reason and the next step are on stderr.
    Stuck,
    /// Usage or configuration.
    Usage,
    /// Done, but items are owed or quarantined.
    Owing,
    /// `verify` found differences.
    Differing,
    /// The project is locked by another run.
    Locked,
    /// Interrupted, consistent.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Stuck => 1,
            Exit::Usage => 2,
            Exit::Owing => 3,
            Exit::Differing => 4,
            Exit::Locked => 5,
            Exit::Interrupted => 130,
        })
    }
}

/// Why a verb could not end as it should: what a person reads, and the exit code.
#[derive(Debug)]
pub struct Failure {
    pub sentence: String,
    pub exit: Exit,
}

impl Failure {
    pub fn usage(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), exit: Exit::Usage }
    }
    /// The same, after something else that is to be read first.
    #[must_use]
    pub fn after(self, said: &str) -> Self {
        Self { sentence: format!("{said}\n{}", self.sentence), ..self }
    }
    pub fn stuck(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), exit: Exit::Stuck }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        if fault.what == What::Interrupted {
            let sentence = "stopped; nothing is lost, run again to go on".to_owned();
            return Self { sentence, exit: Exit::Interrupted };
        }
        Self::stuck(report::fault_lines(&fault).join("\n"))
    }
}

impl From<NotOpened> for Failure {
    fn from(refusal: NotOpened) -> Self {
        match refusal {
            NotOpened::Fault(fault) => fault.into(),
            NotOpened::Locked { .. } => Self {
                sentence: format!("{refusal}\nWait until it ends, or stop it; stopping is safe at any moment."),
                exit: Exit::Locked,
            },
        }
    }
}

impl From<config::ConfigError> for Failure {
    fn from(error: config::ConfigError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<config::AccountsError> for Failure {
    fn from(error: config::AccountsError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<registry::NotBuilt> for Failure {
    fn from(why: registry::NotBuilt) -> Self {
        match why {
            registry::NotBuilt::Config(error) => error.into(),
            registry::NotBuilt::Fault(fault) => fault.into(),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::stuck(error.to_string())
    }
}

/// Ends the process now. The store is consistent at every commit, so this loses nothing.
#[allow(clippy::exit, reason = "a second interrupt asks for exactly this")]
pub fn at_once() -> ! {
    std::process::exit(130)
}
