//! Transfer encodings, kept and broken.

use super::{Shape, over};
use crate::seed::mime::{base64, part};

pub(super) fn shapes() -> Vec<Shape> {
    [quoted(), based(), raw()].concat()
}

fn plain(transfer: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    part(&format!("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {transfer}"), body)
}

fn quoted() -> Vec<Shape> {
    let broken =
        "caf=E9 =ZZ =4 lower case =c3=a9, a lone = in the middle,\r\nblanks at the end   \r\n=\r\n==\r\nlast line=";
    vec![
        over("quoted-printable-broken", plain("quoted-printable", broken)),
        over("quoted-printable-overlong", plain("QUOTED-PRINTABLE", format!("{}=C3=A9\r\n", "x".repeat(500)))),
        over("quoted-printable-bare-lf", plain("quoted-printable", "soft=\nbreak and =0D=0A coded break\n")),
    ]
}

fn based() -> Vec<Shape> {
    let text = "Bonjour, voici un texte assez long pour tenir sur plusieurs lignes de base64, é à ü.".repeat(3);
    let coded = base64(text.as_bytes());
    let one_line: Vec<u8> = coded.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let dirty = [&coded[..40], b"!!! \t*~\r\n\r\n", &coded[40..]].concat();
    let unpadded: Vec<u8> = one_line.iter().copied().filter(|byte| *byte != b'=').collect();
    let glued = [base64(b"first"), base64(b"second")].concat();
    vec![
        over("base64-one-line", plain("base64", &one_line)),
        over("base64-dirty", plain("base64", dirty)),
        over("base64-unpadded", plain("base64", &unpadded[..unpadded.len() - 1])),
        over("base64-padding-in-the-middle", plain("base64", glued)),
        over("base64-of-nothing", plain("base64", "\r\n\r\n")),
    ]
}

fn raw() -> Vec<Shape> {
    let every: Vec<u8> = (1..=255).collect();
    let octets = "Content-Type: application/octet-stream; name=\"every.bin\"\r\nContent-Transfer-Encoding: binary";
    let twice = "Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64";
    let uu = "begin 644 note.txt\r\n#0V%T\r\n`\r\nend\r\n";
    vec![
        over("encoding-7bit", plain("7bit", "Seven bits only.\r\n")),
        over("encoding-8bit", plain("8bit", "Huit bits : é.\r\n")),
        over("encoding-binary", part(octets, every)),
        over("encoding-unknown", plain("x-rot13", "Obawbhe\r\n")),
        over("encoding-twice", part(twice, "Which of the two?\r\n")),
        over("encoding-with-comment", plain("8bit (mostly)", "Un commentaire dans l'en-tête.\r\n")),
        over("uuencode-in-text", part("Content-Type: text/plain", format!("Hello,\r\n\r\n{uu}"))),
        over("uuencode-declared", part("Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uuencode", uu)),
    ]
}
