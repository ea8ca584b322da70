//! What belongs to the calendars of a mailbox beside their events: its zone, the colours of its categories, who may see
//! and change which calendar. Each is the provider's own JSON.
//!
//! Parts: `mailboxSettings`, `masterCategories`, `calendarGroups`, `calendars` (an array of all of them), and
//! `calendarPermissions/<n>` for the n-th of those, counted from 0; others' calendars have none.

use super::calendars;
use crate::{
    attached::{put, put_json},
    endpoint::segment,
    faults::Asked,
    json,
    mail::settings::{absent, whole},
    service::Service,
    wire,
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::HashSet;
use transhume_contract::{Account, Fault, OriginalSink, Reach, What};

const PARTS: &[(&str, &str)] =
    &[("mailboxSettings", "/mailboxSettings"), ("masterCategories", "/outlook/masterCategories")];

/// Gives the settings of one mailbox's calendars. What the service says does not exist is left out; of what it refuses
/// the part says so in place of the answer.
pub async fn settings(service: &Service, account: &Account, into: &mut dyn OriginalSink) -> Result<(), Fault> {
    for (part, path) in PARTS {
        told(service, account, (*part).to_owned(), path, into).await?;
    }
    let groups = groups(service, account).await?;
    put_json(into, "calendarGroups", json::array(groups.iter().map(Bytes::as_ref))).await?;
    let calendars = all(service, account, &groups).await?;
    put_json(into, "calendars", json::array(calendars.iter().map(Bytes::as_ref))).await?;
    for (n, calendar) in calendars.iter().enumerate() {
        permissions(service, account, n, calendar, into).await?;
    }
    Ok(())
}

async fn groups(service: &Service, account: &Account) -> Result<Vec<Bytes>, Fault> {
    let (user, path) = (account.id.as_str(), format!("/users/{}/calendarGroups", segment(account.id.as_str())));
    match service.rows_verbatim(user, &path, Asked::Mailbox, "the groups of calendars").await {
        Err(fault) if fault.what == What::Unsupported => Ok(Vec::new()),
        other => other,
    }
}

/// Every calendar once, to the byte.
async fn all(service: &Service, account: &Account, groups: &[Bytes]) -> Result<Vec<Bytes>, Fault> {
    let below = |group: &Bytes| {
        let group: wire::CalendarGroup = serde_json::from_slice(group).ok()?;
        Some(calendars::path(account, &format!("/calendarGroups/{}", segment(&group.id))))
    };
    let paths = [calendars::path(account, "")].into_iter().chain(groups.iter().filter_map(below));
    let (mut all, mut seen) = (Vec::new(), HashSet::new());
    for path in paths {
        let rows = service.rows_verbatim(account.id.as_str(), &path, Asked::Mailbox, "the list of calendars").await?;
        all.extend(rows.into_iter().filter(|row| id(row).is_some_and(|id| seen.insert(id))));
    }
    Ok(all)
}

fn id(calendar: &[u8]) -> Option<String> {
    let calendar: wire::Calendar = serde_json::from_slice(calendar).ok()?;
    Some(calendar.id)
}

/// Who may see or change a calendar.
async fn permissions(
    service: &Service,
    account: &Account,
    n: usize,
    calendar: &[u8],
    into: &mut dyn OriginalSink,
) -> Result<(), Fault> {
    let known: wire::Calendar = json::parse(calendar, "a calendar")?;
    if !calendars::is_own(account, &known) {
        return Ok(());
    }
    let path = format!("/calendars/{}/calendarPermissions", segment(&known.id));
    told(service, account, format!("calendarPermissions/{n}"), &path, into).await
}

async fn told(
    service: &Service,
    account: &Account,
    part: String,
    path: &str,
    into: &mut dyn OriginalSink,
) -> Result<(), Fault> {
    let bytes = match whole(service, &account.id, path).await {
        Ok(bytes) => bytes,
        Err(fault) if absent(&fault) => return Ok(()),
        Err(fault) if fault.what == What::Forbidden && fault.reach < Reach::Run => refused(&fault),
        Err(fault) => return Err(fault),
    };
    put(into, part, "application/json", bytes.into()).await
}

fn refused(fault: &Fault) -> Vec<u8> {
    let error: Value = json!({"code": fault.code, "message": fault.sentence});
    json!({"transhume.error": error}).to_string().into_bytes()
}
