//! A row of a listing, as a change.

use crate::{
    listing::{Family, row},
    wire::{Message, extended},
};
use serde::Deserialize;
use serde_json::Value;
use transhume_contract::{
    Change, CollectionId, Content, Facts, Fault, FlagState, Importance, ItemId, Listed, Membership, Timestamp,
};

/// PidTagLastVerbExecuted: 102 replied, 103 replied to all, 104 forwarded (MS-OXOMSG section 2.2.1.4).
const LAST_VERB: u32 = 0x1081;
/// PidTagMessageSize.
const SIZE: u32 = 0x0E08;
/// PidTagMessageClass.
const CLASS: u32 = 0x001A;

/// The facts a listing asks for.
const SELECT: &str = "id,changeKey,lastModifiedDateTime,receivedDateTime,internetMessageId,subject,importance,\
                          categories,isRead,isDraft,flag";
/// The facts that only MAPI properties hold.
const EXPAND: &str = "singleValueExtendedProperties($filter=id%20eq%20'Integer%200x1081'%20or%20id%20eq%20\
                          'Integer%200x0E08'%20or%20id%20eq%20'String%200x001A')";

/// How messages are listed.
pub const MAIL: Family = Family {
    all: |user, folder| format!("/users/{user}/mailFolders/{folder}/messages"),
    one: |user, _, message| format!("/users/{user}/messages/{message}"),
    select: SELECT,
    expand: EXPAND,
    filter: "",
    change,
    page: "a page of messages",
    item: "a message",
};

/// What a row tells. One that cannot be understood is refused for good: told without its facts, it would move without
/// them.
fn change(row: &Value, folder: &CollectionId) -> Result<Change, Fault> {
    let id = row::id(row).ok_or_else(row::nameless)?;
    match Message::deserialize(row) {
        Ok(message) if message.removed.is_some() => Ok(Change::Gone(id, Some(folder.clone()))),
        Ok(message) => Ok(Change::Listed(Box::new(listed(id, &message, row, folder)))),
        Err(error) => Ok(row::refused(id, folder, "a message", &error)),
    }
}

fn listed(id: ItemId, message: &Message, row: &Value, folder: &CollectionId) -> Listed {
    let content = message.is_draft.map(|draft| if draft { Content::FollowsVersion } else { Content::Fixed });
    let (version, membership) = (row::version(row), Membership::Joined(folder.clone()));
    Listed { id, version, content, facts: facts(message), membership, parent: None, name: None }
}

fn facts(message: &Message) -> Facts {
    let properties = message.single_value_extended_properties.as_ref();
    let verb = extended(properties, "Integer", LAST_VERB);
    let class = extended(properties, "String", CLASS).map(str::to_owned);
    Facts {
        read: message.is_read,
        flag: message.flag.as_ref().and_then(|flag| flag_state(flag.flag_status.as_deref()?)),
        // Only the last verb is known: it says that one thing was done, never that another was not.
        answered: verb.filter(|verb| matches!(*verb, "102" | "103")).map(|_| true),
        forwarded: verb.filter(|verb| *verb == "104").map(|_| true),
        draft: message.is_draft,
        importance: message.importance.as_deref().and_then(importance),
        categories: message.categories.clone(),
        received: message.received_date_time.as_deref().and_then(instant),
        message_id: message.internet_message_id.clone().filter(|id| !id.is_empty()),
        subject: message.subject.clone(),
        protected: class.as_deref().filter(|class| class.to_ascii_lowercase().contains("rpmsg")).map(|_| true),
        class,
        size: extended(properties, "Integer", SIZE).and_then(|size| size.parse().ok()),
    }
}

/// Graph docs: followupFlag. A word this version does not know is left unsaid.
fn flag_state(status: &str) -> Option<FlagState> {
    match status {
        "notFlagged" => Some(FlagState::None),
        "flagged" => Some(FlagState::Flagged),
        "complete" => Some(FlagState::Complete),
        _ => None,
    }
}

fn importance(word: &str) -> Option<Importance> {
    match word {
        "low" => Some(Importance::Low),
        "normal" => Some(Importance::Normal),
        "high" => Some(Importance::High),
        _ => None,
    }
}

