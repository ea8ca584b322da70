//! A row of a listing of events, as a change. What is listed are single events and masters of series; a series is one
//! item, with all that belongs to it.

use crate::{
    listing::{Family, row},
    wire::Event,
};
use serde::Deserialize;
use serde_json::Value;
use transhume_contract::{Change, CollectionId, Content, Facts, Fault, ItemId, Listed, Membership, Version};

/// What the service calls the master of a series.
pub const MASTER: &str = "seriesMaster";

const SELECT: &str = "id,changeKey,lastModifiedDateTime,subject,iCalUId,type,seriesMasterId";

/// How single events and masters are listed.
pub const EVENTS: Family = Family {
    all: |user, calendar| format!("/users/{user}/calendars/{calendar}/events"),
    one: |user, _, event| format!("/users/{user}/events/{event}"),
    select: SELECT,
    expand: "",
    filter: "",
    change,
    page: "a page of events",
    item: "an event",
};

/// Masters alone, where the service lists them alone.
pub const MASTERS: Family = Family { filter: "&$filter=type%20eq%20'seriesMaster'", ..EVENTS };

/// What a row tells. A day of a series stands for its series: what changed it changed that.
fn change(row: &Value, calendar: &CollectionId) -> Result<Change, Fault> {
    let id = row::id(row).ok_or_else(row::nameless)?;
    if row::is_tombstone(row) {
        return Ok(Change::Gone(id, Some(calendar.clone())));
    }
    match Event::deserialize(row) {
        Ok(event) => Ok(Change::Listed(Box::new(listed(id, event, row::version(row), calendar)))),
        Err(error) => Ok(row::refused(id, calendar, "an event", &error)),
    }
}

fn listed(id: ItemId, event: Event, version: Version, calendar: &CollectionId) -> Listed {
    let is_day = matches!(event.kind.as_deref(), Some("occurrence" | "exception"));
    let series = event.series_master_id.filter(|id| is_day && !id.is_empty());
    let (id, facts) = match series {
        Some(master) => (ItemId::new(master), Facts { class: Some(MASTER.into()), ..Facts::default() }),
        None => {
            let message_id = event.ical_uid.filter(|uid| !uid.is_empty());
            (id, Facts { subject: event.subject, message_id, class: event.kind, ..Facts::default() })
        }
    };
    Listed {
        id,
        version,
        content: Some(Content::FollowsVersion),
        facts,
        membership: Membership::Joined(calendar.clone()),
        parent: None,
        name: None,
    }
}

/// The id of a change that tells of the master of a series.
pub fn master_in(change: &Change) -> Option<&ItemId> {
    match change {
        Change::Listed(listed) if listed.facts.class.as_deref() == Some(MASTER) => Some(&listed.id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    fn told(row: &Value) -> Change {
        change(row, &CollectionId::new("c")).unwrap()
    }

    #[test]
    fn an_event_tells_its_title_its_uid_and_its_type() {
        let row = json!({"@odata.etag": "W/\"K1\"", "id": "e1", "subject": "Council", "iCalUId": "0400", "type": "singleInstance"});
        let Change::Listed(listed) = told(&row) else { panic!() };
        assert_eq!((listed.id.as_str(), listed.version.as_str()), ("e1", "K1"));
        assert_eq!(listed.content, Some(Content::FollowsVersion));
        let expected = Facts {
            subject: Some("Council".into()),
            message_id: Some("0400".into()),
            class: Some("singleInstance".into()),
            ..Facts::default()
        };
        assert_eq!(listed.facts, expected);
        assert!(master_in(&Change::Listed(listed)).is_none());
    }

    #[test]
    fn a_day_of_a_series_stands_for_its_series() {
        for kind in ["exception", "occurrence"] {
            let day = told(
                &json!({"id": "e1.1", "changeKey": "K9", "type": kind, "seriesMasterId": "e1", "subject": "moved"}),
            );
            assert_eq!(master_in(&day).map(ItemId::as_str), Some("e1"));
            let Change::Listed(listed) = day else { panic!() };
            assert_eq!(listed.facts.subject, None, "the title of one day is not that of the series");
        }
    }

    #[test]
    fn what_left_and_what_cannot_be_understood_is_told_by_its_id() {
        let gone = told(&json!({"@removed": {"reason": "deleted"}, "id": "e1"}));
        assert!(matches!(gone, Change::Gone(id, Some(_)) if id.as_str() == "e1"));
        assert!(matches!(told(&json!({"id": "e1", "subject": 7})), Change::Refused(..)));
        assert!(change(&json!({"subject": "x"}), &CollectionId::new("c")).is_err());
    }
}
