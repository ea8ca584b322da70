//! Plugs the pure conversions of `mappings` into the engine's ports.

mod objects;

use crate::engine::{Audience, Handover, Meaning, Original, Own, Render, Rendered, Setting};
use std::io::{self, Read, Write};
use transhume_contract::{
    Cause, Digest, Facts, Fault, FlagState, Importance, ItemId, Loss, Profile, Role, Timestamp, What, Workload,
};
use transhume_mappings::{self as mappings, MailProfile, Parts, Tables, Unrendered, WellKnown, meaning, render};

/// The keyword that IMAP clients use for forwarded mail; the contract has a fact of its own for it.
const FORWARDED: &str = "$Forwarded";

/// The conversions, with the tables in force.
pub struct Conversions {
    tables: Tables,
}

impl Conversions {
    pub const fn new(tables: Tables) -> Self {
        Self { tables }
    }
}

/// The engine's original as the conversions read it.
struct Seen<'a>(&'a dyn Original);

impl Parts for Seen<'_> {
    fn parts(&self) -> Vec<mappings::PartInfo> {
        let info = |part: &transhume_contract::Part| mappings::PartInfo {
            name: part.name.clone(),
            media_type: part.media_type.clone(),
            size: part.length.unwrap_or(0),
        };
        self.0.parts().iter().map(info).collect()
    }
    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        self.0.open(name)
    }
}

fn mail_profile(profile: &Profile) -> MailProfile {
    MailProfile {
        nul: profile.nul,
        bare_lf: profile.bare_lf,
        eight_bit_headers: profile.eight_bit_headers,
        headerless: profile.headerless,
        empty: profile.headerless,
        earliest: profile.earliest.as_second(),
        latest: profile.latest.as_second(),
        keyword_max_len: profile.keyword_bytes as usize,
        keyword_8bit: false,
    }
}

fn losses(found: Vec<mappings::Loss>) -> Vec<Loss> {
    found.into_iter().map(|loss| Loss::new(loss.name, loss.detail)).collect()
}

fn no_files() -> Fault {
    Fault::new(What::Unsupported, "this version renders no files").reaching(transhume_contract::Reach::Run)
}

fn unrendered(why: Unrendered) -> Fault {
    match why {
        Unrendered::Unmappable(why) => Fault::new(What::Unmappable, why.sentence).skip(Cause::Unrenderable),
        Unrendered::Io(error) => store_fault(&error),
    }
}

/// The store's own fault where one lies within the error: it says how far it reaches and what to do.
fn store_fault(error: &io::Error) -> Fault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()).cloned();
    let sentence = || format!("a rendering could not be made: {error}");
    inner.unwrap_or_else(|| Fault::new(What::StoreBroken, sentence()).reaching(transhume_contract::Reach::Run))
}

impl Render for Conversions {
    fn edition(&self, workload: Workload) -> u32 {
        match workload {
            Workload::Mail | Workload::Files => mappings::EDITION,
            Workload::Calendar => mappings::CALENDAR_EDITION,
            Workload::Contacts => mappings::CONTACTS_EDITION,
            Workload::Tasks => mappings::TASKS_EDITION,
        }
    }

    fn tables(&self, workload: Workload) -> Digest {
        match workload {
            Workload::Mail | Workload::Files => Digest::new(self.tables.digest()),
            Workload::Calendar | Workload::Tasks => Digest::new(self.tables.calendar_digest()),
            // No table stands behind a card.
            Workload::Contacts => Digest::of(b""),
        }
    }

    fn render(
        &self,
        workload: Workload,
        original: &dyn Original,
        audience: &Audience,
        out: &mut dyn Write,
    ) -> Result<Rendered, Fault> {
        match workload {
            Workload::Mail => {}
            Workload::Files => return Err(no_files()),
            Workload::Calendar | Workload::Contacts | Workload::Tasks => {
                return objects::render(workload, &Seen(original), audience, &self.tables, out);
            }
        }
        let profile = mail_profile(&audience.profile);
        let rendered = render::mail(&Seen(original), &profile, &self.tables, out).map_err(unrendered)?;
        let same_as = rendered.identical.then(|| "mime".to_owned());
        Ok(Rendered { losses: losses(rendered.losses), same_as, natural_key: rendered.message_id })
    }

