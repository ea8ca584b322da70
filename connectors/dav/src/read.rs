//! What stands in a collection: names and ETags first, contents in windows.

use crate::{
    account::Link,
    answer::Entry,
    ask::{self, component},
    faults, lines,
    paths::{below, folder, last_name, name_in},
    xml::Space,
};
use bytes::Bytes;
use transhume_contract::{Collection, Fault, Reach, What, Workload};

/// Items and bytes asked for at once. An item whose size no server told counts as this much.
const WINDOW_ITEMS: usize = 100;
const WINDOW_BYTES: u64 = 8 << 20;
const UNTOLD: u64 = 64 << 10;

const ASKED: &str = "<d:resourcetype/><d:getetag/><d:getcontentlength/><d:getcontenttype/>";

/// An item as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    pub etag: Option<String>,
    pub length: Option<u64>,
}

/// An item with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub name: String,
    pub etag: Option<String>,
    pub content: Bytes,
}

/// One collection to read.
pub struct Reader {
    pub link: Link,
    pub path: String,
    pub workload: Workload,
}

impl Reader {
    pub fn of(link: Link, at: &Collection) -> Self {
        Self { link, path: folder(at.id.as_str()), workload: at.workload }
    }

    fn closed(&self, doing: &str, answer: &crate::answer::Answer) -> Fault {
        match answer.status {
            404 | 410 => faults::collection_vanished(&last_name(&self.path)),
            _ => faults::collection_refused(&self.link.place(), doing, answer),
        }
    }

    /// Every item of the workload, and the ETag of the collection itself, where it has one.
    pub async fn list(&self) -> Result<(Vec<Listed>, Option<String>), Fault> {
        const DOING: &str = "the list of a collection";
        let answer = self.link.send(&ask::properties(&self.path, 1, ASKED)).await?;
        if answer.status != 207 {
            return Err(self.closed(DOING, &answer));
        }
        let entries = answer.entries(self.link.base());
        let entries =
            entries.map_err(|why| faults::unreadable(&self.link.place(), DOING, &why).reaching(Reach::Collection))?;
        // Some answer for what is not there with a multistatus that says so (seen with Xandikos 0.4).
        let own = entries.iter().find(|entry| folder(&entry.path) == self.path && !entry.is_missing());
        let own = own.ok_or_else(|| faults::collection_vanished(&last_name(&self.path)))?.etag();
        Ok((entries.iter().filter_map(|entry| listed(entry, &self.path, self.workload)).collect(), own))
    }

    /// The ETag of one item; none where it is gone.
    pub async fn etag(&self, name: &str) -> Result<Option<String>, Fault> {
        let path = below(&self.path, name);
        let answer = self.link.send(&ask::properties(&path, 0, "<d:getetag/>")).await?;
        let place = self.link.place();
        match answer.status {
            404 | 410 => Ok(None),
            207 => {
                let entries = answer.entries(self.link.base());
                let entries = entries.map_err(|why| faults::unreadable(&place, "the question for an item", &why))?;
                Ok(entries.iter().filter(|entry| !entry.is_missing()).find_map(Entry::etag))
            }
            _ => Err(faults::refused(&place, "the question for an item", &answer)),
        }
    }

    async fn several(&self, names: &[String]) -> Result<Vec<Entry>, Fault> {
        const DOING: &str = "the question for several items";
        let paths: Vec<String> = names.iter().map(|name| below(&self.path, name)).collect();
        let answer = self.link.send(&ask::several(&self.path, self.workload, &paths)).await?;
        if answer.status != 207 {
            return Err(self.closed(DOING, &answer));
        }
        let entries = answer.entries(self.link.base());
        entries.map_err(|why| faults::unreadable(&self.link.place(), DOING, &why).reaching(Reach::Collection))
    }

    /// The contents of several items. What a server leaves out (some leave out what is gone, instead of saying so) is
    /// asked for by itself.
    pub async fn contents(&self, window: &[Listed]) -> Result<Vec<Held>, Fault> {
        let names: Vec<String> = window.iter().map(|listed| listed.name.clone()).collect();
        let entries = self.several(&names).await?;
        let mut held: Vec<Held> = entries.iter().filter_map(|entry| held(entry, &self.path)).collect();
        for name in names {
            if held.iter().all(|held| held.name != name) {
                held.extend(self.content(&name).await?);
            }
        }
        Ok(held)
    }

    /// The content of one item; none where it is gone.
    pub async fn content(&self, name: &str) -> Result<Option<Held>, Fault> {
        let answer = self.link.send(&ask::get(&below(&self.path, name))).await?;
        match answer.status {
            200 => Ok(Some(Held { name: name.to_owned(), etag: answer.etag(), content: answer.body })),
            404 | 410 => Ok(None),
            _ => Err(faults::refused(&self.link.place(), "the content of an item", &answer)),
        }
    }

    /// The items of a UID, whatever they are called.
    pub async fn with_uid(&self, uid: &str) -> Result<Vec<Held>, Fault> {
        let answer = self.link.send(&ask::with_uid(&self.path, self.workload, uid)).await?;
        if answer.status != 207 {
            return Err(self.closed("the search for an item", &answer));
        }
        let entries = answer.entries(self.link.base());
        let entries = entries.map_err(|why| faults::unreadable(&self.link.place(), "the search for an item", &why))?;
        let all = entries.iter().filter_map(|entry| held(entry, &self.path));
        Ok(all.filter(|held| lines::uid(&held.content).as_deref() == Some(uid)).collect())
    }

