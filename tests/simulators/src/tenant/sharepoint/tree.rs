//! What lies in a drive, and every change that can happen to it. Each change is a step of its [`Trail`].

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;

use super::DriveItem;
use super::names::alike;
use crate::tenant::trail::Trail;

#[derive(Default)]
pub(crate) struct Tree {
    pub trail: Trail,
    items: Vec<Option<DriveItem>>,
    item_at: HashMap<Arc<str>, u32>,
    /// From which rounds of change tracking are served.
    pub log: BTreeMap<u64, Noted>,
    /// When steps happened; those before the first of them were loaded.
    times: Vec<(Timestamp, u64)>,
    /// The last step of loading.
    pub loaded: u64,
    /// What its files held when it was loaded.
    pub loaded_bytes: u64,
    /// Grows when delta tokens are made to expire.
    pub generation: u64,
    /// Rounds of change tracking that were finished.
    pub rounds: AtomicU64,
}

/// What the log knows at a step. An item that changes again moves to its new step.
pub(crate) enum Noted {
    Here(u32),
    Gone(Gone),
}

/// An item that was deleted.
pub(crate) struct Gone {
    pub id: Arc<str>,
    pub name: String,
    pub parent: Option<Arc<str>>,
    pub folder: bool,
    /// It went because what it lay in went.
    pub followed: bool,
}

/// The slot of the root: it is the first to come, and never goes.
pub(crate) const ROOT: u32 = 0;

/// Finding things.
impl Tree {
    pub fn item(&self, slot: u32) -> Option<&DriveItem> {
        self.items.get(slot as usize)?.as_ref()
    }

    pub fn item_mut(&mut self, slot: u32) -> Option<&mut DriveItem> {
        self.items.get_mut(slot as usize)?.as_mut()
    }

    pub fn named(&self, id: &str) -> Option<u32> {
        self.item_at.get(id).copied()
    }

    /// Everything that exists, in the order in which it came.
    pub fn items(&self) -> impl Iterator<Item = (u32, &DriveItem)> {
        (0..).zip(&self.items).filter_map(|(slot, item)| item.as_ref().map(|item| (slot, item)))
    }

    pub fn children(&self, slot: u32) -> &[u32] {
        self.item(slot).map_or(&[], |item| item.children.as_slice())
    }

    /// What lies in a folder under a name; one that is written exactly so goes before one that differs in case.
    pub fn child(&self, slot: u32, name: &str) -> Option<u32> {
        let named = |like: fn(&str, &str) -> bool| {
            let called = |child: &&u32| self.item(**child).is_some_and(|child| like(&child.name, name));
            self.children(slot).iter().find(called).copied()
        };
        named(|one, other| one == other).or_else(|| named(alike))
    }

    /// What a path leads to from an item.
    pub fn at_path<'a>(&self, from: u32, path: impl IntoIterator<Item = &'a str>) -> Option<u32> {
        path.into_iter().try_fold(from, |at, name| self.child(at, name))
    }

    /// The item and what it lies in, up to the root.
    pub fn lineage(&self, slot: u32) -> impl Iterator<Item = (u32, &DriveItem)> {
        let above = |at: &u32| self.item(*at).and_then(|item| item.parent);
        std::iter::successors(Some(slot), above).filter_map(|at| self.item(at).map(|item| (at, item)))
    }

    /// The names from below the root to the item itself.
    pub fn path(&self, slot: u32) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.lineage(slot).filter(|(at, _)| *at != ROOT).map(|(_, item)| item.name.as_str()).collect();
        names.reverse();
        names
    }

    /// The items below one, and itself, what is above before what is below.
    pub fn family(&self, slot: u32) -> Vec<u32> {
        let mut found = Vec::new();
        let mut waiting = vec![slot];
        while let Some(slot) = waiting.pop() {
            found.push(slot);
            waiting.extend(self.children(slot).iter().rev());
        }
        found
    }

    /// The last step that had happened at a moment; none before the drive was loaded.
    pub fn step_at(&self, moment: Timestamp) -> Option<u64> {
        let later = self.times.partition_point(|(when, _)| *when <= moment);
        later.checked_sub(1).map(|at| self.times[at].1)
    }
}

/// Loading: items first, then [`Tree::hang`] for each, then [`Tree::settle`].
impl Tree {
    pub fn load(&mut self, item: DriveItem) -> u32 {
        let slot = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.item_at.insert(item.id.clone(), slot);
        self.items.push(Some(item));
        slot
    }

