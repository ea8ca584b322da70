//! BDAY, NOTE, CATEGORIES, family.

use super::card::Card;
use crate::VCardForm;
use crate::loss::Losses;
use crate::render::json::{list, said};
use crate::render::plain::clean;
use calcard::common::PartialDateTime;
use calcard::vcard::{VCardEntry, VCardParameter, VCardParameterName, VCardProperty, VCardValue};
use jiff::civil::Date;
use serde_json::Value;

/// Outlook's year for birthdays of which only the day is known.
const NO_YEAR: i16 = 1604;

pub(super) fn add(card: &mut Card, contact: &Value, losses: &mut Losses) {
    if let Some(told) = said(contact, "birthday") {
        birthday(card, told, losses);
    }
    card.said(VCardProperty::Note, said(contact, "personalNotes"), losses);
    card.extension("X-MS-SPOUSE", said(contact, "spouseName"), losses);
    for child in list(contact, "children").iter().filter_map(Value::as_str) {
        card.extension("X-MS-CHILD", Some(child), losses);
    }
    let names = list(contact, "categories").iter().filter_map(Value::as_str);
    let names: Vec<VCardValue> = names
        .map(|name| clean(name.trim(), losses).replace('\n', " "))
        .filter(|name| !name.is_empty())
        .map(VCardValue::Text)
        .collect();
    if !names.is_empty() {
        card.push(VCardEntry::new(VCardProperty::Categories).with_values(names));
    }
}

/// The service keeps 11:59 UTC of the day: only the day is meant.
fn birthday(card: &mut Card, told: &str, losses: &mut Losses) {
    let day = told.get(..10).and_then(|day| day.parse::<Date>().ok());
    let Some(day) = day.filter(|day| day.year() > 1) else {
        losses.add("birthday_unreadable", format!("`{told}` is no day; the birthday is not carried"));
        return;
    };
    let number = |number: i8| u8::try_from(number).ok();
    let yearless = day.year() == NO_YEAR;
    let (month, of_month) = (number(day.month()), number(day.day()));
    match (card.form, yearless) {
        (VCardForm::V4, _) => {
            let year = u16::try_from(day.year()).ok().filter(|_| !yearless);
            let value = PartialDateTime { year, month, day: of_month, ..PartialDateTime::default() };
            card.push(VCardEntry::new(VCardProperty::Bday).with_values(vec![VCardValue::PartialDateTime(value)]));
        }
        // A 3.0 date has a year; Apple's parameter says that it does not count.
        (VCardForm::V3, true) => {
            let omit = VCardParameterName::Other("X-APPLE-OMIT-YEAR".to_owned());
            let entry = VCardEntry::new(VCardProperty::Bday).with_param(VCardParameter::new(omit, NO_YEAR.to_string()));
            card.push(entry.with_value(day.to_string()));
        }
        (VCardForm::V3, false) => card.line(VCardProperty::Bday, &day.to_string()),
    }
}
