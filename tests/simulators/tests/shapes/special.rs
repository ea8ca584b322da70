//! Lines and bytes, sealed mail, meetings, reports, large mail.

use transhume_simulators::dump::Content;

use crate::Seen;

pub fn check(name: &str, seen: &Seen) -> Option<bool> {
    long(name, seen)
        .or_else(|| ends(name, seen))
        .or_else(|| bytes(name, seen))
        .or_else(|| sealed(name, seen))
        .or_else(|| meeting(name, seen))
        .or_else(|| report(name, seen))
        .or_else(|| large(name, seen))
}

fn long(name: &str, seen: &Seen) -> Option<bool> {
    Some(match name {
        "line-of-998" => seen.width() == 998,
        "line-of-1200" => seen.width() == 1200,
        "line-of-100000" => seen.width() == 100_000,
        "line-of-9000-cut-in-characters" => seen.width() == 9000 && !seen.body()[..9000].is_ascii(),
        _ => return None,
    })
}

#[rustfmt::skip]
fn ends(name: &str, seen: &Seen) -> Option<bool> {
    let count = |byte: u8| seen.raw.iter().filter(|there| **there == byte).count();
    Some(match name {
        "bare-lf-everywhere" => count(b'\r') == 0 && count(b'\n') > 8,
        "bare-cr-everywhere" => count(b'\n') == 0 && count(b'\r') > 8,
        "cr-cr-lf-everywhere" => seen.count("\r\r\n") == count(b'\n') && count(b'\r') == 2 * count(b'\n'),
        "bare-lf-in-body" => seen.has("one\ntwo\r\n"),
        "bare-cr-in-body" => seen.has("10%\rprogress"),
        "no-line-end-at-the-end" => seen.ends("cut he"),
        "bare-lf-in-header" => seen.has("X-Mixed: one\n\ttwo\r\n"),
        "bare-cr-in-header" => seen.has("X-Mixed: one\rtwo\r\n"),
        _ => return None,
    })
}

#[rustfmt::skip]
fn bytes(name: &str, seen: &Seen) -> Option<bool> {
    Some(match name {
        "nul-in-body" => seen.body().contains(&0) && !seen.head().contains(&0),
        "nul-in-header" => seen.head().contains(&0),
        "control-characters" => [1, 7, 8, 11, 12, 26, 27, 127].iter().all(|byte| seen.body().contains(byte)),
        "form-feed-and-ctrl-z" => seen.has("\r\n\x0c") && seen.has("\r\n\x1a\r\n"),
        "every-byte" => (0..=255).all(|byte| seen.body().contains(&byte)),
        "unicode-line-separators" => seen.has("\u{2028}") && seen.has("\u{85}"),
        "noncharacters" => seen.has("\u{ffff}") && seen.has("\u{10ffff}"),
        "mbox-from-line" => seen.starts("From claude@voisin.example Tue May  5"),
        "mbox-quoted-from-line" => seen.starts(">From "),
        "utf-8-bom" => seen.starts(b"\xef\xbb\xbfFrom: "),
        "blank-lines-first" => seen.starts("\r\n\r\nFrom: "),
        "header-starts-folded" => seen.starts(" folded"),
        "from-lines-in-body" => seen.has("\r\n\r\nFrom here") && seen.has("\r\n>From there"),
        "dot-lines" => seen.has("\r\n.\r\n..\r\n.dot\r\n"),
        "imap-literals-in-body" => seen.has("* BYE\r\n{5}\r\n"),
        "only-a-dot" => seen.raw == b".\r\n",
        _ => return None,
    })
}

#[rustfmt::skip]
fn sealed(name: &str, seen: &Seen) -> Option<bool> {
    let only = || { let mut all = seen.attachments(); (all.len() == 1).then(|| all.remove(0)).expect("one attachment") };
    let signed_part = include_bytes!("../../src/seed/hostile/fixtures/signed-part.txt");
    let der = |bytes: &[u8]| bytes.starts_with(&[0x30, 0x82]);
    let cms = |oid: u8| { let file = only(); file.name == "smime.p7m" && der(&file.bytes) && file.bytes[4..15] == [6, 9, 42, 134, 72, 134, 247, 13, 1, 7, oid] };
    Some(match name {
        "smime-clear-signed" => seen.has([&b"--signed-boundary\r\n"[..], signed_part, b"\r\n--signed-boundary\r\n"].concat()) && only().content_type == "multipart/signed",
        "smime-opaque-signed" => cms(2) && seen.has("smime-type=signed-data"),
        "smime-enveloped" => cms(3) && seen.has("smime-type=enveloped-data"),
        "pgp-mime-signed" => seen.has(signed_part) && seen.has("-----BEGIN PGP SIGNATURE-----\r\n") && only().content_type == "multipart/signed",
        "pgp-mime-encrypted" => seen.attachments().len() == 2 && seen.attachments()[1].bytes.starts_with(b"-----BEGIN PGP MESSAGE-----\r\n"),
        "pgp-inline" => seen.body().starts_with(b"-----BEGIN PGP SIGNED MESSAGE-----\r\n") && seen.has("\r\n- - un tiret"),
        "rights-protected" => only().content_type == "application/x-microsoft-rpmsg-message" && only().name == "message.rpmsg" && only().bytes.starts_with(&[0x76, 0xE8, 4, 0x60]),
        "winmail-dat" => only().content_type == "application/ms-tnef" && is_tnef(&only().bytes),
        "dkim-signed" => seen.header("DKIM-Signature").unwrap().starts_with(b"v=1; "),
        _ => return None,
    })
}

