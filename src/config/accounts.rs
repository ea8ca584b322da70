//! `accounts.csv`: who moves, where to, and in which wave. Spreadsheets write it, so it is read leniently: UTF-8 with or
//! without a mark, or Latin-1 (Windows-1252); commas, semicolons or tabs.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

/// One account that moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLine {
    /// The address at the source.
    pub source: String,
    /// The login at the target.
    pub target: String,
    /// The wave it moves in; `1` where the column is empty.
    pub wave: String,
    /// The line it stands on.
    pub line: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    #[error(
        "{0} cannot be read: {1}\nRun `transhume survey --write-accounts` to write one from the tenant, or create it with the columns source,target,wave."
    )]
    Unreadable(String, std::io::Error),
    #[error(
        "{0} cannot be written: {1}\nMake the file and its directory writable for this user, then run the same command again."
    )]
    Unwritable(String, std::io::Error),
    #[error("{}", told(.0, .1))]
    Lines(String, Vec<Complaint>),
}

/// What is wrong on one line, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    line: u64,
    what: String,
    step: &'static str,
}

impl Complaint {
    fn new(line: u64, what: impl Into<String>, step: &'static str) -> Self {
        Self { line, what: what.into(), step }
    }
}

fn told(path: &str, complaints: &[Complaint]) -> String {
    let one =
        |complaint: &Complaint| format!("{path}, line {}: {}\n{}", complaint.line, complaint.what, complaint.step);
    complaints.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// The next steps.
const NAME_COLUMNS: &str = "Make the first line `source,target,wave` (semicolons and tabs serve too).";
const FILL_IN: &str =
    "Fill in the address at the source and the login at the target, or put a # before the line to leave it out.";
const ONCE: &str = "Remove one of the two lines.";
const APART: &str = "Give each account a login of its own at the target.";
const QUOTES: &str =
    "Open the file in a text editor and mend that line: quotes stand in pairs, and the text is UTF-8 or Latin-1.";

/// Reads and checks the file.
pub fn read_accounts(path: &Path) -> Result<Vec<AccountLine>, AccountsError> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| AccountsError::Unreadable(shown.clone(), error))?;
    parse_accounts(&bytes, &shown)
}

/// Text in whatever encoding a spreadsheet chose.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_or_else(|_| encoding_rs::WINDOWS_1252.decode(bytes).0, Cow::Borrowed)
}

/// The separator that the header line uses most.
pub(super) fn delimiter(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
    [b',', b';', b'\t'].into_iter().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}

/// The line, from 1, of the record that is read from this byte on: empty lines and comments before it are passed over.
fn line_of(text: &str, byte: u64) -> u64 {
    let (before, rest) = usize::try_from(byte).ok().and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""));
    let passed = rest.lines().take_while(|line| line.trim().is_empty() || line.starts_with('#')).count();
    (before.matches('\n').count() + passed + 1) as u64
}

pub(super) fn parse_accounts(bytes: &[u8], path: &str) -> Result<Vec<AccountLine>, AccountsError> {
    let text = decode(bytes).replace("\r\n", "\n");
    read_lines(&text).map_err(|complaints| AccountsError::Lines(path.into(), complaints))
}

fn read_lines(text: &str) -> Result<Vec<AccountLine>, Vec<Complaint>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let malformed = |error: csv::Error| {
        vec![Complaint::new(error.position().map_or(1, csv::Position::line), error.to_string(), QUOTES)]
    };
    let columns = Columns::of(&reader.headers().map_err(malformed)?.clone()).map_err(|complaint| vec![complaint])?;
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(malformed)?;
        let line = line_of(text, record.position().map_or(0, csv::Position::byte));
        let field = |index: usize| record.get(index).unwrap_or_default().to_owned();
        let wave = columns.wave.map(field).filter(|wave| !wave.is_empty()).unwrap_or_else(|| "1".into());
        lines.push(AccountLine { source: field(columns.source), target: field(columns.target), wave, line });
    }
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.source.is_empty() || !line.target.is_empty()).collect();
    let complaints = ambiguities(&lines);
    if complaints.is_empty() { Ok(lines) } else { Err(complaints) }
}

/// Where the columns stand.
pub(super) struct Columns {
    pub source: usize,
    pub target: usize,
    pub wave: Option<usize>,
}

impl Columns {
    pub fn of(headers: &csv::StringRecord) -> Result<Self, Complaint> {
        let column = |name: &str| headers.iter().position(|header| header.eq_ignore_ascii_case(name));
        let (Some(source), Some(target)) = (column("source"), column("target")) else {
            let what = "the first line must name the columns source and target (and wave, if you use waves)";
            return Err(Complaint::new(1, what, NAME_COLUMNS));
        };
        let known = ["source", "target", "wave"];
        match headers.iter().find(|header| !known.iter().any(|name| header.eq_ignore_ascii_case(name))) {
            Some(odd) => {
                let what = format!("there is no column `{odd}`; the columns are source, target and wave");
                Err(Complaint::new(1, what, NAME_COLUMNS))
            }
            None => Ok(Self { source, target, wave: column("wave") }),
        }
    }
}

