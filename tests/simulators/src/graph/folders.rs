//! Mail folders. Version 1.0 lists one level; search folders stand among the others (Microsoft Graph docs: list
//! mailFolders; mailSearchFolder).

use serde_json::{Map, Value, json};

use super::access::{READ_BASIC_MAIL, folder_at};
use super::expand::Expand;
use super::list::{Window, outlook_page};
use super::view::unknown_member;
use super::{Answer, Scene, properties};
use crate::tenant::{Folder, Mailbox, folder_resource};
use crate::wire::{Filter, Refusal, Reply};

#[rustfmt::skip]
const FOLDER: &[&str] = &[
    "id", "displayName", "parentFolderId", "childFolderCount", "unreadItemCount", "totalItemCount", "isHidden",
];
const SEARCH_FOLDER: &[&str] = &["isSupported", "includeNestedFolders", "sourceFolderIds", "filterQuery"];

/// What is asked for of each folder.
pub(super) struct FolderView {
    select: Option<Vec<String>>,
    expand: Expand,
    normalised: bool,
    sizes: bool,
    extras: bool,
    hidden: bool,
}

impl FolderView {
    pub fn of(scene: &Scene<'_>) -> Result<Self, Refusal> {
        let query = &scene.call.query;
        let select = query.select();
        let known = |name: &String| FOLDER.contains(&name.as_str()) || SEARCH_FOLDER.contains(&name.as_str());
        if let Some(unknown) = select.iter().flatten().find(|name| !known(name)) {
            return Err(unknown_member(unknown, "mailFolder"));
        }
        let switches = &scene.world.knobs().switches;
        Ok(Self {
            select,
            expand: Expand::parse(query.get("$expand"), "mailFolder")?,
            normalised: switches.normalised_property_ids,
            sizes: switches.folder_sizes,
            extras: switches.extra_fields,
            hidden: query.is_true("includeHiddenFolders"),
        })
    }

    pub fn row(&self, mailbox: &Mailbox, folder: &Folder) -> Map<String, Value> {
        let mut whole = self.whole(mailbox, folder);
        if let Some(names) = &self.select {
            let annotated = |name: &String| name.starts_with("@odata.") || name == "id";
            whole.retain(|name, _| annotated(name) || names.contains(name));
        }
        let property = |id: &properties::PropertyId| properties::of_folder(id, folder);
        if let Some(found) = properties::expanded(&self.expand.properties, self.normalised, property) {
            whole.insert("singleValueExtendedProperties".to_owned(), found);
        }
        if self.expand.child_folders {
            let children = mailbox.visible_children(folder, self.hidden);
            let rows = children.iter().map(|at| Value::Object(self.whole(mailbox, mailbox.folder(*at))));
            whole.insert("childFolders".to_owned(), rows.collect());
        }
        whole
    }

    fn whole(&self, mailbox: &Mailbox, folder: &Folder) -> Map<String, Value> {
        let mut row = folder_resource(mailbox, folder);
        row.retain(|name, _| !name.starts_with('_') && name != "singleValueExtendedProperties");
        row.insert("parentFolderId".to_owned(), mailbox.parent_id(folder).into());
        if self.sizes {
            row.insert("sizeInBytes".to_owned(), json!(folder.bytes));
        }
        if self.extras && self.select.is_none() {
            row.insert("undocumentedSince2019".to_owned(), json!([]));
        }
        row
    }
}

pub(super) fn list(scene: &Scene<'_>, user: &str, of: Option<&str>) -> Answer {
    let view = FolderView::of(scene)?;
    let window = Window::of_outlook(scene)?;
    let mailbox = scene.mailbox(user, READ_BASIC_MAIL)?.read();
    let children = children(scene, &mailbox, of)?;
    let rows: Vec<Value> = children.iter().map(|at| view.row(&mailbox, mailbox.folder(*at)).into()).collect();
    let rows = filtered(scene, rows)?;
    let shown: Vec<Value> = rows.iter().skip(window.skip).take(window.size).cloned().collect();
    let more = rows.len() > window.skip + window.size;
    let context = format!("users('{user}')/mailFolders");
    let mut page = outlook_page(scene.call, window, &context, shown, more);
    if scene.call.query.is_true("$count") {
        page.insert("@odata.count".to_owned(), rows.len().into());
    }
    Ok(Reply::json(page))
}

fn filtered(scene: &Scene<'_>, mut rows: Vec<Value>) -> Result<Vec<Value>, Refusal> {
    if let Some(filter) = scene.call.query.get("$filter").map(Filter::parse).transpose()? {
        rows.retain(|row| filter.holds(row));
    }
    Ok(rows)
}

/// The children of a folder, or of the root.
fn children(scene: &Scene<'_>, mailbox: &Mailbox, of: Option<&str>) -> Result<Vec<u32>, Refusal> {
    let parent = match of {
        Some(key) => folder_at(mailbox, key)?,
        None => mailbox.root().ok_or_else(Refusal::item_not_found)?,
    };
    let hidden = scene.call.query.is_true("includeHiddenFolders");
    Ok(mailbox.visible_children(mailbox.folder(parent), hidden))
}

pub(super) fn count(scene: &Scene<'_>, user: &str, of: Option<&str>) -> Answer {
    let mailbox = scene.mailbox(user, READ_BASIC_MAIL)?.read();
    Ok(Reply::text(children(scene, &mailbox, of)?.len().to_string()))
}

pub(super) fn one(scene: &Scene<'_>, user: &str, key: &str) -> Answer {
    let view = FolderView::of(scene)?;
    let mailbox = scene.mailbox(user, READ_BASIC_MAIL)?.read();
    let folder = mailbox.folder(folder_at(&mailbox, key)?);
    let mut row = Map::new();
    let context = format!("users('{user}')/mailFolders/$entity");
    row.insert("@odata.context".to_owned(), scene.call.context(&context).into());
    row.extend(view.row(&mailbox, folder));
    Ok(Reply::json(row))
}
