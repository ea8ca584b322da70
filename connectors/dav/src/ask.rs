//! Requests as values: what is asked of a server, before anything is sent.

use crate::{
    paths::folder,
    xml::{PREFIXES, escaped},
};
use bytes::Bytes;
use std::fmt::Write as _;
use transhume_contract::{Appearance, Workload};
use transhume_http::{HeaderName, HeaderValue, Method, header};

const XML: &str = "application/xml; charset=utf-8";
const DEPTH: HeaderName = HeaderName::from_static("depth");
const DESTINATION: HeaderName = HeaderName::from_static("destination");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const OVERWRITE: HeaderName = HeaderName::from_static("overwrite");
/// RFC 6638 section 8.1: no reply and no cancellation for what is deleted. Seen to work with Nextcloud 32 and Baikal
/// 0.12, and not with Cyrus 3.6 and SOGo 5.8.
const SCHEDULE_REPLY: HeaderName = HeaderName::from_static("schedule-reply");
/// Nextcloud since the end of 2024: no scheduling for this request.
const NC_SCHEDULING: HeaderName = HeaderName::from_static("x-nc-scheduling");

/// One request.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: Method,
    pub path: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// With its media type; always of known length, never chunked.
    pub body: Option<(&'static str, Bytes)>,
    /// Whether sending it twice does no harm and gives the same answer.
    pub repeatable: bool,
}

/// On what condition something is written.
#[derive(Clone, Copy, Debug)]
pub enum If<'a> {
    /// Nothing stands there.
    Nothing,
    /// What stands there has this ETag.
    Unchanged(&'a str),
}

/// How a collection is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Making<'a> {
    pub workload: Workload,
    pub name: &'a str,
    pub appearance: &'a Appearance,
    /// Xandikos 0.4.10 keeps names in a file where `%` begins something, and answers 500 to a single one.
    pub doubles_percent: bool,
}

fn method(name: &'static [u8]) -> Method {
    Method::from_bytes(name).unwrap_or_default()
}

impl Ask {
    fn new(method: Method, path: &str) -> Self {
        let (path, headers) = (path.to_owned(), Vec::new());
        Self { method, path, headers, body: None, repeatable: true }
    }

