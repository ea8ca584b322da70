//! A busy day in a drive: many small changes, the same for the same seed.

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::files::Desk;
use crate::dump::Content;
use crate::tenant::sharepoint::{DriveItem, ROOT};

/// Makes so many changes, and answers how many of each kind.
pub(super) fn stir(desk: &mut Desk<'_>, seed: u64, count: u32) -> Value {
    let mut dice = ChaCha8Rng::seed_from_u64(seed ^ crate::tenant::short(&desk.drive.id));
    let mut tally = Map::new();
    for number in 0..count {
        let done = change(desk, &mut dice, &format!("{seed}-{number}")).unwrap_or("nothing");
        let so_far = tally.get(done).and_then(Value::as_u64).unwrap_or_default();
        tally.insert(done.to_owned(), (so_far + 1).into());
    }
    tally.into()
}

/// A change that cannot be done, into a folder that holds the name already for instance, is none.
fn change(desk: &mut Desk<'_>, dice: &mut ChaCha8Rng, name: &str) -> Result<&'static str, String> {
    let roll = dice.random_range(0..100);
    let files = slots(desk, |item| item.facets.file && !item.facets.package);
    let folders = slots(desk, |item| item.facets.folder && !item.facets.package);
    let below = |slots: &[u32]| slots.iter().copied().filter(|slot| *slot != ROOT).collect::<Vec<u32>>();
    let file = files.choose(dice).copied();
    let folder = *folders.choose(dice).ok_or("There is no folder.")?;
    let moved = below(&folders).choose(dice).copied();
    let body = Content::Seeded { seed: dice.random(), length: dice.random_range(0..20_000) };
    match (roll, file) {
        (0..25, _) => desk.new_file(folder, &format!("Arrived {name}.txt"), body, &Map::new()).map(|_| "new"),
        (25..30, _) => desk.new_folder(folder, &format!("Folder {name}")).map(|_| "new_folder"),
        (30..55, Some(slot)) => desk.write(slot, body).map(|_| "write"),
        (55..65, Some(slot)) => desk.rename(slot, &format!("Renamed {name}.txt")).map(|_| "rename"),
        (65..75, Some(slot)) => desk.shift(slot, folder).map(|_| "move"),
        (75..80, Some(slot)) => {
            let link = json!({"roles": ["read"], "link": {"type": "view", "scope": "organization"}});
            desk.share(slot, link.as_object().cloned().unwrap_or_default());
            Ok("share")
        }
        (80..90, Some(slot)) => desk.delete(slot).map(|_| "delete"),
        (90..94, _) => {
            let slot = moved.ok_or("There is no folder but the root.")?;
            desk.rename(slot, &format!("Renamed {name}")).map(|_| "rename_folder")
        }
        (94..98, _) => {
            let slot = moved.ok_or("There is no folder but the root.")?;
            desk.shift(slot, folder).map(|_| "move_folder")
        }
        _ => Err("Nothing happened.".to_owned()),
    }
}

fn slots(desk: &Desk<'_>, wanted: impl Fn(&DriveItem) -> bool) -> Vec<u32> {
    desk.tree.items().filter(|(_, item)| wanted(item)).map(|(slot, _)| slot).collect()
}
