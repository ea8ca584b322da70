//! How the things of a room become rows: which members their type has, `$select`, ids, marks.

use serde_json::{Map, Value, json};

use super::Scene;
use super::messages::failure;
use super::view::unknown_member;
use crate::tenant::{Ids, Item, Marks};
use crate::wire::Refusal;

/// A type of the schema.
pub(super) struct Shape {
    /// As the schema calls it.
    pub name: &'static str,
    pub members: &'static [&'static str],
    /// Members that come only when they are asked for, and what the dump keeps in the resource though it has a route of
    /// its own.
    pub apart: &'static [&'static str],
}

/// What a request wants to see of each row.
pub(super) struct Look {
    pub shape: &'static Shape,
    pub select: Option<Vec<String>>,
    pub immutable: bool,
    extra: bool,
}

impl Look {
    /// # Errors
    /// 400 for members that the type does not have.
    pub fn of(scene: &Scene<'_>, shape: &'static Shape) -> Result<Self, Refusal> {
        Self::choosing(scene, shape, scene.call.query.select())
    }

    /// # Errors
    /// As for [`Self::of`].
    pub fn choosing(scene: &Scene<'_>, shape: &'static Shape, select: Option<Vec<String>>) -> Result<Self, Refusal> {
        let known = |name: &&String| shape.members.contains(&name.as_str()) || name.as_str() == "id";
        if let Some(unknown) = select.iter().flatten().find(|name| !known(name)) {
            return Err(unknown_member(unknown, shape.name));
        }
        let extra = scene.world.knobs().switches.extra_fields;
        Ok(Self { shape, select, immutable: scene.call.prefer().immutable_ids, extra })
    }

    /// The same with another selection.
    pub fn with(&self, select: Option<Vec<String>>) -> Self {
        Self { shape: self.shape, select, immutable: self.immutable, extra: self.extra }
    }

    pub fn wants(&self, name: &str) -> bool {
        self.select.as_ref().is_none_or(|names| names.iter().any(|one| one == name))
    }

    pub fn names(&self, name: &str) -> bool {
        self.select.as_ref().is_some_and(|names| names.iter().any(|one| one == name))
    }

    pub fn id(&self, item: &Item, ids: &Ids) -> String {
        item.shown_id(ids, self.immutable)
    }

    /// A row: annotations and id, then what was selected, or all that comes unasked.
    pub fn row(&self, id: &str, mut resource: Map<String, Value>) -> Map<String, Value> {
        let mut row = head(id, &resource);
        match &self.select {
            Some(names) => {
                for name in names.iter().filter(|name| *name != "id") {
                    row.extend(resource.get_mut(name).map(|value| (name.clone(), value.take())));
                }
            }
            None => {
                let apart = |name: &str| self.shape.apart.contains(&name) || name.starts_with('_');
                row.extend(resource.into_iter().filter(|(name, _)| !apart(name)));
                if self.extra {
                    row.insert("undocumentedSince2019".to_owned(), json!({"kind": "unknown", "weight": 0.5}));
                }
            }
        }
        row
    }

    /// Only what changed: the id, the etag and some fields.
    pub fn partial(&self, id: &str, mut resource: Map<String, Value>, fields: &[&str]) -> Map<String, Value> {
        let mut row = head(id, &resource);
        for field in fields.iter().filter(|field| self.wants(field) && !self.shape.apart.contains(field)) {
            row.extend(resource.get_mut(*field).map(|value| ((*field).to_owned(), value.take())));
        }
        row
    }
}

fn head(id: &str, resource: &Map<String, Value>) -> Map<String, Value> {
    let mut row = Map::new();
    if let Some(kind) = resource.get("@odata.type") {
        row.insert("@odata.type".to_owned(), kind.clone());
    }
    if let Some(key) = resource.get("changeKey").and_then(Value::as_str) {
        row.insert("@odata.etag".to_owned(), format!("W/\"{key}\"").into());
    }
    row.insert("id".to_owned(), id.into());
    row
}

/// A page that selects only these is put together without opening the things.
const LIGHT: &[&str] = &["id", "changeKey", "createdDateTime", "lastModifiedDateTime", "parentFolderId", "type"];

impl Look {
    /// Whether little is asked of each row.
    pub fn is_light(&self) -> bool {
        self.select.as_ref().is_some_and(|names| names.iter().all(|name| LIGHT.contains(&name.as_str())))
    }
}

/// A thing among others: one that cannot be converted spoils the page, unless little is asked of each.
///
/// # Errors
/// 500 for the whole page.
pub(super) fn listable(item: &Item, light: bool) -> Result<(), Refusal> {
    let poisons = |marks: &Marks| marks.poisons_ids || (marks.poisons && !light);
    if item.marks.as_deref().is_some_and(poisons) { Err(Refusal::page_poisoned()) } else { Ok(()) }
}

/// A thing that is read for itself.
///
/// # Errors
/// What its mark says.
pub(super) fn readable(item: &Item) -> Result<(), Refusal> {
    item.marks.as_deref().and_then(failure).map_or(Ok(()), Err)
}
