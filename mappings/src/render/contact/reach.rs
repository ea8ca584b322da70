//! EMAIL, TEL, ADR, IMPP.

use super::card::Card;
use crate::loss::Losses;
use crate::render::json::{list, said};
use crate::render::plain::clean;
use calcard::vcard::{VCardEntry, VCardProperty, VCardType, VCardValue};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn add(card: &mut Card, contact: &Value, losses: &mut Losses) {
    mails(card, contact, losses);
    phones(card, contact, "businessPhones", &VCardType::Work, losses);
    phones(card, contact, "homePhones", &VCardType::Home, losses);
    phone(card, said(contact, "mobilePhone"), VCardType::Cell, losses);
    address(card, &contact["businessAddress"], Some(VCardType::Work), losses);
    address(card, &contact["homeAddress"], Some(VCardType::Home), losses);
    address(card, &contact["otherAddress"], None, losses);
    list(contact, "imAddresses").iter().filter_map(Value::as_str).for_each(|im| chat(card, im));
}

/// In their order, which is that of Outlook's E-mail, E-mail 2 and E-mail 3; there may be holes.
fn mails(card: &mut Card, contact: &Value, losses: &mut Losses) {
    let named = ["primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress"].map(|name| &contact[name]);
    let mut seen = BTreeSet::new();
    for mail in list(contact, "emailAddresses").iter().chain(named) {
        let Some(address) = said(mail, "address").map(|address| clean(address.trim(), losses)) else { continue };
        if !seen.insert(address.to_lowercase()) {
            continue;
        }
        if !address.contains('@') {
            losses.add("contact_address_odd", format!("`{address}` is no mail address; it stands as it is"));
        }
        let entry = VCardEntry::new(VCardProperty::Email).with_value(address.clone());
        match label(mail, contact, &address) {
            Some(label) => card.labelled(entry, &clean(label, losses)),
            None => card.push(entry),
        }
    }
}

/// The name beside an address, where it says more than the contact's own and the address: `Jane (jane@x)` does not.
fn label<'a>(mail: &'a Value, contact: &Value, address: &str) -> Option<&'a str> {
    let name = said(mail, "name")?;
    let shown = said(contact, "displayName").unwrap_or_default();
    let told = name.replace(address, "").replace(shown, "");
    told.chars().any(char::is_alphanumeric).then_some(name)
}

fn phones(card: &mut Card, contact: &Value, name: &str, kind: &VCardType, losses: &mut Losses) {
    let numbers = list(contact, name).iter().filter_map(Value::as_str);
    numbers.for_each(|number| phone(card, Some(number), kind.clone(), losses));
}

fn phone(card: &mut Card, number: Option<&str>, kind: VCardType, losses: &mut Losses) {
    let number = number.map(|number| clean(number.trim(), losses)).filter(|number| !number.is_empty());
    if let Some(number) = number {
        card.typed(VCardProperty::Tel, Some(kind), vec![VCardValue::Text(number)]);
    }
}

/// Post box and extended address are not told.
fn address(card: &mut Card, address: &Value, kind: Option<VCardType>, losses: &mut Losses) {
    let names = ["street", "city", "state", "postalCode", "countryOrRegion"];
    let told = names.map(|name| clean(said(address, name).unwrap_or_default(), losses));
    if told.iter().all(String::is_empty) {
        return;
    }
    let empty = [String::new(), String::new()];
    let values = empty.into_iter().chain(told).map(VCardValue::Text).collect();
    card.typed(VCardProperty::Adr, kind, values);
}

/// IMPP holds a URI; a bare address gets the scheme of RFC 3860.
fn chat(card: &mut Card, address: &str) {
    let address = address.trim();
    if address.is_empty() {
        return;
    }
    let scheme =
        address.split_once(':').is_some_and(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let uri = if scheme { address.to_owned() } else { format!("im:{address}") };
    card.uri(VCardProperty::Impp, &uri);
}
