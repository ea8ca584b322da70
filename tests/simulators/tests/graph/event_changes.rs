//! Change tracking of events: without a window, and within one.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use transhume_simulators::Options;

use crate::calendars::values;
use crate::client::{ANNA, Client, calm, id};
use crate::diary::{diary, time};

const LARGE: [(&str, &str); 1] = [("prefer", "odata.maxpagesize=500")];
const SMALL: [(&str, &str); 1] = [("prefer", "odata.maxpagesize=3")];

fn at(path: &str) -> String {
    format!("/v1.0/users/{ANNA}/{path}")
}

const AUTUMN: &str = "startDateTime=2026-09-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z";

#[tokio::test]
async fn all_events_are_tracked_as_masters_and_singles_with_little_in_them() {
    let client = Client::with(diary(), calm()).await;
    let (rows, link) = client.walk(&at("events/delta"), &SMALL).await;
    assert_eq!(values(&rows, "id"), [id("standup"), id("lunch"), id("birthday")]);
    let names: Vec<&str> = rows[1].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["@odata.type", "@odata.etag", "id", "type", "start", "end"]);
    assert!(client.walk(link.as_ref().unwrap(), &LARGE).await.0.is_empty());
    client.mutate(json!([
        {"op": "edit_event", "user": ANNA, "event": id("lunch"), "set": {"subject": "dinner"}},
        {"op": "delete_event", "user": ANNA, "event": id("birthday")},
        {"op": "create_event", "user": ANNA, "set": {"subject": "new", "start": time("2026-10-01T10:00:00"), "end": time("2026-10-01T10:00:00")}},
    ])).await;
    let (rows, link) = client.walk(&link.unwrap(), &LARGE).await;
    assert_eq!(rows.len(), 3);
    assert_eq!((&rows[0]["id"], &rows[1]["@removed"]["reason"]), (&json!(id("lunch")), &json!("deleted")));
    client.control("faults", json!({"switches": {"event_delta_limited": false}})).await;
    client
        .mutate(json!({"op": "edit_event", "user": ANNA, "event": id("lunch"), "set": {"subject": "breakfast"}}))
        .await;
    let (rows, _) = client.walk(&link.unwrap(), &LARGE).await;
    let names: Vec<&str> = rows[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["@odata.etag", "id", "changeKey", "lastModifiedDateTime", "subject"]);
}

#[tokio::test]
async fn whether_it_answers_at_all_is_a_switch() {
    let client = Client::with(diary(), calm()).await;
    for (form, status) in [("bad_request", 400), ("not_found", 404)] {
        client.control("faults", json!({"switches": {"event_delta": form}})).await;
        assert_eq!(client.refusal(&at("calendar/events/delta")).await.0, status);
    }
    client.control("faults", json!({"clear": true})).await;
    let slow = at(&format!("calendars/{}/events/delta", id("Slow")));
    let answer = client.send(reqwest::Method::GET, &slow, &LARGE).await;
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (503, String::new()));
    assert_eq!(client.get(&slow).await.status(), 200, "ten rows are not too many");
    assert_eq!(client.refusal(&at("events/delta?$filter=type eq 'x'")).await, (400, "ErrorInvalidUrlQuery".to_owned()));
}

