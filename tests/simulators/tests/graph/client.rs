//! A small client, and a small tenant in which every message is known.

use bytes::Bytes;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use transhume_simulators::dump::{Content, Dump, Entry, Provider};
use transhume_simulators::{Options, Running, Simulator};

pub const ANNA: &str = "anna@contoso.example";
pub const BOB: &str = "bob@contoso.example";
pub const HALL: &str = "hall@contoso.example";

/// A started simulator, and a client with a token.
pub struct Client {
    pub running: Running,
    pub http: reqwest::Client,
    pub token: String,
}

impl Client {
    pub async fn new() -> Self {
        Self::with(tenant(), Options::default()).await
    }

    pub async fn with(dump: Dump, options: Options) -> Self {
        let secret = options.client_secret.clone().unwrap_or_default();
        let running = Simulator::start(dump, options).await.unwrap();
        let http = http();
        let mut client = Self { running, http, token: String::new() };
        client.token = client.sign_in(&secret).await;
        client
    }

    async fn sign_in(&self, secret: &str) -> String {
        let answer = self.ask_token(&[("client_id", "app"), ("client_secret", secret)]).await.1;
        answer["access_token"].as_str().unwrap_or_default().to_owned()
    }

    /// A token request for client credentials; further fields replace the usual ones.
    pub async fn ask_token(&self, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let mut form = vec![("grant_type", "client_credentials"), ("scope", "https://graph.microsoft.com/.default")];
        form.retain(|(name, _)| !fields.iter().any(|(other, _)| other == name));
        form.extend(fields);
        self.post_form("/contoso/oauth2/v2.0/token", &form).await
    }