    fn own(&self, settings: &dyn Original) -> io::Result<Own> {
        let told = |part: &str| {
            if settings.parts().iter().all(|known| known.name != part) {
                return Ok(None);
            }
            let mut text = String::new();
            settings.open(part)?.read_to_string(&mut text)?;
            // What the source would not give stands there as its error, which names neither zone nor colours.
            serde_json::from_str::<serde_json::Value>(&text).map(Some).map_err(io::Error::from)
        };
        let mailbox = told("mailboxSettings")?;
        Ok(Own {
            zone: mailbox.as_ref().and_then(objects::zone),
            territory: mailbox.as_ref().and_then(objects::territory),
            colours: told("masterCategories")?.as_ref().map(objects::colours).unwrap_or_default(),
        })
    }

    fn made_key(&self, workload: Workload, item: &ItemId, profile: &Profile) -> Option<String> {
        match (workload, &profile.objects) {
            (Workload::Contacts, Some(objects)) => Some(objects::contact_uid(item, objects)),
            (Workload::Tasks, Some(_)) => Some(render::task_uid(item.as_str())),
            _ => None,
        }
    }

    fn facts(&self, workload: Workload, facts: &Facts, profile: &Profile) -> (Facts, Vec<Loss>) {
        // Of an event, a contact or a task everything stands in the rendering itself.
        if workload != Workload::Mail {
            return (Facts { message_id: facts.message_id.clone(), ..Facts::default() }, Vec::new());
        }
        let (target, lost) = render::mail_facts(&mail_facts(facts), &mail_profile(profile), &self.tables);
        (target_facts(facts, target), losses(lost))
    }

    fn handover(
        &self,
        workload: Workload,
        settings: &dyn Original,
        places: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<Handover> {
        if workload == Workload::Mail { self.sieve(settings, places).into_iter().collect() } else { Vec::new() }
    }

    fn colour(&self, told: &str) -> Option<String> {
        self.tables.calendar_colour(told, told)
    }

    fn well_known(&self, workload: Workload, name: &str) -> Option<Role> {
        let known = self.tables.well_known_calendar(name).filter(|_| workload == Workload::Calendar)?;
        Some(match known {
            WellKnown::Default => Role::Default,
            WellKnown::Generated => Role::Internal,
        })
    }
}

impl Conversions {
    /// The rules of a mailbox as a Sieve file, where there are any.
    fn sieve(&self, settings: &dyn Original, places: &dyn Fn(&str) -> Option<String>) -> Option<Handover> {
        let mut text = String::new();
        settings.open("messageRules").ok()?.read_to_string(&mut text).ok()?;
        let rules: serde_json::Value = serde_json::from_str(&text).ok()?;
        if rules.get("value").and_then(|rules| rules.as_array()).is_none_or(Vec::is_empty) {
            return None;
        }
        let sieve = render::sieve(&rules, places, &MailProfile::strict(), &self.tables);
        Some(Handover { name: "rules.sieve".into(), text: sieve.script, losses: losses(sieve.losses) })
    }
}

fn mail_facts(facts: &Facts) -> render::MailFacts {
    render::MailFacts {
        read: facts.read.unwrap_or(false),
        answered: facts.answered.unwrap_or(false),
        forwarded: facts.forwarded.unwrap_or(false),
        draft: facts.draft.unwrap_or(false),
        flag: match facts.flag {
            None | Some(FlagState::None) => render::FlagState::None,
            Some(FlagState::Flagged) => render::FlagState::Flagged,
            Some(FlagState::Complete) => render::FlagState::Complete,
        },
        importance: match facts.importance {
            Some(Importance::Low) => render::Importance::Low,
            None | Some(Importance::Normal) => render::Importance::Normal,
            Some(Importance::High) => render::Importance::High,
        },
        receipt_requested: false,
        categories: facts.categories.clone().unwrap_or_default(),
        received: facts.received.map(Timestamp::as_second),
        sent: None,
    }
}

fn target_facts(facts: &Facts, target: render::TargetFacts) -> Facts {
    let (forwarded, keywords): (Vec<_>, Vec<_>) = target.keywords.into_iter().partition(|keyword| keyword == FORWARDED);
    Facts {
        read: Some(target.seen),
        flag: Some(if target.flagged { FlagState::Flagged } else { FlagState::None }),
        answered: Some(target.answered),
        forwarded: Some(!forwarded.is_empty()),
        draft: Some(target.draft),
        categories: Some(keywords),
        received: target.date.and_then(|seconds| Timestamp::from_second(seconds).ok()),
        message_id: facts.message_id.clone(),
        ..Facts::default()
    }
}

impl Meaning for Conversions {
    fn differences(
        &self,
        workload: Workload,
        original: &dyn Original,
        setting: &Setting,
        rendering: &mut dyn Read,
        losses: &[Loss],
    ) -> io::Result<Vec<String>> {
        let named = |loss: &Loss| mappings::Loss { name: loss.name.clone(), detail: loss.detail.clone() };
        let losses: Vec<_> = losses.iter().map(named).collect();
        match workload {
            Workload::Mail | Workload::Files => {}
            Workload::Calendar | Workload::Contacts | Workload::Tasks => {
                return objects::differences(workload, &Seen(original), setting, &self.tables, rendering, &losses);
            }
        }
        let (there, here) = (meaning::original(&Seen(original))?, meaning::mail(rendering)?);
        Ok(meaning::unexcused(meaning::differences(&there, &here), &losses))
    }

