//! The service's JSON, as far as we read it. Fields we do not know are left alone, fields we know may be missing:
//! rows of a delta round carry only what changed.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use transhume_contract::{Fault, Reach, What};

/// A page of anything.
#[derive(Debug, Deserialize)]
pub struct Page {
    #[serde(default)]
    pub value: Vec<Value>,
    #[serde(rename = "@odata.nextLink")]
    pub next_link: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    pub delta_link: Option<String>,
}

impl Page {
    /// The rows of the page, each as what it should be.
    pub fn rows<T: DeserializeOwned>(&mut self, named: &str) -> Result<Vec<T>, Fault> {
        let rows = std::mem::take(&mut self.value).into_iter().map(serde_json::from_value);
        rows.collect::<Result<_, _>>().map_err(|error| {
            Fault::new(What::Malformed, format!("a row of {named} cannot be understood: {error}")).reaching(Reach::Run)
        })
    }
}

/// Graph docs: user resource.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub id: String,
    pub display_name: Option<String>,
    pub user_principal_name: Option<String>,
    pub mail: Option<String>,
    /// Null on accounts older than 2014.
    pub user_type: Option<String>,
    pub account_enabled: Option<bool>,
    pub on_premises_sync_enabled: Option<bool>,
    pub proxy_addresses: Option<Vec<String>>,
}

/// Graph docs: mailboxSettings resource; `userPurpose` is absent in some clouds.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailboxSettings {
    pub user_purpose: Option<String>,
}

/// Graph docs: group resource.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub id: String,
    pub display_name: Option<String>,
    pub mail: Option<String>,
}

/// Graph docs: mailFolder resource.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailFolder {
    pub id: String,
    #[serde(rename = "@odata.type")]
    pub odata_type: Option<String>,
    pub display_name: Option<String>,
    pub parent_folder_id: Option<String>,
    pub child_folder_count: Option<u64>,
    pub total_item_count: Option<u64>,
    pub is_hidden: Option<bool>,
    /// Not in the schema, reported on the wire.
    pub size_in_bytes: Option<u64>,
    pub single_value_extended_properties: Option<Vec<Extended>>,
}

/// A property addressed by its MAPI tag: `{"id": "Integer 0x1081", "value": "102"}`.
#[derive(Clone, Debug, Deserialize)]
pub struct Extended {
    pub id: String,
    pub value: Option<String>,
}

impl Extended {
    /// Whether it is this tag. The service answers `Integer 0xe08` to a question for `Integer 0x0E08`.
    pub fn is(&self, kind: &str, tag: u32) -> bool {
        let Some((own_kind, own_tag)) = self.id.split_once(' ') else { return false };
        let digits = own_tag.trim().trim_start_matches("0x").trim_start_matches("0X");
        own_kind.eq_ignore_ascii_case(kind) && u32::from_str_radix(digits, 16) == Ok(tag)
    }
}

/// Finds a property by its tag.
pub fn extended<'a>(all: Option<&'a Vec<Extended>>, kind: &str, tag: u32) -> Option<&'a str> {
    all?.iter().find(|property| property.is(kind, tag))?.value.as_deref()
}

/// Graph docs: message resource, and the tombstone of a delta round.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    #[serde(rename = "@removed")]
    pub removed: Option<Value>,
    pub received_date_time: Option<String>,
    pub internet_message_id: Option<String>,
    pub subject: Option<String>,
    pub importance: Option<String>,
    pub categories: Option<Vec<String>>,
    pub is_read: Option<bool>,
    pub is_draft: Option<bool>,
    pub flag: Option<Flag>,
    pub single_value_extended_properties: Option<Vec<Extended>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flag {
    pub flag_status: Option<String>,
}

/// Graph docs: calendarGroup resource.
#[derive(Debug, Deserialize)]
pub struct CalendarGroup {
    pub id: String,
}

/// Graph docs: calendar resource.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Calendar {
    pub id: String,
    pub name: Option<String>,
    pub color: Option<String>,
    /// Empty unless a person chose one.
    pub hex_color: Option<String>,
    pub is_default_calendar: Option<bool>,
    /// Only the one who made a calendar can share it.
    pub can_share: Option<bool>,
    pub can_edit: Option<bool>,
    pub owner: Option<EmailAddress>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct EmailAddress {
    pub address: Option<String>,
}

/// Graph docs: event resource, as far as a listing and a fetch look at it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub id: Option<String>,
    #[serde(rename = "@odata.etag")]
    pub etag: Option<String>,
    pub change_key: Option<String>,
    pub subject: Option<String>,
    #[serde(rename = "iCalUId")]
    pub ical_uid: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub series_master_id: Option<String>,
    pub has_attachments: Option<bool>,
    pub body: Option<Body>,
    pub start: Option<Value>,
    /// A [`Recurrence`], unless it holds something else.
    pub recurrence: Option<Value>,
    /// `OID.<id of the master>.<date>`; not in every cloud.
    pub cancelled_occurrences: Option<Vec<String>>,
    /// Not in every cloud.
    pub exception_occurrences: Option<Vec<Event>>,
    /// Behind the first page of them.
    #[serde(rename = "exceptionOccurrences@odata.nextLink")]
    pub more_exceptions: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Body {
    pub content: Option<String>,
}

/// Graph docs: patternedRecurrence. Unused members are neutral: `endDate` is `0001-01-01`, numbers are 0.
#[derive(Clone, Debug, Deserialize)]
pub struct Recurrence {
    pub pattern: Option<Pattern>,
    pub range: Option<Range>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Pattern {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub interval: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Range {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub start_date: Option<String>,
    pub end_date: Option<String>,
    pub number_of_occurrences: Option<i64>,
}

/// Graph docs: contactFolder resource.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContactFolder {
    pub id: String,
    pub display_name: Option<String>,
    pub parent_folder_id: Option<String>,
}

/// Graph docs: contact resource, as far as a listing looks at it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    pub display_name: Option<String>,
    pub file_as: Option<String>,
    pub company_name: Option<String>,
}

/// Graph docs: todoTaskList resource.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskList {
    pub id: String,
    pub display_name: Option<String>,
    pub wellknown_list_name: Option<String>,
}

/// Graph docs: todoTask resource, as far as a listing and a fetch look at it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    pub title: Option<String>,
    pub has_attachments: Option<bool>,
    pub checklist_items: Option<Vec<Value>>,
    pub linked_resources: Option<Vec<Value>>,
}

/// Graph docs: attachment resource, without its bytes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    pub id: String,
    #[serde(rename = "@odata.type")]
    pub odata_type: Option<String>,
    pub content_type: Option<String>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tags_are_compared_as_numbers() {
        let all: Vec<Extended> =
            serde_json::from_str(r#"[{"id":"Integer 0xe08","value":"12"},{"id":"string 0x001A","value":"IPM.Note"}]"#)
                .unwrap();
        assert_eq!(extended(Some(&all), "Integer", 0x0E08), Some("12"));
        assert_eq!(extended(Some(&all), "String", 0x001A), Some("IPM.Note"));
        assert_eq!(extended(Some(&all), "Integer", 0x1081), None);
    }

    #[test]
    fn unknown_fields_and_missing_ones_are_no_obstacle() {
        let row: Message = serde_json::from_str(r#"{"id":"a","uid":"x","iCalUId_v2":{},"isRead":true}"#).unwrap();
        assert_eq!((row.is_read, row.flag.is_none()), (Some(true), true));
    }
}
