//! Whether both sides can be worked with, account by account. Logins are tried one at a time and stop after three
//! refusals: ten lock everybody out of some servers.

use super::{Engine, Mover, release::opened};
use crate::store::{Begun, Project, Side};
use std::sync::Arc;
use transhume_contract::{Access, AccountId, Fault, Finding, Presence, Reach, Severity, Target, What, Workload};

/// Refused logins after which no further one is tried.
pub(super) const REFUSALS: usize = 3;

/// What was found about a side, or one account of it.
#[derive(Clone, Debug)]
pub struct Checked {
    pub side: Side,
    /// The address or login; `None` for the side itself.
    pub account: Option<String>,
    pub access: Access,
    /// It could be talked to. Without it nothing is known but why; with it, something else may still block.
    pub reached: bool,
}

impl Engine {
    /// Checks both sides and every mover. What is wrong is found, not failed; a fault means the check could not go on.
    pub async fn check(&self, project: &Project, movers: &[Mover]) -> Result<Vec<Checked>, Fault> {
        let mut found = vec![self.check_source(project).await?];
        found.extend(self.check_targets(project).await?);
        let blocked = |side: Side, found: &[Checked]| {
            let worst =
                found.iter().filter(|checked| checked.side == side).filter_map(|checked| checked.access.worst());
            worst.max() == Some(Severity::Blocker)
        };
        let (source_blocked, target_blocked) = (blocked(Side::Source, &found), blocked(Side::Target, &found));
        let mut refusals = 0;
        for mover in movers {
            self.stop.check()?;
            if !source_blocked {
                found.push(self.check_mover_at_source(project, mover).await?);
            }
            if !target_blocked && refusals < REFUSALS {
                let checked = self.check_mover_at_target(project, mover).await?;
                refusals += usize::from(refused(&checked.access));
                found.push(checked);
            }
        }
        if refusals >= REFUSALS {
            found.push(gave_up());
        }
        Ok(found)
    }

    async fn check_source(&self, project: &Project) -> Result<Checked, Fault> {
        let access = found(self.stop.unless(self.source.check(None)).await)?;
        project.record_findings(Side::Source, None, access.findings.clone()).await?;
        Ok(Checked { side: Side::Source, account: None, reached: is_open(&access), access })
    }

    async fn check_targets(&self, project: &Project) -> Result<Vec<Checked>, Fault> {
        let mut all = Vec::new();
        for target in self.distinct_targets() {
            let mut access = found(self.stop.unless(target.check(None)).await)?;
            access.findings.extend(self.not_there_yet(project, target).await?);
            project.record_findings(Side::Target, None, access.findings.clone()).await?;
            all.push(Checked { side: Side::Target, account: None, reached: is_open(&access), access });
        }
        if let Err(fault) = self.heed_vanished_targets(project, false).await {
            all.push(Checked { side: Side::Target, account: None, reached: false, access: found(Err(fault))? });
        }
        Ok(all)
    }

    /// A place that the first push will make may also be a mistyped one.
    async fn not_there_yet(&self, project: &Project, target: &Arc<dyn Target>) -> Result<Vec<Finding>, Fault> {
        let mut findings: Vec<Finding> = Vec::new();
        for (&workload, _) in self.targets.iter().filter(|(_, one)| Arc::ptr_eq(one, target)) {
            // Why it cannot be told is told with what vanished.
            let Ok(Some(place)) = self.stop.unless(target.not_there(None, workload)).await else { continue };
            if project.has_begun(workload).await? != Begun::Yes {
                let items = workload.item();
                let sentence = format!("{place} holds no {items}s of this project yet: the first push begins there");
                let (severity, code) = (Severity::Note, "not_there_yet".into());
                findings.push(Finding { severity, code, sentence, fix: String::new() });
            }
        }
        Ok(findings)
    }

