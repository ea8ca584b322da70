//! A drive, and who it belongs to.

use std::sync::Arc;

use parking_lot::RwLock;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Tree;
use super::tree::ROOT;

/// A drive.
pub(crate) struct Drive {
    pub id: Arc<str>,
    pub kind: DriveKind,
    pub owner: Owner,
    /// The id of the site it is a library of.
    pub site: Option<String>,
    /// As served, without its id, what is counted, and notes.
    pub resource: Map<String, Value>,
    pub state: RwLock<State>,
    pub tree: RwLock<Tree>,
    /// The address that its lines of the dump name, and their parent.
    pub user: Option<String>,
    pub parent: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DriveKind {
    Personal,
    Business,
    Library,
}

impl DriveKind {
    pub fn of(name: &str) -> Self {
        match name {
            "personal" => Self::Personal,
            "documentLibrary" => Self::Library,
            _ => Self::Business,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Business => "business",
            Self::Library => "documentLibrary",
        }
    }
}

/// Whose drive it is, by id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    User(String),
    Group(String),
    Site(String),
    Nobody,
}

/// What stands in the way of reading a drive or a site; notes of a dump, and a fault script, say so.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// An administrator locked the site, or it is archived.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
    /// The application may not read it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forbidden: bool,
    /// It was never provisioned, or is gone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
    /// Listed nowhere, though its id serves.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// `Sites.Selected` opens it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub selected: bool,
}

/// What RFC 3986 leaves as it is in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

pub(crate) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

impl Drive {
    /// `parentReference` of an item.
    pub fn reference(&self, tree: &Tree, slot: u32) -> Map<String, Value> {
        let mut reference = Map::new();
        reference.insert("driveType".to_owned(), self.kind.name().into());
        reference.insert("driveId".to_owned(), json!(&*self.id));
        if let Some((at, above)) = tree.lineage(slot).nth(1) {
            reference.insert("id".to_owned(), json!(&*above.id));
            let name = if at == ROOT { self.root_name() } else { above.name.clone() };
            reference.insert("name".to_owned(), name.into());
            reference.insert("path".to_owned(), self.path(tree, at).into());
        }
        if let Some(site) = &self.site {
            reference.insert("siteId".to_owned(), site.as_str().into());
        }
        reference
    }

    /// The path of an item as `parentReference` of its children tells it.
    pub fn path(&self, tree: &Tree, slot: u32) -> String {
        let below: String = tree.path(slot).iter().map(|name| format!("/{}", encoded(name))).collect();
        format!("/drives/{}/root:{below}", self.id)
    }

    /// What references call the root: the library, not `root`.
    fn root_name(&self) -> String {
        let address = self.resource.get("webUrl").and_then(Value::as_str).unwrap_or_default();
        let last = address.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned()
    }

    /// The drive as it is shown: with its id, and with what it holds counted.
    pub fn shown(&self) -> Map<String, Value> {
        let mut shown = Map::new();
        shown.insert("id".to_owned(), json!(&*self.id));
        shown.extend(self.resource.clone());
        let tree = self.tree.read();
        let now = tree.item(ROOT).map_or(0, |root| root.bytes);
        let said = self.resource.get("quota").cloned().unwrap_or_default();
        let number = |name: &str| said[name].as_u64();
        let used = (number("used").unwrap_or(tree.loaded_bytes) + now).saturating_sub(tree.loaded_bytes);
        let total = number("total").unwrap_or(USUAL_QUOTA);
        let mut quota = json!({
            "deleted": number("deleted").unwrap_or(0), "remaining": total.saturating_sub(used),
            "state": said["state"].as_str().unwrap_or(state(used, total)), "total": total, "used": used,
        });
        for (name, value) in said.as_object().into_iter().flatten() {
            if !["deleted", "remaining", "state", "total", "used"].contains(&name.as_str()) {
                quota[name.as_str()] = value.clone();
            }
        }
        shown.insert("quota".to_owned(), quota);
        shown
    }
}

/// A tebibyte.
const USUAL_QUOTA: u64 = 1 << 40;

/// OneDrive API docs: quota.
fn state(used: u64, total: u64) -> &'static str {
    match used.saturating_mul(100).checked_div(total).unwrap_or(100) {
        0..90 => "normal",
        90..99 => "nearing",
        99 => "critical",
        _ => "exceeded",
    }
}
