//! Tables that fit the terminal: where a line would break, the domain that addresses share is said once above, then the
//! first column is shortened in the middle, and the last one wraps. Without a terminal nothing is shortened, so that what is redirected can be searched.

use super::domain;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

/// A column: its head, and on which side its cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Words(&'static str),
    Number(&'static str),
}

/// The column whose cells are addresses, each alone or followed by its login: `ada@ville.example > ada`.
const ACCOUNTS: Column = Column::Words("account");

/// What the first column keeps of its width, at the least.
const LEAST: usize = 14;

impl Column {
    pub const fn head(self) -> &'static str {
        match self {
            Self::Words(head) | Self::Number(head) => head,
        }
    }

    fn cell(self, text: &str) -> Cell {
        match self {
            Self::Words(_) => Cell::new(text),
            Self::Number(_) => Cell::new(text).set_alignment(CellAlignment::Right),
        }
    }
}

/// Rows under heads, a line each where `width` allows it.
pub fn table(columns: &[Column], mut rows: Vec<Vec<String>>, width: Option<usize>) -> String {
    rows.insert(0, columns.iter().map(|column| column.head().to_owned()).collect());
    let mut drawn = draw(columns, &rows);
    let mut above = String::new();
    if let Some(width) = width {
        if total(&drawn.column_max_content_widths()) > width && columns.first() == Some(&ACCOUNTS) {
            above = domain::said_once(&mut rows).iter().map(|line| shorten(line, width) + "\n").collect();
            drawn = draw(columns, &rows);
        }
        let widths = drawn.column_max_content_widths();
        let (first, all) = (usize::from(widths.first().copied().unwrap_or(0)), total(&widths));
        if all > width {
            let room = first.saturating_sub(all - width).max(LEAST);
            rows.iter_mut().filter_map(|row| row.first_mut()).for_each(|cell| *cell = shorten(cell, room));
            drawn = draw(columns, &rows);
            if total(&widths) - first + room.min(first) > width {
                wrap(&mut drawn, columns, width);
            }
        }
    }
    above + &drawn.lines().map(|line| line.trim_end().to_owned() + "\n").collect::<String>()
}

fn draw(columns: &[Column], rows: &[Vec<String>]) -> Table {
    let mut drawn = Table::new();
    drawn.load_style(presets::NOTHING);
    for row in rows {
        drawn.add_row(columns.iter().zip(row).map(|(column, text)| column.cell(text)));
    }
    drawn.column_iter_mut().for_each(|column| {
        column.set_padding((0, GAP));
    });
    drawn
}

/// Between two columns.
const GAP: u16 = 2;

fn total(widths: &[u16]) -> usize {
    widths.iter().map(|width| usize::from(*width + GAP)).sum::<usize>().saturating_sub(usize::from(GAP))
}

/// Lets the last column wrap where it holds words; numbers never break.
fn wrap(drawn: &mut Table, columns: &[Column], width: usize) {
    if !matches!(columns.last(), Some(Column::Words(_))) {
        return;
    }
    let last = columns.len() - 1;
    let before: usize =
        drawn.column_max_content_widths().iter().take(last).map(|width| usize::from(*width + GAP)).sum();
    if before + LEAST > width {
        return;
    }
    drawn.set_content_arrangement(ContentArrangement::Dynamic).set_width(u16::try_from(width).unwrap_or(u16::MAX));
    for column in drawn.column_iter_mut().take(last) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
}

/// `a.very.long…ville.example`: both ends of an address tell more than its beginning alone.
pub fn shorten(text: &str, room: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= room {
        return text.to_owned();
    }
    let kept = room.saturating_sub(1);
    let (front, back) = (kept.div_ceil(2), kept / 2);
    letters[..front].iter().chain(['…'].iter()).chain(&letters[letters.len() - back..]).collect()
}

#[cfg(test)]
mod tests {
    use super::{Column, shorten, table};

    const COLUMNS: [Column; 3] = [Column::Words("account"), Column::Number("owed"), Column::Words("last pass")];

    fn rows() -> Vec<Vec<String>> {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        vec![
            row(["ada@x", "7", "never"]),
            row(["secretariat.general@communaute-de-communes.example", "1,234", "run, stopped"]),
        ]
    }

    #[test]
    fn what_is_redirected_is_whole_and_aligned() {
        let text = table(&COLUMNS, rows(), None);
        assert_eq!(
            text,
            "account                                              owed  last pass\n\
             ada@x                                                   7  never\n\
             secretariat.general@communaute-de-communes.example  1,234  run, stopped\n"
        );
    }

    #[test]
    fn a_terminal_is_kept_to_and_both_ends_of_an_address_stay() {
        let text = table(&COLUMNS, rows(), Some(48));
        assert!(text.lines().all(|line| line.chars().count() <= 48), "{text}");
        assert!(text.contains("secretariat.g…munes.example  1,234  run, stopped"), "{text}");
        let narrow = table(&COLUMNS, rows(), Some(32));
        assert!(narrow.contains("1,234") && narrow.contains("stopped"), "no number breaks: {narrow}");
    }

    #[test]
    fn the_domain_goes_before_a_letter_of_a_name_does() {
        let row = |name: &str| vec![name.to_owned(), "7".to_owned(), "run, done".to_owned()];
        let names = ["ada.lovelace@valmont.example", "bo.derek@valmont.example", "zoe@partner.example", "3 accounts"];
        let text = table(&COLUMNS, names.map(row).to_vec(), Some(44));
        assert_eq!(
            text,
            "accounts without a domain: @valmont.example\n\
             account              owed  last pass\n\
             ada.lovelace            7  run, done\n\
             bo.derek                7  run, done\n\
             zoe@partner.example     7  run, done\n\
             3 accounts              7  run, done\n"
        );
        assert!(table(&COLUMNS, names.map(row).to_vec(), Some(60)).starts_with("account  "), "what fits stays whole");
    }

    #[test]
    fn a_short_word_stays_as_it_is() {
        assert_eq!([shorten("ada", 3), shorten("ada@ville", 5)], ["ada".to_owned(), "ad…le".to_owned()]);
    }
}
