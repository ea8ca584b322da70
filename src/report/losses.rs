//! Names of losses and how often each was met, the most frequent first: a list that can be looked over at a glance.

use super::words::grouped;
use std::{cmp::Reverse, collections::BTreeMap};

/// Before each line.
const INDENT: usize = 4;
/// Between two columns.
const GAP: usize = 3;

/// A line each; as many beside each other as a terminal of this width has room for, to be read downwards. Nothing for
/// none.
pub fn losses_listed(sums: BTreeMap<&str, u64>, width: Option<usize>) -> String {
    let mut sums: Vec<_> = sums.into_iter().filter(|(_, items)| *items > 0).collect();
    sums.sort_by_key(|(_, items)| Reverse(*items));
    let digits = sums.first().map_or(0, |(_, items)| grouped(*items).len());
    let cells: Vec<_> = sums.iter().map(|(name, items)| format!("{:>digits$}  {name}", grouped(*items))).collect();
    let longest = cells.iter().map(String::len).max().unwrap_or(0);
    let room = width.map_or(0, |width| width.saturating_sub(INDENT) + GAP);
    let rows = cells.len().div_ceil((room / (longest + GAP)).max(1));
    let line = |row: usize| {
        let beside: Vec<_> = cells.iter().skip(row).step_by(rows).map(|cell| format!("{cell:<longest$}")).collect();
        format!("{:INDENT$}{}\n", "", beside.join(&" ".repeat(GAP)).trim_end())
    };
    (0..rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::losses_listed;
    use std::collections::BTreeMap;

    fn sums() -> BTreeMap<&'static str, u64> {
        BTreeMap::from([("answer_time", 65), ("busy_unknown", 3), ("importance_low", 1152), ("none", 0), ("end", 3)])
    }

    #[test]
    fn the_most_frequent_stand_first_a_line_each() {
        assert_eq!(
            losses_listed(sums(), None),
            "    1,152  importance_low\n       65  answer_time\n        3  busy_unknown\n        3  end\n"
        );
        assert_eq!(losses_listed(BTreeMap::new(), Some(80)), "");
    }

    #[test]
    fn a_terminal_holds_several_beside_each_other_and_none_is_lost() {
        let wide = losses_listed(sums(), Some(50));
        assert_eq!(wide, "    1,152  importance_low       3  busy_unknown\n       65  answer_time          3  end\n");
        for width in 0..120 {
            let listed = losses_listed(sums(), Some(width));
            assert_eq!(listed.split_whitespace().count(), 8, "{width}: {listed}");
            assert!(width < 30 || listed.lines().all(|line| line.len() <= width), "{width}: {listed}");
        }
    }
}