    fn xml(mut self, text: String) -> Self {
        self.body = Some((XML, Bytes::from(format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{text}"))));
        self
    }

    fn header(mut self, name: HeaderName, value: &str) -> Self {
        // What is no header value cannot be matched either: the server refuses the empty one.
        let value = HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static(""));
        self.headers.push((name, value));
        self
    }

    fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }

    /// RFC 7240 section 4.2: the answer shall hold what was stored, and with it its ETag.
    pub fn telling(self) -> Self {
        self.header(PREFER, "return=representation")
    }

    /// For everything that changes calendars: nobody is to hear of it.
    fn silently(self) -> Self {
        self.header(SCHEDULE_REPLY, "F").header(NC_SCHEDULING, "false")
    }

    fn on(self, condition: If<'_>) -> Self {
        match condition {
            If::Nothing => self.header(header::IF_NONE_MATCH, "*"),
            If::Unchanged(etag) => self.header(header::IF_MATCH, etag),
        }
    }
}

/// RFC 4918 section 9.1. `properties` are elements with the prefixes of [`PREFIXES`].
pub fn properties(path: &str, depth: u8, properties: &str) -> Ask {
    let body = format!("<d:propfind {PREFIXES}><d:prop>{properties}</d:prop></d:propfind>");
    Ask::new(method(b"PROPFIND"), path).header(DEPTH, &depth.to_string()).xml(body)
}

pub fn options(path: &str) -> Ask {
    Ask::new(Method::OPTIONS, path)
}

pub fn get(path: &str) -> Ask {
    Ask::new(Method::GET, path)
}

/// MKCALENDAR (RFC 4791 section 5.3.1) or extended MKCOL (RFC 5689) for an address book.
pub fn make(path: &str, making: &Making<'_>) -> Ask {
    let set = set(making);
    let ask = |name, body: String| Ask::new(method(name), &folder(path)).xml(body).once();
    match making.workload {
        Workload::Contacts => {
            let kind = "<d:resourcetype><d:collection/><a:addressbook/></d:resourcetype>";
            ask(b"MKCOL", format!("<d:mkcol {PREFIXES}><d:set><d:prop>{kind}{set}</d:prop></d:set></d:mkcol>"))
        }
        _ => {
            ask(b"MKCALENDAR", format!("<c:mkcalendar {PREFIXES}><d:set><d:prop>{set}</d:prop></d:set></c:mkcalendar>"))
        }
    }
}

/// Gives a collection the properties it was to be made with (RFC 4918 section 9.2).
pub fn dress(path: &str, making: &Making<'_>) -> Ask {
    let set = set(making);
    let body = format!("<d:propertyupdate {PREFIXES}><d:set><d:prop>{set}</d:prop></d:set></d:propertyupdate>");
    Ask::new(method(b"PROPPATCH"), &folder(path)).xml(body)
}

fn set(making: &Making<'_>) -> String {
    let name = if making.doubles_percent { making.name.replace('%', "%%") } else { making.name.to_owned() };
    let mut text = format!("<d:displayname>{}</d:displayname>", escaped(&name));
    if let Some(component) = component(making.workload) {
        let _ = write!(
            text,
            "<c:supported-calendar-component-set><c:comp name=\"{component}\"/></c:supported-calendar-component-set>"
        );
        if let Some(colour) = &making.appearance.colour {
            let _ = write!(text, "<i:calendar-color>{}</i:calendar-color>", escaped(colour));
        }
        if let Some(order) = making.appearance.order {
            let _ = write!(text, "<i:calendar-order>{order}</i:calendar-order>");
        }
    }
    text
}

/// What a calendar of a workload holds; none for address books.
pub const fn component(workload: Workload) -> Option<&'static str> {
    match workload {
        Workload::Calendar => Some("VEVENT"),
        Workload::Tasks => Some("VTODO"),
        Workload::Contacts | Workload::Mail | Workload::Files => None,
    }
}

const fn media(workload: Workload) -> &'static str {
    match workload {
        Workload::Contacts => "text/vcard; charset=utf-8",
        _ => "text/calendar; charset=utf-8",
    }
}

/// Several items by their paths (RFC 4791 section 7.9, RFC 6352 section 8.7), with their content.
pub fn several(collection: &str, workload: Workload, paths: &[String]) -> Ask {
    let (report, data) = match workload {
        Workload::Contacts => ("a:addressbook-multiget", "<a:address-data/>"),
        _ => ("c:calendar-multiget", "<c:calendar-data/>"),
    };
    let hrefs: String = paths.iter().map(|path| format!("<d:href>{}</d:href>", escaped(path))).collect();
    report_of(collection, format!("<{report} {PREFIXES}><d:prop><d:getetag/>{data}</d:prop>{hrefs}</{report}>"))
}

/// The items whose UID holds this text (RFC 4791 section 7.8, RFC 6352 section 8.6): the caller compares the whole.
pub fn with_uid(collection: &str, workload: Workload, uid: &str) -> Ask {
    let uid = escaped(uid);
    let body = match component(workload) {
        None => format!(
            "<a:addressbook-query {PREFIXES}><d:prop><d:getetag/><a:address-data/></d:prop><a:filter>\
             <a:prop-filter name=\"UID\"><a:text-match collation=\"i;octet\">{uid}</a:text-match></a:prop-filter>\
             </a:filter></a:addressbook-query>"
        ),
        Some(component) => format!(
            "<c:calendar-query {PREFIXES}><d:prop><d:getetag/><c:calendar-data/></d:prop><c:filter>\
             <c:comp-filter name=\"VCALENDAR\"><c:comp-filter name=\"{component}\"><c:prop-filter name=\"UID\">\
             <c:text-match collation=\"i;octet\">{uid}</c:text-match></c:prop-filter></c:comp-filter></c:comp-filter>\
             </c:filter></c:calendar-query>"
        ),
    };
    report_of(collection, body)
}

