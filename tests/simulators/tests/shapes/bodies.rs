//! Charsets, transfer encodings, parts, boundaries, file names.

use mail_parser::PartType;

use crate::Seen;

pub fn check(name: &str, seen: &Seen) -> Option<bool> {
    charset(name, seen)
        .or_else(|| encoding(name, seen))
        .or_else(|| part(name, seen))
        .or_else(|| more_parts(name, seen))
        .or_else(|| content_type(name, seen))
        .or_else(|| boundary(name, seen))
        .or_else(|| filename(name, seen))
}

/// The body, transfer encoding undone, read as `charset`.
fn reads(seen: &Seen, charset: &str) -> String {
    let body = seen.body();
    let transfer = seen.header("Content-Transfer-Encoding").unwrap();
    let bytes = match &transfer[..] {
        b"base64" => mail_parser::decoders::base64::base64_decode(body).unwrap(),
        b"quoted-printable" => mail_parser::decoders::quoted_printable::quoted_printable_decode(body).unwrap(),
        _ => body.to_vec(),
    };
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).unwrap();
    let (text, _, malformed) = encoding.decode(&bytes);
    assert!(!malformed && !text.contains("&#"), "{charset}: {text}");
    text.into_owned()
}

fn declares(seen: &Seen, charset: &str) -> bool {
    let kind = seen.header("Content-Type").unwrap();
    String::from_utf8(kind).unwrap().eq_ignore_ascii_case(&format!("text/plain; charset={charset}"))
}

#[rustfmt::skip]
fn charset(name: &str, seen: &Seen) -> Option<bool> {
    let written = |charset: &str, text: &str| declares(seen, charset) && reads(seen, charset).contains(text);
    let high = |seen: &Seen| !seen.body().is_ascii();
    let is_utf8 = |seen: &Seen| std::str::from_utf8(seen.body()).is_ok();
    Some(match name {
        "charset-us-ascii" => written("us-ascii", "Plain") && seen.raw.is_ascii(),
        "charset-utf-8-8bit" => written("utf-8", "😀") && high(seen),
        "charset-utf-8-quoted" => written("utf-8", "cœur") && seen.has("=C5=93"),
        "charset-utf-8-base64" => written("utf-8", "☂") && seen.raw.is_ascii(),
        "charset-iso-8859-1" => written("iso-8859-1", "crème") && seen.has(b"cr\xe8me"),
        "charset-iso-8859-15" => written("iso-8859-15", "12,50 €") && seen.has(b"\xa4"),
        "charset-windows-1252" => written("windows-1252", "“Smart quotes”") && seen.has("=93Smart"),
        "charset-windows-1250" => written("windows-1250", "příliš"),
        "charset-windows-1251" => written("windows-1251", "французских") && high(seen),
        "charset-koi8-r" => written("koi8-r", "чащах") && high(seen),
        "charset-iso-2022-jp" => written("iso-2022-jp", "会議") && seen.has("\x1b$B") && seen.raw.is_ascii(),
        "charset-shift-jis" => written("shift_jis", "表示") && seen.has(b"\x95\\"),
        "charset-euc-kr" => written("euc-kr", "키스"),
        "charset-gb18030" => written("gb18030", "𠀀"),
        "charset-big5" => written("big5", "許功蓋") && seen.has(b"\xb3\\"),
        "charset-iso-8859-7" => written("iso-8859-7", "ψυχοφθόρα"),
        "charset-windows-1256" => written("windows-1256", "حكيم"),
        "charset-utf-7" => declares(seen, "utf-7") && seen.has("+AOA- 5 +IKw-") && seen.has("1 +- 1"),
        "charset-utf-16" => declares(seen, "utf-16") && reads(seen, "utf-16be").contains("Élan 😀"),
        "charset-utf-16le" => declares(seen, "utf-16le") && reads(seen, "utf-16le") == "Élan 😀",
        "charset-unknown-8bit" => declares(seen, "unknown-8bit") && !is_utf8(seen),
        "charset-utf-8-but-latin-1" => declares(seen, "utf-8") && !is_utf8(seen),
        "charset-ascii-but-utf-8" => declares(seen, "us-ascii") && high(seen) && is_utf8(seen),
        "charset-latin-1-but-windows" => declares(seen, "iso-8859-1") && seen.has(b"\x93quotes\x94 \x80"),
        "charset-nonsense" => declares(seen, "x-klingon-42") && high(seen),
        "charset-missing-but-8bit" => seen.header("Content-Type").unwrap() == b"text/plain" && high(seen),
        "charset-truncated-utf-8" => declares(seen, "utf-8") && seen.ends(b"\xe2\x82\r\n"),
        _ => return None,
    })
}

