//! The comparable value of a contact: what people see in their address books, whatever card carries it.

use super::calendar::lines::{Component, Line, only};
use super::calendar::words::{digest, digest_read, letters, plain, uri};
use super::calendar::{Difference, Facts, Unreadable, compare_facts, graph};
use crate::{Loss, Parts};
use base64::Engine;
use serde_json::Value;
use std::{collections::BTreeMap, io};

/// Reads a contact's original; its parts are described at [`Parts`].
///
/// # Errors
/// What the parts answer; `InvalidData` when the JSON cannot be read.
pub fn original(original: &dyn Parts) -> io::Result<Facts> {
    let missing = || io::Error::new(io::ErrorKind::InvalidData, "there is no part `contact`");
    let contact = graph::json(original, "contact")?.ok_or_else(missing)?;
    let mut facts = told(&contact);
    if original.parts().iter().any(|part| part.name == "photo") {
        facts.insert("photo".to_owned(), digest_read(original.open("photo")?)?);
    }
    Ok(facts)
}

/// Members that say one text, and the property that must say it.
const TEXTS: [(&str, &str); 13] = [
    ("nickName", "NICKNAME"),
    ("jobTitle", "TITLE"),
    ("profession", "ROLE"),
    ("personalNotes", "NOTE"),
    ("initials", "X-INITIALS"),
    ("yomiGivenName", "X-PHONETIC-FIRST-NAME"),
    ("yomiSurname", "X-PHONETIC-LAST-NAME"),
    ("yomiCompanyName", "X-PHONETIC-ORG"),
    ("officeLocation", "X-MS-OFFICE"),
    ("assistantName", "X-MS-ASSISTANT"),
    ("manager", "X-MS-MANAGER"),
    ("spouseName", "X-MS-SPOUSE"),
    ("displayName", "FN"),
];

const FILED: &str = "name it is filed under";

fn told(contact: &Value) -> Facts {
    let mut facts = Facts::new();
    let mut fact = |name: String, value: String| {
        if !value.is_empty() {
            facts.insert(name, value);
        }
    };
    let said = |name: &str| contact[name].as_str().map(plain).unwrap_or_default();
    let many = |name: &str| -> Vec<String> {
        contact[name].as_array().into_iter().flatten().filter_map(Value::as_str).map(plain).collect()
    };
    TEXTS.iter().for_each(|(member, property)| fact((*property).to_owned(), said(member).replace('\n', " ")));
    fact("NOTE".to_owned(), said("personalNotes"));
    let name = ["surname", "givenName", "middleName", "title", "generation"].map(said);
    fact("name".to_owned(), joined(&name));
    fact("company".to_owned(), joined(&[said("companyName"), said("department")]));
    fact("birthday".to_owned(), birthday(&said("birthday")));
    fact("categories".to_owned(), graph::categories(contact));
    fact("page".to_owned(), uri(&said("businessHomePage")));
    for (kind, member) in [("WORK", "businessPhones"), ("HOME", "homePhones")] {
        many(member)
            .iter()
            .filter(|number| !number.is_empty())
            .for_each(|number| fact(phone(kind, number), "-".to_owned()));
    }
    if !said("mobilePhone").is_empty() {
        fact(phone("CELL", &said("mobilePhone")), "-".to_owned());
    }
    for (kind, member) in [("WORK", "businessAddress"), ("HOME", "homeAddress"), ("", "otherAddress")] {
        let part = |name: &str| contact[member][name].as_str().map(plain).unwrap_or_default();
        fact(
            format!("address {kind}"),
            joined(&["street", "city", "state", "postalCode", "countryOrRegion"].map(part)),
        );
    }
    let others = ["primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress"].map(|name| &contact[name]);
    let mut labels = BTreeMap::new();
    for mail in contact["emailAddresses"].as_array().into_iter().flatten().chain(others) {
        let address = mail["address"].as_str().map(plain).unwrap_or_default();
        let beside = mail["name"].as_str().unwrap_or_default();
        if !address.is_empty() {
            let label = label(beside, &address, &said("displayName"));
            labels.entry(format!("mail {}", address.to_lowercase())).or_insert(label);
        }
    }
    labels.into_iter().for_each(|(name, label)| fact(name, label));
    // Told apart only where it is another name than the one shown.
    let filed = contact["fileAs"].as_str().filter(|filed| Some(*filed) != contact["displayName"].as_str());
    fact(FILED.to_owned(), filed.map(one_line).unwrap_or_default());
    many("imAddresses")
        .iter()
        .filter(|im| !im.is_empty())
        .for_each(|im| fact(format!("chat {}", chat(im)), "-".to_owned()));
    many("children")
        .iter()
        .filter(|name| !name.is_empty())
        .for_each(|name| fact(format!("child {name}"), "-".to_owned()));
    facts
}

