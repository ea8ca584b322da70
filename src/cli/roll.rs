//! Who stands in accounts.csv, and who was worked on and does so no longer.

use super::{
    args::Common,
    exit::Failure,
    session::{is_chosen, is_meant, names, no_wave, nobody},
};
use crate::{config::AccountLine, store::AccountRow};
use std::collections::{HashMap, HashSet};

/// The accounts that the command line chooses.
pub struct Roll {
    /// In accounts.csv, with the wave and the login that stand there now.
    pub listed: Vec<AccountRow>,
    /// In accounts.csv, and never looked up at the source.
    pub unknown: Vec<AccountLine>,
    /// Worked on once, and no longer in accounts.csv.
    pub departed: Vec<AccountRow>,
}

impl Roll {
    pub fn call(rows: Vec<AccountRow>, lines: &[AccountLine], common: &Common) -> Result<Self, Failure> {
        let found = match_lines(&rows, lines);
        let taken: HashSet<usize> = found.iter().flatten().copied().collect();
        let gone = |(number, row): &(usize, &AccountRow)| {
            row.target.is_some() && !taken.contains(number) && is_meant(row, common)
        };
        let departed: Vec<_> = rows.iter().enumerate().filter(gone).map(|(_, row)| row.clone()).collect();
        someone_is_meant(lines, &departed, common)?;
        let (mut listed, mut unknown) = (Vec::new(), Vec::new());
        for (line, row) in lines.iter().zip(&found).filter(|(line, _)| is_chosen(line, common)) {
            match row.and_then(|number| rows.get(number)) {
                Some(row) => listed.push(as_listed(row, line)),
                None => unknown.push(line.clone()),
            }
        }
        Ok(Self { listed, unknown, departed })
    }
}

/// The account of every line, by address or alias; one that the tenant still lists before one that is gone.
fn match_lines(rows: &[AccountRow], lines: &[AccountLine]) -> Vec<Option<usize>> {
    let mut known: HashMap<String, Vec<usize>> = HashMap::new();
    for (number, row) in rows.iter().enumerate() {
        for address in std::iter::once(&row.account.address).chain(&row.account.aliases) {
            known.entry(address.to_lowercase()).or_default().push(number);
        }
    }
    let best = |line: &AccountLine| {
        let address = line.source.to_lowercase();
        let other = |row: &AccountRow| row.account.address.to_lowercase() != address;
        known.get(&address)?.iter().copied().min_by_key(|&number| (rows[number].gone, other(&rows[number])))
    };
    lines.iter().map(best).collect()
}

fn someone_is_meant(lines: &[AccountLine], departed: &[AccountRow], common: &Common) -> Result<(), Failure> {
    let is_departed = |wanted: &str| {
        departed.iter().any(|row| {
            row.account.address.eq_ignore_ascii_case(wanted)
                || row.target.as_ref().is_some_and(|target| target.as_str() == wanted)
        })
    };
    for wanted in &common.accounts {
        if !is_departed(wanted) && !lines.iter().any(|line| names(line, wanted)) {
            return Err(nobody(wanted));
        }
    }
    match &common.wave {
        Some(wave) if departed.is_empty() && !lines.iter().any(|line| line.wave == *wave) => Err(no_wave(wave)),
        Some(_) | None => Ok(()),
    }
}

fn as_listed(row: &AccountRow, line: &AccountLine) -> AccountRow {
    AccountRow {
        wave: Some(line.wave.clone()),
        target: Some(transhume_contract::AccountId::new(line.target.clone())),
        ..row.clone()
    }
}
