//! To Do: lists, tasks and what belongs to them.

use serde_json::{Value, json};

use crate::calendars::values;
use crate::client::{ANNA, Client, calm, id};
use crate::diary::diary;

fn at(path: &str) -> String {
    format!("/v1.0/users/{ANNA}/todo/{path}")
}

fn garden(path: &str) -> String {
    at(&format!("lists/{}/tasks{path}", id("Garden")))
}

#[tokio::test]
async fn lists_and_tasks() {
    let client = Client::with(diary(), calm()).await;
    let lists = client.all(&at("lists?$top=2")).await;
    assert_eq!(values(&lists, "wellknownListName"), ["defaultList", "flaggedEmails", "none"]);
    let rows = client.all(&garden("")).await;
    assert_eq!((rows.len(), &rows[0]["status"]), (1, &json!("notStarted")));
    assert_eq!(rows[0]["dueDateTime"], json!({"dateTime": "2025-02-01T00:00:00.0000000", "timeZone": "UTC"}));
    assert_eq!(rows[0]["recurrence"]["pattern"]["index"], "first", "padded as that of an event");
    assert!(rows[0].get("checklistItems").is_none() && rows[0].get("attachments").is_none());
    let task = garden(&format!("/{}", id("buy")));
    let row = client.json(&format!("{task}?$expand=checklistItems,linkedResources")).await;
    assert_eq!(
        (&row["checklistItems"][0]["displayName"], &row["linkedResources"][0]["externalId"]),
        (&json!("milk"), &json!("1"))
    );
    let expanded = client.json(&format!("{task}?$expand=attachments")).await["attachments"][0].clone();
    assert_eq!((&expanded["name"], expanded.get("contentBytes")), (&json!("a.txt"), None), "bytes come singly");
    let zone = [("prefer", "outlook.timezone=\"Tokyo Standard Time\"")];
    assert_eq!(client.json_with(&task, &zone).await["reminderDateTime"]["dateTime"], "2025-02-01T17:00:00.0000000");
    let elsewhere = at(&format!("lists/{}/tasks/{}", id("Tasks"), id("buy")));
    assert_eq!(client.refusal(&elsewhere).await, (404, "ErrorItemNotFound".to_owned()));
    assert_eq!(client.refusal(&garden("?$select=dueDate")).await.0, 400);
}

#[tokio::test]
async fn what_belongs_to_a_task() {
    let client = Client::with(diary(), calm()).await;
    let task = garden(&format!("/{}", id("buy")));
    assert_eq!(client.all(&format!("{task}/checklistItems")).await[0]["isChecked"], false);
    assert_eq!(client.json(&format!("{task}/linkedResources/l1")).await["applicationName"], "X");
    let files = client.all(&format!("{task}/attachments")).await;
    assert_eq!((&files[0]["size"], files[0].get("contentBytes")), (&json!(7), None));
    assert_eq!(client.json(&format!("{task}/attachments/a1")).await["contentBytes"], "Ym9uam91cg==");
    assert_eq!(client.get(&format!("{task}/attachments/a1/$value")).await.text().await.unwrap(), "bonjour");
    assert_eq!(client.refusal(&format!("{task}/attachments/a2")).await.0, 404);
    assert_eq!(client.refusal(&format!("{task}/notes")).await.0, 400);
}

#[tokio::test]
async fn flagged_mail_is_mirrored() {
    let client = Client::with(diary(), calm()).await;
    client
        .mutate(json!({"op": "edit", "user": ANNA, "message": id("in03"), "set": {"flag": {"flagStatus": "flagged"}}}))
        .await;
    let rows = client.all(&at(&format!("lists/{}/tasks", id("Flagged")))).await;
    assert_eq!(values(&rows, "title"), ["in03"]);
    let list = at(&format!("lists/{}/tasks", id("Flagged")));
    let one = client.json(&format!("{list}/{}", rows[0]["id"].as_str().unwrap())).await;
    assert_eq!(one["title"], "in03");
    let (tracked, link) = client.walk(&format!("{list}/delta"), &[]).await;
    assert_eq!(values(&tracked, "id"), values(&rows, "id"), "the list is tracked, too");
    let unflagged = json!({"flag": {"flagStatus": "notFlagged"}});
    client.mutate(json!({"op": "edit", "user": ANNA, "message": id("in03"), "set": unflagged})).await;
    let (left, link) = client.walk(&link.unwrap(), &[]).await;
    assert_eq!((left.len(), &left[0]["id"], left[0].get("@removed").is_some()), (1, &rows[0]["id"], true));
    assert!(client.walk(&link.unwrap(), &[]).await.0.is_empty());
}

