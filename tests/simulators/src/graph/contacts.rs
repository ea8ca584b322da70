//! Contacts and their photos (Microsoft Graph docs: list contacts, get contact, get profilePhoto). `/contacts` lists those
//! of the default folder.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::access::READ_CONTACTS;
use super::calendars::entity;
use super::changes::Tracked;
use super::event_delta::untaken;
use super::expand::Expand;
use super::list::Window;
use super::properties::{PropertyId, expanded, of_item};
use super::rooms::{Listing, collection_at, item_at, vanishing};
use super::shape::{Look, Shape, readable};
use super::view::unknown_member;
use super::{Answer, Scene, contact_folders};
use crate::dump::Content;
use crate::tenant::{Item, Mailbox, RoomKind};
use crate::wire::{Payload, Refusal, Reply};

/// Microsoft Graph v1.0 schema: outlookItem and contact.
#[rustfmt::skip]
const CONTACT: Shape = Shape {
    name: "contact",
    members: &[
        "id", "categories", "changeKey", "createdDateTime", "lastModifiedDateTime", "assistantName", "birthday",
        "businessAddress", "businessHomePage", "businessPhones", "children", "companyName", "department", "displayName",
        "emailAddresses", "fileAs", "generation", "givenName", "homeAddress", "homePhones", "imAddresses", "initials",
        "jobTitle", "manager", "middleName", "mobilePhone", "nickName", "officeLocation", "otherAddress",
        "parentFolderId", "personalNotes", "primaryEmailAddress", "profession", "secondaryEmailAddress", "spouseName",
        "surname", "tertiaryEmailAddress", "title", "yomiCompanyName", "yomiGivenName", "yomiSurname",
    ],
    apart: &["photo", "singleValueExtendedProperties"],
};
/// What only the global cloud's schema has.
const THREE: &[&str] = &["primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress"];

pub(super) fn answer(scene: &Scene<'_>, user: &str, rest: &[&str]) -> Answer {
    match rest {
        ["contacts", rest @ ..] => of_contacts(scene, user, None, rest),
        ["contactFolders", rest @ ..] => contact_folders::answer(scene, user, rest),
        [other, ..] => Err(Refusal::no_such_segment(other)),
        [] => Err(Refusal::no_such_segment("")),
    }
}

pub(super) fn of_contacts(scene: &Scene<'_>, user: &str, folder: Option<&str>, rest: &[&str]) -> Answer {
    match (folder, rest) {
        (_, []) => list(scene, user, folder),
        (_, ["$count"]) => count(scene, user, folder),
        (Some(folder), ["delta"]) => delta(scene, user, folder),
        (None, ["delta"]) => Err(Refusal::untracked("contact")),
        (_, [contact]) => one(scene, user, folder, contact),
        (_, [contact, "photo"]) => photo(scene, user, folder, contact, false),
        (_, [contact, "photo", "$value"]) => photo(scene, user, folder, contact, true),
        (_, [_, other, ..]) => Err(Refusal::no_such_segment(other)),
    }
}

/// Where a folder stands.
///
/// # Errors
/// As for [`collection_at`].
pub(super) fn folder_at(mailbox: &Mailbox, key: &str) -> Result<u32, Refusal> {
    collection_at(mailbox, RoomKind::Contacts, "contacts", key)
}

/// How contacts are shown.
struct ContactRow {
    look: Look,
    expand: Expand,
    normalised: bool,
    global: bool,
}

impl ContactRow {
    fn of(scene: &Scene<'_>, expand: Option<&str>) -> Result<Self, Refusal> {
        let switches = scene.world.knobs().switches.clone();
        let look = Look::of(scene, &CONTACT)?;
        let global = switches.cloud.is_global();
        if let Some(lacking) = THREE.iter().find(|name| !global && look.names(name)) {
            return Err(unknown_member(lacking, "contact"));
        }
        let expand = Expand::parse(expand, "contact")?;
        Ok(Self { look, expand, normalised: switches.normalised_property_ids, global })
    }

    fn whole(&self, mailbox: &Mailbox, item: &Item) -> Map<String, Value> {
        let mut contact = item.resource();
        contact.insert("parentFolderId".to_owned(), json!(&*mailbox.contacts.collection(item.collection).id));
        contact.retain(|name, _| self.global || !THREE.contains(&name.as_str()));
        contact
    }

    fn row(&self, mailbox: &Mailbox, item: &Item) -> Map<String, Value> {
        let contact = self.whole(mailbox, item);
        let told = |id: &PropertyId| of_item(id, &contact, "IPM.Contact");
        let properties = expanded(&self.expand.properties, self.normalised, told);
        let mut row = self.look.row(&self.look.id(item, &mailbox.ids), contact);
        row.extend(properties.map(|found| ("singleValueExtendedProperties".to_owned(), found)));
        row
    }
}

