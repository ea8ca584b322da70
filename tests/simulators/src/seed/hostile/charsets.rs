//! Text in every charset that mail was ever written in, declared rightly and wrongly.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use encoding_rs::Encoding;

use super::{Shape, head, over, shape};
use crate::seed::mime::{base64, part, quoted_printable};

/// How the body travels.
#[derive(Clone, Copy)]
enum Travels {
    SevenBit,
    EightBit,
    Quoted,
    Base64,
}
use Travels::{Base64, EightBit, Quoted, SevenBit};

#[rustfmt::skip]
const DECLARED: [(&str, &str, Travels, &str); 17] = [
    ("charset-us-ascii", "us-ascii", SevenBit, "Plain old text."),
    ("charset-utf-8-8bit", "utf-8", EightBit, "Dès Noël où un zéphyr haï me vêt de glaçons würmiens — 😀"),
    ("charset-utf-8-quoted", "UTF-8", Quoted, "Voix ambiguë d'un cœur qui au zéphyr préfère les jattes de kiwis"),
    ("charset-utf-8-base64", "utf-8", Base64, "Portez ce vieux whisky au juge blond qui fume ☂"),
    ("charset-iso-8859-1", "iso-8859-1", EightBit, "Garçon, un café crème et une brioche à la pâte d'amande"),
    ("charset-iso-8859-15", "iso-8859-15", EightBit, "Cœur à 12,50 €, Ÿves Šimon"),
    ("charset-windows-1252", "windows-1252", Quoted, "“Smart quotes”, 100 €, œuvre… ™"),
    ("charset-windows-1250", "windows-1250", Base64, "Zażółć gęślą jaźń, příliš žluťoučký kůň"),
    ("charset-windows-1251", "windows-1251", EightBit, "Съешь же ещё этих мягких французских булок"),
    ("charset-koi8-r", "koi8-r", EightBit, "В чащах юга жил бы цитрус? Да, но фальшивый экземпляр!"),
    ("charset-iso-2022-jp", "iso-2022-jp", SevenBit, "いろはにほへと ちりぬるを 会議のお知らせ"),
    ("charset-shift-jis", "shift_jis", EightBit, "表示と能力のソフトウェア 一覧表"),
    ("charset-euc-kr", "euc-kr", Base64, "키스의 고유조건은 입술끼리 만나야 한다"),
    ("charset-gb18030", "gb18030", Base64, "视野无限广，窗外有蓝天 𠀀"),
    ("charset-big5", "big5", EightBit, "視野無限廣，窗外有藍天 許功蓋"),
    ("charset-iso-8859-7", "iso-8859-7", Quoted, "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία"),
    ("charset-windows-1256", "windows-1256", Base64, "نص حكيم له سر قاطع وذو شأن عظيم"),
];

pub(super) fn shapes() -> Vec<Shape> {
    DECLARED.iter().map(declared).chain(unicode()).chain(wrong()).collect()
}

fn declared((name, charset, travels, text): &(&'static str, &str, Travels, &str)) -> Shape {
    let encoding = Encoding::for_label(charset.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    let (bytes, _, _) = encoding.encode(text);
    let subject = format!("=?{charset}?B?{}?=", STANDARD.encode(&bytes));
    let (word, body) = match travels {
        SevenBit => ("7bit", bytes.to_vec()),
        EightBit => ("8bit", bytes.to_vec()),
        Quoted => ("quoted-printable", quoted_printable(&bytes)),
        Base64 => ("base64", base64(&bytes)),
    };
    let lines = format!("Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {word}");
    shape(name, head(name).set("Subject", subject).with(part(&lines, [&body[..], b"\r\n"].concat())))
}

/// The Unicode forms that no encoder makes today.
fn unicode() -> Vec<Shape> {
    let utf_7 = "Content-Type: text/plain; charset=utf-7\r\nContent-Transfer-Encoding: 7bit";
    let utf_16 = "Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64";
    let utf_16le = "Content-Type: text/plain; charset=utf-16le\r\nContent-Transfer-Encoding: base64";
    let big: Vec<u8> = "\u{feff}Élan 😀".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let little: Vec<u8> = "Élan 😀".encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        over("charset-utf-7", part(utf_7, format!("{}\r\n", utf7("1 + 1 = 2, Hôtel à 5 €")))),
        over("charset-utf-16", part(utf_16, base64(&big))),
        over("charset-utf-16le", part(utf_16le, base64(&little))),
    ]
}

/// RFC 2152: what is not ASCII travels as base64 of UTF-16 between `+` and `-`.
fn utf7(text: &str) -> String {
    let coded = |character: char| match character {
        '+' => "+-".to_owned(),
        ' '..='~' => character.into(),
        _ => {
            let units: Vec<u8> =
                character.encode_utf16(&mut [0; 2]).iter().copied().flat_map(u16::to_be_bytes).collect();
            format!("+{}-", STANDARD_NO_PAD.encode(units))
        }
    };
    text.chars().map(coded).collect()
}

/// Declarations that do not fit the bytes, or name nothing.
fn wrong() -> Vec<Shape> {
    let body = |content_type: &str, bytes: &[u8]| {
        part(&format!("Content-Type: {content_type}\r\nContent-Transfer-Encoding: 8bit"), [bytes, b"\r\n"].concat())
    };
    vec![
        over("charset-unknown-8bit", body("text/plain; charset=unknown-8bit", b"caf\xe9 cr\xe8me")),
        over("charset-utf-8-but-latin-1", body("text/plain; charset=utf-8", b"caf\xe9 cr\xe8me \xa0 fin")),
        over("charset-ascii-but-utf-8", body("text/plain; charset=us-ascii", "déjà vu".as_bytes())),
        over("charset-latin-1-but-windows", body("text/plain; charset=iso-8859-1", b"\x93quotes\x94 \x80 12")),
        over("charset-nonsense", body("text/plain; charset=x-klingon-42", "tlhIngan é".as_bytes())),
        over("charset-missing-but-8bit", body("text/plain", b"na\xefve")),
        over("charset-truncated-utf-8", body("text/plain; charset=utf-8", b"the last character is cut: \xe2\x82")),
    ]
}
