//! Memory and speed: neither may depend on how large a message is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rows;

use rows::Memory;
use std::io::{self, Read, Write};
use std::time::Instant;
use transhume_mappings::{MailProfile, PartInfo, Parts, Tables, meaning, render};

const LINE: &[u8] = b"All work and no play makes Jack a dull boy, and that is line after line after\r\n";

/// An original made while it is read: `lines` lines after a header.
struct Endless {
    name: &'static str,
    header: &'static [u8],
    lines: usize,
}

struct Lines<'a> {
    rest: &'a [u8],
    lines: usize,
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() && self.lines > 0 {
            self.lines -= 1;
            self.rest = LINE;
        }
        self.rest.read(buffer)
    }
}

impl Parts for Endless {
    fn parts(&self) -> Vec<PartInfo> {
        let part = |name: &str, media_type: &str| PartInfo {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            size: 0,
        };
        match self.name {
            "mime" => vec![part("mime", "message/rfc822")],
            name => vec![part("message", "application/json"), part(name, "application/pdf")],
        }
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        match name {
            "message" => {
                Ok(Box::new(&b"{\"subject\":\"big\",\"body\":{\"contentType\":\"text\",\"content\":\"x\"}}"[..]))
            }
            _ => Ok(Box::new(Lines { rest: self.header, lines: self.lines })),
        }
    }
}

/// Counts what is written and the largest single write.
#[derive(Default)]
struct Counted {
    bytes: u64,
    largest: usize,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len() as u64;
        self.largest = self.largest.max(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_large_message_streams() {
    let original = Endless { name: "mime", header: b"Subject: big\r\n\r\n", lines: 1_000_000 };
    let mut out = Counted::default();
    let rendered = render::mail(&original, &MailProfile::strict(), &Tables::embedded(), &mut out).unwrap();
    assert!(rendered.identical);
    assert_eq!(out.bytes, 16 + 1_000_000 * LINE.len() as u64);
    assert!(out.largest <= 64 * 1024, "{}", out.largest);
}

#[test]
fn a_large_attachment_streams() {
    let original = Endless { name: "attachment/0", header: b"", lines: 400_000 };
    let mut out = Counted::default();
    render::mail(&original, &MailProfile::strict(), &Tables::embedded(), &mut out).unwrap();
    assert!(out.bytes > 400_000 * LINE.len() as u64 * 4 / 3);
    assert!(out.largest <= 64 * 1024, "{}", out.largest);
}

#[test]
fn a_large_message_has_a_meaning() {
    let mut bytes = Lines { rest: b"Subject: big\r\n\r\n", lines: 200_000 };
    let found = meaning::mail(&mut bytes).unwrap();
    assert_eq!(found.parts[0].size, 200_000 * (LINE.len() as u64 - 1));
}

#[test]
fn a_header_without_end_is_cut_and_all_bytes_stay() {
    let header = "X-Filler: y\r\n".repeat(400_000);
    let (out, rendered) = rows::filter(header.as_bytes(), &MailProfile::strict());
    assert_eq!(rendered.losses[0].name, "header_cut");
    assert_eq!(out.len(), header.len() + 2);
    let blob = vec![b'a'; 5 * 1024 * 1024];
    let (out, rendered) = rows::filter(&blob, &MailProfile::strict());
    assert_eq!(rendered.losses[0].name, "header_added");
    assert!(out.ends_with(&blob));
}

/// Not a benchmark, only a floor: small clean mail must pass many times faster than any server takes it.
#[test]
fn clean_mail_passes_fast() {
    let message = [&b"From: a@x\r\nTo: b@x\r\nSubject: s\r\nMessage-ID: <m@x>\r\n\r\n"[..], &LINE.repeat(100)].concat();
    let (original, tables, profile) = (Memory::mime(&message), Tables::embedded(), MailProfile::strict());
    let started = Instant::now();
    for _ in 0..20_000 {
        assert!(render::mail(&original, &profile, &tables, &mut io::sink()).unwrap().identical);
    }
    let rate = 20_000.0 * message.len() as f64 / started.elapsed().as_secs_f64() / 1e6;
    assert!(rate > 100.0, "{rate:.0} MB/s");
    // Shown by `cargo nextest run --no-capture`; the tests of this room are the one place that may print it.
    #[allow(clippy::print_stderr)]
    {
        eprintln!("clean mail of 8 KiB: {rate:.0} MB/s");
    }
}
