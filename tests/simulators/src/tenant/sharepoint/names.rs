//! What SharePoint lets people call things (Microsoft support: restrictions and limitations in OneDrive and SharePoint).

const FORBIDDEN: &str = "\"*:<>?/\\|";
const RESERVED: &[&str] = &[".lock", "con", "prn", "aux", "nul", "desktop.ini"];

/// # Errors
/// A sentence about what is wrong with the name.
pub(crate) fn check(name: &str, folder: bool) -> Result<(), String> {
    let lower = name.to_lowercase();
    let numbered = |word: &str| {
        lower.strip_prefix(word).is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let why = if name.is_empty() {
        "it is empty"
    } else if name.chars().any(|sign| FORBIDDEN.contains(sign) || sign.is_control()) {
        "it holds a character that SharePoint does not take"
    } else if name.starts_with(' ') || name.ends_with(' ') {
        "it begins or ends with a space"
    } else if folder && name.ends_with('.') {
        "a folder's name cannot end with a dot"
    } else if name.starts_with("~$") {
        "it begins with ~$"
    } else if RESERVED.contains(&lower.as_str()) || numbered("com") || numbered("lpt") || lower.contains("_vti_") {
        "it is reserved"
    } else {
        return Ok(());
    };
    Err(format!("\"{name}\" is no name for SharePoint: {why}."))
}

/// Whether two names are one to SharePoint, which keeps the case of letters and does not heed it. Normal forms differ.
pub(crate) fn alike(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_names_are_taken_and_some_are_not() {
        for name in ["a.docx", "fin.", "100 % sûr #1", "...", "a\u{a0}", "~tilde", "console", "com10"] {
            assert_eq!(check(name, false), Ok(()), "{name}");
        }
        for name in ["", "a:b", " a", "a ", "~$a.docx", "NUL", "Com1", "x_vti_y", "tab\t", "desktop.ini"] {
            assert!(check(name, false).is_err(), "{name}");
        }
        assert!(check("fin.", true).is_err());
        assert!(alike("Été", "éTÉ") && !alike("e\u{301}", "\u{e9}"));
    }
}
