//! Reading rows from TOML, each with the line it stands on.

use super::TableError;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// The facts that can have a keyword.
pub(super) const FACTS: [&str; 4] = ["forwarded", "receipt_settled", "importance_high", "importance_low"];

type Pairs = BTreeMap<Spanned<String>, Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Categories {
    #[serde(default)]
    keywords: Pairs,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Imap {
    #[serde(default)]
    facts: Pairs,
    #[serde(default)]
    reserved: Reserved,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Reserved {
    #[serde(default)]
    keywords: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transliteration {
    #[serde(default)]
    letters: Pairs,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Zones {
    #[serde(default)]
    special: Pairs,
    #[serde(default)]
    windows: Pairs,
    #[serde(default)]
    territories: Pairs,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Calendar {
    #[serde(default)]
    busy: Pairs,
    #[serde(default)]
    colours: Pairs,
    #[serde(default)]
    category_colours: Pairs,
    #[serde(default)]
    well_known: Pairs,
}

/// The part of a file a row stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Keywords,
    Facts,
    Reserved,
    Letters,
    Zones,
    Busy,
    Colours,
    CategoryColours,
    WellKnown,
}

/// One row of a table file.
pub(super) struct Row<'a> {
    pub file: &'a str,
    pub line: usize,
    pub section: Section,
    pub name: String,
    pub value: String,
}

impl Row<'_> {
    pub fn error(&self, problem: impl Into<String>, fix: impl Into<String>) -> TableError {
        TableError { file: self.file.to_owned(), line: self.line, problem: problem.into(), fix: fix.into() }
    }
}

/// All rows of a file, in the order of their lines.
pub(super) fn rows<'a>(file: &'a str, text: &str) -> Result<Vec<Row<'a>>, TableError> {
    let mut rows = match file {
        "categories.toml" => pairs(file, text, Section::Keywords, parse::<Categories>(file, text)?.keywords),
        "imap.toml" => {
            let imap: Imap = parse(file, text)?;
            let mut rows = pairs(file, text, Section::Facts, imap.facts);
            rows.extend(imap.reserved.keywords.into_iter().map(|word| reserved(file, text, word)));
            rows
        }
        "transliteration.toml" => pairs(file, text, Section::Letters, parse::<Transliteration>(file, text)?.letters),
        "zones.toml" => {
            let Zones { special, windows, territories } = parse(file, text)?;
            let all = [special, windows, territories].into_iter();
            all.flat_map(|section| pairs(file, text, Section::Zones, section)).collect()
        }
        "calendar.toml" => {
            let Calendar { busy, colours, category_colours, well_known } = parse(file, text)?;
            let mut rows = pairs(file, text, Section::Busy, busy);
            rows.extend(pairs(file, text, Section::Colours, colours));
            rows.extend(pairs(file, text, Section::CategoryColours, category_colours));
            rows.extend(pairs(file, text, Section::WellKnown, well_known));
            rows
        }
        other => return Err(unknown_file(other)),
    };
    rows.sort_by_key(|row| row.line);
    Ok(rows)
}

fn parse<'a, T: Deserialize<'a>>(file: &str, text: &'a str) -> Result<T, TableError> {
    toml::from_str(text).map_err(|error| TableError {
        file: file.to_owned(),
        line: error.span().map_or(1, |span| line_of(text, span.start)),
        problem: error.message().trim().replace('\n', " "),
        fix: "write rows as \"name\" = \"value\" under the sections of the shipped file".to_owned(),
    })
}

fn pairs<'a>(file: &'a str, text: &str, section: Section, rows: Pairs) -> Vec<Row<'a>> {
    let row = |(name, value): (Spanned<String>, Spanned<String>)| Row {
        file,
        line: line_of(text, name.span().start),
        section,
        name: name.into_inner(),
        value: value.into_inner(),
    };
    rows.into_iter().map(row).collect()
}

fn reserved<'a>(file: &'a str, text: &str, word: Spanned<String>) -> Row<'a> {
    let line = line_of(text, word.span().start);
    Row { file, line, section: Section::Reserved, name: String::new(), value: word.into_inner() }
}

fn unknown_file(file: &str) -> TableError {
    let known: Vec<&str> = super::EMBEDDED.iter().map(|(name, _)| *name).collect();
    TableError {
        file: file.to_owned(),
        line: 1,
        problem: "there is no table of this name".to_owned(),
        fix: format!("name the file as one of {}", known.join(", ")),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1
}

/// The row's value as a keyword that every server seen takes.
///
/// `flag-keyword = atom` (RFC 9051): printable ASCII without `( ) { % * " \ ]`. Dovecot takes 50 bytes at most.
pub(super) fn keyword<'a>(row: &'a Row<'_>) -> Result<&'a str, TableError> {
    let value = row.value.as_str();
    let bad = value.chars().find(|c| !c.is_ascii_graphic() || "(){%*\"\\]".contains(*c));
    let shown = |c: char| if c == ' ' { "a space".to_owned() } else { format!("`{c}`") };
    if let Some(c) = bad {
        let problem = format!("the keyword `{value}` holds {}, which IMAP does not allow", shown(c));
        return Err(row.error(problem, "use letters, digits, `_`, `-` and `.`"));
    }
    if value.is_empty() || value.len() > 50 {
        let problem = format!("the keyword `{value}` has {} characters", value.len());
        return Err(row.error(problem, "use 1 to 50, since Dovecot refuses longer ones"));
    }
    Ok(value)
}

/// The row as a letter and its ASCII spelling.
pub(super) fn letter(row: &Row<'_>) -> Result<(char, String), TableError> {
    let mut letters = row.name.chars();
    let (Some(letter), None) = (letters.next(), letters.next()) else {
        return Err(row.error(format!("`{}` is not one character", row.name), "write a row for each character"));
    };
    if let Some(bad) = row.value.chars().find(|c| !c.is_ascii_graphic() || "(){%*\"\\]".contains(*c)) {
        let problem = format!("the spelling of `{letter}` holds `{bad}`, which a keyword cannot hold");
        return Err(row.error(problem, "spell it with ASCII letters, digits, `_`, `-` or `.`"));
    }
    Ok((letter, row.value.clone()))
}
