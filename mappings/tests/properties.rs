//! What must hold for any input. `PROPTEST_CASES=10000` looks longer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rows;

use proptest::prelude::*;
use proptest::sample::select;
use rows::{Memory, filter, render, text};
use serde_json::{Value, json};
use std::io::Read;
use transhume_mappings::render::{keyword, mail_facts, sieve};
use transhume_mappings::{MailProfile, PartInfo, Parts, Tables, meaning, render as rendering};

/// Bytes that trouble mail software more often than random ones do.
fn mail_bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"Subject: ",
        b"From: ",
        b"To: ",
        b"Content-Type: ",
        b"text/plain; name=\"",
        b"multipart/mixed; boundary=b",
        b"MIME-Version: 1.0",
        b"Content-Disposition: attachment; filename=",
        b"Received: ",
        b"X : ",
        b"From a@x Mon",
        b">From ",
        b"a",
        b"Zo\xc3\xa9",
        b"caf\xe9",
        b"\xf0\x9f\x8e\x89",
        b"\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"\r\n\r\n",
        b" ",
        b"\t",
        b":",
        b"\"",
        b"\\",
        b"(",
        b")",
        b"<",
        b">",
        b"@x",
        b",",
        b";",
        b"=",
        b"*",
        b"=?utf-8?Q?x?=",
        b"=?",
        b"?=",
        b"--b",
        b"--b--",
        b"long-long-long-long-long-long-long-long",
        b"\x01",
        b"\x7f",
    ];
    prop::collection::vec(select(pieces), 0..60).prop_map(|pieces| pieces.concat())
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![3 => mail_bytes(), 1 => prop::collection::vec(any::<u8>(), 0..400)]
}

fn any_profile() -> impl Strategy<Value = MailProfile> {
    any::<[bool; 5]>().prop_map(|[nul, bare_lf, eight_bit_headers, headerless, empty]| MailProfile {
        nul,
        bare_lf,
        eight_bit_headers,
        headerless,
        empty,
        ..MailProfile::strict()
    })
}

/// A header as Cyrus wants it, looked at without the code under test.
fn cyrus_takes(message: &[u8]) -> bool {
    let header = text(message).split("\r\n\r\n").next().unwrap_or_default().to_owned();
    let well = |line: &str| {
        line.starts_with([' ', '\t'])
            || line.starts_with("From ")
            || line
                .split_once(':')
                .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| ('!'..='~').contains(&c)))
    };
    let unfinished = !text(message).contains("\r\n\r\n") && !message.ends_with(b"\r\n");
    !message.is_empty()
        && !header.is_empty()
        && !unfinished
        && header.is_ascii()
        && header.trim_end_matches("\r\n").split("\r\n").all(well)
}

/// A clean message: fields and lines of printable text.
fn clean_mail() -> impl Strategy<Value = Vec<u8>> {
    let field = "[A-Za-z][A-Za-z0-9-]{0,20}: [ -~]{0,60}(\r\n [ -~]{1,30})?\r\n";
    let line = prop_oneof!["[ -~]{0,80}\r\n", "[ -~éß日]{0,80}\r\n", Just("bare\rreturn\r\n".to_owned())];
    (prop::collection::vec(field, 1..8), prop::collection::vec(line, 0..20))
        .prop_map(|(fields, lines)| format!("{}\r\n{}", fields.concat(), lines.concat()).into_bytes())
}

