//! `check`: whether both sides can be worked with, and what to fix.

use super::{
    args::Common,
    exit::{Exit, Failure},
    session::{CHECK, Session},
    terminal::Terminal,
};
use crate::{
    engine::Checked,
    report::{count, said_once, subject},
};
use serde::Serialize;
use std::{fmt::Write, sync::Arc};
use transhume_contract::{Finding, Severity};

pub async fn run(common: &Common, terminal: Arc<Terminal>) -> Result<Exit, Failure> {
    let session = Session::begin(common, CHECK, Arc::clone(&terminal)).await?;
    let found = session.engine.check(&session.project, &session.movers).await?;
    terminal.print(&told(&found, session.movers.len()));
    let exit = if blockers(&found) > 0 { Exit::Stuck } else { Exit::Done };
    for checked in &found {
        let (side, account) = (checked.side.name(), checked.account.as_deref());
        terminal.tell("checked", &Line { side, account, findings: &checked.access.findings });
    }
    terminal.summary("check", &Summary { accounts: session.movers.len(), blockers: blockers(&found) });
    session.end(exit).await
}

#[derive(Serialize)]
struct Line<'a> {
    side: &'static str,
    account: Option<&'a str>,
    findings: &'a [Finding],
}

#[derive(Serialize)]
struct Summary {
    accounts: usize,
    blockers: usize,
}

fn blockers(found: &[Checked]) -> usize {
    let findings = found.iter().flat_map(|checked| &checked.access.findings);
    findings.filter(|finding| finding.severity == Severity::Blocker).count()
}

fn told(found: &[Checked], movers: usize) -> String {
    let each = found.iter().flat_map(|checked| {
        let about = checked.account.as_deref().unwrap_or("everybody");
        checked.access.findings.iter().map(move |finding| (about, (checked.side.name(), finding)))
    });
    let mut text: String =
        said_once(each).iter().map(|(accounts, (side, finding))| line(accounts, side, finding)).collect();
    let verdict = match blockers(found) {
        0 => "ready: nothing blocks".to_owned(),
        some => format!("{} to mend first", count(some as u64, "blocker")),
    };
    let _infallible = write!(text, "{} checked on both sides; {verdict}.", count(movers as u64, "account"));
    text
}

/// A finding, its fix, and whom it meets.
fn line(accounts: &[&str], side: &str, finding: &Finding) -> String {
    let word = match finding.severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Blocker => "BLOCKER",
    };
    let (who, names) = subject(accounts);
    let fix = Some(finding.fix.as_str()).filter(|fix| !fix.is_empty());
    let more = fix.into_iter().chain(names.as_deref()).map(|line| format!("{:<17}{line}\n", ""));
    format!("{word:<8} {side:<7} {who}: {}\n", finding.sentence) + &more.collect::<String>()
}
