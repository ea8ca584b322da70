//! Lines and bytes that transports change.

use super::{Shape, bent, head, shape, text};
use crate::seed::mime::{Head, part};

pub(super) fn shapes() -> Vec<Shape> {
    [long(), ends(), bytes(), starts()].concat()
}

/// A mail with this raw body, declared as 8-bit text.
fn body(name: &'static str, body: impl AsRef<[u8]>) -> Shape {
    shape(name, head(name).with(part(super::TEXT, body)))
}

fn long() -> Vec<Shape> {
    vec![
        body("line-of-998", format!("{}\r\nshort\r\n", "a".repeat(998))),
        body("line-of-1200", format!("{}\r\nshort\r\n", "b".repeat(1200))),
        body("line-of-100000", format!("{}\r\nshort\r\n", "c".repeat(100_000))),
        body("line-of-9000-cut-in-characters", format!("{}\r\n", "é".repeat(4500))),
    ]
}

fn with_line_ends(name: &'static str, end: &str) -> Vec<u8> {
    let mail = head(name).with(text(name));
    let mail = [&mail[..], b"Second line.\r\nThird line.\r\n"].concat();
    String::from_utf8_lossy(&mail).replace("\r\n", end).into_bytes()
}

fn ends() -> Vec<Shape> {
    vec![
        shape("bare-lf-everywhere", with_line_ends("bare-lf-everywhere", "\n")),
        shape("bare-cr-everywhere", with_line_ends("bare-cr-everywhere", "\r")),
        shape("cr-cr-lf-everywhere", with_line_ends("cr-cr-lf-everywhere", "\r\r\n")),
        body("bare-lf-in-body", "one\ntwo\r\nthree\n\nfour\r\n"),
        body("bare-cr-in-body", "progress 10%\rprogress 20%\rdone\r\n"),
        body("no-line-end-at-the-end", "cut he"),
        bent("bare-lf-in-header", |head| head.add("X-Mixed", "one\n\ttwo")),
        bent("bare-cr-in-header", |head| head.add("X-Mixed", "one\rtwo")),
    ]
}

fn bytes() -> Vec<Shape> {
    vec![
        body("nul-in-body", b"before\0after\r\n\0\0\0\r\n"),
        bent("nul-in-header", |head| head.set("Subject", "nul\0in header")),
        body("control-characters", b"\x01\x02\x07bell\x08\x0bvt\x0cff\x1besc\x7fdel\x1aeof\r\n"),
        body("form-feed-and-ctrl-z", b"page 1\r\n\x0cpage 2\r\n\x1a\r\nafter the end\r\n"),
        body("every-byte", (0..=255).collect::<Vec<u8>>()),
        body("unicode-line-separators", "one\u{2028}two\u{2029}three\u{85}four\r\n"),
        body("noncharacters", "\u{fffe}\u{ffff}\u{10ffff}\u{feff}zero\u{200b}width\r\n"),
    ]
}

fn starts() -> Vec<Shape> {
    let before = |name: &'static str, line: &[u8]| shape(name, [line, &head(name).with(text(name))].concat());
    let mbox = b"From claude@voisin.example Tue May  5 09:30:00 2026\r\n";
    vec![
        before("mbox-from-line", mbox),
        before("mbox-quoted-from-line", &[b">", &mbox[..]].concat()),
        before("utf-8-bom", "\u{feff}".as_bytes()),
        before("blank-lines-first", b"\r\n\r\n"),
        before("header-starts-folded", b" folded, but under what?\r\n"),
        body(
            "from-lines-in-body",
            "From here on\r\n>From there\r\n>>From everywhere\r\n\r\nFrom a@b Tue May  5 09:30:00 2026\r\n",
        ),
        body("dot-lines", ".\r\n..\r\n.dot\r\n\r\n.\r\nafter the dot\r\n"),
        body("imap-literals-in-body", "a1 OK done\r\n* BYE\r\n{5}\r\n)\r\n"),
        shape("only-a-dot", Head::new(&[]).with(".\r\n")),
    ]
}
