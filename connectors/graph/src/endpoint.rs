//! Addresses and requests as values: built and checked without a network.

use transhume_contract::{Fault, Reach, What};
use transhume_http::{HeaderValue, LaneKey, Request, Url, header};

/// Ids stay the same while an item moves within its mailbox. It must be sent with every request (Graph docs: immutable
/// identifiers).
pub const IMMUTABLE: &str = "IdType=\"ImmutableId\"";

/// Where this service is and who asks.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Ends with `/v1.0`.
    base: Url,
    app: String,
}

impl Endpoint {
    pub fn new(graph: &Url, app: impl Into<String>) -> Self {
        let mut base = graph.clone();
        base.set_path(&format!("{}/v1.0", graph.path().trim_end_matches('/')));
        Self { base, app: app.into() }
    }

    /// An address below `/v1.0`: path and query, already encoded.
    pub fn at(&self, path: &str) -> Url {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url.set_query(query);
        url
    }

    /// A question about the tenant.
    pub fn directory(&self, url: Url) -> Request {
        Request::get(url, [LaneKey::new("directory", "users"), self.app()])
    }

    /// A report: at most 14 in ten minutes for each, and a pause that one is told is no other request's (Graph docs:
    /// throttling limits, reports).
    pub fn report(&self, url: Url) -> Request {
        Request::get(url, [LaneKey::new("report", "usage"), self.app()])
    }

    /// A question about one mailbox: all workloads of it share its lanes.
    pub fn mailbox(&self, user: &str, url: Url) -> Request {
        Request::get(url, [LaneKey::new("mailbox", user), self.app()])
    }

    fn app(&self) -> LaneKey {
        LaneKey::new("app", self.app.as_str())
    }

    /// What of a link is kept in a cursor: path and query. A link of another host, or one with an empty user segment
    /// (`users//`, seen by corso), is broken: it is neither followed nor taken for the end of the data.
    pub fn kept(&self, link: &str) -> Result<String, Fault> {
        let url = Url::parse(link).map_err(|error| broken(&error.to_string()))?;
        if url.origin() != self.base.origin() {
            return Err(broken("it leads to another host"));
        }
        if url.path().contains("/users//") {
            return Err(broken("its user is missing"));
        }
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(format!("{}{query}", url.path()))
    }

    /// The address of what a cursor kept.
    pub fn resumed(&self, kept: &str) -> Result<Url, Fault> {
        self.base.join(kept).map_err(|error| broken(&error.to_string())).and_then(|url| {
            let same = url.origin() == self.base.origin();
            if same { Ok(url) } else { Err(broken("it leads to another host")) }
        })
    }
}

fn broken(why: &str) -> Fault {
    let sentence = format!("Microsoft Graph gave a broken link to the next page: {why}");
    Fault::new(What::Malformed, sentence).reaching(Reach::Collection)
}

/// Adds one `Prefer` header of these values, which the service reads joined by commas.
pub fn preferring(request: Request, values: &[&str]) -> Request {
    match HeaderValue::from_str(&values.join(", ")) {
        Ok(value) => request.header(header::HeaderName::from_static("prefer"), value),
        Err(_) => request,
    }
}

/// One segment of a path. Everything but unreserved characters is encoded: ids end in `=`, user names hold `#`.
pub fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint::new(&Url::parse("http://127.0.0.1:4000").unwrap(), "app")
    }

    #[test]
    fn ids_are_encoded_in_paths() {
        let url = endpoint().at(&format!("/users/{}/messages/{}/$value", segment("a#b@c"), segment("AAMk_-=/+")));
        assert_eq!(url.as_str(), "http://127.0.0.1:4000/v1.0/users/a%23b%40c/messages/AAMk_-%3D%2F%2B/$value");
    }

    #[test]
    fn a_link_survives_the_cursor_verbatim() {
        let link =
            "http://127.0.0.1:4000/v1.0/users('a%40b')/mailFolders('A%3D')/messages/delta?$skiptoken=a%2Bb-_=&x=%27";
        let kept = endpoint().kept(link).unwrap();
        assert_eq!(endpoint().resumed(&kept).unwrap().as_str(), link);
    }

    #[test]
    fn broken_links_are_neither_followed_nor_the_end() {
        for link in ["http://127.0.0.1:4000/v1.0/users//messages", "http://127.0.0.1:4001/v1.0/users/a", "nonsense"] {
            assert_eq!(endpoint().kept(link).unwrap_err().what, What::Malformed, "{link}");
        }
        assert!(endpoint().resumed("https://evil.example/x").is_err());
        assert!(endpoint().resumed("//evil.example/x").is_err());
    }

    #[test]
    fn wishes_travel_in_one_header() {
        let request = preferring(endpoint().mailbox("u", endpoint().at("/x")), &[IMMUTABLE, "odata.maxpagesize=500"]);
        assert_eq!(request.headers["prefer"], "IdType=\"ImmutableId\", odata.maxpagesize=500");
    }
}
