//! Messages and their parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use transhume_simulators::Options;

use crate::client::{ANNA, Client, calm, id, message, patched, tenant, with_mime};

fn at(path: &str) -> String {
    format!("/v1.0/users/{ANNA}/{path}")
}

async fn with_one(name: &str, members: Value, mime: &str) -> Client {
    let mut dump = tenant();
    dump.entries.push(with_mime(patched(message(ANNA, name, "Boîte", 100), members), mime));
    Client::with(dump, calm()).await
}

#[tokio::test]
async fn listings_page_by_skip_newest_first() {
    let client = Client::with(tenant(), calm()).await;
    let page = client.json(&at("mailFolders/inbox/messages?$select=subject")).await;
    assert_eq!(page["value"][0]["subject"], "in24");
    assert_eq!(page["value"][0].as_object().unwrap().len(), 3, "etag, id and what was selected");
    assert!(page["@odata.nextLink"].as_str().unwrap().contains("%24skip=10"));
    assert_eq!(client.all(&at("mailFolders/inbox/messages?$top=7")).await.len(), 25);
    assert_eq!(client.all(&at("messages")).await.len(), 27, "all folders are mixed");
    assert_eq!(client.get(&at("mailFolders/inbox/messages/$count")).await.text().await.unwrap(), "25");
    let counted = client.json(&at("messages?$count=true&$top=1")).await;
    assert_eq!(counted["@odata.count"], 27);
    assert_eq!(client.refusal(&at("messages?$select=colour")).await.1, "RequestBroker--ParseUri");
}

#[tokio::test]
async fn filters_and_orders() {
    let client = Client::with(tenant(), calm()).await;
    let inbox = |query: &str| at(&format!("mailFolders/inbox/messages?{query}"));
    let late = client.all(&inbox("$filter=receivedDateTime ge 2025-03-02T00:20:00Z")).await;
    assert_eq!(late.len(), 5);
    let oldest = client.json(&inbox("$orderby=receivedDateTime asc&$top=1")).await;
    assert_eq!(oldest["value"][0]["subject"], "in00");
    let inefficient = inbox("$filter=isRead eq false&$orderby=receivedDateTime desc");
    assert_eq!(client.refusal(&inefficient).await, (400, "InefficientFilter".to_owned()));
}

#[tokio::test]
async fn ids_change_on_move_unless_immutable() {
    let client = Client::with(tenant(), calm()).await;
    let prefer = [("prefer", "IdType=\"ImmutableId\"")];
    let lasting =
        client.json_with(&at(&format!("messages/{}", id("in00"))), &prefer).await["id"].as_str().unwrap().to_owned();
    assert_ne!(lasting, id("in00"));
    let moved = client.mutate(json!({"op": "move", "user": ANNA, "message": id("in00"), "to": "deleteditems"})).await;
    assert_eq!(client.refusal(&at(&format!("messages/{}", id("in00")))).await, (404, "ErrorItemNotFound".to_owned()));
    let again = client.json_with(&at(&format!("messages/{lasting}")), &prefer).await;
    assert_eq!((&again["id"], &again["parentFolderId"]), (&json!(lasting), &json!(id("Papierkorb"))));
    let plain = client.json(&at(&format!("messages/{}", moved["id"].as_str().unwrap()))).await;
    assert_eq!(plain["subject"], "in00");
    assert_eq!(client.refusal(&at(&format!("messages/{}", lasting.to_lowercase()))).await.0, 404);
    client.control("faults", json!({"switches": {"strict_immutable_ids": true}})).await;
    assert_eq!(client.refusal(&at(&format!("messages/{lasting}"))).await.1, "ErrorInvalidIdMalformed");
}

