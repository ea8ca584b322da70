//! Changes to drives: what people do to their files between two passes. Items are named by id or by their path from the
//! root (`/Documents/a.txt`), drives by their id, or by the person, group or site whose usual one is meant.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::file_churn;
use crate::dump::Content;
use crate::tenant::sharepoint::{
    Drive, DriveItem, Owner, ROOT, Tree, Version, alike, check_name, encoded, hashes, item_id, retag, tag,
};
use crate::world::World;

type Members = Map<String, Value>;

/// The operations of this file, by name.
#[rustfmt::skip]
pub(super) const OPS: &[&str] = &[
    "new_file", "new_drive_folder", "write_file", "edit_item", "rename_item", "move_item", "delete_item", "share_item",
    "unshare_item", "churn_files",
];

#[derive(Deserialize)]
pub(super) struct Operation {
    user: Option<String>,
    group: Option<String>,
    site: Option<String>,
    drive: Option<String>,
    #[serde(flatten)]
    what: What,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum What {
    /// A file comes; its bytes are base64, or made from a seed.
    NewFile {
        /// The folder, by id or path; the root if none is named.
        folder: Option<String>,
        name: String,
        #[serde(flatten)]
        body: Body,
        #[serde(default)]
        set: Members,
    },
    NewDriveFolder {
        folder: Option<String>,
        name: String,
    },
    /// Other bytes; the former ones become a version.
    WriteFile {
        item: String,
        #[serde(flatten)]
        body: Body,
    },
    /// Sets members of an item's resource, its content stays.
    EditItem {
        item: String,
        set: Members,
    },
    RenameItem {
        item: String,
        name: String,
    },
    MoveItem {
        item: String,
        to: String,
    },
    DeleteItem {
        item: String,
    },
    /// Adds a permission, as `GET permissions` answers it.
    ShareItem {
        item: String,
        permission: Members,
    },
    /// Takes a permission away by its id, or all.
    UnshareItem {
        item: String,
        permission: Option<String>,
    },
    /// So many changes that a seed decides.
    ChurnFiles {
        seed: u64,
        count: u32,
    },
}

/// The bytes of a file: `{"content": base64}`, or `{"size": number, "body_seed": number}` for bytes that are made.
#[derive(Deserialize)]
struct Body {
    content: Option<String>,
    body_seed: Option<u64>,
    size: Option<u64>,
}

impl Body {
    fn read(&self) -> Result<Content, String> {
        match (&self.content, self.size) {
            (Some(text), None) => {
                let bytes = STANDARD.decode(text).map_err(|why| format!("The content is not base64: {why}."))?;
                Ok(Content::from(bytes))
            }
            (None, Some(length)) => Ok(Content::Seeded { seed: self.body_seed.unwrap_or(1), length }),
            _ => Err("Give a file its \"content\" as base64, or a \"size\" and perhaps a \"body_seed\".".to_owned()),
        }
    }
}

impl Operation {
    pub fn apply(&self, world: &World) -> Result<Value, String> {
        let drive = self.drive(world)?;
        let mut tree = drive.tree.write();
        let mut desk = Desk { drive, tree: &mut tree, now: world.now() };
        match &self.what {
            What::ChurnFiles { seed, count } => Ok(file_churn::stir(&mut desk, *seed, *count)),
            What::NewFile { .. } | What::NewDriveFolder { .. } => self.what.create(&mut desk),
            _ => self.what.change(&mut desk),
        }
    }

    fn drive<'a>(&self, world: &'a World) -> Result<&'a Drive, String> {
        let sharepoint = &world.tenant.sharepoint;
        let (found, name) = match (&self.drive, &self.user, &self.group, &self.site) {
            (Some(id), None, None, None) => (sharepoint.drive(id), id),
            (None, Some(user), None, None) => {
                let owner = world.tenant.any_address(user).map(|user| Owner::User(user.id.clone()));
                (owner.and_then(|owner| sharepoint.drives.iter().find(|drive| drive.owner == owner)), user)
            }
            (None, None, Some(group), None) => {
                (sharepoint.drives.iter().find(|drive| of_group(world, drive, group)), group)
            }
            (None, None, None, Some(site)) => {
                (sharepoint.drives.iter().find(|drive| drive.site.as_deref() == Some(site.as_str())), site)
            }
            _ => return Err("Name the drive by one of \"drive\", \"user\", \"group\" and \"site\".".to_owned()),
        };
        found.ok_or_else(|| format!("{name} has no drive."))
    }
}

