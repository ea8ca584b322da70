//! What a calendar rendering must know of its account and of the people who move, as plain data.

use std::{collections::BTreeMap, sync::Arc};

/// The surroundings of one account's events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CalendarSetting {
    /// Source address of the account whose calendar this is; in it `isOrganizer` and `responseStatus` are meant.
    pub owner: String,
    /// The account's own zone, as the service names it: it stands for zones nobody told the rules of.
    pub zone: Option<String>,
    /// Two letters of ISO 3166; picks among the IANA zones of one Windows zone.
    pub territory: Option<String>,
    /// Shared: everybody who moves stands in it, and every event is rendered with it.
    identities: Arc<BTreeMap<String, String>>,
    /// Lower-case category name to the service's name of its colour.
    colours: Arc<BTreeMap<String, String>>,
}

impl CalendarSetting {
    pub fn new(owner: impl Into<String>) -> Self {
        Self { owner: owner.into(), ..Self::default() }
    }

    /// These are the people who move: their addresses at the target by those at the source, which stand in small letters
    /// without blanks around them.
    #[must_use]
    pub fn among(mut self, people: Arc<BTreeMap<String, String>>) -> Self {
        self.identities = people;
        self
    }

    /// These are the colours (`preset0` to `preset24`) of the account's master categories, whose names stand in small
    /// letters without blanks around them.
    #[must_use]
    pub fn coloured(mut self, colours: Arc<BTreeMap<String, String>>) -> Self {
        self.colours = colours;
        self
    }

    /// The person known at the source by `source` (an SMTP address, or an X.500 address such as `/o=…/cn=…`; upper and
    /// lower case count as equal) is known at the target by `target`.
    pub fn identify(&mut self, source: &str, target: impl Into<String>) {
        Arc::make_mut(&mut self.identities).insert(source.trim().to_lowercase(), target.into());
    }

    /// The account's master category `name` has the colour `preset` (`preset0` to `preset24`; `none` is left out).
    pub fn colour_category(&mut self, name: &str, preset: &str) {
        if !preset.is_empty() && !preset.eq_ignore_ascii_case("none") {
            Arc::make_mut(&mut self.colours).insert(name.trim().to_lowercase(), preset.to_owned());
        }
    }

    /// Depends on everything here: part of what a rendering is a function of.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("transhume mappings calendar setting 1");
        let mut say = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        say(&self.owner);
        [&self.zone, &self.territory].into_iter().for_each(|text| {
            say(if text.is_some() { "told" } else { "" });
            say(text.as_deref().unwrap_or_default());
        });
        self.identities.iter().for_each(|(source, target)| {
            say(source);
            say(target);
        });
        say("colours");
        self.colours.iter().for_each(|(name, preset)| {
            say(name);
            say(preset);
        });
        *hasher.finalize().as_bytes()
    }

    pub(crate) fn category_colour(&self, name: &str) -> Option<&str> {
        self.colours.get(&name.trim().to_lowercase()).map(String::as_str)
    }

    /// The address a person has at the target, where the map tells it.
    pub(crate) fn target(&self, source: &str) -> Option<&str> {
        self.identities.get(&source.trim().to_lowercase()).map(String::as_str)
    }

    /// Whether a source address is the owner's own, under any of the addresses that lead to the same target.
    pub(crate) fn is_owner(&self, source: &str) -> bool {
        let (source, owner) = (source.trim(), self.owner.trim());
        if owner.is_empty() {
            return false;
        }
        let same_target = || self.target(source).is_some_and(|target| Some(target) == self.target(owner));
        source.eq_ignore_ascii_case(owner) || same_target()
    }
}
