//! Change tracking of a drive (Microsoft Graph docs: driveItem delta; OneDrive API docs: scan guidance).
//!
//! A round walks the drive's log from the step of its token to the present. The first one finds everything, the root among
//! it, and what lies in a folder before the folder at times; later ones find tombstones and the present state of what
//! changed, with the folders above it.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::{Answer, Scene};
use super::children::refuse_expansion;
use super::reach;
use super::row::{Choice, View};
use crate::tenant::sharepoint::{Drive, DriveKind, Noted, ROOT, Tree};
use crate::wire::{Refusal, Reply};

const USUAL: usize = 200;
const MOST: usize = 500;

/// Where a client stands, as sealed into its links.
#[derive(Clone, Serialize, Deserialize)]
struct Round {
    drive: String,
    app: String,
    generation: u64,
    /// Rounds that the drive had finished when this one began.
    number: u64,
    /// The step that the client knew before this round; 0 if it knew nothing.
    since: u64,
    /// The step at which this round began: what was gone by then, it need not tell.
    begun: u64,
    /// The step up to which this round was walked, and the digest of the history there.
    at: u64,
    digest: u64,
    /// Of what was loaded, only what was modified after this moment, in seconds since 1970.
    after: Option<i64>,
    choice: Choice,
    top: Option<usize>,
    /// It goes on with a round, rather than to begin the next one.
    walking: bool,
    /// An empty page was served at this place already.
    rested: bool,
    /// The fresh start that an expired token is sent to.
    fresh: bool,
}

/// `token` stands in the parentheses of the function, if it does not stand among the options.
pub(super) fn answer(scene: &Scene<'_>, drive: &Drive, slot: u32, token: Option<&str>) -> Answer {
    if slot != ROOT {
        let message = format!("The expression \"drives('{}')/items/delta\" is not valid.", drive.id);
        return Err(Refusal::invalid_request(message));
    }
    reach::listable(scene, drive)?;
    refuse_expansion(scene)?;
    let tree = drive.tree.read();
    let round = match token.or_else(|| scene.call.query.get("token")) {
        None | Some("") => Round::begin(scene, drive, &tree)?,
        Some("latest") => {
            return Ok(Walk { scene, drive, tree: &tree, round: Round::begin(scene, drive, &tree)? }.latest());
        }
        Some(text) => match moment(text) {
            Some(moment) => Round::from_moment(scene, drive, &tree, moment)?,
            None => Round::open(scene, drive, &tree, text)?,
        },
    };
    Ok(Walk { scene, drive, tree: &tree, round }.page())
}

/// A time in place of a token, with an offset that may lack its zero (`+8:00`).
fn moment(text: &str) -> Option<Timestamp> {
    let padded = || {
        let (clock, offset) = text.split_at_checked(19)?;
        let (sign, rest) = offset.split_at_checked(1)?;
        format!("{clock}{sign}0{rest}").parse().ok()
    };
    text.parse().ok().or_else(padded)
}

impl Round {
    fn begin(scene: &Scene<'_>, drive: &Drive, tree: &Tree) -> Result<Self, Refusal> {
        let top = scene.call.query.either("top").map(|(top, _)| top.parse::<usize>());
        let top = top.transpose().map_err(|_| Refusal::invalid_request("Invalid value for $top."))?;
        Ok(Self {
            drive: drive.id.to_string(),
            app: scene.caller.app.clone(),
            generation: tree.generation,
            number: tree.rounds.load(Ordering::Relaxed),
            since: 0,
            begun: tree.trail.head(),
            at: 0,
            digest: 0,
            after: None,
            choice: Choice::of(&scene.call.query),
            top: top.filter(|top| *top > 0),
            walking: true,
            rested: false,
            fresh: false,
        })
    }

    /// # Errors
    /// 400 on personal drives, which do not take times.
    fn from_moment(scene: &Scene<'_>, drive: &Drive, tree: &Tree, moment: Timestamp) -> Result<Self, Refusal> {
        if drive.kind == DriveKind::Personal {
            return Err(Refusal::invalid_request("The delta token is malformed."));
        }
        let round = Self::begin(scene, drive, tree)?;
        let after = Some(moment.as_second());
        Ok(match tree.step_at(moment) {
            Some(step) => Self { since: step, at: step, digest: digest(tree, step), ..round },
            None => Self { after, ..round },
        })
    }

