//! XML as a tree, read with a real parser (Cyrus writes CDATA, others their own prefixes), and written with everything
//! escaped.

use quick_xml::{
    NsReader,
    escape::escape,
    events::{BytesStart, Event},
    name::ResolveResult,
};

/// The namespaces we ask in; every other one is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// RFC 4918.
    Dav,
    /// RFC 4791 and 6638.
    CalDav,
    /// RFC 6352.
    CardDav,
    /// Colour and order of a calendar, as Apple's programs began and every server keeps.
    Apple,
    /// `calendarserver.org`.
    CalendarServer,
    /// Error classes of sabre/dav and Nextcloud.
    Sabre,
    Other,
}

impl Space {
    fn of(name: &[u8]) -> Self {
        match name {
            b"DAV:" => Self::Dav,
            b"urn:ietf:params:xml:ns:caldav" => Self::CalDav,
            b"urn:ietf:params:xml:ns:carddav" => Self::CardDav,
            b"http://apple.com/ns/ical/" => Self::Apple,
            b"http://calendarserver.org/ns/" => Self::CalendarServer,
            b"http://sabredav.org/ns" => Self::Sabre,
            _ => Self::Other,
        }
    }
}

/// The declarations every body of ours starts with.
pub const PREFIXES: &str = "xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" \
    xmlns:a=\"urn:ietf:params:xml:ns:carddav\" xmlns:i=\"http://apple.com/ns/ical/\"";

/// An element with its text and its children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub space: Space,
    pub name: String,
    /// Attributes by their local names.
    pub attributes: Vec<(String, String)>,
    pub text: String,
    pub kids: Vec<Node>,
}

impl Node {
    pub fn is(&self, space: Space, name: &str) -> bool {
        self.space == space && self.name == name
    }

    pub fn kid(&self, space: Space, name: &str) -> Option<&Self> {
        self.kids.iter().find(|kid| kid.is(space, name))
    }

    pub fn kids_named<'a>(&'a self, space: Space, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.kids.iter().filter(move |kid| kid.is(space, name))
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The text without the blanks around it; none where there is none.
    pub fn said(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }
}

/// Elements deeper than any answer of a server are no answer.
const DEEPEST: usize = 64;

/// Reads a document; the inner text says where it stops being one.
pub fn read(bytes: &[u8]) -> Result<Node, String> {
    let mut reader = NsReader::from_reader(bytes);
    let mut open: Vec<Node> = Vec::new();
    loop {
        let at = reader.buffer_position();
        let (space, event) =
            reader.read_resolved_event().map_err(|error| format!("not XML after {at} bytes: {error}"))?;
        let space = match space {
            ResolveResult::Bound(space) => Space::of(space.as_ref()),
            ResolveResult::Unbound | ResolveResult::Unknown(_) => Space::Other,
        };
        match event {
            Event::Start(start) if open.len() >= DEEPEST => {
                return Err(format!("`{}` is nested too deeply", local(&start)));
            }
            Event::Start(start) => open.push(node(space, &start)?),
            Event::Empty(start) => {
                if let Some(root) = close(&mut open, node(space, &start)?) {
                    return Ok(root);
                }
            }
            Event::End(_) => {
                let done = open.pop().ok_or("an element ends that did not begin")?;
                if let Some(root) = close(&mut open, done) {
                    return Ok(root);
                }
            }
            Event::Eof => return Err(format!("it breaks off after {at} bytes")),
            other => add_text(&mut open, other)?,
        }
    }
}

/// Hands an element to the one around it; the outermost is the document.
fn close(open: &mut [Node], done: Node) -> Option<Node> {
    match open.last_mut() {
        Some(around) => {
            around.kids.push(done);
            None
        }
        None => Some(done),
    }
}

fn add_text(open: &mut [Node], event: Event<'_>) -> Result<(), String> {
    let Some(inside) = open.last_mut() else { return Ok(()) };
    match event {
        Event::Text(text) => inside.text.push_str(&text.decode().map_err(|error| error.to_string())?),
        Event::CData(text) => inside.text.push_str(&text.decode().map_err(|error| error.to_string())?),
        Event::GeneralRef(entity) => {
            let name = entity.decode().map_err(|error| error.to_string())?;
            let letter = match entity.resolve_char_ref().map_err(|error| error.to_string())? {
                Some(letter) => letter,
                None => named(&name).ok_or_else(|| format!("the entity `{name}` is not known"))?,
            };
            inside.text.push(letter);
        }
        _ => {}
    }
    Ok(())
}

/// The entities XML itself has; a document of a server declares none.
fn named(entity: &str) -> Option<char> {
    Some(match entity {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn local(start: &BytesStart<'_>) -> String {
    String::from_utf8_lossy(start.local_name().as_ref()).into_owned()
}

fn node(space: Space, start: &BytesStart<'_>) -> Result<Node, String> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let name = String::from_utf8_lossy(attribute.key.local_name().as_ref()).into_owned();
        let value = attribute.unescape_value().map_err(|error| error.to_string())?;
        attributes.push((name, value.into_owned()));
    }
    Ok(Node { space, name: local(start), attributes, text: String::new(), kids: Vec::new() })
}

/// A text as it stands in a document. What XML cannot hold (control characters) is left out.
pub fn escaped(text: &str) -> String {
    let fit = |letter: &char| !letter.is_control() || matches!(letter, '\t' | '\n' | '\r');
    let kept: String =
        text.chars().filter(|letter| fit(letter) && !matches!(letter, '\u{FFFE}' | '\u{FFFF}')).collect();
    escape(&kept).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_cdata_entities_and_attributes_are_read() {
        let text = b"<?xml version=\"1.0\"?>\n<X:multistatus xmlns:X=\"DAV:\"><X:href><![CDATA[R&D]]> &lt;&#x41;&amp;</X:href>\
            <comp xmlns=\"urn:ietf:params:xml:ns:caldav\" name=\"VEVENT\"/></X:multistatus>";
        let root = read(text).unwrap();
        assert!(root.is(Space::Dav, "multistatus"));
        assert_eq!(root.kid(Space::Dav, "href").unwrap().said(), Some("R&D <A&"));
        assert_eq!(root.kid(Space::CalDav, "comp").unwrap().attribute("name"), Some("VEVENT"));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = "<a>".repeat(100_000);
        for text in ["", "<a>", "<a></b>", "text", "<a>&nbsp;</a>", "<!DOCTYPE html><p>", deep.as_str()] {
            assert!(read(text.as_bytes()).is_err(), "{text:.20}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = "Rock & Roll <\"'> \u{1F4C5}";
        let document = format!("<a>{}</a>", escaped(&format!("{text}\u{0}\u{8}")));
        assert_eq!(read(document.as_bytes()).unwrap().said(), Some(text));
    }
}