fn report_of(collection: &str, body: String) -> Ask {
    Ask::new(method(b"REPORT"), &folder(collection)).header(DEPTH, "1").xml(body)
}

/// Never sent twice: the second would meet what the first one stored.
pub fn put(path: &str, workload: Workload, body: Bytes, condition: If<'_>) -> Ask {
    let mut ask = Ask::new(Method::PUT, path).on(condition).silently().once();
    ask.body = Some((media(workload), body));
    ask
}

/// Several items at once, which the server names itself (draft-daboo-calendarserver-bulk-change, section 4.1). Cyrus
/// tells the ETags of those it writes in other words only where it is asked for what it stored.
pub fn import(collection: &str, workload: Workload, body: Bytes) -> Ask {
    let mut ask = Ask::new(Method::POST, &folder(collection)).silently().once().telling();
    ask.body = Some((media(workload), body));
    ask
}

pub fn delete(path: &str, etag: &str) -> Ask {
    Ask::new(Method::DELETE, path).on(If::Unchanged(etag)).silently().once()
}

/// `to` is a whole address. RFC 4918 section 9.9 has no condition of its own; that of HTTP speaks of what is moved.
pub fn relocate(path: &str, to: &str, etag: Option<&str>) -> Ask {
    let ask = Ask::new(method(b"MOVE"), path).header(DESTINATION, to).header(OVERWRITE, "F").silently().once();
    match etag {
        Some(etag) => ask.on(If::Unchanged(etag)),
        None => ask,
    }
}