#[tokio::test]
async fn mime_comes_in_chunks_from_the_direct_path_only() {
    let client = Client::with(tenant(), calm()).await;
    let answer = client.get(&at(&format!("messages/{}/$value", id("in03")))).await;
    assert_eq!(answer.headers()["content-type"], "text/plain");
    assert_eq!(
        (answer.headers().get("content-length"), &answer.headers()["transfer-encoding"]),
        (None, &"chunked".parse().unwrap())
    );
    assert_eq!(
        answer.text().await.unwrap(),
        "Subject: in03\r\nMessage-ID: <in03@x>\r\nFrom: x@y\r\n\r\ntext of in03\r\n"
    );
    let printed = at(&format!("mailFolders/inbox/messages/{}/$value", id("in03")));
    assert_eq!(client.refusal(&printed).await, (405, "ErrorInvalidRequest".to_owned()));
    let stats = client.running.stats();
    assert_eq!(stats.bodies, 1);
    assert_eq!(stats.requests["GET /users/{id}/messages/{id}/$value"][&200], 1);
}

const MULTIPART: &str = "Subject: two\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"frontier_12345\"\n\n\
--frontier_12345\nContent-Type: text/plain\n\nbody\n\
--frontier_12345\nContent-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment; filename=a.pdf\n\
Content-Transfer-Encoding: base64\n\nAAECAw==\n\
--frontier_12345\nContent-Type: message/rfc822\n\nSubject: inner\nContent-Type: multipart/mixed; boundary=\"other_12345678\"\n\n\
--other_12345678\nContent-Type: text/plain\n\ninside\n\
--other_12345678\nContent-Type: image/png; name=p.png\nContent-Disposition: attachment; filename=p.png\n\
Content-Transfer-Encoding: base64\n\nBAUG\n--other_12345678--\n\n--frontier_12345--\n";

#[tokio::test]
async fn mime_is_made_anew_and_cut_when_switched_so() {
    let client = with_one("two", json!({}), MULTIPART).await;
    let path = at(&format!("messages/{}/$value", id("two")));
    let whole = client.get(&path).await.text().await.unwrap();
    client.control("faults", json!({"switches": {"regenerate_mime": true}})).await;
    let (first, second) =
        (client.get(&path).await.text().await.unwrap(), client.get(&path).await.text().await.unwrap());
    assert!(first != second && !first.contains("frontier") && first.contains("X-MS-Exchange-"));
    assert_eq!(first.len(), second.len());
    client
        .control("faults", json!({"switches": {"regenerate_mime": false, "cut_mime": {"above": 100, "clean": true}}}))
        .await;
    let cut = client.get(&path).await.text().await.unwrap();
    assert_eq!(cut, whole[..100], "the answer ends well, only the message does not");
    client.control("faults", json!({"switches": {"cut_mime": {"above": 100}}})).await;
    assert!(client.get(&path).await.bytes().await.is_err(), "the connection breaks");
}

#[tokio::test]
async fn attachments_of_three_kinds() {
    let link = json!({"@odata.type": "#microsoft.graph.referenceAttachment", "id": id("link"), "name": "plan.dwg", "size": 411});
    let client = with_one("two", json!({"hasAttachments": true, "_sim": {"attachments": [link]}}), MULTIPART).await;
    let base = at(&format!("messages/{}/attachments", id("two")));
    let page = client.json(&format!("{base}?$top=1")).await;
    let rows = page["value"].as_array().unwrap();
    let kinds: Vec<&str> = rows.iter().map(|row| row["@odata.type"].as_str().unwrap()).collect();
    let expected =
        ["#microsoft.graph.fileAttachment", "#microsoft.graph.itemAttachment", "#microsoft.graph.referenceAttachment"];
    assert_eq!(kinds, expected, "they are not paged");
    assert_eq!(rows[0]["contentBytes"], STANDARD.encode([0, 1, 2, 3]));
    assert!(rows[0]["size"].as_u64().unwrap() > 4, "the store counts more than the bytes");
    let one = |at: usize| format!("{base}/{}", rows[at]["id"].as_str().unwrap());
    assert_eq!(client.get(&format!("{}/$value", one(0))).await.bytes().await.unwrap().as_ref(), [0, 1, 2, 3]);
    assert!(client.get(&format!("{}/$value", one(1))).await.text().await.unwrap().starts_with("Subject: inner"));
    assert_eq!(client.refusal(&format!("{}/$value", one(2))).await.0, 405);
    let select = client.json(&format!("{base}?$select=id,name,size,contentType,isInline")).await;
    assert!(select["value"][0].get("contentBytes").is_none());
    let nested = "$expand=microsoft.graph.itemattachment/item($expand=microsoft.graph.message/attachments)";
    let item = client.json(&format!("{}?{nested}", one(1))).await["item"].clone();
    assert_eq!((&item["subject"], &item["attachments"][0]["name"]), (&json!("inner"), &json!("p.png")));
    let expanded = client.json(&at(&format!("messages/{}?$expand=attachments", id("two")))).await;
    assert_eq!(expanded["attachments"].as_array().unwrap().len(), 3);
    assert!(expanded.get("_sim").is_none());
    client.control("faults", json!({"switches": {"attachments_at_once": 2}})).await;
    assert_eq!(client.refusal(&base).await.1, "ErrorTooManyObjectsOpened");
    assert_eq!(client.get(&one(0)).await.status(), 200);
}