#[tokio::test]
async fn changes_are_tracked_by_list_and_of_lists() {
    let client = Client::with(diary(), calm()).await;
    let (_, lists) = client.walk(&at("lists/delta"), &[]).await;
    let (rows, link) = client.walk(&garden("/delta"), &[]).await;
    assert_eq!(values(&rows, "title"), ["buy"]);
    client
        .mutate(json!([
            {"op": "edit_task", "user": ANNA, "task": "buy", "set": {"status": "completed"}},
            {"op": "create_task", "user": ANNA, "list": "Garden", "set": {"title": "dig"}},
            {"op": "create_task_list", "user": ANNA, "name": "Home"},
            {"op": "move_task", "user": ANNA, "task": "buy", "to": "Home"},
        ]))
        .await;
    let (rows, link) = client.walk(&link.unwrap(), &[]).await;
    assert_eq!((&rows[0]["title"], rows[1].get("@removed").is_some()), (&json!("dig"), true));
    assert_eq!(values(&client.walk(&lists.unwrap(), &[]).await.0, "displayName"), ["Home"]);
    client.mutate(json!({"op": "delete_task", "user": ANNA, "task": "dig"})).await;
    let (rows, _) = client.walk(&link.unwrap(), &[]).await;
    assert!(rows.len() == 1 && rows[0].get("@removed").is_some());
}

#[tokio::test]
async fn clouds_without_to_do_have_no_such_segment() {
    let client = Client::with(diary(), calm()).await;
    for (cloud, status) in [("us_gov", 200), ("bleu", 400), ("china", 400)] {
        client.control("faults", json!({"switches": {"cloud": cloud}})).await;
        assert_eq!(client.get(&at("lists")).await.status().as_u16(), status, "{cloud}");
    }
    let categories = format!("/v1.0/users/{ANNA}/outlook/masterCategories");
    assert_eq!(client.refusal(&categories).await.0, 400, "nor have those in China categories");
}

#[tokio::test]
async fn a_person_reads_their_own_tasks() {
    let client = Client::with(diary(), calm()).await;
    let form = [("client_id", "app"), ("scope", "https://graph.microsoft.com/Tasks.Read offline_access")];
    let code = client.post_form("/organizations/oauth2/v2.0/devicecode", &form).await.1["device_code"].clone();
    client.control("device", json!({"outcome": "approve", "user": ANNA})).await;
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let form = [("grant_type", grant), ("client_id", "app"), ("device_code", code.as_str().unwrap())];
    let token: Value = client.post_form("/organizations/oauth2/v2.0/token", &form).await.1;
    client.control("faults", json!({"switches": {"todo_app_only": false}})).await;
    let own = client.http.get(client.url("/v1.0/me/todo/lists")).bearer_auth(token["access_token"].as_str().unwrap());
    assert_eq!(own.send().await.unwrap().status(), 200, "the switch is about applications");
}

#[tokio::test]
async fn what_is_ticked_off_was_done_today_and_comes_again_if_it_repeats() {
    let client = Client::with(diary(), calm()).await;
    let (_, link) = client.walk(&garden("/delta"), &[]).await;
    client.mutate(json!({"op": "complete_task", "user": ANNA, "task": "buy"})).await;
    let (rows, link) = client.walk(&link.unwrap(), &[]).await;
    assert_eq!(
        (&rows[0]["id"], &rows[0]["status"], &rows[0]["recurrence"]),
        (&json!(id("buy")), &json!("completed"), &Value::Null)
    );
    let done = rows[0]["completedDateTime"]["dateTime"].as_str().unwrap();
    assert!(done.ends_with("T00:00:00.0000000"), "{done}");
    assert_eq!((&rows[1]["title"], &rows[1]["status"]), (&json!("buy"), &json!("notStarted")));
    assert_eq!(rows[1]["dueDateTime"]["dateTime"], "2025-02-03T00:00:00.0000000", "the Monday after the Saturday");
    assert_eq!(rows[1]["reminderDateTime"]["dateTime"], "2025-02-03T08:00:00.0000000");
    let task = garden(&format!("/{}", id("buy")));
    client.mutate(json!({"op": "edit_task", "user": ANNA, "task": id("buy"), "set": {"status": "inProgress"}})).await;
    assert_eq!(client.json(&task).await["completedDateTime"], Value::Null);
    client.mutate(json!({"op": "complete_task", "user": ANNA, "task": id("buy")})).await;
    assert_eq!(client.walk(&link.unwrap(), &[]).await.0.len(), 1, "it repeats no more");
}

#[tokio::test]
async fn an_application_may_see_only_the_list_of_flagged_mail() {
    let client = Client::with(diary(), calm()).await;
    client.control("faults", json!({"switches": {"todo_flagged_only": true}})).await;
    assert_eq!(values(&client.all(&at("lists")).await, "wellknownListName"), ["flaggedEmails"]);
}
