//! Which server this is, and what that means: a table, not a set of branches. Where the figures and ways come from
//! stands in QUIRKS.md.

use crate::answer::Answer;
use serde::Deserialize;
use transhume_contract::{Objects, Scheduling, VCard};

/// The servers that are known apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Nextcloud,
    /// Baikal and others built on sabre/dav.
    Sabre,
    Radicale,
    Xandikos,
    Cyrus,
    Davical,
    Sogo,
    /// Treated with the caution that all of the others together need.
    Unknown,
}

/// What is true of a kind of server.
#[derive(Clone, Copy, Debug)]
struct Ways {
    name: &'static str,
    scheduling: Scheduling,
    zero_length: bool,
    object_bytes: u64,
    vcard: VCard,
    /// Requests at once: for one account, and writing into one collection.
    lanes: usize,
    writers: usize,
    /// Where an account's principal is, when an administrator asks for another's.
    principal: Option<&'static str>,
    /// The names of the collections every account has from the start: calendar, address book.
    default: Option<(&'static str, &'static str)>,
}

const CAUTIOUS: Ways = Ways {
    name: "a CalDAV server",
    scheduling: Scheduling::ByClient,
    zero_length: false,
    object_bytes: 10_000_000,
    vcard: VCard::V3,
    lanes: 4,
    writers: 2,
    principal: None,
    default: None,
};

const fn ways(kind: Kind) -> Ways {
    match kind {
        Kind::Nextcloud => Ways {
            name: "Nextcloud",
            scheduling: Scheduling::Unneeded,
            zero_length: true,
            writers: 4,
            default: Some(("personal", "contacts")),
            ..CAUTIOUS
        },
        Kind::Sabre => Ways {
            name: "a server built on sabre/dav",
            zero_length: true,
            writers: 4,
            principal: Some("/dav.php/principals/{account}/"),
            default: Some(("default", "default")),
            ..CAUTIOUS
        },
        Kind::Radicale => Ways {
            name: "Radicale",
            scheduling: Scheduling::Unneeded,
            zero_length: true,
            // Where it does not tell: nineteen twentieths of what it takes as it is installed.
            object_bytes: 9_500_000,
            // Of the eight connections it takes at once, two are left to others. One processor does all the work, so
            // several only cover the way there.
            lanes: 6,
            writers: 1,
            principal: Some("/{account}/"),
            ..CAUTIOUS
        },
        Kind::Xandikos => Ways {
            name: "Xandikos",
            scheduling: Scheduling::Unneeded,
            zero_length: true,
            vcard: VCard::V4,
            // As with Radicale.
            lanes: 6,
            writers: 1,
            principal: Some("/{account}/"),
            ..CAUTIOUS
        },
        Kind::Cyrus => Ways {
            name: "Cyrus",
            writers: 4,
            principal: Some("/dav/principals/user/{account}/"),
            default: Some(("Default", "Default")),
            ..CAUTIOUS
        },
        Kind::Davical => Ways {
            name: "DAViCal",
            zero_length: true,
            writers: 4,
            principal: Some("/caldav.php/{account}/"),
            default: Some(("calendar", "addresses")),
            ..CAUTIOUS
        },
        Kind::Sogo => Ways {
            name: "SOGo",
            scheduling: Scheduling::NoOrganizer,
            object_bytes: 5_000_000,
            writers: 3,
            principal: Some("/SOGo/dav/{account}/"),
            default: Some(("personal", "personal")),
            ..CAUTIOUS
        },
        Kind::Unknown => CAUTIOUS,
    }
}

/// A server as its answers showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub kind: Kind,
    /// Where it tells.
    pub version: Option<String>,
    /// It says that it schedules (RFC 6638).
    pub schedules: bool,
}

/// As Radicale 3.9.0 and Xandikos 0.4.10 say it, in this order: words alone, as others may say them too, tell nothing.
const RADICALE: [&str; 6] = ["1", "2", "3", "calendar-access", "addressbook", "extended-mkcol"];
const XANDIKOS: [&str; 10] = [
    "1",
    "2",
    "3",
    "calendar-access",
    "calendar-auto-schedule",
    "addressbook",
    "extended-mkcol",
    "add-member",
    "sync-collection",
    "quota",
];
/// What Xandikos adds where it was told to.
const XANDIKOS_MORE: [&str; 1] = ["webdav-push"];

impl Server {
    /// By an answer to OPTIONS on a path of the account's own.
    pub fn of(answer: &Answer, path: &str, told: Option<Kind>) -> Self {
        let words = answer.words("dav");
        let kind = told.unwrap_or_else(|| recognise(&words, answer, path));
        let schedules = words.iter().any(|word| word == "calendar-auto-schedule");
        Self { kind, version: version(kind, answer), schedules }
    }

