//! A collection's id: which mailbox it is.

use crate::link::Selected;
use transhume_contract::{CollectionId, Fault, Reach, What};

/// The mailbox's UIDVALIDITY, its MAILBOXID where the server tells one, and its name on the wire. Written
/// `7/F12 Name` or `7 Name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    pub validity: u32,
    pub object: Option<String>,
    pub mailbox: String,
}

impl Spot {
    pub fn of(id: &CollectionId) -> Result<Self, Fault> {
        let read = id.as_str().split_once(' ').and_then(|(number, mailbox)| {
            let (validity, object) = match number.split_once('/') {
                Some((validity, object)) => (validity, Some(object.to_owned())),
                None => (number, None),
            };
            Some(Self { validity: validity.parse().ok()?, object, mailbox: mailbox.to_owned() })
        });
        read.ok_or_else(|| {
            Fault::new(What::Malformed, "A mailbox id of the store is not one this connector made.")
                .reaching(Reach::Collection)
                .report()
        })
    }

    pub fn id(&self) -> CollectionId {
        let object = self.object.as_ref().map(|object| format!("/{object}")).unwrap_or_default();
        CollectionId::new(format!("{}{object} {}", self.validity, self.mailbox))
    }

    /// Whether what was selected is this mailbox, and not another one made under its name.
    pub fn is(&self, selected: &Selected) -> bool {
        self.has(selected.validity, selected.object.as_deref())
    }

    /// Whether both are one mailbox, whatever it was called.
    pub fn is_same(&self, other: &Self) -> bool {
        self.has(other.validity, other.object.as_deref())
    }

    fn has(&self, validity: u32, object: Option<&str>) -> bool {
        let other = object.is_some_and(|object| self.object.as_deref().is_some_and(|own| own != object));
        validity == self.validity && !other
    }
}

/// The MAILBOXID that a response tells, in STATUS or as a response code: `MAILBOXID (F12)`.
pub fn told_object(text: &str) -> Option<String> {
    let told = text.rsplit_once("MAILBOXID (")?.1.split_once(')')?.0;
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (!told.is_empty() && told.bytes().all(usual)).then(|| told.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back() {
        for object in [None, Some("xegg0-_7".to_owned())] {
            let spot = Spot { validity: 7, object, mailbox: "A &- b/c d".into() };
            assert_eq!(Spot::of(&spot.id()), Ok(spot));
        }
        assert!(Spot::of(&CollectionId::new("nonsense")).is_err());
    }

    #[test]
    fn mailbox_ids_are_read_from_both_answers() {
        let status = r#"* STATUS "MAILBOXID (no)" (UIDVALIDITY 7 MAILBOXID (xegg0))"#;
        assert_eq!(told_object(status).as_deref(), Some("xegg0"));
        assert_eq!(told_object("[MAILBOXID (F_1-a)] Ok").as_deref(), Some("F_1-a"));
        assert_eq!(told_object("* STATUS K (MAILBOXID ())"), None);
    }
}
