//! People, groups, reports.

use serde_json::{Value, json};
use transhume_simulators::dump::{Dump, Entry};

use crate::client::{ANNA, BOB, Client, HALL, calm, id, patched, tenant, user};

#[tokio::test]
async fn users_show_eleven_fields_unless_asked() {
    let client = Client::new().await;
    let page = client.json("/v1.0/users").await;
    assert_eq!(page["value"][0].as_object().unwrap().len(), 11);
    let page = client.json("/v1.0/users?$select=id,assignedLicenses,userType").await;
    assert_eq!(page["value"][0].as_object().unwrap().len(), 3);
    assert!(page["@odata.context"].as_str().unwrap().contains("$metadata#users(id,"));
    assert_eq!(client.refusal("/v1.0/users?$select=id,mailboxSettings").await, (501, "NotImplemented".to_owned()));
    assert_eq!(client.refusal("/v1.0/users?$select=nickname").await, (400, "BadRequest".to_owned()));
    let one = client.json(&format!("/v1.0/users/{ANNA}?$select=mailboxSettings,mail")).await;
    assert_eq!(one["mailboxSettings"]["userPurpose"], "user");
}

fn crowd(number: u32) -> Dump {
    let mut dump = tenant();
    dump.entries.extend((0..number).map(|at| user(&format!("p{at}@contoso.example"), 100 + at)));
    dump
}

#[tokio::test]
async fn users_page_by_sealed_tokens() {
    let client = Client::with(crowd(246), calm()).await;
    let first = client.json("/v1.0/users").await;
    assert_eq!(first["value"].as_array().unwrap().len(), 100);
    assert_eq!(client.all("/v1.0/users").await.len(), 250);
    assert_eq!(client.json("/v1.0/users?$top=5000").await["value"].as_array().unwrap().len(), 250);
    let link = first["@odata.nextLink"].as_str().unwrap();
    let edited = format!("{}x", link);
    assert_eq!(client.refusal(&edited).await.0, 400);
    client.control("faults", json!({"switches": {"reject_large_top": true}})).await;
    assert_eq!(client.refusal("/v1.0/users?$top=5000").await.0, 400);
}

#[tokio::test]
async fn advanced_filters_need_the_consistency_header() {
    let client = Client::new().await;
    let plain = client.all("/v1.0/users?$filter=userType eq 'Guest'").await;
    assert_eq!(plain.len(), 1);
    let path = "/v1.0/users?$filter=userType ne 'Guest'&$count=true";
    assert_eq!(client.refusal(path).await.1, "Request_UnsupportedQuery");
    let page = client.json_with(path, &[("consistencylevel", "eventual")]).await;
    assert_eq!((&page["@odata.count"], page["value"].as_array().unwrap().len()), (&json!(3), 3));
    assert_eq!(client.refusal("/v1.0/users?$filter=userType is").await.0, 400);
}

#[tokio::test]
async fn users_are_found_by_id_and_name() {
    let client = Client::new().await;
    let one = client.json(&format!("/v1.0/users('{ANNA}')")).await;
    let again = client.json(&format!("/v1.0/users/{}", one["id"].as_str().unwrap())).await;
    assert_eq!(one["userPrincipalName"], again["userPrincipalName"]);
    let guest = client.json("/v1.0/users/guest_y.example%23EXT%23@contoso.example").await;
    assert_eq!(guest["mail"], Value::Null);
    assert_eq!(client.refusal("/v1.0/users/nobody@x").await, (404, "Request_ResourceNotFound".to_owned()));
    assert_eq!(client.refusal("/v1.0/users//messages").await.0, 400);
}

#[tokio::test]
async fn mailboxes_are_absent_purposed_or_out_of_scope() {
    let client = Client::new().await;
    let guest = "/v1.0/users/guest_y.example%23EXT%23@contoso.example/mailFolders";
    assert_eq!(client.refusal(guest).await, (404, "MailboxNotEnabledForRESTAPI".to_owned()));
    let purpose = client.json(&format!("/v1.0/users/{HALL}/mailboxSettings/userPurpose")).await;
    assert_eq!(purpose["value"], "room");
    let bob = format!("/v1.0/users/{BOB}/mailFolders");
    client.control("faults", json!({"mailboxes": {BOB: {"scoped_out": true}}})).await;
    let answer = client.get(&bob).await.json::<Value>().await.unwrap();
    assert_eq!(answer["error"]["code"], "ErrorAccessDenied");
    assert_eq!(answer["error"]["message"], "Access to OData is disabled.");
    assert_eq!(
        client.get(&format!("/v1.0/users/{ANNA}/mailFolders")).await.status(),
        200,
        "only one mailbox is closed"
    );
    let script = json!({"mailboxes": {BOB: {"scoped_out": false, "disabled": true}}});
    client.control("faults", script).await;
    assert_eq!(client.refusal(&bob).await.1, "MailboxNotEnabledForRESTAPI");
    client.control("faults", json!({"switches": {"resource_not_found_wording": true}})).await;
    assert_eq!(client.refusal(&bob).await.1, "ResourceNotFound");
    assert_eq!(client.refusal("/v1.0/users/nobody@x/mailFolders").await.1, "ErrorInvalidUser");
}