    /// # Errors
    /// 400 for a token of another drive or application, 410 for one that died.
    fn open(scene: &Scene<'_>, drive: &Drive, tree: &Tree, token: &str) -> Result<Self, Refusal> {
        let malformed = || Refusal::invalid_request("The delta token is malformed.");
        let mut round: Self = scene.world.seal.open(token).map_err(|_| malformed())?;
        if round.drive != *drive.id || round.app != scene.caller.app {
            return Err(malformed());
        }
        let switches = &scene.world.knobs().switches;
        if round.fresh && switches.files.resync_location_fails {
            return Err(Refusal::new(500, "generalException", "General exception while processing"));
        }
        let rounds = tree.rounds.load(Ordering::Relaxed);
        let patience = switches.stale_after_rounds;
        let stale = round.walking && patience > 0 && rounds >= round.number + patience;
        let known = tree.trail.digest(round.at) == Some(round.digest);
        if stale || !known || round.generation < tree.generation {
            return Err(resync(scene, drive, tree)?);
        }
        if !round.walking {
            round = Self { begun: tree.trail.head(), number: rounds, walking: true, ..round };
        }
        Ok(round)
    }

    /// One place in so many, the same at each call.
    fn falls_on(&self, scene: &Scene<'_>, often: u32, what: &str) -> bool {
        let place = format!("{} {what} {} {}", scene.world.options.seed, self.drive, self.at);
        often > 0 && crate::tenant::short(&place).is_multiple_of(u64::from(often))
    }
}

fn digest(tree: &Tree, step: u64) -> u64 {
    tree.trail.digest(step).unwrap_or_default()
}

/// 410 with the address of a fresh start.
fn resync(scene: &Scene<'_>, drive: &Drive, tree: &Tree) -> Result<Refusal, Refusal> {
    let switches = scene.world.knobs().switches.files.clone();
    let fresh = Round { fresh: true, ..Round::begin(scene, drive, tree)? };
    let token = scene.world.seal.seal(&fresh);
    let location = format!("{}/v1.0/drives/{}/root/delta?token={token}", scene.call.origin, drive.id);
    let finer = switches.resync.code();
    let code = if switches.resync_as_code { finer } else { "resyncRequired" };
    let message = "Resync required. Replace any local items with the server's version (including deletes) if you're sure \
                   that the service was up to date with your local changes when you last sync'd. Upload any local \
                   changes that the server doesn't know about.";
    let refusal = Refusal { inner: Some(finer), ..Refusal::new(410, code, message) };
    Ok(refusal.with("location", location))
}

/// Words of `Prefer` that change tracking of drives heeds.
struct Preferences {
    hierarchical: bool,
    /// Rows that changed in their sharing alone say so; it must come with two others.
    sharing: bool,
    told: Vec<&'static str>,
}

impl Preferences {
    fn of(scene: &Scene<'_>, kind: DriveKind) -> Self {
        const WORDS: [&str; 4] = [
            "hierarchicalsharing",
            "deltashowremovedasdeleted",
            "deltatraversepermissiongaps",
            "deltashowsharingchanges",
        ];
        let told: Vec<&'static str> = WORDS.into_iter().filter(|word| scene.call.prefers(word)).collect();
        let sharing = kind != DriveKind::Personal && WORDS[1..].iter().all(|word| told.contains(word));
        Self { hierarchical: told.contains(&WORDS[0]), sharing, told }
    }
}

/// One page being put together.
struct Walk<'a> {
    scene: &'a Scene<'a>,
    drive: &'a Drive,
    tree: &'a Tree,
    round: Round,
}