/// Half lines, accounts that stand twice, and targets that two accounts would share (mail servers seldom tell capitals of
/// logins apart): all of them, so that one look mends the file.
fn ambiguities(lines: &[AccountLine]) -> Vec<Complaint> {
    let (mut sources, mut targets, mut complaints) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for line in lines {
        if line.source.is_empty() || line.target.is_empty() {
            complaints.push(Complaint::new(line.line, "source and target must both be filled in", FILL_IN));
            continue;
        }
        if let Some(first) = sources.insert(line.source.to_lowercase(), line.line) {
            let what = format!("{} stands on line {first} already", line.source);
            complaints.push(Complaint::new(line.line, what, ONCE));
        } else if let Some(first) = targets.insert(line.target.to_lowercase(), line.line) {
            let what = format!("line {first} already moves into {}; two accounts cannot share a target", line.target);
            complaints.push(Complaint::new(line.line, what, APART));
        }
    }
    complaints
}

/// Writes the file from scratch, for `demo`.
pub fn write_accounts(path: &Path, lines: &[AccountLine]) -> Result<(), AccountsError> {
    let failed = |error: std::io::Error| AccountsError::Unwritable(path.display().to_string(), error);
    let mut writer = csv::Writer::from_path(path).map_err(|error| failed(error.into()))?;
    writer.write_record(["source", "target", "wave"]).map_err(|error| failed(error.into()))?;
    for line in lines {
        writer.write_record([&line.source, &line.target, &line.wave]).map_err(|error| failed(error.into()))?;
    }
    writer.flush().map_err(failed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{AccountLine, parse_accounts};

    fn line(source: &str, target: &str, wave: &str, line: u64) -> AccountLine {
        AccountLine { source: source.into(), target: target.into(), wave: wave.into(), line }
    }

    #[test]
    fn latin_1_with_semicolons_from_a_spreadsheet_is_read() {
        let bytes = b"Source;Target;Wave\r\nren\xe9@ville.fr;ren\xe9;2\r\n\r\nada@ville.fr;ada;\r\n";
        let lines = parse_accounts(bytes, "accounts.csv").unwrap();
        assert_eq!(lines, [line("rené@ville.fr", "rené", "2", 2), line("ada@ville.fr", "ada", "1", 4)]);
    }

    #[test]
    fn a_mark_comments_and_commas_are_read() {
        let text = "\u{feff}# first wave: the mayor's office\nsource,target,wave\n# ok\nada@x, ada ,1\n";
        assert_eq!(parse_accounts(text.as_bytes(), "a.csv").unwrap(), [line("ada@x", "ada", "1", 4)]);
    }

    #[test]
    fn what_is_ambiguous_is_refused_with_its_line_and_the_next_step() {
        let cases = [
            (
                "source,wave\nada,1\n",
                "a.csv, line 1: the first line must name the columns source and target (and wave, if you use waves)\n\
                 Make the first line `source,target,wave` (semicolons and tabs serve too).",
            ),
            (
                "source,target,wawe\n",
                "a.csv, line 1: there is no column `wawe`; the columns are source, target and wave\n\
                 Make the first line `source,target,wave` (semicolons and tabs serve too).",
            ),
            (
                "source,target\nada@x,\n",
                "a.csv, line 2: source and target must both be filled in\nFill in the address at the source and the \
                 login at the target, or put a # before the line to leave it out.",
            ),
            (
                "source,target\nada@x,a\nADA@x,b\n",
                "a.csv, line 3: ADA@x stands on line 2 already\nRemove one of the two lines.",
            ),
            (
                "source,target\nada@x,Ada\nbob@x,ada\n",
                "a.csv, line 3: line 2 already moves into ada; two accounts cannot share a target\n\
                 Give each account a login of its own at the target.",
            ),
            (
                "source,target\nada@x,a\nbob@x,a\n",
                "a.csv, line 3: line 2 already moves into a; two accounts cannot share a target\n\
                 Give each account a login of its own at the target.",
            ),
        ];
        for (text, sentence) in cases {
            assert_eq!(parse_accounts(text.as_bytes(), "a.csv").unwrap_err().to_string(), sentence);
        }
    }

    #[test]
    fn every_wrong_line_is_named_at_once() {
        let text = "source,target\nada@x,\n# ok\nbob@x,b\n,c\nbob@x,d\n";
        let said = parse_accounts(text.as_bytes(), "a.csv").unwrap_err().to_string();
        let named: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("a.csv, line ")).collect();
        let lines: Vec<_> = named.iter().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(lines, ["2", "5", "6"], "{said}");
    }
}
