//! Tables as people edit them: what is laid over, and the sentence for each mistake.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use transhume_mappings::render::{MailFacts, keyword, mail_facts};
use transhume_mappings::{MailProfile, Tables, WellKnown};

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
fn calendar_tables_are_laid_over_and_render_no_mail_again() {
    let shipped = Tables::embedded();
    assert_eq!(shipped.zone("tzone://Microsoft/Custom", None), None);
    let zones = "[special]\n\"tzone://Microsoft/Custom\" = \"Europe/Rome\"\n[windows]\n\"GMT Standard Time\" = \"\"\n";
    let tables = laid("zones.toml", zones).unwrap();
    assert_eq!(tables.zone("TZONE://microsoft/custom", None), Some("Europe/Rome"));
    assert_eq!(tables.zone("GMT Standard Time", None), None);
    assert_eq!(tables.digest(), shipped.digest());
    assert_ne!(tables.calendar_digest(), shipped.calendar_digest());
    assert_eq!(shipped.calendar_colour("lightRed", "").as_deref(), Some("#a4262c"));
    assert_eq!(shipped.calendar_colour("lightRed", "#0078D4").as_deref(), Some("#0078d4"));
    assert_eq!(shipped.calendar_colour("lightRed", "blue").as_deref(), Some("#a4262c"));
    assert_eq!((shipped.calendar_colour("auto", ""), shipped.calendar_colour("lightMauve", "")), (None, None));
    assert_eq!(shipped.well_known_calendar("kalender"), Some(WellKnown::Default));
    assert_eq!(shipped.well_known_calendar("Geburtstage"), Some(WellKnown::Generated));
    assert_eq!(shipped.well_known_calendar("Feiertage"), None);
    let colours = laid("calendar.toml", "[colours]\n\"lightRed\" = \"#FF0000\"\n").unwrap();
    assert_eq!(colours.calendar_colour("lightRed", "").as_deref(), Some("#ff0000"));
    assert_eq!(colours.calendar_digest(), shipped.calendar_digest());
    assert_ne!(laid("categories.toml", "[keywords]\n\"A\" = \"x\"\n").unwrap().digest(), shipped.digest());
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
        ("zones.toml", "[windows]\n\"Our Time\" = \"Europe/Atlantis\"\n"),
        ("zones.toml", "[zones]\n\"Our Time\" = \"Europe/Berlin\"\n"),
        ("calendar.toml", "[busy]\n\"away\" = \"OPAQUE OOF\"\n"),
        ("calendar.toml", "[busy]\n\"oof\" = \"BUSY OOF\"\n"),
        ("calendar.toml", "[busy]\n\"oof\" = \"OPAQUE\"\n"),
        ("calendar.toml", "[busy]\n\"oof\" = \"OPAQUE OOF very\"\n"),
        ("calendar.toml", "[colours]\n\"lightMauve\" = \"#ffffff\"\n"),
        ("calendar.toml", "[colours]\n\"lightRed\" = \"red\"\n"),
        ("calendar.toml", "[category_colours]\n\"preset25\" = \"red\"\n"),
        ("calendar.toml", "[category_colours]\n\"preset1\" = \"#ff0000\"\n"),
        ("calendar.toml", "[well_known]\n\"Feiertage\" = \"holidays\"\n"),
    ];
    let told: Vec<String> = cases.iter().map(|(file, text)| sentence(file, text)).collect();
    insta::assert_snapshot!(told.join("\n"));
}
