//! Events, contacts and tasks.

use super::{Seen, losses, unrendered};
use crate::engine::{Audience, Rendered, Setting};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    sync::Arc,
};
use transhume_contract::{Fault, ItemId, Objects, Reach, Scheduling, VCard, What, Workload};
use transhume_mappings::{
    self as mappings, CalendarProfile, CalendarSetting, ContactProfile, Loss, RenderedObject, Tables, Unrendered,
    VCardForm, meaning, render,
};

pub(super) fn render(
    workload: Workload,
    original: &Seen<'_>,
    audience: &Audience,
    tables: &Tables,
    out: &mut dyn Write,
) -> Result<Rendered, Fault> {
    let Some(objects) = &audience.profile.objects else {
        let sentence = format!("the configured target takes no {workload}");
        return Err(Fault::new(What::Unsupported, sentence).reaching(Reach::Run));
    };
    let object: Result<RenderedObject, Unrendered> = match workload {
        Workload::Calendar => {
            let profile = CalendarProfile { own_uid: !audience.apart, ..calendar_profile(objects) };
            render::calendar(original, &profile, &calendar_setting(&audience.setting), tables, out)
        }
        Workload::Tasks => render::task(original, &calendar_profile(objects), tables, out),
        _ => render::contact(original, &contact_profile(objects), out),
    };
    let object = object.map_err(unrendered)?;
    Ok(Rendered { losses: losses(object.losses), same_as: None, natural_key: Some(object.uid) })
}

pub(super) fn contact_uid(item: &ItemId, objects: &Objects) -> String {
    render::contact_uid(item.as_str(), &contact_profile(objects))
}

pub(super) fn differences(
    workload: Workload,
    original: &Seen<'_>,
    setting: &Setting,
    tables: &Tables,
    said: &mut dyn Read,
    losses: &[Loss],
) -> io::Result<Vec<String>> {
    let mut text = String::new();
    if let Err(error) = said.read_to_string(&mut text) {
        return match error.kind() {
            io::ErrorKind::InvalidData => Ok(vec!["it is no text in UTF-8".to_owned()]),
            _ => Err(error),
        };
    }
    match workload {
        Workload::Calendar => meaning::calendar::compare(original, &text, losses, &calendar_setting(setting), tables),
        Workload::Tasks => meaning::task::compare(original, &text, losses, tables),
        _ => meaning::contact::compare(original, &text, losses),
    }
}

/// How what stands there was changed since it was sent. Of mail and files every byte counts.
pub(super) fn changed(workload: Workload, sent: &[u8], there: &[u8]) -> Vec<String> {
    let anew = || vec!["it was written anew".to_owned()];
    match (std::str::from_utf8(sent), std::str::from_utf8(there)) {
        _ if sent == there => Vec::new(),
        (Ok(sent), Ok(there)) => match workload {
            Workload::Calendar => meaning::changed::event(sent, there),
            Workload::Tasks => meaning::changed::task(sent, there),
            Workload::Contacts => meaning::changed::contact(sent, there),
            Workload::Mail | Workload::Files => anew(),
        },
        _ => anew(),
    }
}

/// How the text of an event or a task reads otherwise than it was sent.
pub(super) fn reworded(workload: Workload, sent: &[u8], there: &[u8]) -> Vec<String> {
    match (workload, std::str::from_utf8(sent), std::str::from_utf8(there)) {
        (Workload::Calendar | Workload::Tasks, Ok(sent), Ok(there)) => meaning::changed::description(sent, there),
        _ => Vec::new(),
    }
}

fn calendar_setting(setting: &Setting) -> CalendarSetting {
    let mut own = CalendarSetting::new(setting.owner.as_str());
    own.zone.clone_from(&setting.zone);
    own.territory.clone_from(&setting.territory);
    own.among(Arc::clone(&setting.people)).coloured(Arc::clone(&setting.colours))
}

