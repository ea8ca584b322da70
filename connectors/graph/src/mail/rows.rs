//! A row of a listing, as a change.

use crate::wire::{Message, extended};
use serde::Deserialize;
use serde_json::Value;
use transhume_contract::{
    Cause, Change, CollectionId, Content, Digest, Facts, Fault, FlagState, Importance, ItemId, Listed, Membership,
    Reach, Timestamp, Version, What,
};

/// PidTagLastVerbExecuted: 102 replied, 103 replied to all, 104 forwarded (MS-OXOMSG section 2.2.1.4).
const LAST_VERB: u32 = 0x1081;
/// PidTagMessageSize.
const SIZE: u32 = 0x0E08;
/// PidTagMessageClass.
const CLASS: u32 = 0x001A;

/// The facts a listing asks for.
pub const SELECT: &str = "id,changeKey,lastModifiedDateTime,receivedDateTime,internetMessageId,subject,importance,\
                          categories,isRead,isDraft,flag";
/// The facts that only MAPI properties hold.
pub const EXPAND: &str = "singleValueExtendedProperties($filter=id%20eq%20'Integer%200x1081'%20or%20id%20eq%20\
                          'Integer%200x0E08'%20or%20id%20eq%20'String%200x001A')";

/// Rows that all have an id: one without cannot be told of, and fails its page.
pub fn named(rows: Vec<Value>) -> Result<Vec<Value>, Fault> {
    if rows.iter().all(|row| id(row).is_some()) {
        return Ok(rows);
    }
    Err(nameless())
}

fn nameless() -> Fault {
    Fault::new(What::Malformed, "a row of the listing has no id").reaching(Reach::Collection)
}

/// What a row tells. One that cannot be understood is refused for good: told without its facts, it would move without
/// them.
pub fn change(row: &Value, folder: &CollectionId) -> Result<Change, Fault> {
    let id = id(row).ok_or_else(nameless)?;
    match Message::deserialize(row) {
        Ok(message) if message.removed.is_some() => Ok(Change::Gone(id, Some(folder.clone()))),
        Ok(message) => Ok(Change::Listed(Box::new(listed(id, &message, row, folder)))),
        Err(error) => {
            let sentence = format!("the row of a message cannot be understood: {error}");
            let fault = Fault::new(What::Malformed, sentence).skip(Cause::CorruptAtSource);
            Ok(Change::Refused(id, Some(folder.clone()), fault))
        }
    }
}

/// The id a row carries.
pub fn id(row: &Value) -> Option<ItemId> {
    row.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(ItemId::new)
}

/// Whether a row says that its item left the folder.
pub fn is_tombstone(row: &Value) -> bool {
    row.get("@removed").is_some_and(|removed| !removed.is_null())
}

fn listed(id: ItemId, message: &Message, row: &Value, folder: &CollectionId) -> Listed {
    let content = message.is_draft.map(|draft| if draft { Content::FollowsVersion } else { Content::Fixed });
    let (version, membership) = (version(message, row), Membership::Joined(folder.clone()));
    Listed { id, version, content, facts: facts(message), membership, parent: None, name: None }
}

/// The change key, as itself or inside the etag (`W/"<changeKey>"`); a partial row may have only a date, or nothing.
fn version(message: &Message, row: &Value) -> Version {
    let etag = || message.etag.as_deref().map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
    let told = message.change_key.as_deref().or_else(etag).or(message.last_modified_date_time.as_deref());
    let told = told.filter(|version| !version.is_empty()).map(str::to_owned);
    Version::new(told.unwrap_or_else(|| format!("row:{}", Digest::of(row.to_string().as_bytes()).hex())))
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