/// Away with a collection of ours, for good: Nextcloud would keep it in its trash, and its name with it.
pub fn discard(path: &str) -> Ask {
    let ask = Ask::new(Method::DELETE, &folder(path)).silently().once();
    ask.header(HeaderName::from_static("x-nc-caldav-no-trashbin"), "1")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::xml::{Space, read};

    fn text(ask: &Ask) -> String {
        String::from_utf8(ask.body.as_ref().unwrap().1.to_vec()).unwrap()
    }

    fn told(ask: &Ask, name: &str) -> Option<String> {
        let found = ask.headers.iter().find(|(known, _)| known.as_str() == name);
        found.map(|(_, value)| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn what_is_written_is_conditional_and_silent() {
        let new = put("/a/x.ics", Workload::Calendar, Bytes::from_static(b"x"), If::Nothing);
        assert_eq!(told(&new, "if-none-match").as_deref(), Some("*"));
        let changed = put("/a/x.vcf", Workload::Contacts, Bytes::from_static(b"x"), If::Unchanged("\"7\""));
        assert_eq!(told(&changed, "if-match").as_deref(), Some("\"7\""));
        assert_eq!(changed.body.as_ref().unwrap().0, "text/vcard; charset=utf-8");
        for ask in
            [new, changed, delete("/a/x.ics", "\"7\""), relocate("/a", "http://h/b", Some("\"7\"")), discard("/a")]
        {
            assert_eq!(told(&ask, "schedule-reply").as_deref(), Some("F"), "{ask:?}");
            assert_eq!(told(&ask, "x-nc-scheduling").as_deref(), Some("false"), "{ask:?}");
            assert!(!ask.repeatable, "{ask:?}");
        }
        let moved = relocate("/a", "http://h/b", Some("\"7\""));
        assert_eq!(
            (told(&moved, "overwrite").as_deref(), told(&moved, "if-match").as_deref()),
            (Some("F"), Some("\"7\""))
        );
        assert_eq!(told(&relocate("/a", "http://h/b", None), "if-match"), None);
        let telling = put("/a", Workload::Calendar, Bytes::new(), If::Nothing).telling();
        for ask in [telling, import("/a", Workload::Calendar, Bytes::new())] {
            assert_eq!(told(&ask, "prefer").as_deref(), Some("return=representation"));
        }
    }

    #[test]
    fn a_calendar_is_made_with_everything_people_see() {
        let appearance = Appearance { colour: Some("#ff8800".into()), order: Some(3) };
        let making =
            Making { workload: Workload::Tasks, name: "R&D <1>", appearance: &appearance, doubles_percent: false };
        let ask = make("/home/x", &making);
        assert_eq!((ask.method.as_str(), ask.path.as_str()), ("MKCALENDAR", "/home/x/"));
        let root = read(text(&ask).as_bytes()).unwrap();
        assert!(root.is(Space::CalDav, "mkcalendar"));
        let set = root.kid(Space::Dav, "set").unwrap().kid(Space::Dav, "prop").unwrap();
        assert_eq!(set.kid(Space::Dav, "displayname").unwrap().said(), Some("R&D <1>"));
        assert_eq!(set.kid(Space::Apple, "calendar-color").unwrap().said(), Some("#ff8800"));
        assert_eq!(set.kid(Space::Apple, "calendar-order").unwrap().said(), Some("3"));
        let components = set.kid(Space::CalDav, "supported-calendar-component-set").unwrap();
        assert_eq!(components.kids[0].attribute("name"), Some("VTODO"));
    }

    #[test]
    fn an_address_book_is_a_collection_of_its_own_kind() {
        let appearance = Appearance::default();
        let making =
            Making { workload: Workload::Contacts, name: "100%", appearance: &appearance, doubles_percent: true };
        let ask = make("/home/x/", &making);
        assert_eq!(ask.method.as_str(), "MKCOL");
        let root = read(text(&ask).as_bytes()).unwrap();
        let set = root.kid(Space::Dav, "set").unwrap().kid(Space::Dav, "prop").unwrap();
        assert!(set.kid(Space::Dav, "resourcetype").unwrap().kid(Space::CardDav, "addressbook").is_some());
        assert!(set.kid(Space::CalDav, "supported-calendar-component-set").is_none());
        assert_eq!(set.kid(Space::Dav, "displayname").unwrap().said(), Some("100%%"));
        let dressed = read(text(&dress("/home/x", &making)).as_bytes()).unwrap();
        assert!(dressed.is(Space::Dav, "propertyupdate"));
    }

    #[test]
    fn several_items_are_asked_for_by_path() {
        let paths = vec!["/h/c/a%26b.ics".to_owned(), "/h/c/d.ics".to_owned()];
        let ask = several("/h/c", Workload::Calendar, &paths);
        assert_eq!((ask.method.as_str(), ask.path.as_str()), ("REPORT", "/h/c/"));
        let root = read(text(&ask).as_bytes()).unwrap();
        assert_eq!(root.kids_named(Space::Dav, "href").count(), 2);
        assert!(root.kid(Space::Dav, "prop").unwrap().kid(Space::CalDav, "calendar-data").is_some());
        let cards = read(text(&several("/h/c", Workload::Contacts, &paths)).as_bytes()).unwrap();
        assert!(cards.is(Space::CardDav, "addressbook-multiget"));
        assert!(cards.kid(Space::Dav, "prop").unwrap().kid(Space::CardDav, "address-data").is_some());
    }

    #[test]
    fn uids_and_properties_are_asked_for_as_documents() {
        for workload in [Workload::Calendar, Workload::Tasks, Workload::Contacts] {
            let ask = with_uid("/h/c/", workload, "a<b&c");
            assert!(text(&ask).contains("a&lt;b&amp;c") && read(text(&ask).as_bytes()).is_ok());
        }
        let ask = properties("/", 0, "<d:displayname/>");
        assert_eq!((told(&ask, "depth").as_deref(), ask.repeatable), (Some("0"), true));
        assert!(read(text(&ask).as_bytes()).unwrap().is(Space::Dav, "propfind"));
    }
}
