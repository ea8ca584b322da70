//! Differences as people read them: what, where, and what to do about each kind.

use crate::{
    cli::{exit::Failure, terminal::Terminal},
    engine::{Kind, is_fine},
    report::{Of, count, grouped},
    store::{AccountStore, Verdict},
};
use serde_json::Value;
use std::collections::BTreeMap;
use transhume_contract::Workload;

/// Differences printed per account; `--json` tells all.
const SHOWN: u64 = 20;

/// Differences that stand, found now or before and not mended since.
#[derive(Default)]
pub(super) struct Differences {
    kinds: BTreeMap<Kind, u64>,
}

impl Differences {
    pub fn count(&self) -> u64 {
        self.kinds.values().sum()
    }

    /// Tells those of one account.
    pub async fn tell(
        &mut self,
        store: &AccountStore,
        workload: Workload,
        account: &str,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        let (mut after, mut told, mut left) = (0, 0, BTreeMap::<String, u64>::new());
        loop {
            let page = store.differences(workload, after, 500).await?;
            let Some(last) = page.last() else { break };
            after = last.number;
            for verdict in &page {
                terminal.tell(r#type(verdict), &Of { account, what: verdict });
                let Some(kind) = Kind::from_name(&verdict.kind).filter(|kind| !is_fine(kind.name())) else { continue };
                *self.kinds.entry(kind).or_default() += 1;
                if kind == Kind::LeftBehind {
                    *left.entry(words(&verdict.detail["at"])).or_default() += 1;
                    continue;
                }
                if told < SHOWN {
                    let item = verdict.item.map(|item| item.number());
                    terminal.print(&sentence((account, workload), kind, item, &verdict.detail));
                }
                told += 1;
            }
        }
        if told > SHOWN {
            terminal.print(&format!("{account}: and {} more; --json tells all", grouped(told - SHOWN)));
        }
        left.iter().for_each(|(at, sum)| terminal.print(&left_behind((account, workload), at, *sum)));
        Ok(())
    }

    /// What to do about each kind that was found.
    pub fn steps(&self) -> String {
        let steps = self.kinds.keys().filter_map(|&kind| Some(format!("{}: {}\n", kind.name(), step(kind)?)));
        steps.collect()
    }
}

fn r#type(verdict: &Verdict) -> &'static str {
    match Kind::from_name(&verdict.kind) {
        Some(Kind::Extra) => "extra",
        Some(_) => "difference",
        None => "changed_there",
    }
}

/// They are alike, so they are counted.
fn left_behind((account, workload): (&str, Workload), at: &str, sum: u64) -> String {
    let left = count(sum, "empty private placeholder");
    format!("{account}: {left} left by an interrupted run where its {}s were to come (in {at})", workload.item())
}

fn sentence((account, workload): (&str, Workload), kind: Kind, item: Option<i64>, detail: &Value) -> String {
    let thing = if workload == Workload::Mail { "item" } else { workload.item() };
    let number = item.map_or_else(|| words(&detail["copy_of"]), |item| item.to_string());
    let what = match kind {
        Kind::Missing if detail["stands_there_anew"] == true => {
            format!(", but the same {} stands there anew", workload.item())
        }
        Kind::Altered => altered(detail),
        Kind::Reflagged => format!(": {}", words(&detail["differing"])),
        Kind::Redated => format!(": {} was placed, {} is there", words(&detail["expected"]), words(&detail["seen"])),
        Kind::Unfaithful => format!(" to its original: {}", few(&detail["differences"])),
        Kind::Ok | Kind::Missing | Kind::Duplicate | Kind::LeftBehind | Kind::Extra => String::new(),
    };
    let found = match kind {
        Kind::Duplicate => format!("a second copy of {thing} {number} is there"),
        kind => format!("{thing} {number} is {}", kind.name()),
    };
    format!("{account}: {found}{what}{}", whereabouts(workload, detail))
}

/// Differences told of one item; `--json` tells all.
const TOLD: usize = 3;

