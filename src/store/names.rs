//! The folder name of an account: readable, safe on every file system, and never the same for two accounts.

/// Longer names are cut: file systems allow 255 bytes, and people put projects deep.
const LONGEST: usize = 100;
/// Hexadecimal digits of the address's hash that make an altered name unique.
const DIGITS: usize = 16;

/// Lower-case addresses made of safe letters are their own name. Any other gets its unsafe letters replaced and `~` and
/// a hash of the exact address added; `~` is not a safe letter, so the two kinds never meet.
pub(super) fn folder_name(address: &str) -> String {
    let address = address.to_lowercase();
    if is_safe(&address) { address } else { altered(&address, &address) }
}

/// The name of an account whose plain name another account already has (an address that changed hands).
pub(super) fn folder_name_of_second(address: &str, id: &str) -> String {
    altered(&address.to_lowercase(), id)
}

fn altered(address: &str, unique: &str) -> String {
    let plain: String = address.chars().take(LONGEST).map(|c| if is_safe_letter(c) { c } else { '_' }).collect();
    let hash = blake3::hash(unique.as_bytes()).to_hex();
    format!("{}~{}", plain.trim_matches('.'), &hash[..DIGITS])
}

fn is_safe(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST
        && name.chars().all(is_safe_letter)
        && !name.starts_with(['.', '-'])
        && !name.ends_with('.')
        && !is_device(name)
}

fn is_safe_letter(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-' | '@' | '+')
}

/// Windows keeps these names for devices, whatever follows the first dot.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let numbered = |prefix: &str| stem.strip_prefix(prefix).is_some_and(|n| n.len() == 1 && n != "0");
    matches!(stem, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_addresses_are_their_own_name() {
        assert_eq!(folder_name("Anna.Berg@Contoso.example"), "anna.berg@contoso.example");
    }

    #[test]
    fn what_a_file_system_refuses_is_replaced_and_made_unique() {
        for address in ["a/b@x", "a\\b@x", "../x", "", "con.x", "ü@x", ".", "-rf", "x.", "a b@x"] {
            let name = folder_name(address);
            assert!(name.contains('~') && !name.contains(['/', '\\', ' ']) && !name.starts_with('.'), "{name}");
        }
        assert_ne!(folder_name("a/b@x"), folder_name("a_b@x"));
        assert_ne!(folder_name("a/b@x"), folder_name("a\\b@x"));
        assert!(folder_name(&"x".repeat(400)).len() < 150);
    }

    proptest! {
        #[test]
        fn two_addresses_never_share_a_name(one in ".{0,20}", two in ".{0,20}") {
            prop_assume!(one.to_lowercase() != two.to_lowercase());
            prop_assert_ne!(folder_name(&one), folder_name(&two));
        }
    }
}