#[rustfmt::skip]
fn encoding(name: &str, seen: &Seen) -> Option<bool> {
    let says = |value: &str| seen.header("Content-Transfer-Encoding").unwrap() == value.as_bytes();
    Some(match name {
        "quoted-printable-broken" => says("quoted-printable") && seen.has("=ZZ") && seen.has("=c3") && seen.has("end   \r\n") && seen.ends("="),
        "quoted-printable-overlong" => says("QUOTED-PRINTABLE") && seen.width() > 500,
        "quoted-printable-bare-lf" => says("quoted-printable") && seen.has("soft=\nbreak"),
        "base64-one-line" => says("base64") && seen.width() > 300 && !seen.body().contains(&b'\n'),
        "base64-dirty" => says("base64") && seen.has("!!! \t*~"),
        "base64-unpadded" => says("base64") && !seen.body().len().is_multiple_of(4) && !seen.body().contains(&b'='),
        "base64-padding-in-the-middle" => says("base64") && seen.body().iter().position(|byte| *byte == b'=').unwrap() < seen.body().len() - 6,
        "base64-of-nothing" => says("base64") && seen.body().iter().all(u8::is_ascii_whitespace),
        "encoding-7bit" => says("7bit") && seen.raw.is_ascii(),
        "encoding-8bit" => says("8bit") && !seen.body().is_ascii(),
        "encoding-binary" => says("binary") && (1..=255).all(|byte| seen.body().contains(&byte)),
        "encoding-unknown" => says("x-rot13"),
        "encoding-twice" => seen.headers("Content-Transfer-Encoding") == [b"7bit".to_vec(), b"base64".to_vec()],
        "encoding-with-comment" => says("8bit (mostly)"),
        "uuencode-in-text" => seen.has("\r\n\r\nbegin 644 note.txt\r\n#0V%T\r\n") && seen.header("Content-Transfer-Encoding").is_none(),
        "uuencode-declared" => says("x-uuencode") && seen.body().starts_with(b"begin 644"),
        _ => return None,
    })
}

#[rustfmt::skip]
fn part(name: &str, seen: &Seen) -> Option<bool> {
    let files = || seen.attachments();
    Some(match name {
        "zero-length" => seen.raw.is_empty() && seen.content.len() == 0,
        "only-a-line-end" => seen.raw == b"\r\n",
        "header-only" => seen.ends("MIME-Version: 1.0\r\n") && !seen.has("\r\n\r\n"),
        "header-cut" => seen.raw.len() == 150 && !seen.ends("\n") && !seen.has("\r\n\r\n"),
        "body-without-header" => seen.starts("\r\nThere"),
        "empty-body" => seen.ends("1.0\r\n\r\n") && seen.body().is_empty(),
        "blank-body" => seen.body() == b" \r\n\t\r\n\r\n",
        "zero-byte-attachment" => files().len() == 1 && files()[0].bytes.is_empty() && files()[0].name == "empty.bin",
        "empty-html" => seen.types() == ["text/html"] && seen.body().is_empty(),
        "no-mime-version" => seen.header("MIME-Version").is_none() && seen.header("Content-Type").is_none(),
        "alternative" => seen.types() == ["multipart/alternative", "text/plain", "text/html"] && files().is_empty(),
        "inline-picture-only" => files().len() == 1 && files()[0].is_inline && files()[0].content_id.as_deref() == Some("logo@hostile"),
        "mixed-alternative-related" => seen.depth() == 3 && files().len() == 2 && files()[1].bytes.starts_with(b"nom;montant\r\n\xc9mile"),
        "two-hundred-attachments" => files().len() == 200 && files()[199].bytes == "199",
        "text-after-attachment" => files().iter().map(|file| file.name.as_str()).eq(["a.png", "ATT00002.txt"]),
        "format-flowed" => seen.has("format=flowed") && seen.has("une ligne \r\n"),
        _ => return None,
    })
}

#[rustfmt::skip]
fn more_parts(name: &str, seen: &Seen) -> Option<bool> {
    let files = || seen.attachments();
    let subject_of = |bytes: &[u8]| Seen::new(bytes.to_vec().into()).subject();
    Some(match name {
        "nested-message" => seen.depth() == 3 && subject_of(&files()[0].bytes) == "inner letter",
        "nested-message-deep" => seen.depth() == 31 && seen.count("message/rfc822") == 30,
        "nested-message-base64" => files().len() == 1 && seen.has("message/rfc822\r\nContent-Transfer-Encoding: base64"),
        "nested-multipart-deep" => seen.depth() == 50,
        "digest" => seen.types()[0] == "multipart/digest" && files().len() == 2 && subject_of(&files()[1].bytes) == "inner letter",
        "apple-double" => seen.types().contains(&"application/applefile".to_owned()) && files().len() == 2,
        "message-partial" => seen.types() == ["message/partial"] && seen.has("number=2; total=3"),
        "message-external-body" => seen.has("message/external-body; access-type=URL"),
        "contact-card" => files()[0].content_type == "text/vcard" && files()[0].bytes.starts_with(b"BEGIN:VCARD"),
        _ => return None,
    })
}

