//! One drive while it is being filled: its folders with their sums, its files with their hashes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::control::mime_type;
use crate::dump::{Content, Entry};
use crate::seed::NOW;
use crate::seed::dice::Dice;
use crate::seed::resource::object;
use crate::tenant::sharepoint::{DriveKind, encoded, hashes, item_id, tag, unique};

/// Whose drive it is, and where.
pub(super) struct Address {
    /// The address of a person; none for libraries.
    pub user: Option<String>,
    /// `identitySet` of the owner.
    pub owner: Value,
    /// The id of the site it lies in, and the address of the site.
    pub site: String,
    pub url: String,
    pub kind: DriveKind,
    pub name: String,
    /// What the library is called in addresses.
    pub library: String,
}

pub(super) struct Shelf {
    pub at: Address,
    pub id: String,
    pub dice: Dice,
    drive: Entry,
    lines: Vec<Entry>,
    places: Vec<Place>,
    number: u64,
    pub files: u32,
}

/// A folder of a shelf.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spot(usize);

/// The root.
pub(super) const TOP: Spot = Spot(0);

struct Place {
    line: usize,
    above: Option<usize>,
    id: String,
    name: String,
    /// Encoded, from below the root.
    path: String,
    bytes: u64,
    children: u64,
}

impl Shelf {
    pub fn new(at: Address, mut dice: Dice) -> Self {
        let id = format!("b!{}", URL_SAFE_NO_PAD.encode(dice.bytes(48)));
        let (user, parent) = (at.user.clone(), Some(at.site.clone()));
        let resource = json!({
            "id": id, "driveType": at.kind.name(), "name": at.name, "description": "",
            "webUrl": format!("{}/{}", at.url, encoded(&at.library)), "createdDateTime": "2019-09-02T07:30:00Z",
            "lastModifiedDateTime": NOW, "owner": at.owner, "createdBy": { "user": { "displayName": "System Account" } },
        });
        let drive = Entry { kind: "drive".to_owned(), user, resource, parent, content: None };
        let root = Place {
            line: 0,
            above: None,
            id: item_id(&id, at.kind, 0),
            name: at.library.clone(),
            path: String::new(),
            bytes: 0,
            children: 0,
        };
        let mut shelf = Self { at, id, dice, drive, lines: Vec::new(), places: Vec::new(), number: 0, files: 0 };
        let resource = json!({
            "id": root.id, "name": "root", "root": {}, "folder": {}, "size": 0,
            "createdDateTime": "2019-09-02T07:30:00Z", "lastModifiedDateTime": NOW,
            "fileSystemInfo": { "createdDateTime": "2019-09-02T07:30:00Z", "lastModifiedDateTime": NOW },
            "webUrl": shelf.drive.resource["webUrl"],
            "parentReference": { "driveType": shelf.at.kind.name(), "driveId": shelf.id, "siteId": shelf.at.site },
        });
        shelf.places.push(root);
        shelf.push("driveItem", resource, None, None);
        shelf
    }

    fn push(&mut self, kind: &str, resource: Value, parent: Option<&str>, content: Option<Content>) {
        let (user, parent) = (self.at.user.clone(), parent.map(str::to_owned));
        self.lines.push(Entry { kind: kind.to_owned(), user, resource, parent, content });
    }

    /// Members of the drive itself.
    pub fn tell(&mut self, more: Value) {
        object(more).into_iter().for_each(|(name, value)| self.drive.resource[name.as_str()] = value);
    }

    pub fn root_id(&self) -> String {
        self.places[0].id.clone()
    }

    pub fn id_of(&self, spot: Spot) -> String {
        self.places[spot.0].id.clone()
    }

    fn next_id(&mut self) -> String {
        self.number += 1;
        item_id(&self.id, self.at.kind, self.number)
    }

    /// What every item says of itself.
    fn usual(&mut self, id: &str, above: Spot, name: &str, modified: Timestamp) -> Map<String, Value> {
        let days = i64::try_from(self.dice.below(400)).unwrap_or(0);
        let created = modified.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(modified);
        let place = &self.places[above.0];
        let (drive, owner) = (&self.drive.resource, &self.at.owner);
        let url = format!("{}{}/{}", drive["webUrl"].as_str().unwrap_or_default(), place.path, encoded(name));
        object(json!({
            "id": id, "name": name, "size": 0, "eTag": tag(id, false, 1), "cTag": tag(id, true, 1), "webUrl": url,
            "createdDateTime": created, "lastModifiedDateTime": modified, "createdBy": owner, "lastModifiedBy": owner,
            "fileSystemInfo": { "createdDateTime": created, "lastModifiedDateTime": modified },
            "parentReference": {
                "driveType": self.at.kind.name(), "driveId": self.id, "id": place.id, "name": place.name,
                "path": format!("/drives/{}/root:{}", self.id, place.path), "siteId": self.at.site,
            },
        }))
    }

