//! `check`: whether both sides can be worked with, and what to fix.

use super::{
    args::Common,
    exit::{Exit, Failure},
    session::{CHECK, Session},
    terminal::Terminal,
};
use crate::{engine::Checked, report::count};
use serde::Serialize;
use std::{fmt::Write, sync::Arc};
use transhume_contract::{Finding, Severity};

pub async fn run(common: &Common, terminal: Arc<Terminal>) -> Result<Exit, Failure> {
    let session = Session::begin(common, CHECK, Arc::clone(&terminal)).await?;
    let found = session.engine.check(&session.project, &session.movers).await?;
    terminal.print(&told(&found, session.movers.len()));
    let exit = if blockers(&found) > 0 { Exit::Stuck } else { Exit::Done };
    for checked in &found {
        terminal.line(&Line {
            r#type: "checked",
            side: checked.side.name(),
            account: checked.account.as_deref(),
            findings: &checked.access.findings,
        });
    }
    terminal.line(&Summary {
        r#type: "summary",
        verb: "check",
        accounts: session.movers.len(),
        blockers: blockers(&found),
    });
    session.end(exit).await
}

#[derive(Serialize)]
struct Line<'a> {
    r#type: &'static str,
    side: &'static str,
    account: Option<&'a str>,
    findings: &'a [Finding],
}

#[derive(Serialize)]
struct Summary {
    r#type: &'static str,
    verb: &'static str,
    accounts: usize,
    blockers: usize,
}

fn blockers(found: &[Checked]) -> usize {
    let findings = found.iter().flat_map(|checked| &checked.access.findings);
    findings.filter(|finding| finding.severity == Severity::Blocker).count()
}

fn told(found: &[Checked], movers: usize) -> String {
    let mut text = String::new();
    for checked in found {
        let subject = checked.account.as_deref().unwrap_or("everybody");
        for finding in &checked.access.findings {
            let word = match finding.severity {
                Severity::Note => "note",
                Severity::Warning => "warning",
                Severity::Blocker => "BLOCKER",
            };
            let _infallible = writeln!(text, "{word:<8} {:<7} {subject}: {}", checked.side.name(), finding.sentence);
            if !finding.fix.is_empty() {
                let _infallible = writeln!(text, "{:<17}{}", "", finding.fix);
            }
        }
    }
    let verdict = match blockers(found) {
        0 => "ready: nothing blocks".to_owned(),
        1 => "1 blocker to mend first".to_owned(),
        many => format!("{many} blockers to mend first"),
    };
    let _infallible = write!(text, "{} checked on both sides; {verdict}.", count(movers as u64, "account"));
    text
}
