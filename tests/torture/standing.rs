//! What stands at a server, read by a bare client that shares nothing with the connector.

use std::collections::BTreeMap;
use transhume_servers::RawImap;

/// Everything in these mailboxes, as sorted lines: login, folder, bytes, flags, date, and the subject for the reader.
pub fn standing(port: u16, logins: &[String]) -> Vec<Vec<String>> {
    logins.iter().map(|login| of_login(port, login)).collect()
}

fn of_login(port: u16, login: &str) -> Vec<String> {
    let mut session = RawImap::login(port, login, "secret").unwrap();
    let listed = session.command("LIST \"\" \"*\"").unwrap();
    assert!(listed.is_ok(), "{}", listed.end);
    let mut lines = Vec::new();
    for folder in listed.untagged.iter().filter_map(|line| folder_name(line)) {
        if !session.command(&format!("EXAMINE {folder}")).unwrap().is_ok() {
            continue; // a name without a mailbox
        }
        lines.push(folder.clone());
        let fetched = session.command("UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])").unwrap();
        lines.extend(fetched.untagged.iter().filter_map(|line| message(line)).map(|text| format!("{folder} {text}")));
    }
    lines.sort();
    lines
}

/// The name as it was listed, quotes and all; a name sent as a literal is quoted.
fn folder_name(line: &[u8]) -> Option<String> {
    let line = String::from_utf8(line.to_vec()).ok()?;
    let rest = line.strip_prefix("* LIST (")?.split_once(") ")?.1;
    let name = rest.split_once(' ')?.1;
    Some(match name.split_once("}\r\n") {
        Some((_, literal)) => format!("\"{}\"", literal.replace('\\', "\\\\").replace('"', "\\\"")),
        None if name.starts_with('"') => name.to_owned(),
        None => format!("\"{name}\""),
    })
}

fn message(response: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(response.get(..response.len().min(4000))?).into_owned();
    text.split_once(" FETCH (")?;
    let (head, body, tail) = around_literal(response);
    let told = format!("{} {}", String::from_utf8_lossy(head), String::from_utf8_lossy(tail));
    let mut flags: Vec<_> = told.split_once("FLAGS (")?.1.split_once(')')?.0.split_whitespace().collect();
    flags.retain(|flag| *flag != "\\Recent");
    flags.sort_unstable();
    let date = told.split_once("INTERNALDATE \"")?.1.split_once('"')?.0;
    let subject =
        String::from_utf8_lossy(body).lines().find(|line| line.starts_with("Subject:")).unwrap_or("").to_owned();
    Some(format!("{} {} [{}] {date} {subject}", blake3::hash(body).to_hex(), body.len(), flags.join(" ")))
}

fn around_literal(response: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let end = response.windows(3).position(|part| part == b"}\r\n");
    let Some(end) = end else { return (response, b"", b"") };
    let (head, rest) = (&response[..end], &response[end + 3..]);
    let open = head.iter().rposition(|byte| *byte == b'{').unwrap();
    let length: usize = std::str::from_utf8(&head[open + 1..]).unwrap().parse().unwrap();
    (head, &rest[..length], &rest[length..])
}

/// How many of the lines show a message: they bear its hash.
pub fn messages(lines: &[String]) -> usize {
    let is_hash = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    lines.iter().filter(|line| line.split(' ').any(is_hash)).count()
}

/// Panics with what is lost and what is too many.
pub fn assert_same(found: &[Vec<String>], expected: &[Vec<String>], case: &str) {
    let mut complaint = String::new();
    for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
        let mut balance = BTreeMap::<&String, i32>::new();
        expected.iter().for_each(|line| *balance.entry(line).or_default() -= 1);
        found.iter().for_each(|line| *balance.entry(line).or_default() += 1);
        for (line, count) in balance.into_iter().filter(|(_, count)| *count != 0) {
            let word = if count < 0 { "lost" } else { "too many" };
            complaint += &format!("account {number}: {} {word}: {line}\n", count.abs());
        }
    }
    assert_eq!(found.len(), expected.len(), "{case}");
    assert!(complaint.is_empty(), "{case}\n{complaint}");
}