    pub async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(self.url(path)).header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    pub fn url(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.running.base_url()) }
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&'static str, &str)]) -> Response {
        let mut request = self.http.request(method, self.url(path)).bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, &[]).await
    }

    /// A 200 with JSON.
    pub async fn json(&self, path: &str) -> Value {
        self.json_with(path, &[]).await
    }

    pub async fn json_with(&self, path: &str, headers: &[(&'static str, &str)]) -> Value {
        let answer = self.send(Method::GET, path, headers).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The status and error code of an answer that is none.
    pub async fn refusal(&self, path: &str) -> (u16, String) {
        let answer = self.get(path).await;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        (status, body["error"]["code"].as_str().unwrap().to_owned())
    }

    /// Every row of a collection, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        self.walk(path, &[]).await.0
    }

    /// Every row, and the last page's deltaLink.
    pub async fn walk(&self, path: &str, headers: &[(&'static str, &str)]) -> (Vec<Value>, Option<String>) {
        let mut rows = Vec::new();
        let mut next = path.to_owned();
        loop {
            let page = self.json_with(&next, headers).await;
            rows.extend(page["value"].as_array().unwrap().clone());
            match page["@odata.nextLink"].as_str() {
                Some(link) => next = link.to_owned(),
                None => return (rows, page["@odata.deltaLink"].as_str().map(str::to_owned)),
            }
        }
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(self.url(&format!("/_sim/{path}"))).body(body.to_string());
        let answer = request.send().await.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    pub async fn mutate(&self, operation: Value) -> Value {
        self.control("mutate", operation).await["done"][0].clone()
    }
}

pub fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// An Outlook id with a name in it, so that failures can be read.
pub fn id(name: &str) -> String {
    let name: String = name.chars().map(|letter| if letter.is_ascii() { letter } else { 'x' }).collect();
    format!("AAMkAG{name:-<40}=")
}

pub fn entry(kind: &str, user: &str, resource: Value, parent: Option<&str>) -> Entry {
    let (kind, user, parent) = (kind.to_owned(), Some(user.to_owned()), parent.map(str::to_owned));
    Entry { kind, user, resource, parent, content: None }
}

pub fn user(address: &str, number: u32) -> Entry {
    let resource = json!({
        "id": format!("00000000-0000-4000-8000-{number:012}"), "userPrincipalName": address, "mail": address,
        "displayName": address.split('@').next(), "accountEnabled": true, "userType": "Member",
        "assignedLicenses": [], "businessPhones": [],
    });
    entry("user", address, resource, None)
}

pub fn folder(user: &str, name: &str, parent: &str, role: Option<&str>) -> Entry {
    let resource = json!({"id": id(name), "displayName": name, "parentFolderId": id(parent), "isHidden": false});
    entry("mailFolder", user, resource, role)
}

pub fn message(user: &str, name: &str, folder: &str, minute: u32) -> Entry {
    let received = format!("2025-03-02T{:02}:{:02}:00Z", minute / 60 % 24, minute % 60);
    let resource = json!({
        "@odata.etag": "W/\"CQAAABYAAAB\"", "id": id(name), "createdDateTime": received,
        "lastModifiedDateTime": received, "changeKey": "CQAAABYAAAB", "categories": [], "receivedDateTime": received,
        "sentDateTime": received, "hasAttachments": false, "internetMessageId": format!("<{name}@x>"),
        "subject": name, "bodyPreview": "text", "importance": "normal", "parentFolderId": id(folder),
        "isRead": false, "isDraft": false, "flag": {"flagStatus": "notFlagged"},
        "body": {"contentType": "html", "content": "<p>text</p>"},
        "from": {"emailAddress": {"name": "X", "address": "x@y"}}, "toRecipients": [],
    });
    Entry { content: Some(mime(name)), ..entry("message", user, resource, None) }
}

fn mime(name: &str) -> Content {
    let text = format!("Subject: {name}\r\nMessage-ID: <{name}@x>\r\nFrom: x@y\r\n\r\ntext of {name}\r\n");
    Content::Bytes(Bytes::from(text))
}

/// The resource of a message in a dump, to be changed.
pub fn patched(mut entry: Entry, members: Value) -> Entry {
    for (name, value) in members.as_object().unwrap() {
        entry.resource[name] = value.clone();
    }
    entry
}

pub fn with_mime(entry: Entry, mime: &str) -> Entry {
    Entry { content: Some(Content::Bytes(Bytes::from(mime.replace('\n', "\r\n")))), ..entry }
}

/// The folders that every test mailbox has.
pub fn folders(of: &str) -> Vec<Entry> {
    let settings =
        json!({"timeZone": "W. Europe Standard Time", "userPurpose": "user", "language": {"locale": "fr-FR"}});
    vec![
        entry("mailboxSettings", of, settings, None),
        folder(of, "Root", "above", Some("msgfolderroot")),
        folder(of, "Boîte", "Root", Some("inbox")),
        folder(of, "Papierkorb", "Root", Some("deleteditems")),
        folder(of, "Projects", "Boîte", None),
        patched(folder(of, "Quiet", "Root", None), json!({"isHidden": true})),
        folder(of, "Purges", "above", Some("recoverableitemsdeletions")),
    ]
}

/// Anna has 25 messages in her inbox and two below it, Bob one, the guest no mailbox, the hall is a room.
pub fn tenant() -> Dump {
    let mut entries = vec![user(ANNA, 1), user(BOB, 2), user(HALL, 3)];
    let guest = json!({"userType": "Guest", "mail": null});
    entries.push(patched(user("guest_y.example#EXT#@contoso.example", 4), guest));
    for of in [ANNA, BOB, HALL] {
        entries.extend(folders(of));
    }
    entries.extend((0..25).map(|number| message(ANNA, &format!("in{number:02}"), "Boîte", number)));
    entries.extend((0..2).map(|number| message(ANNA, &format!("pro{number}"), "Projects", number)));
    entries.push(message(BOB, "hello", "Boîte", 1));
    for entry in
        entries.iter_mut().filter(|entry| entry.kind == "mailboxSettings" && entry.user.as_deref() == Some(HALL))
    {
        entry.resource["userPurpose"] = "room".into();
    }
    Dump { provider: Provider::Graph, entries }
}

/// Switches that leave nothing to chance.
pub fn calm() -> Options {
    let mut options = Options::default();
    let switches = &mut options.knobs.switches;
    (switches.repeat_rows, switches.empty_pages, switches.extra_fields) = (0, 0, false);
    options
}
