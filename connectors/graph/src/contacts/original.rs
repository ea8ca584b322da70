//! The original of a contact: `contact` (the contact resource) and `photo` (its bytes), where it has one, or `photoError`
//! (why the service would not give it).

use super::rows::CONTACTS;
use crate::{
    attached::{put, put_json},
    endpoint::{IMMUTABLE, preferring, segment},
    faults::Asked,
    service::Service,
};
use serde::de::IgnoredAny;
use serde_json::json;
use transhume_contract::{Facts, Fault, ItemRef, OriginalSink, Reach, Remedy, What};

/// Gives the original of one contact.
pub async fn fetch(service: &Service, item: &ItemRef, into: &mut dyn OriginalSink) -> Result<Facts, Fault> {
    into.clear().await?;
    let user = item.account.id.as_str();
    let path = (CONTACTS.one)(&segment(user), "", &segment(item.id.as_str()));
    let (IgnoredAny, contact) = service.item(user, &path, &[], "a contact").await?;
    put_json(into, "contact", contact).await?;
    photo(service, user, &path, into).await?;
    Ok(Facts::default())
}

/// Most contacts have none: 404 (`ErrorItemNotFound`, `ImageNotFound`). One that the service cannot give for good does
/// not keep its contact back.
async fn photo(service: &Service, user: &str, path: &str, into: &mut dyn OriginalSink) -> Result<(), Fault> {
    let url = service.endpoint.at(&format!("{path}/photo/$value"));
    let request = preferring(service.endpoint.mailbox(user, url), &[IMMUTABLE]);
    let answer = match service.whole(request, Asked::Item, "the photo of a contact").await {
        Ok(answer) => answer,
        Err(fault) if fault.reach > Reach::Item => return Err(fault),
        Err(fault) if fault.what == What::Vanished || fault.what == What::Unsupported => return Ok(()),
        Err(fault) if matches!(fault.remedy, Remedy::Skip(_)) => {
            let refused = json!({"code": fault.code, "message": fault.sentence});
            return put_json(into, "photoError", refused.to_string().into_bytes()).await;
        }
        Err(fault) => return Err(fault),
    };
    if answer.body.is_empty() {
        return Ok(());
    }
    let told = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok());
    let kind = told.filter(|kind| kind.starts_with("image/")).unwrap_or_else(|| kind(&answer.body)).to_owned();
    put(into, "photo".into(), &kind, answer.body).await
}

/// By its first bytes.
fn kind(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [0xFF, 0xD8, ..] => "image/jpeg",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_is_known_by_its_first_bytes() {
        assert_eq!(kind(b"\x89PNG\r\n"), "image/png");
        assert_eq!(kind(b"\xFF\xD8\xFF\xE0"), "image/jpeg");
        assert_eq!(kind(b"GIF89a"), "image/gif");
        assert_eq!(kind(b""), "application/octet-stream");
    }
}
