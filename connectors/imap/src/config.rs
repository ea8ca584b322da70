//! Where the server is and how it is spoken to.

use serde::Deserialize;
use std::{net::IpAddr, path::PathBuf, time::Duration};
use transhume_contract::{Fault, Reach, What};

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte, usually port 993.
    #[default]
    Tls,
    /// TLS after the STARTTLS command, usually port 143. Nothing is sent before it.
    StartTls,
    /// No protection: only for loopback, or with `allow_plain`.
    Plain,
}

impl Security {
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Tls => 993,
            Self::StartTls | Self::Plain => 143,
        }
    }
}

/// An IMAP server as a target.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImapConfig {
    pub host: String,
    /// 993 with TLS, else 143.
    #[serde(default)]
    pub port: Option<u16>,
    #[serde(default)]
    pub security: Security,
    /// The word that permits passwords and mail in the clear to a host that is not loopback.
    #[serde(default)]
    pub allow_plain: bool,
    /// A PEM file of certificate authorities trusted beside the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Connections per account at once. A server that refuses one is obeyed.
    #[serde(default = "default_connections")]
    pub connections: usize,
    /// Messages in one APPEND command.
    #[serde(default = "default_batch_items")]
    pub batch_items: usize,
    /// Bytes in one APPEND command; a larger message goes alone.
    #[serde(default = "default_batch_bytes")]
    pub batch_bytes: u64,
    /// Seconds for connecting, TLS and the greeting together.
    #[serde(default = "default_connect_seconds")]
    pub connect_seconds: u64,
    /// Seconds of silence after which a command counts as lost.
    #[serde(default = "default_silence_seconds")]
    pub silence_seconds: u64,
}

const fn default_connections() -> usize {
    4
}
const fn default_batch_items() -> usize {
    100
}
const fn default_batch_bytes() -> u64 {
    4 << 20
}
const fn default_connect_seconds() -> u64 {
    30
}
const fn default_silence_seconds() -> u64 {
    300
}

impl ImapConfig {
    /// A server at its usual port, with every other setting at its default.
    pub fn new(host: impl Into<String>, security: Security) -> Self {
        Self {
            host: host.into(),
            port: None,
            security,
            allow_plain: false,
            ca_file: None,
            connections: default_connections(),
            batch_items: default_batch_items(),
            batch_bytes: default_batch_bytes(),
            connect_seconds: default_connect_seconds(),
            silence_seconds: default_silence_seconds(),
        }
    }

    pub fn port(&self) -> u16 {
        self.port.unwrap_or_else(|| self.security.default_port())
    }

    /// Host and port, as sentences name the server.
    pub fn place(&self) -> String {
        format!("{}:{}", self.host, self.port())
    }

    pub(crate) fn connect_time(&self) -> Duration {
        Duration::from_secs(self.connect_seconds.max(1))
    }

    pub(crate) fn silence(&self) -> Duration {
        Duration::from_secs(self.silence_seconds.max(1))
    }

    /// Refuses what would send passwords in the clear, or could never work.
    pub fn validate(&self) -> Result<(), Fault> {
        if self.host.trim().is_empty() {
            return Err(refusal("The IMAP target has no host.", "Set `host` of the target to the server's name."));
        }
        if self.security == Security::Plain && !self.allow_plain && !is_loopback(&self.host) {
            let sentence = format!("IMAP at {} without TLS would send passwords and mail in the clear.", self.place());
            let step =
                "Set `security = \"tls\"` or \"starttls\"; if the network itself is trusted, say `allow_plain = true`.";
            return Err(refusal(&sentence, step));
        }
        if self.connections == 0 || self.batch_items == 0 || self.batch_bytes == 0 {
            let sentence = "`connections`, `batch_items` and `batch_bytes` of the IMAP target must be at least 1.";
            return Err(refusal(sentence, "Remove the setting, or give it a number above 0."));
        }
        Ok(())
    }
}

fn refusal(sentence: &str, step: &str) -> Fault {
    Fault::new(What::Unsupported, sentence).reaching(Reach::Run).ask(step)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_needs_loopback_or_a_word() {
        let mut config = ImapConfig::new("mail.example.org", Security::Plain);
        assert!(config.validate().is_err());
        config.allow_plain = true;
        assert!(config.validate().is_ok());
        assert!(ImapConfig::new("127.0.0.1", Security::Plain).validate().is_ok());
        assert!(ImapConfig::new("::1", Security::Plain).validate().is_ok());
        assert!(ImapConfig::new("localhost", Security::Plain).validate().is_ok());
    }

    #[test]
    fn ports_follow_security() {
        assert_eq!(ImapConfig::new("h", Security::Tls).place(), "h:993");
        assert_eq!(ImapConfig::new("h", Security::StartTls).place(), "h:143");
    }
}
