//! The public conformance suite: what every connector must do, run against in-memory connectors, simulators and real
//! servers alike. A suite is a list of named checks; those that a connector's traits rule out are left out by name.
//!
//! ```no_run
//! # async fn run(target: &dyn transhume_contract::Target, account: &transhume_contract::AccountId) {
//! let report = transhume_contract::conformance::target(target, account).await;
//! assert!(report.passed(), "{report}");
//! # }
//! ```

mod objects;
mod source;
mod target;

pub use objects::objects;
pub use source::{source, source_of};
pub use target::target;

use std::fmt;

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Result {
    Passed,
    /// Why the connector's traits rule it out.
    LeftOut(&'static str),
    Failed(String),
}

/// What came of a suite.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub checks: Vec<(&'static str, Result)>,
}

impl Report {
    /// Whether checks ran and none failed.
    pub fn passed(&self) -> bool {
        let failed = self.checks.iter().any(|(_, result)| matches!(result, Result::Failed(_)));
        let ran = self.checks.iter().any(|(_, result)| *result == Result::Passed);
        ran && !failed
    }

    fn add(&mut self, name: &'static str, outcome: std::result::Result<(), String>) {
        self.checks.push((name, outcome.map_or_else(Result::Failed, |()| Result::Passed)));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, result) in &self.checks {
            match result {
                Result::Passed => writeln!(f, "ok       {name}")?,
                Result::LeftOut(why) => writeln!(f, "left out {name}: {why}")?,
                Result::Failed(why) => writeln!(f, "FAILED   {name}: {why}")?,
            }
        }
        Ok(())
    }
}

/// Fails a check with a sentence unless it holds.
fn hold(holds: bool, sentence: impl FnOnce() -> String) -> std::result::Result<(), String> {
    if holds { Ok(()) } else { Err(sentence()) }
}

fn said(what: &'static str) -> impl Fn(crate::Fault) -> String {
    move |fault| format!("{what}: {fault} ({:?})", fault.what)
}
