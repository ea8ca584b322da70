//! Numbers and faults as people read them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use transhume_contract::{Fault, Timestamp, Workload};

/// `1,234 messages`, `1 message`.
pub fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

/// `12 folders, 2 calendars and 1 task list`; `0 folders` of none.
pub fn collections(of: impl IntoIterator<Item = (Workload, u64)>) -> String {
    let mut sums: BTreeMap<Workload, u64> = BTreeMap::new();
    of.into_iter().for_each(|(workload, number)| *sums.entry(workload).or_default() += number);
    sums.retain(|_, number| *number > 0);
    match sums.is_empty() {
        true => count(0, Workload::Mail.collection()),
        false => and(sums.into_iter().map(|(workload, number)| count(number, workload.collection())).collect()),
    }
}

/// `2 messages, 1 event and 3 tasks`.
pub fn items(of: &BTreeMap<Workload, u64>) -> String {
    and(of.iter().map(|(workload, number)| count(*number, workload.item())).collect())
}

/// `folders, calendars and task lists`: what these workloads call theirs.
pub fn kinds_of_collections(of: impl IntoIterator<Item = Workload>) -> String {
    let words: BTreeSet<&str> = of.into_iter().map(Workload::collection).collect();
    and(words.into_iter().map(|word| format!("{word}s")).collect())
}

/// `a, b and c`.
pub fn and(mut all: Vec<String>) -> String {
    let last = all.pop().unwrap_or_default();
    if all.is_empty() { last } else { format!("{} and {last}", all.join(", ")) }
}

pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// `3.4 GB`: decimal units, as disks and quotas are sold.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if number < 1000 {
        return format!("{number} B");
    }
    let (mut value, mut unit) = (number as f64 / 1000.0, 0);
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `4 min`, `2 h 05 min`, `3 days 4 h`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds.div_ceil(60)),
        3600..86_400 => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} {} h", count(seconds / 86_400, "day"), seconds % 86_400 / 3600),
    }
}

/// `2026-11-22 04:50`, in the time of whoever reads it.
pub fn moment(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Words of other people's for one line: without what would break it or steer the terminal.
pub fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A fault as lines: what happened, the next step, and what the service's support desk will ask for.
pub fn fault_lines(fault: &Fault) -> Vec<String> {
    let support = match (&fault.code, &fault.request_id) {
        (Some(code), Some(id)) => Some(format!("(service code {code}, request {id})")),
        (Some(code), None) => Some(format!("(service code {code})")),
        (None, Some(id)) => Some(format!("(request {id})")),
        (None, None) => None,
    };
    let lines = [Some(fault.sentence.clone()), fault.next_step().map(str::to_owned), support];
    lines.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::{bytes, collections, count, duration, items, kinds_of_collections, one_line};
    use std::{collections::BTreeMap, time::Duration};
    use transhume_contract::Workload::{Calendar, Contacts, Mail, Tasks};

    #[test]
    fn collections_go_by_the_word_of_their_workload() {
        let all = [(Tasks, 1), (Mail, 9), (Calendar, 2), (Mail, 3), (Contacts, 0)];
        assert_eq!(collections(all), "12 folders, 2 calendars and 1 task list");
        assert_eq!((collections([(Calendar, 1)]), collections([])), ("1 calendar".to_owned(), "0 folders".to_owned()));
        assert_eq!(kinds_of_collections([Tasks, Calendar, Tasks]), "calendars and task lists");
        assert_eq!(kinds_of_collections([Mail]), "folders");
        assert_eq!(
            items(&BTreeMap::from([(Tasks, 3), (Mail, 1200), (Calendar, 1)])),
            "1,200 messages, 1 event and 3 tasks"
        );
    }

    #[test]
    fn what_others_wrote_stays_on_its_line() {
        assert_eq!(one_line(" two\r\n lines\u{1b}[31m,\tred "), "two lines [31m, red");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1, "message"), "1 message");
        assert_eq!(count(1_234_567, "message"), "1,234,567 messages");
        assert_eq!(
            [bytes(999), bytes(1000), bytes(999_999), bytes(6_000_000_000_000)],
            ["999 B", "1.0 kB", "1.0 MB", "6.0 TB"]
        );
        assert_eq!(duration(Duration::from_secs(59)), "59 s");
        assert_eq!(duration(Duration::from_secs(61)), "2 min");
        assert_eq!(duration(Duration::from_secs(7500)), "2 h 05 min");
        assert_eq!(duration(Duration::from_secs(100_000)), "1 day 3 h");
    }
}
