//! Hiding capabilities: what is taken out of answers, and which commands are refused.

use super::Script;

/// The proxy would be blind behind these.
const NEVER: [&str; 2] = ["STARTTLS", "COMPRESS=DEFLATE"];

/// Response codes that come with a capability.
const CODES: [(&str, &str); 9] = [
    ("UIDPLUS", "APPENDUID"),
    ("UIDPLUS", "COPYUID"),
    ("UIDPLUS", "UIDNOTSTICKY"),
    ("CONDSTORE", "HIGHESTMODSEQ"),
    ("CONDSTORE", "NOMODSEQ"),
    ("CONDSTORE", "MODIFIED"),
    ("OBJECTID", "MAILBOXID"),
    ("BINARY", "UNKNOWN-CTE"),
    ("METADATA", "METADATA"),
];

/// What one needs a capability for: (capability, verb or empty for any, text in the arguments or empty for none).
const USES: [(&str, &str, &str); 31] = [
    ("STARTTLS", "STARTTLS", ""),
    ("COMPRESS=DEFLATE", "COMPRESS", ""),
    ("MOVE", "MOVE", ""),
    ("MOVE", "UID MOVE", ""),
    ("UIDPLUS", "UID EXPUNGE", ""),
    ("UNSELECT", "UNSELECT", ""),
    ("ENABLE", "ENABLE", ""),
    ("NAMESPACE", "NAMESPACE", ""),
    ("ID", "ID", ""),
    ("IDLE", "IDLE", ""),
    ("QUOTA", "GETQUOTA", ""),
    ("QUOTA", "GETQUOTAROOT", ""),
    ("QUOTA", "SETQUOTA", ""),
    ("METADATA", "GETMETADATA", ""),
    ("METADATA", "SETMETADATA", ""),
    ("SORT", "SORT", ""),
    ("SORT", "UID SORT", ""),
    ("CATENATE", "APPEND", "CATENATE ("),
    ("BINARY", "APPEND", "~{"),
    ("BINARY", "", "BINARY["),
    ("BINARY", "", "BINARY.PEEK["),
    ("ESEARCH", "SEARCH", "RETURN ("),
    ("ESEARCH", "UID SEARCH", "RETURN ("),
    ("LIST-EXTENDED", "LIST", "RETURN ("),
    ("LIST-STATUS", "LIST", "STATUS ("),
    ("SPECIAL-USE", "LIST", "SPECIAL-USE"),
    ("CREATE-SPECIAL-USE", "CREATE", "USE ("),
    ("STATUS=SIZE", "STATUS", " SIZE"),
    ("CONDSTORE", "", "CHANGEDSINCE "),
    ("CONDSTORE", "", "(CONDSTORE"),
    ("QRESYNC", "", "(QRESYNC"),
];

/// The hidden capability that this command line makes use of.
pub(super) fn offence(script: &Script, verb: &str, arguments: &[u8]) -> Option<&'static str> {
    let arguments = String::from_utf8_lossy(arguments).to_uppercase();
    let used = |(_, of, text): &&(&str, &str, &str)| (of.is_empty() || *of == verb) && arguments.contains(text);
    USES.iter().filter(used).map(|(capability, ..)| *capability).find(|name| hidden(script, name))
}

fn hidden(script: &Script, capability: &str) -> bool {
    NEVER.contains(&capability) || script.hides(capability)
}

/// A line of the server without what is hidden.
pub(super) fn edited(script: &Script, line: &[u8]) -> Vec<u8> {
    let Some((text, end)) = split_end(line) else {
        return line.to_vec();
    };
    if let Some(list) = text.strip_prefix("* CAPABILITY ") {
        return format!("* CAPABILITY {}{end}", listed(script, list)).into_bytes();
    }
    let Some((head, code, rest)) = response_code(text) else {
        return line.to_vec();
    };
    if let Some(list) = code.strip_prefix("CAPABILITY ") {
        return format!("{head}[CAPABILITY {}]{rest}{end}", listed(script, list)).into_bytes();
    }
    let name = code.split(' ').next().unwrap_or_default();
    if hides_code(script, name) {
        return format!("{head}{}{end}", rest.trim_start()).into_bytes();
    }
    line.to_vec()
}

