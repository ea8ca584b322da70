//! A WebDAV client that reads what stands at a server, and shares nothing with the connector.

use std::collections::BTreeMap;

use regex::Regex;
use reqwest::{Client, Method};

/// One account of a server.
#[derive(Clone, Debug)]
pub struct RawDav {
    client: Client,
    root: String,
    user: String,
    password: String,
}

impl RawDav {
    pub fn new(root: &str, user: &str, password: &str) -> Self {
        let _another_was_first = rustls::crypto::ring::default_provider().install_default();
        let root = root.trim_end_matches('/').to_owned();
        Self { client: Client::new(), root, user: user.to_owned(), password: password.to_owned() }
    }

    /// Every object in the collections of a home, by path.
    ///
    /// # Errors
    /// What the server refused, as a sentence.
    pub async fn objects(&self, home: &str) -> Result<BTreeMap<String, String>, String> {
        let mut objects = BTreeMap::new();
        for collection in self.members(home).await?.into_iter().filter(|path| path.ends_with('/')) {
            for path in self.members(&collection).await?.into_iter().filter(|path| !path.ends_with('/')) {
                let text = self.ask(Method::GET, &path, "0", "").await?;
                objects.insert(path, text);
            }
        }
        Ok(objects)
    }

    /// Sends a request as another program would, and answers what the server said to it.
    ///
    /// # Errors
    /// What the server refused, as a sentence.
    pub async fn send(&self, method: &str, path: &str, body: &str) -> Result<String, String> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|error| error.to_string())?;
        self.ask(method, path, "0", body).await
    }

    /// The paths right below a collection.
    async fn members(&self, path: &str) -> Result<Vec<String>, String> {
        let body = "<propfind xmlns=\"DAV:\"><prop><getetag/></prop></propfind>";
        let method = Method::from_bytes(b"PROPFIND").map_err(|error| error.to_string())?;
        let answer = self.ask(method, path, "1", body).await?;
        let href = Regex::new(r"<(?:\w+:)?href>([^<]*)</").map_err(|error| error.to_string())?;
        let paths = href.captures_iter(&answer).map(|found| found[1].trim_start_matches(&self.root).to_owned());
        Ok(paths.filter(|found| found.trim_end_matches('/') != path.trim_end_matches('/')).collect())
    }

    async fn ask(&self, method: Method, path: &str, depth: &str, body: &str) -> Result<String, String> {
        let told = format!("{method} {path}");
        let request = self.client.request(method, format!("{}{path}", self.root)).header("Depth", depth);
        let request = request.basic_auth(&self.user, Some(&self.password)).body(body.to_owned());
        let form = match body {
            "" => None,
            xml if xml.starts_with('<') => Some("application/xml"),
            card if card.starts_with("BEGIN:VCARD") => Some("text/vcard"),
            _ => Some("text/calendar"),
        };
        let request = match form {
            Some(form) => request.header("Content-Type", format!("{form}; charset=utf-8")),
            None => request,
        };
        let answer = request.send().await.map_err(|error| format!("{told}: {error}"))?;
        match answer.status() {
            status if status.is_success() => answer.text().await.map_err(|error| format!("{told}: {error}")),
            status => Err(format!("{told}: {status}")),
        }
    }
}