fn of_group(world: &World, drive: &Drive, group: &str) -> bool {
    world.tenant.sharepoint.drives_of_group(group).any(|own| own.id == drive.id)
}

/// Somebody at work in a drive.
pub(super) struct Desk<'a> {
    pub drive: &'a Drive,
    pub tree: &'a mut Tree,
    pub now: Timestamp,
}

impl What {
    fn create(&self, desk: &mut Desk<'_>) -> Result<Value, String> {
        match self {
            Self::NewFile { folder, name, body, set } => {
                let folder = desk.folder_at(folder.as_deref())?;
                desk.new_file(folder, name, body.read()?, set)
            }
            Self::NewDriveFolder { folder, name } => {
                let folder = desk.folder_at(folder.as_deref())?;
                desk.new_folder(folder, name)
            }
            _ => Err("This makes nothing.".to_owned()),
        }
    }

    fn change(&self, desk: &mut Desk<'_>) -> Result<Value, String> {
        match self {
            Self::WriteFile { item, body } => {
                let slot = desk.item_at(item)?;
                desk.write(slot, body.read()?)
            }
            Self::EditItem { item, set } => {
                let slot = desk.item_at(item)?;
                desk.set(slot, set)
            }
            Self::RenameItem { item, name } => {
                let slot = desk.item_at(item)?;
                desk.rename(slot, name)
            }
            Self::MoveItem { item, to } => {
                let (slot, to) = (desk.item_at(item)?, desk.folder_at(Some(to))?);
                desk.shift(slot, to)
            }
            Self::DeleteItem { item } => {
                let slot = desk.item_at(item)?;
                desk.delete(slot)
            }
            Self::ShareItem { item, permission } => {
                let slot = desk.item_at(item)?;
                Ok(desk.share(slot, permission.clone()))
            }
            Self::UnshareItem { item, permission } => {
                let slot = desk.item_at(item)?;
                desk.unshare(slot, permission.as_deref())
            }
            _ => Err("This changes nothing.".to_owned()),
        }
    }
}

/// Finding and showing.
impl Desk<'_> {
    fn item_at(&self, name: &str) -> Result<u32, String> {
        let by_path = || {
            let names = name.strip_prefix('/')?.split('/').filter(|name| !name.is_empty());
            self.tree.at_path(ROOT, names)
        };
        self.tree.named(name).or_else(by_path).ok_or_else(|| format!("There is no item {name}."))
    }

    fn folder_at(&self, name: Option<&str>) -> Result<u32, String> {
        let slot = name.map_or(Ok(ROOT), |name| self.item_at(name))?;
        let holds = self.tree.item(slot).is_some_and(|item| item.facets.holds());
        if holds { Ok(slot) } else { Err(format!("{} is no folder.", name.unwrap_or_default())) }
    }

    fn shown(&self, slot: u32) -> Value {
        self.tree.item(slot).map_or(Value::Null, |item| json!({"id": &*item.id, "name": item.name}))
    }

    fn clock(&self) -> String {
        self.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// # Errors
    /// For names that SharePoint does not take, and for those that the folder holds already.
    fn name_in(&self, folder: u32, name: &str, is_folder: bool, but: Option<u32>) -> Result<(), String> {
        check_name(name, is_folder)?;
        let mut others = self.tree.children(folder).iter().filter(|slot| Some(**slot) != but);
        match others.any(|slot| self.tree.item(*slot).is_some_and(|item| alike(&item.name, name))) {
            true => Err(format!("There is something called {name} in this folder already.")),
            false => Ok(()),
        }
    }
}

