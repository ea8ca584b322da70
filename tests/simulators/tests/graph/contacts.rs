//! Contacts, their folders, their photos.

use serde_json::json;

use crate::calendars::values;
use crate::client::{ANNA, Client, calm, id};
use crate::diary::{contact, diary};

fn at(path: &str) -> String {
    format!("/v1.0/users/{ANNA}/{path}")
}

#[tokio::test]
async fn the_default_folder_stands_beside_the_list_or_in_it() {
    let client = Client::with(diary(), calm()).await;
    assert_eq!(values(&client.all(&at("contactFolders")).await, "displayName"), ["Club"]);
    assert_eq!(client.json(&at("contactFolders/contacts")).await["id"], id("Contacts"));
    client.control("faults", json!({"switches": {"default_contacts_listed": true}})).await;
    assert_eq!(values(&client.all(&at("contactFolders")).await, "displayName"), ["Contacts", "Club"]);
    let below = client.all(&at(&format!("contactFolders/{}/childFolders", id("Club")))).await;
    assert_eq!(values(&below, "displayName"), ["Board"]);
    let deep = at(&format!("contactFolders/{}/childFolders/{}/contacts", id("Club"), id("Board")));
    assert_eq!(values(&client.all(&deep).await, "displayName"), ["kim"]);
    assert!(client.all(&at(&format!("contactFolders/{}/childFolders", id("Board")))).await.is_empty());
}

#[tokio::test]
async fn contacts_come_with_their_holes() {
    let client = Client::with(diary(), calm()).await;
    let rows = client.all(&at("contacts?$top=1")).await;
    assert_eq!(values(&rows, "displayName"), ["jane", "john"]);
    let row = client.json(&at(&format!("contacts/{}", id("jane")))).await;
    assert_eq!(row["birthday"], "1980-05-01T11:59:00Z");
    assert_eq!((&row["givenName"], &row["surname"], &row["homeAddress"]), (&json!(""), &json!(null), &json!({})));
    assert!(row["emailAddresses"][1].is_null());
    assert_eq!(row["parentFolderId"], id("Contacts"));
    assert_eq!(client.refusal(&at("contacts?$select=gender")).await, (400, "RequestBroker--ParseUri".to_owned()));
    client.control("faults", json!({"switches": {"cloud": "china"}})).await;
    assert!(client.json(&at(&format!("contacts/{}", id("jane")))).await.get("primaryEmailAddress").is_none());
    assert_eq!(client.refusal(&at("contacts?$select=primaryEmailAddress")).await.0, 400);
}

#[tokio::test]
async fn photos_are_there_or_not() {
    let client = Client::with(diary(), calm()).await;
    let photo = at(&format!("contacts/{}/photo", id("jane")));
    assert_eq!(client.json(&photo).await["@odata.mediaContentType"], "image/png");
    let answer = client.get(&format!("{photo}/$value")).await;
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(&answer.bytes().await.unwrap()[..4], b"\x89PNG");
    let none = at(&format!("contacts/{}/photo/$value", id("john")));
    assert_eq!(client.refusal(&none).await, (404, "ErrorItemNotFound".to_owned()));
    client.mutate(json!({"op": "set_photo", "user": ANNA, "contact": "john", "photo": "/9j/"})).await;
    assert_eq!(client.get(&none).await.headers()["content-type"], "image/jpeg");
    let key = client.json(&at(&format!("contacts/{}", id("john")))).await["changeKey"].clone();
    client
        .control("faults", json!({"switches": {"photo_missing_as_image": true, "photo_touches_contact": false}}))
        .await;
    client.mutate(json!({"op": "set_photo", "user": ANNA, "contact": "john"})).await;
    assert_eq!(client.json(&at(&format!("contacts/{}", id("john")))).await["changeKey"], key);
    assert_eq!(client.refusal(&none).await, (404, "ImageNotFound".to_owned()));
    client.control("faults", json!({"clear": true})).await;
    assert_eq!(client.get(&none).await.status(), 404);
}

#[tokio::test]
async fn changes_are_tracked_by_folder() {
    let client = Client::with(diary(), calm()).await;
    let delta = |folder: &str| at(&format!("contactFolders/{folder}/contacts/delta"));
    let (rows, here) = client.walk(&delta("contacts"), &[]).await;
    let (_, there) = client.walk(&delta(&id("Board")), &[]).await;
    assert_eq!(rows.len(), 2);
    client
        .mutate(json!([
            {"op": "edit_contact", "user": ANNA, "contact": "john", "set": {"birthday": "1970-02-03"}},
            {"op": "move_contact", "user": ANNA, "contact": "jane", "to": "Board"},
            {"op": "create_contact", "user": ANNA, "set": {"displayName": "new"}},
        ]))
        .await;
    let (rows, link) = client.walk(&here.unwrap(), &[]).await;
    assert_eq!(rows[0]["birthday"], "1970-02-03T11:59:00Z");
    assert!(rows[0].get("displayName").is_none(), "only what changed");
    assert_eq!((&rows[1]["id"], rows[1].get("@removed").is_some()), (&json!(id("jane")), true));
    assert_eq!((rows.len(), &rows[2]["displayName"]), (3, &json!("new")));
    let (came, _) = client.walk(&there.unwrap(), &[]).await;
    assert_eq!((came.len(), &came[0]["displayName"]), (1, &json!("jane")));
    assert_eq!(client.refusal(&format!("{}?$orderby=displayName", delta("contacts"))).await.0, 400);
    client.control("faults", json!({"expire_delta_tokens": true})).await;
    assert_eq!(client.refusal(&link.unwrap()).await, (410, "SyncStateNotFound".to_owned()));
}

#[tokio::test]
async fn folders_are_tracked_too() {
    let client = Client::with(diary(), calm()).await;
    let (rows, link) = client.walk(&at("contactFolders/delta"), &[]).await;
    assert_eq!(values(&rows, "displayName"), ["Club", "Board"]);
    client
        .mutate(json!([
            {"op": "create_contact_folder", "user": ANNA, "name": "Choir", "parent": "Club"},
            {"op": "edit_contact_folder", "user": ANNA, "folder": "Club", "set": {"displayName": "Clubs"}},
            {"op": "delete_contact_folder", "user": ANNA, "folder": "Board"},
        ]))
        .await;
    let (rows, _) = client.walk(&link.unwrap(), &[]).await;
    assert_eq!(values(&rows, "displayName"), ["Choir", "Clubs", ""]);
    assert!(rows[2].get("@removed").is_some());
    assert_eq!(client.refusal(&at(&format!("contacts/{}", id("kim")))).await.0, 404, "it went with its folder");
}

#[tokio::test]
async fn contacts_of_a_folder_that_no_line_describes_lie_in_the_default_one() {
    let mut dump = crate::client::tenant();
    dump.entries.push(contact("stray", "Kontakte"));
    let client = Client::with(dump, calm()).await;
    let rows = client.all(&at("contacts")).await;
    assert_eq!((rows.len(), &rows[0]["parentFolderId"]), (1, &json!(id("Kontakte"))));
    assert_eq!(client.json(&at(&format!("contactFolders/{}", id("Kontakte")))).await["displayName"], "Contacts");
}

#[tokio::test]
async fn pages_may_be_smaller_than_asked_for() {
    let client = Client::with(diary(), calm()).await;
    client.control("faults", json!({"switches": {"list_page_most": 1}})).await;
    let page = client.json(&at("contacts?$top=100")).await;
    assert!(page["value"].as_array().unwrap().len() == 1 && page["@odata.nextLink"].is_string());
    assert_eq!(client.all(&at("contacts?$top=100")).await.len(), 2);
}
