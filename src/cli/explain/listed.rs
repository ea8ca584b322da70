//! Several items, a line each, and the command that tells all of the first.

use crate::{
    cli::terminal::Terminal,
    report::{Column, moment, one_line, table},
};
use transhume_contract::Timestamp;

pub(super) struct Line<'a> {
    pub account: &'a str,
    pub number: i64,
    pub received: Option<Timestamp>,
    pub stands_in: String,
    /// What has no subject is known by its id.
    pub subject: &'a str,
}

/// Shows them, with what people call that in which they stand.
pub(super) fn show(place: &'static str, lines: &[Line<'_>], terminal: &Terminal) {
    let columns = [
        Column::Words("account"),
        Column::Number("item"),
        Column::Words("received"),
        Column::Words(place),
        Column::Words("subject"),
    ];
    terminal.answer(&table(&columns, lines.iter().map(cells).collect(), terminal.width()));
}

fn cells(line: &Line<'_>) -> Vec<String> {
    vec![
        line.account.to_owned(),
        line.number.to_string(),
        line.received.map(moment).unwrap_or_default(),
        one_line(&line.stands_in),
        one_line(line.subject),
    ]
}

pub(super) fn first(lines: &[Line<'_>]) -> String {
    let (number, account) = lines.first().map(|line| (line.number, line.account)).unwrap_or_default();
    format!("`transhume explain {number} --account {account}`")
}
