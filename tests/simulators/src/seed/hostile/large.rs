//! Mail too large for careless memory. Each is a small head, one line said many times, and a small tail.

use bytes::Bytes;

use super::{Shape, head, text};
use crate::dump::Content;

/// 57 bytes as base64: a full line.
const LINE: &[u8] = b"Z3JvcyBmaWNoaWVyIGpvaW50LCBncm9zIGZpY2hpZXIgam9pbnQsIGdyb3MgZmljaGllciBqb2lu\r\n";
const MIB: u64 = 1024 * 1024;

pub(super) fn shapes() -> Vec<Shape> {
    vec![
        large("attachment-25-mb", 25 * MIB / 57 * LINE.len() as u64),
        large("message-30-mb", 30 * MIB),
        large("message-60-mb", 60 * MIB),
        text_of("text-12-mb", 12 * MIB),
        cut("message-26-mb-never-closed", 26 * MIB),
    ]
}

/// A text and one attachment; about `size` bytes of MIME.
fn large(name: &'static str, size: u64) -> Shape {
    let tail = Bytes::from_static(b"--large--\r\n");
    Shape { name, mime: repeated(opening(name), Bytes::from_static(LINE), size, tail) }
}

/// As [`large`], but whoever sent it stopped: even a whole read ends without the closing boundary.
fn cut(name: &'static str, size: u64) -> Shape {
    Shape { name, mime: repeated(opening(name), Bytes::from_static(LINE), size, Bytes::new()) }
}

fn text_of(name: &'static str, size: u64) -> Shape {
    let line = Bytes::from_static(b"2026-05-05 09:30:00 INFO nothing happened, and it was logged all the same\r\n");
    Shape { name, mime: repeated(head(name).with(text(name)), line, size, Bytes::new()) }
}

fn opening(name: &str) -> Vec<u8> {
    let parts = [
        &b"Content-Type: multipart/mixed; boundary=\"large\"\r\n\r\n--large\r\n"[..],
        &text(name),
        b"--large\r\nContent-Type: application/zip; name=\"archive.zip\"\r\n",
        b"Content-Disposition: attachment; filename=\"archive.zip\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    ];
    head(name).with(parts.concat())
}

fn repeated(head: Vec<u8>, line: Bytes, size: u64, tail: Bytes) -> Content {
    let times = size / line.len() as u64;
    Content::Repeat { head: head.into(), line, times, tail }
}