/// Making things.
impl Desk<'_> {
    pub fn new_file(&mut self, folder: u32, name: &str, content: Content, set: &Members) -> Result<Value, String> {
        refuse_fixed(set)?;
        self.name_in(folder, name, false, None)?;
        let mut resource = self.fresh(folder, name);
        let file = json!({"mimeType": mime_type(name), "hashes": hashes(&content, self.drive.kind)});
        resource.insert("file".to_owned(), file);
        resource.extend(set.clone());
        Ok(self.add(folder, name, resource, Some(content)))
    }

    pub fn new_folder(&mut self, folder: u32, name: &str) -> Result<Value, String> {
        self.name_in(folder, name, true, None)?;
        let mut resource = self.fresh(folder, name);
        resource.shift_remove("cTag");
        resource.insert("folder".to_owned(), json!({}));
        Ok(self.add(folder, name, resource, None))
    }

    fn next_id(&self) -> String {
        item_id(&self.drive.id, self.drive.kind, self.tree.trail.head() + 1)
    }

    /// What every new item says of itself.
    fn fresh(&self, folder: u32, name: &str) -> Members {
        let (id, now) = (self.next_id(), self.clock());
        let above = self.tree.item(folder).and_then(|item| item.resource().get("webUrl")?.as_str().map(str::to_owned));
        let who = self.drive.resource.get("owner").cloned().unwrap_or_default();
        let resource = json!({
            "eTag": tag(&id, false, 1), "cTag": tag(&id, true, 1), "createdDateTime": now, "lastModifiedDateTime": now,
            "webUrl": format!("{}/{}", above.unwrap_or_default(), encoded(name)), "createdBy": who, "lastModifiedBy": who,
            "fileSystemInfo": {"createdDateTime": now, "lastModifiedDateTime": now},
        });
        resource.as_object().cloned().unwrap_or_default()
    }

    fn add(&mut self, folder: u32, name: &str, mut resource: Members, content: Option<Content>) -> Value {
        resource.insert("name".to_owned(), name.into());
        let item = DriveItem::new(&self.next_id(), resource, content);
        let slot = self.tree.add(item, folder, self.now);
        self.shown(slot)
    }
}

