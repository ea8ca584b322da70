//! A busy day in a mailbox: many small changes, the same for the same seed.

use parking_lot::RwLock;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::mutate::{delete, deliver, edit, replied};
use crate::tenant::{Mailbox, User, outlook_time};
use crate::world::World;

/// Makes so many changes, and answers how many of each kind.
pub(super) fn stir(world: &World, user: &User, mailbox: &RwLock<Mailbox>, seed: u64, count: u32) -> Value {
    let mut dice = ChaCha8Rng::seed_from_u64(seed ^ crate::tenant::short(&user.id));
    let mut mailbox = mailbox.write();
    let mut tally = Map::new();
    for number in 0..count {
        let kind = change(world, user, &mut mailbox, &mut dice, (seed, number));
        let so_far = tally.get(kind).and_then(Value::as_u64).unwrap_or_default();
        tally.insert(kind.to_owned(), (so_far + 1).into());
    }
    tally.insert("user".to_owned(), user.upn.as_str().into());
    tally.into()
}

fn change(
    world: &World,
    user: &User,
    mailbox: &mut Mailbox,
    dice: &mut ChaCha8Rng,
    number: (u64, u32),
) -> &'static str {
    let roll = dice.random_range(0..100);
    let picked = if roll < 30 { None } else { pick(mailbox, dice) };
    match (roll, picked) {
        (30..55, Some(slot)) => set(world, mailbox, slot, "read", json!({"isRead": dice.random_bool(0.7)})),
        (55..65, Some(slot)) => set(world, mailbox, slot, "flag", json!({"flag": {"flagStatus": "flagged"}})),
        (65..75, Some(slot)) => set(world, mailbox, slot, "categories", json!({"categories": ["Churned"]})),
        (75..80, Some(slot)) => {
            replied(mailbox, slot, 102, &outlook_time(world.now()));
            "reply"
        }
        (80..92, Some(slot)) => moved(mailbox, slot, dice),
        (92.., Some(slot)) => {
            let hard = dice.random_bool(0.3);
            let _ = delete(mailbox, slot, hard); // a picked message can be deleted
            "delete"
        }
        _ => arrival(world, user, mailbox, dice, number),
    }
}

/// Any message. Drawn from the order in which they came, since times depend on the second at which this runs.
fn pick(mailbox: &Mailbox, dice: &mut ChaCha8Rng) -> Option<u32> {
    let slots = mailbox.slots();
    let drawn = dice.random_range(0..slots.max(1));
    (drawn..slots).chain(0..drawn).find(|slot| mailbox.message(*slot).is_some())
}

fn set(world: &World, mailbox: &mut Mailbox, slot: u32, kind: &'static str, members: Value) -> &'static str {
    let members = members.as_object().cloned().unwrap_or_default();
    let _ = edit(world, mailbox, slot, &members); // these members can be set
    kind
}

fn moved(mailbox: &mut Mailbox, slot: u32, dice: &mut ChaCha8Rng) -> &'static str {
    let usable =
        |(at, folder): (u32, &crate::tenant::Folder)| (folder.parent.is_some() && !folder.is_search()).then_some(at);
    let folders: Vec<u32> = mailbox.living_folders().filter_map(usable).collect();
    if let Some(to) = folders.choose(dice) {
        mailbox.move_message(slot, *to);
    }
    "move"
}

fn arrival(
    world: &World,
    user: &User,
    mailbox: &mut Mailbox,
    dice: &mut ChaCha8Rng,
    number: (u64, u32),
) -> &'static str {
    let folder = mailbox.folder_named("inbox").or_else(|| mailbox.root());
    let Some(folder) = folder else { return "nothing" };
    let (seed, at) = number;
    let date = world.now().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    let lines = dice.random_range(1..40);
    let text = "A line of an ordinary message.\r\n".repeat(lines);
    let mime = format!(
        "From: Someone <someone@example.org>\r\nTo: {to}\r\nSubject: Arrived {seed}-{at}\r\nDate: {date}\r\n\
         Message-ID: <churn.{seed}.{at}.{to}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}",
        to = user.upn,
    );
    deliver(world, mailbox, folder, mime.into_bytes(), Map::new());
    "arrive"
}