impl Walk<'_> {
    /// Nothing, and the link to what changes from now on.
    fn latest(mut self) -> Reply {
        let preferences = Preferences::of(self.scene, self.drive.kind);
        self.round.at = self.tree.trail.head();
        self.finished(Vec::new(), &preferences)
    }

    fn page(mut self) -> Reply {
        let preferences = Preferences::of(self.scene, self.drive.kind);
        let switches = self.scene.world.knobs().switches.clone();
        if !self.round.rested && self.round.falls_on(self.scene, switches.empty_pages, "rest") {
            self.round.rested = true;
            return self.continued(Vec::new(), &preferences);
        }
        self.round.rested = false;
        let asked = self.round.top.filter(|_| switches.files.delta_top);
        let size = asked.unwrap_or(USUAL).min(MOST);
        let first = self.round.at == 0;
        let mut choice = self.round.choice.clone();
        choice.url &= first || !switches.files.urls_on_first_page_only;
        let view = View::new(self.scene, self.drive, self.tree, choice);
        let before = self.round.clone();
        let (mut rows, more) = self.walk(&view, size, &preferences);
        if let Some(row) = rows.first().cloned().filter(|_| before.falls_on(self.scene, switches.repeat_rows, "repeat"))
        {
            rows.push(row);
        }
        if more { self.continued(rows, &preferences) } else { self.finished(rows, &preferences) }
    }

    fn walk(&mut self, view: &View<'_>, size: usize, preferences: &Preferences) -> (Vec<Value>, bool) {
        let mut entries = self.tree.log.range(self.round.at + 1..).peekable();
        let (mut rows, mut above) = (Vec::new(), HashSet::new());
        let mut counted = 0;
        while counted < size {
            let Some((step, noted)) = entries.next() else { break };
            match noted {
                Noted::Gone(gone) => {
                    let told = *step > self.round.begun || self.round.since > 0 || self.round.after.is_some();
                    let alone = gone.followed && !view.switches.deleted_folders_tell_all;
                    if told && !alone {
                        rows.push(view.tombstone(gone).into());
                        counted += 1;
                    }
                }
                Noted::Here(slot) => {
                    if let Some(row) = self.here(view, *slot, preferences) {
                        rows.push(row);
                        counted += 1;
                        self.with_parents(view, *slot, preferences, &mut above, &mut rows);
                    }
                }
            }
            self.round.at = *step;
        }
        self.round.digest = digest(self.tree, self.round.at);
        (rows, entries.peek().is_some())
    }

    fn here(&self, view: &View<'_>, slot: u32, preferences: &Preferences) -> Option<Value> {
        let item = self.tree.item(slot)?;
        let old = item.changed <= self.tree.loaded;
        if let Some(after) = self.round.after.filter(|_| old) {
            let modified = item.resource().get("lastModifiedDateTime")?.as_str()?.parse::<Timestamp>().ok()?;
            if modified.as_second() <= after {
                return None;
            }
        }
        let known = self.round.since > 0 && item.arrived <= self.round.since;
        let sharing_only = known && item.touched <= self.round.since;
        if sharing_only && self.drive.kind == DriveKind::Library && view.switches.libraries_omit_sharing {
            return None;
        }
        let mut row = view.tracked(slot, item, preferences.hierarchical);
        if sharing_only && preferences.sharing {
            row.insert("@microsoft.graph.sharedChanged".to_owned(), "True".into());
        }
        Some(row.into())
    }

    /// In later rounds the folders above a changed item come with it, unless `deltaExcludeParent` is among the headers; the
    /// root comes all the same (microsoft-graph-explorer-v4#4052).
    fn with_parents(
        &self,
        view: &View<'_>,
        slot: u32,
        preferences: &Preferences,
        told: &mut HashSet<u32>,
        rows: &mut Vec<Value>,
    ) {
        if self.round.since == 0 || !view.switches.delta_parents {
            return;
        }
        let without = self.scene.call.headers.contains_key("deltaexcludeparent");
        for (above, item) in self.tree.lineage(slot).skip(1).filter(|(above, _)| !without || *above == ROOT) {
            if told.insert(above) {
                rows.push(view.tracked(above, item, preferences.hierarchical).into());
            }
        }
    }

    fn continued(self, rows: Vec<Value>, preferences: &Preferences) -> Reply {
        let token = self.scene.world.seal.seal(&self.round);
        let next = format!("{}(token='{token}')", self.address());
        self.reply(rows, "@odata.nextLink", next, preferences)
    }

    fn finished(self, rows: Vec<Value>, preferences: &Preferences) -> Reply {
        let number = self.tree.rounds.fetch_add(1, Ordering::Relaxed) + 1;
        let head = self.tree.trail.head();
        let next = Round {
            since: head,
            at: head,
            digest: digest(self.tree, head),
            after: None,
            number,
            walking: false,
            rested: false,
            fresh: false,
            ..self.round.clone()
        };
        let token = self.scene.world.seal.seal(&next);
        let link = format!("{}?token={token}", self.address());
        self.reply(rows, "@odata.deltaLink", link, preferences)
    }

    /// The address of this call, without a token.
    fn address(&self) -> String {
        let address = self.scene.call.address();
        let bare = address.rsplit_once("/delta").map_or(address.as_str(), |(bare, _)| bare);
        format!("{bare}/delta")
    }

    fn reply(&self, rows: Vec<Value>, name: &str, link: String, preferences: &Preferences) -> Reply {
        let mut page = Map::new();
        page.insert("@odata.context".to_owned(), self.scene.call.context("Collection(driveItem)").into());
        page.insert(name.to_owned(), link.into());
        page.insert("value".to_owned(), rows.into());
        let reply = Reply::json(page);
        if preferences.told.is_empty() { reply } else { reply.with("preference-applied", &preferences.told.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stand_in_place_of_tokens() {
        let eight = moment("2021-09-29T12:00:00+08:00");
        assert!(eight.is_some());
        assert_eq!(moment("2021-09-29T12:00:00+8:00"), eight);
        assert_eq!(moment("2021-09-29T04:00:00Z"), eight);
        assert_eq!((moment("latest"), moment("eyJh")), (None, None));
    }
}
