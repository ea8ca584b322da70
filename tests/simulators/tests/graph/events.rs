//! Reading events: lists, zones, whole days, marks.

use serde_json::{Value, json};
use transhume_simulators::Options;

use crate::calendars::values;
use crate::client::{ANNA, Client, calm, id, patched};
use crate::diary::{diary, event};

fn at(path: &str) -> String {
    format!("/v1.0/users/{ANNA}/{path}")
}

#[tokio::test]
async fn the_list_holds_masters_and_singles_of_one_calendar() {
    let client = Client::with(diary(), calm()).await;
    let rows = client.all(&at("events?$top=2")).await;
    assert_eq!(values(&rows, "subject"), ["standup", "lunch", "birthday"]);
    assert_eq!(values(&rows, "type"), ["seriesMaster", "singleInstance", "singleInstance"]);
    let twin = client.all(&at(&format!("calendars/{}/events", id("Twin2")))).await;
    assert_eq!(values(&twin, "subject"), ["twin"]);
    assert_eq!(client.json(&at(&format!("events/{}", id("twin")))).await["subject"], "twin", "any calendar's, by id");
    let elsewhere = at(&format!("calendars/{}/events/{}", id("Twin"), id("twin")));
    assert_eq!(client.refusal(&elsewhere).await, (404, "ErrorItemNotFound".to_owned()));
    assert_eq!(client.json(&at(&format!("events/{}/calendar", id("twin")))).await["id"], id("Twin2"));
    assert_eq!(client.get(&at("events/$count")).await.text().await.unwrap(), "3");
}

#[tokio::test]
async fn filters_and_orders() {
    let client = Client::with(diary(), calm()).await;
    let rows = client.all(&at("events?$filter=type eq 'singleInstance'&$orderby=start/dateTime")).await;
    assert_eq!(values(&rows, "subject"), ["birthday", "lunch"]);
    let page = client.json(&at("events?$filter=start/dateTime ge '2026-10-01T05:00'&$count=true")).await;
    assert_eq!((&page["@odata.count"], &page["value"][0]["subject"]), (&json!(1), &json!("lunch")));
}

#[tokio::test]
async fn times_come_in_the_zone_asked_for_but_whole_days_stay() {
    let client = Client::with(diary(), calm()).await;
    let path = at(&format!("events/{}", id("lunch")));
    assert_eq!(
        client.json(&path).await["start"],
        json!({"dateTime": "2026-10-01T10:00:00.0000000", "timeZone": "UTC"})
    );
    for (zone, clock) in
        [("Tokyo Standard Time", "2026-10-01T19:00:00.0000000"), ("America/New_York", "2026-10-01T06:00:00.0000000")]
    {
        let header = format!("outlook.timezone=\"{zone}\"");
        let answer = client.send(reqwest::Method::GET, &path, &[("prefer", header.as_str())]).await;
        assert_eq!(answer.headers()["preference-applied"], header);
        let row: Value = answer.json().await.unwrap();
        assert_eq!(row["start"], json!({"dateTime": clock, "timeZone": zone}));
        assert_eq!(row["lastModifiedDateTime"], "2025-01-06T10:00:00.1234567Z");
        let day = client.json_with(&at(&format!("events/{}", id("birthday"))), &[("prefer", header.as_str())]).await;
        assert_eq!(day["start"], json!({"dateTime": "2026-10-01T00:00:00.0000000", "timeZone": zone}));
    }
    let answer = client.send(reqwest::Method::GET, &path, &[("prefer", "outlook.timezone=\"Mars\"")]).await;
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], "TimeZoneNotSupportedException");
}

#[tokio::test]
async fn windows_need_both_bounds_with_their_own_offsets() {
    let client = Client::with(diary(), calm()).await;
    let view = |from: &str, to: &str| at(&format!("calendarView?startDateTime={from}&endDateTime={to}"));
    for path in ["calendarView", "calendarView?startDateTime=2026-10-01", "calendarView/delta?endDateTime=2026-10-01"] {
        assert_eq!(client.refusal(&at(path)).await, (400, "ErrorInvalidParameter".to_owned()), "{path}");
    }
    assert_eq!(client.refusal(&view("2026-10-02", "2026-10-01")).await.1, "ErrorInvalidParameter");
    assert_eq!(client.refusal(&view("yesterday", "2026-10-01")).await.1, "ErrorInvalidParameter");
    assert_eq!(client.refusal(&view("2020-01-01", "2025-01-01")).await.1, "ErrorInvalidRequest", "1827 days");
    assert_eq!(client.get(&view("2020-01-01", "2024-12-30")).await.status(), 200);
    let zone = [("prefer", "outlook.timezone=\"Tokyo Standard Time\"")];
    let inside = view("2026-10-01T12:30:00%2B02:00", "2026-10-01T12:45:00%2B02:00");
    let rows = client.walk(&inside, &zone).await.0;
    assert!(values(&rows, "subject").contains(&"lunch".to_owned()), "bounds do not follow the header");
    let outside = client.walk(&view("2026-10-01T12:30:00Z", "2026-10-01T12:45:00Z"), &zone).await.0;
    assert!(!values(&outside, "subject").contains(&"lunch".to_owned()));
}

