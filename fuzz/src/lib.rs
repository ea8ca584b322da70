//! One function per entry point that takes bytes from outside. Each holds what must be true of any input, and panics
//! when it is not.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, Read};
use transhume_mappings::render::{self, keyword, sieve};
use transhume_mappings::{
    CalendarProfile, CalendarSetting, ContactProfile, MailProfile, PartInfo, Parts, Rendered, Tables, meaning,
};

struct Memory(BTreeMap<String, (&'static str, Vec<u8>)>);

impl Memory {
    fn of(parts: &[(&str, &'static str, &[u8])]) -> Self {
        Self(parts.iter().map(|(name, kind, bytes)| ((*name).to_owned(), (*kind, bytes.to_vec()))).collect())
    }
}

impl Parts for Memory {
    fn parts(&self) -> Vec<PartInfo> {
        let info = |(name, (kind, bytes)): (&String, &(&str, Vec<u8>))| PartInfo {
            name: name.clone(),
            media_type: (*kind).to_owned(),
            size: bytes.len() as u64,
        };
        self.0.iter().map(info).collect()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        let (_, bytes) = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(bytes.as_slice()))
    }
}

fn filtered(bytes: &[u8], profile: &MailProfile) -> (Vec<u8>, Rendered) {
    let mut out = Vec::new();
    let original = Memory::of(&[("mime", "message/rfc822", bytes)]);
    let rendered = render::mail(&original, profile, &Tables::embedded(), &mut out).expect("MIME is always mapped");
    (out, rendered)
}

/// The first byte picks the profile, the rest is the message.
pub fn mail_filter(data: &[u8]) {
    let Some((bits, bytes)) = data.split_first() else { return };
    let bit = |at: u8| bits >> at & 1 == 1;
    let profile = MailProfile {
        nul: bit(0),
        bare_lf: bit(1),
        eight_bit_headers: bit(2),
        headerless: bit(3),
        empty: bit(4),
        ..MailProfile::strict()
    };
    let (out, rendered) = filtered(bytes, &profile);
    assert_eq!(rendered.identical, out == bytes);
    assert!(profile.nul || !out.contains(&0));
    assert!(profile.bare_lf || out.iter().enumerate().all(|(at, &b)| b != b'\n' || (at > 0 && out[at - 1] == b'\r')));
    assert!(profile.empty || !out.is_empty());
    assert!(filtered(&out, &profile).1.identical, "filtering is idempotent");
}

/// A message as JSON, a zero byte, an attachment's resource, a zero byte, its bytes.
pub fn mail_reassembly(data: &[u8]) {
    let mut pieces = data.splitn(3, |&byte| byte == 0);
    let mut next = || pieces.next().unwrap_or_default();
    let original = Memory::of(&[
        ("message", "application/json", next()),
        ("attachment/0/meta", "application/json", next()),
        ("attachment/0", "message/rfc822", next()),
    ]);
    let mut out = Vec::new();
    if render::mail(&original, &MailProfile::strict(), &Tables::embedded(), &mut out).is_ok() {
        assert!(filtered(&out, &MailProfile::strict()).1.identical, "what is put together needs no filter");
    }
    let _ = meaning::original(&original);
}

/// A message; it means the same however it is cut into chunks, and the same as itself.
pub fn mail_meaning(data: &[u8]) {
    let whole = meaning::mail(&mut { data }).expect("memory can be read");
    let (first, second) = data.split_at(data.len() / 2);
    let cut = meaning::mail(&mut first.chain(second)).expect("memory can be read");
    assert_eq!(meaning::difference(&whole, &cut), Vec::<String>::new());
}

/// Category names, one a line.
pub fn keywords(data: &[u8]) {
    let tables = Tables::embedded();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for name in String::from_utf8_lossy(data).lines() {
        let Some(keyword) = keyword(name, &MailProfile::strict(), &tables) else { continue };
        let text = keyword.text.to_ascii_lowercase();
        assert!(text.len() <= 50 && text.chars().all(|c| c.is_ascii_graphic() && !"(){%*\"\\]".contains(c)), "{text}");
        let other = seen.insert(text, name.to_lowercase());
        assert!(other.is_none_or(|other| other == name.to_lowercase()), "two categories share a keyword");
    }
}

/// The rules of a mailbox as JSON.
pub fn rules_to_sieve(data: &[u8]) {
    let Ok(rules) = serde_json::from_slice::<Value>(data) else { return };
    let folder = |id: &str| (id.len() % 2 == 0).then(|| id.to_owned());
    let script = sieve(&rules, &folder, &MailProfile::strict(), &Tables::embedded()).script;
    assert!(!script.contains(['\0', '\r']));
}

/// An event as JSON, a zero byte, its exceptions, a zero byte, its instances.
pub fn event_to_ical(data: &[u8]) {
    let mut pieces = data.splitn(3, |&byte| byte == 0);
    let mut parts = vec![("event", "application/json", pieces.next().unwrap_or_default())];
    parts.extend(pieces.next().map(|piece| ("exceptions", "application/json", piece)));
    parts.extend(pieces.next().map(|piece| ("instances", "application/json", piece)));
    let original = Memory::of(&parts);
    let (setting, tables) = (CalendarSetting::new("alice@x.example"), Tables::embedded());
    let mut out = Vec::new();
    let Ok(rendered) = render::calendar(&original, &CalendarProfile::strict(), &setting, &tables, &mut out) else {
        return;
    };
    let text = String::from_utf8(out).expect("iCalendar is UTF-8");
    assert_eq!(rendered.size, text.len() as u64);
    let read = meaning::calendar::text(&text).expect("what is rendered can be read");
    let Ok(told) = meaning::calendar::original(&original, &setting, &tables) else { return };
    let _ = meaning::calendar::differences(&told, &read, &rendered.losses);
}

/// A contact as JSON, a zero byte, its photo. Either form says the same.
pub fn contact_to_vcard(data: &[u8]) {
    let mut pieces = data.splitn(2, |&byte| byte == 0);
    let mut parts = vec![("contact", "application/json", pieces.next().unwrap_or_default())];
    parts.extend(pieces.next().map(|piece| ("photo", "image/jpeg", piece)));
    let original = Memory::of(&parts);
    for profile in [ContactProfile::strict(), ContactProfile::lenient()] {
        let mut out = Vec::new();
        let Ok(rendered) = render::contact(&original, &profile, &mut out) else { return };
        let text = String::from_utf8(out).expect("vCard is UTF-8");
        assert_eq!(rendered.size, text.len() as u64);
        assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\n', '\0'])), "{text}");
        meaning::contact::text(&text).expect("what is rendered can be read");
        let _ = meaning::contact::compare(&original, &text, &rendered.losses);
    }
}

/// A vCard text; it means the same as itself, whatever its line ends.
pub fn vcard_meaning(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(meaning) = meaning::contact::text(&text) else { return };
    let other = meaning::contact::text(&text.replace("\r\n", "\n")).expect("line ends do not count");
    assert_eq!(meaning::contact::differences(&meaning, &other, &[]), Vec::<String>::new());
}

/// A task as JSON, a zero byte, its steps.
pub fn task_to_vtodo(data: &[u8]) {
    let mut pieces = data.splitn(2, |&byte| byte == 0);
    let mut parts = vec![("task", "application/json", pieces.next().unwrap_or_default())];
    parts.extend(pieces.next().map(|piece| ("checklistItems", "application/json", piece)));
    let original = Memory::of(&parts);
    let (profile, tables) = (CalendarProfile::strict(), Tables::embedded());
    let mut out = Vec::new();
    let Ok(rendered) = render::task(&original, &profile, &tables, &mut out) else { return };
    let text = String::from_utf8(out).expect("iCalendar is UTF-8");
    assert_eq!(rendered.size, text.len() as u64);
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\n', '\0'])), "{text}");
    meaning::task::text(&text).expect("what is rendered can be read");
    let _ = meaning::task::compare(&original, &text, &rendered.losses, &tables);
}

/// A VTODO text; it means the same as itself, whatever its line ends.
pub fn vtodo_meaning(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(meaning) = meaning::task::text(&text) else { return };
    let other = meaning::task::text(&text.replace("\r\n", "\n")).expect("line ends do not count");
    assert_eq!(meaning::task::differences(&meaning, &other, &[]), Vec::<String>::new());
}

/// A page of HTML, as the text of an event.
pub fn html_to_text(data: &[u8]) {
    let page = String::from_utf8_lossy(data);
    let event = serde_json::json!({
        "iCalUId": "u", "start": { "dateTime": "2025-03-12T08:00:00" }, "end": { "dateTime": "2025-03-12T09:00:00" },
        "body": { "contentType": "html", "content": page }
    });
    event_to_ical(event.to_string().as_bytes());
}

/// An iCalendar text; it means the same as itself, whatever its line ends.
pub fn ical_meaning(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(meaning) = meaning::calendar::text(&text) else { return };
    let other = meaning::calendar::text(&text.replace("\r\n", "\n")).expect("line ends do not count");
    assert_eq!(meaning::calendar::differences(&meaning, &other, &[]), Vec::<String>::new());
}

/// A file of category rows.
pub fn tables(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    for (file, _) in Tables::files() {
        if let Err(error) = Tables::with_overrides(&BTreeMap::from([(file.to_owned(), text.clone())])) {
            assert!(error.line >= 1 && error.line <= text.lines().count() + 1, "{error}");
        }
    }
}

#[cfg(test)]
mod tests {
    const SEEDS: [&[u8]; 19] = [
        b"",
        b"\0",
        b"\x1fSubject: a\r\n\r\nb",
        b"\0Subject: \xe9\0\n\nb\n",
        b"\x04From: \"\xc3\xa9\" <a@x>\r\nbroken\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n--b\r\n\r\nx\r\n--b--",
        b"{\"subject\":\"\xc3\xa9\",\"body\":{\"contentType\":\"html\",\"content\":\"x\"}}\0{\"isInline\":true,\"contentId\":\"c\"}\0Subject: n\n\nx",
        b"{\"value\":[{\"displayName\":\"r\",\"conditions\":{\"sentToMe\":true},\"actions\":{\"delete\":true}}]}",
        b"[keywords]\n\"A\" = \"a\"\n\"B\" = \"A\"\n",
        b"Work\nwork\nR\xc3\xa9union\nReunion\n$Junk\n~0123abcd\n",
        b"\xff\xfe\x00\x01\x02\x80",
        b": \r\n : \r\n\t\r\n\r\n",
        b"{\"iCalUId\":\"u\",\"start\":{\"dateTime\":\"2025-03-12T08:00:00.0000000\",\"timeZone\":\"UTC\"},\"attendees\":[{},5],\"recurrence\":{\"pattern\":{\"type\":\"daily\",\"interval\":9},\"range\":{\"type\":\"noEnd\",\"startDate\":\"2025-03-12\"}}}\0[{\"originalStart\":\"2025-03-12T08:00:00Z\"}]",
        b"{\"isAllDay\":true,\"start\":{\"dateTime\":\"9999-12-31T00:00:00.0000000\"}}\0\0[]",
        b"{\"displayName\":\"A\\u0001;,\\\\\",\"birthday\":\"1604-02-29\",\"emailAddresses\":[null,{\"address\":\"x\"}],\"homeAddress\":5}\0\xff\xd8\xff",
        b"BEGIN:VCARD\r\nN:;;\r\nBDAY:\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\r\nPHOTO;ENCODING=b:%%%\r\nitem1.TEL;TYPE=\"a,b\":1\r\nEND:VCARD",
        b"{\"title\":\"t\",\"dueDateTime\":{\"dateTime\":\"2025-02-01\xc3\xa9\"},\"recurrence\":{\"pattern\":{\"type\":\"daily\"},\"range\":{\"type\":\"noEnd\"}}}\0[{\"displayName\":\"\\n\"},5]",
        b"<p a='>x</p><a href=\"https://x/?a&amp;b\">y</a>&#x110000;&#150;&nope;<!-- <head><head>",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20250312T080000Z\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYSETPOS=-1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    ];

    #[test]
    fn seeds_pass_every_entry() {
        for seed in SEEDS {
            super::mail_filter(seed);
            super::mail_reassembly(seed);
            super::mail_meaning(seed);
            super::keywords(seed);
            super::rules_to_sieve(seed);
            super::tables(seed);
            super::event_to_ical(seed);
            super::ical_meaning(seed);
            super::contact_to_vcard(seed);
            super::vcard_meaning(seed);
            super::task_to_vtodo(seed);
            super::vtodo_meaning(seed);
            super::html_to_text(seed);
        }
    }
}
