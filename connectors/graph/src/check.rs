//! What `check` finds: permissions, the clock, and whether one mailbox opens.

use crate::{
    account::Discovery,
    faults::Asked,
    reach::{self, granted},
    service::Service,
    usage::Missing,
    wire::{Page, User},
};
use secrecy::ExposeSecret;
use transhume_contract::{Access, Account, Fault, Finding, Presence, Remedy, Severity, What, Workload};

/// Beyond this, signed assertions and tokens begin to be refused.
const SKEW: i64 = 120;
const TASKS: &str = "Tasks.Read.All";
/// How many mailboxes are tried where the tenant gave no permission for all of them.
const TRIED: usize = 5;

/// A permission, the wider ones that contain it, and what goes missing without it.
struct Needed {
    permission: &'static str,
    or: &'static [&'static str],
    severity: Severity,
    without: &'static str,
}

/// Graph docs: permissions reference; the least privileged first.
static NEEDED: &[Needed] = &[
    Needed {
        permission: "User.Read.All",
        or: &["User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"],
        severity: Severity::Blocker,
        without: "the accounts of the tenant cannot be listed",
    },
    Needed {
        permission: "Mail.Read",
        or: &["Mail.ReadWrite"],
        severity: Severity::Blocker,
        without: "no mailbox can be read",
    },
    Needed {
        permission: "MailboxSettings.Read",
        or: &["MailboxSettings.ReadWrite"],
        severity: Severity::Warning,
        without: "shared, room and equipment mailboxes cannot be told apart, and rules and automatic replies are not captured",
    },
    Needed {
        permission: "Reports.Read.All",
        or: &[],
        severity: Severity::Warning,
        without: "sizes are unknown before listing, and in-place archives go unnoticed",
    },
    Needed {
        permission: "Calendars.Read",
        or: &["Calendars.ReadWrite"],
        severity: Severity::Note,
        without: "calendars cannot be read, and who may act for whom (delegates of a mailbox's calendar) is not captured",
    },
    Needed {
        permission: "Contacts.Read",
        or: &["Contacts.ReadWrite"],
        severity: Severity::Note,
        without: "contacts cannot be read",
    },
    Needed {
        permission: TASKS,
        or: &["Tasks.ReadWrite.All"],
        severity: Severity::Note,
        without: "the tasks of Microsoft To Do cannot be read",
    },
    Needed {
        permission: "Group.Read.All",
        or: &["Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"],
        severity: Severity::Note,
        without: "group conversations, which no later step can rescue, are not counted",
    },
];

fn finding(severity: Severity, code: &str, sentence: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding { severity, code: code.into(), sentence: sentence.into(), fix: fix.into() }
}

/// Checks the tenant.
pub async fn tenant(service: &Service, discovery: &Discovery<'_>) -> Result<Access, Fault> {
    let mut access = Access::default();
    let token = match service.tokens.bearer().await {
        Ok(bearer) => bearer.token,
        Err(fault) => return refused(fault),
    };
    let granted = granted(token.expose_secret());
    access.findings.extend(directory(service).await?);
    access.findings.extend(clock(service));
    let Some(granted) = granted else { return Ok(access) };
    for missing in missing(&granted) {
        access.findings.push(described(service, discovery, missing, &granted).await?);
    }
    access.findings.extend(todo(service, &granted).await?);
    access.findings.extend(report(service, discovery, &granted).await?);
    Ok(access)
}

/// A refused sign-in is a finding; a service that cannot be reached means that nothing was checked.
fn refused(fault: Fault) -> Result<Access, Fault> {
    if fault.what != What::Unauthenticated {
        return Err(fault);
    }
    let fix = fault.next_step().unwrap_or("check tenant, client id and secret or certificate").to_owned();
    let finding = finding(Severity::Blocker, "sign_in_refused", fault.sentence, fix);
    Ok(Access { findings: vec![finding], quota: None })
}

fn missing(granted: &[String]) -> Vec<&'static Needed> {
    let has = |name: &str| granted.iter().any(|own| own.eq_ignore_ascii_case(name));
    NEEDED.iter().filter(|needed| !has(needed.permission) && !needed.or.iter().any(|wider| has(wider))).collect()
}

async fn described(
    service: &Service,
    discovery: &Discovery<'_>,
    needed: &Needed,
    granted: &[String],
) -> Result<Finding, Fault> {
    let permission = needed.permission;
    let fix = format!("add the application permission {permission} in Entra (API permissions) and grant admin consent");
    if permission == "Mail.Read" && opens_some(service, discovery, granted).await? {
        let sentence =
            "the application reads only the mailboxes that Exchange grants it one by one (no Mail.Read in Entra)";
        return Ok(finding(Severity::Note, "scoped_mailboxes", sentence, ""));
    }
    let sentence = format!("the permission {permission} is missing: {}", needed.without);
    Ok(finding(needed.severity, "missing_permission", sentence, fix))
}

