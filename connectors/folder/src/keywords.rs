//! A folder's keywords: `dovecot-keywords`, lines of `number name`, where number 0 is the letter `a` in file names.
//!
//! Dovecot rewrites the file while it serves the folder, under the lock file `dovecot-keywords.lock`; so do we.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const FILE: &str = "dovecot-keywords";
/// Letter number 0 is `a`.
fn letters() -> impl Iterator<Item = char> {
    'a'..='z'
}

/// Dovecot's `mail_max_keyword_length`.
pub(crate) const LONGEST: usize = 50;

/// A lock older than this was left by something that died (Dovecot's own rule).
const STALE: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(10);

/// Up to 26 names, each with its letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keywords(Vec<(char, String)>);

impl Keywords {
    pub(crate) fn load(folder: &Path) -> io::Result<Self> {
        match fs::read(folder.join(FILE)) {
            Ok(bytes) => Ok(Self::parse(&String::from_utf8_lossy(&bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// The folder's keywords, with those wanted that are legal and for which there is room; durable before it returns.
    pub(crate) fn with(folder: &Path, wanted: &BTreeSet<&str>) -> io::Result<Self> {
        let known = Self::load(folder)?;
        if wanted.iter().all(|name| known.letter(name).is_some() || !is_legal(name)) {
            return Ok(known);
        }
        let lock = Lock::take(folder)?;
        let mut known = Self::load(folder)?;
        let before = known.clone();
        wanted.iter().filter(|name| is_legal(name)).for_each(|name| known.add(name));
        if known == before {
            return Ok(known);
        }
        lock.replace(&known.text())?;
        Ok(known)
    }

    pub(crate) fn letter(&self, name: &str) -> Option<char> {
        self.0.iter().find(|(_, known)| known == name).map(|(letter, _)| *letter)
    }

    pub(crate) fn name(&self, letter: char) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == letter).map(|(_, name)| name.as_str())
    }

    /// Why a keyword was left out.
    pub(crate) fn why(name: &str) -> String {
        if is_legal(name) {
            return format!("the keyword {name} found no room: a Maildir folder holds 26 different ones");
        }
        format!(
            "the keyword {name} cannot be an IMAP keyword (50 bytes of ASCII without blanks and ( ) {{ % * \" \\ ])"
        )
    }

    fn parse(text: &str) -> Self {
        let entry = |line: &str| {
            let (number, name) = line.split_once(' ')?;
            let letter = letters().nth(number.parse().ok()?)?;
            Some((letter, name.to_owned()))
        };
        Self(text.lines().filter_map(entry).collect())
    }

    fn text(&self) -> String {
        let number = |letter: char| u32::from(letter) - u32::from('a');
        self.0.iter().map(|(letter, name)| format!("{} {name}\n", number(*letter))).collect()
    }

    fn add(&mut self, name: &str) {
        let free = letters().find(|letter| self.name(*letter).is_none());
        if let (None, Some(letter)) = (self.letter(name), free) {
            self.0.push((letter, name.to_owned()));
        }
    }

    #[cfg(test)]
    pub(crate) fn of(names: &[&str]) -> Self {
        let mut keywords = Self::default();
        names.iter().for_each(|name| keywords.add(name));
        keywords
    }
}

/// RFC 9051: a keyword is an atom.
fn is_legal(name: &str) -> bool {
    let atom = |byte: u8| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte);
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(atom)
}

/// `dovecot-keywords.lock`, removed when dropped.
struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    fn take(folder: &Path) -> io::Result<Self> {
        let path = folder.join(format!("{FILE}.lock"));
        let since = Instant::now();
        loop {
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Self { path, file }),
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Err(error) if since.elapsed() > PATIENCE => return Err(error),
                Err(_) if is_stale(&path) => drop(fs::remove_file(&path)),
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// The new text takes the place of the file, and the lock is gone with that.
    fn replace(mut self, text: &str) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        self.file.sync_all()?;
        fs::rename(&self.path, self.path.with_extension(""))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn is_stale(path: &Path) -> bool {
    let age = fs::metadata(path).and_then(|data| data.modified()).ok().and_then(|then| then.elapsed().ok());
    age.is_some_and(|age| age > STALE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn keywords_are_added_to_what_stands_there_and_26_are_all() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "0 Old\n3 Gap\n").unwrap();
        let names: Vec<String> = (0..30).map(|n| format!("k{n}")).collect();
        let wanted: BTreeSet<&str> = names.iter().map(String::as_str).chain(["not legal"]).collect();
        let keywords = Keywords::with(folder.path(), &wanted).unwrap();
        assert_eq!((keywords.letter("Old"), keywords.letter("Gap")), (Some('a'), Some('d')));
        assert_eq!(names.iter().filter(|name| keywords.letter(name).is_some()).count(), 24);
        assert_eq!(keywords.letter("not legal"), None);
        assert_eq!(Keywords::load(folder.path()).unwrap(), keywords);
        assert!(!folder.path().join("dovecot-keywords.lock").exists());
    }

    #[test]
    fn a_lock_that_is_held_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let held = Lock::take(folder.path()).unwrap();
        let path = folder.path().to_owned();
        let other = std::thread::spawn(move || Keywords::with(&path, &BTreeSet::from(["a"])).unwrap());
        std::thread::sleep(Duration::from_millis(50));
        assert!(!other.is_finished());
        drop(held);
        assert_eq!(other.join().unwrap().letter("a"), Some('a'));
    }
}