    async fn check_mover_at_source(&self, project: &Project, mover: &Mover) -> Result<Checked, Fault> {
        let account = &mover.row.account;
        let mut access = found(self.stop.unless(self.source.check(Some(account))).await)?;
        let reached = is_open(&access);
        if reached {
            access.findings.extend(self.workloads().filter_map(|workload| absence(mover, workload)));
        }
        project.record_findings(Side::Source, Some(&account.id), access.findings.clone()).await?;
        Ok(Checked { side: Side::Source, account: Some(account.address.clone()), access, reached })
    }

    async fn what_stood_before(&self, project: &Project, mover: &Mover) -> Result<Vec<Finding>, Fault> {
        let store = if project.has_store(&mover.row).await { opened(project, mover).await? } else { None };
        let mut findings = Vec::new();
        for workload in self.workloads() {
            let looked = async {
                if let Some(store) = &store {
                    self.heed_vanished(store, &mover.target, workload, false).await?;
                }
                self.before(store.as_ref(), &mover.target, workload).await
            };
            match looked.await {
                Ok(before) => findings.extend(before.map(|before| before.finding(self.policy.existing))),
                Err(fault) => findings.extend(found(Err(fault))?.findings),
            }
        }
        Ok(findings)
    }

    pub(super) async fn check_mover_at_target(&self, project: &Project, mover: &Mover) -> Result<Checked, Fault> {
        let mut access = Access::default();
        for target in self.distinct_targets() {
            let found = found(self.stop.unless(target.check(Some(&mover.target))).await)?;
            access.findings.extend(found.findings);
            access.quota = access.quota.or(found.quota);
        }
        let reached = is_open(&access);
        if reached {
            access.findings.extend(self.what_stood_before(project, mover).await?);
        }
        project
            .record_findings(Side::Target, Some(&AccountId::new(mover.target.as_str())), access.findings.clone())
            .await?;
        Ok(Checked { side: Side::Target, account: Some(mover.target.as_str().to_owned()), access, reached })
    }
}

/// A fault that a person can mend is a finding; only what says nothing about the side stays a fault.
pub(super) fn found(checked: Result<Access, Fault>) -> Result<Access, Fault> {
    let fault = match checked {
        Ok(access) => return Ok(access),
        Err(fault) if matches!(fault.what, What::Interrupted | What::StoreBroken) => return Err(fault),
        Err(fault) => fault,
    };
    let severity = if fault.reach >= Reach::Account { Severity::Blocker } else { Severity::Warning };
    let fix = fault.next_step().unwrap_or("Run `transhume check` again.").to_owned();
    let finding = Finding { severity, code: fault.what.name().into(), sentence: fault.sentence, fix };
    Ok(Access { findings: vec![finding], quota: None })
}

/// What discovery already knows of an account that cannot move.
fn absence(mover: &Mover, workload: Workload) -> Option<Finding> {
    let known = mover.row.account.workloads.iter().find(|(known, _, _)| *known == workload)?;
    let (code, why, fix) = match &known.1 {
        Presence::Present => return None,
        Presence::Absent(why) => ("absent", why, "Remove the line from accounts.csv, or give the account a licence."),
        Presence::Denied(why) => ("denied", why, "Let the application read this mailbox (permission, or its scope)."),
    };
    Some(Finding {
        severity: Severity::Blocker,
        code: code.into(),
        sentence: format!("{} has no {workload} that can be read: {why}", mover.address()),
        fix: fix.into(),
    })
}

/// What a side itself says of an account blocks only where it could not be entered.
fn is_open(access: &Access) -> bool {
    access.worst() != Some(Severity::Blocker)
}

pub(super) fn refused(access: &Access) -> bool {
    access
        .findings
        .iter()
        .any(|finding| [Finding::LOGIN_REFUSED, What::Unauthenticated.name()].contains(&finding.code.as_str()))
}

fn gave_up() -> Checked {
    let finding = Finding {
        severity: Severity::Blocker,
        code: "logins_stopped".into(),
        sentence: format!(
            "{REFUSALS} logins were refused; no further one was tried, so that the server locks nobody out"
        ),
        fix: "Correct the logins in accounts.csv or the passwords, then check again.".into(),
    };
    Checked {
        side: Side::Target,
        account: None,
        access: Access { findings: vec![finding], quota: None },
        reached: false,
    }
}
