//! Sites, and the files of teams.

use serde_json::{Value, json};
use transhume_simulators::dump::Entry;

use crate::calendars::values;
use crate::client::{ANNA, Client, calm, entry};
use crate::drive::{GROUP, LIBRARY, LOCKED, SECRET, TEAM_SITE, client, id, office};

#[tokio::test]
async fn sites_are_found_by_search_by_id_and_by_address() {
    let client = client().await;
    let found = client.all("/v1.0/sites?search=*").await;
    assert_eq!(values(&found, "displayName"), ["Contoso", "Town council", "Board", "Locked", ""]);
    assert_eq!(found[1]["name"], "Town council", "lists say the title there");
    assert!(found[4]["name"].is_null() && found.iter().all(|site| site.get("_sim").is_none()));
    assert_eq!(client.all("/v1.0/sites?search=council").await.len(), 1);
    let one = client.json(&format!("/v1.0/sites/{TEAM_SITE}")).await;
    assert_eq!((&one["name"], &one["displayName"]), (&json!("council"), &json!("Town council")));
    for path in [
        "/v1.0/sites/contoso.sharepoint.com:/sites/council".to_owned(),
        "/v1.0/sites/contoso.sharepoint.com:/sites/council:".to_owned(),
        "/v1.0/sites/contoso.sharepoint.com%3A%2Fsites%2Fcouncil%3A".to_owned(),
        format!("/v1.0/groups/{GROUP}/sites/root"),
    ] {
        assert_eq!(client.json(&path).await["id"], TEAM_SITE, "{path}");
    }
    assert_eq!(client.json("/v1.0/sites/root").await["displayName"], "Contoso");
    assert_eq!(client.json("/v1.0/sites/contoso.sharepoint.com").await["displayName"], "Contoso");
    assert_eq!(client.refusal("/v1.0/sites/contoso.sharepoint.com:/sites/nowhere").await.0, 404);
    let below = client.all(&format!("/v1.0/sites/{TEAM_SITE}/sites")).await;
    assert_eq!(values(&below, "displayName"), ["Board"]);
}

#[tokio::test]
async fn libraries_are_found_by_their_site() {
    let client = client().await;
    let drives = client.all("/v1.0/sites/contoso.sharepoint.com:/sites/council:/drives").await;
    assert_eq!(values(&drives, "id"), [LIBRARY]);
    let drive = client.json(&format!("/v1.0/sites/{TEAM_SITE}/drive/root:/General/agenda.docx")).await;
    assert_eq!(drive["parentReference"]["siteId"], TEAM_SITE);
    assert_eq!(client.all(&format!("/v1.0/groups/{GROUP}/sites/root/drives")).await, drives);
    let locked = "/v1.0/sites/contoso.sharepoint.com:/sites/locked:/drives";
    assert_eq!(client.refusal(locked).await, (423, "notAllowed".to_owned()));
    assert_eq!(client.refusal(&format!("/v1.0/drives/{LOCKED}")).await.0, 423);
}

#[tokio::test]
async fn all_sites_come_in_pages_whose_links_are_spelled_in_their_own_way() {
    let mut dump = office();
    dump.entries.extend((0..200_u32).map(|number| {
        let resource = json!({"id": format!("x.example,{number},{number}"), "displayName": format!("Site {number}"), "webUrl": format!("https://x.example/{number}")});
        Entry { user: None, ..entry("site", "", resource, None) }
    }));
    let client = Client::with(dump, calm()).await;
    let first = client.json("/v1.0/sites/getAllSites").await;
    assert_eq!(first["value"].as_array().unwrap().len(), 100);
    let next = first["@odata.nextLink"].as_str().unwrap();
    assert!(next.contains("/v1.0/sites/oneDrive.getAllSites?%24skiptoken="), "{next}");
    let all = client.all("/v1.0/sites/getAllSites").await;
    assert_eq!(all.len(), 206);
    assert_eq!(all.iter().filter(|site| site["isPersonalSite"] == true).count(), 1, "those of people are among them");
    assert_eq!(client.running.stats().requests["GET /sites/oneDrive.getAllSites"][&200], 2);
}

