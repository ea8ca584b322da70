//! No event is pushed to a server that could mail the people in it before that server was seen to keep quiet.

use super::{Checked, Engine, Mover};
use crate::store::{Project, Side};
use transhume_contract::{Access, AccountId, Fault, Finding, Reach, Severity, UNVERSIONED, What, Workload};

impl Engine {
    /// Refuses to push calendars by a way that nobody has proven yet.
    pub(super) async fn heed_canary(&self, workload: Workload, login: &AccountId) -> Result<(), Fault> {
        let Some(canary) = self.target(workload)?.canary().filter(|_| workload == Workload::Calendar) else {
            return Ok(());
        };
        match self.stop.unless(canary.method(login)).await? {
            Some(method) if !self.proven.contains(&self.proof(&method)?) && !self.rehearsing => Err(unproven(&method)),
            Some(_) | None => Ok(()),
        }
    }

    /// What is written down: a way, and the server on which it was seen to work.
    fn proof(&self, method: &str) -> Result<String, Fault> {
        Ok(format!("{}: {method}", self.target(Workload::Calendar)?.identity().place))
    }

    /// Moves a trial meeting between two of the accounts, where the server could mail people, and writes down that it
    /// did not. `outside` is invited too: an address elsewhere, whose mailbox a person looks into.
    pub async fn prove(
        &self,
        project: &Project,
        movers: &[Mover],
        outside: Option<&str>,
    ) -> Result<Option<Checked>, Fault> {
        let Some(canary) = self.targets.get(&Workload::Calendar).and_then(|target| target.canary()) else {
            return Ok(None);
        };
        let Some((from, others)) = movers.split_first() else { return Ok(Some(checked(alone()))) };
        let Some(method) = self.stop.unless(canary.method(&from.target)).await? else {
            return Ok(Some(checked(note(
                "this server sends no invitations, whatever stands in an event; there is nothing to prove",
            ))));
        };
        let Some(to) = others.first() else { return Ok(Some(checked(alone()))) };
        let access = match self.stop.unless(canary.prove(&from.target, &to.target, outside)).await {
            Ok(unseen) => {
                project.record_proof(&self.proof(&method)?).await?;
                let (from, to) = (from.target.as_str(), to.target.as_str());
                let mut access = note(&format!("a trial meeting from {from} to {to} reached nobody ({method})"));
                access.findings.extend(unseen);
                access
            }
            Err(fault) => super::check::found(Err(fault))?,
        };
        Ok(Some(checked(access)))
    }
}

const fn checked(access: Access) -> Checked {
    Checked { side: Side::Target, account: None, access, reached: true }
}

fn note(sentence: &str) -> Access {
    found(Severity::Note, sentence, "")
}

fn alone() -> Access {
    found(
        Severity::Blocker,
        "a trial meeting needs two accounts, and only one was named",
        "Name two of the accounts, e.g. with --account, or leave the choice out.",
    )
}

fn found(severity: Severity, sentence: &str, fix: &str) -> Access {
    let finding = Finding { severity, code: "canary".into(), sentence: sentence.into(), fix: fix.into() };
    Access { findings: vec![finding], quota: None }
}

/// What is said where the proof is missing.
pub(super) const UNPROVEN: &str = "nobody has proven yet that this server mails nobody when meetings are moved";

fn unproven(method: &str) -> Fault {
    let sentence = format!("{UNPROVEN} ({method})");
    let step = match method.contains(UNVERSIONED) {
        true => {
            "Run `transhume check --canary`: it moves a trial meeting between two of the accounts and looks. This server tells \
             no version, so that what was seen of it counts for 24 hours."
        }
        false => "Run `transhume check --canary` once: it moves a trial meeting between two of the accounts and looks.",
    };
    // Everything else of the account moves.
    Fault::new(What::Unsupported, sentence).reaching(Reach::Account).ask(step)
}
