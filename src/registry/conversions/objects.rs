//! Events, contacts and tasks.

use super::{Seen, losses, unrendered};
use crate::engine::{Audience, Rendered, Setting};
use std::io::{self, Read, Write};
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
            render::calendar(original, &calendar_profile(objects), &calendar_setting(&audience.setting), tables, out)
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

/// What is no readable object says nothing of the original.
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
    let unreadable = |why: meaning::calendar::Unreadable| vec![why.to_string()];
    Ok(match workload {
        Workload::Calendar => {
            let was = meaning::calendar::original(original, &calendar_setting(setting), tables)?;
            let is = meaning::calendar::text(&text);
            is.map_or_else(unreadable, |is| meaning::calendar::differences(&was, &is, losses))
        }
        Workload::Tasks => {
            let was = meaning::task::original(original, tables)?;
            meaning::task::text(&text).map_or_else(unreadable, |is| meaning::task::differences(&was, &is, losses))
        }
        _ => {
            let was = meaning::contact::original(original)?;
            meaning::contact::text(&text).map_or_else(unreadable, |is| meaning::contact::differences(&was, &is, losses))
        }
    })
}

fn calendar_setting(setting: &Setting) -> CalendarSetting {
    let mut for_mappings = CalendarSetting::new(setting.owner.as_str());
    for_mappings.zone.clone_from(&setting.zone);
    setting.people.iter().for_each(|(source, target)| for_mappings.identify(source, target.as_str()));
    for_mappings
}

const fn calendar_profile(objects: &Objects) -> CalendarProfile {
    CalendarProfile {
        scheduling: match objects.scheduling {
            Scheduling::Unneeded => mappings::Scheduling::Unneeded,
            Scheduling::ByClient => mappings::Scheduling::ByClient,
            Scheduling::NoOrganizer => mappings::Scheduling::NoOrganizer,
        },
        zero_length: objects.zero_length,
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
pub(super) fn zone(mailbox_settings: &str) -> Option<String> {
    let settings: serde_json::Value = serde_json::from_str(mailbox_settings).ok()?;
    settings["timeZone"].as_str().filter(|zone| !zone.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::zone;

    #[test]
    fn the_zone_is_read_where_one_is_told() {
        assert_eq!(zone(r#"{"timeZone":"W. Europe Standard Time"}"#).as_deref(), Some("W. Europe Standard Time"));
        assert_eq!(zone(r#"{"timeZone":""}"#), None);
        assert_eq!(zone("[]"), None);
    }
}
