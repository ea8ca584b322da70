//! Pages of collections about drives and sites, whose links carry an opaque `$skiptoken`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Scene;
use super::super::list::link;
use crate::wire::Refusal;

/// How many rows a page of sites, drives or permissions has is not documented.
pub(super) const USUAL: usize = 100;
const MOST: usize = 999;

/// Where a walk stands.
#[derive(Serialize, Deserialize)]
struct Mark {
    listing: String,
    app: String,
    at: usize,
}

/// The rows of a page, and where the next one begins.
pub(super) struct Window {
    place: String,
    pub at: usize,
    pub size: usize,
}

impl Window {
    /// # Errors
    /// 400 for numbers that are none, for `$skip`, and for tokens of another place or application.
    pub fn of(scene: &Scene<'_>, place: &str, usual: usize) -> Result<Self, Refusal> {
        let size = match scene.call.query.either("top") {
            None => usual,
            Some((top, _)) => match top.trim().parse::<usize>() {
                Ok(top) if top > MOST && scene.world.knobs().switches.reject_large_top => {
                    let message = format!("The value of $top must be between 1 and {MOST} inclusive.");
                    return Err(Refusal::invalid_request(message));
                }
                Ok(top) if top > 0 => top.min(MOST),
                _ => return Err(Refusal::invalid_request(format!("Invalid value '{top}' for $top."))),
            },
        };
        if scene.call.query.either("skip").is_some() {
            let message = "$skip is not supported on this API. Only URLs returned by the API can be used to page.";
            return Err(Refusal::invalid_request(message));
        }
        let at = match scene.call.query.either("skiptoken") {
            None => 0,
            Some((token, _)) => opened(scene, token, place)?.at,
        };
        Ok(Self { place: place.to_owned(), at, size })
    }

    /// The link to the rows behind these.
    pub fn next(&self, scene: &Scene<'_>) -> String {
        let mark = Mark { listing: self.place.clone(), app: scene.caller.app.clone(), at: self.at + self.size };
        link(scene.call, &["$skiptoken", "skiptoken"], ("$skiptoken", &scene.world.seal.seal(&mark)))
    }
}

fn opened(scene: &Scene<'_>, token: &str, place: &str) -> Result<Mark, Refusal> {
    let mark: Mark = scene.world.seal.open(token).map_err(|_| misplaced())?;
    if mark.listing == place && mark.app == scene.caller.app { Ok(mark) } else { Err(misplaced()) }
}

fn misplaced() -> Refusal {
    Refusal::invalid_request("The skip token is malformed or belongs to another request.")
}

/// A collection answer.
pub(super) fn collection(
    scene: &Scene<'_>,
    context: &str,
    rows: Vec<Value>,
    next: Option<String>,
) -> Map<String, Value> {
    let mut page = Map::new();
    page.insert("@odata.context".to_owned(), scene.call.context(context).into());
    if let Some(next) = next {
        page.insert("@odata.nextLink".to_owned(), next.into());
    }
    page.insert("value".to_owned(), rows.into());
    page
}

/// A page of rows that were all put together.
///
/// # Errors
/// As for [`Window::of`].
pub(super) fn of_rows(
    scene: &Scene<'_>,
    context: &str,
    place: &str,
    rows: Vec<Value>,
) -> Result<Map<String, Value>, Refusal> {
    let window = Window::of(scene, place, USUAL)?;
    let more = rows.len() > window.at.saturating_add(window.size);
    let shown = rows.into_iter().skip(window.at).take(window.size).collect();
    Ok(collection(scene, context, shown, more.then(|| window.next(scene))))
}
