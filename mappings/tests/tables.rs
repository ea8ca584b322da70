//! Tables as people edit them: what is laid over, and the sentence for each mistake.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use transhume_mappings::render::{MailFacts, keyword, mail_facts};
use transhume_mappings::{MailProfile, Tables};

fn laid(file: &str, text: &str) -> Result<Tables, String> {
    Tables::with_overrides(&BTreeMap::from([(file.to_owned(), text.to_owned())])).map_err(|error| error.to_string())
}

fn sentence(file: &str, text: &str) -> String {
    laid(file, text).expect_err("this table has a mistake")
}

fn category(tables: &Tables, name: &str) -> String {
    keyword(name, &MailProfile::strict(), tables).unwrap().text
}

#[test]
fn the_shipped_files_are_read_as_overrides_too() {
    for (file, text) in Tables::files() {
        assert_eq!(laid(file, text).unwrap(), Tables::embedded(), "{file}");
    }
}

#[test]
fn a_row_replaces_the_shipped_one_and_the_others_stay() {
    let tables = laid("categories.toml", "[keywords]\n\"réunion\" = \"Meeting\"\n").unwrap();
    assert_eq!(category(&tables, "Réunion"), "Meeting");
    assert_eq!(category(&tables, "Privé"), "Prive");
    assert_ne!(category(&tables, "Meeting"), "Meeting", "the promised keyword is given to nobody else");
    assert_eq!(category(&tables, "Reunion"), "Reunion", "the keyword given up is free again");
}

#[test]
fn two_rows_may_trade_their_keywords() {
    let tables = laid("categories.toml", "[keywords]\n\"Réunion\" = \"Prive\"\n\"Privé\" = \"Reunion\"\n").unwrap();
    assert_eq!((category(&tables, "Réunion"), category(&tables, "Privé")), ("Prive".into(), "Reunion".into()));
}

#[test]
fn thunderbirds_tags_may_be_given_to_categories() {
    let tables = laid("categories.toml", "[keywords]\n\"Important\" = \"$label1\"\n").unwrap();
    assert_eq!(category(&tables, "IMPORTANT"), "$label1");
}

#[test]
fn facts_letters_and_reserved_words_are_laid_over() {
    let facts = MailFacts { forwarded: true, received: Some(1_700_000_000), ..MailFacts::default() };
    let keywords = |tables: &Tables| mail_facts(&facts, &MailProfile::strict(), tables).0.keywords;
    assert_eq!(keywords(&laid("imap.toml", "[facts]\nforwarded = \"Fwd\"\n").unwrap()), ["Fwd"]);
    assert!(keywords(&laid("imap.toml", "[facts]\nforwarded = \"\"\n").unwrap()).is_empty());
    let tables = laid("imap.toml", "[reserved]\nkeywords = [\"Work\"]\n").unwrap();
    assert!(category(&tables, "work").starts_with("work~"));
    let tables = laid("transliteration.toml", "[letters]\n\"日\" = \"hi\"\n").unwrap();
    assert!(category(&tables, "日").starts_with("hi~"));
}

#[test]
fn equal_tables_have_equal_digests() {
    let shipped = Tables::embedded().digest();
    assert_eq!(laid("categories.toml", "# nothing\n[keywords]\n").unwrap().digest(), shipped);
    assert_eq!(laid("categories.toml", "[keywords]\n\"RÉUNION\" = \"Reunion\"\n").unwrap().digest(), shipped);
    assert_ne!(laid("categories.toml", "[keywords]\n\"Réunion\" = \"R\"\n").unwrap().digest(), shipped);
    assert_ne!(laid("imap.toml", "[facts]\nforwarded = \"F\"\n").unwrap().digest(), shipped);
    assert_ne!(laid("transliteration.toml", "[letters]\n\"é\" = \"ee\"\n").unwrap().digest(), shipped);
}

#[test]
fn mistakes_are_told_with_file_and_line() {
    let cases = [
        ("keywords.toml", ""),
        ("categories.toml", "[keywords]\n\"A\" = \n"),
        ("categories.toml", "[keyword]\n\"A\" = \"a\"\n"),
        ("categories.toml", "[keywords]\n\n\"A\" = 5\n"),
        ("categories.toml", "[keywords]\n\"A\" = \"a b\"\n"),
        ("categories.toml", "[keywords]\n# a comment\n\"A\" = \"a%\"\n"),
        ("categories.toml", "[keywords]\n\"A\" = \"é\"\n"),
        ("categories.toml", "[keywords]\n\"A\" = \"\\\\Seen\"\n"),
        ("categories.toml", "[keywords]\n\"A\" = \"\"\n"),
        ("categories.toml", "[keywords]\n\"A\" = \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"\n"),
        ("categories.toml", "[keywords]\n\" \" = \"a\"\n"),
        ("categories.toml", "[keywords]\n\"A\" = \"x\"\n\"a\" = \"y\"\n"),
        ("categories.toml", "[keywords]\n\"A\" = \"x\"\n\"B\" = \"X\"\n"),
        ("categories.toml", "[keywords]\n\"Something\" = \"reunion\"\n"),
        ("categories.toml", "[keywords]\n\"A\" = \"x\"\n\"A\" = \"y\"\n"),
        ("imap.toml", "[facts]\nforwrded = \"x\"\n"),
        ("imap.toml", "[reserved]\nkeywords = [\n    \"Junk\",\n    \"a(b\",\n]\n"),
        ("transliteration.toml", "[letters]\n\"ab\" = \"x\"\n"),
        ("transliteration.toml", "[letters]\n\"é\" = \"(\"\n"),
    ];
    let told: Vec<String> = cases.iter().map(|(file, text)| sentence(file, text)).collect();
    insta::assert_snapshot!(told.join("\n"));
}