fn one_line(text: &str) -> String {
    plain(text).replace(['\n', '\t'], " ")
}

/// What the name beside a mail address says more than the address and the contact's own name, as letters: `-` for nothing.
fn label(name: &str, address: &str, shown: &str) -> String {
    let mut rest = letters(name);
    for known in [letters(address), letters(shown)] {
        if !known.is_empty() {
            rest = rest.replace(&known, "");
        }
    }
    if rest.is_empty() { "-".to_owned() } else { letters(name) }
}

/// Parts of a whole, none where all are empty.
fn joined(parts: &[String]) -> String {
    let whole: Vec<String> = parts.iter().map(|part| part.trim().replace('\n', " ")).collect();
    if whole.iter().all(String::is_empty) { String::new() } else { whole.join(" | ") }
}

fn phone(kind: &str, number: &str) -> String {
    format!("telephone {kind} {}", number.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn chat(address: &str) -> String {
    uri(address.strip_prefix("im:").unwrap_or(address)).to_lowercase()
}

/// `--05-01` without a year, which Outlook writes as 1604.
fn birthday(told: &str) -> String {
    match told.get(..10) {
        Some(day) if day.starts_with("1604-") => format!("-{}", &day[4..]),
        Some(day) if !day.starts_with("0001-") && day.parse::<jiff::civil::Date>().is_ok() => day.to_owned(),
        _ => String::new(),
    }
}

/// Reads a vCard, 3.0 or 4.0.
///
/// # Errors
/// When the text is no vCard.
pub fn text(text: &str) -> Result<Facts, Unreadable> {
    let card = only("VCARD", text)?;
    let mut facts = Facts::new();
    let mut fact = |name: String, value: String| {
        if !value.is_empty() {
            facts.insert(name, value);
        }
    };
    let said = |name: &str| card.line(name).map(|line| plain(&line.text())).unwrap_or_default();
    TEXTS.iter().for_each(|(_, property)| fact((*property).to_owned(), said(property).replace('\n', " ")));
    fact("NOTE".to_owned(), said("NOTE"));
    fact("name".to_owned(), structured(&card, "N", 0, 5));
    fact("company".to_owned(), structured(&card, "ORG", 0, 2));
    fact("birthday".to_owned(), card.line("BDAY").map(day).unwrap_or_default());
    fact("categories".to_owned(), graph::sorted(card.all("CATEGORIES").flat_map(Line::texts)));
    fact("page".to_owned(), uri(&said("URL")));
    card.all("TEL").for_each(|line| fact(phone(&kind(line), &plain(&line.text())), "-".to_owned()));
    for line in card.all("ADR") {
        let parts: Vec<String> =
            line.components().into_iter().map(|part| plain(&part)).chain(blank(7)).skip(2).take(5).collect();
        fact(format!("address {}", kind(line)), joined(&parts));
    }
    for line in card.all("EMAIL") {
        let beside = card.all("X-ABLABEL").find(|label| label.group.is_some() && label.group == line.group);
        let label = beside.map(|label| letters(&label.text())).filter(|label| !label.is_empty());
        fact(format!("mail {}", plain(&line.text()).to_lowercase()), label.unwrap_or_else(|| "-".to_owned()));
    }
    let sorted = card.line("N").and_then(|line| line.param("SORT-AS")).map(str::to_owned);
    let filed = card.line("SORT-STRING").map(Line::text).or(sorted);
    fact(FILED.to_owned(), filed.as_deref().map(one_line).unwrap_or_default());
    card.all("IMPP").for_each(|line| fact(format!("chat {}", chat(&plain(&line.text()))), "-".to_owned()));
    card.all("X-MS-CHILD").for_each(|line| fact(format!("child {}", plain(&line.text())), "-".to_owned()));
    fact("photo".to_owned(), card.line("PHOTO").and_then(photo).unwrap_or_default());
    Ok(facts)
}

fn blank(count: usize) -> impl Iterator<Item = String> {
    std::iter::repeat_n(String::new(), count)
}

fn structured(card: &Component, name: &str, from: usize, count: usize) -> String {
    let parts = card.line(name).map(Line::components).unwrap_or_default();
    let parts: Vec<String> =
        parts.into_iter().map(|part| plain(&part)).chain(blank(from + count)).skip(from).take(count).collect();
    joined(&parts)
}

/// The kind that counts, among those that servers add (`VOICE`, `pref`).
fn kind(line: &Line) -> String {
    let types = line.params.iter().filter(|(name, _)| name == "TYPE").flat_map(|(_, values)| values);
    let words: Vec<String> = types.flat_map(|types| types.split(',')).map(str::to_uppercase).collect();
    let known = ["CELL", "WORK", "HOME"].into_iter().find(|kind| words.iter().any(|word| word == kind));
    known.unwrap_or_default().to_owned()
}

fn day(line: &Line) -> String {
    let digits: String = line.value.chars().filter(char::is_ascii_digit).collect();
    let omitted = line.param("X-APPLE-OMIT-YEAR").is_some_and(|year| digits.starts_with(year));
    match digits.len() {
        4 => format!("--{}-{}", &digits[..2], &digits[2..]),
        8.. if omitted => format!("--{}-{}", &digits[4..6], &digits[6..8]),
        8.. => format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..8]),
        _ => line.value.clone(),
    }
}