/// The first few of many.
fn few(differences: &Value) -> String {
    let all = differences.as_array().map(Vec::as_slice).unwrap_or_default();
    let told: Vec<_> = all.iter().take(TOLD).map(words).collect();
    let more = all.len().saturating_sub(TOLD);
    let rest = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("{}{rest}", told.join(", "))
}

fn altered(detail: &Value) -> String {
    if detail["differences"].is_array() {
        return format!(": {}", few(&detail["differences"]));
    }
    if detail["written_since"] == true {
        return ": it was written there since".to_owned();
    }
    match (detail["expected_bytes"].as_u64(), detail["seen_bytes"].as_u64()) {
        (Some(placed), Some(seen)) if placed != seen => {
            format!(": {} bytes were placed, {} are there", grouped(placed), grouped(seen))
        }
        _ => ": other bytes of the same length".to_owned(),
    }
}

/// By what a person finds it.
fn whereabouts(workload: Workload, detail: &Value) -> String {
    let known_by = if workload == Workload::Mail { "message id " } else { "uid " };
    let told = [("at", "in "), ("message_id", known_by)];
    let told = told.into_iter().filter_map(|(field, word)| Some(format!("{word}{}", detail[field].as_str()?)));
    let told: Vec<_> = told.collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}

/// A value as words: a list by commas, a text without its quotes.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(several) => several.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    }
}

const fn step(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Missing => {
            "if nobody deleted or moved it there on purpose, `transhume push --repair` places it again, or takes over the \
             same one where it stands anew."
        }
        Kind::Altered => "to get back what was placed, delete it there, verify again, then `transhume push --repair`.",
        Kind::Reflagged | Kind::Redated => {
            "push never undoes what people do there; if it was not meant, set it right with a mail program."
        }
        Kind::Unfaithful => {
            "a defect of a conversion: please report it with what `transhume explain ITEM` says. The original is kept in the store."
        }
        Kind::Duplicate => "delete one of the two there; `transhume explain ITEM` names the one that is ours.",
        Kind::LeftBehind => "`transhume push` puts the items in their places, and removes what no item comes for.",
        Kind::Ok | Kind::Extra => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Differences, Kind, left_behind, sentence};
    use serde_json::{Value, json};
    use transhume_contract::Workload;

    fn said(kind: Kind, detail: Value) -> String {
        sentence(("ada", Workload::Mail), kind, Some(5), &detail)
    }

    #[test]
    fn each_kind_reads_as_a_sentence() {
        let place = |mut detail: Value| {
            detail["at"] = json!("INBOX");
            detail["message_id"] = json!("<a@b>");
            detail
        };
        assert_eq!(
            said(Kind::Altered, place(json!({ "expected_bytes": 1200, "seen_bytes": 7 }))),
            "ada: item 5 is altered: 1,200 bytes were placed, 7 are there (in INBOX, message id <a@b>)"
        );
        assert_eq!(
            said(Kind::Reflagged, json!({ "differing": ["read", "flag"] })),
            "ada: item 5 is reflagged: read, flag"
        );
        assert_eq!(
            said(Kind::Missing, json!({ "stands_there_anew": true })),
            "ada: item 5 is missing, but the same message stands there anew"
        );
        let task = (("ada", Workload::Tasks), json!({ "stands_there_anew": true, "at": "Home", "message_id": "a" }));
        assert_eq!(
            sentence(task.0, Kind::Missing, Some(5), &task.1),
            "ada: task 5 is missing, but the same task stands there anew (in Home, uid a)"
        );
    }

    #[test]
    fn placeholders_are_counted_by_calendar() {
        assert_eq!(
            left_behind(("ada", Workload::Calendar), "Work", 12),
            "ada: 12 empty private placeholders left by an interrupted run where its events were to come (in Work)"
        );
    }

    #[test]
    fn every_kind_that_differs_has_a_step() {
        let all = Differences { kinds: Kind::ALL.into_iter().map(|kind| (kind, 1)).collect() };
        assert_eq!(all.steps().lines().count(), Kind::ALL.len() - 2);
    }
}
