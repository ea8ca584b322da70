//! Contact folders (Microsoft Graph docs: list contactFolders, list childFolders, contactFolder delta). Whether the
//! default folder stands among them is a switch; it is reached by its name and its id in any case.

use serde_json::{Map, Value, json};

use super::access::READ_CONTACTS;
use super::calendars::{entity, no_expansion};
use super::changes::Shelves;
use super::contacts::{folder_at, of_contacts};
use super::event_delta::untaken;
use super::list::Window;
use super::rooms::page;
use super::shape::{Look, Shape};
use super::{Answer, Scene};
use crate::tenant::{Collection, Mailbox, RoomKind};
use crate::wire::Refusal;

const FOLDER: Shape = Shape {
    name: "contactFolder",
    members: &["id", "displayName", "parentFolderId"],
    apart: &["changeKey", "singleValueExtendedProperties"],
};

pub(super) fn answer(scene: &Scene<'_>, user: &str, rest: &[&str]) -> Answer {
    match rest {
        [] => list(scene, user, None),
        ["delta"] => delta(scene, user),
        [folder] => one(scene, user, folder),
        [folder, "childFolders"] => list(scene, user, Some(folder)),
        [_, "childFolders", child] => one(scene, user, child),
        [_, "childFolders", child, rest @ ..] => answer(scene, user, &[&[*child], rest].concat()),
        [folder, "contacts", rest @ ..] => of_contacts(scene, user, Some(folder), rest),
        [_, other, ..] => Err(Refusal::no_such_segment(other)),
    }
}

fn row(look: &Look, mailbox: &Mailbox, folder: &Collection) -> Map<String, Value> {
    let mut whole = folder.resource.clone();
    if folder.text("parentFolderId").is_empty() {
        let root = mailbox.root().map(|at| mailbox.folder(at).id.to_string());
        whole.insert("parentFolderId".to_owned(), json!(root));
    }
    look.row(&folder.id, whole)
}

/// The folder a folder lies in, where that is one of contacts and not the default one: top folders lie there.
fn above(mailbox: &Mailbox, folder: &Collection) -> Option<u32> {
    let parent = mailbox.contacts.named(folder.text("parentFolderId"))?;
    (Some(parent) != mailbox.default_of(RoomKind::Contacts)).then_some(parent)
}

fn list(scene: &Scene<'_>, user: &str, parent: Option<&str>) -> Answer {
    let look = Look::of(scene, &FOLDER)?;
    no_expansion(scene, "contactFolder")?;
    let window = Window::of_outlook(scene)?;
    let mailbox = scene.mailbox(user, READ_CONTACTS)?.read();
    let parent = parent.map(|key| folder_at(&mailbox, key)).transpose()?;
    let default = mailbox.default_of(RoomKind::Contacts);
    let shows_default = scene.world.knobs().switches.default_contacts_listed && parent.is_none();
    let inside = parent.filter(|parent| Some(*parent) != default);
    let listed = |at: u32, folder: &Collection| match Some(at) == default {
        true => shows_default,
        false => !folder.is_hidden() && above(&mailbox, folder) == inside,
    };
    let folders = mailbox.contacts.living().filter(|(at, folder)| listed(*at, folder));
    let folders = folders.filter(|_| parent.is_none() || inside.is_some());
    let rows = folders.map(|(_, folder)| row(&look, &mailbox, folder).into()).collect();
    page(scene, &format!("users('{user}')/contactFolders"), rows, window)
}

fn one(scene: &Scene<'_>, user: &str, folder: &str) -> Answer {
    let look = Look::of(scene, &FOLDER)?;
    let mailbox = scene.mailbox(user, READ_CONTACTS)?.read();
    let at = folder_at(&mailbox, folder)?;
    let row = row(&look, &mailbox, mailbox.contacts.collection(at));
    Ok(entity(scene, &format!("users('{user}')/contactFolders/$entity"), row))
}

fn delta(scene: &Scene<'_>, user: &str) -> Answer {
    untaken(scene, "ContactFolders")?;
    let look = Look::of(scene, &FOLDER)?;
    let mailbox = scene.mailbox(user, READ_CONTACTS)?.read();
    let listed = scene.world.knobs().switches.default_contacts_listed;
    let default = mailbox.default_of(RoomKind::Contacts);
    let shelves = Shelves {
        scene,
        mailbox: &mailbox,
        user,
        kind: RoomKind::Contacts,
        place: "contactFolders",
        of: "contactFolder",
    };
    shelves.page(|at| {
        let folder = mailbox.contacts.collection(at);
        let shown = !folder.is_hidden() && (listed || Some(at) != default);
        shown.then(|| row(&look, &mailbox, folder))
    })
}
