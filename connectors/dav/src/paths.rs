//! Paths and the names of what stands below them.
//!
//! Servers write the same path in different ways: Nextcloud with small hex digits and `@` bare, others with whole
//! addresses. Here a path is always made of segments encoded by ourselves, so that equal means equal.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use transhume_contract::{Digest, Workload};
use transhume_http::Url;

/// RFC 3986 section 2.3: only what is unreserved stays bare.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A segment of a path, for any name.
pub fn encoded(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// The path of an href, relative to the address it came from; none where it leads to another host.
pub fn path_of(href: &str, base: &Url) -> Option<String> {
    let url = base.join(href.trim()).ok()?;
    let same = url.host_str() == base.host_str() && url.port_or_known_default() == base.port_or_known_default();
    same.then(|| canonical(url.path()))
}

/// The one spelling of a path.
pub fn canonical(path: &str) -> String {
    path.split('/').map(|segment| encoded(&decoded(segment))).collect::<Vec<_>>().join("/")
}

/// The path of a collection: with its last slash.
pub fn folder(path: &str) -> String {
    if path.ends_with('/') { path.to_owned() } else { format!("{path}/") }
}

/// The path of something in a collection.
pub fn below(collection: &str, name: &str) -> String {
    format!("{}{}", folder(collection), encoded(name))
}

/// What a path calls its last segment, decoded.
pub fn last_name(path: &str) -> String {
    decoded(path.trim_end_matches('/').rsplit('/').next().unwrap_or_default())
}

/// The name of something directly in a collection; none for the collection itself and for what stands elsewhere.
pub fn name_in(collection: &str, path: &str) -> Option<String> {
    let rest = path.strip_prefix(folder(collection).as_str())?.trim_end_matches('/');
    (!rest.is_empty() && !rest.contains('/')).then(|| decoded(rest))
}

const fn extension(workload: Workload) -> &'static str {
    match workload {
        Workload::Contacts => "vcf",
        Workload::Calendar | Workload::Tasks | Workload::Mail | Workload::Files => "ics",
    }
}

/// The longest UID that is a name as it stands.
const LONGEST: usize = 200;

/// Whether every server takes a UID as a name: Radicale refuses `:` and `?` and a leading dot, SOGo reads `%2F` as a
/// step down, and no server may tell `a` and `A` of two UIDs apart on a disk that does not.
pub fn is_plain(uid: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=LONGEST).contains(&uid.len()) && uid.bytes().all(plain) && !uid.starts_with('.')
}

/// The name an item has wherever it is placed: from its UID alone.
pub fn item_name(workload: Workload, uid: &str) -> String {
    let stem = if is_plain(uid) { uid.to_owned() } else { format!("u-{}", Digest::of_texts([uid]).front(40)) };
    format!("{stem}.{}", extension(workload))
}

/// The name a collection is made under: from its whole path, readable in part. A number where one is taken.
pub fn collection_name(workload: Workload, path: &[String], number: u32) -> String {
    let shown = path.last().map(|name| readable(name)).unwrap_or_default();
    let shown = if shown.is_empty() { workload.name().to_owned() } else { shown };
    let parts = std::iter::once(workload.name()).chain(path.iter().map(String::as_str));
    let number = if number > 1 { format!("-{number}") } else { String::new() };
    format!("{shown}-{}{number}", Digest::of_texts(parts).front(10))
}

fn readable(name: &str) -> String {
    let kept =
        name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' });
    let kept: String = kept.collect();
    let words: Vec<&str> = kept.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(40).collect::<String>().trim_end_matches('-').to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_path_has_one_spelling() {
        let base: Url = "https://cloud.example.org/remote.php/dav/".parse().unwrap();
        let spellings = [
            "/calendars/ann@example.org/caf%c3%a9%20%2b/",
            "https://cloud.example.org:443/calendars/ann%40example.org/caf%C3%A9%20%2B/",
            "/calendars/ann%40example.org/café +/",
        ];
        for spelling in spellings {
            let path = path_of(spelling, &base).unwrap();
            assert_eq!(path, "/calendars/ann%40example.org/caf%C3%A9%20%2B/", "{spelling}");
        }
        assert_eq!(path_of("https://evil.example/", &base), None);
    }

    #[test]
    fn names_are_found_below_their_collection_alone() {
        let path = below("/a/b", "x/y z.ics");
        assert_eq!(path, "/a/b/x%2Fy%20z.ics");
        assert_eq!(name_in("/a/b/", &path), Some("x/y z.ics".into()));
        assert_eq!(name_in("/a/b/", "/a/b/"), None);
        assert_eq!(name_in("/a/b/", "/a/bc/x.ics"), None);
        assert_eq!(name_in("/a/b/", "/a/b/c/x.ics"), None);
        assert_eq!(last_name("/a/caf%C3%A9/"), "café");
    }

    #[test]
    fn a_uid_is_its_own_name_where_every_server_takes_it() {
        let outlook = "040000008200E00074C5B7101A82E008000000001234";
        assert_eq!(item_name(Workload::Calendar, outlook), format!("{outlook}.ics"));
        for odd in [".hidden", "a:b", "a/b", "ü", "a@b", "", &"x".repeat(201)] {
            let name = item_name(Workload::Contacts, odd);
            assert!(is_plain(&name) && name.ends_with(".vcf") && name.len() == 46, "{odd}: {name}");
        }
        assert_ne!(item_name(Workload::Tasks, "a:b"), item_name(Workload::Tasks, "a?b"));
    }

    #[test]
    fn collections_have_names_of_their_own() {
        let path = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let names = [
            collection_name(Workload::Calendar, &path(&["a/b"]), 1),
            collection_name(Workload::Calendar, &path(&["a", "b"]), 1),
            collection_name(Workload::Calendar, &path(&["a_b"]), 1),
            collection_name(Workload::Tasks, &path(&["a_b"]), 1),
            collection_name(Workload::Tasks, &path(&["a_b"]), 2),
            collection_name(Workload::Calendar, &path(&["日本"]), 1),
        ];
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert!(names.iter().all(|name| is_plain(name)), "{names:?}");
        assert!(names[5].starts_with("calendar-"));
    }

    /// Other names would be other items: what stands would be placed a second time.
    #[test]
    fn names_are_the_same_in_every_version() {
        assert_eq!(item_name(Workload::Calendar, "a:b"), "u-24ddfe5821d95e41ae318d5667c2708815ce4560.ics");
        let path = ["Büro".to_owned(), "Plan B".to_owned()];
        assert_eq!(collection_name(Workload::Tasks, &path, 2), "plan-b-666d2ddfd2-2");
    }
}
