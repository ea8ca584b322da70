//! What the header of a message says of its body: RFC 2045, RFC 2231.

/// The `boundary` parameter of a multipart content type (RFC 2045 section 5.1), plain, quoted, or in the continued
/// form of RFC 2231.
pub fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !media_type(kind).starts_with("multipart/") {
        return None;
    }
    let parameters = split_parameters(parameters);
    let plain = parameters.iter().find(|(name, _)| name == "boundary" || name == "boundary*");
    let found = plain.map_or_else(|| continued(&parameters), |(_, value)| value.clone());
    let found = found.trim_end().to_owned();
    (!found.is_empty()).then_some(found)
}

fn continued(parameters: &[(String, String)]) -> String {
    let part = |n: usize| {
        let (plain, encoded) = (format!("boundary*{n}"), format!("boundary*{n}*"));
        parameters.iter().find(|(name, _)| *name == plain || *name == encoded).map(|(_, value)| value.as_str())
    };
    (0..).map_while(part).collect()
}

/// Splits `a=b; c="d;e"` into names in lower case and values without quotes.
fn split_parameters(text: &str) -> Vec<(String, String)> {
    let (mut pieces, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for letter in text.chars() {
        let Some(piece) = pieces.last_mut() else { break };
        match letter {
            _ if escaped => (piece.push(letter), escaped = false).1,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => pieces.push(String::new()),
            _ => piece.push(letter),
        }
    }
    let split = |piece: &String| {
        piece.split_once('=').map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim_start().to_owned()))
    };
    pieces.iter().filter_map(split).collect()
}

/// The part before the parameters, in lower case.
pub fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn boundaries_are_read_in_every_form() {
        assert_eq!(boundary(" multipart/mixed; boundary=abc").unwrap(), "abc");
        assert_eq!(boundary("Multipart/Mixed; charset=x; BOUNDARY=\"a;b\\\"c\"; y=z").unwrap(), "a;b\"c");
        assert_eq!(boundary("multipart/mixed; boundary*0=\"ab\"; boundary*1=\"cd\"").unwrap(), "abcd");
        assert_eq!(boundary("text/plain; boundary=abc"), None);
        assert_eq!(boundary("multipart/mixed"), None);
        assert_eq!(boundary("multipart/mixed; boundary=\"\""), None);
    }
}
