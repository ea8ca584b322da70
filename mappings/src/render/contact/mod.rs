//! A contact, from Microsoft Graph's data to one vCard (RFC 6350, or RFC 2426 where a target needs 3.0).
//!
//! One file for each family of properties; [`FAMILIES`] lists them.

mod card;
mod name;
mod personal;
mod photo;
mod reach;
mod work;

use crate::loss::Losses;
use crate::render::json::said;
use crate::{ContactProfile, Parts, RenderedObject, Unrendered, VCardForm};
use card::Card;
use serde_json::Value;
use std::io::{Read, Write};

type Family = fn(&mut Card, &Value, &mut Losses);

const FAMILIES: [Family; 5] = [name::add, reach::add, work::add, personal::add, unmapped];

/// No contact has more bytes of JSON.
const JSON_MAX: u64 = 16 << 20;

/// Carried by a family.
const CARRIED: [&str; 36] = [
    "assistantName",
    "birthday",
    "businessAddress",
    "businessHomePage",
    "businessPhones",
    "categories",
    "children",
    "companyName",
    "department",
    "displayName",
    "emailAddresses",
    "fileAs",
    "generation",
    "givenName",
    "homeAddress",
    "homePhones",
    "imAddresses",
    "initials",
    "jobTitle",
    "manager",
    "middleName",
    "mobilePhone",
    "nickName",
    "officeLocation",
    "otherAddress",
    "personalNotes",
    "primaryEmailAddress",
    "profession",
    "secondaryEmailAddress",
    "spouseName",
    "surname",
    "tertiaryEmailAddress",
    "title",
    "yomiCompanyName",
    "yomiGivenName",
    "yomiSurname",
];

/// Means nothing outside the mailbox.
const BOOKKEEPING: [&str; 6] =
    ["changeKey", "createdDateTime", "id", "lastModifiedDateTime", "parentFolderId", "photo"];

/// Writes the vCard of a contact's original into `out`. The parts are described at [`Parts`].
///
/// # Errors
/// [`Unrendered::Unmappable`] when the original has no readable part `contact`; [`Unrendered::Io`] when a part or `out`
/// fails.
pub fn contact(
    original: &dyn Parts,
    profile: &ContactProfile,
    out: &mut dyn Write,
) -> Result<RenderedObject, Unrendered> {
    let mut losses = Losses::default();
    let contact = read(original, &mut losses)?;
    let uid = uid(contact["id"].as_str().unwrap_or_default(), profile);
    let mut card = Card::new(&uid, profile);
    FAMILIES.into_iter().for_each(|family| family(&mut card, &contact, &mut losses));
    photo::add(&mut card, original, profile, &mut losses)?;
    card.stamp(said(&contact, "lastModifiedDateTime"));
    let text = card.text();
    out.write_all(text.as_bytes())?;
    Ok(RenderedObject { losses: losses.finish(), uid, size: text.len() as u64 })
}

fn read(original: &dyn Parts, losses: &mut Losses) -> Result<Value, Unrendered> {
    if !original.parts().iter().any(|part| part.name == "contact") {
        return Err(Unrendered::unmappable("This original has no part `contact`; pull the item again."));
    }
    let mut bytes = Vec::new();
    original.open("contact")?.take(JSON_MAX).read_to_end(&mut bytes)?;
    if let Ok(contact) = serde_json::from_slice(&bytes) {
        return Ok(contact);
    }
    // Raw control characters, which the service has sent inside strings.
    bytes.iter_mut().filter(|byte| **byte < b' ').for_each(|byte| *byte = b' ');
    let contact = serde_json::from_slice(&bytes).map_err(|error| {
        Unrendered::unmappable(format!("The part `contact` is no JSON ({error}); pull the item again."))
    })?;
    losses.add("json_repaired", "raw control characters in the service's data became spaces");
    Ok(contact)
}

/// The service has no UID for contacts, so one is made from the id, the same each time (RFC 4122 form). In 4.0 it is a
/// URI (RFC 6350 6.7.6).
#[must_use]
pub fn uid(id: &str, profile: &ContactProfile) -> String {
    let digest = blake3::hash(id.as_bytes());
    let hex = digest.to_hex();
    let scheme = if profile.form == VCardForm::V4 { "urn:uuid:" } else { "" };
    format!("{scheme}{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30])
}

fn unmapped(_: &mut Card, contact: &Value, losses: &mut Losses) {
    let known = |name: &str| name.contains('@') || CARRIED.contains(&name) || BOOKKEEPING.contains(&name);
    let says = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    };
    let members = contact.as_object().into_iter().flatten();
    let unknown: Vec<&str> =
        members.filter(|(name, value)| !known(name) && says(value)).map(|(name, _)| name.as_str()).collect();
    if !unknown.is_empty() {
        losses.add("property_unknown", format!("{}: nothing of a card is known for it", unknown.join(", ")));
    }
}
