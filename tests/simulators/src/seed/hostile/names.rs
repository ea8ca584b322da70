//! File names of attachments.

use super::{Shape, over, text};
use crate::seed::mime::{base64, multipart, part};

#[rustfmt::skip]
const NAMES: [(&str, &str); 12] = [
    ("filename-rfc-2231", "attachment; filename*=utf-8''%C3%89t%C3%A9%20%E2%82%AC.pdf"),
    ("filename-rfc-2231-continued", "attachment;\r\n filename*0*=iso-8859-1'fr'rapport%20;\r\n filename*1*=annuel%20%E9;\r\n filename*2=\"2026.pdf\""),
    ("filename-encoded-word", "attachment; filename=\"=?utf-8?B?w4l0w6kucGRm?=\""),
    ("filename-raw-utf-8", "attachment; filename=\"Été.pdf\""),
    ("filename-unquoted-blanks", "attachment; filename=compte rendu final.pdf"),
    ("filename-climbs", "attachment; filename=\"../../../etc/passwd\""),
    ("filename-windows-path", "attachment; filename=\"C:\\\\Users\\\\emilie\\\\CON.txt\""),
    ("filename-rtl-override", "attachment; filename=\"facture\u{202e}fdp.exe\""),
    ("filename-quotes", "attachment; filename=\"dit \\\"le grand\\\".pdf\""),
    ("filename-empty", "attachment; filename=\"\""),
    ("filename-none", "attachment"),
    ("filename-disposition-junk", "inline; attachment; filename=a.pdf; filename=b.pdf; size=-1"),
];

pub(super) fn shapes() -> Vec<Shape> {
    let all = NAMES.iter().map(|(name, disposition)| named(name, disposition.as_bytes()));
    let long = format!("attachment; filename=\"{}.pdf\"", "très-long-".repeat(60));
    all.chain([
        named("filename-raw-latin-1", b"attachment; filename=\"\xc9t\xe9.pdf\""),
        named("filename-very-long", long.as_bytes()),
    ])
    .collect()
}

fn named(name: &'static str, disposition: &[u8]) -> Shape {
    let lines =
        [b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: ", disposition];
    let attached = [lines.concat(), part("", base64(b"%PDF-1.4 small"))].concat();
    over(name, multipart("mixed", "named", &[text(name), attached]))
}