#[tokio::test]
async fn whole_days_are_matched_where_they_were_made() {
    let client = Client::with(diary(), calm()).await;
    let late = at("calendarView?startDateTime=2026-10-01T22:30:00Z&endDateTime=2026-10-01T23:30:00Z");
    assert!(client.all(&late).await.is_empty(), "the day ended at 22:00 UTC in Berlin");
    client.control("faults", json!({"switches": {"all_day_in_utc": true}})).await;
    assert_eq!(values(&client.all(&late).await, "subject"), ["birthday"]);
}

#[tokio::test]
async fn selections_in_a_window_lose_some_members() {
    let client = Client::with(diary(), calm()).await;
    let select = "$select=subject,lastModifiedDateTime,onlineMeeting";
    let path = at(&format!("calendarView?startDateTime=2026-10-01T10:00Z&endDateTime=2026-10-01T11:00Z&{select}"));
    let row = client.all(&path).await.into_iter().find(|row| row["subject"] == "lunch").unwrap();
    let names: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["@odata.etag", "id", "subject"]);
    let row = client.json(&at(&format!("events/{}?{select}", id("lunch")))).await;
    assert!(row.get("lastModifiedDateTime").is_some() && row.get("onlineMeeting").is_some());
}

#[tokio::test]
async fn text_bodies_and_undocumented_members() {
    let client = Client::with(diary(), Options::default()).await;
    let path = at(&format!("events/{}", id("lunch")));
    let row = client.json_with(&path, &[("prefer", "outlook.body-content-type=\"text\"")]).await;
    assert_eq!(row["body"], json!({"contentType": "text", "content": "text\r\n"}));
    assert_eq!(row["uid"], row["iCalUId"]);
    assert!(row["iCalUId_v2"].is_string() && row["calendar@odata.navigationLink"].is_string());
    assert!(client.json(&format!("{path}?$select=subject")).await.get("uid").is_none());
}

#[tokio::test]
async fn damaged_events_fail_and_spoil_their_page() {
    let mut dump = diary();
    let bad = event("bad", "Twin", "2026-10-01T10:00:00", "2026-10-01T11:00:00");
    let gone = event("gone", "Slow", "2026-10-01T10:00:00", "2026-10-01T11:00:00");
    dump.entries.push(patched(bad, json!({"_sim": {"fails": "ErrorCorruptData", "poisons": true}})));
    dump.entries.push(patched(gone, json!({"_sim": {"vanishes": true}})));
    let client = Client::with(dump, calm()).await;
    assert_eq!(client.refusal(&at(&format!("events/{}", id("bad")))).await, (500, "ErrorCorruptData".to_owned()));
    let page = at(&format!("calendars/{}/events", id("Twin")));
    assert_eq!(client.refusal(&page).await, (500, "InternalServerError".to_owned()));
    assert_eq!(client.all(&format!("{page}?$select=id,changeKey")).await.len(), 1, "its id can be listed");
    assert_eq!(client.refusal(&format!("{page}?$select=id,subject")).await.0, 500);
    assert_eq!(client.walk(&format!("{page}/delta"), &[]).await.0.len(), 1, "and is tracked with little beside it");
    client.control("faults", json!({"switches": {"event_delta_limited": false}})).await;
    assert_eq!(client.refusal(&format!("{page}/delta")).await.0, 500);
    let slow = at(&format!("calendars/{}/events", id("Slow")));
    assert_eq!(client.all(&slow).await.len(), 1);
    assert_eq!(client.refusal(&at(&format!("events/{}", id("gone")))).await.0, 404, "listed, then gone");
    assert!(client.all(&slow).await.is_empty());
}