/// A message in a message in a message, the innermost with a file.
const NESTED: &str = "Subject: one\nContent-Type: multipart/mixed; boundary=\"first_boundary\"\n\n\
--first_boundary\nContent-Type: text/plain\n\nouter\n\
--first_boundary\nContent-Type: message/rfc822\n\nSubject: two\nContent-Type: multipart/mixed; boundary=\"second_boundary\"\n\n\
--second_boundary\nContent-Type: text/plain\n\nmiddle\n\
--second_boundary\nContent-Type: message/rfc822\n\nSubject: three\nContent-Type: multipart/mixed; boundary=\"third_boundary\"\n\n\
--third_boundary\nContent-Type: text/plain\n\ninner\n\
--third_boundary\nContent-Type: image/png; name=p.png\nContent-Disposition: attachment; filename=p.png\n\
Content-Transfer-Encoding: base64\n\nBAUG\n--third_boundary--\n\n--second_boundary--\n\n--first_boundary--\n";

#[tokio::test]
async fn messages_nest_and_one_request_shows_all_of_them() {
    let client = with_one("nest", json!({"hasAttachments": true}), NESTED).await;
    let base = at(&format!("messages/{}/attachments", id("nest")));
    let rows = client.json(&base).await["value"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 1, "only what the message itself holds: {rows}");
    let one = format!("{base}/{}", rows[0]["id"].as_str().unwrap());
    let nested = "$expand=microsoft.graph.itemattachment/item($expand=microsoft.graph.message/attachments)";
    let second = client.json(&format!("{one}?{nested}")).await["item"].clone();
    assert_eq!((&second["subject"], second["attachments"].as_array().unwrap().len()), (&json!("two"), 1));
    let third = &second["attachments"][0];
    assert_eq!(third["@odata.type"], "#microsoft.graph.itemAttachment");
    assert_eq!(third["item"]["subject"], "three");
    let file = &third["item"]["attachments"][0];
    assert_eq!((&file["name"], &file["contentBytes"]), (&json!("p.png"), &json!("BAUG")));
    let plain = client.get(&format!("{one}/$value")).await.text().await.unwrap();
    assert!(plain.starts_with("Subject: two") && plain.contains("Subject: three") && plain.contains("BAUG"), "{plain}");
}

const PICTURE: &str = "Subject: picture\nContent-Type: multipart/related; boundary=\"related_boundary\"\n\n\
--related_boundary\nContent-Type: text/html\n\n<img src=\"cid:logo@x\">\n\
--related_boundary\nContent-Type: image/png; name=logo.png\nContent-ID: <logo@x>\nContent-Disposition: inline; filename=logo.png\n\
Content-Transfer-Encoding: base64\n\nAQID\n--related_boundary--\n";

