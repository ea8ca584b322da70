//! Where the server is and how it is spoken to.

use crate::server::Kind;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};
use transhume_contract::{Fault, Reach, What};
use transhume_http::{Url, is_loopback};

/// A CalDAV and CardDAV server as a target.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DavConfig {
    /// The server, or the place on it where its calendars begin: `https://cloud.example.org/`,
    /// `https://mail.example.org/SOGo/dav/`. Plain http is for loopback alone.
    pub url: String,
    /// Which server it is, where it cannot be told from its answers.
    #[serde(default)]
    pub server: Option<Kind>,
    /// Where an account's principal is, with `{account}` for its name, where the server does not tell: for an
    /// administrator who acts for others.
    #[serde(default)]
    pub principal: Option<String>,
    /// A PEM file of certificate authorities trusted beside the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Requests at once for one account; what is known of the server decides where nothing is set.
    #[serde(default)]
    pub connections: Option<usize>,
    /// Seconds for connecting and TLS together.
    #[serde(default = "default_connect_seconds")]
    pub connect_seconds: u64,
    /// Seconds of silence after which a request counts as lost.
    #[serde(default = "default_silence_seconds")]
    pub silence_seconds: u64,
}

const fn default_connect_seconds() -> u64 {
    30
}
const fn default_silence_seconds() -> u64 {
    120
}

impl DavConfig {
    /// A server, with every other setting at its default.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            server: None,
            principal: None,
            ca_file: None,
            connections: None,
            connect_seconds: default_connect_seconds(),
            silence_seconds: default_silence_seconds(),
        }
    }

    pub(crate) fn silence(&self) -> Duration {
        Duration::from_secs(self.silence_seconds.max(1))
    }

    /// Host and path, as a store remembers the target and sentences name it. Without the scheme: the same server may
    /// get a certificate later.
    pub fn place(&self) -> String {
        let shown = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        shown.trim_end_matches('/').to_ascii_lowercase()
    }

    /// The address, where it is one that passwords and calendars may go to.
    pub fn start(&self) -> Result<Url, Fault> {
        let url: Url = self.url.trim().parse().map_err(|_| {
            refusal(format!("`{}` is no address of a CalDAV server.", self.url), "Write `url` with https and the host.")
        })?;
        let plain = url.scheme() == "http" && is_loopback(&url);
        if !(plain || url.scheme() == "https") || url.host_str().is_none() {
            let sentence = format!("Calendars at {} would be sent in the clear.", self.place());
            return Err(refusal(sentence, "Write `url` of the target with https; plain http is for loopback alone."));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            let sentence = "The address of the CalDAV target holds more than a server and a path.".to_owned();
            return Err(refusal(sentence, "Take the user name and anything after `?` out of `url`."));
        }
        Ok(url)
    }

    /// Refuses what could never work.
    pub fn validate(&self) -> Result<(), Fault> {
        self.start()?;
        if self.connections == Some(0) {
            let sentence = "`connections` of the CalDAV target must be at least 1.".to_owned();
            return Err(refusal(sentence, "Remove the setting, or give it a number above 0."));
        }
        if self.principal.as_ref().is_some_and(|pattern| !pattern.contains("{account}") || !pattern.starts_with('/')) {
            let sentence = "`principal` of the CalDAV target names no place of an account.".to_owned();
            return Err(refusal(sentence, "Write it as a path with {account} in it: /principals/users/{account}/."));
        }
        Ok(())
    }
}

fn refusal(sentence: String, step: &str) -> Fault {
    Fault::new(What::Unsupported, sentence).reaching(Reach::Run).ask(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_protect_are_taken() {
        for url in ["https://cloud.example.org", "http://127.0.0.1:5232/", "https://h/SOGo/dav/"] {
            assert!(DavConfig::new(url).validate().is_ok(), "{url}");
        }
        for url in
            ["http://cloud.example.org/", "cloud.example.org", "https://ann:secret@h/", "ftp://h/", "https://h/?a"]
        {
            assert!(DavConfig::new(url).validate().is_err(), "{url}");
        }
    }

    #[test]
    fn a_place_is_the_same_with_and_without_tls() {
        assert_eq!(DavConfig::new("https://Cloud.example.org/").place(), "cloud.example.org");
        assert_eq!(DavConfig::new("http://127.0.0.1:5232").place(), "127.0.0.1:5232");
    }

    #[test]
    fn a_principal_is_a_pattern() {
        let with = |pattern: &str| DavConfig { principal: Some(pattern.into()), ..DavConfig::new("https://h/") };
        assert!(with("/principals/{account}/").validate().is_ok());
        assert!(with("/principals/ann/").validate().is_err() && with("{account}").validate().is_err());
    }
}
