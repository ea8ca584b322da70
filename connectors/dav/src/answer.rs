//! Answers: their bytes read into what they say, whatever the status.

use crate::{
    paths::path_of,
    xml::{self, Node, Space},
};
use bytes::Bytes;
use transhume_http::{HeaderMap, Url, header};

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// One resource of a multistatus (RFC 4918 section 14.24).
#[derive(Clone, Debug)]
pub struct Entry {
    pub path: String,
    /// Of the resource as a whole, where it has one.
    pub status: Option<u16>,
    /// The properties that were found.
    pub found: Vec<Node>,
}

/// What became of one UID of several sent at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub uid: String,
    /// Where it stands; none where it was refused.
    pub path: Option<String>,
    pub etag: Option<String>,
}

/// Why a server refused, as its XML says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaint {
    /// Preconditions by their names (`no-uid-conflict`), those of whatever namespace.
    pub conditions: Vec<String>,
    /// The class of the exception, of servers built on sabre/dav.
    pub class: Option<String>,
    /// Its words.
    pub words: Option<String>,
    /// What it points to.
    pub hrefs: Vec<String>,
}

impl Entry {
    pub fn property(&self, space: Space, name: &str) -> Option<&Node> {
        self.found.iter().find(|node| node.is(space, name))
    }

    pub fn text(&self, space: Space, name: &str) -> Option<&str> {
        self.property(space, name)?.said()
    }

    /// The first href in a property.
    pub fn href(&self, space: Space, name: &str, base: &Url) -> Option<String> {
        path_of(self.property(space, name)?.kid(Space::Dav, "href")?.said()?, base)
    }

    pub fn etag(&self) -> Option<String> {
        self.text(Space::Dav, "getetag").map(strong)
    }

    pub fn is_missing(&self) -> bool {
        self.status.is_some_and(|status| status == 404 || status == 410)
    }
}

impl Answer {
    /// The resources of a multistatus; none where it is something else.
    pub fn entries(&self, base: &Url) -> Result<Vec<Entry>, String> {
        if self.status != 207 {
            return Err(format!("status {} where 207 was due", self.status));
        }
        let root = xml::read(&self.body)?;
        if !root.is(Space::Dav, "multistatus") {
            return Err(format!("a document of `{}`", root.name));
        }
        Ok(root.kids_named(Space::Dav, "response").flat_map(|response| entry(response, base)).collect())
    }

    /// What became of several items sent at once: a response for each UID (draft-daboo-calendarserver-bulk-change,
    /// section 4.1, as Cyrus 3.6 answers).
    pub fn imported(&self, base: &Url) -> Result<Vec<Imported>, String> {
        let root = xml::read(&self.body)?;
        Ok(root.kids_named(Space::Dav, "response").filter_map(|response| imported(response, base)).collect())
    }

