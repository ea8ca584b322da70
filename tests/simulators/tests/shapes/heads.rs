//! Header lines, people, dates, message ids.

use crate::Seen;

pub fn check(name: &str, seen: &Seen) -> Option<bool> {
    coded(name, seen)
        .or_else(|| subject(name, seen))
        .or_else(|| line(name, seen))
        .or_else(|| person(name, seen))
        .or_else(|| date(name, seen))
        .or_else(|| id(name, seen))
}

#[rustfmt::skip]
fn coded(name: &str, seen: &Seen) -> Option<bool> {
    let raw = || String::from_utf8_lossy(&seen.header("Subject").unwrap()).into_owned();
    Some(match name {
        "header-raw-latin-1" => seen.has(b"Subject: R\xe9union"),
        "header-raw-utf-8" => seen.has("Subject: Réunion"),
        "header-raw-shift-jis" => encoding_rs::SHIFT_JIS.decode(seen.head()).0.contains("会議のお知らせ"),
        "encoded-word-split-in-character" => raw().split("?=").take(2).all(|word| {
            let coded = word.rsplit('?').next().unwrap();
            std::str::from_utf8(&mail_parser::decoders::base64::base64_decode(coded.as_bytes()).unwrap()).is_err()
        }),
        "encoded-word-unknown-charset" => raw().contains("x-unknown"),
        "encoded-word-with-blanks" => raw().contains("?Q?un deux "),
        "encoded-word-never-closed" => raw().starts_with("=?utf-8?Q?") && !raw().contains("?="),
        "encoded-word-bad-base64" => raw() == "=?utf-8?B?w6&k*=?=",
        "encoded-word-in-quotes" => raw() == "\"=?utf-8?Q?caf=C3=A9?=\"",
        "encoded-word-with-language" => raw().starts_with("=?iso-8859-1*fr?"),
        "encoded-word-glued" => raw().contains("?==?"),
        "encoded-word-of-600" => raw().len() >= 600 && seen.subject() == "é".repeat(220),
        "encoded-word-injects-header" => seen.subject() == "innocent\r\nBcc: victim@voisin.example",
        "encoded-word-with-nul" => seen.subject() == "a\0b",
        _ => return None,
    })
}

#[rustfmt::skip]
fn subject(name: &str, seen: &Seen) -> Option<bool> {
    let subject = || seen.subject();
    Some(match name {
        "subject-right-to-left" => subject().starts_with("\u{202b}اجتماع"),
        "subject-hebrew" => subject().contains("ישיבת"),
        "subject-emoji" => subject() == "🎉 Fête 👩‍👩‍👧‍👦 🇫🇷 👍🏽 c'est demain!",
        "subject-combining" => subject().starts_with("Re\u{301}union"),
        "subject-empty" => seen.has("\r\nSubject: \r\n"),
        "subject-missing" => seen.header("Subject").is_none(),
        "subject-blank" => seen.header("Subject").unwrap() == b"   \t ",
        "subject-tabs" => subject() == "un\tdeux\t\ttrois",
        "subject-of-markup" => subject().starts_with("<script>"),
        _ => return None,
    })
}

#[rustfmt::skip]
fn line(name: &str, seen: &Seen) -> Option<bool> {
    Some(match name {
        "header-of-20-kb-folded" => seen.header("References").unwrap().len() > 20_000 && seen.width() < 998,
        "header-of-20-kb-unfolded" => seen.width() > 20_000,
        "header-line-of-1200" => seen.width() == 1200 + "Subject: ".len(),
        "header-name-of-300" => seen.header(&format!("X-{}", "N".repeat(298))).is_some(),
        "headers-1000" => seen.count("\r\nX-Header-") == 1000,
        "header-folded-on-blank-lines" => seen.header("Subject").unwrap() == b"un\r\n \r\n\t\r\n deux",
        "header-without-colon" => seen.has("\r\nThis line has no colon"),
        "header-blank-before-colon" => seen.has("\r\nX-Odd : "),
        "header-empty-name" => seen.has("\r\n: value"),
        "header-name-8bit" => seen.has("\r\nX-Clé: "),
        "header-without-value" => seen.has("\r\nX-Nothing:\r\n"),
        "header-control-characters" => seen.has("X-Control: a\x01b\x1bc\x7f"),
        "header-mixed-case" => seen.has("\r\ncOnTeNt-LaNgUaGe: fr"),
        "headers-twice" => ["From", "Subject", "To", "MIME-Version"].iter().all(|name| seen.headers(name).len() == 2),
        "header-exchange" => seen.header("X-MS-Exchange-Organization-SCL").is_some() && seen.header("Thread-Index").is_some(),
        _ => return None,
    })
}