#[rustfmt::skip]
fn content_type(name: &str, seen: &Seen) -> Option<bool> {
    let says = |value: &str| seen.header("Content-Type").unwrap() == value.as_bytes();
    Some(match name {
        "content-type-junk" => says("text/plain/html; charset; =x; name=\"unclosed"),
        "content-type-one-word" => says("text"),
        "content-type-empty" => says(""),
        "content-type-semicolons" => seen.header("Content-Type").unwrap().starts_with(b";;;;"),
        "content-type-commented" => says("text/plain (a comment) ; charset (another) = utf-8"),
        "content-type-twice" => seen.headers("Content-Type").len() == 3,
        _ => return None,
    })
}

#[rustfmt::skip]
fn boundary(name: &str, seen: &Seen) -> Option<bool> {
    let parts = || seen.parsed(|mail| mail.parts.iter().filter(|part| matches!(part.body, PartType::Text(_))).count());
    Some(match name {
        "boundary-never-closed" => seen.count("--open\r\n") == 2 && !seen.has("--open--"),
        "boundary-cut-in-the-last-part" => seen.count("--open\r\n") == 2 && !seen.has("--open--") && !seen.ends("\n"),
        "boundary-unnamed" => seen.header("Content-Type").unwrap() == b"multipart/mixed" && seen.has("--b--"),
        "boundary-absent" => seen.has("boundary=\"never\"") && !seen.has("--never"),
        "boundary-inner-never-closed" => seen.has("--out--") && seen.has("--in\r\n") && !seen.has("--in--"),
        "multipart-without-parts" => seen.body() == b"--none--\r\n",
        "boundary-lookalikes" => seen.count("\r\n--=_x\r\n") == 2 && seen.has("--=_x-not") && seen.has("\r\n --=_x"),
        "boundary-prefix-of-another" => seen.has("boundary=\"abc\"") && seen.has("boundary=\"abc-longer\""),
        "boundary-with-odd-characters" => seen.has("boundary=\"'()+_,-./:=? x\"") && seen.has("--'()+_,-./:=? x--"),
        "boundary-of-70" => seen.has(format!("--{}--", "b".repeat(70))) && parts() == 1,
        "boundary-twice-the-same" => seen.count("boundary=\"same\"") == 2,
        "preamble-and-epilogue" => seen.has("This is a preamble.") && seen.has("--around  \t\r\n") && seen.ends("Not a part.\r\n"),
        "multipart-quoted-printable" => seen.header("Content-Transfer-Encoding").unwrap() == b"quoted-printable" && seen.has("multipart/mixed"),
        _ => return None,
    })
}

#[rustfmt::skip]
fn filename(name: &str, seen: &Seen) -> Option<bool> {
    let file = || seen.attachments().remove(0);
    let named = |name: &str| seen.attachments().len() == 1 && file().name == name && file().bytes == "%PDF-1.4 small";
    Some(match name {
        "filename-rfc-2231" => named("Été €.pdf") && seen.has("filename*=utf-8''%C3%89t%C3%A9%20%E2%82%AC.pdf"),
        "filename-rfc-2231-continued" => seen.has("filename*1*=annuel%20%E9;") && seen.has("filename*2=\"2026.pdf\""),
        "filename-encoded-word" => seen.has("filename=\"=?utf-8?B?"),
        "filename-raw-utf-8" => named("Été.pdf") && !seen.raw.is_ascii(),
        "filename-raw-latin-1" => seen.has(b"filename=\"\xc9t\xe9.pdf\""),
        "filename-unquoted-blanks" => seen.has("filename=compte rendu final.pdf"),
        "filename-climbs" => named("../../../etc/passwd"),
        "filename-windows-path" => named("C:\\Users\\emilie\\CON.txt"),
        "filename-rtl-override" => named("facture\u{202e}fdp.exe"),
        "filename-quotes" => named("dit \"le grand\".pdf"),
        "filename-empty" => seen.has("filename=\"\""),
        "filename-none" => seen.has("Content-Disposition: attachment\r\n") && named("ATT00001.bin"),
        "filename-disposition-junk" => seen.count("filename=") == 2,
        "filename-very-long" => file().name.len() > 600,
        _ => return None,
    })
}
