//! What `check` finds: whether the login works, which server it is and what that costs.

use crate::{account::Link, answer::Answer, ask, collections::Shelf, homes::Home, server::Kind, xml::Space};
use transhume_contract::{Access, Fault, Finding, Scheduling, Severity, What, Workload};

/// A fault met while checking is what the check found.
pub fn finding(fault: &Fault) -> Finding {
    let fix = fault.next_step().unwrap_or("Run the check again in a while.").to_owned();
    let code = match fault.what {
        What::Unauthenticated => Finding::LOGIN_REFUSED,
        What::Untrusted => "tls",
        What::Unreachable => "unreachable",
        What::Throttled => "throttled",
        other => other.name(),
    };
    Finding { severity: Severity::Blocker, code: code.to_owned(), sentence: fault.sentence.clone(), fix }
}

fn note(code: &str, sentence: String) -> Finding {
    Finding { severity: Severity::Note, code: code.to_owned(), sentence, fix: String::new() }
}

fn warning(code: &str, sentence: String, fix: &str) -> Finding {
    Finding { severity: Severity::Warning, code: code.to_owned(), sentence, fix: fix.to_owned() }
}

/// What an answer to somebody unknown tells.
pub fn of_greeting(place: &str, answer: &Answer) -> Access {
    let mut access = Access::default();
    if answer.status >= 500 {
        access.findings.push(warning(
            "unreachable",
            format!("{place} answers with status {}.", answer.status),
            "Look into the server's log, then run the check again.",
        ));
    }
    access
}

/// What an account's own answers tell.
pub async fn of_account(link: &Link, home: &Home) -> Result<Access, Fault> {
    let mut access = Access::default();
    access.findings.push(note("server", known_as(home)));
    access.findings.extend(scheduling(home));
    for workload in [Workload::Calendar, Workload::Contacts] {
        match home.of(workload) {
            None => access.findings.push(missing(&link.place(), workload)),
            Some(_) => access.findings.extend(read_only(link, home, workload).await?),
        }
    }
    access.quota = quota(link, home).await?;
    Ok(access)
}

fn known_as(home: &Home) -> String {
    let version = home.server.version.as_ref().map(|version| format!(" ({version})")).unwrap_or_default();
    let objects = home.objects();
    let vcard = match objects.vcard {
        transhume_contract::VCard::V3 => "3.0",
        transhume_contract::VCard::V4 => "4.0",
    };
    let limit = match objects.object_bytes {
        bytes @ 1_000_000.. => format!("{} MB", bytes / 1_000_000),
        bytes => format!("{} kB", bytes / 1000),
    };
    format!("This is {}{version}: objects up to {limit}, vCard {vcard}.", home.server.name())
}

/// What keeps it from writing to people, and what that costs.
fn scheduling(home: &Home) -> Option<Finding> {
    let name = home.server.name();
    match (home.scheduling(), home.server.kind) {
        (Scheduling::Unneeded, Kind::Nextcloud) => Some(note(
            "scheduling",
            "Meetings are moved with a request header that keeps Nextcloud silent (31 and later); `check --canary` proves it.".to_owned(),
        )),
        (Scheduling::Unneeded, Kind::Xandikos) if home.server.schedules => Some(note(
            "scheduling",
            "Xandikos writes to the people of a meeting only where it knows its organiser's e-mail address, and it knows none of this account: give it none before everything has moved.".to_owned(),
        )),
        (Scheduling::Unneeded, _) => None,
        (Scheduling::ByClient, _) => Some(note(
            "scheduling",
            format!("Meetings are moved with SCHEDULE-AGENT=CLIENT, so that {name} mails nobody, now or later; `check --canary` proves it."),
        )),
        (Scheduling::NoOrganizer, _) => Some(warning(
            "scheduling",
            format!("{name} mails the people of every meeting: meetings are moved without organiser and people."),
            "If that is too much to lose, move these calendars to another server.",
        )),
    }
}

fn missing(place: &str, workload: Workload) -> Finding {
    let what = if workload == Workload::Contacts { "address books" } else { "calendars" };
    warning(
        &format!("no_{}", what.replace(' ', "_")),
        format!("{place} shows this account no {what}."),
        "Enable them for the account on the server, if they are to be moved.",
    )
}

/// A home that nothing can be made in, where the server tells.
async fn read_only(link: &Link, home: &Home, workload: Workload) -> Result<Option<Finding>, Fault> {
    let shelf = Shelf { link, home, workload };
    shelf.list().await?;
    let path = home.of(workload).unwrap_or_default();
    let answer = link.send(&ask::properties(path, 0, "<d:current-user-privilege-set/>")).await?;
    let entries = answer.entries(link.base()).unwrap_or_default();
    let writable = entries.first().and_then(crate::collections::writable);
    Ok((writable == Some(false)).then(|| Finding {
        severity: Severity::Blocker,
        code: "read_only".to_owned(),
        sentence: format!("This account may not make {workload} collections at {}.", link.place()),
        fix: "Give the account the right to write into its own home on the server.".to_owned(),
    }))
}

/// RFC 4331. Cyrus tells 0 where there is no limit.
async fn quota(link: &Link, home: &Home) -> Result<Option<(u64, u64)>, Fault> {
    let Some(path) = home.calendars.as_deref() else { return Ok(None) };
    let ask = ask::properties(path, 0, "<d:quota-available-bytes/><d:quota-used-bytes/>");
    let entries = link.send(&ask).await?.entries(link.base()).unwrap_or_default();
    let figure = |name| entries.first()?.text(Space::Dav, name)?.parse::<u64>().ok();
    let free = figure("quota-available-bytes").filter(|free| *free > 0);
    Ok(free.map(|free| (free, free.saturating_add(figure("quota-used-bytes").unwrap_or_default()))))
}
