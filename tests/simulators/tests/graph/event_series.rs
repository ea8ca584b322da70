//! Series: their days, their exceptions, their cancelled days, and how a client is told of them.

use serde_json::{Value, json};

use crate::calendars::values;
use crate::client::{ANNA, Client, calm, id, patched};
use crate::diary::{UID, diary, event, time};

fn at(path: &str) -> String {
    format!("/v1.0/users/{ANNA}/{path}")
}

const AUTUMN: &str = "startDateTime=2026-09-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z";

fn instances() -> String {
    at(&format!("events/{}/instances?{AUTUMN}&$top=50", id("standup")))
}

fn days(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["start"]["dateTime"].as_str().unwrap()[5..16].to_owned()).collect()
}

#[tokio::test]
async fn instances_are_days_and_exceptions_and_cancelled_days_are_gaps() {
    let client = Client::with(diary(), calm()).await;
    let rows = client.all(&instances()).await;
    let expected = [
        "09-21T07:00",
        "09-28T12:00",
        "10-12T07:00",
        "10-19T07:00",
        "11-02T08:00",
        "11-09T08:00",
        "11-16T08:00",
        "11-23T08:00",
        "11-30T08:00",
        "12-07T08:00",
        "12-30T08:00",
    ];
    assert_eq!(days(&rows), expected, "an hour later in UTC once summer time ends, no 5 October, no 26 October");
    assert_eq!(values(&rows[..3], "type"), ["occurrence", "exception", "occurrence"]);
    assert!(rows.iter().all(|row| row["seriesMasterId"] == id("standup").as_str() && row["recurrence"].is_null()));
    assert_eq!(
        (&rows[0]["originalStart"], &rows[1]["originalStart"]),
        (&json!("2026-09-21T07:00:00Z"), &json!("2026-09-28T07:00:00Z"))
    );
    let mut uids = values(&rows, "iCalUId");
    assert!(uids[0].starts_with(&UID[..32]) && uids[0] != format!("{UID}standup") && uids[0][32..40] == *"07EA0915");
    uids.sort();
    uids.dedup();
    assert_eq!(uids.len(), rows.len(), "each day has its own");
    let wrong = client.refusal(&at(&format!("events/{}/instances?{AUTUMN}", id("lunch")))).await;
    assert_eq!(wrong, (400, "ErrorInvalidRequest".to_owned()));
    assert_eq!(client.refusal(&at(&format!("events/{}/instances", id("standup")))).await.1, "ErrorInvalidParameter");
}

#[tokio::test]
async fn a_view_holds_everything_but_masters_in_order() {
    let client = Client::with(diary(), calm()).await;
    let rows = client.all(&at(&format!("calendarView?{AUTUMN}"))).await;
    assert!(rows.len() == 13 && !values(&rows, "type").contains(&"seriesMaster".to_owned()));
    let mut sorted = days(&rows);
    sorted.sort();
    assert_eq!(days(&rows), sorted);
    let narrow = "startDateTime=2026-10-05T00:00:00Z&endDateTime=2026-10-06T00:00:00Z";
    assert!(client.all(&at(&format!("calendarView?{narrow}"))).await.is_empty(), "cancelled");
}

#[tokio::test]
async fn a_day_is_read_by_its_own_id_unless_it_is_cancelled_or_changed() {
    let client = Client::with(diary(), calm()).await;
    let rows = client.all(&instances()).await;
    let day = rows[2]["id"].as_str().unwrap().to_owned();
    let path = at(&format!("events/{day}"));
    assert_eq!(client.json(&path).await["start"], time("2026-10-12T07:00:00"));
    let immutable = [("prefer", "IdType=\"ImmutableId\"")];
    let lasting = client.json_with(&path, &immutable).await["id"].as_str().unwrap().to_owned();
    assert!(lasting.starts_with("AAkALg") && client.get(&at(&format!("events/{lasting}"))).await.status() == 200);
    client.mutate(json!({"op": "cancel_occurrence", "user": ANNA, "event": id("standup"), "date": "2026-10-12"})).await;
    assert_eq!(client.refusal(&path).await, (404, "ErrorItemNotFound".to_owned()));
}

#[tokio::test]
async fn a_changed_day_keeps_the_ids_it_had() {
    let client = Client::with(diary(), calm()).await;
    let immutable = [("prefer", "IdType=\"ImmutableId\"")];
    let before = client.all(&instances()).await[3]["id"].clone();
    let lasting = client.walk(&instances(), &immutable).await.0[3]["id"].clone();
    let change = json!({"op": "edit_occurrence", "user": ANNA, "event": "standup", "date": "2026-10-19", "set": {"subject": "moved"}});
    let made = client.mutate(change).await;
    assert_eq!((&made["id"], &made["immutableId"]), (&before, &lasting));
    let row = client.json(&at(&format!("events/{}", lasting.as_str().unwrap()))).await;
    assert_eq!((&row["type"], &row["subject"]), (&json!("exception"), &json!("moved")));
    client.mutate(json!({"op": "move_event", "user": ANNA, "event": "standup", "to": id("Twin")})).await;
    let row = client.json_with(&at(&format!("events/{}", lasting.as_str().unwrap())), &immutable).await;
    assert_eq!((&row["id"], &row["subject"]), (&lasting, &json!("moved")), "it goes where its series goes");
    assert_eq!(client.refusal(&at(&format!("events/{}", before.as_str().unwrap()))).await.0, 404);
}