    /// Whether an item is of the workload: a calendar may hold events and tasks side by side.
    pub fn is_ours(&self, content: &[u8]) -> bool {
        let [ours, other] = match self.workload {
            Workload::Tasks => ["VTODO", "VEVENT"],
            _ => ["VEVENT", "VTODO"],
        };
        component(self.workload).is_none() || lines::holds(content, ours) || !lines::holds(content, other)
    }
}

/// An item of the workload, where its type tells. A collection inside is none.
fn listed(entry: &Entry, collection: &str, workload: Workload) -> Option<Listed> {
    let name = name_in(collection, &entry.path)?;
    let inner = entry.property(Space::Dav, "resourcetype").is_some_and(|kinds| !kinds.kids.is_empty());
    let told = entry.text(Space::Dav, "getcontenttype").unwrap_or_default().to_ascii_lowercase();
    let of = told
        .split(';')
        .find_map(|part| part.trim().strip_prefix("component="))
        .map(|of| of.trim_matches('"').to_owned());
    let other = of.zip(component(workload)).is_some_and(|(of, ours)| !of.eq_ignore_ascii_case(ours));
    if inner || other || entry.is_missing() {
        return None;
    }
    let length = entry.text(Space::Dav, "getcontentlength").and_then(|length| length.parse().ok());
    Some(Listed { name, etag: entry.etag(), length })
}

fn held(entry: &Entry, collection: &str) -> Option<Held> {
    let name = name_in(collection, &entry.path)?;
    let data = entry.property(Space::CalDav, "calendar-data").or(entry.property(Space::CardDav, "address-data"))?;
    Some(Held { name, etag: entry.etag(), content: Bytes::from(crlf(&data.text)) })
}

/// XML makes one letter of a line's end (XML 1.0 section 2.11), and some servers put blanks around the object.
fn crlf(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    let mut whole = lines.join("\r\n");
    whole.push_str("\r\n");
    whole
}

/// Cuts a list into windows.
pub fn windows(listed: Vec<Listed>) -> Vec<Vec<Listed>> {
    let mut windows: Vec<Vec<Listed>> = Vec::new();
    let mut bytes = 0;
    for one in listed {
        let length = one.length.filter(|length| *length > 0).unwrap_or(UNTOLD);
        match windows.last_mut().filter(|window| window.len() < WINDOW_ITEMS && bytes + length <= WINDOW_BYTES) {
            Some(window) => {
                window.push(one);
                bytes += length;
            }
            None => {
                windows.push(vec![one]);
                bytes = length;
            }
        }
    }
    windows
}

/// A fault of reading reaches the collection, at least.
pub fn of_collection(fault: Fault) -> Fault {
    let reach = if fault.what == What::Malformed { Reach::Collection } else { fault.reach.max(Reach::Collection) };
    fault.reaching(reach)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use transhume_http::HeaderMap;

    #[test]
    fn windows_are_bounded_by_items_and_by_bytes() {
        let one = |length| Listed { name: "x".into(), etag: None, length };
        assert_eq!(windows((0..250).map(|_| one(Some(100))).collect()).len(), 3);
        assert_eq!(windows((0..5).map(|_| one(Some(5 << 20))).collect()).len(), 5);
        assert_eq!(windows(vec![one(Some(100 << 20)), one(None)]).len(), 2);
        assert!(windows(Vec::new()).is_empty());
    }

    #[test]
    fn only_items_of_the_workload_are_listed() {
        let item = |name: &str, kind: &str| {
            format!(
                "<response><href>/c/{name}</href><propstat><prop><resourcetype/><getetag>\"1\"</getetag>\
                 <getcontentlength>7</getcontentlength><getcontenttype>{kind}</getcontenttype></prop>\
                 <status>HTTP/1.1 200 OK</status></propstat></response>"
            )
        };
        let body = format!(
            "<multistatus xmlns=\"DAV:\"><response><href>/c/</href><propstat><prop><resourcetype><collection/></resourcetype>\
             </prop><status>HTTP/1.1 200 OK</status></propstat></response>{}{}{}</multistatus>",
            item("a.ics", "text/calendar; charset=utf-8; component=VEVENT"),
            item("b.ics", "text/calendar;component=vtodo"),
            item("c.ics", "text/calendar"),
        );
        let answer = Answer { status: 207, headers: HeaderMap::new(), body: Bytes::from(body) };
        let entries = answer.entries(&"http://127.0.0.1/".parse().unwrap()).unwrap();
        let names = |workload| {
            entries.iter().filter_map(|entry| listed(entry, "/c/", workload)).map(|one| one.name).collect::<Vec<_>>()
        };
        assert_eq!(names(Workload::Calendar), ["a.ics", "c.ics"]);
        assert_eq!(names(Workload::Tasks), ["b.ics", "c.ics"]);
    }

    #[test]
    fn what_comes_through_xml_has_its_line_ends_again() {
        assert_eq!(crlf("\nBEGIN:VCARD\nFN:x\r\nEND:VCARD\n"), "BEGIN:VCARD\r\nFN:x\r\nEND:VCARD\r\n");
    }
}