/// An instant; `0001-01-01T00:00:00Z` means "never".
fn instant(text: &str) -> Option<Timestamp> {
    if text.starts_with("0001-") { None } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    fn told(row: &Value) -> Listed {
        match change(row, &CollectionId::new("inbox")).unwrap() {
            Change::Listed(listed) => *listed,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_full_row_tells_all_its_facts() {
        let listed = told(&json!({
            "@odata.etag": "W/\"CQ1\"", "id": "AAk1", "changeKey": "CQ1", "lastModifiedDateTime": "2025-03-02T09:11:14Z",
            "receivedDateTime": "2025-03-02T09:11:12Z", "internetMessageId": "<x@y>", "subject": "s",
            "importance": "high", "categories": ["Blue"], "isRead": true, "isDraft": false,
            "flag": {"flagStatus": "flagged"},
            "singleValueExtendedProperties": [{"id": "Integer 0x1081", "value": "104"},
                {"id": "Integer 0xe08", "value": "2048"}, {"id": "String 0x1a", "value": "IPM.Note"}]
        }));
        assert_eq!(listed.version.as_str(), "CQ1");
        assert_eq!(listed.content, Some(Content::Fixed));
        let expected = Facts {
            read: Some(true),
            flag: Some(FlagState::Flagged),
            forwarded: Some(true),
            draft: Some(false),
            importance: Some(Importance::High),
            categories: Some(vec!["Blue".into()]),
            received: Some("2025-03-02T09:11:12Z".parse().unwrap()),
            message_id: Some("<x@y>".into()),
            subject: Some("s".into()),
            class: Some("IPM.Note".into()),
            size: Some(2048),
            ..Facts::default()
        };
        assert_eq!(listed.facts, expected);
    }

    #[test]
    fn a_partial_row_says_only_what_changed() {
        let listed = told(&json!({"id": "AAk1", "isRead": false, "@odata.etag": "W/\"CQ2\""}));
        assert_eq!(listed.facts, Facts { read: Some(false), ..Facts::default() });
        assert_eq!((listed.content, listed.version.as_str()), (None, "CQ2"));
        let bare = json!({"id": "AAk1", "isRead": false});
        assert_eq!(told(&bare).version, told(&bare).version);
        assert_ne!(told(&bare).version, told(&json!({"id": "AAk1", "isRead": true})).version);
    }

    #[test]
    fn a_draft_follows_its_version() {
        let draft = told(&json!({"id": "a", "isDraft": true, "lastModifiedDateTime": "2025-03-02T09:11:14Z"}));
        assert_eq!(draft.content, Some(Content::FollowsVersion));
        assert_eq!(draft.version.as_str(), "2025-03-02T09:11:14Z");
    }

    #[test]
    fn a_tombstone_leaves_the_folder_and_nothing_else() {
        let row = json!({"@removed": {"reason": "deleted"}, "id": "AAk1"});
        let Change::Gone(id, from) = change(&row, &CollectionId::new("inbox")).unwrap() else { panic!() };
        assert_eq!((id.as_str(), from), ("AAk1", Some(CollectionId::new("inbox"))));
    }

    #[test]
    fn never_is_no_date_and_unknown_words_stay_unsaid() {
        let listed = told(&json!({"id": "a", "receivedDateTime": "0001-01-01T00:00:00Z", "importance": "urgent",
            "flag": {"flagStatus": "later"}}));
        assert_eq!(listed.facts, Facts::default());
    }

    #[test]
    fn a_row_that_cannot_be_understood_is_refused_by_its_id() {
        let row = json!({"id": "a", "isRead": "perhaps"});
        assert!(matches!(change(&row, &CollectionId::new("f")).unwrap(), Change::Refused(..)));
        assert!(change(&json!({"isRead": true}), &CollectionId::new("f")).is_err());
    }

    #[test]
    fn rights_protection_shows_in_the_class() {
        let row = json!({"id": "a", "singleValueExtendedProperties":
            [{"id": "String 0x001A", "value": "IPM.Note.rpmsg.Microsoft.Voicemail.UM"}]});
        assert_eq!(told(&row).facts.protected, Some(true));
    }
}