/// Whoever trusts `hasAttachments` loses the pictures of a letter (Microsoft Graph docs: message, `hasAttachments`).
#[tokio::test]
async fn inline_pictures_are_listed_though_the_message_says_it_has_none() {
    let client = Client::with(tenant(), calm()).await;
    let mime = STANDARD.encode(PICTURE.replace('\n', "\r\n"));
    let made = client.mutate(json!({"op": "new_message", "user": ANNA, "folder": "inbox", "mime": mime})).await;
    let path = at(&format!("messages/{}", made["id"].as_str().unwrap()));
    assert_eq!(client.json(&format!("{path}?$select=hasAttachments")).await["hasAttachments"], false);
    let rows = client.json(&format!("{path}/attachments")).await["value"].clone();
    let seen = ["name", "isInline", "contentId", "contentBytes"].map(|member| rows[0][member].clone());
    assert_eq!(seen, [json!("logo.png"), json!(true), json!("logo@x"), json!("AQID")], "{rows}");
    assert_eq!(client.json(&format!("{path}?$expand=attachments")).await["attachments"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_broken_attachment_leaves_the_message() {
    let client = with_one("two", json!({"_sim": {"attachment_fails": 0}}), MULTIPART).await;
    let base = at(&format!("messages/{}/attachments", id("two")));
    assert_eq!(client.refusal(&base).await.1, "ErrorCannotOpenFileAttachment");
    let rows = client.json(&format!("{base}?$select=name")).await["value"].clone();
    assert_eq!(client.refusal(&format!("{base}/{}", rows[0]["id"].as_str().unwrap())).await.0, 500);
    assert_eq!(client.get(&format!("{base}/{}", rows[1]["id"].as_str().unwrap())).await.status(), 200);
    assert_eq!(client.get(&at(&format!("messages/{}/$value", id("two")))).await.status(), 200);
}

#[tokio::test]
async fn extended_properties_are_told_under_their_normal_names() {
    let stated = json!({"singleValueExtendedProperties": [{"id": "Integer 0x1081", "value": "102"}]});
    let client = with_one("answered", stated, "Subject: a\n\nx\n").await;
    let filter =
        "$filter=id eq 'Integer 0x1081' or id eq 'Integer 0x0E08' or id eq 'String 0x001A' or id eq 'Integer 0x9999'";
    let path = at(&format!("messages/{}?$select=id&$expand=singleValueExtendedProperties({filter})", id("answered")));
    let found = client.json(&path).await["singleValueExtendedProperties"].clone();
    let expected = json!([{"id": "Integer 0x1081", "value": "102"}, {"id": "Integer 0xe08", "value": "17"},
        {"id": "String 0x1a", "value": "IPM.Note"}]);
    assert_eq!(found, expected);
    client.control("faults", json!({"switches": {"normalised_property_ids": false}})).await;
    assert_eq!(client.json(&path).await["singleValueExtendedProperties"][1]["id"], "Integer 0x0E08");
    let wrong = at("messages?$expand=singleValueExtendedProperties($filter=id eq 'Whole 1')");
    assert_eq!(client.refusal(&wrong).await, (400, "ErrorInvalidExtendedProperty".to_owned()));
    let plain = client.json(&at(&format!("messages/{}", id("answered")))).await;
    assert!(plain.get("singleValueExtendedProperties").is_none());
}

#[tokio::test]
async fn headers_and_text_bodies_come_on_request() {
    let client = Client::with(tenant(), calm()).await;
    let path = at(&format!("messages/{}?$select=internetMessageHeaders,uniqueBody,body", id("in01")));
    let row = client.json_with(&path, &[("prefer", "outlook.body-content-type=\"text\"")]).await;
    assert_eq!(row["internetMessageHeaders"][0], json!({"name": "Subject", "value": "in01"}));
    assert_eq!(row["body"], json!({"contentType": "text", "content": "text\r\n"}));
    assert!(client.json(&at(&format!("messages/{}", id("in01")))).await.get("internetMessageHeaders").is_none());
}

#[tokio::test]
async fn some_messages_fail_for_ever_and_some_poison_their_page() {
    let mut dump = tenant();
    let poison = json!({"_sim": {"fails": "ErrorContentConversionFailed", "poisons": true}});
    dump.entries.push(patched(message(ANNA, "poison", "Boîte", 100), poison));
    let corrupt = json!({"_sim": {"fails": "ErrorCorruptData"}});
    dump.entries.push(patched(message(ANNA, "corrupt", "Projects", 101), corrupt));
    let client = Client::with(dump, calm()).await;
    let inbox = at("mailFolders/inbox/messages");
    assert_eq!(client.refusal(&format!("{inbox}?$top=50")).await, (500, "InternalServerError".to_owned()));
    let large = [("prefer", "odata.maxpagesize=500")];
    let delta = client.send(reqwest::Method::GET, &format!("{inbox}/delta"), &large).await;
    assert_eq!(delta.status(), 500, "delta pages are poisoned too");
    assert_eq!(client.all(&format!("{inbox}?$skip=1")).await.len(), 25, "the page without it is good");
    assert_eq!(client.all(&format!("{inbox}?$select=id&$top=50")).await.len(), 26, "ids can be listed");
    assert_eq!(
        client.refusal(&at(&format!("messages/{}/$value", id("poison")))).await,
        (500, "ErrorContentConversionFailed".to_owned())
    );
    let listed = client.all(&at(&format!("mailFolders/{}/messages", id("Projects")))).await;
    assert_eq!(listed.len(), 3, "what fails is listed all the same");
    assert_eq!(client.refusal(&at(&format!("messages/{}", id("corrupt")))).await.1, "ErrorCorruptData");
}

#[tokio::test]
async fn some_messages_vanish_between_listing_and_reading() {
    let client = with_one("ghost", json!({"_sim": {"vanishes": true}}), "Subject: g\n\n").await;
    assert_eq!(client.all(&at("mailFolders/inbox/messages")).await.len(), 26);
    assert_eq!(
        client.refusal(&at(&format!("messages/{}/$value", id("ghost")))).await,
        (404, "ErrorItemNotFound".to_owned())
    );
    assert_eq!(client.all(&at("mailFolders/inbox/messages")).await.len(), 25);
}

#[tokio::test]
async fn meeting_messages_carry_their_type() {
    let members = json!({"@odata.type": "#microsoft.graph.eventMessageResponse", "meetingMessageType": "meetingTenativelyAccepted",
        "responseType": "tentativelyAccepted"});
    let client = with_one("maybe", members, "Subject: m\n\n").await;
    let path = at(&format!("messages/{}", id("maybe")));
    let row = client.json(&path).await;
    assert_eq!(row["@odata.type"], "#microsoft.graph.eventMessageResponse");
    assert_eq!(row["meetingMessageType"], "meetingTenativelyAccepted");
    let class =
        client.json(&format!("{path}?$expand=singleValueExtendedProperties($filter=id eq 'String 0x001A')")).await;
    assert_eq!(class["singleValueExtendedProperties"][0]["value"], "IPM.Schedule.Meeting.Resp.Tent");
    assert_eq!(client.json(&format!("{path}?$expand=microsoft.graph.eventMessage/event")).await["event"], json!({}));
}

#[tokio::test]
async fn strict_json_parsers_meet_raw_control_characters_and_unknown_fields() {
    let mut dump = tenant();
    dump.entries.push(patched(message(ANNA, "bell", "Projects", 100), json!({"subject": "ding\u{7}dong"})));
    let client = Client::with(dump, Options::default()).await;
    let path = at(&format!("messages/{}", id("bell")));
    assert!(client.json(&path).await.get("undocumentedSince2019").is_some());
    client.control("faults", json!({"switches": {"raw_control_characters": true}})).await;
    let text = client.get(&path).await.text().await.unwrap();
    assert!(text.contains("ding\u{7}dong"));
    assert!(serde_json::from_str::<Value>(&text).is_err());
}

#[tokio::test]
async fn settings_categories_rules() {
    let mut dump = tenant();
    let line = |kind: &str, resource: Value| transhume_simulators::dump::Entry {
        kind: kind.to_owned(),
        user: Some(ANNA.to_owned()),
        resource,
        parent: None,
        content: None,
    };
    dump.entries.push(line("masterCategory", json!({"id": "c1", "displayName": "Urgent", "color": "preset0"})));
    dump.entries
        .push(line("messageRule", json!({"id": "r1", "displayName": "Sort", "sequence": 1, "isEnabled": true})));
    let client = Client::with(dump, calm()).await;
    assert_eq!(client.all(&at("outlook/masterCategories")).await[0]["color"], "preset0");
    assert_eq!(client.all(&at("mailFolders/inbox/messageRules")).await[0]["displayName"], "Sort");
    assert_eq!(client.refusal(&at("mailFolders/deleteditems/messageRules")).await.0, 400);
    assert_eq!(client.json(&at("mailboxSettings")).await["timeZone"], "W. Europe Standard Time");
    assert!(client.all(&at("inferenceClassification/overrides")).await.is_empty());
}