async fn lists(client: &Client, query: &str) -> (Vec<String>, usize) {
    let row = client.json(&at(&format!("events/{}?{query}", id("standup")))).await;
    let cancelled = row["cancelledOccurrences"].as_array().cloned().unwrap_or_default();
    let cancelled = cancelled.iter().map(|one| one.as_str().unwrap().to_owned()).collect();
    (cancelled, row["exceptionOccurrences"].as_array().map_or(0, Vec::len))
}

#[tokio::test]
async fn what_must_be_asked_for_to_be_told_of_occurrences_is_a_switch() {
    let client = Client::with(diary(), calm()).await;
    let oid = vec![format!("OID.{}.2026-10-05", id("standup"))];
    let none = Vec::<String>::new();
    let (plain, select, expand) =
        ("$top=1", "$select=cancelledOccurrences,exceptionOccurrences", "$expand=exceptionOccurrences");
    let both = format!("{select}&{expand}");
    let mixed = format!("{select},subject&{expand}");
    assert_eq!(lists(&client, plain).await, (none.clone(), 0));
    assert_eq!(lists(&client, select).await, (oid.clone(), 0));
    assert_eq!(lists(&client, expand).await, (none.clone(), 0));
    assert_eq!(lists(&client, &both).await, (oid.clone(), 2));
    assert_eq!(lists(&client, &mixed).await, (oid.clone(), 0));
    client.control("faults", json!({"switches": {"mixed_select_drops_exceptions": false}})).await;
    assert_eq!(lists(&client, &mixed).await, (oid.clone(), 2));
    client.control("faults", json!({"switches": {"occurrences_by": "expand"}})).await;
    assert_eq!(lists(&client, expand).await, (oid.clone(), 2));
    assert_eq!(lists(&client, plain).await, (none.clone(), 0));
    client.control("faults", json!({"switches": {"occurrences_by": "either"}})).await;
    assert_eq!(lists(&client, select).await, (oid.clone(), 2));
}

#[tokio::test]
async fn exceptions_may_come_in_pages() {
    let client = Client::with(diary(), calm()).await;
    let query = "$select=exceptionOccurrences&$expand=exceptionOccurrences($select=subject)";
    let path = at(&format!("events/{}", id("standup")));
    assert_eq!(client.refusal(&format!("{path}/exceptionOccurrences")).await.0, 400, "no such thing is documented");
    client.control("faults", json!({"switches": {"exceptions_page": 1}})).await;
    let row = client.json(&format!("{path}?{query}")).await;
    assert_eq!(values(row["exceptionOccurrences"].as_array().unwrap(), "subject"), ["later"]);
    let rest = client.json(row["exceptionOccurrences@odata.nextLink"].as_str().unwrap()).await;
    assert_eq!(values(rest["value"].as_array().unwrap(), "subject"), ["far"]);
    assert!(rest["value"][0].get("start").is_none() && rest.get("@odata.nextLink").is_none());
    assert_eq!(client.refusal(&format!("{path}?{query},exceptionOccurrences($select=nonsense)")).await.0, 400);
}

#[tokio::test]
async fn lists_of_occurrences_are_served_below_the_user_and_in_the_global_cloud_only() {
    let client = Client::with(diary(), calm()).await;
    client.control("faults", json!({"switches": {"occurrences_by": "expand"}})).await;
    let query = "$expand=exceptionOccurrences";
    let row = client.json(&at(&format!("calendars/{}/events/{}?{query}", id("Calendar"), id("standup")))).await;
    assert!(row.get("exceptionOccurrences").is_none() && row.get("cancelledOccurrences").is_none());
    let row = client.json(&at(&format!("events/{}?{query}($select=subject)", id("standup")))).await;
    let subjects = values(row["exceptionOccurrences"].as_array().unwrap(), "subject");
    assert!(subjects == ["later", "far"] && row["exceptionOccurrences"][0].get("start").is_none());
    client.control("faults", json!({"switches": {"cloud": "us_gov"}})).await;
    for query in ["$expand=exceptionOccurrences", "$select=cancelledOccurrences"] {
        let path = at(&format!("events/{}?{query}", id("standup")));
        assert_eq!(client.refusal(&path).await, (400, "RequestBroker--ParseUri".to_owned()));
    }
    assert_eq!(client.all(&instances()).await.len(), 11);
}