    fn changed(&self, workload: Workload, sent: &[u8], there: &[u8]) -> Vec<String> {
        objects::changed(workload, sent, there)
    }

    fn reworded(&self, workload: Workload, sent: &[u8], there: &[u8]) -> Vec<String> {
        objects::reworded(workload, sent, there)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeMap;

    /// Settings of one part; none where it cannot be read.
    struct Settings(Vec<transhume_contract::Part>, Option<&'static str>);

    impl Original for Settings {
        fn parts(&self) -> &[transhume_contract::Part] {
            &self.0
        }
        fn open(&self, _: &str) -> io::Result<Box<dyn Read + '_>> {
            let text = self.1.ok_or_else(|| io::Error::other("the disk is gone"))?;
            Ok(Box::new(text.as_bytes()))
        }
    }

    #[test]
    fn settings_that_cannot_be_read_are_no_account_without_settings() {
        let of = |text| {
            let part = transhume_contract::Part {
                name: "mailboxSettings".into(),
                media_type: "application/json".into(),
                length: None,
            };
            Conversions::new(Tables::embedded()).own(&Settings(vec![part], text))
        };
        let told = of(Some("{\"timeZone\":\"UTC\",\"language\":{\"locale\":\"fr-BE\"}}")).unwrap();
        assert_eq!((told.zone.as_deref(), told.territory.as_deref()), (Some("UTC"), Some("BE")));
        let refused = "{\"transhume.error\":{\"code\":\"ErrorAccessDenied\",\"message\":\"no\"}}";
        assert_eq!(of(Some(refused)).unwrap(), Own::default());
        let none = Conversions::new(Tables::embedded()).own(&Settings(Vec::new(), None));
        assert_eq!(none.unwrap(), Own::default());
        assert!(of(None).is_err() && of(Some("{\"timeZone\":")).is_err());
    }

    fn with(file: &str, text: &str) -> Conversions {
        Conversions::new(Tables::with_overrides(&BTreeMap::from([(file.to_owned(), text.to_owned())])).unwrap())
    }

    /// The workloads that would be rendered anew.
    fn anew(corrected: &Conversions) -> Vec<Workload> {
        let shipped = Conversions::new(Tables::embedded());
        Workload::ALL.into_iter().filter(|one| corrected.tables(*one) != shipped.tables(*one)).collect()
    }

    #[test]
    fn a_corrected_row_renders_anew_what_it_speaks_of_and_nothing_else() {
        let zones = with("zones.toml", "[special]\n\"Contoso Custom Time\" = \"Europe/Rome\"\n");
        assert_eq!(anew(&zones), [Workload::Calendar, Workload::Tasks]);
        let keywords = with("categories.toml", "[keywords]\n\"A\" = \"x\"\n");
        assert_eq!(anew(&keywords), [Workload::Mail, Workload::Files]);
        let colours = with("calendar.toml", "[colours]\n\"lightRed\" = \"#ff0000\"\n");
        assert_eq!(anew(&colours), [], "the colour of a calendar stands in no event");
    }

    #[test]
    fn colours_and_names_of_calendars_are_those_of_the_tables_in_force() {
        let shipped = Conversions::new(Tables::embedded());
        let known = |of: &Conversions| of.well_known(Workload::Calendar, "Anniversaires");
        assert_eq!((shipped.colour("lightRed").as_deref(), known(&shipped)), (Some("#a4262c"), Some(Role::Internal)));
        assert_eq!((shipped.colour("#0078D4").as_deref(), shipped.colour("auto")), (Some("#0078d4"), None));
        assert_eq!(shipped.well_known(Workload::Contacts, "Anniversaires"), None);
        let rows = "[colours]\n\"lightRed\" = \"#FF0000\"\n[well_known]\n\"Anniversaires\" = \"\"\n";
        let edited = with("calendar.toml", rows);
        assert_eq!((edited.colour("lightRed").as_deref(), known(&edited)), (Some("#ff0000"), None));
    }
}
