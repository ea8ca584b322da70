//! New accounts are added below what stands in `accounts.csv`, in its own columns, separator, line ends and encoding.
//! Nothing that people wrote there is touched.

use super::{
    ACCOUNTS_TEMPLATE,
    accounts::{AccountLine, AccountsError, Columns, decode, delimiter, parse_accounts},
};
use std::{collections::BTreeSet, fs, io, path::Path};

/// Adds those who stand nowhere in the file, not even in a comment: that is how somebody is left out for good. Answers
/// whom it added, or would have, where nothing is to be written.
pub fn add_accounts(path: &Path, found: Vec<AccountLine>, write: bool) -> Result<Vec<AccountLine>, AccountsError> {
    let shown = path.display().to_string();
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => ACCOUNTS_TEMPLATE.as_bytes().to_vec(),
        read => read.map_err(|error| AccountsError::Unreadable(shown.clone(), error))?,
    };
    parse_accounts(&bytes, &shown)?;
    let known = mentioned(&decode(&bytes));
    let new: Vec<_> = found.into_iter().filter(|line| !known.contains(&line.source.to_lowercase())).collect();
    let failed = |error: io::Error| AccountsError::Unwritable(shown.clone(), error);
    let with_new = [bytes.clone(), tail(&bytes, &new).map_err(failed)?].concat();
    parse_accounts(&with_new, &shown)?;
    if write && (!new.is_empty() || !path.exists()) {
        replace(path, &with_new).map_err(failed)?;
    }
    Ok(new)
}

/// Every address in the file, comments included, in small letters.
fn mentioned(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| letter.is_whitespace() || ",;\"#".contains(letter));
    words.filter(|word| word.contains('@')).map(str::to_lowercase).collect()
}

/// The new lines as the file would have them.
fn tail(bytes: &[u8], new: &[AccountLine]) -> io::Result<Vec<u8>> {
    let text = decode(bytes);
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut tail = String::new();
    if !text.is_empty() && !text.ends_with('\n') {
        tail.push_str(end);
    }
    tail.push_str(&rows(&text, new, end)?);
    if std::str::from_utf8(bytes).is_ok() {
        return Ok(tail.into_bytes());
    }
    match encoding_rs::WINDOWS_1252.encode(&tail) {
        (encoded, _, false) => Ok(encoded.into_owned()),
        (_, _, true) => Err(io::Error::other("a new address has letters that Latin-1 lacks; save the file as UTF-8")),
    }
}

fn rows(text: &str, new: &[AccountLine], end: &str) -> io::Result<String> {
    let separator = delimiter(text);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headers = reader.headers()?.clone();
    let columns = Columns::of(&headers).map_err(|_| io::Error::other("its first line does not name the columns"))?;
    let terminator = if end == "\n" { csv::Terminator::Any(b'\n') } else { csv::Terminator::CRLF };
    let mut writer = csv::WriterBuilder::new().delimiter(separator).terminator(terminator).from_writer(Vec::new());
    for line in new {
        let cell = |column: usize| match column {
            _ if column == columns.source => line.source.as_str(),
            _ if column == columns.target => line.target.as_str(),
            _ if Some(column) == columns.wave => line.wave.as_str(),
            _ => "",
        };
        writer.write_record((0..headers.len()).map(cell))?;
    }
    let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes beside the file and then in its place: a full disk leaves the old one whole.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("csv.new");
    fs::write(&fresh, bytes)?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{AccountLine, add_accounts};
    use std::fs;

    fn found(addresses: &[&str]) -> Vec<AccountLine> {
        let line = |address: &&str| AccountLine {
            source: (*address).into(),
            target: (*address).into(),
            wave: "1".into(),
            line: 0,
        };
        addresses.iter().map(line).collect()
    }

    fn added(before: &[u8], addresses: &[&str]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.csv");
        fs::write(&path, before).unwrap();
        add_accounts(&path, found(addresses), true).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        fs::read(&path).unwrap()
    }

    #[test]
    fn comments_stay_and_who_stands_in_one_stays_out() {
        let before = "# the mayor moves last\nsource,target,wave\nada@x,ada,7\n# Bob@x leaves in May\n";
        let after = added(before.as_bytes(), &["ADA@x", "bob@x", "cy@x"]);
        assert_eq!(String::from_utf8(after).unwrap(), format!("{before}cy@x,cy@x,1\n"));
    }

    #[test]
    fn a_spreadsheets_columns_separator_line_ends_and_encoding_are_kept() {
        let before = b"Wave;Target;Source\r\n2;ren\xe9;rene@x";
        let after = added(before, &["rene@x", "z\u{e9}@x"]);
        assert_eq!(after, b"Wave;Target;Source\r\n2;ren\xe9;rene@x\r\n1;z\xe9@x;z\xe9@x\r\n");
    }

    #[test]
    fn a_rehearsal_answers_the_same_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.csv");
        assert_eq!(add_accounts(&path, found(&["ada@x"]), false).unwrap().len(), 1);
        assert!(!path.exists());
        assert_eq!(add_accounts(&path, found(&["ada@x"]), true).unwrap().len(), 1);
        let written = fs::read_to_string(&path).unwrap();
        assert!(written.starts_with("# Who moves") && written.ends_with("wave\nada@x,ada@x,1\n"), "{written}");
    }

    #[test]
    fn a_file_that_would_be_ambiguous_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.csv");
        fs::write(&path, "source,target\nada@x,bob@y\n").unwrap();
        let said = add_accounts(&path, found(&["bob@y"]), true);
        assert!(said.unwrap().is_empty(), "bob@y is mentioned already");
        fs::write(&path, "source,target\nada@x\n").unwrap();
        let said = add_accounts(&path, found(&["cy@x"]), true).unwrap_err().to_string();
        assert!(said.contains("line 2: source and target must both be filled in"), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "source,target\nada@x\n");
    }
}
