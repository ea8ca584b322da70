//! Bodies of many parts, of none, and of parts within parts.

use super::{Shape, bent, head, over, shape, text};
use crate::seed::mime::{self, file, inline_image, multipart, part};
use crate::seed::office::PIXEL;

pub(super) fn shapes() -> Vec<Shape> {
    [nearly_nothing(), usual(), nested(), apple_and_others(), content_types()].concat()
}

fn nearly_nothing() -> Vec<Shape> {
    let bare = |name| head(name).bytes();
    let zero = multipart("mixed", "zero", &[text("zero"), file("application/octet-stream", "empty.bin", b"")]);
    vec![
        shape("zero-length", Vec::new()),
        shape("only-a-line-end", b"\r\n".to_vec()),
        shape("header-only", bare("header-only")),
        shape("header-cut", bare("header-cut")[..150].to_vec()),
        shape("body-without-header", b"\r\nThere is no header above this line.\r\n".to_vec()),
        over("empty-body", "\r\n"),
        over("blank-body", "Content-Type: text/plain\r\n\r\n \r\n\t\r\n\r\n"),
        over("zero-byte-attachment", zero),
        over("empty-html", "Content-Type: text/html; charset=utf-8\r\n\r\n"),
        shape("no-mime-version", head("no-mime-version").without("MIME-Version").with("\r\nAs in 1982.\r\n")),
    ]
}

fn both(boundary: &str) -> Vec<u8> {
    let html = "<html><body><p>Caf\u{e9} &amp; th\u{e9}</p></body></html>";
    multipart("alternative", boundary, &[mime::text("plain", "Caf\u{e9} & th\u{e9}"), mime::text("html", html)])
}

fn usual() -> Vec<Shape> {
    let pictured = mime::text("html", "<p>Logo: <img src=\"cid:logo@hostile\"></p>");
    let related = |boundary: &str| {
        multipart(
            "related; type=\"text/html\"",
            boundary,
            &[pictured.clone(), inline_image("logo.png", "logo@hostile", PIXEL)],
        )
    };
    let choice = multipart("alternative", "alt", &[mime::text("plain", "Logo"), related("rel")]);
    let all = multipart("mixed", "mix", &[choice, file("text/csv", "liste.csv", b"nom;montant\r\n\xc9mile;12\r\n")]);
    let many: Vec<_> =
        (0..200).map(|n| file("text/plain", &format!("note-{n:03}.txt"), format!("{n}").as_bytes())).collect();
    vec![
        over("alternative", both("b1")),
        over("inline-picture-only", related("b2")),
        over("mixed-alternative-related", all),
        over("two-hundred-attachments", multipart("mixed", "b3", &[vec![text("many")], many].concat())),
        over(
            "text-after-attachment",
            multipart("mixed", "b4", &[text("one"), file("image/png", "a.png", PIXEL), text("two")]),
        ),
        over(
            "format-flowed",
            part("Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes", "une ligne \r\nqui coule\r\n"),
        ),
    ]
}

fn nested() -> Vec<Shape> {
    let rfc822 = |inner: Vec<u8>| part("Content-Type: message/rfc822", inner);
    let letter = head("inner-letter").with(both("inner"));
    let forwarded = multipart("mixed", "outer", &[text("forwarded"), rfc822(letter.clone())]);
    let deep = (0..30).fold(letter.clone(), |inner, level| head(&format!("level-{level}")).with(rfc822(inner)));
    let tower = (0..50).fold(text("tower"), |inner, level| multipart("mixed", &format!("level-{level}"), &[inner]));
    let coded =
        [&b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"[..], &mime::base64(&letter)]
            .concat();
    let digest = multipart("digest", "dig", &[[&b"\r\n"[..], &letter].concat(), [&b"\r\n"[..], &letter].concat()]);
    vec![
        over("nested-message", forwarded),
        shape("nested-message-deep", deep),
        over("nested-message-base64", multipart("mixed", "coded", &[text("coded"), coded])),
        over("nested-multipart-deep", tower),
        over("digest", digest),
    ]
}

fn apple_and_others() -> Vec<Shape> {
    let double = multipart(
        "appledouble",
        "fork",
        &[
            file("application/applefile", "plan.pdf", b"\0\x05\x16\x07"),
            file("application/pdf", "plan.pdf", b"%PDF-1.4"),
        ],
    );
    let partial = "Content-Type: message/partial; id=\"p@hostile\"; number=2; total=3";
    let external = "Content-Type: message/external-body; access-type=URL; URL=\"https://files.example/plan.dwg\"";
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:\u{c9}mile Zola\r\nEND:VCARD\r\n";
    vec![
        over("apple-double", multipart("mixed", "apple", &[text("apple"), double])),
        over("message-partial", part(partial, "the middle of something\r\n")),
        over("message-external-body", part(external, "Content-Type: image/vnd.dwg\r\nContent-ID: <x@hostile>\r\n\r\n")),
        over(
            "contact-card",
            multipart("mixed", "card", &[text("card"), file("text/vcard", "zola.vcf", card.as_bytes())]),
        ),
    ]
}

fn content_types() -> Vec<Shape> {
    let with = |name, junk: &str| over(name, part(&format!("Content-Type: {junk}"), "Quel type ?\r\n"));
    vec![
        with("content-type-junk", "text/plain/html; charset; =x; name=\"unclosed"),
        with("content-type-one-word", "text"),
        with("content-type-empty", ""),
        with("content-type-semicolons", ";;;; charset=\"utf-8\";;;"),
        with("content-type-commented", "text/plain (a comment) ; charset (another) = utf-8"),
        bent("content-type-twice", |head| head.add("Content-Type", "text/html").add("Content-Type", "image/gif")),
    ]
}
