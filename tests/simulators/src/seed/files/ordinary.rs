//! Files as an office has them: many small ones, in folders by year and subject.

use serde_json::json;

use super::shelf::{Shelf, Spot, TOP};
use crate::seed::Recipe;

/// Stem and suffix.
#[rustfmt::skip]
const NAMES: [(&str, &str); 14] = [
    ("Compte rendu", "docx"), ("Budget", "xlsx"), ("Présentation", "pptx"), ("Facture n°", "pdf"), ("Plan de masse", "pdf"),
    ("IMG_", "jpg"), ("Protokoll", "docx"), ("Rechnung", "pdf"), ("会議資料", "xlsx"), ("notes", "txt"), ("export", "csv"),
    ("archive", "zip"), ("Zdjęcie", "png"), ("Σχέδιο", "docx"),
];
const SUBJECTS: [&str; 6] = ["Voirie", "École", "Urbanisme", "Fêtes & cérémonies", "Marchés publics", "Personnel"];

/// So many files in a folder of a subject.
const IN_A_FOLDER: u32 = 40;

/// Fills a drive up to the number asked for.
pub(super) fn fill(shelf: &mut Shelf, count: u32) {
    let mut folder = TOP;
    let mut years: Vec<(u64, Spot)> = Vec::new();
    for number in shelf.files..count {
        if number.is_multiple_of(IN_A_FOLDER) {
            folder = next_folder(shelf, &mut years, number / IN_A_FOLDER);
        }
        let (stem, suffix) = *shelf.dice.pick(&NAMES);
        let name = format!("{stem} {number:05}.{suffix}");
        let length = length(shelf);
        let content = shelf.bytes(length);
        shelf.file(folder, &name, content, json!({}));
    }
}

/// A folder of a subject in a year; some lie in one of the same subject.
fn next_folder(shelf: &mut Shelf, years: &mut Vec<(u64, Spot)>, number: u32) -> Spot {
    let year = 2015 + u64::from(number / 6) % 12;
    let known = years.iter().find(|(of, _)| *of == year).map(|(_, spot)| *spot);
    let above = known.unwrap_or_else(|| {
        let spot = shelf.folder(TOP, &year.to_string());
        years.push((year, spot));
        spot
    });
    let subject = SUBJECTS[number as usize % SUBJECTS.len()];
    shelf.folder(above, &format!("{subject} {number}"))
}

/// Most are small: thirteen kilobytes on the average, so that thousands are soon read.
fn length(shelf: &mut Shelf) -> u64 {
    match shelf.dice.below(100) {
        0..85 => shelf.dice.below(10_000),
        85..98 => 10_000 + shelf.dice.below(50_000),
        _ => 60_000 + shelf.dice.below(440_000),
    }
}

/// Files for benchmarks: of one size, a hundred in a folder.
pub(super) fn alike(shelf: &mut Shelf, recipe: &Recipe, size: u32) {
    let mut folder = TOP;
    for number in 0..recipe.files {
        if number.is_multiple_of(100) {
            folder = shelf.folder(TOP, &format!("folder {:04}", number / 100));
        }
        let content = shelf.bytes(u64::from(size));
        shelf.file(folder, &format!("file {number:06}.bin"), content, json!({}));
    }
}