    /// The ETag of what was written, where the server stored it as it was sent.
    pub fn etag(&self) -> Option<String> {
        self.headers.get(header::ETAG)?.to_str().ok().map(strong)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The words of a header that may stand in several lines (RFC 9110 section 5.3), in small letters.
    pub fn words(&self, name: &str) -> Vec<String> {
        let lines = self.headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        let words = lines.flat_map(|line| line.split(',')).map(|word| word.trim().to_ascii_lowercase());
        words.filter(|word| !word.is_empty()).collect()
    }

    /// Whether the server stored what it was sent. 200 is what a proxy or a log-in form answers, with a page; only with
    /// what was stored, as it was asked for, does it say the same as 201 and 204. A multistatus may hold a refusal
    /// (Xandikos 0.2.8).
    pub fn stored(&self) -> bool {
        match self.status {
            201 | 204 => true,
            200 => self.words("preference-applied").iter().any(|word| word == "return=representation"),
            _ => false,
        }
    }

    /// Whether the server removed what it was to remove. Radicale 3.9 says so with 200 and a multistatus; a page under
    /// that status is a proxy's, or a log-in form's.
    pub fn removed(&self) -> bool {
        match self.status {
            202 | 204 => true,
            200 => {
                let root = xml::read(&self.body).ok().filter(|root| root.is(Space::Dav, "multistatus"));
                root.is_some_and(|root| root.kids_named(Space::Dav, "response").find_map(refusal).is_none())
            }
            _ => false,
        }
    }

    /// Whether it says nothing of what was done: a server that stumbles may do so after it has written, and a page in
    /// its stead is no answer.
    pub fn is_doubtful(&self) -> bool {
        self.status == 200 || self.inner_status() >= 500
    }

    /// The status that counts: of a multistatus that answers for one resource, the one inside.
    pub fn inner_status(&self) -> u16 {
        if self.status != 207 {
            return self.status;
        }
        let root = xml::read(&self.body).ok();
        let told = root.iter().flat_map(|root| root.kids_named(Space::Dav, "response")).find_map(refusal);
        told.unwrap_or(self.status)
    }

    /// Whether it refuses a write by a condition of HTTP, and gives no reason of its own.
    pub fn is_bare(&self) -> bool {
        matches!(self.inner_status(), 404 | 409 | 410 | 412) && self.complaint().conditions.is_empty()
    }

    pub fn complaint(&self) -> Complaint {
        let mut complaint = Complaint::default();
        if let Ok(root) = xml::read(&self.body) {
            complain(&root, false, &mut complaint);
        }
        complaint
    }
}

/// Weak or strong, it names one state: gzip on the way only marks it as weak.
fn strong(etag: &str) -> String {
    let etag = etag.trim();
    etag.strip_prefix("W/").unwrap_or(etag).to_owned()
}

/// `HTTP/1.1 404 Not Found`.
fn status_of(node: &Node) -> Option<u16> {
    node.kid(Space::Dav, "status")?.said()?.split_whitespace().nth(1)?.parse().ok()
}

fn refusal(response: &Node) -> Option<u16> {
    let own = status_of(response);
    let inner = response.kids_named(Space::Dav, "propstat").filter_map(status_of);
    own.into_iter().chain(inner).find(|status| *status >= 400)
}

/// A response speaks of one resource, or gives one status to several.
fn entry(response: &Node, base: &Url) -> Vec<Entry> {
    let status = status_of(response);
    let good = |propstat: &&Node| status_of(propstat).is_none_or(|status| (200..300).contains(&status));
    let properties = response.kids_named(Space::Dav, "propstat").filter(good);
    let found: Vec<Node> =
        properties.filter_map(|propstat| propstat.kid(Space::Dav, "prop")).flat_map(|prop| prop.kids.clone()).collect();
    let hrefs = response.kids_named(Space::Dav, "href").filter_map(Node::said);
    let paths = hrefs.filter_map(|href| path_of(href, base));
    paths.map(|path| Entry { path, status, found: found.clone() }).collect()
}

/// Where the item stands, its UID is one of its properties; else it is a part of the error.
fn imported(response: &Node, base: &Url) -> Option<Imported> {
    let uid = within(response, Space::CalendarServer, "uid")?.said()?.to_owned();
    let stands = entry(response, base).into_iter().find(|_| refusal(response).is_none());
    let etag = stands.as_ref().and_then(Entry::etag).map(quoted);
    Some(Imported { uid, path: stands.map(|entry| entry.path), etag })
}

/// Cyrus 3.6 leaves the quotes away in these answers.
fn quoted(etag: String) -> String {
    if etag.starts_with('"') { etag } else { format!("\"{etag}\"") }
}

fn within<'a>(node: &'a Node, space: Space, name: &str) -> Option<&'a Node> {
    node.kids.iter().find_map(|kid| if kid.is(space, name) { Some(kid) } else { within(kid, space, name) })
}

