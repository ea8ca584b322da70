//! Header lines that parsers disagree about.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Shape, bent, head, shape, text};
use crate::seed::mime::words;

pub(super) fn shapes() -> Vec<Shape> {
    [raw(), coded(), subjects(), sizes(), malformed()].concat()
}

fn raw() -> Vec<Shape> {
    vec![
        bent("header-raw-latin-1", |head| {
            head.set("Subject", b"R\xe9union \xe0 8 h").set("From", b"Ren\xe9 <rene@voisin.example>")
        }),
        bent("header-raw-utf-8", |head| head.set("Subject", "Réunion à 8 h").set("From", "René <rene@voisin.example>")),
        bent("header-raw-shift-jis", |head| head.set("Subject", b"\x89\xef\x8bc\x82\xcc\x82\xa8\x92m\x82\xe7\x82\xb9")),
    ]
}

/// Encoded-words (RFC 2047) as they come.
fn coded() -> Vec<Shape> {
    let subject = |name, value: &str| bent(name, |head| head.set("Subject", value));
    let bytes = "会議のお知らせ".as_bytes();
    let halves =
        format!("=?utf-8?B?{}?=\r\n =?utf-8?B?{}?=", STANDARD.encode(&bytes[..4]), STANDARD.encode(&bytes[4..]));
    vec![
        subject("encoded-word-split-in-character", &halves),
        subject("encoded-word-unknown-charset", "=?x-unknown?Q?caf=E9?="),
        subject("encoded-word-with-blanks", "=?utf-8?Q?un deux =C3=A9?= trois"),
        subject("encoded-word-never-closed", "=?utf-8?Q?sans fin =C3=A9"),
        subject("encoded-word-bad-base64", "=?utf-8?B?w6&k*=?="),
        subject("encoded-word-in-quotes", "\"=?utf-8?Q?caf=C3=A9?=\""),
        subject("encoded-word-with-language", "=?iso-8859-1*fr?Q?caf=E9?="),
        subject("encoded-word-glued", "=?utf-8?Q?a?==?utf-8?Q?b?=c"),
        subject("encoded-word-of-600", &format!("=?utf-8?B?{}?=", STANDARD.encode("é".repeat(220)))),
        subject("encoded-word-injects-header", "=?utf-8?Q?innocent=0D=0ABcc:_victim@voisin.example?="),
        subject("encoded-word-with-nul", "=?utf-8?Q?a=00b?="),
    ]
}

fn subjects() -> Vec<Shape> {
    let subject = |name, value: &str| bent(name, |head| head.set("Subject", words(value)));
    vec![
        subject("subject-right-to-left", "\u{202b}اجتماع المجلس البلدي يوم الثلاثاء 5 مايو (RE: 2026)\u{202c}"),
        subject("subject-hebrew", "ישיבת מועצה – סדר יום"),
        subject("subject-emoji", "🎉 Fête 👩‍👩‍👧‍👦 🇫🇷 👍🏽 c'est demain!"),
        subject("subject-combining", "Re\u{301}union Z\u{351}\u{352}\u{357}algo n\u{303}"),
        bent("subject-empty", |head| head.set("Subject", "")),
        bent("subject-missing", |head| head.without("Subject")),
        bent("subject-blank", |head| head.set("Subject", "   \t ")),
        bent("subject-tabs", |head| head.set("Subject", "un\tdeux\t\ttrois")),
        bent("subject-of-markup", |head| {
            head.set("Subject", "<script>alert('&amp;')</script> %s %n {} ${jndi} \\u0041")
        }),
    ]
}

fn sizes() -> Vec<Shape> {
    let folded = (0..340)
        .map(|n| format!("<reference.{n:04}.of.a.very.long.thread@voisin.example.invalid>"))
        .collect::<Vec<_>>();
    vec![
        bent("header-of-20-kb-folded", |head| head.add("References", folded.join("\r\n "))),
        bent("header-of-20-kb-unfolded", |head| head.add("References", folded.join(" "))),
        bent("header-line-of-1200", |head| head.set("Subject", "s".repeat(1200))),
        bent("header-name-of-300", |head| head.add(&format!("X-{}", "N".repeat(298)), "long name")),
        bent("headers-1000", |head| (0..1000).fold(head, |head, n| head.add(&format!("X-Header-{n}"), "value"))),
        bent("header-folded-on-blank-lines", |head| head.set("Subject", "un\r\n \r\n\t\r\n deux")),
    ]
}

fn malformed() -> Vec<Shape> {
    let inserted = |name: &'static str, line: &[u8]| shape(name, [&head(name).bytes(), line, &text(name)[..]].concat());
    vec![
        inserted("header-without-colon", b"This line has no colon and is not folded\r\n"),
        inserted("header-blank-before-colon", b"X-Odd : value\r\n"),
        inserted("header-empty-name", b": value without a name\r\n"),
        inserted("header-name-8bit", "X-Clé: valeur\r\n".as_bytes()),
        inserted("header-without-value", b"X-Nothing:\r\n"),
        inserted("header-control-characters", b"X-Control: a\x01b\x1bc\x7f\r\n"),
        inserted("header-mixed-case", b"cOnTeNt-LaNgUaGe: fr\r\nx-mailer: MiXed\r\n"),
        bent("headers-twice", |head| {
            head.add("From", "other@voisin.example")
                .add("Subject", "second subject")
                .add("To", "second@voisin.example")
                .add("MIME-Version", "1.0")
        }),
        bent("header-exchange", |head| {
            head.add("X-MS-Exchange-Organization-SCL", "-1")
                .add("X-MS-Has-Attach", "")
                .add("X-MS-TNEF-Correlator", "")
                .add("Thread-Topic", words("Réunion"))
                .add("Thread-Index", "AQHbk2a1b2c3d4e5f6a7b8==")
        }),
    ]
}