const fn calendar_profile(objects: &Objects) -> CalendarProfile {
    CalendarProfile {
        scheduling: match objects.scheduling {
            Scheduling::Unneeded => mappings::Scheduling::Unneeded,
            Scheduling::ByClient => mappings::Scheduling::ByClient,
            Scheduling::NoOrganizer => mappings::Scheduling::NoOrganizer,
        },
        zero_length: objects.zero_length,
        own_uid: true,
        attachment_max: objects.attachment_bytes,
        object_max: objects.object_bytes,
    }
}

const fn contact_profile(objects: &Objects) -> ContactProfile {
    let form = match objects.vcard {
        VCard::V3 => VCardForm::V3,
        VCard::V4 => VCardForm::V4,
    };
    ContactProfile { form, photo_max: objects.photo_bytes }
}

/// The account's time zone, as its settings name it.
pub(super) fn zone(mailbox_settings: &Value) -> Option<String> {
    mailbox_settings["timeZone"].as_str().filter(|zone| !zone.is_empty()).map(str::to_owned)
}

/// The territory of the account's language (`BE` of `fr-BE`), where its tag has one of two letters, as ISO 3166 has them
/// (RFC 5646 2.2.4; Microsoft Graph docs: mailboxSettings resource, language).
pub(super) fn territory(mailbox_settings: &Value) -> Option<String> {
    let locale = mailbox_settings["language"]["locale"].as_str()?;
    let region = |part: &&str| part.len() == 2 && part.bytes().all(|letter| letter.is_ascii_alphabetic());
    locale.split('-').skip(1).find(region).map(str::to_uppercase)
}

/// The colours of its categories by their names (Microsoft Graph docs: outlookCategory resource).
pub(super) fn colours(master_categories: &Value) -> BTreeMap<String, String> {
    let rows = master_categories["value"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut colours = BTreeMap::new();
    for row in rows {
        let (name, colour) = (row["displayName"].as_str(), row["color"].as_str());
        let coloured = colour.filter(|colour| !colour.is_empty() && !colour.eq_ignore_ascii_case("none"));
        colours.extend(name.zip(coloured).map(|(name, colour)| (name.trim().to_lowercase(), colour.to_owned())));
    }
    colours
}

#[cfg(test)]
mod tests {
    use super::{Setting, Tables, calendar_setting, colours, territory, zone};
    use serde_json::json;
    use std::collections::BTreeMap;

    #[test]
    fn the_zone_is_read_where_one_is_told() {
        let told = json!({ "timeZone": "W. Europe Standard Time" });
        assert_eq!(zone(&told).as_deref(), Some("W. Europe Standard Time"));
        assert_eq!(zone(&json!({ "timeZone": "" })), None);
        assert_eq!(zone(&json!([])), None);
    }

    #[test]
    fn the_territory_is_that_of_the_language() {
        let of = |locale: &str| territory(&json!({ "language": { "locale": locale } }));
        assert_eq!([of("fr-BE"), of("sr-Latn-RS"), of("pt-br")], ["BE", "RS", "BR"].map(|one| Some(one.to_owned())));
        assert_eq!([of("fr"), of("es-419"), of("zh-Hans"), of("")], [None, None, None, None]);
        assert_eq!(territory(&json!({ "language": null })), None);
        let setting = Setting { territory: Some("BE".into()), ..Setting::default() };
        let own = calendar_setting(&setting);
        let zone = |territory| Tables::embedded().zone("Romance Standard Time", territory).map(str::to_owned);
        assert_eq!(zone(own.territory.as_deref()).as_deref(), Some("Europe/Brussels"));
        assert_eq!(zone(None).as_deref(), Some("Europe/Paris"));
    }

    #[test]
    fn categories_with_a_colour_have_it_by_their_name_in_small_letters() {
        let told = json!({ "value": [
            { "id": "1", "displayName": " \u{c9}lus ", "color": "preset7" },
            { "id": "2", "displayName": "Plain", "color": "none" },
            { "id": "3", "displayName": "Odd" },
        ] });
        assert_eq!(colours(&told), BTreeMap::from([("\u{e9}lus".to_owned(), "preset7".to_owned())]));
        assert!(colours(&json!({ "error": { "code": "ErrorAccessDenied" } })).is_empty());
    }
}
