//! Query options.

use percent_encoding::percent_decode_str;

use super::Refusal;

/// The options of a request in order, decoded.
#[derive(Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub fn parse(raw: &str) -> Self {
        let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Self(pairs.collect())
    }

    /// The last value given, as names of options compare without case.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// An option as drives take it, with its dollar sign or without, and whether it had one.
    pub fn either(&self, name: &str) -> Option<(&str, bool)> {
        let with = self.get(&format!("${name}")).map(|value| (value, true));
        with.or_else(|| self.get(name).map(|value| (value, false)))
    }

    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// `$select` as names; absent if nothing was selected.
    pub fn select(&self) -> Option<Vec<String>> {
        let names: Vec<String> = self.get("$select")?.split(',').map(|name| name.trim().to_owned()).collect();
        let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
        (!names.is_empty()).then_some(names)
    }

    /// A number that is not negative.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn number(&self, name: &str) -> Result<Option<usize>, Refusal> {
        self.get(name).map_or(Ok(None), |value| match value.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Refusal::bad_query(format!("Invalid value '{value}' for {name} query option found."))),
        })
    }

    /// The options without some, encoded, to be carried on by a link.
    pub fn without(&self, dropped: &[&str]) -> Vec<(String, String)> {
        self.0.iter().filter(|(key, _)| !dropped.iter().any(|name| key.eq_ignore_ascii_case(name))).cloned().collect()
    }
}

fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}