    pub fn name(&self) -> &'static str {
        ways(self.kind).name
    }

    /// How an account with these addresses is kept from writing to people.
    pub fn scheduling(&self, addresses: &[String]) -> Scheduling {
        match self.kind {
            Kind::Nextcloud if !self.knows_the_header() => Scheduling::ByClient,
            // It writes to everybody in a meeting whose organiser it knows, whatever the parameters and headers say.
            Kind::Xandikos if !addresses.is_empty() => Scheduling::NoOrganizer,
            // Whatever it was taken for: Radicale says nothing of scheduling.
            Kind::Radicale if self.schedules => Scheduling::ByClient,
            kind => ways(kind).scheduling,
        }
    }

    /// The header that keeps a Nextcloud silent came at the end of 2024, into 31 first: of one that does not tell its
    /// version, or an older one, nobody knows.
    fn knows_the_header(&self) -> bool {
        let major = self.version.as_ref().and_then(|version| version.split('.').next()?.parse::<u32>().ok());
        major.is_some_and(|major| major >= 31)
    }

    pub fn lanes(&self) -> usize {
        ways(self.kind).lanes
    }

    /// Whether a POST on a calendar stores all that is in it: see `import`.
    pub fn imports(&self) -> bool {
        self.kind == Kind::Cyrus
    }

    pub fn writers(&self) -> usize {
        ways(self.kind).writers
    }

    pub fn default_names(&self) -> Option<(&'static str, &'static str)> {
        ways(self.kind).default
    }

    /// The largest object it is sent. Radicale obeys what it tells, and measures what it wrote anew, not what it was
    /// sent: a twentieth is left for that. What others tell only makes our figure smaller: Nextcloud refuses cards below
    /// what it tells.
    fn object_bytes(&self, told: Option<u64>) -> u64 {
        let ours = ways(self.kind).object_bytes;
        let told = told.map(|told| told / 20 * 19);
        match self.kind {
            Kind::Radicale => told.unwrap_or(ours),
            _ => told.map_or(ours, |told| told.min(ours)),
        }
    }

    /// What it accepts of an account with these addresses, where it tells its largest object. Base64 makes four bytes
    /// of three; the rest of the object needs room too.
    pub fn objects(&self, addresses: &[String], largest: Option<u64>) -> Objects {
        let Ways { zero_length, vcard, .. } = ways(self.kind);
        let object_bytes = self.object_bytes(largest);
        let scheduling = self.scheduling(addresses);
        let attachment_bytes = object_bytes / 10 * 7;
        // Nextcloud takes cards of 5 MiB.
        let photo_bytes = attachment_bytes.min(3_500_000);
        Objects { scheduling, zero_length, attachment_bytes, object_bytes, vcard, photo_bytes }
    }
}

/// The principal of another's account, where it is known without asking.
pub fn principal_of(kind: Kind) -> Option<&'static str> {
    ways(kind).principal
}

fn recognise(words: &[String], answer: &Answer, path: &str) -> Kind {
    let program = answer.header("server").unwrap_or_default().to_ascii_lowercase();
    if path.contains("/remote.php/dav/") || words.iter().any(|word| word.starts_with("nc-")) {
        Kind::Nextcloud
    } else if path.contains("/SOGo/") {
        Kind::Sogo
    } else if program.starts_with("cyrus-http") {
        Kind::Cyrus
    } else if answer.header("x-davical-version").is_some() || path.contains("/caldav.php/") {
        Kind::Davical
    } else if answer.header("x-sabre-version").is_some() || path.contains("/dav.php/") {
        Kind::Sabre
    } else if is_xandikos(words) {
        Kind::Xandikos
    } else if words.iter().eq(RADICALE.iter()) {
        Kind::Radicale
    } else {
        Kind::Unknown
    }
}

fn is_xandikos(words: &[String]) -> bool {
    words.split_at_checked(XANDIKOS.len()).is_some_and(|(first, more)| {
        first.iter().eq(XANDIKOS.iter()) && more.iter().all(|word| XANDIKOS_MORE.contains(&word.as_str()))
    })
}

/// The version in a Nextcloud's `status.php`: `{"installed":true,...,"versionstring":"32.0.1",...}`.
pub fn version_in_status(body: &[u8]) -> Option<String> {
    let status: serde_json::Value = serde_json::from_slice(body).ok()?;
    let version = status["versionstring"].as_str()?;
    Some(version.chars().filter(|letter| letter.is_ascii_graphic()).take(40).collect())
}

