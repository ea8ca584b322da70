//! The simulated tenant out of a few numbers: a town hall whose first mailboxes hold every odd mail we know of.

mod contacts;
mod dice;
mod directory;
mod events;
mod files;
mod hostile;
mod locale;
mod mailbox;
mod mime;
pub mod mime_view;
mod odd_folders;
mod odd_mail;
mod office;
mod plain;
mod resource;
mod settings;
mod states;
mod tasks;

use directory::{Member, Standing};
use jiff::Timestamp;

use self::dice::Dice;
pub use self::hostile::{Shape, hostile_mails};
use self::mailbox::Mailbox;
use crate::dump::{Dump, Entry, Provider};

/// The moment at which the tenant stands still.
const NOW: Timestamp = Timestamp::constant(1_782_820_800, 0); // 2026-06-30T12:00:00Z

/// What the tenant shall hold. The same recipe makes the same bytes, on every machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Mailboxes with mail. Unless `message_bytes` is set, a few others are there too: an empty one, a room,
    /// a former employee, a guest and a trainee without mailbox.
    pub accounts: u32,
    /// Messages per account. With `hostile`, the first accounts hold each odd shape once however small this is.
    pub messages: u32,
    /// Per account, as are contacts, tasks and files. A series counts once. With `hostile`, the first account holds every
    /// odd one however small this is, unless it is 0. People have drives; shared mailboxes have none, and the group has sites
    /// with a tenth of the files.
    pub events: u32,
    pub contacts: u32,
    pub tasks: u32,
    pub files: u32,
    pub seed: u64,
    pub hostile: bool,
    /// Plain benchmark mails of about this many bytes instead of office mail, all in the inbox. Costs about 3 KB of
    /// memory a mail, whatever their size.
    pub message_bytes: Option<u32>,
    /// Plain benchmark files of this many bytes instead of an office's, a hundred in a folder, and no sites but those of
    /// people.
    pub file_bytes: Option<u32>,
    /// Of the odd files, those that are larger are left out. The largest have 64 MiB and 3 GiB.
    pub largest_file: u64,
}

impl Default for Recipe {
    /// The tenant of the demo.
    fn default() -> Self {
        Self {
            accounts: 5,
            messages: 60,
            events: 0,
            contacts: 0,
            tasks: 0,
            files: 0,
            seed: 1,
            hostile: true,
            message_bytes: None,
            file_bytes: None,
            largest_file: 64 << 20,
        }
    }
}

/// Makes the tenant.
#[must_use]
pub fn tenant(recipe: &Recipe) -> Dump {
    let mut dice = Dice::named(recipe.seed, "directory");
    let cast = directory::cast(recipe.accounts, &mut dice);
    let extras = if recipe.message_bytes.is_some() { Vec::new() } else { directory::extras(&mut dice) };
    let everybody = || cast.iter().chain(&extras);
    let mut entries: Vec<Entry> = everybody().map(|member| directory::user(member, &mut dice)).collect();
    entries.extend(directory::group(&cast, &mut dice));
    for (place, member) in cast.iter().enumerate() {
        entries.extend(account(recipe, place, member));
        entries.extend(events::account(recipe, place, &cast));
        entries.extend(contacts::account(recipe, place, member));
        entries.extend(tasks::account(recipe, place, member));
    }
    extras
        .iter()
        .filter(|member| member.standing.has_mailbox())
        .for_each(|member| entries.extend(small(recipe, member)));
    let files = files::tenant(recipe, &cast, &extras, &entries);
    entries.extend(files);
    Dump { provider: Provider::Graph, entries }
}

/// One mailbox with its mail and settings.
fn account(recipe: &Recipe, place: usize, member: &Member) -> Vec<Entry> {
    let dice = &mut Dice::named(recipe.seed, &member.upn);
    let mut mailbox = Mailbox::new(&member.upn, member.locale, dice);
    match recipe.message_bytes {
        Some(size) => plain::fill(&mut mailbox, recipe, size, dice),
        None => lived_in(&mut mailbox, recipe, place, member, dice),
    }
    let mut entries = settings::of(member, place, &mailbox, dice);
    entries.extend(mailbox.into_entries());
    entries
}

/// Odd mail and folders where they belong, and office mail up to the number asked for.
fn lived_in(mailbox: &mut Mailbox, recipe: &Recipe, place: usize, member: &Member, dice: &mut Dice) {
    if recipe.hostile && place == 0 {
        let folders = odd_folders::grow(mailbox, dice);
        odd_mail::fill(mailbox, &folders, dice);
        states::fill(mailbox, dice);
    }
    if recipe.hostile && place + 1 == (recipe.accounts as usize).min(2) {
        odd_folders::three_hundred(mailbox, dice);
    }
    office::fill(mailbox, recipe.messages.saturating_sub(mailbox.len()), member, dice);
}

/// A mailbox that is there however small the recipe is: empty, but for those of people who left.
fn small(recipe: &Recipe, member: &Member) -> Vec<Entry> {
    let dice = &mut Dice::named(recipe.seed, &member.upn);
    let mut mailbox = Mailbox::new(&member.upn, member.locale, dice);
    if member.standing == Standing::Disabled {
        office::fill(&mut mailbox, 3, member, dice);
    }
    let mut entries = settings::of(member, usize::MAX, &mailbox, dice);
    entries.extend(mailbox.into_entries());
    entries
}
