//! PHOTO, inside the card.

use super::card::Card;
use crate::loss::Losses;
use crate::{ContactProfile, Parts, Unrendered, VCardForm};
use calcard::common::Data;
use calcard::vcard::{VCardEntry, VCardParameter, VCardParameterName, VCardProperty, VCardValue};
use std::io::Read;

pub(super) fn add(
    card: &mut Card,
    original: &dyn Parts,
    profile: &ContactProfile,
    losses: &mut Losses,
) -> Result<(), Unrendered> {
    let parts = original.parts();
    let Some(part) = parts.iter().find(|part| part.name == "photo") else {
        if parts.iter().any(|part| part.name == "photoError") {
            losses.add("photo_missing", "the service would not give the photo");
        }
        return Ok(());
    };
    if part.size > profile.photo_max {
        losses
            .add("photo_too_large", format!("the photo ({} bytes) is over what the target takes in a card", part.size));
        return Ok(());
    }
    let mut data = Vec::new();
    original.open("photo")?.read_to_end(&mut data)?;
    let kind = kind(&data, &part.media_type);
    let entry = VCardEntry::new(VCardProperty::Photo);
    let entry = match card.form {
        VCardForm::V4 => entry,
        VCardForm::V3 => {
            let token = kind.trim_start_matches("image/").to_uppercase();
            entry.with_param(VCardParameter::new(VCardParameterName::Type, token))
        }
    };
    card.push(entry.with_values(vec![VCardValue::Binary(Data { content_type: Some(kind), data })]));
    Ok(())
}

/// By the first bytes; the service's word for photos is not always true.
fn kind(data: &[u8], told: &str) -> String {
    let kind = match data {
        [0xFF, 0xD8, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        _ => told.split(';').next().unwrap_or_default().trim(),
    };
    if kind.starts_with("image/") { kind.to_owned() } else { "image/jpeg".to_owned() }
}