fn photo(line: &Line) -> Option<String> {
    let value = line.text();
    let data = value.split_once("base64,").map_or(value.as_str(), |(_, data)| data);
    let bytes = base64::engine::general_purpose::STANDARD.decode(data.trim()).ok()?;
    Some(digest(&bytes))
}

/// What a target's card says differently from the original and no named loss accounts for, as sentences; none when it
/// holds what the source told. A card that cannot be read is one difference.
///
/// # Errors
/// What the parts answer; `InvalidData` when the original itself cannot be read.
pub fn compare(original: &dyn Parts, text: &str, losses: &[Loss]) -> io::Result<Vec<String>> {
    let told = self::original(original)?;
    Ok(match self::text(text) {
        Ok(read) => differences(&told, &read, losses),
        Err(why) => vec![format!("what the target holds cannot be read: {why}")],
    })
}

/// What no loss accounts for, as sentences; none when the target holds what the source told.
pub fn differences(original: &Facts, text: &Facts, losses: &[Loss]) -> Vec<String> {
    let mut all = Vec::new();
    compare_facts(&mut all, None, original, text);
    let excused = |one: &Difference| {
        losses.iter().any(|loss| match (loss.name.as_str(), one.what.as_str()) {
            ("photo_too_large", "photo") => one.is.is_empty(),
            ("name_respelled", _) => letters(&one.was) == letters(&one.is),
            _ => false,
        })
    };
    // Every card has a name to show, so one stands where the service told none.
    let named = |one: &Difference| {
        let label = one.what.starts_with("mail ") && one.was == "-" && !one.is.is_empty();
        // A label may say what the contact's name says, too.
        label || (one.what == "FN" && one.was.is_empty())
    };
    all.iter().filter(|one| !excused(one) && !named(one)).map(Difference::sentence).collect()
}