/// With RBAC for Applications the token carries no mail role, and mailboxes in its scope open nevertheless.
async fn opens_some(service: &Service, discovery: &Discovery<'_>, granted: &[String]) -> Result<bool, Fault> {
    if missing(granted).iter().any(|needed| needed.permission == "User.Read.All") {
        return Ok(false);
    }
    for user in some_users(service).await? {
        if discovery.probe(&user.id).await? == Presence::Present {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn some_users(service: &Service) -> Result<Vec<User>, Fault> {
    let url = service.endpoint.at("/users?$select=id&$top=100");
    let mut page: Page = service.json(service.endpoint.directory(url), Asked::Directory, "the list of users").await?;
    let mut users = page.rows::<User>("the list of users")?;
    users.truncate(TRIED);
    Ok(users)
}

/// Whether To Do serves applications is documented both ways: with the permission, a few mailboxes are asked.
async fn todo(service: &Service, granted: &[String]) -> Result<Option<Finding>, Fault> {
    let lacking = |name: &str| missing(granted).iter().any(|needed| needed.permission == name);
    if lacking(TASKS) || lacking("User.Read.All") {
        return Ok(None);
    }
    let mut denied = None;
    for user in some_users(service).await? {
        match reach::tasks(service, &user.id).await? {
            Presence::Present => return Ok(None),
            Presence::Denied(sentence) => denied = Some(sentence),
            Presence::Absent(_) => {}
        }
    }
    let fix = "leave tasks out, or move them by signing in as each person (device sign-in)";
    let told =
        |sentence| format!("Microsoft To Do does not open to this application although it has {TASKS}: {sentence}");
    Ok(denied.map(|sentence| finding(Severity::Note, "todo_denied", told(sentence), fix)))
}

/// Asks the directory for one row: proves the token, the cloud and the address.
async fn directory(service: &Service) -> Result<Option<Finding>, Fault> {
    let url = service.endpoint.at("/users?$select=id&$top=1");
    match service.whole(service.endpoint.directory(url), Asked::Directory, "the list of users").await {
        Ok(_) => Ok(None),
        Err(fault) => match (&fault.remedy, fault.what) {
            // Named by its permission already.
            (_, What::Forbidden) if fault.code.as_deref() == Some("Authorization_RequestDenied") => Ok(None),
            (Remedy::Ask(fix), _) => {
                let fix = fix.clone();
                Ok(Some(finding(Severity::Blocker, "directory_refused", fault.sentence, fix)))
            }
            _ => Err(fault),
        },
    }
}

fn clock(service: &Service) -> Option<Finding> {
    let skew = service.road.clock_skew().filter(|seconds| seconds.abs() > SKEW)?;
    let side = if skew > 0 { "behind" } else { "ahead of" };
    let sentence = format!("this machine's clock is {} seconds {side} the service's", skew.abs());
    Some(finding(
        Severity::Warning,
        "clock_skew",
        sentence,
        "set the clock right (NTP): sign-ins will be refused otherwise",
    ))
}

async fn report(service: &Service, discovery: &Discovery<'_>, granted: &[String]) -> Result<Option<Finding>, Fault> {
    if missing(granted).iter().any(|needed| needed.permission == "Reports.Read.All") {
        return Ok(None);
    }
    let report = discovery.usage.report(service).await?;
    if let Some(missing) = &report.missing {
        let why = match missing {
            Missing::Refused(code) => format!("there is no mailbox usage report ({code})"),
            Missing::NotNow(why) => format!("the mailbox usage report is not available now ({why})"),
        };
        let sentence = format!("{why}: sizes are unknown before listing, and in-place archives go unnoticed");
        return Ok(Some(finding(Severity::Note, "no_usage_report", sentence, "")));
    }
    let fix = "turn off \"Display concealed user, group, and site names in all reports\" in the admin center \
               (Settings, Org settings, Reports)";
    let sentence = "the tenant conceals names in its reports: sizes and in-place archives are unknown";
    Ok(report.concealed.then(|| finding(Severity::Warning, "concealed_names", sentence, fix)))
}

/// Checks one mailbox.
pub async fn account(service: &Service, discovery: &Discovery<'_>, account: &Account) -> Result<Access, Fault> {
    let mut access = Access::default();
    match discovery.probe(account.id.as_str()).await {
        Ok(Presence::Present) => access.findings.extend(workload_denied(account)),
        Ok(Presence::Absent(reason)) => {
            let sentence = format!("{} has {reason}", account.address);
            let fix = "leave this account out, or give it a mailbox";
            access.findings.push(finding(Severity::Blocker, "no_mailbox", sentence, fix));
        }
        Ok(Presence::Denied(sentence)) => {
            let fix = "grant Mail.Read, or add this mailbox to the application's scope in Exchange; a change takes up to two hours";
            access.findings.push(finding(
                Severity::Blocker,
                "mailbox_denied",
                format!("{}: {sentence}", account.address),
                fix,
            ));
        }
        Err(fault) if fault.what == What::Unauthenticated => return refused(fault),
        Err(fault) => return Err(fault),
    }
    let mut addresses = vec![account.address.clone()];
    addresses.extend(account.aliases.iter().cloned());
    if let Some(row) = discovery.usage.of(service, &addresses).await? {
        access.quota = row.quota.zip(row.bytes).map(|(total, used)| (total.saturating_sub(used), total));
    }
    Ok(access)
}

/// The mailbox opens now, and did not when it was discovered: policies take time to be seen.
fn workload_denied(account: &Account) -> Option<Finding> {
    let stale = account.workloads.iter().any(|(workload, presence, _)| {
        *workload == Workload::Mail && matches!(presence, Presence::Denied(_) | Presence::Absent(_))
    });
    let sentence = format!("{} can be read now, and could not when it was discovered", account.address);
    stale.then(|| finding(Severity::Note, "newly_reachable", sentence, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_permission_contains_the_one_needed() {
        let has = |names: &[&str]| -> Vec<&str> {
            let granted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            missing(&granted).iter().map(|needed| needed.permission).collect()
        };
        assert_eq!(
            has(&["mail.readwrite", "Directory.Read.All", "MailboxSettings.Read", "Reports.Read.All"]),
            ["Calendars.Read", "Contacts.Read", "Tasks.Read.All"]
        );
        assert_eq!(has(&["Mail.ReadBasic.All", "Calendars.ReadBasic.All", "Contacts.ReadWrite"]).len(), 7);
    }
}