fn split_end(line: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(line).ok()?;
    let bare = text.trim_end_matches(['\r', '\n']);
    Some((bare, text.get(bare.len()..)?))
}

fn listed(script: &Script, list: &str) -> String {
    let kept = list.split(' ').filter(|name| !hidden(script, name));
    kept.chain(script.advertise.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
}

/// `tag OK [CODE arguments] text` in three: up to the bracket, inside, after it.
fn response_code(text: &str) -> Option<(&str, &str, &str)> {
    let mut words = text.splitn(3, ' ');
    let (_tag, condition, rest) = (words.next()?, words.next()?, words.next()?);
    if !matches!(condition, "OK" | "NO" | "BAD" | "BYE" | "PREAUTH") {
        return None;
    }
    let (code, after) = rest.strip_prefix('[')?.split_once(']')?;
    Some((text.get(..text.len() - rest.len())?, code, after))
}

fn hides_code(script: &Script, code: &str) -> bool {
    let with = |(capability, name): &(&str, &str)| *name == code && script.hides(capability);
    script.strip_codes.iter().any(|name| name.eq_ignore_ascii_case(code)) || CODES.iter().any(with)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(script: &Script, line: &str) -> String {
        String::from_utf8_lossy(&edited(script, line.as_bytes())).into_owned()
    }

    #[test]
    fn capabilities_leave_every_place_they_are_told_in() {
        let script = Script::without(&["UIDPLUS", "MULTIAPPEND"]);
        assert_eq!(
            edit(&script, "* CAPABILITY IMAP4rev1 UIDPLUS MOVE MULTIAPPEND\r\n"),
            "* CAPABILITY IMAP4rev1 MOVE\r\n"
        );
        assert_eq!(
            edit(&script, "* OK [CAPABILITY IMAP4rev1 STARTTLS UIDPLUS ID] hello\r\n"),
            "* OK [CAPABILITY IMAP4rev1 ID] hello\r\n"
        );
        assert_eq!(edit(&script, "a1 OK [APPENDUID 1 2:3] Done\r\n"), "a1 OK Done\r\n");
        assert_eq!(edit(&script, "* OK [COPYUID 1 2 3] Moved\r\n"), "* OK Moved\r\n");
    }

    #[test]
    fn a_code_can_go_while_its_capability_stays() {
        let script = Script { strip_codes: vec!["APPENDUID".into()], ..Script::default() };
        assert_eq!(edit(&script, "* CAPABILITY UIDPLUS\r\n"), "* CAPABILITY UIDPLUS\r\n");
        assert_eq!(edit(&script, "a OK [APPENDUID 1 2] Done\r\n"), "a OK Done\r\n");
        assert_eq!(edit(&script, "a OK [COPYUID 1 2 3] Done\r\n"), "a OK [COPYUID 1 2 3] Done\r\n");
    }

    #[test]
    fn other_lines_are_left_alone() {
        let script = Script::without(&["UIDPLUS"]);
        for line in
            ["* 1 FETCH (UID 2 BODY[] {10}\r\n", "* LIST () \"/\" \"[APPENDUID 1 2]\"\r\n", "a NO [TRYCREATE] No\r\n"]
        {
            assert_eq!(edit(&script, line), line);
        }
    }

    #[test]
    fn a_hidden_capability_is_refused_where_it_is_used() {
        let script = Script::without(&["MOVE", "CONDSTORE"]);
        assert_eq!(offence(&script, "UID MOVE", b"1 Archive"), Some("MOVE"));
        assert_eq!(offence(&script, "UID FETCH", b"1:* (FLAGS) (CHANGEDSINCE 7)"), Some("CONDSTORE"));
        assert_eq!(offence(&script, "UID EXPUNGE", b"1"), None);
        assert_eq!(offence(&Script::default(), "STARTTLS", b""), Some("STARTTLS"));
    }
}