/// Changing things.
impl Desk<'_> {
    /// Changes an item and counts the change in its tags and times.
    fn touch(&mut self, slot: u32, content: bool, change: impl FnOnce(&mut DriveItem, &mut Members)) -> Value {
        let now = self.clock();
        self.tree.edit(slot, false, self.now, |item| {
            let mut resource = item.resource();
            resource.insert("lastModifiedDateTime".to_owned(), now.into());
            retag(&mut resource, &item.id, content);
            change(item, &mut resource);
            item.keep(&resource);
        });
        self.shown(slot)
    }

    pub fn write(&mut self, slot: u32, content: Content) -> Result<Value, String> {
        let item = self.tree.item(slot).filter(|item| item.facets.file);
        let item = item.ok_or("Only files have content.")?;
        let former = version(item);
        let (now, told) = (self.clock(), hashes(&content, self.drive.kind));
        Ok(self.touch(slot, true, |item, resource| {
            item.versions.insert(0, former);
            item.bytes = content.len();
            item.content = Some(content);
            resource["file"]["hashes"] = Value::Object(told);
            if let Some(times) = resource.get_mut("fileSystemInfo").and_then(Value::as_object_mut) {
                times.insert("lastModifiedDateTime".to_owned(), now.into());
            }
        }))
    }

    fn set(&mut self, slot: u32, set: &Members) -> Result<Value, String> {
        refuse_fixed(set)?;
        Ok(self.touch(slot, false, |_, resource| resource.extend(set.clone())))
    }

    pub fn rename(&mut self, slot: u32, name: &str) -> Result<Value, String> {
        let above = self.tree.item(slot).and_then(|item| item.parent).ok_or("The root cannot be renamed.")?;
        let is_folder = self.tree.item(slot).is_some_and(|item| item.facets.folder);
        self.name_in(above, name, is_folder, Some(slot))?;
        Ok(self.touch(slot, false, |item, resource| {
            name.clone_into(&mut item.name);
            let address = resource.get("webUrl").and_then(Value::as_str).and_then(|url| url.rsplit_once('/'));
            if let Some(address) = address.map(|(above, _)| format!("{above}/{}", encoded(name))) {
                resource.insert("webUrl".to_owned(), address.into());
            }
        }))
    }

    pub fn shift(&mut self, slot: u32, to: u32) -> Result<Value, String> {
        if self.tree.lineage(to).any(|(above, _)| above == slot) {
            return Err("An item cannot be moved into itself or below itself.".to_owned());
        }
        let item = self.tree.item(slot).ok_or("The item is gone.")?;
        let (name, is_folder) = (item.name.clone(), item.facets.folder);
        self.name_in(to, &name, is_folder, Some(slot))?;
        self.tree.relocate(slot, to, self.now);
        Ok(self.touch(slot, false, |_, _| {}))
    }

    pub fn delete(&mut self, slot: u32) -> Result<Value, String> {
        if slot == ROOT {
            return Err("The root cannot be deleted.".to_owned());
        }
        let gone = self.shown(slot);
        self.tree.remove(slot, self.now);
        Ok(gone)
    }

    /// Adds a permission; the facet follows from the widest of them.
    pub fn share(&mut self, slot: u32, mut permission: Members) -> Value {
        let next = self.tree.trail.head() + 1;
        permission.entry("id").or_insert_with(|| format!("simulated-{next}").into());
        self.tree.edit(slot, true, self.now, |item| {
            item.permissions.push(permission.into());
            refacet(item);
        });
        self.shown(slot)
    }

    fn unshare(&mut self, slot: u32, permission: Option<&str>) -> Result<Value, String> {
        let known = |item: &DriveItem| match permission {
            Some(id) => item.permissions.iter().any(|one| one["id"] == id),
            None => !item.permissions.is_empty(),
        };
        if !self.tree.item(slot).is_some_and(known) {
            return Err("The item has no such permission of its own.".to_owned());
        }
        self.tree.edit(slot, true, self.now, |item| {
            item.permissions.retain(|one| permission.is_some_and(|id| one["id"] != id));
            refacet(item);
        });
        Ok(self.shown(slot))
    }
}

/// The version that the present content becomes when other content comes.
fn version(item: &DriveItem) -> Version {
    let about = item.resource();
    let mut resource = Map::new();
    for name in ["lastModifiedBy", "lastModifiedDateTime"] {
        resource.extend(about.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    resource.insert("size".to_owned(), item.bytes.into());
    Version { id: item.version_id(), resource, content: item.content.clone() }
}

/// The facet `shared` of an item with permissions of its own: anonymous goes before organization before users.
fn refacet(item: &mut DriveItem) {
    let mut resource = item.resource();
    let scopes = item.permissions.iter().filter(|one| one["roles"] != json!(["owner"]));
    let scopes: Vec<&str> = scopes.map(|one| one["link"]["scope"].as_str().unwrap_or("users")).collect();
    let widest = ["anonymous", "organization"].into_iter().find(|scope| scopes.contains(scope)).unwrap_or("users");
    match scopes.is_empty() {
        true => drop(resource.shift_remove("shared")),
        false => drop(resource.insert("shared".to_owned(), json!({"scope": widest}))),
    }
    item.keep(&resource);
}

/// # Errors
/// For members that only the service sets.
fn refuse_fixed(set: &Members) -> Result<(), String> {
    let fixed = ["id", "name", "parentReference", "size", "eTag", "cTag", "file", "folder", "root"];
    match set.keys().find(|name| fixed.contains(&name.as_str())) {
        Some(fixed) => Err(format!("{fixed} cannot be set; use rename_item, move_item and write_file.")),
        None => Ok(()),
    }
}

/// The media type by which SharePoint knows a suffix.
pub(crate) fn mime_type(name: &str) -> &'static str {
    let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix.to_lowercase()).unwrap_or_default();
    match suffix.as_str() {
        "txt" | "log" => "text/plain",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "heic" => "image/heic",
        "mp4" => "video/mp4",
        "zip" => "application/zip",
        "one" | "onetoc2" => "application/msonenote",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        _ => "application/octet-stream",
    }
}