#[tokio::test]
async fn whether_a_changed_day_touches_its_series_is_a_switch() {
    for touches in [true, false] {
        let client = Client::with(diary(), calm()).await;
        client.control("faults", json!({"switches": {"exceptions_touch_master": touches}})).await;
        let (_, link) = client.walk(&at("events/delta"), &LARGE).await;
        let before = client.json(&at(&format!("events/{}", id("standup")))).await;
        client.mutate(json!([
            {"op": "edit_occurrence", "user": ANNA, "event": "standup", "date": "2026-11-02", "set": {"subject": "x"}},
            {"op": "cancel_occurrence", "user": ANNA, "event": "standup", "date": "2026-11-09"},
        ])).await;
        let after = client.json(&at(&format!("events/{}", id("standup")))).await;
        assert_eq!(before["changeKey"] != after["changeKey"], touches);
        assert_eq!(before["lastModifiedDateTime"] != after["lastModifiedDateTime"], touches);
        let rows = client.walk(&link.unwrap(), &LARGE).await.0;
        assert_eq!(rows.len(), usize::from(touches));
        let lists = "$select=cancelledOccurrences,exceptionOccurrences&$expand=exceptionOccurrences";
        let row = client.json(&at(&format!("events/{}?{lists}", id("standup")))).await;
        assert_eq!(row["cancelledOccurrences"].as_array().unwrap().len(), 2, "a read tells in any case");
        assert_eq!(row["exceptionOccurrences"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn a_tracked_window_holds_masters_whole_and_days_bare() {
    let client = Client::with(diary(), calm()).await;
    let (rows, link) = client.walk(&at(&format!("calendarView/delta?{AUTUMN}")), &SMALL).await;
    let kinds = values(&rows, "type");
    let count = |kind: &str| kinds.iter().filter(|one| *one == kind).count();
    assert_eq!([count("seriesMaster"), count("occurrence"), count("exception"), count("singleInstance")], [1, 9, 2, 2]);
    let of = |kind: &str| &rows[kinds.iter().position(|one| one == kind).unwrap()];
    assert!(of("seriesMaster").get("body").is_some() && of("exception").get("subject").is_some());
    let names: Vec<&str> = of("occurrence").as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["@odata.type", "@odata.etag", "id", "type", "seriesMasterId", "start", "end"]);
    assert!(!link.unwrap().contains("startDateTime"), "the token remembers the bounds");
    for option in ["$select=id", "$top=5", "$filter=type eq 'x'", "$orderby=subject", "$expand=attachments"] {
        let path = at(&format!("calendarView/delta?{AUTUMN}&{option}"));
        assert_eq!(client.refusal(&path).await, (400, "ErrorInvalidUrlQuery".to_owned()), "{option}");
    }
}

/// What a client knows after merging every row by id, without masters, by id and start.
async fn follow(client: &Client, known: &mut BTreeMap<String, Value>, link: &str) -> String {
    let (rows, next) = client.walk(link, &SMALL).await;
    for row in rows {
        let id = row["id"].as_str().unwrap().to_owned();
        match (row.get("@removed"), row["type"].as_str()) {
            (Some(_), _) => drop(known.remove(&id)),
            (None, Some("seriesMaster")) => {}
            (None, _) => drop(known.insert(id, row["start"].clone())),
        }
    }
    next.unwrap()
}

async fn truth(client: &Client) -> BTreeMap<String, Value> {
    let rows = client.all(&at(&format!("calendarView?{AUTUMN}&$top=500"))).await;
    rows.iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row["start"].clone())).collect()
}

#[tokio::test]
async fn following_a_window_leads_to_what_it_holds() {
    let client = Client::with(diary(), calm()).await;
    let mut known = BTreeMap::new();
    let mut link = follow(&client, &mut known, &at(&format!("calendarView/delta?{AUTUMN}"))).await;
    assert_eq!(known, truth(&client).await);
    let user = ANNA;
    for step in [
        json!({"op": "cancel_occurrence", "user": user, "event": "standup", "date": "2026-11-02"}),
        json!({"op": "cancel_occurrence", "user": user, "event": "standup", "date": "2026-09-28"}),
        json!({"op": "edit_occurrence", "user": user, "event": "standup", "date": "2026-11-09", "set": {"start": time("2027-05-05T08:00:00"), "end": time("2027-05-05T09:00:00")}}),
        json!({"op": "edit_event", "user": user, "event": "lunch", "set": {"start": time("2030-01-01T08:00:00"), "end": time("2030-01-01T09:00:00")}}),
        json!({"op": "edit_event", "user": user, "event": "lunch", "set": {"start": time("2026-12-01T08:00:00"), "end": time("2026-12-01T09:00:00")}}),
        json!({"op": "edit_event", "user": user, "event": "standup", "set": {"start": time("2026-09-21T06:00:00"), "end": time("2026-09-21T06:30:00")}}),
        json!({"op": "churn_events", "user": user, "seed": 9, "count": 80}),
        json!({"op": "move_event", "user": user, "event": id("standup"), "to": id("Twin")}),
    ] {
        let request = client.http.post(client.url("/_sim/mutate")).body(step.to_string()).send().await.unwrap();
        assert!(request.status() == 200 || step["op"] == "move_event", "{}", request.text().await.unwrap());
        link = follow(&client, &mut known, &link).await;
        assert_eq!(known, truth(&client).await, "{step}");
    }
}

#[tokio::test]
async fn moves_are_tombstones_and_arrivals() {
    let client = Client::with(diary(), calm()).await;
    let delta = |calendar: &str| at(&format!("calendars/{}/events/delta", id(calendar)));
    let immutable = [("prefer", "IdType=\"ImmutableId\"")];
    let (rows, here) = client.walk(&delta("Calendar"), &immutable).await;
    let lunch = rows[1]["id"].clone();
    let (_, there) = client.walk(&delta("Twin"), &immutable).await;
    let moved = client.mutate(json!({"op": "move_event", "user": ANNA, "event": "lunch", "to": id("Twin")})).await;
    assert_eq!(moved["immutableId"], lunch);
    assert_ne!(moved["id"], id("lunch").as_str());
    let (left, _) = client.walk(&here.unwrap(), &immutable).await;
    assert_eq!((left.len(), &left[0]["id"], left[0].get("@removed").is_some()), (1, &lunch, true));
    let (came, _) = client.walk(&there.unwrap(), &immutable).await;
    assert_eq!((came.len(), &came[0]["id"]), (1, &lunch));
}

#[tokio::test]
async fn tokens_are_bound_to_their_calendar_and_expire() {
    let client = Client::with(diary(), calm()).await;
    let (_, link) = client.walk(&at(&format!("calendars/{}/events/delta", id("Calendar"))), &LARGE).await;
    let (_, view) = client.walk(&at(&format!("calendarView/delta?{AUTUMN}")), &LARGE).await;
    let (link, view) = (link.unwrap(), view.unwrap());
    assert_eq!(client.refusal(&link.replace(&id("Calendar")[6..14], &id("Twin")[6..14])).await.0, 400);
    assert_eq!(client.refusal(&view.replace("calendarView/delta", "events/delta")).await.0, 400);
    client.control("faults", json!({"expire_delta_tokens": [ANNA]})).await;
    for dead in [&link, &view] {
        assert_eq!(client.refusal(dead).await, (410, "SyncStateNotFound".to_owned()));
    }
    client.control("faults", json!({"mailboxes": {ANNA: {"over_quota": true}}})).await;
    assert_eq!(client.refusal(&at("events/delta")).await, (507, "ErrorQuotaExceeded".to_owned()));
    assert_eq!(client.all(&at("events")).await.len(), 3);
}

#[tokio::test]
async fn pages_rest_repeat_and_end_among_the_days_of_a_series() {
    let mut options = Options::default();
    (options.knobs.switches.empty_pages, options.knobs.switches.repeat_rows) = (2, 2);
    let client = Client::with(diary(), options).await;
    let mut known = BTreeMap::new();
    follow(&client, &mut known, &at(&format!("calendarView/delta?{AUTUMN}"))).await;
    assert_eq!(known, truth(&client).await);
}

#[tokio::test]
async fn operations_on_events_that_cannot_be_done_say_why() {
    let client = Client::with(diary(), calm()).await;
    for operation in [
        json!({"op": "create_event", "user": ANNA, "set": {"subject": "timeless"}}),
        json!({"op": "create_event", "user": ANNA, "set": {"start": time("2026-01-01T00:00:00"), "end": time("2026-01-01T00:00:00"), "recurrence": {"pattern": {"type": "hourly"}, "range": {}}}}),
        json!({"op": "edit_event", "user": ANNA, "event": "nothing", "set": {}}),
        json!({"op": "edit_event", "user": ANNA, "event": "lunch", "set": {"id": "x"}}),
        json!({"op": "edit_occurrence", "user": ANNA, "event": "standup", "date": "2026-10-05", "set": {}}),
        json!({"op": "cancel_occurrence", "user": ANNA, "event": "lunch", "date": "2026-10-05"}),
        json!({"op": "move_event", "user": ANNA, "event": "later", "to": "Twin"}),
        json!({"op": "delete_calendar", "user": ANNA, "calendar": "calendar"}),
        json!({"op": "edit_event", "event": "lunch", "set": {}}),
    ] {
        let request = client.http.post(client.url("/_sim/mutate")).body(operation.to_string());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400, "{operation}");
        assert!(answer.json::<Value>().await.unwrap()["error"].as_str().unwrap().ends_with('.'));
    }
}

