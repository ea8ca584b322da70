//! What a road is told at its start. Plain data.

use crate::{Classify, Limits, http_only};
use std::{path::PathBuf, time::Duration};
use transhume_contract::{Fault, Reach, What};
use url::{Host, Url};

/// How to reach the network.
#[derive(Clone, Debug)]
pub struct WireConfig {
    /// Services ask for a recognisable one, e.g. `NONISV|Town|transhume/0.1.0`.
    pub user_agent: String,
    /// The longest time without a single byte, while waiting for an answer or within one.
    pub silence: Duration,
    /// The longest time for name resolution, TCP and TLS together.
    pub connect: Duration,
    /// A PEM file of certificate authorities trusted beside those of the system.
    pub extra_ca: Option<PathBuf>,
}

impl Default for WireConfig {
    fn default() -> Self {
        Self {
            user_agent: concat!("transhume/", env!("CARGO_PKG_VERSION")).to_owned(),
            silence: Duration::from_secs(120),
            connect: Duration::from_secs(30),
            extra_ca: None,
        }
    }
}

/// How to treat one service.
#[derive(Clone)]
pub struct RoadConfig {
    /// The hosts that may see this service's token. No other host ever does.
    pub trusted: Vec<HostRule>,
    pub limits: Limits,
    pub patience: Patience,
    /// Reads the service's own error codes; [`http_only`] goes by the status alone.
    pub classify: Classify,
}

impl RoadConfig {
    /// Three lanes and no window for every key, default patience, answers read by status alone.
    pub fn new(trusted: Vec<HostRule>) -> Self {
        Self { trusted, limits: Limits::default(), patience: Patience::default(), classify: http_only }
    }
}

/// How often one cause may repeat itself before the road gives up and returns a fault. Each cause has its own budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From the first failure of a request to the last attempt, and the longest pause that is waited for.
    pub total: Duration,
    /// 429 and its like. They cost nothing but time, so this is large.
    pub throttled: u32,
    /// 408, 500, 502, 503, 504, 509 and what the connector calls transient.
    pub refused: u32,
    /// Connections that were reset, timed out or cut when the request may have been sent.
    pub broken: u32,
    /// Connections that could not be made. An outage of minutes shall not end a night's work; a service that never
    /// answered since the start is likelier misspelt, so that there it is 2.
    pub unreached: u32,
    /// The first pause where the service names none; it doubles, with jitter, up to `pause_max`.
    pub pause: Duration,
    pub pause_max: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(30 * 60),
            throttled: 30,
            refused: 5,
            broken: 5,
            unreached: 25,
            pause: Duration::from_millis(500),
            pause_max: Duration::from_secs(60),
        }
    }
}

/// A host, with or without its subdomains, that belongs to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRule {
    host: String,
    subdomains: bool,
    /// Absent: the default port of the scheme.
    port: Option<u16>,
}

impl HostRule {
    /// `graph.microsoft.com`, `127.0.0.1:8080`, `[::1]:8080`, `*.sharepoint.com` (every subdomain, not the domain itself).
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (rest, subdomains) = text.strip_prefix("*.").map_or((text, false), |rest| (rest, true));
        let url = Url::parse(&format!("https://{rest}/")).ok().filter(|url| {
            url.path() == "/" && url.query().is_none() && url.username().is_empty() && url.host_str().is_some()
        });
        let url = url.ok_or_else(|| {
            Fault::new(What::Malformed, format!("`{text}` is not a host name"))
                .reaching(Reach::Run)
                .ask("write the host alone, for example graph.microsoft.com or 127.0.0.1:8080")
        })?;
        Ok(Self { host: url.host_str().unwrap_or_default().to_ascii_lowercase(), subdomains, port: url.port() })
    }

    /// The very host and port of an address.
    pub fn of(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        Self { host, subdomains: false, port: url.port() }
    }

    /// Whether the address is of this host. The scheme is judged elsewhere: plain http is for loopback only.
    pub fn covers(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let named = match self.subdomains {
            false => host == self.host,
            true => host.strip_suffix(&self.host).is_some_and(|front| front.len() > 1 && front.ends_with('.')),
        };
        named && url.port_or_known_default() == self.port.or_else(|| default_port(url.scheme()))
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

/// Whether an address leads to this machine and nowhere else.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn covers(rule: &str, url: &str) -> bool {
        HostRule::parse(rule).unwrap().covers(&url.parse().unwrap())
    }

    #[test]
    fn a_rule_covers_its_host_and_port_alone() {
        assert!(covers("graph.microsoft.com", "https://graph.microsoft.com/v1.0/users?$top=1"));
        assert!(covers("Graph.Microsoft.com", "https://GRAPH.microsoft.com:443/"));
        assert!(covers("127.0.0.1:8080", "http://127.0.0.1:8080/"));
        assert!(covers("[::1]:8080", "http://[::1]:8080/"));
        assert!(covers("*.sharepoint.com", "https://contoso-my.sharepoint.com/personal"));
    }

    #[test]
    fn a_rule_covers_nothing_that_only_looks_alike() {
        for (rule, url) in [
            ("graph.microsoft.com", "https://graph.microsoft.com.evil.example/"),
            ("graph.microsoft.com", "https://evil.example/graph.microsoft.com"),
            ("graph.microsoft.com", "https://graph.microsoft.com@evil.example/"),
            ("graph.microsoft.com", "https://graph.microsoft.com:8443/"),
            ("graph.microsoft.com", "https://sub.graph.microsoft.com/"),
            ("*.sharepoint.com", "https://sharepoint.com/"),
            ("*.sharepoint.com", "https://evilsharepoint.com/"),
            ("*.sharepoint.com", "https://.sharepoint.com/"),
            ("127.0.0.1:8080", "http://127.0.0.1:8081/"),
        ] {
            assert!(!covers(rule, url), "{rule} {url}");
        }
    }

    #[test]
    fn a_rule_is_a_host_and_nothing_else() {
        for text in ["", "https://graph.microsoft.com", "host/path", "user@host", "a b", "host?x"] {
            assert!(HostRule::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn loopback_is_this_machine() {
        for (url, expected) in [
            ("http://localhost:1/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]/", true),
            ("http://localhost.example/", false),
            ("http://10.0.0.1/", false),
            ("http://0.0.0.0/", false),
            ("http://127.0.0.1.example/", false),
        ] {
            assert_eq!(is_loopback(&url.parse().unwrap()), expected, "{url}");
        }
    }
}
