//! A row of a listing of contacts, as a change.

use crate::{
    listing::{Family, row},
    wire::Contact,
};
use serde::Deserialize;
use serde_json::Value;
use transhume_contract::{Change, CollectionId, Content, Facts, Fault, Listed, Membership};

/// How contacts are listed.
pub const CONTACTS: Family = Family {
    all: |user, folder| format!("/users/{user}/contactFolders/{folder}/contacts"),
    one: |user, _, contact| format!("/users/{user}/contacts/{contact}"),
    select: "id,changeKey,lastModifiedDateTime,displayName,fileAs,companyName",
    expand: "",
    filter: "",
    change,
    page: "a page of contacts",
    item: "a contact",
};

fn change(row: &Value, folder: &CollectionId) -> Result<Change, Fault> {
    let id = row::id(row).ok_or_else(row::nameless)?;
    if row::is_tombstone(row) {
        return Ok(Change::Gone(id, Some(folder.clone())));
    }
    let contact = match Contact::deserialize(row) {
        Ok(contact) => contact,
        Err(error) => return Ok(row::refused(id, folder, "a contact", &error)),
    };
    Ok(Change::Listed(Box::new(Listed {
        id,
        version: row::version(row),
        content: Some(Content::FollowsVersion),
        facts: Facts { subject: name(contact), class: Some("contact".into()), ..Facts::default() },
        membership: Membership::Joined(folder.clone()),
        parent: None,
        name: None,
    })))
}

/// What people see it by: its name, or that under which it is filed, or that of its company. Contacts without any move
/// all the same.
fn name(contact: Contact) -> Option<String> {
    let names = [contact.display_name, contact.file_as, contact.company_name];
    names.into_iter().flatten().find(|name| !name.trim().is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    fn told(row: &Value) -> Listed {
        match change(row, &CollectionId::new("f")).unwrap() {
            Change::Listed(listed) => *listed,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_contact_is_known_by_the_first_name_it_has() {
        let contact =
            told(&json!({"id": "a", "changeKey": "K1", "displayName": "", "fileAs": "Doe, Jane", "companyName": "X"}));
        assert_eq!((contact.facts.subject.as_deref(), contact.version.as_str()), (Some("Doe, Jane"), "K1"));
        let nameless = told(&json!({"id": "a", "displayName": null, "fileAs": "", "@odata.etag": "W/\"K2\""}));
        assert_eq!((nameless.facts.subject, nameless.version.as_str()), (None, "K2"));
    }

    #[test]
    fn a_changed_contact_is_fetched_again_and_a_removed_one_leaves() {
        assert_eq!(told(&json!({"id": "a", "@odata.etag": "W/\"K2\""})).content, Some(Content::FollowsVersion));
        let gone = change(&json!({"id": "a", "@removed": {"reason": "deleted"}}), &CollectionId::new("f")).unwrap();
        assert!(matches!(gone, Change::Gone(_, Some(folder)) if folder.as_str() == "f"));
    }
}
