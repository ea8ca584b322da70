//! Media types as the source tells them.

/// `type "/" subtype` (RFC 2045 section 5.1) in lower case, with the charset if one was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MediaType {
    pub name: String,
    pub charset: Option<String>,
}

impl MediaType {
    /// None when the text is no media type.
    pub fn read(text: &str) -> Option<Self> {
        let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
        let name = name.trim().to_ascii_lowercase();
        let (kind, subtype) = name.split_once('/')?;
        (is_token(kind) && is_token(subtype)).then(|| Self { charset: charset(parameters), name: name.clone() })
    }

    pub fn octets() -> Self {
        Self { name: "application/octet-stream".to_owned(), charset: None }
    }
}

fn charset(parameters: &str) -> Option<String> {
    let of = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("charset") && is_token(value)).then(|| value.to_owned())
    };
    parameters.split(';').find_map(of)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(c))
}
