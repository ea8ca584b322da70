//! Lines of accounts.csv whose addresses the tenant does not know. They stop nobody else: they are left out, and told.

use super::init::ACCOUNTS;
use crate::{config::AccountLine, engine::Checked, store::Side};
use serde::Serialize;
use transhume_contract::{Access, Finding, Severity};

const STEP: &str = "Correct the address or remove the line; `transhume survey` lists the tenant's accounts.";

/// Somebody whom the tenant does not know.
#[derive(Serialize)]
pub struct Stranger {
    account: String,
    line: u64,
}

impl From<AccountLine> for Stranger {
    fn from(line: AccountLine) -> Self {
        Self { account: line.source, line: line.line }
    }
}

impl Stranger {
    fn sentence(&self) -> String {
        format!("{ACCOUNTS}, line {}: the tenant has no account {}", self.line, self.account)
    }

    /// As `plan` tells what blocks.
    pub fn blocker(&self) -> String {
        format!("BLOCKER {}: {}. {STEP}\n", self.account, self.sentence())
    }

    /// As `check` finds it.
    pub fn checked(self) -> Checked {
        let (severity, code) = (Severity::Blocker, "unknown_account".into());
        let finding = Finding { severity, code, sentence: self.sentence(), fix: STEP.into() };
        let access = Access { findings: vec![finding], quota: None };
        Checked { side: Side::Source, account: Some(self.account), access, reached: false }
    }
}

/// Each of them, and the one step that mends them all.
pub fn told(strangers: &[Stranger]) -> String {
    let mut sentences: Vec<_> = strangers.iter().map(Stranger::sentence).collect();
    sentences.push(STEP.into());
    sentences.join("\n")
}
