//! Calendars, groups, permissions, and who may see them.

use serde_json::{Value, json};

use crate::client::{ANNA, BOB, Client, calm, id, tenant};
use crate::diary::diary;

fn at(path: &str) -> String {
    format!("/v1.0/users/{ANNA}/{path}")
}

pub fn values(rows: &[Value], member: &str) -> Vec<String> {
    rows.iter().map(|row| row[member].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn the_list_shows_the_default_group_and_nothing_hidden() {
    let client = Client::with(diary(), calm()).await;
    let rows = client.all(&at("calendars?$top=2")).await;
    assert_eq!(values(&rows, "name"), ["Calendar", "Twin", "Shared", "Slow"]);
    assert_eq!(rows[0]["hexColor"], "#0078d4");
    assert_eq!(rows[2]["owner"]["address"], BOB);
    assert!(rows[0].get("calendarPermissions").is_none() && rows[0].get("_sim").is_none());
    let others = client.all(&at(&format!("calendarGroups/{}/calendars", id("Others")))).await;
    assert_eq!(values(&others, "id"), [id("Twin2")], "another calendar of the same name");
    assert_eq!(client.json(&at(&format!("calendars/{}", id("Secret")))).await["name"], "Secret");
    assert_eq!(client.json(&at("calendar")).await["id"], id("Calendar"));
    assert_eq!(values(&client.all(&at("calendarGroups")).await, "name"), ["My Calendars", "Others"]);
    let wrong = at(&format!("calendarGroups/{}/calendars/{}", id("Others"), id("Calendar")));
    assert_eq!(client.refusal(&wrong).await, (404, "ErrorItemNotFound".to_owned()));
}

#[tokio::test]
async fn permissions_of_a_calendar() {
    let client = Client::with(diary(), calm()).await;
    let rows = client.all(&at("calendar/calendarPermissions")).await;
    assert_eq!((&rows[0]["role"], &rows[0]["emailAddress"]["address"]), (&json!("read"), &json!(BOB)));
    let path = at(&format!("calendars/{}/calendarPermissions", id("Twin")));
    assert!(client.all(&path).await.is_empty());
    assert_eq!(client.json(&at("calendar/calendarPermissions/p1")).await["id"], "p1");
}

#[tokio::test]
async fn every_mailbox_has_default_rooms_that_are_dumped_once_used() {
    let client = Client::with(tenant(), calm()).await;
    let calendars = client.all(&at("calendars")).await;
    assert_eq!(calendars[0]["isDefaultCalendar"], true);
    assert!(client.all(&at("events")).await.is_empty() && client.all(&at("contacts")).await.is_empty());
    let lists = values(&client.all(&at("todo/lists")).await, "wellknownListName");
    assert_eq!(lists, ["defaultList", "flaggedEmails"]);
    let kinds =
        |client: &Client| client.running.tenant().entries.iter().filter(|entry| entry.kind == "calendar").count();
    assert_eq!(kinds(&client), 0);
    let time = json!({"dateTime": "2026-10-01T09:00:00", "timeZone": "Europe/Paris"});
    let made = client
        .mutate(json!({"op": "create_event", "user": ANNA, "set": {"subject": "a", "start": time, "end": time}}))
        .await;
    assert_eq!(kinds(&client), 1);
    let row = client.json(&at(&format!("events/{}", made["id"].as_str().unwrap()))).await;
    assert_eq!(row["start"], json!({"dateTime": "2026-10-01T07:00:00.0000000", "timeZone": "UTC"}));
    assert_eq!(row["originalStartTimeZone"], "Europe/Paris");
}

#[tokio::test]
async fn a_dump_with_rooms_that_is_served_again_is_the_same_tenant() {
    let client = Client::with(diary(), calm()).await;
    for (op, count) in [("churn_events", 60), ("churn_contacts", 30), ("churn_tasks", 30)] {
        client.mutate(json!({"op": op, "user": ANNA, "seed": 5, "count": count})).await;
    }
    let dump = client.running.tenant();
    let again = transhume_simulators::Simulator::start(dump.clone(), calm()).await.unwrap();
    assert_eq!(again.tenant(), dump);
}

#[tokio::test]
async fn permissions_are_refused_in_the_dialect_of_the_workload() {
    let client = Client::with(diary(), calm()).await;
    client.control("faults", json!({"roles": ["Mail.Read", "User.Read.All"]})).await;
    for path in [
        "calendars",
        "events",
        "calendarView?startDateTime=2026-01-01&endDateTime=2026-01-02",
        "contacts",
        "contactFolders",
    ] {
        assert_eq!(client.refusal(&at(path)).await, (403, "ErrorAccessDenied".to_owned()), "{path}");
    }
    assert_eq!(client.refusal(&at("todo/lists")).await, (401, "UnknownError".to_owned()));
    client.control("faults", json!({"switches": {"todo_missing_is_401": false}})).await;
    assert_eq!(client.refusal(&at("todo/lists")).await, (403, "ErrorAccessDenied".to_owned()));
    client.control("faults", json!({"clear": true, "switches": {"todo_app_only": false}})).await;
    assert_eq!(client.refusal(&at("todo/lists")).await, (401, "UnknownError".to_owned()));
}

#[tokio::test]
async fn basic_calendars_show_no_bodies_and_no_attachments() {
    let client = Client::with(diary(), calm()).await;
    client.control("faults", json!({"roles": ["Calendars.ReadBasic.All"]})).await;
    let token = client.ask_token(&[("client_id", "app"), ("client_secret", "secret")]).await.1["access_token"].clone();
    let client = Client { token: token.as_str().unwrap().to_owned(), ..client };
    let row = client.json(&at(&format!("events/{}", id("standup")))).await;
    assert!(row.get("subject").is_some() && row.get("body").is_none() && row.get("bodyPreview").is_none());
    assert_eq!(client.refusal(&at(&format!("events/{}/attachments", id("standup")))).await.0, 403);
    assert_eq!(client.refusal(&at(&format!("events/{}?$expand=attachments", id("standup")))).await.0, 403);
}

#[tokio::test]
async fn routes_and_members_that_are_none_are_refused() {
    let client = Client::with(diary(), calm()).await;
    for (path, expected) in [
        ("calendars/delta", (400, "ErrorInvalidIdMalformed")),
        ("calendars?$select=colour", (400, "RequestBroker--ParseUri")),
        ("events?$select=occurrenceId", (400, "RequestBroker--ParseUri")),
        ("events?$expand=organizer", (400, "RequestBroker--ParseUri")),
        ("events?$expand=cancelledOccurrences", (400, "RequestBroker--ParseUri")),
        ("events?$search=x", (400, "ErrorInvalidUrlQuery")),
        ("events/short", (400, "ErrorInvalidIdMalformed")),
        ("calendar/teapot", (400, "BadRequest")),
        ("calendarView/AAMkAGsomethingsomethingsomething=", (405, "ErrorInvalidRequest")),
        ("contacts/delta", (400, "ErrorInvalidRequest")),
        ("todo", (405, "ErrorInvalidRequest")),
    ] {
        let (status, code) = client.refusal(&at(path)).await;
        assert_eq!((status, code.as_str()), expected, "{path}");
    }
}

#[tokio::test]
async fn calls_are_counted_by_endpoint_and_share_the_lanes_of_the_mailbox() {
    let client = Client::with(diary(), calm()).await;
    client.get(&at(&format!("calendars/{}/events/{}/instances", id("Calendar"), id("standup")))).await;
    client.get(&at("calendarView/delta?startDateTime=2026-01-01&endDateTime=2026-02-01")).await;
    client.get(&at(&format!("todo/lists/{}/tasks/{}/attachments/a1/$value", id("Garden"), id("buy")))).await;
    let seen = client.running.stats();
    for name in [
        "GET /users/{id}/calendars/{id}/events/{id}/instances",
        "GET /users/{id}/calendarView/delta",
        "GET /users/{id}/todo/lists/{id}/tasks/{id}/attachments/{id}/$value",
    ] {
        assert!(seen.requests.contains_key(name), "{name}: {:?}", seen.requests);
    }
    client.control("faults", json!({"limits": {"concurrency": 0}})).await;
    for path in ["calendars", "contacts", "todo/lists"] {
        assert_eq!(client.refusal(&at(path)).await, (429, "ApplicationThrottled".to_owned()));
    }
}