/// Mail as careless programs write it: raw letters beyond ASCII in fields that are otherwise well made, bare LF, NUL.
fn eight_bit_mail() -> impl Strategy<Value = Vec<u8>> {
    let word = "[A-Za-zéß日🎉]{1,12}";
    let words = prop::collection::vec(word, 1..12).prop_map(|words| words.join(" "));
    let address = (word, any::<bool>()).prop_map(|(name, quoted)| {
        if quoted { format!("\"{name}, x\" <a@x.example>") } else { format!("{name} {name} <b@x.example>") }
    });
    let addresses = prop::collection::vec(address, 1..4).prop_map(|list| list.join(", "));
    let field = prop_oneof![
        words.clone().prop_map(|words| format!("Subject: {words}")),
        words.clone().prop_map(|words| format!("X-Note: {}", words.replace(' ', "\r\n "))),
        words.clone().prop_map(|words| format!("Subject: {words} =?utf-8?Q?=C3=A9?= {words} =?iso-8859-1?Q?=E9?=")),
        addresses.clone().prop_map(|list| format!("From: {list}")),
        addresses.prop_map(|list| format!("To: Zoé: {list};")),
        words.clone().prop_map(|words| format!("Content-Type: text/plain; charset=utf-8; name=\"{words}; x.txt\"")),
    ];
    let end = select(vec!["\r\n", "\r\n", "\n", "\0\r\n"]);
    let line = (words, end.clone()).prop_map(|(words, end)| words + end);
    let lines = (prop::collection::vec((field, end), 1..6), prop::collection::vec(line, 0..6), any::<bool>());
    lines.prop_map(|(fields, lines, western)| {
        let fields: String = fields.into_iter().map(|(field, end)| field + end).collect();
        let mail = format!("{fields}\r\n{}", lines.concat());
        let latin: Option<Vec<u8>> = mail.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        latin.filter(|_| western).unwrap_or_else(|| mail.into_bytes())
    })
}

/// The same bytes, with a length told wrong, so that they are read in many chunks.
struct Mistold(Memory);

impl Parts for Mistold {
    fn parts(&self) -> Vec<PartInfo> {
        self.0.parts().into_iter().map(|part| PartInfo { size: 0, ..part }).collect()
    }

    fn open(&self, name: &str) -> std::io::Result<Box<dyn Read + '_>> {
        self.0.open(name)
    }
}

struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.len().min(buffer.len()).min(3);
        buffer[..read].copy_from_slice(&self.0[..read]);
        self.0 = &self.0[read..];
        Ok(read)
    }
}

fn category() -> impl Strategy<Value = String> {
    let odd: Vec<&'static str> = vec![
        "é", "É", "e", "E", " ", "_", "~", "$", "\\", "0123abcd", "Work", "work", "ß", "日", "%", "]", "Junk",
        "Réunion",
    ];
    prop_oneof![prop::collection::vec(select(odd), 0..6).prop_map(|words| words.concat()), ".{0,60}", "[ -~]{0,60}"]
}

fn is_atom(keyword: &str) -> bool {
    !keyword.is_empty() && keyword.chars().all(|c| c.is_ascii_graphic() && !"(){%*\"\\]".contains(c))
}

/// JSON of any shape, with the words the conversions look for.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        select(vec!["high", "html", "a@x", "2024-03-05T09:11:10Z", "#microsoft.graph.itemAttachment"])
            .prop_map(Value::from),
    ];
    let names = select(vec![
        "value",
        "conditions",
        "exceptions",
        "actions",
        "displayName",
        "sequence",
        "isEnabled",
        "subjectContains",
        "fromAddresses",
        "emailAddress",
        "name",
        "address",
        "withinSizeRange",
        "minimumSize",
        "moveToFolder",
        "delete",
        "forwardTo",
        "assignCategories",
        "sentToMe",
        "body",
        "contentType",
        "content",
        "from",
        "toRecipients",
        "subject",
        "sentDateTime",
        "internetMessageHeaders",
        "internetMessageId",
        "importance",
        "@odata.type",
        "isReadReceiptRequested",
        "isInline",
        "contentId",
    ]);
    leaf.prop_recursive(4, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..8).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