#[tokio::test]
async fn recurrences_are_padded_with_neutral_values() {
    let client = Client::with(diary(), calm()).await;
    let row = client.json(&at(&format!("events/{}", id("standup")))).await;
    let expected = json!({
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "month": 0, "dayOfMonth": 0,
            "firstDayOfWeek": "sunday", "index": "first"},
        "range": {"type": "numbered", "startDate": "2026-09-21", "numberOfOccurrences": 12,
            "recurrenceTimeZone": "W. Europe Standard Time", "endDate": "0001-01-01"},
    });
    assert_eq!(row["recurrence"], expected);
}

#[tokio::test]
async fn attachments_of_days_repeat_those_of_the_series_under_other_ids() {
    let client = Client::with(diary(), calm()).await;
    let attached = async |event: &str| client.all(&at(&format!("events/{event}/attachments"))).await;
    let master = attached(&id("standup")).await;
    assert_eq!((&master[0]["id"], &master[0]["contentBytes"]), (&json!(id("attagenda.txt")), &json!("Ym9uam91cg==")));
    let inherited = attached(&id("later")).await;
    assert_eq!(inherited[0]["name"], "agenda.txt");
    assert_ne!(inherited[0]["id"], master[0]["id"]);
    assert_eq!(values(&attached(&id("far")).await, "name"), ["agenda.txt", "minutes.txt"]);
    let day = client.all(&instances()).await[0]["id"].as_str().unwrap().to_owned();
    let own = attached(&day).await;
    let path = at(&format!("events/{day}/attachments/{}/$value", own[0]["id"].as_str().unwrap()));
    assert_eq!(client.get(&path).await.text().await.unwrap(), "bonjour");
    let expanded = client.json(&at(&format!("events/{}?$expand=attachments", id("far")))).await;
    assert_eq!(expanded["attachments"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn custom_zones_are_expanded_where_a_note_says() {
    let mut dump = diary();
    let custom = patched(
        event("custom", "Twin", "2026-03-27T16:30:00", "2026-03-27T17:30:00"),
        json!({
            "originalStartTimeZone": "tzone://Microsoft/Custom", "_sim": {"zone": "Europe/Paris"},
            "recurrence": {"pattern": {"type": "daily", "interval": 1},
                "range": {"type": "endDate", "startDate": "2026-03-27", "endDate": "2026-03-30", "recurrenceTimeZone": ""}},
        }),
    );
    dump.entries.push(custom);
    let client = Client::with(dump, calm()).await;
    let window = "startDateTime=2026-03-01&endDateTime=2026-04-30";
    let rows = client.all(&at(&format!("calendars/{}/calendarView?{window}", id("Twin")))).await;
    assert_eq!(days(&rows), ["03-27T16:30", "03-28T16:30", "03-29T15:30", "03-30T15:30"]);
    let row = client.json(&at(&format!("events/{}", id("custom")))).await;
    assert_eq!((&row["originalStartTimeZone"], row.get("_sim")), (&json!("tzone://Microsoft/Custom"), None));
}

#[tokio::test]
async fn changing_the_time_of_a_series_forgets_its_exceptions() {
    let client = Client::with(diary(), calm()).await;
    let set = json!({"start": time("2026-09-21T08:00:00"), "end": time("2026-09-21T08:30:00")});
    client.mutate(json!({"op": "edit_event", "user": ANNA, "event": "standup", "set": set})).await;
    let rows = client.all(&instances()).await;
    assert_eq!(rows.len(), 12);
    assert!(values(&rows, "type").iter().all(|kind| kind == "occurrence"));
}

#[tokio::test]
async fn whole_days_keep_the_instant_at_which_they_were_made() {
    let mut dump = diary();
    let recurrence = json!({
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
        "range": {"type": "noEnd", "startDate": "2026-10-19", "recurrenceTimeZone": "W. Europe Standard Time"},
    });
    let members = json!({"type": "seriesMaster", "isAllDay": true, "recurrence": recurrence,
        "cancelledOccurrences": [format!("OID.{}.2026-10-26", id("duty"))]});
    dump.entries.push(patched(event("duty", "Calendar", "2026-10-19T00:00:00", "2026-10-20T00:00:00"), members));
    let client = Client::with(dump, calm()).await;
    let path = at(&format!(
        "events/{}/instances?startDateTime=2026-10-01T00:00:00Z&endDateTime=2026-11-05T00:00:00Z",
        id("duty")
    ));
    let days = client.all(&path).await;
    assert_eq!(values(&days, "originalStart"), ["2026-10-18T22:00:00Z", "2026-11-01T23:00:00Z"], "midnights in Berlin");
    assert_eq!(days[1]["start"], time("2026-11-02T00:00:00"));
    client.mutate(json!({"op": "edit_occurrence", "user": ANNA, "event": "duty", "date": "2026-11-02", "set": {"subject": "x"}})).await;
    let days = client.all(&path).await;
    assert_eq!((&days[1]["type"], &days[1]["originalStart"]), (&json!("exception"), &json!("2026-11-01T23:00:00Z")));
    assert_eq!(days.len(), 2, "the exception stands for its day and beside none");
}