#[tokio::test]
async fn answers_are_noted_with_the_organiser() {
    let asked = json!([{"type": "required", "status": {"response": "none", "time": "0001-01-01T00:00:00Z"},
        "emailAddress": {"name": "B", "address": "b@x"}}, {"type": "optional", "emailAddress": {"address": "c@x"}}]);
    let mut dump = diary();
    dump.entries
        .iter_mut()
        .filter(|entry| entry.kind == "event")
        .for_each(|entry| entry.resource["attendees"] = asked.clone());
    let client = Client::with(dump, calm()).await;
    let event = async |name: &str| client.json(&at(&format!("events/{}", id(name)))).await;
    let before = event("standup").await;
    let answer = |event: &str, date: Value| json!({"op": "answer", "user": ANNA, "event": event, "date": date, "attendee": "B@X", "response": "declined"});
    client.mutate(answer(&id("lunch"), Value::Null)).await;
    let after = event("lunch").await;
    assert_eq!((&after["attendees"][0]["status"]["response"], &after["attendees"][1]), (&json!("declined"), &asked[1]));
    client.mutate(answer("standup", json!("2026-11-02"))).await;
    assert_eq!(event("standup").await["attendees"], before["attendees"], "on one day only");
    let days = client.all(&at(&format!("events/{}/instances?{AUTUMN}", id("standup")))).await;
    let day = days.iter().find(|day| day["originalStart"] == "2026-11-02T08:00:00Z").unwrap();
    assert_eq!((&day["type"], &day["attendees"][0]["status"]["response"]), (&json!("exception"), &json!("declined")));
    for wrong in [json!({"attendee": "d@x"}), json!({"response": "perhaps"})] {
        let mut operation = answer("standup", Value::Null);
        operation.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let answer = client.http.post(client.url("/_sim/mutate")).body(operation.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{wrong}");
    }
}

#[tokio::test]
async fn what_is_deleted_while_the_first_round_is_walked_is_told_in_it() {
    let client = Client::with(diary(), calm()).await;
    let gone_before = json!({"op": "delete_event", "user": ANNA, "event": id("birthday")});
    client.mutate(gone_before).await;
    let page = client.json_with(&at("events/delta"), &[("prefer", "odata.maxpagesize=1")]).await;
    assert_eq!(page["value"][0]["id"], id("standup").as_str());
    client.mutate(json!({"op": "delete_event", "user": ANNA, "event": id("standup")})).await;
    let (rows, _) = client.walk(page["@odata.nextLink"].as_str().unwrap(), &LARGE).await;
    let removed: Vec<&Value> = rows.iter().filter(|row| row.get("@removed").is_some()).map(|row| &row["id"]).collect();
    assert_eq!(removed, [&json!(id("standup"))], "and what was gone before is told to nobody");
}
