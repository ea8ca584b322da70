//! Drives and sites: ordinary files, and for the first account of a hostile tenant every odd one. Chance is thrown for them
//! apart, so that they shift nothing else.

mod odd_files;
mod odd_names;
mod ordinary;
mod places;
mod shares;
mod shelf;

use super::Recipe;
use super::directory::{Member, Standing};
use crate::dump::Entry;

/// The drives of everybody who has one, and the sites of the group; nothing unless the recipe asks for files.
pub(super) fn tenant(recipe: &Recipe, cast: &[Member], extras: &[Member], entries: &[Entry]) -> Vec<Entry> {
    if recipe.files == 0 {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for (place, member) in cast.iter().enumerate().filter(|(_, member)| member.standing == Standing::Person) {
        lines.extend(account(recipe, place, member));
    }
    // who left has a drive still; who came just now has none yet
    for member in extras.iter().filter(|member| member.standing == Standing::Disabled) {
        let (site, mut shelf) = places::of_person(recipe, member);
        ordinary::fill(&mut shelf, 3);
        lines.push(site);
        lines.extend(shelf.into_entries());
    }
    let groups = entries.iter().filter(|entry| entry.kind == "group" && recipe.file_bytes.is_none());
    groups.for_each(|group| lines.extend(places::of_group(recipe, group)));
    lines
}

fn account(recipe: &Recipe, place: usize, member: &Member) -> Vec<Entry> {
    let (site, mut shelf) = places::of_person(recipe, member);
    match recipe.file_bytes {
        Some(size) => ordinary::alike(&mut shelf, recipe, size),
        None => {
            if recipe.hostile && place == 0 {
                odd_names::fill(&mut shelf);
                odd_files::fill(&mut shelf, recipe);
                shares::fill(&mut shelf);
            }
            ordinary::fill(&mut shelf, recipe.files);
        }
    }
    std::iter::once(site).chain(shelf.into_entries()).collect()
}
