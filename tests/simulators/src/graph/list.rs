//! Paging of collections: Outlook by `$skip`, the directory by `$skiptoken`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Scene;
use crate::wire::{Call, Refusal};

/// Most rows of an Outlook page.
pub(crate) const OUTLOOK_MOST: usize = 1000;
/// Rows of an Outlook page unless told otherwise.
pub(crate) const OUTLOOK_DEFAULT: usize = 10;

/// The rows a request asked for, and where they begin.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub skip: usize,
    pub size: usize,
}

impl Window {
    /// `$top` goes before `odata.maxpagesize`.
    ///
    /// # Errors
    /// 400 for numbers that are none, and for a `$top` that is too large when the switch says so.
    pub fn of_outlook(scene: &Scene<'_>) -> Result<Self, Refusal> {
        Self::of_size(scene, OUTLOOK_DEFAULT)
    }

    /// # Errors
    /// As for [`Self::of_outlook`].
    pub fn of_size(scene: &Scene<'_>, usual: usize) -> Result<Self, Refusal> {
        let query = &scene.call.query;
        let top = checked_top(scene, OUTLOOK_MOST)?;
        let size = top.or(scene.call.prefer().page_size).unwrap_or(usual).min(most(scene));
        Ok(Self { skip: query.number("$skip")?.unwrap_or(0), size })
    }
}

/// Most rows of an Outlook page here.
pub(super) fn most(scene: &Scene<'_>) -> usize {
    match scene.world.knobs().switches.list_page_most {
        0 => OUTLOOK_MOST,
        most => most.min(OUTLOOK_MOST),
    }
}

pub(crate) fn checked_top(scene: &Scene<'_>, most: usize) -> Result<Option<usize>, Refusal> {
    let top = scene.call.query.number("$top")?;
    if top == Some(0) {
        return Err(Refusal::bad_query("Invalid value '0' for $top query option found."));
    }
    if top.is_some_and(|top| top > most) && scene.world.knobs().switches.reject_large_top {
        return Err(Refusal::bad_query(format!("The value of $top must be between 1 and {most} inclusive.")));
    }
    Ok(top.map(|top| top.min(most)))
}

/// A collection answer of Outlook, with a link to the next page if more follows.
pub(crate) fn outlook_page(
    call: &Call,
    window: Window,
    context: &str,
    rows: Vec<Value>,
    more: bool,
) -> Map<String, Value> {
    let mut page = Map::new();
    page.insert("@odata.context".to_owned(), call.context(context).into());
    page.insert("value".to_owned(), Value::Array(rows));
    if more {
        let next = link(call, &["$skip"], ("$skip", &(window.skip + window.size).to_string()));
        page.insert("@odata.nextLink".to_owned(), next.into());
    }
    page
}

/// The address of a call with other options in place of some.
pub(crate) fn link(call: &Call, dropped: &[&str], added: (&str, &str)) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(call.query.without(dropped));
    query.append_pair(added.0, added.1);
    format!("{}?{}", call.address(), query.finish())
}

/// Where a walk through a directory collection stands.
#[derive(Serialize, Deserialize)]
struct Mark {
    directory: String,
    app: String,
    at: usize,
}

/// A page of a directory collection whose rows are chosen already.
///
/// # Errors
/// 400 for tokens of another collection or application.
pub(crate) fn directory_page(
    scene: &Scene<'_>,
    context: &str,
    rows: &[&Value],
    show: impl Fn(&Value) -> Value,
) -> Result<Value, Refusal> {
    let call = scene.call;
    let size = checked_top(scene, 999)?.unwrap_or(100);
    let path = call.segments.join("/");
    let start = match call.query.get("$skiptoken") {
        None => 0,
        Some(token) => opened(scene, token, &path)?.at,
    };
    let end = rows.len().min(start + size);
    let shown: Vec<Value> = rows.get(start..end).unwrap_or_default().iter().map(|row| show(row)).collect();
    let mut page = json!({"@odata.context": call.context(context)});
    if start == 0 && call.query.is_true("$count") && call.eventual() {
        page["@odata.count"] = rows.len().into();
    }
    if end < rows.len() {
        let mark = Mark { directory: path, app: scene.caller.app.clone(), at: end };
        page["@odata.nextLink"] = link(call, &["$skiptoken"], ("$skiptoken", &scene.world.seal.seal(&mark))).into();
    }
    page["value"] = shown.into();
    Ok(page)
}

fn opened(scene: &Scene<'_>, token: &str, path: &str) -> Result<Mark, Refusal> {
    let mark: Mark = scene.world.seal.open(token)?;
    if mark.directory == path && mark.app == scene.caller.app {
        return Ok(mark);
    }
    Err(Refusal::new(
        400,
        "Directory_ExpiredPageToken",
        "The specified page token value has expired and can no longer be included in your request.",
    ))
}

/// Some members of a resource, in the order asked for; notes to the simulator never.
pub(crate) fn chosen(resource: &Value, names: Option<&[String]>) -> Value {
    let Some(map) = resource.as_object() else { return resource.clone() };
    let names = match names {
        None => {
            return map
                .iter()
                .filter(|(name, _)| !name.starts_with('_'))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
        }
        Some(names) => names,
    };
    let mut row = Map::new();
    for name in std::iter::once("id").chain(names.iter().map(String::as_str)) {
        if !name.starts_with('_') {
            row.insert(name.to_owned(), map.get(name).cloned().unwrap_or_default());
        }
    }
    row.into()
}
