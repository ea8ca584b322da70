//! Usage reports of drives and sites (Microsoft Graph docs: getOneDriveUsageAccountDetail, getSharePointSiteUsageDetail).

use super::reports::{concealed, quoted};
use crate::tenant::User;
use crate::tenant::sharepoint::{Drive, Owner, ROOT, Site};
use crate::world::World;

/// The CSV of the drives of people. Old ones lack the id of the site.
pub(super) fn of_people(world: &World, period: &str) -> String {
    let short = world.knobs().switches.short_reports;
    let mut lines = vec![header(short, &[], &["Owner Principal Name", "Report Period"])];
    for drive in &world.tenant.sharepoint.drives {
        let Owner::User(id) = &drive.owner else { continue };
        let Some(user) = world.tenant.user(id) else { continue };
        let url = drive.site.as_deref().and_then(|id| world.tenant.sharepoint.site(id)).map(url).unwrap_or_default();
        let about = About { site: drive.site.clone().unwrap_or_default(), url, name: name(user) };
        let last = [concealed(world, &user.upn), length(period)];
        lines.push(line(world, short, &about, &[drive], &[], &last));
    }
    csv(lines)
}

/// The CSV of sites, but those of people.
pub(super) fn of_sites(world: &World, period: &str) -> String {
    let last = ["Root Web Template", "Owner Principal Name", "Report Period"];
    let mut lines = vec![header(false, &["Page View Count", "Visited Page Count"], &last)];
    let sharepoint = &world.tenant.sharepoint;
    for site in sharepoint.sites.iter().filter(|site| site.resource["isPersonalSite"] != true) {
        let libraries: Vec<&Drive> = sharepoint.libraries(&site.id).collect();
        let title = site.resource["displayName"].as_str().unwrap_or_default().to_owned();
        let about = About { site: site.id.clone(), url: url(site), name: title };
        let last = ["Team Site".to_owned(), String::new(), length(period)];
        lines.push(line(world, false, &about, &libraries, &["0".to_owned(), "0".to_owned()], &last));
    }
    csv(lines)
}

struct About {
    site: String,
    url: String,
    name: String,
}

fn url(site: &Site) -> String {
    site.resource["webUrl"].as_str().unwrap_or_default().to_owned()
}

fn name(user: &User) -> String {
    user.resource["displayName"].as_str().unwrap_or_default().to_owned()
}

fn length(period: &str) -> String {
    period.trim_start_matches('D').to_owned()
}

fn header(short: bool, views: &[&str], last: &[&str]) -> Vec<String> {
    let site = if short { None } else { Some("Site Id") };
    let first =
        ["Site URL", "Owner Display Name", "Is Deleted", "Last Activity Date", "File Count", "Active File Count"];
    let used = ["Storage Used (Byte)", "Storage Allocated (Byte)"];
    let all = std::iter::once("Report Refresh Date").chain(site).chain(first);
    all.chain(views.iter().copied()).chain(used).chain(last.iter().copied()).map(str::to_owned).collect()
}

fn line(
    world: &World,
    short: bool,
    about: &About,
    drives: &[&Drive],
    views: &[String],
    last: &[String],
) -> Vec<String> {
    let today = world.now().strftime("%Y-%m-%d").to_string();
    let (mut files, mut bytes) = (0, 0);
    for drive in drives {
        let tree = drive.tree.read();
        files += tree.items().filter(|(_, item)| item.facets.file).count();
        bytes += tree.item(ROOT).map_or(0, |root| root.bytes);
    }
    let middle = [concealed(world, &about.url), concealed(world, &about.name), "False".to_owned(), today.clone()];
    let counts = [files.to_string(), files.to_string()];
    let mut cells = vec![today];
    cells.extend((!short).then(|| quoted(&about.site)));
    cells.extend(middle.into_iter().chain(counts).chain(views.iter().cloned()));
    cells.extend([bytes.to_string(), (1_u64 << 40).to_string()].into_iter().chain(last.iter().cloned()));
    cells
}

/// With the byte order mark it comes with.
fn csv(lines: Vec<Vec<String>>) -> String {
    let rows = lines.iter().map(|cells| format!("{}\r\n", cells.join(",")));
    std::iter::once("\u{feff}".to_owned()).chain(rows).collect()
}
