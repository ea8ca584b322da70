//! Usage reports: a redirect to a pre-signed CSV on another origin (Microsoft Graph docs: getMailboxUsageDetail,
//! getOneDriveUsageAccountDetail, getSharePointSiteUsageDetail).

use http::StatusCode;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::access::{READ_REPORT_SETTINGS, READ_REPORTS};
use super::{Answer, Scene, usage};
use crate::downloads;
use crate::tenant::{Mailbox, User};
use crate::wire::{Payload, Refusal, Reply};
use crate::world::World;

#[rustfmt::skip]
const COLUMNS: &[&str] = &[
    "Report Refresh Date", "User Principal Name", "Display Name", "Is Deleted", "Deleted Date", "Created Date",
    "Last Activity Date", "Item Count", "Storage Used (Byte)", "Issue Warning Quota (Byte)",
    "Prohibit Send Quota (Byte)", "Prohibit Send/Receive Quota (Byte)", "Deleted Item Count",
    "Deleted Item Size (Byte)", "Deleted Item Quota (Byte)", "Has Archive", "Report Period",
];
/// What the documented sample leaves out although the documented list names it.
const MISSING_FROM_SAMPLE: &[&str] = &["Deleted Item Quota (Byte)", "Has Archive"];
const QUOTA: u64 = 50 << 30;

pub(super) fn settings(scene: &Scene<'_>) -> Answer {
    scene.need_directory(READ_REPORT_SETTINGS)?;
    let concealed = scene.world.knobs().switches.concealed_names;
    let context = scene.call.context("admin/reportSettings/$entity");
    Ok(Reply::json(json!({"@odata.context": context, "displayConcealedNames": concealed})))
}

pub(super) fn answer(scene: &Scene<'_>, rest: &[&str]) -> Answer {
    scene.need_directory(READ_REPORTS)?;
    let [name, ..] = rest else { return Err(Refusal::no_such_segment("reports")) };
    let (function, argument) = call(name, rest.get(1).copied());
    let of_files = ["getOneDriveUsageAccountDetail", "getSharePointSiteUsageDetail"].contains(&function);
    if function != MAILBOXES && !of_files {
        return Err(Refusal::not_simulated(function));
    }
    let day = argument.filter(|day| of_files && day.parse::<jiff::civil::Date>().is_ok());
    let period = argument.filter(|period| ["D7", "D30", "D90", "D180"].contains(period)).or(day.map(|_| "D7"));
    let period = period.ok_or_else(|| {
        Refusal::new(400, "InvalidArgument", "Invalid period value specified. Valid values are: D7, D30, D90, D180.")
    })?;
    within_limits(scene, function)?;
    let location = downloads::address(scene, function, period);
    Ok(Reply::of(StatusCode::FOUND, Payload::Empty).with("location", &location))
}

/// `f(period='D7')` and `f(date=2026-06-30)` arrive as one segment; as `f('D7')` it would arrive as two.
fn call<'a>(segment: &'a str, key: Option<&'a str>) -> (&'a str, Option<&'a str>) {
    let with_period = || segment.split_once("(period='").map(|(function, rest)| (function, rest.strip_suffix("')")));
    let with_date = || segment.split_once("(date=").map(|(function, rest)| (function, rest.strip_suffix(')')));
    with_period().or_else(with_date).unwrap_or((segment, key))
}

const MAILBOXES: &str = "getMailboxUsageDetail";

/// The CSV of a report.
pub(crate) fn csv(world: &World, report: &str, period: &str) -> String {
    match report {
        "getOneDriveUsageAccountDetail" => usage::of_people(world, period),
        "getSharePointSiteUsageDetail" => usage::of_sites(world, period),
        _ => mailbox_usage(world, period),
    }
}

fn within_limits(scene: &Scene<'_>, report: &str) -> Result<(), Refusal> {
    let key = (scene.caller.app.clone(), report.to_owned());
    match scene.world.pace.tick(&key, scene.world.knobs().limits.reports) {
        None => Ok(()),
        Some(seconds) => {
            let refusal = Refusal::new(429, "TooManyRequests", "Too many requests for this report.");
            Err(refusal.with("retry-after", seconds.ceil().to_string()))
        }
    }
}

/// The CSV, with the byte order mark it comes with.
fn mailbox_usage(world: &World, period: &str) -> String {
    let switches = &world.knobs().switches;
    let shown = |column: &&str| !(switches.short_reports && MISSING_FROM_SAMPLE.contains(column));
    let kept: Vec<usize> = (0..COLUMNS.len()).filter(|at| shown(&COLUMNS[*at])).collect();
    let mut csv = String::from("\u{feff}");
    let mut line = |cells: &[String]| {
        let cells: Vec<&str> = kept.iter().map(|at| cells[*at].as_str()).collect();
        csv.push_str(&cells.join(","));
        csv.push_str("\r\n");
    };
    line(&COLUMNS.iter().map(ToString::to_string).collect::<Vec<String>>());
    for (user, mailbox) in world.tenant.mailboxes() {
        line(&cells(world, user, &mailbox.read(), period));
    }
    csv
}

fn cells(world: &World, user: &User, mailbox: &Mailbox, period: &str) -> Vec<String> {
    let refreshed = world.now().strftime("%Y-%m-%d").to_string();
    let deleted = mailbox.folder_named("recoverableitemsdeletions").map(|at| mailbox.folder(at));
    let deleted_items = deleted.map_or(0, |folder| folder.listing.len());
    let deleted_bytes = deleted.map_or(0, |folder| folder.bytes);
    let (items, bytes) = totals(mailbox);
    let number = |value: u64| value.to_string();
    vec![
        refreshed.clone(),
        concealed(world, &user.upn),
        concealed(world, user.resource["displayName"].as_str().unwrap_or_default()),
        "False".to_owned(),
        String::new(),
        "2019-01-01".to_owned(),
        refreshed,
        (items - deleted_items).to_string(),
        number(bytes - deleted_bytes),
        number(QUOTA / 100 * 98),
        number(QUOTA / 100 * 99),
        number(QUOTA),
        deleted_items.to_string(),
        number(deleted_bytes),
        number(30 << 30),
        if user.notes["archive"].as_bool().unwrap_or_default() { "True" } else { "False" }.to_owned(),
        period.trim_start_matches('D').to_owned(),
    ]
}

/// Items and bytes of all folders that hold any themselves.
fn totals(mailbox: &Mailbox) -> (usize, u64) {
    let own = mailbox.living_folders().filter(|(_, folder)| !folder.is_search());
    own.fold((0, 0), |(items, bytes), (_, folder)| (items + folder.listing.len(), bytes + folder.bytes))
}

pub(super) fn concealed(world: &World, name: &str) -> String {
    if !world.knobs().switches.concealed_names {
        return quoted(name);
    }
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02X}")).collect()
}

pub(super) fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