fn listing<'a>(scene: &'a Scene<'a>, mailbox: &'a Mailbox, folder: Option<&str>) -> Result<Listing<'a>, Refusal> {
    let collection = folder_at(mailbox, folder.unwrap_or("contacts"))?;
    Ok(Listing { scene, mailbox, kind: RoomKind::Contacts, collection, of: "contact" })
}

fn list(scene: &Scene<'_>, user: &str, folder: Option<&str>) -> Answer {
    let row = ContactRow::of(scene, scene.call.query.get("$expand"))?;
    let window = Window::of_outlook(scene)?;
    let mailbox = scene.mailbox(user, READ_CONTACTS)?.read();
    let place = folder.map(|id| format!("/contactFolders('{id}')")).unwrap_or_default();
    let context = format!("users('{user}'){place}/contacts");
    listing(scene, &mailbox, folder)?.page(&context, window, &row.look, |item| row.row(&mailbox, item))
}

fn count(scene: &Scene<'_>, user: &str, folder: Option<&str>) -> Answer {
    let mailbox = scene.mailbox(user, READ_CONTACTS)?.read();
    Ok(Reply::text(listing(scene, &mailbox, folder)?.slots()?.len().to_string()))
}

fn delta(scene: &Scene<'_>, user: &str, folder: &str) -> Answer {
    untaken(scene, "Contacts")?;
    let row = ContactRow::of(scene, None)?;
    let mailbox = scene.mailbox(user, READ_CONTACTS)?.read();
    let collection = folder_at(&mailbox, folder)?;
    let place = format!("contacts {}", mailbox.contacts.collection(collection).id);
    let kind = RoomKind::Contacts;
    let tracked = Tracked { scene, mailbox: &mailbox, user, kind, collection, place, of: "contact" };
    let round = tracked.round()?;
    let look = Look::choosing(scene, &CONTACT, round.select.clone())?;
    tracked.things(round, &look, |item| row.whole(&mailbox, item))
}

/// A contact that is read for itself: those that are marked fail or vanish now.
fn opened(scene: &Scene<'_>, user: &str, folder: Option<&str>, key: &str) -> Result<u32, Refusal> {
    let lock = scene.mailbox(user, READ_CONTACTS)?;
    let slot = {
        let mailbox = lock.read();
        let folder = folder.map(|key| folder_at(&mailbox, key)).transpose()?;
        item_at(scene, &mailbox, RoomKind::Contacts, folder, key)?
    };
    vanishing(lock, RoomKind::Contacts, slot)?;
    lock.read().contacts.item(slot).map_or(Ok(()), readable)?;
    Ok(slot)
}

fn one(scene: &Scene<'_>, user: &str, folder: Option<&str>, key: &str) -> Answer {
    let row = ContactRow::of(scene, scene.call.query.get("$expand"))?;
    let slot = opened(scene, user, folder, key)?;
    let mailbox = scene.mailbox(user, READ_CONTACTS)?.read();
    let item = mailbox.contacts.item(slot).ok_or_else(Refusal::item_not_found)?;
    Ok(entity(scene, &format!("users('{user}')/contacts/$entity"), row.row(&mailbox, item)))
}

fn photo(scene: &Scene<'_>, user: &str, folder: Option<&str>, key: &str, bytes: bool) -> Answer {
    let slot = opened(scene, user, folder, key)?;
    let mailbox = scene.mailbox(user, READ_CONTACTS)?.read();
    let item = mailbox.contacts.item(slot).ok_or_else(Refusal::item_not_found)?;
    let picture = item.content.as_ref().ok_or_else(|| no_photo(scene))?;
    let kind = kind_of(picture);
    if bytes {
        let reply = Reply::of(StatusCode::OK, Payload::Bytes(picture.to_bytes()));
        return Ok(reply.with("content-type", kind));
    }
    let stated = item.resource().get("photo").cloned().unwrap_or_default();
    let size = |name: &str| stated[name].as_u64().unwrap_or(1);
    let (width, height) = (size("width"), size("height"));
    let row = json!({
        "@odata.mediaContentType": kind, "id": format!("{width}X{height}"), "width": width, "height": height,
    });
    let context = format!("users('{user}')/contacts('{key}')/photo/$entity");
    Ok(entity(scene, &context, row.as_object().cloned().unwrap_or_default()))
}

fn no_photo(scene: &Scene<'_>) -> Refusal {
    match scene.world.knobs().switches.photo_missing_as_image {
        true => Refusal::new(
            404,
            "ImageNotFound",
            "Exception of type 'Microsoft.Fast.Profile.Core.Exception.ImageNotFoundException' was thrown.",
        ),
        false => Refusal::item_not_found(),
    }
}

fn kind_of(picture: &Content) -> &'static str {
    let first = picture.chunks().next().unwrap_or_default();
    match first.get(..4) {
        Some(b"\x89PNG") => "image/png",
        Some(b"GIF8") => "image/gif",
        _ => "image/jpeg",
    }
}