#[tokio::test]
async fn errors_echo_the_request_in_their_envelope() {
    let client = Client::new().await;
    let headers = [("client-request-id", "11111111-2222-3333-4444-555555555555")];
    let answer = client.send(reqwest::Method::GET, "/v1.0/users/nobody@x", &headers).await;
    assert_eq!(answer.headers()["client-request-id"], headers[0].1);
    let request = answer.headers()["request-id"].to_str().unwrap().to_owned();
    assert!(answer.headers().contains_key("x-ms-ags-diagnostic"));
    let inner = answer.json::<Value>().await.unwrap()["error"]["innerError"].clone();
    assert_eq!((&inner["request-id"], &inner["client-request-id"]), (&json!(request), &json!(headers[0].1)));
    let date = inner["date"].as_str().unwrap();
    assert_eq!((date.len(), date.contains('Z')), (19, false));
}

fn group(members: Value) -> Vec<Entry> {
    let resource = json!({"id": "00000000-0000-4000-9000-000000000001", "displayName": "Council", "groupTypes": ["Unified"],
        "mail": "council@contoso.example", "_sim": {"conversations": 23}});
    let line = |kind: &str, resource: Value, parent: Option<&str>| Entry {
        kind: kind.to_owned(),
        user: None,
        resource,
        parent: parent.map(str::to_owned),
        content: None,
    };
    let security = json!({"id": "00000000-0000-4000-9000-000000000002", "displayName": "Doors", "groupTypes": []});
    vec![
        line("group", resource, None),
        line("group", security, None),
        line("member", members, Some("00000000-0000-4000-9000-000000000001")),
    ]
}

#[tokio::test]
async fn conversations_of_groups_can_be_counted() {
    let mut dump = tenant();
    dump.entries.extend(group(json!({"id": "00000000-0000-4000-8000-000000000001", "displayName": "anna"})));
    let client = Client::with(dump, calm()).await;
    let unified = client.all("/v1.0/groups?$filter=groupTypes/any(c:c eq 'Unified')").await;
    assert_eq!(unified.len(), 1);
    assert!(unified[0].get("_sim").is_none(), "notes are never served");
    let path = format!("/v1.0/groups/{}", unified[0]["id"].as_str().unwrap());
    assert_eq!(client.all(&format!("{path}/conversations")).await.len(), 23);
    assert_eq!(client.all(&format!("{path}/threads?$top=20")).await.len(), 23);
    assert_eq!(client.all(&format!("{path}/members")).await[0]["displayName"], "anna");
    let of_anna = client.all(&format!("/v1.0/users/{ANNA}/memberOf")).await;
    assert_eq!(of_anna[0]["displayName"], "Council");
    let security = "/v1.0/groups/00000000-0000-4000-9000-000000000002/conversations";
    assert_eq!(client.refusal(security).await.0, 404);
}

#[tokio::test]
async fn usage_reports_come_from_another_origin_without_a_token() {
    let mut dump = tenant();
    let anna =
        dump.entries.iter_mut().find(|entry| entry.kind == "user" && entry.user.as_deref() == Some(ANNA)).unwrap();
    *anna = patched(anna.clone(), json!({"_sim": {"archive": true}}));
    let client = Client::with(dump, calm()).await;
    let path = "/v1.0/reports/getMailboxUsageDetail(period='D7')";
    let answer = client.get(path).await;
    assert_eq!(answer.status(), 302);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(!location.starts_with(&client.running.base_url()));
    assert_eq!(client.get(&location).await.status(), 401, "the address carries its own right");
    let csv = client.http.get(&location).send().await.unwrap().text().await.unwrap();
    let csv = csv.strip_prefix('\u{feff}').unwrap();
    assert!(csv.starts_with("Report Refresh Date,User Principal Name,"));
    let anna = csv.lines().find(|line| line.contains(ANNA)).unwrap();
    assert!(anna.contains(",27,") && anna.ends_with(",True,7"), "{anna}");
    assert_eq!(client.refusal("/v1.0/reports/getMailboxUsageDetail(period='D8')").await.0, 400);
    client.control("faults", json!({"switches": {"concealed_names": true, "short_reports": true}})).await;
    assert_eq!(client.json("/v1.0/admin/reportSettings").await["displayConcealedNames"], true);
    let concealed = client.http.get(&location).send().await.unwrap().text().await.unwrap();
    assert!(!concealed.contains(ANNA) && !concealed.contains("Has Archive"));
    for _ in 0..13 {
        client.get(path).await;
    }
    assert_eq!(client.get(path).await.status(), 429, "fourteen in ten minutes");
}

#[tokio::test]
async fn the_organisation_and_rooms_that_are_not_built() {
    let client = Client::new().await;
    let organisation = client.json("/v1.0/organization").await;
    assert_eq!(organisation["value"][0]["id"], "6babcaad-604b-40ac-a9d7-9fd97c0b779f");
    assert_eq!(client.refusal(&format!("/v1.0/users/{ANNA}/onenote")).await, (501, "NotSimulated".to_owned()));
    assert_eq!(client.refusal("/v1.0/teapots").await, (400, "BadRequest".to_owned()));
    let path = format!("/v1.0/users/{ANNA}/messages/{}", id("in00"));
    let answer = client.send(reqwest::Method::DELETE, &path, &[]).await;
    assert_eq!(answer.status(), 403);
    assert_eq!(client.running.stats().writes, 1);
    assert_eq!(client.get(&path).await.status(), 200);
}
