//! ORG, TITLE, ROLE, and the people and places of work.

use super::card::Card;
use crate::loss::Losses;
use crate::render::json::said;
use crate::render::plain::clean;
use calcard::vcard::{VCardProperty, VCardValue};
use serde_json::Value;

/// Assistant, manager and office have no property of the standard; the names are those that Outlook and Evolution use.
pub(super) fn add(card: &mut Card, contact: &Value, losses: &mut Losses) {
    let company = said(contact, "companyName").map(|name| clean(name, losses)).unwrap_or_default();
    let department = said(contact, "department").map(|name| clean(name, losses)).unwrap_or_default();
    let mut parts = vec![company, department];
    parts.truncate(parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1));
    if !parts.is_empty() {
        card.typed(VCardProperty::Org, None, parts.into_iter().map(VCardValue::Text).collect());
    }
    card.said(VCardProperty::Title, said(contact, "jobTitle"), losses);
    card.said(VCardProperty::Role, said(contact, "profession"), losses);
    card.extension("X-MS-OFFICE", said(contact, "officeLocation"), losses);
    card.extension("X-MS-ASSISTANT", said(contact, "assistantName"), losses);
    card.extension("X-MS-MANAGER", said(contact, "manager"), losses);
    if let Some(page) = said(contact, "businessHomePage") {
        card.uri(VCardProperty::Url, page);
    }
}
