//! Attachments of events and tasks may be larger than memory allows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod events;

use events::{event, losses};
use serde_json::json;
use std::io::{self, Read};
use transhume_mappings::meaning::{calendar, task};
use transhume_mappings::{CalendarProfile, CalendarSetting, Loss, PartInfo, Parts, Tables, render};

/// As large as an attachment of an event can be (Graph docs: attach large files to messages or events).
const SIZE: u64 = 150 << 20;

/// An event, or a task, with a large attachment.
struct Large {
    /// Whether the bytes may be asked for.
    open: bool,
}

/// Bytes that are made while they are read, in small pieces alone.
struct Pieces(u64);

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(buffer.len() <= 64 << 10, "{} bytes are read at once", buffer.len());
        let bytes = buffer.len().min(usize::try_from(self.0).unwrap());
        buffer[..bytes].fill(7);
        self.0 -= bytes as u64;
        Ok(bytes)
    }
}

impl Large {
    fn text(name: &str) -> String {
        match name {
            "event" => event(&json!({ "hasAttachments": true })).to_string(),
            "task" => json!({ "id": "t1", "title": "A", "status": "notStarted" }).to_string(),
            _ => {
                json!([{ "event": "AAMkAGI1.base=", "attachment": { "name": "film.mp4", "contentType": "video/mp4" } }])
                    .to_string()
            }
        }
    }
}

impl Parts for Large {
    fn parts(&self) -> Vec<PartInfo> {
        let part = |name: &str, size| PartInfo { name: name.into(), media_type: "application/json".into(), size };
        let of = |name: &str| part(name, Self::text(name).len() as u64);
        vec![of("event"), of("task"), of("attachments"), part("attachment/0", SIZE)]
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        if name == "attachment/0" {
            assert!(self.open, "nobody needs these bytes");
            return Ok(Box::new(Pieces(SIZE)));
        }
        Ok(Box::new(io::Cursor::new(Self::text(name))))
    }
}

const GONE: &str = "the attachment";

#[test]
fn what_was_not_carried_is_not_read_and_what_was_is_read_in_pieces() {
    let (setting, tables, mut text) = (CalendarSetting::new("alice@old.example"), Tables::embedded(), Vec::new());
    let profile = CalendarProfile::strict();
    let rendered = render::calendar(&Large { open: false }, &profile, &setting, &tables, &mut text).unwrap();
    assert!(losses(&rendered.losses)[0].starts_with("attachment_too_large: `film.mp4`"), "{:?}", rendered.losses);
    let text = String::from_utf8(text).unwrap();
    let compared =
        |open: bool, losses: &[Loss]| calendar::compare(&Large { open }, &text, losses, &setting, &tables).unwrap();
    assert_eq!(compared(false, &rendered.losses), Vec::<String>::new());
    let found = compared(true, &[]);
    assert!(found.len() == 1 && found[0].starts_with(GONE), "{found:?}");
}

#[test]
fn those_of_tasks_too() {
    let (tables, mut text) = (Tables::embedded(), Vec::new());
    let rendered = render::task(&Large { open: false }, &CalendarProfile::strict(), &tables, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let compared = |open: bool, losses: &[Loss]| task::compare(&Large { open }, &text, losses, &tables).unwrap();
    assert_eq!(compared(false, &rendered.losses), Vec::<String>::new());
    let found = compared(true, &[]);
    assert!(found.len() == 1 && found[0].starts_with(GONE), "{found:?}");
}
