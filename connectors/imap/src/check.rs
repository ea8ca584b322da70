//! What `check` finds: whether the login works, what the server lacks and what that costs, and how full it is.

use crate::link::Link;
use async_imap::imap_proto::{Response, rfc2087::QuotaResourceName};
use transhume_contract::{Access, Fault, Finding, Severity, What};

/// Capabilities we use, and what a server without them costs.
const WANTED: &[(&str, &str, &str)] = &[
    ("MULTIAPPEND", "no_multiappend", "messages are sent one command each, several times slower"),
    (
        "UIDPLUS",
        "no_uidplus",
        "where a message was put is found by reading the mailbox, and withdrawing only marks it as deleted",
    ),
    ("LITERAL+", "no_literal_plus", "every message waits for the server's word before it is sent"),
    ("MOVE", "no_move", "moved messages are copied and the old copy removed"),
    ("SPECIAL-USE", "no_special_use", "Sent, Drafts, Trash, Junk and Archive are recognised by their usual names only"),
];

/// A fault met while checking is what the check found.
pub fn finding(fault: &Fault) -> Finding {
    let fix = fault.next_step().unwrap_or("Run the check again in a while.").to_owned();
    Finding { severity: Severity::Blocker, code: code(fault).to_owned(), sentence: fault.sentence.clone(), fix }
}

fn code(fault: &Fault) -> &'static str {
    match fault.what {
        What::Unauthenticated => Finding::LOGIN_REFUSED,
        What::Untrusted => "tls",
        What::Unreachable => "unreachable",
        What::Throttled => "connection_limit",
        other => other.name(),
    }
}

fn note(code: &str, sentence: String) -> Finding {
    Finding { severity: Severity::Note, code: code.to_owned(), sentence, fix: String::new() }
}

/// What the greeting alone tells.
pub fn of_greeting(place: &str, protected: bool) -> Access {
    let mut access = Access::default();
    if !protected {
        access.findings.push(Finding {
            severity: Severity::Warning,
            code: "plain".to_owned(),
            sentence: format!("The connection to {place} is not encrypted."),
            fix: "Use `security = \"tls\"` or \"starttls\" unless the server is on this machine.".to_owned(),
        });
    }
    access
}

/// What a logged-in connection tells.
pub async fn of_account(link: &mut Link) -> Result<Access, Fault> {
    let mut access = Access { findings: missing(link), quota: quota(link).await? };
    if let Some((free, total)) = access.quota
        && free < total / 20
    {
        access.findings.push(Finding {
            severity: Severity::Warning,
            code: "quota".to_owned(),
            sentence: format!("Only {free} of {total} bytes of the quota are free."),
            fix: "Raise the account's quota on the mail server before moving mail into it.".to_owned(),
        });
    }
    Ok(access)
}

fn missing(link: &Link) -> Vec<Finding> {
    let lacking = WANTED.iter().filter(|(capability, _, _)| !link.can(capability));
    lacking
        .map(|(capability, code, cost)| note(code, format!("The server does not offer {capability}: {cost}.")))
        .collect()
}

/// Free and total bytes of INBOX's quota root (RFC 2087, in units of 1,024 bytes).
async fn quota(link: &mut Link) -> Result<Option<(u64, u64)>, Fault> {
    if !link.can("QUOTA") {
        return Ok(None);
    }
    let mut found = None;
    link.ask("GETQUOTAROOT \"INBOX\"", |response| {
        if let Response::Quota(quota) = response {
            let storage = quota.resources.iter().find(|resource| resource.name == QuotaResourceName::Storage);
            found = found
                .or(storage.map(|storage| (storage.limit.saturating_sub(storage.usage) << 10, storage.limit << 10)));
        }
    })
    .await?;
    Ok(found)
}
