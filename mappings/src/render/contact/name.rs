//! FN, N, NICKNAME, and how names are spoken and filed.

use super::card::Card;
use crate::VCardForm;
use crate::loss::Losses;
use crate::render::json::{list, said};
use crate::render::plain::{clean, parameter};
use calcard::vcard::{VCardEntry, VCardParameter, VCardParameterName, VCardProperty, VCardValue};
use serde_json::Value;

pub(super) fn add(card: &mut Card, contact: &Value, losses: &mut Losses) {
    let shown = shown(contact, losses);
    card.line(VCardProperty::Fn, &shown);
    structured(card, contact, losses);
    card.said(VCardProperty::Nickname, said(contact, "nickName"), losses);
    card.extension("X-PHONETIC-FIRST-NAME", said(contact, "yomiGivenName"), losses);
    card.extension("X-PHONETIC-LAST-NAME", said(contact, "yomiSurname"), losses);
    card.extension("X-PHONETIC-ORG", said(contact, "yomiCompanyName"), losses);
    card.extension("X-INITIALS", said(contact, "initials"), losses);
}

/// FN, which every card must have: contacts without a name go by what else they say.
fn shown(contact: &Value, losses: &mut Losses) -> String {
    let one_line = |text: &str, losses: &mut Losses| clean(text.trim(), losses).replace('\n', " ");
    let display = said(contact, "displayName").map(|name| one_line(name, losses)).filter(|name| !name.is_empty());
    let parts = || {
        let names = ["title", "givenName", "middleName", "surname", "generation"];
        let parts: Vec<&str> = names.iter().filter_map(|name| said(contact, name)).map(str::trim).collect();
        Some(parts.join(" ")).filter(|whole| !whole.trim().is_empty())
    };
    if let Some(name) = display.or_else(|| parts().map(|whole| one_line(&whole, losses))) {
        return name;
    }
    let mail = list(contact, "emailAddresses").iter().find_map(|mail| said(mail, "address"));
    let phone = list(contact, "businessPhones").iter().find_map(Value::as_str);
    let others = ["fileAs", "companyName", "nickName"].map(|name| said(contact, name));
    let rest = [mail, said(contact, "mobilePhone"), phone];
    let told = others.into_iter().chain(rest).flatten();
    let mut told = told.map(|text| one_line(text, losses)).collect::<Vec<_>>();
    told.retain(|text| !text.is_empty());
    let stands = told.into_iter().next().unwrap_or_else(|| "-".to_owned());
    losses.add("contact_nameless", format!("no name to show was told; `{stands}` stands for it"));
    stands
}

/// N; 3.0 demands it (Cyrus refuses cards without), so it is written even when nothing is in it.
fn structured(card: &mut Card, contact: &Value, losses: &mut Losses) {
    let mut part = |name: &str| VCardValue::Text(clean(said(contact, name).unwrap_or_default(), losses));
    let parts = ["surname", "givenName", "middleName", "title", "generation"].map(&mut part).to_vec();
    let filed = said(contact, "fileAs").filter(|filed| Some(*filed) != said(contact, "displayName"));
    let filed = filed.map(|filed| parameter(filed, losses));
    let entry = VCardEntry::new(VCardProperty::N).with_values(parts);
    match (filed, card.form) {
        (None, _) => card.push(entry),
        (Some(filed), VCardForm::V4) => {
            card.push(entry.with_param(VCardParameter::new(VCardParameterName::SortAs, filed)));
        }
        (Some(filed), VCardForm::V3) => {
            card.push(entry);
            card.extension("SORT-STRING", Some(&filed), losses);
        }
    }
}