    fn when(&mut self) -> Timestamp {
        let minutes = i64::try_from(self.dice.below(5_000_000)).unwrap_or(0);
        NOW.checked_sub(SignedDuration::from_mins(minutes)).unwrap_or(NOW)
    }

    pub fn folder(&mut self, above: Spot, name: &str) -> Spot {
        self.folder_with(above, name, json!({}))
    }

    pub fn folder_with(&mut self, above: Spot, name: &str, own: Value) -> Spot {
        let (id, modified) = (self.next_id(), self.when());
        let mut resource = self.usual(&id, above, name, modified);
        resource.shift_remove("cTag");
        resource.insert("folder".to_owned(), json!({}));
        resource.extend(object(own));
        let path = format!("{}/{}", self.places[above.0].path, encoded(name));
        let (line, above_at, name) = (self.lines.len(), Some(above.0), name.to_owned());
        self.places.push(Place { line, above: above_at, id, name, path, bytes: 0, children: 0 });
        self.count(above, 0);
        self.push("driveItem", resource.into(), None, None);
        Spot(self.places.len() - 1)
    }

    /// A file; what it says beside the usual replaces that. Answers its id.
    pub fn file(&mut self, above: Spot, name: &str, content: Content, own: Value) -> String {
        let mut own = object(own);
        let hashes = hashes(&content, self.at.kind);
        let file = json!({ "mimeType": mime_type(name), "hashes": hashes });
        own.entry("size").or_insert_with(|| content.len().into());
        own.entry("file").or_insert(file);
        self.files += 1;
        self.item(above, name, own, Some(content))
    }

    /// An item that is neither a file nor a plain folder, or one that says all of itself.
    pub fn item(&mut self, above: Spot, name: &str, own: Map<String, Value>, content: Option<Content>) -> String {
        let (id, modified) = (self.next_id(), self.when());
        let mut resource = self.usual(&id, above, name, modified);
        resource.extend(own);
        let size = resource.get("size").and_then(Value::as_u64).unwrap_or_default();
        self.count(above, size);
        self.push("driveItem", resource.into(), None, content);
        id
    }

    /// So many bytes that only this file holds.
    pub fn bytes(&mut self, length: u64) -> Content {
        Content::Seeded { seed: self.dice.below(u64::MAX), length }
    }

    pub fn permission(&mut self, item: &str, permission: Value) {
        self.push("permission", permission, Some(item), None);
    }

    /// A former version of an item, older than those before it.
    pub fn version(&mut self, item: &str, number: u64, content: Content, modified: &str) {
        let resource = json!({
            "id": format!("{number}.0"), "lastModifiedDateTime": modified, "size": content.len(),
            "lastModifiedBy": self.at.owner,
        });
        self.push("driveItemVersion", resource, Some(item), Some(content));
    }

    /// Counts a child and its bytes in a folder and all above it.
    fn count(&mut self, above: Spot, bytes: u64) {
        self.places[above.0].children += 1;
        let mut at = Some(above.0);
        while let Some(place) = at {
            self.places[place].bytes += bytes;
            at = self.places[place].above;
        }
    }

    /// The lines: the drive, then what is above before what lies in it.
    pub fn into_entries(mut self) -> Vec<Entry> {
        for place in &self.places {
            let resource = &mut self.lines[place.line].resource;
            resource["size"] = place.bytes.into();
            if resource.get("folder").is_some() {
                resource["folder"]["childCount"] = place.children.into();
            }
        }
        let used = self.places[0].bytes;
        let total = 1_u64 << 40;
        self.drive.resource["quota"] =
            json!({ "deleted": 0, "remaining": total - used, "state": "normal", "total": total, "used": used });
        self.drive.resource["sharePointIds"] =
            json!({ "listId": unique(&self.id), "siteId": self.at.site.split(',').nth(1), "siteUrl": self.at.url });
        std::iter::once(self.drive).chain(self.lines).collect()
    }
}
