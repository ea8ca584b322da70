//! Members of the service's resources, told or not.

use serde_json::Value;

/// A text that says something: the service tells unset ones as `null` or as the empty string.
pub(crate) fn said<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    of[name].as_str().filter(|text| !text.is_empty())
}

pub(crate) fn yes(of: &Value, name: &str) -> bool {
    of[name].as_bool().unwrap_or_default()
}

pub(crate) fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().map_or(&[], Vec::as_slice)
}