/// A message as the service tells it, with words in many scripts.
fn told_message() -> impl Strategy<Value = (Value, Vec<(Value, Vec<u8>)>)> {
    let words = "[A-Za-zéßñ日本🎉.,;:<>()\"\\\\=?_ -]{0,80}";
    let address = ("[A-Za-zé ,.\"]{0,20}", "[a-z]{1,8}@[a-z]{1,8}\\.example")
        .prop_map(|(name, address)| json!({ "emailAddress": { "name": name.trim(), "address": address } }));
    let file = (prop::collection::vec(any::<u8>(), 0..300), "[A-Za-zé .]{1,40}", any::<bool>());
    let text = prop_oneof!["[ -~\n]{0,200}", "[ -~é日\n\r]{0,200}", "x{0,2000}"];
    let recipients = prop::collection::vec(address.clone(), 0..4);
    (words, address, recipients, text, any::<bool>(), prop::collection::vec(file, 0..4)).prop_map(
        |(subject, from, to, text, html, files)| {
            let message = json!({
                "subject": subject.trim(), "from": from, "toRecipients": to, "sentDateTime": "2024-03-05T09:11:10Z",
                "internetMessageId": "<m@x.example>", "importance": "normal",
                "body": { "contentType": if html { "html" } else { "text" }, "content": text },
            });
            let file = |(bytes, name, inline): (Vec<u8>, String, bool)| {
                let meta = json!({ "@odata.type": "#microsoft.graph.fileAttachment", "name": name.trim(), "contentType": "image/png",
                    "isInline": inline, "contentId": inline.then_some("c@x") });
                (meta, bytes)
            };
            (message, files.into_iter().map(file).collect())
        },
    )
}