    pub fn hang(&mut self, slot: u32, parent: u32) {
        let bytes = self.item(slot).map_or(0, |item| item.bytes);
        if let Some(item) = self.item_mut(slot) {
            item.parent = Some(parent);
        }
        if let Some(above) = self.item_mut(parent) {
            above.children.push(slot);
        }
        self.weigh(parent, 0, bytes);
    }

    /// Gives everything its first step. Some folders get theirs after all else, so that they are told of after what
    /// lies in them and on later pages, as the service does.
    pub fn settle(&mut self) {
        let late = |(slot, item): &(u32, &DriveItem)| {
            *slot != ROOT && item.facets.folder && crate::tenant::short(&item.id).is_multiple_of(3)
        };
        let (later, first): (Vec<_>, Vec<_>) = self.items().partition(late);
        let order: Vec<u32> = first.into_iter().chain(later).map(|(slot, _)| slot).collect();
        order.into_iter().for_each(|slot| self.note(slot, "load", true));
        self.loaded = self.trail.head();
        self.loaded_bytes = self.item(ROOT).map_or(0, |root| root.bytes);
        for item in self.items.iter_mut().flatten() {
            item.arrived = item.changed;
        }
    }
}

/// Changing things. Tags and times are the business of who changes them.
impl Tree {
    /// Adds an item below another one.
    pub fn add(&mut self, item: DriveItem, parent: u32, now: Timestamp) -> u32 {
        let slot = self.load(item);
        self.hang(slot, parent);
        self.note(slot, "add", true);
        self.date(now);
        if let Some(item) = self.item_mut(slot) {
            item.arrived = item.changed;
        }
        slot
    }

    /// Changes an item; a change of its sharing alone is told apart.
    pub fn edit(&mut self, slot: u32, sharing: bool, now: Timestamp, change: impl FnOnce(&mut DriveItem)) {
        let Some(item) = self.item_mut(slot) else { return };
        let before = item.bytes;
        change(item);
        let (after, above) = (item.bytes, item.parent);
        if let Some(above) = above {
            self.weigh(above, before, after);
        }
        self.note(slot, "edit", !sharing);
        self.date(now);
    }

    /// Hangs an item elsewhere; its id stays.
    pub fn relocate(&mut self, slot: u32, to: u32, now: Timestamp) {
        let Some((bytes, from)) = self.item(slot).and_then(|item| Some((item.bytes, item.parent?))) else { return };
        self.forget(slot, from, bytes);
        self.hang(slot, to);
        self.note(slot, "move", true);
        self.date(now);
    }

    /// Deletes an item with all that lies below it, the lowest first.
    pub fn remove(&mut self, slot: u32, now: Timestamp) {
        let Some((bytes, from)) = self.item(slot).and_then(|item| Some((item.bytes, item.parent?))) else { return };
        self.forget(slot, from, bytes);
        for below in self.family(slot).into_iter().rev() {
            self.bury(below, below != slot);
        }
        self.date(now);
    }

    fn bury(&mut self, slot: u32, followed: bool) {
        let parent = self.item(slot).and_then(|item| self.item(item.parent?)).map(|above| above.id.clone());
        let Some(item) = self.items.get_mut(slot as usize).and_then(Option::take) else { return };
        let step = self.trail.step(&["remove", &item.id]);
        self.item_at.remove(&item.id);
        self.log.remove(&item.changed);
        let gone = Gone { id: item.id, name: item.name, parent, folder: item.facets.folder, followed };
        self.log.insert(step, Noted::Gone(gone));
    }

    /// Takes an item out of what it lies in.
    fn forget(&mut self, slot: u32, from: u32, bytes: u64) {
        if let Some(above) = self.item_mut(from) {
            above.children.retain(|child| *child != slot);
        }
        self.weigh(from, bytes, 0);
    }

    /// Counts a change of size in an item and all above it.
    fn weigh(&mut self, slot: u32, before: u64, after: u64) {
        let mut at = Some(slot);
        while let Some(item) = at.and_then(|at| self.item_mut(at)) {
            item.bytes = item.bytes.saturating_sub(before).saturating_add(after);
            at = item.parent;
        }
    }

    /// Moves an item to a new step of the log.
    fn note(&mut self, slot: u32, what: &str, touched: bool) {
        let Some(item) = self.items.get_mut(slot as usize).and_then(Option::as_mut) else { return };
        let step = self.trail.step(&[what, &item.id, &item.name]);
        self.log.remove(&item.changed);
        item.changed = step;
        if touched {
            item.touched = step;
        }
        self.log.insert(step, Noted::Here(slot));
    }

    fn date(&mut self, now: Timestamp) {
        self.times.push((now, self.trail.head()));
    }
}
