//! Drives, the sites whose libraries they are, and the channels of teams whose files lie in them.

mod drive;
mod hashes;
mod ids;
mod item;
mod load;
mod names;
mod tree;
mod unload;

use std::collections::HashMap;

use parking_lot::RwLock;
use serde_json::Value;

pub(crate) use drive::{Drive, DriveKind, Owner, State, encoded};
pub(crate) use hashes::{hashes, quick_xor};
pub(crate) use ids::{item as item_id, tag, unique};
pub(crate) use item::{DriveItem, FileMarks, Version, retag};
pub(crate) use load::KINDS;
pub(crate) use names::{alike, check as check_name};
pub(crate) use tree::{Gone, Noted, ROOT, Tree};

use crate::dump::Entry;

#[derive(Default)]
pub(crate) struct SharePoint {
    pub drives: Vec<Drive>,
    drive_at: HashMap<String, usize>,
    pub sites: Vec<Site>,
    pub channels: Vec<Channel>,
}

/// A site of SharePoint.
pub(crate) struct Site {
    pub id: String,
    /// As `GET /sites/{id}` answers it.
    pub resource: Value,
    /// The group whose team site it is, or the site above it.
    pub parent: Option<String>,
    pub user: Option<String>,
    pub state: RwLock<State>,
}

/// A channel of a team, with the folder of its files.
pub(crate) struct Channel {
    pub group: String,
    pub id: String,
    pub entry: Entry,
}

impl SharePoint {
    pub fn drive(&self, id: &str) -> Option<&Drive> {
        self.drive_at.get(id).map(|at| &self.drives[*at])
    }

    /// The drives of somebody or something, the usual one first.
    pub fn drives_of<'a>(&'a self, owner: &'a Owner) -> impl Iterator<Item = &'a Drive> {
        self.drives.iter().filter(move |drive| drive.owner == *owner && !drive.state.read().hidden)
    }

    /// The libraries of a site.
    pub fn libraries<'a>(&'a self, site: &'a str) -> impl Iterator<Item = &'a Drive> {
        let here = move |drive: &&Drive| drive.site.as_deref() == Some(site) && !drive.state.read().hidden;
        self.drives.iter().filter(here)
    }

    /// The team site of a group.
    pub fn site_of_group(&self, group: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.parent.as_deref().is_some_and(|parent| parent.eq_ignore_ascii_case(group)))
    }

    /// The drives of a group: those of its own, and the libraries of its team site.
    pub fn drives_of_group<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a Drive> {
        let site = self.site_of_group(group).map(|site| site.id.as_str());
        let own = move |drive: &&Drive| {
            let named = matches!(&drive.owner, Owner::Group(id) if id.eq_ignore_ascii_case(group));
            let in_site = site.is_some() && drive.site.as_deref() == site;
            (named || in_site) && !drive.state.read().hidden
        };
        self.drives.iter().filter(own)
    }

    /// By id, as paths name sites.
    pub fn site(&self, id: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.id.eq_ignore_ascii_case(id))
    }

    /// By the host and the path of its address.
    pub fn site_at(&self, host: &str, path: &str) -> Option<&Site> {
        let wanted = format!("https://{host}{}", path.trim_end_matches('/'));
        let at = |site: &&Site| {
            site.resource["webUrl"].as_str().is_some_and(|url| alike(url.trim_end_matches('/'), &wanted))
        };
        self.sites.iter().find(at)
    }

    /// The site at the top of the tenant.
    pub fn root_site(&self) -> Option<&Site> {
        let bare = |site: &&Site| {
            let url = site.resource["webUrl"].as_str().unwrap_or_default();
            url.trim_end_matches('/').matches('/').count() == 2 && site.resource["isPersonalSite"] != true
        };
        self.sites.iter().find(bare)
    }

    /// What stands in the way of a drive: its own notes, and those of its site.
    pub fn state(&self, drive: &Drive) -> State {
        let (own, site) = (*drive.state.read(), drive.site.as_deref().and_then(|id| self.site(id)));
        let above = site.map(|site| *site.state.read()).unwrap_or_default();
        State {
            locked: own.locked || above.locked,
            forbidden: own.forbidden || above.forbidden,
            missing: own.missing || above.missing,
            hidden: own.hidden,
            selected: own.selected || above.selected,
        }
    }

    pub fn channels_of<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a Channel> {
        self.channels.iter().filter(move |channel| channel.group.eq_ignore_ascii_case(group))
    }
}