fn version(kind: Kind, answer: &Answer) -> Option<String> {
    let told = match kind {
        Kind::Cyrus => answer.header("server")?.split_whitespace().next()?.split('/').nth(1)?,
        Kind::Sabre => answer.header("x-sabre-version")?,
        Kind::Davical => answer.header("x-davical-version")?,
        _ => return None,
    };
    Some(told.chars().filter(|letter| letter.is_ascii_graphic()).take(40).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use transhume_http::{HeaderMap, HeaderName};

    fn kind(headers: &[(&str, &str)], path: &str) -> Server {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        Server::of(&Answer { status: 200, headers: map, body: Bytes::new() }, path, None)
    }

    const OF_XANDIKOS: &str = "1, 2, 3, calendar-access, calendar-auto-schedule, addressbook, extended-mkcol, \
        add-member, sync-collection, quota";

    /// Headers as the servers sent them.
    #[test]
    fn servers_are_known_by_what_they_answer() {
        let radicale = "1, 2, 3, calendar-access, addressbook, extended-mkcol";
        assert_eq!(kind(&[("server", "nginx"), ("dav", radicale)], "/alice/").kind, Kind::Radicale);
        let found = kind(&[("server", "Python/3.11 aiohttp/3.14.5"), ("dav", OF_XANDIKOS)], "/alice/");
        assert!(found.kind == Kind::Xandikos && found.schedules);
        let pushing = format!("{OF_XANDIKOS}, webdav-push");
        assert_eq!(kind(&[("dav", pushing.as_str())], "/alice/").kind, Kind::Xandikos);
        let cyrus = kind(&[("server", "Cyrus-HTTP/3.6.1-Debian-3.6.1-4+deb12u5 Cyrus-SASL/2.1.28")], "/dav/x/");
        assert_eq!((cyrus.kind, cyrus.version.as_deref()), (Kind::Cyrus, Some("3.6.1-Debian-3.6.1-4+deb12u5")));
        assert_eq!(kind(&[("x-sabre-version", "4.7.0")], "/dav.php/p/").kind, Kind::Sabre);
        assert_eq!(kind(&[("x-sabre-version", "4.7.0")], "/remote.php/dav/p/").kind, Kind::Nextcloud);
        assert_eq!(kind(&[("server", "SOPE/5.8")], "/SOGo/dav/ann/").kind, Kind::Sogo);
        assert_eq!(kind(&[("dav", "1, calendar-access")], "/").kind, Kind::Unknown);
    }

    /// Any server may say `add-member` (RFC 5995) and `extended-mkcol` (RFC 5689), and one behind a proxy hides its name.
    #[test]
    fn nobody_is_taken_for_a_server_that_sends_nothing_by_a_word_or_two() {
        let cyrus = [
            ("server", "nginx"),
            ("dav", "1, 2, 3, access-control, extended-mkcol, resource-sharing, add-member"),
            ("dav", "calendar-access, calendar-auto-schedule"),
        ];
        let more = format!("{OF_XANDIKOS}, access-control");
        let less = OF_XANDIKOS.replace(", quota", "");
        for headers in [&cyrus[..], &[("dav", more.as_str())], &[("dav", less.as_str())]] {
            let found = kind(headers, "/dav/principals/user/ann/");
            assert_eq!((found.kind, found.scheduling(&[])), (Kind::Unknown, Scheduling::ByClient), "{headers:?}");
            assert!(found.schedules, "{headers:?}");
        }
    }

    #[test]
    fn who_schedules_is_not_left_to_itself() {
        let ann = ["ann@x.example".to_owned()];
        let xandikos = kind(&[("dav", OF_XANDIKOS)], "/ann/");
        assert_eq!(xandikos.scheduling(&[]), Scheduling::Unneeded, "nobody is known there as an organiser");
        assert_eq!(xandikos.scheduling(&ann), Scheduling::NoOrganizer);
        let named = |schedules| Server { kind: Kind::Radicale, version: None, schedules };
        assert_eq!(named(false).scheduling(&ann), Scheduling::Unneeded);
        assert_eq!(named(true).scheduling(&ann), Scheduling::ByClient, "the settings are wrong");
    }

    #[test]
    fn only_a_nextcloud_that_knows_the_header_is_trusted_with_it() {
        let status = |version: &str| format!("{{\"installed\":true,\"versionstring\":\"{version}\"}}");
        let way = |version: Option<&str>| {
            let version = version.and_then(|version| version_in_status(status(version).as_bytes()));
            Server { kind: Kind::Nextcloud, version, schedules: true }.scheduling(&[])
        };
        assert_eq!(way(Some("32.0.1")), Scheduling::Unneeded);
        for old in [Some("30.0.2"), Some("9.1"), Some("new"), None] {
            assert_eq!(way(old), Scheduling::ByClient, "{old:?}");
        }
        assert_eq!(version_in_status(b"<html>"), None);
    }

    #[test]
    fn what_a_server_says_of_its_largest_object_is_obeyed() {
        let bytes = |kind, told| Server { kind, version: None, schedules: false }.objects(&[], told).object_bytes;
        assert_eq!(bytes(Kind::Radicale, None), 9_500_000);
        assert_eq!(bytes(Kind::Radicale, Some(10_000_000)), 9_500_000, "as it is installed");
        assert_eq!(bytes(Kind::Radicale, Some(1_000_000)), 950_000);
        assert_eq!(bytes(Kind::Radicale, Some(40_000_000)), 38_000_000);
        assert_eq!(bytes(Kind::Nextcloud, Some(40_000_000)), 10_000_000, "others refuse below what they tell");
        assert_eq!(bytes(Kind::Unknown, Some(2_000_000)), 1_900_000);
    }

    #[test]
    fn whoever_is_unknown_is_treated_with_caution() {
        let objects = kind(&[], "/").objects(&[], None);
        assert_eq!((objects.scheduling, objects.vcard, objects.zero_length), (Scheduling::ByClient, VCard::V3, false));
        assert!(objects.attachment_bytes * 4 / 3 < objects.object_bytes);
    }
}