fn complain(node: &Node, inside: bool, into: &mut Complaint) {
    match (node.space, node.name.as_str()) {
        (Space::Sabre, "exception") => into.class = node.said().map(str::to_owned),
        (Space::Sabre, "message") | (Space::Dav, "responsedescription") => {
            into.words = into.words.take().or(node.said().map(str::to_owned));
        }
        (Space::Dav, "href") => into.hrefs.extend(node.said().map(str::to_owned)),
        (Space::Dav, "error") => node.kids.iter().for_each(|kid| complain(kid, true, into)),
        _ => {
            if inside && node.space != Space::Sabre {
                into.conditions.push(node.name.clone());
            }
            node.kids.iter().for_each(|kid| complain(kid, false, into));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: HeaderMap::new(), body: Bytes::from(body.to_owned()) }
    }

    fn base() -> Url {
        "http://127.0.0.1/dav/".parse().unwrap()
    }

    #[test]
    fn a_multistatus_tells_what_was_found_and_what_is_missing() {
        let body = "<multistatus xmlns=\"DAV:\"><response><href>/c/a.ics</href><propstat><prop><getetag>W/\"1\"</getetag>\
            </prop><status>HTTP/1.1 200 OK</status></propstat><propstat><prop><displayname/></prop>\
            <status>HTTP/1.1 404 Not Found</status></propstat></response>\
            <response><href>http://127.0.0.1:80/c/b.ics</href><status>HTTP/1.1 404 Not Found</status></response>\
            </multistatus>";
        let entries = answer(207, body).entries(&base()).unwrap();
        assert_eq!(entries[0].etag().as_deref(), Some("\"1\""));
        assert!(entries[0].property(Space::Dav, "displayname").is_none());
        assert!(entries[1].is_missing() && entries[1].path == "/c/b.ics");
        assert!(answer(200, body).entries(&base()).is_err());
        assert!(answer(207, "<html/>").entries(&base()).is_err());
    }

    /// As Cyrus 3.6, Xandikos 0.4, Nextcloud 32 and Radicale 3.9 refuse.
    #[test]
    fn refusals_are_read_whoever_words_them() {
        let cyrus = "<D:error xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">\
            <C:unique-scheduling-object-resource><D:href>/dav/c/Default/p1.ics</D:href>\
            </C:unique-scheduling-object-resource></D:error>";
        let complaint = answer(403, cyrus).complaint();
        assert_eq!(complaint.conditions, ["unique-scheduling-object-resource"]);
        assert_eq!(complaint.hrefs, ["/dav/c/Default/p1.ics"]);
        let xandikos = "<a:error xmlns:a=\"DAV:\" xmlns:b=\"urn:ietf:params:xml:ns:caldav\"><b:no-uid-conflict/>\
            <a:responsedescription>UID already in use.</a:responsedescription></a:error>";
        let complaint = answer(412, xandikos).complaint();
        assert_eq!(complaint.conditions, ["no-uid-conflict"]);
        assert_eq!(complaint.words.as_deref(), Some("UID already in use."));
        let nextcloud = "<d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\">\
            <s:exception>Sabre\\DAV\\Exception\\BadRequest</s:exception><s:message>Calendar object with uid</s:message>\
            </d:error>";
        let complaint = answer(400, nextcloud).complaint();
        assert_eq!(complaint.class.as_deref(), Some("Sabre\\DAV\\Exception\\BadRequest"));
        assert!(complaint.conditions.is_empty());
        assert_eq!(answer(400, "Bad Request").complaint(), Complaint::default());
    }

    /// Cut, repeated and overwritten in every place: an answer is read or refused.
    #[test]
    fn any_bytes_are_read_or_refused() {
        let whole = "<?xml version=\"1.0\"?><d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">\
            <d:response><d:href>/c/%C3%A9.ics</d:href><d:propstat><d:prop><d:getetag>&quot;1&quot;</d:getetag>\
            <c:calendar-data><![CDATA[BEGIN:VCALENDAR\nUID;X=\"a:b\":1\n END]]></c:calendar-data></d:prop>\
            <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>";
        let mut state = 1_u64;
        let mut random = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for _ in 0..20_000 {
            let mut bytes = whole.as_bytes().to_vec();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                match random(3) {
                    0 => bytes.truncate(at + 1),
                    1 => bytes[at] = random(256) as u8,
                    _ => bytes.splice(at..at, whole.bytes().skip(at).take(40)).for_each(drop),
                }
            }
            let answer = Answer { status: 207, headers: HeaderMap::new(), body: Bytes::from(bytes.clone()) };
            let entries = answer.entries(&base()).unwrap_or_default();
            assert!(entries.iter().all(|entry| entry.path.starts_with('/')));
            answer.complaint();
            answer.inner_status();
            let _ = answer.imported(&base());
            crate::lines::uid(&bytes);
            crate::lines::would_invite(&bytes, transhume_contract::Scheduling::ByClient, &[]);
        }
    }

    /// As Cyrus 3.6.1 answers: the first of two was stored, the second is another calendar's already.
    #[test]
    fn each_uid_of_several_is_spoken_of() {
        let body = "<D:multistatus xmlns:D=\"DAV:\" xmlns:CS=\"http://calendarserver.org/ns/\" \
            xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:response><D:href>/dav/c/1%2D2.ics</D:href><D:propstat>\
            <D:status>HTTP/1.1 200 OK</D:status><D:prop><D:getetag>e</D:getetag><CS:uid>a@x</CS:uid></D:prop>\
            </D:propstat></D:response><D:response><D:href/><D:status>HTTP/1.1 403 Forbidden</D:status><D:error>\
            <C:unique-scheduling-object-resource><D:href>/dav/d/b.ics</D:href></C:unique-scheduling-object-resource>\
            <CS:uid>b</CS:uid></D:error></D:response></D:multistatus>";
        let imported = |uid: &str, path: Option<&str>, etag: Option<&str>| {
            let (path, etag) = (path.map(str::to_owned), etag.map(str::to_owned));
            Imported { uid: uid.to_owned(), path, etag }
        };
        let told = answer(207, body).imported(&base()).unwrap();
        assert_eq!(told, [imported("a@x", Some("/dav/c/1-2.ics"), Some("\"e\"")), imported("b", None, None)]);
        assert!(answer(207, &body[..body.len() - 20]).imported(&base()).is_err());
    }

    #[test]
    fn removed_is_what_the_server_says_it_removed() {
        let radicale = |status: &str| {
            format!(
                "<multistatus xmlns=\"DAV:\"><response><href>/c/a</href><status>HTTP/1.1 {status}</status></response></multistatus>"
            )
        };
        assert!(answer(204, "").removed() && answer(200, &radicale("200 OK")).removed());
        assert!(!answer(200, &radicale("423 Locked")).removed() && !answer(200, "<html>log in</html>").removed());
        assert!(!answer(200, "").removed() && !answer(207, &radicale("200 OK")).removed());
        assert!(answer(200, "").is_doubtful() && answer(500, "").is_doubtful() && !answer(412, "").is_doubtful());
    }

    #[test]
    fn stored_is_what_the_server_says_it_stored() {
        assert!(answer(201, "").stored() && answer(204, "").stored());
        assert!(!answer(200, "").stored() && !answer(200, "<html>log in</html>").stored() && !answer(207, "").stored());
        let mut told = answer(200, "BEGIN:VCALENDAR");
        told.headers.insert("preference-applied", "return=representation".parse().unwrap());
        assert!(told.stored());
        let inside = "<multistatus xmlns=\"DAV:\"><response><href>/c/a</href><propstat><prop/>\
            <status>HTTP/1.1 412 Precondition Failed</status></propstat></response></multistatus>";
        assert_eq!(answer(207, inside).inner_status(), 412);
    }
}