#[tokio::test]
async fn sites_need_their_own_permission_and_can_be_selected() {
    let mut dump = office();
    for site in dump.entries.iter_mut().filter(|entry| entry.resource["id"] == TEAM_SITE) {
        site.resource["_sim"] = json!({"selected": true});
    }
    let client = Client::with(dump, calm()).await;
    client.control("faults", json!({"roles": ["Files.Read.All"]})).await;
    assert_eq!(client.refusal("/v1.0/sites?search=*").await, (403, "accessDenied".to_owned()));
    assert_eq!(client.refusal(&format!("/v1.0/sites/{TEAM_SITE}")).await.0, 403);
    assert_eq!(client.get(&format!("/v1.0/sites/{TEAM_SITE}/drives")).await.status(), 200);
    client.control("faults", json!({"roles": ["Sites.Selected"]})).await;
    let token = client.ask_token(&[("client_id", "app"), ("client_secret", "secret")]).await.1;
    let client = Client { token: token["access_token"].as_str().unwrap().to_owned(), ..client };
    assert_eq!(client.refusal("/v1.0/sites/getAllSites").await.0, 403);
    assert_eq!(client.get(&format!("/v1.0/sites/{TEAM_SITE}")).await.status(), 200);
    assert_eq!(client.get(&format!("/v1.0/drives/{LIBRARY}/root/children")).await.status(), 200);
    assert_eq!(client.refusal(&format!("/v1.0/drives/{SECRET}/root/children")).await.0, 403);
}

#[tokio::test]
async fn channels_have_folders_in_libraries() {
    let client = client().await;
    let team = format!("/v1.0/teams/{GROUP}");
    assert_eq!(client.json(&team).await["displayName"], "Council");
    let channels = client.all(&format!("{team}/channels")).await;
    assert_eq!(values(&channels, "displayName"), ["General", "Board", "Unopened"]);
    assert!(channels[0].get("filesFolder").is_none());
    let folder = async |name: &str| client.get(&format!("{team}/channels/19:{name}@thread.tacv2/filesFolder")).await;
    let general = folder("General").await.json::<Value>().await.unwrap();
    assert_eq!((&general["id"], &general["parentReference"]["driveId"]), (&json!(id("General")), &json!(LIBRARY)));
    let board = folder("Board").await.json::<Value>().await.unwrap();
    assert_eq!(
        (&board["name"], &board["parentReference"]["driveId"]),
        (&json!("root"), &json!(SECRET)),
        "a site of its own"
    );
    assert_eq!(folder("Unopened").await.status(), 404);
    assert_eq!(
        client.refusal("/v1.0/teams/00000000-0000-4000-9000-000000000009/channels").await,
        (404, "NotFound".to_owned())
    );
    assert_eq!(client.refusal(&format!("{team}/schedule")).await.0, 501);
    client.control("faults", json!({"roles": ["Files.Read.All"]})).await;
    let refused = client.get(&format!("{team}/channels")).await;
    assert_eq!(refused.status(), 403);
    let message = refused.json::<Value>().await.unwrap()["error"]["message"].clone();
    assert!(message.as_str().unwrap().starts_with("Missing role permissions on the request."), "{message}");
    assert_eq!(folder("General").await.status(), 200);
}

#[tokio::test]
async fn usage_of_drives_and_sites_can_be_read() {
    let client = client().await;
    let report = async |path: &str| {
        let answer = client.get(&format!("/v1.0/reports/{path}")).await;
        let url = answer.headers()["location"].to_str().unwrap().to_owned();
        client.http.get(url).send().await.unwrap().text().await.unwrap()
    };
    let people = report("getOneDriveUsageAccountDetail(period='D30')").await;
    let lines: Vec<&str> = people.trim_start_matches('\u{feff}').lines().collect();
    assert!(lines[0].starts_with("Report Refresh Date,Site Id,Site URL,Owner Display Name,"));
    let anna = lines.iter().find(|line| line.contains(ANNA)).unwrap();
    assert!(anna.contains(",11,11,") && anna.ends_with(&format!(",{ANNA},30")), "{anna}");
    let sites = report("getSharePointSiteUsageDetail(date=2026-06-30)").await;
    let council = sites.lines().find(|line| line.contains("Town council")).unwrap();
    assert!(council.contains(",2,2,0,0,20,"), "{council}");
    assert_eq!(
        sites.lines().next().unwrap().split(',').count(),
        council.replace(TEAM_SITE, "").replace("\"\"", "").split(',').count()
    );
    assert_eq!(client.refusal("/v1.0/reports/getOneDriveUsageAccountDetail(date=yesterday)").await.0, 400);
}