#[rustfmt::skip]
fn person(name: &str, seen: &Seen) -> Option<bool> {
    let from = || String::from_utf8_lossy(&seen.header("From").unwrap()).into_owned();
    let to = || String::from_utf8_lossy(&seen.header("To").unwrap()).into_owned();
    let to_count = || seen.parsed(|mail| mail.to().unwrap().iter().count());
    Some(match name {
        "no-from" => seen.header("From").is_none(),
        "from-empty" => from() == "<>",
        "from-two-people" => seen.parsed(|mail| mail.from().unwrap().iter().count()) == 2 && seen.header("Sender").is_some(),
        "from-without-domain" => from() == "root",
        "from-x500" => from().contains("/o=ExchangeLabs/ou="),
        "from-comments" => from().contains("(the elder)"),
        "from-utf-8-address" => from().contains("用户@例え"),
        "reply-to-and-on-behalf" => seen.header("Reply-To").is_some() && seen.header("Sender").is_some(),
        "five-hundred-recipients" => to_count() == 500 && seen.width() < 998,
        "five-hundred-recipients-one-line" => to_count() == 500 && seen.width() > 25_000,
        "to-undisclosed" => to() == "undisclosed-recipients:;",
        "to-group" => to().starts_with("Conseil: ") && to_count() == 3,
        "no-to" => seen.header("To").is_none(),
        "to-junk" => to().contains("<<a@@b>>"),
        "bcc-kept" => seen.header("Bcc").is_some(),
        _ => return None,
    })
}

#[rustfmt::skip]
fn date(name: &str, seen: &Seen) -> Option<bool> {
    let raw = || String::from_utf8_lossy(&seen.header("Date").unwrap()).into_owned();
    Some(match name {
        "date-before-1970" => seen.date() == Some(-1),
        "date-1901" => seen.date().unwrap() < i64::from(i32::MIN),
        "date-1601" => raw().contains("1601"),
        "date-after-2038" => seen.date() == Some(i64::from(i32::MAX) + 1),
        "date-2106" => seen.date() == Some(i64::from(u32::MAX) + 1),
        "date-9999" => raw().contains("9999"),
        "date-two-digit-year" => raw().contains("Feb 97") && raw().ends_with("EST"),
        "date-obsolete-zone" => raw().ends_with("PDT"),
        "date-zone-26-hours" => raw().ends_with("+2600"),
        "date-commented" => raw().contains("(mardi)"),
        "date-iso" => raw() == "2026-05-05T09:30:00+02:00",
        "date-french" => raw().starts_with("mar., 05 mai"),
        "date-impossible" => raw().contains("31 Feb") && raw().contains("25:61:61"),
        "date-leap-second" => raw().contains("23:59:60"),
        "date-junk" => raw() == "hier" && seen.date().is_none(),
        "date-empty" => raw().is_empty(),
        "no-date" => seen.header("Date").is_none(),
        "date-twice" => seen.headers("Date").len() == 2,
        _ => return None,
    })
}

#[rustfmt::skip]
fn id(name: &str, seen: &Seen) -> Option<bool> {
    let raw = || String::from_utf8_lossy(&seen.header("Message-ID").unwrap()).into_owned();
    let shared = "<shared.id@hostile.valmont.example>";
    Some(match name {
        "no-message-id" => seen.header("Message-ID").is_none() && seen.header("Date").is_some(),
        "no-message-id-no-date" => seen.header("Message-ID").is_none() && seen.header("Date").is_none(),
        "message-id-with-blanks" => raw().contains(' '),
        "message-id-very-long" => raw().len() > 998,
        "message-id-folded" => raw().starts_with("\r\n <"),
        "message-id-without-brackets" => !raw().contains('<'),
        "message-id-two-in-one" => raw().matches('<').count() == 2,
        "message-id-twice" => seen.headers("Message-ID").len() == 2,
        "message-id-empty" => raw().is_empty(),
        "message-id-8bit" => !raw().is_ascii(),
        "message-id-differs-in-case" => raw() != shared && raw().eq_ignore_ascii_case(shared),
        "same-message-id-first" | "same-message-id-second" | "same-message-id-elsewhere" => raw() == shared && seen.has(format!("« {name} »")),
        "identical-twice" | "identical-twice-again" => raw() == "<identical@hostile.valmont.example>" && seen.has("« identical »"),
        _ => return None,
    })
}
