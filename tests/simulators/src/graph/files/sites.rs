//! Sites: finding them, by id, by address, as the team site of a group (Microsoft Graph docs: site get, getAllSites, search).

use serde_json::{Map, Value};

use super::super::list::chosen;
use super::super::{Answer, Scene};
use super::page::{USUAL, Window, collection, of_rows};
use super::{columns, drives, of_drive, reach};
use crate::tenant::sharepoint::Site;
use crate::wire::{Refusal, Reply};

/// Answers what follows `sites`.
pub(super) fn answer(scene: &Scene<'_>, rest: &[&str]) -> Answer {
    let sites = &scene.world.tenant.sharepoint;
    let absent = Refusal::drive_item_not_found;
    match rest {
        [] => search(scene),
        ["getAllSites" | "oneDrive.getAllSites"] => all(scene),
        ["delta", ..] => Err(Refusal::not_simulated("sites/delta")),
        ["root", rest @ ..] => of_site(scene, sites.root_site().ok_or_else(absent)?, rest),
        [host, rest @ ..] if host.ends_with(':') => {
            let end = rest.iter().position(|name| name.ends_with(':')).map_or(rest.len(), |last| last + 1);
            let (path, rest) = rest.split_at(end);
            let path: String = path.iter().map(|name| format!("/{}", name.trim_end_matches(':'))).collect();
            of_site(scene, sites.site_at(host.trim_end_matches(':'), &path).ok_or_else(absent)?, rest)
        }
        [id, rest @ ..] => of_site(scene, sites.site(id).or_else(|| sites.site_at(id, "")).ok_or_else(absent)?, rest),
    }
}

pub(super) fn of_site(scene: &Scene<'_>, site: &Site, rest: &[&str]) -> Answer {
    let sharepoint = &scene.world.tenant.sharepoint;
    match rest {
        [] => one(scene, site),
        ["drives"] => {
            drives::list(scene, &format!("sites('{}')/drives", site.id), sharepoint.libraries(&site.id).collect())
        }
        ["drive", rest @ ..] => {
            let drive = sharepoint.libraries(&site.id).next().ok_or_else(Refusal::drive_item_not_found)?;
            of_drive(scene, drive, rest)
        }
        ["sites"] => {
            reach::open_site(scene, site)?;
            let below = sharepoint.sites.iter().filter(|one| one.parent.as_deref() == Some(site.id.as_str()));
            listed(scene, "sites", &format!("{} sites", site.id), below.collect())
        }
        ["lists"] => columns::lists(scene, site),
        ["lists", list, rest @ ..] => of_list(scene, site, list, rest),
        [other @ ("items" | "pages" | "permissions" | "columns" | "contentTypes" | "termStore"), ..] => {
            Err(Refusal::not_simulated(&format!("sites/{other}")))
        }
        [other, ..] => Err(Refusal::no_such_segment(other)),
    }
}

fn of_list(scene: &Scene<'_>, site: &Site, list: &str, rest: &[&str]) -> Answer {
    reach::open_site(scene, site)?;
    let drive = columns::library(scene, site, list)?;
    match rest {
        [] => columns::one(scene, drive),
        ["columns"] => columns::columns(scene, drive),
        ["drive", rest @ ..] => of_drive(scene, drive, rest),
        [other, ..] => Err(Refusal::not_simulated(&format!("lists/{other}"))),
    }
}

fn one(scene: &Scene<'_>, site: &Site) -> Answer {
    reach::open_site(scene, site)?;
    let select = scene.call.query.select();
    let mut answer = Map::new();
    answer.insert("@odata.context".to_owned(), scene.call.context("sites/$entity").into());
    answer.extend(chosen(&site.resource, select.as_deref()).as_object().cloned().unwrap_or_default());
    Ok(Reply::json(answer))
}

/// Lists say the title where a single site says the last part of its address (corso met that).
fn row(scene: &Scene<'_>, site: &Site) -> Value {
    let mut row = chosen(&site.resource, scene.call.query.select().as_deref());
    if let (Some(title), true) = (site.resource.get("displayName"), row.get("name").is_some()) {
        row["name"] = title.clone();
    }
    row
}

/// # Errors
/// 403 for those who may not list sites, of whom those with `Sites.Selected` are some.
fn need_sites(scene: &Scene<'_>) -> Result<(), Refusal> {
    if scene.granted(reach::READ_SITES) { Ok(()) } else { Err(Refusal::drive_forbidden()) }
}

fn visible(site: &Site) -> bool {
    let state = *site.state.read();
    !state.hidden && !state.missing
}

/// `?search=*`: all sites but those of people; or those whose title holds a word.
fn search(scene: &Scene<'_>) -> Answer {
    need_sites(scene)?;
    let wanted = scene.call.query.either("search").map_or("*", |(wanted, _)| wanted).to_lowercase();
    let found = |site: &&Site| {
        let title = site.resource["displayName"].as_str().unwrap_or_default().to_lowercase();
        let personal = site.resource["isPersonalSite"] == true;
        visible(site) && !personal && (wanted == "*" || title.contains(wanted.trim_matches(['"', '*'])))
    };
    let sites = scene.world.tenant.sharepoint.sites.iter().filter(found).collect();
    listed(scene, "sites", &format!("sites {wanted}"), sites)
}

fn listed(scene: &Scene<'_>, context: &str, place: &str, sites: Vec<&Site>) -> Answer {
    let rows = sites.into_iter().map(|site| row(scene, site)).collect();
    Ok(Reply::json(of_rows(scene, context, place, rows)?))
}

/// All sites of all geographies, for applications only; the link to the next page is spelled in its own way.
fn all(scene: &Scene<'_>) -> Answer {
    need_sites(scene)?;
    if scene.caller.person.is_some() {
        return Err(Refusal::drive_forbidden());
    }
    let window = Window::of(scene, "getAllSites", USUAL)?;
    let sites: Vec<&Site> = scene.world.tenant.sharepoint.sites.iter().filter(|site| visible(site)).collect();
    let rows = sites.iter().skip(window.at).take(window.size).map(|site| row(scene, site)).collect();
    let more = sites.len() > window.at.saturating_add(window.size);
    let next = more.then(|| {
        let link = window.next(scene);
        let query = link.split_once('?').map_or("", |(_, query)| query);
        format!("{}/v1.0/sites/oneDrive.getAllSites?{query}", scene.call.origin)
    });
    Ok(Reply::json(collection(scene, "sites", rows, next)))
}
