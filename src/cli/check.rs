//! `check`: whether both sides can be worked with, and what to fix.

use super::{
    args::Common,
    exit::{Exit, Failure},
    session::{CHECK, Session},
    strangers::Stranger,
    terminal::Terminal,
};
use crate::{
    engine::{Checked, Mover},
    report::{count, said_once, subject, together},
    store::Side,
};
use serde::Serialize;
use std::sync::Arc;
use transhume_contract::{Finding, Severity};

/// `trap` is an address that the trial meeting of the canary invites, too.
pub async fn run(common: &Common, canary: bool, trap: Option<&str>, terminal: Arc<Terminal>) -> Result<Exit, Failure> {
    let mut session = Session::begin(common, CHECK, Arc::clone(&terminal)).await?;
    let mut found = session.engine.check(&session.project, &session.movers).await?;
    if canary && blockers(&found) == 0 {
        found.extend(session.engine.prove(&session.project, &session.movers, trap).await?);
    }
    let strangers = session.take_strangers();
    let unknown = strangers.len();
    let accounts = session.movers.len() + unknown;
    found.extend(strangers.into_iter().map(Stranger::checked));
    let reached = session.movers.iter().filter(|mover| is_reached(&found, mover)).count();
    tell(&found, &terminal);
    terminal.print(&verdict(accounts, reached, blockers(&found)));
    let exit = if blockers(&found) > 0 { Exit::Stuck } else { Exit::Done };
    for checked in &found {
        let (side, account) = (checked.side.name(), checked.account.as_deref());
        terminal.tell("checked", &Line { side, account, findings: &checked.access.findings });
    }
    let figures = Summary { accounts, reached, unreached: accounts - reached, unknown, blockers: blockers(&found) };
    terminal.summary("check", &figures);
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
    /// Entered at both sides, whatever else blocks them.
    reached: usize,
    unreached: usize,
    /// Those of them whom the tenant does not know.
    unknown: usize,
    blockers: usize,
}

fn blockers(found: &[Checked]) -> usize {
    let findings = found.iter().flat_map(|checked| &checked.access.findings);
    findings.filter(|finding| finding.severity == Severity::Blocker).count()
}

fn is_reached(found: &[Checked], mover: &Mover) -> bool {
    let at = |side: Side, account: &str| {
        let of_it = |checked: &&Checked| checked.side == side && checked.account.as_deref() == Some(account);
        found.iter().filter(of_it).any(|checked| checked.reached)
    };
    at(Side::Source, mover.address()) && at(Side::Target, mover.target.as_str())
}

fn tell(found: &[Checked], terminal: &Terminal) {
    let each = found.iter().flat_map(|checked| {
        let about = checked.account.as_deref().unwrap_or("everybody");
        checked.access.findings.iter().map(move |finding| (about, (checked.side.name(), finding)))
    });
    let by_fix = said_once(each).into_iter().map(|(accounts, (side, finding))| {
        ((accounts, side, finding.severity, finding.fix.as_str()), finding.sentence.as_str())
    });
    for ((accounts, side, severity, fix), said) in together(by_fix) {
        let text = text(&accounts, side, severity, &said, fix);
        match severity {
            Severity::Note => terminal.show(&text),
            Severity::Warning | Severity::Blocker => terminal.print(&text),
        }
    }
}

fn verdict(movers: usize, reached: usize, blockers: usize) -> String {
    let accounts = count(movers as u64, "account");
    let done = match (reached, movers - reached) {
        (_, 0) => format!("{accounts} checked on both sides"),
        (0, _) => format!("{accounts}, none of them reached on both sides"),
        (some, missed) => format!("{accounts}: {some} reached on both sides, {missed} not"),
    };
    match blockers {
        0 => format!("{done}; ready: nothing blocks."),
        some => format!("{done}; {} to mend first.", count(some as u64, "blocker")),
    }
}

/// What was found of the same accounts, the fix that mends all of it, and whom it meets.
fn text(accounts: &[&str], side: &str, severity: Severity, said: &[&str], fix: &str) -> String {
    let word = match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Blocker => "BLOCKER",
    };
    let (who, names) = subject(accounts);
    let found: String = said.iter().map(|sentence| format!("{word:<8} {side:<7} {who}: {sentence}\n")).collect();
    let fix = Some(fix).filter(|fix| !fix.is_empty());
    let more = fix.into_iter().chain(names.as_deref()).map(|line| format!("{:<17}{line}\n", ""));
    found + &more.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::{Severity, text, verdict};

    #[test]
    fn what_was_not_reached_is_not_called_checked() {
        assert_eq!(verdict(6, 6, 0), "6 accounts checked on both sides; ready: nothing blocks.");
        assert_eq!(verdict(6, 4, 2), "6 accounts: 4 reached on both sides, 2 not; 2 blockers to mend first.");
        assert_eq!(verdict(6, 0, 1), "6 accounts, none of them reached on both sides; 1 blocker to mend first.");
    }

    #[test]
    fn a_fix_that_mends_several_is_said_once() {
        let told = text(&["ada"], "target", Severity::Blocker, &["it holds events", "it holds tasks"], "Empty it.");
        let (first, second) = ("BLOCKER  target  ada: it holds events\n", "BLOCKER  target  ada: it holds tasks\n");
        assert_eq!(told, format!("{first}{second}                 Empty it.\n"));
        let noted = text(&["ada", "bob"], "source", Severity::Note, &["all is well"], "");
        assert_eq!(noted, "note     source  2 accounts: all is well\n                 ada, bob\n");
    }
}