fn original(message: &Value, files: &[(Value, Vec<u8>)]) -> Memory {
    let mut original = Memory::default().with("message", "application/json", message.to_string().as_bytes());
    for (number, (meta, bytes)) in files.iter().enumerate() {
        original = original
            .with(&format!("attachment/{number}/meta"), "application/json", meta.to_string().as_bytes())
            .with(&format!("attachment/{number}"), "image/png", bytes);
    }
    original
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn filtering_twice_is_filtering_once(bytes in any_bytes(), profile in any_profile()) {
        let (once, first) = filter(&bytes, &profile);
        prop_assert_eq!(first.identical, once == bytes);
        prop_assert_eq!(first.identical, first.losses.is_empty());
        let (twice, second) = filter(&once, &profile);
        prop_assert!(second.identical, "{:?}: {:?}", second.losses, text(&once));
        prop_assert_eq!(text(&twice), text(&once));
    }

    #[test]
    fn a_strict_target_gets_what_it_takes(bytes in any_bytes()) {
        let (out, _) = filter(&bytes, &MailProfile::strict());
        prop_assert!(!out.contains(&0));
        prop_assert!(out.iter().enumerate().all(|(at, &byte)| byte != b'\n' || (at > 0 && out[at - 1] == b'\r')));
        prop_assert!(cyrus_takes(&out), "{:?} became {:?}", text(&bytes), text(&out));
    }

    #[test]
    fn each_refusal_is_kept_alone(bytes in any_bytes(), profile in any_profile()) {
        let (out, _) = filter(&bytes, &profile);
        prop_assert!(profile.nul || !out.contains(&0));
        prop_assert!(profile.bare_lf || out.iter().enumerate().all(|(at, &byte)| byte != b'\n' || (at > 0 && out[at - 1] == b'\r')));
        prop_assert!(profile.empty || !out.is_empty());
    }

    #[test]
    fn the_told_size_does_not_matter(pieces in prop::collection::vec(mail_bytes(), 1..40), profile in any_profile()) {
        let bytes = pieces.concat();
        let mut out = Vec::new();
        let rendered = rendering::mail(&Mistold(Memory::mime(&bytes)), &profile, &Tables::embedded(), &mut out).unwrap();
        prop_assert_eq!((out, rendered), filter(&bytes, &profile));
    }

    #[test]
    fn clean_mail_passes_unchanged(bytes in clean_mail()) {
        let (out, rendered) = filter(&bytes, &MailProfile::strict());
        prop_assert!(rendered.identical, "{:?}", rendered.losses);
        prop_assert_eq!(text(&out), text(&bytes));
    }

    #[test]
    fn a_lenient_target_gets_the_bytes(bytes in any_bytes()) {
        prop_assert_eq!(filter(&bytes, &MailProfile::lenient()).0, bytes);
    }

    #[test]
    fn filtered_mail_reads_the_same(bytes in eight_bit_mail()) {
        let (out, rendered) = filter(&bytes, &MailProfile::strict());
        let differences = meaning::difference(&meaning::mail(&mut bytes.as_slice()).unwrap(), &meaning::mail(&mut out.as_slice()).unwrap());
        prop_assert!(differences.is_empty(), "{differences:?} with {:?}: {:?} became {:?}", rendered.losses, text(&bytes), text(&out));
    }

    /// Garbage beyond ASCII in a structured field has no meaning that could be kept; everything else has.
    #[test]
    fn filtered_garbage_reads_the_same_unless_it_was_recoded(bytes in any_bytes()) {
        let (out, rendered) = filter(&bytes, &MailProfile::strict());
        let differences = meaning::difference(&meaning::mail(&mut bytes.as_slice()).unwrap(), &meaning::mail(&mut out.as_slice()).unwrap());
        prop_assert!(differences.is_empty() || rendered.losses.iter().any(|loss| loss.name == "header_recoded"),
            "{differences:?} with {:?}: {:?} became {:?}", rendered.losses, text(&bytes), text(&out));
    }

    #[test]
    fn chunks_do_not_matter(bytes in any_bytes()) {
        let whole = meaning::mail(&mut bytes.as_slice()).unwrap();
        prop_assert_eq!(meaning::mail(&mut Trickle(&bytes)).unwrap(), whole);
    }

    #[test]
    fn keywords_are_atoms(category in category(), max in 9_usize..80) {
        let profile = MailProfile { keyword_max_len: max, ..MailProfile::strict() };
        if let Some(found) = keyword(&category, &profile, &Tables::embedded()) {
            prop_assert!(is_atom(&found.text), "{found:?}");
            prop_assert!(found.text.len() <= max, "{found:?}");
        } else {
            prop_assert!(category.trim().is_empty());
        }
    }

    #[test]
    fn categories_never_share_a_keyword(mut categories in prop::collection::vec(category(), 2..12), eight_bit in any::<bool>()) {
        let profile = MailProfile { keyword_8bit: eight_bit, ..MailProfile::strict() };
        let tables = Tables::embedded();
        // A category may be called like the keyword of another.
        let imitations: Vec<String> =
            categories.iter().filter_map(|category| keyword(category, &profile, &tables)).map(|found| found.text).collect();
        categories.extend(imitations);
        categories.iter_mut().for_each(|category| *category = category.to_lowercase());
        categories.sort();
        categories.dedup();
        let mut keywords: Vec<String> =
            categories.iter().filter_map(|category| keyword(category, &profile, &tables)).map(|found| found.text.to_lowercase()).collect();
        let count = keywords.len();
        keywords.sort();
        keywords.dedup();
        prop_assert_eq!(keywords.len(), count, "{:?}", categories);
    }

    #[test]
    fn dates_stay_in_range(received in any::<Option<i64>>(), sent in any::<Option<i64>>()) {
        let facts = rendering::MailFacts { received, sent, ..Default::default() };
        let profile = MailProfile::strict();
        let (target, losses) = mail_facts(&facts, &profile, &Tables::embedded());
        prop_assert_eq!(target.date.is_some(), received.is_some() || sent.is_some());
        prop_assert!(target.date.is_none_or(|date| (profile.earliest..=profile.latest).contains(&date)));
        prop_assert!(target.date == received || !losses.is_empty());
    }

    #[test]
    fn what_is_put_together_means_what_the_service_told((message, files) in told_message()) {
        let original = original(&message, &files);
        let (out, rendered) = render(&original, &MailProfile::strict()).unwrap();
        let told = meaning::original(&original).unwrap();
        let read = meaning::mail(&mut out.as_slice()).unwrap();
        prop_assert_eq!(meaning::difference(&told, &read), Vec::<String>::new(), "{}", text(&out));
        prop_assert!(rendered.losses.iter().any(|loss| loss.name == "reassembled"));
        prop_assert!(filter(&out, &MailProfile::strict()).1.identical, "{}", text(&out));
    }

    #[test]
    fn any_json_is_survived(message in any_json(), meta in any_json(), bytes in any_bytes()) {
        let original = original(&message, &[(meta.clone(), bytes)]);
        if let Ok((out, _)) = render(&original, &MailProfile::strict()) {
            prop_assert!(filter(&out, &MailProfile::strict()).1.identical, "{}", text(&out));
        }
        let _ = meaning::original(&original);
        let script = sieve(&message, &|id| Some(id.to_owned()), &MailProfile::strict(), &Tables::embedded()).script;
        prop_assert!(script.lines().all(|line| !line.contains('\0')));
    }
}
