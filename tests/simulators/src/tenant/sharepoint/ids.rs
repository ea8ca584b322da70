//! Ids as SharePoint and OneDrive form them: an item has one for life, whatever it is called and wherever it lies.

use data_encoding::BASE32;
use sha2::{Digest, Sha256};

use super::DriveKind;

/// The id of an item that came into a drive at a step of its history.
pub(crate) fn item(drive: &str, kind: DriveKind, step: u64) -> String {
    if kind == DriveKind::Personal {
        return format!("{}!{}", drive.to_uppercase(), 1000 + step);
    }
    let digest = Sha256::new().chain_update(drive).chain_update("item\0").chain_update(step.to_be_bytes()).finalize();
    format!("01{}", BASE32.encode(&digest[..20]))
}

/// The GUID by which SharePoint knows what Graph knows by an id.
pub(crate) fn unique(id: &str) -> String {
    let digest = Sha256::new().chain_update("unique\0").chain_update(id).finalize();
    let bytes = digest.iter().take(16).copied().collect::<Vec<u8>>();
    let guid = uuid::Builder::from_slice(&bytes).map(|builder| builder.with_version(uuid::Version::Random).into_uuid());
    guid.map(|guid| guid.to_string()).unwrap_or_default()
}

/// A tag with the number of changes in it: `"{GUID},7"` of the item, `"c:{GUID},3"` of its content.
pub(crate) fn tag(id: &str, content: bool, number: u64) -> String {
    let mark = if content { "c:" } else { "" };
    format!("\"{mark}{{{}}},{number}\"", unique(id).to_uppercase())
}

/// The number in a tag.
pub(crate) fn number_of(tag: &str) -> Option<u64> {
    tag.trim_end_matches('"').rsplit(',').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_those_of_the_service() {
        let id = item("b!abc", DriveKind::Business, 7);
        assert!(id.len() == 34 && id.starts_with("01") && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(id, item("b!abc", DriveKind::Business, 8));
        assert_eq!(item("0123456789abcdef", DriveKind::Personal, 7), "0123456789ABCDEF!1007");
        assert_eq!(number_of(&tag("01A", true, 12)), Some(12));
        assert_eq!(number_of("whatever"), None);
    }
}
