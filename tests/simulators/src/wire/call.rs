//! One request, read as OData reads it.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use super::Query;

/// Who calls, as the access token tells.
#[derive(Clone)]
pub(crate) struct Caller {
    pub app: String,
    /// Application permissions, or the delegated scopes of a signed-in person.
    pub grants: Vec<String>,
    /// The id of the signed-in person; none for an application.
    pub person: Option<String>,
}

/// A request to Graph, or one inside a batch.
#[derive(Clone)]
pub(crate) struct Call {
    pub method: Method,
    /// Path and query as sent, for links back to it and for fault rules.
    pub target: String,
    /// The path below the version, decoded: keys in parentheses stand as segments of their own.
    pub segments: Vec<String>,
    pub query: Query,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// `scheme://host:port` as the client sees it.
    pub origin: String,
}

impl Call {
    /// `version` is the first segment (`v1.0`), which is not part of [`Call::segments`].
    pub fn new(head: &Parts, body: Bytes, origin: String) -> Self {
        let target = head.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        Self::to(head.method.clone(), target, head.headers.clone(), body, origin)
    }

    pub fn to(method: Method, target: String, headers: HeaderMap, body: Bytes, origin: String) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let below = path.strip_prefix("/v1.0").unwrap_or(path);
        let segments = segments(below);
        let query = Query::parse(query);
        Self { method, segments, query, headers, body, origin, target }
    }

    pub fn parts(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The bearer token, if the header has that form; an empty one counts as absent.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
    }

    pub fn prefer(&self) -> Prefer {
        Prefer::read(&self.headers)
    }

    /// Whether a `Prefer` header holds a word, alone or among others.
    pub fn prefers(&self, word: &str) -> bool {
        let headers = self.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        headers.flat_map(|value| value.split([',', ';'])).any(|one| one.trim().eq_ignore_ascii_case(word))
    }

    pub fn eventual(&self) -> bool {
        self.header("consistencylevel").is_some_and(|level| level.eq_ignore_ascii_case("eventual"))
    }

    /// `https://host/v1.0/$metadata#<what>`.
    pub fn context(&self, what: &str) -> String {
        format!("{}/v1.0/$metadata#{what}", self.origin)
    }

    /// The absolute address of this call without its query.
    pub fn address(&self) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        format!("{}{path}", self.origin)
    }
}

/// Splits a path at its slashes and turns `users('a')/messages('b')` into `users/a/messages/b`. Empty segments stay,
/// so that `users//messages` is seen for what it is. What stands between two colons is a path in a drive or to a site
/// (`root:/a (1)/b.txt:`), whose names are taken as they are; clients may also write it as one encoded segment.
fn segments(path: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut named = false;
    for raw in path.trim_start_matches('/').split('/') {
        let segment = percent_decode_str(raw).decode_utf8_lossy().into_owned();
        let at_once = !named && segment.contains(":/");
        let leads_on = segment.ends_with(':');
        if at_once {
            found.extend(segment.split('/').map(str::to_owned));
        } else if named {
            found.push(segment);
        } else if let Some((name, key)) = keyed(&segment) {
            found.extend([name.to_owned(), key]);
        } else {
            found.push(bare(segment));
        }
        named = leads_on != (named || at_once);
    }
    while found.len() > 1 && found.last().is_some_and(String::is_empty) {
        found.pop();
    }
    found
}

/// `users('o''neill@x')` is the segment `users` and the key `o'neill@x`.
fn keyed(segment: &str) -> Option<(&str, String)> {
    let (name, rest) = segment.split_once("('")?;
    let key = rest.strip_suffix("')")?;
    Some((name, key.replace("''", "'")))
}

/// Bound functions may be written with their namespace and empty parentheses.
fn bare(segment: String) -> String {
    let name = segment.strip_prefix("microsoft.graph.").unwrap_or(&segment);
    name.strip_suffix("()").unwrap_or(name).to_owned()
}

/// What `Prefer` headers ask for and Outlook honours (Microsoft Graph docs: customise Outlook with request headers).
#[derive(Default, Clone)]
pub(crate) struct Prefer {
    pub immutable_ids: bool,
    pub page_size: Option<usize>,
    pub text_bodies: bool,
    /// The zone in which events show their start and end.
    pub zone: Option<String>,
}

impl Prefer {
    fn read(headers: &HeaderMap) -> Self {
        let mut prefer = Self::default();
        for value in headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()) {
            value.split([',', ';']).for_each(|one| prefer.take(one.trim()));
        }
        prefer
    }

    fn take(&mut self, one: &str) {
        let (name, value) = one.split_once('=').unwrap_or((one, ""));
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "idtype" => self.immutable_ids = value.eq_ignore_ascii_case("immutableid"),
            "odata.maxpagesize" => self.page_size = value.parse().ok().filter(|size| *size > 0),
            "outlook.timezone" => self.zone = Some(value.to_owned()).filter(|zone| !zone.is_empty()),
            "outlook.body-content-type" => self.text_bodies = value.eq_ignore_ascii_case("text"),
            _ => {}
        }
    }

    /// The value of `Preference-Applied`, if anything was honoured.
    pub fn applied(self) -> Option<String> {
        let mut applied = Vec::new();
        if self.immutable_ids {
            applied.push("IdType=\"ImmutableId\"".to_owned());
        }
        if let Some(size) = self.page_size {
            applied.push(format!("odata.maxpagesize={size}"));
        }
        if self.text_bodies {
            applied.push("outlook.body-content-type=\"text\"".to_owned());
        }
        if let Some(zone) = self.zone {
            applied.push(format!("outlook.timezone=\"{zone}\""));
        }
        (!applied.is_empty()).then(|| applied.join(", "))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_in_parentheses_are_segments() {
        assert_eq!(segments("/users('o''neill%40x')/messages/AAMk%3D/"), ["users", "o'neill@x", "messages", "AAMk="]);
        assert_eq!(segments("/users//messages/microsoft.graph.delta()"), ["users", "", "messages", "delta"]);
    }

    #[test]
    fn names_in_paths_are_taken_as_they_are() {
        let plain = segments("/drives/b!1/root:/a%20(1)/f('x')/g():/children/microsoft.graph.delta()");
        assert_eq!(plain, ["drives", "b!1", "root:", "a (1)", "f('x')", "g():", "children", "delta"]);
        let encoded = segments("/drives/b!1/items/root%3A%2Fa%2Fb.txt%3A/content");
        assert_eq!(encoded, ["drives", "b!1", "items", "root:", "a", "b.txt:", "content"]);
        assert_eq!(segments("/sites/x.example:/sites/a():/drives"), ["sites", "x.example:", "sites", "a():", "drives"]);
        assert_eq!(segments("/drives/b!1/root:/a/b()"), ["drives", "b!1", "root:", "a", "b()"]);
    }

    #[test]
    fn several_preferences_share_a_header() {
        let mut headers = HeaderMap::new();
        headers.append("prefer", "odata.maxpagesize=50, IdType=\"ImmutableId\"".parse().unwrap());
        let prefer = Prefer::read(&headers);
        assert_eq!(prefer.applied().unwrap(), "IdType=\"ImmutableId\", odata.maxpagesize=50");
    }
}
