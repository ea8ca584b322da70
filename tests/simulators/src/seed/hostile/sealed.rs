//! Signed and sealed mail. The signatures are real: made with OpenSSL and GnuPG, whose keys were thrown away, so any
//! changed byte in the signed part breaks them.

use super::{Shape, bent, head, over, shape, text, tnef};
use crate::seed::mime::{base64, file, multipart, part};

const SIGNED_PART: &[u8] = include_bytes!("fixtures/signed-part.txt");

pub(super) fn shapes() -> Vec<Shape> {
    [smime(), pgp(), vec![rights_protected(), winmail(), dkim()]].concat()
}

fn smime() -> Vec<Shape> {
    let signature = file("application/pkcs7-signature", "smime.p7s", include_bytes!("fixtures/clear-signed.p7s"));
    let clear = "signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256";
    let opaque =
        |kind: &str, body: &[u8]| file(&format!("application/pkcs7-mime; smime-type={kind}"), "smime.p7m", body);
    vec![
        over("smime-clear-signed", signed(clear, SIGNED_PART, &signature)),
        over("smime-opaque-signed", opaque("signed-data", include_bytes!("fixtures/opaque-signed.p7m"))),
        over("smime-enveloped", opaque("enveloped-data", include_bytes!("fixtures/enveloped.p7m"))),
    ]
}

/// The line end before a boundary belongs to the boundary (RFC 2046 section 5.1.1), so the part keeps its own.
fn signed(kind: &str, what: &[u8], signature: &[u8]) -> Vec<u8> {
    multipart(kind, "signed-boundary", &[what.to_vec(), signature.to_vec()])
}

fn pgp() -> Vec<Shape> {
    let signature = part(
        "Content-Type: application/pgp-signature; name=\"signature.asc\"",
        include_bytes!("fixtures/pgp-signature.asc"),
    );
    let version = part("Content-Type: application/pgp-encrypted", "Version: 1\r\n");
    let sealed = part(
        "Content-Type: application/octet-stream; name=\"encrypted.asc\"",
        include_bytes!("fixtures/pgp-encrypted.asc"),
    );
    let kind = "signed; protocol=\"application/pgp-signature\"; micalg=pgp-sha256";
    let encrypted = "encrypted; protocol=\"application/pgp-encrypted\"";
    vec![
        over("pgp-mime-signed", signed(kind, SIGNED_PART, &signature)),
        over("pgp-mime-encrypted", multipart(encrypted, "sealed", &[version, sealed])),
        over("pgp-inline", part(super::TEXT, include_bytes!("fixtures/pgp-inline.asc"))),
    ]
}

/// As Exchange wraps what rights management protects: readable only while the tenant lives.
fn rights_protected() -> Shape {
    let name = "rights-protected";
    let prefix = [0x76, 0xE8, 0x04, 0x60, 0xC4, 0x11, 0xE3, 0x86]; // [MS-OXORMMS] section 2.1.2: message.rpmsg
    let wrapped: Vec<u8> =
        prefix.into_iter().chain((0..3000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)).collect();
    let rpmsg = file("application/x-microsoft-rpmsg-message", "message.rpmsg", &wrapped);
    let entity = multipart("mixed", "rights", &[text(name), rpmsg]);
    shape(name, head(name).add("Content-Class", "rpmsg.message").add("X-MS-Has-Attach", "yes").with(entity))
}

fn winmail() -> Shape {
    let entity =
        multipart("mixed", "tnef", &[text("winmail"), file("application/ms-tnef", "winmail.dat", &tnef::winmail())]);
    over("winmail-dat", entity)
}

/// A signature over the header as it was; whoever rewrites the mail breaks it.
fn dkim() -> Shape {
    let value = "v=1; a=rsa-sha256; c=relaxed/simple; d=voisin.example; s=s1; t=1777966200;\r\n\th=from:to:subject:date;\
                 bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=";
    let signature = base64(&[0x5A; 128]);
    let signature = String::from_utf8_lossy(&signature).trim_end().replace("\r\n", "\r\n\t");
    bent("dkim-signed", |head| head.add("DKIM-Signature", format!("{value}{signature}")))
}