/// Signature and key, then attributes whose sums are right up to the end.
fn is_tnef(bytes: &[u8]) -> bool {
    let mut rest = &bytes[6..];
    let mut seen = 0;
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[5..9].try_into().unwrap()) as usize;
        let (data, after) = rest[9..].split_at(length);
        let sum = data.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        assert_eq!(sum.to_le_bytes(), after[..2]);
        (rest, seen) = (&after[2..], seen + 1);
    }
    bytes.starts_with(&[0x78, 0x9F, 0x3E, 0x22]) && seen == 8
}

#[rustfmt::skip]
fn meeting(name: &str, seen: &Seen) -> Option<bool> {
    let calendar = || seen.parsed(|mail| {
        let part = mail.parts.iter().find(|part| part.contents().starts_with(b"BEGIN:VCALENDAR")).expect("a calendar");
        String::from_utf8(part.contents().to_vec()).unwrap().replace("\r\n ", "")
    });
    let holds = |method: &str, line: &str| calendar().contains(&format!("METHOD:{method}\r\n")) && calendar().contains(line) && calendar().ends_with("END:VCALENDAR\r\n");
    let unlisted = || seen.attachments().is_empty();
    Some(match name {
        "meeting-request" => holds("REQUEST", "\r\nRRULE:FREQ=WEEKLY") && unlisted() && seen.has("; method=REQUEST"),
        "meeting-update" => holds("REQUEST", "\r\nSEQUENCE:3") && unlisted(),
        "meeting-cancelled" => holds("CANCEL", "\r\nSTATUS:CANCELLED") && unlisted(),
        "meeting-accepted" => holds("REPLY", ";PARTSTAT=ACCEPTED") && unlisted(),
        "meeting-tentative" => holds("REPLY", ";PARTSTAT=TENTATIVE"),
        "meeting-declined" => holds("REPLY", ";PARTSTAT=DECLINED") && calendar().contains("COMMENT:Désolé\\,"),
        "meeting-counter" => holds("COUNTER", ";PARTSTAT=TENTATIVE"),
        "meeting-only-calendar" => holds("REQUEST", "") && unlisted() && seen.types() == ["text/calendar"],
        "meeting-as-file" => holds("PUBLISH", "") && seen.attachments()[0].name == "conseil.ics",
        "meeting-broken" => calendar().ends_with("UID:"),
        _ => return None,
    })
}

#[rustfmt::skip]
fn report(name: &str, seen: &Seen) -> Option<bool> {
    let holds = |kinds: &[&str]| seen.types()[0] == "multipart/report" && seen.types()[2..] == *kinds && seen.header("Return-Path").unwrap() == b"<>";
    Some(match name {
        "delivery-report" => holds(&["message/delivery-status", "message/rfc822"]) && seen.has("Status: 5.1.1"),
        "delivery-report-headers-only" => holds(&["message/delivery-status", "text/rfc822-headers"]),
        "disposition-notification" => holds(&["message/disposition-notification"]),
        "abuse-report" => holds(&["message/feedback-report", "message/rfc822"]),
        "received-120-times" => seen.headers("Received").len() == 120,
        _ => return None,
    })
}

fn large(name: &str, seen: &Seen) -> Option<bool> {
    let mib = |size: u64| size / (1024 * 1024);
    let Content::Repeat { head, line, times, tail } = &seen.content else { return None };
    let closed = tail.ends_with(b"--large--\r\n");
    let attached = line.len() as u64 * times / 78 * 57;
    Some(match name {
        "attachment-25-mb" => closed && line.len() == 78 && mib(attached + 78) == 25,
        "message-30-mb" => closed && mib(seen.content.len()) == 30,
        "message-60-mb" => closed && mib(seen.content.len()) == 60,
        "text-12-mb" => mib(seen.content.len()) == 12 && head.windows(10).any(|window| window == b"text/plain"),
        "message-26-mb-never-closed" => !closed && tail.is_empty() && mib(seen.content.len()) == 26,
        _ => return None,
    })
}
