//! `transhume.toml`: what a project moves, from where, to where. Secrets are named here, never written here.

mod accounts;
mod additions;
mod place;
mod secret;
mod target;
mod template;

pub use accounts::{AccountLine, AccountsError, read_accounts, write_accounts};
pub use additions::add_accounts;
pub use secret::{SecretError, SecretRef};
pub use target::{Authentication, DavConfig, FolderConfig, ImapConfig, Login, Security, TargetConfig, TargetsConfig};
pub use template::{ACCOUNTS_TEMPLATE, SourceKind, TargetKind, project_template};

use crate::engine::Policy;
use place::Senseless;
use serde::Deserialize;
use std::path::{Path, PathBuf};

pub const FILE: &str = "transhume.toml";

/// A project's configuration. Unknown keys are refused, so that a misspelt one is not silently without effect.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub source: SourceConfig,
    pub target: TargetsConfig,
    #[serde(default)]
    pub policy: Policy,
    #[serde(default)]
    pub limits: Limits,
    /// A folder of table files that replace the built-in ones (`keywords.toml`, ...).
    pub tables: Option<PathBuf>,
}

/// The source, by connector.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "connector", rename_all = "lowercase")]
pub enum SourceConfig {
    Graph(GraphConfig),
}

/// Microsoft Graph, app-only (secret or certificate) or signed in as one person (device code).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphConfig {
    /// The tenant: a GUID or a verified domain.
    pub tenant: String,
    pub client_id: String,
    /// The client secret's whereabouts.
    pub client_secret: Option<SecretRef>,
    /// A PEM file with the private key and the certificate registered for the application.
    pub certificate: Option<PathBuf>,
    /// Signed assertions in the older RS256 form, for tenants that refuse PS256.
    #[serde(default)]
    pub legacy_assertion: bool,
    /// Sign in as a person instead (`organizations` or the tenant).
    #[serde(default)]
    pub device_code: bool,
    /// `global`, `us-gov`, `us-dod`, `china`.
    #[serde(default = "global")]
    pub cloud: String,
    /// Overrides the cloud's hosts, for private endpoints and simulators.
    pub graph_url: Option<String>,
    pub login_url: Option<String>,
    /// A CA file to trust beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// How much happens at once. The services' own limits are kept whatever stands here, unless raised by name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Accounts worked on at the same time.
    pub accounts: usize,
    /// Requests under way at once for one source mailbox (Exchange Online refuses a fifth).
    pub lanes: usize,
    /// Requests one mailbox may make within `window_seconds` (Exchange Online: 10,000 in 600).
    pub requests: u64,
    pub window_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { accounts: 8, lanes: 3, requests: 10_000, window_seconds: 600 }
    }
}

fn global() -> String {
    "global".into()
}

/// Why a configuration cannot be used: always with what to do next.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "there is no {FILE} in {0}\nGo to the project's directory or name it with --project; `transhume init --project {0}` makes a new project."
    )]
    Missing(String),
    #[error("{0} cannot be read: {1}\nMake the file readable for the user who runs transhume.")]
    Unreadable(String, std::io::Error),
    #[error(
        "{path}, line {line}, column {column}: {message}\nMend that line; `transhume init` in an empty directory writes a commented example."
    )]
    Invalid { path: String, line: usize, column: usize, message: String },
    #[error("{0}")]
    Sense(String),
}

/// The library's refusals name Rust's types; people know numbers and words.
fn in_words(message: &str) -> String {
    let kinds = [
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected a boolean", "expected true or false"),
        ("expected a sequence", "expected a list: [\"...\", \"...\"]"),
        ("expected path string", "expected a path in quotes"),
        ("expected a string", "expected words in quotes"),
    ];
    kinds.into_iter().fold(message.to_owned(), |said, (type_of, words)| said.replace(type_of, words))
}

/// The keys that name a secret.
const SECRET_KEYS: [&str; 3] = ["client_secret", "password", "token"];

/// A word without its quotes, which the library answers with a piece of its grammar: where it stands, and what to write.
/// The line itself is not repeated: it may be a secret that stands in the wrong place.
fn unquoted(text: &str, at: usize) -> Option<(usize, String)> {
    let begin = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(begin..)?.lines().next()?;
    let (key, rest) = line.split_once('=')?;
    let value = rest.split('#').next()?.trim();
    let composed = value.is_empty() || value.contains(['"', '\'', '[', ']', '{', '}', '\\']);
    if composed || toml::from_str::<toml::Table>(&format!("value = {value}")).is_ok() {
        return None;
    }
    let column = line.len() - rest.trim_start().len();
    let said = match SECRET_KEYS.contains(&key.trim()) {
        true => "a secret is only named here, e.g. { env = \"NAME\" }; what stands here is not repeated",
        false => "words need quotes, e.g. key = \"...\"",
    };
    Some((begin + column, said.to_owned()))
}

impl Config {
    /// Reads `transhume.toml` in a project directory. Relative paths in it are taken from that directory.
    pub fn load(project: &Path) -> Result<Self, ConfigError> {
        let path = project.join(FILE);
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ConfigError::Missing(project.display().to_string()),
            _ => ConfigError::Unreadable(shown.clone(), error),
        })?;
        let mut config = Self::parse(&text, &shown)?;
        config.anchor(project);
        config.sense().map_err(|senseless| senseless.told(&text, &shown))?;
        Ok(config)
    }

    fn parse(text: &str, path: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let as_told = || (error.span().map_or(0, |span| span.start), error.message().to_owned());
            let (place, message) = place::in_connector(text).unwrap_or_else(as_told);
            let (place, message) = unquoted(text, place).unwrap_or_else(|| (place, in_words(&message)));
            let (line, column) = place::position(text, place);
            ConfigError::Invalid { path: path.into(), line, column, message }
        })
    }

    /// Makes relative paths absolute.
    fn anchor(&mut self, project: &Path) {
        let anchored = |path: &mut PathBuf| *path = project.join(&path);
        self.secrets().filter_map(SecretRef::file_mut).for_each(anchored);
        let SourceConfig::Graph(graph) = &mut self.source;
        graph.certificate.iter_mut().chain(graph.ca_file.iter_mut()).for_each(anchored);
        self.tables.iter_mut().for_each(anchored);
        self.target.files().for_each(anchored);
    }

    /// Every secret's whereabouts.
    fn secrets(&mut self) -> impl Iterator<Item = &mut SecretRef> {
        let SourceConfig::Graph(graph) = &mut self.source;
        graph.client_secret.iter_mut().chain(self.target.secrets())
    }

    /// Refuses what is well-formed but cannot work.
    fn sense(&self) -> Result<(), Senseless> {
        let SourceConfig::Graph(graph) = &self.source;
        let ways = [
            ("source.device_code", graph.device_code),
            ("source.certificate", graph.certificate.is_some()),
            ("source.client_secret", graph.client_secret.is_some()),
        ];
        let named: Vec<_> = ways.into_iter().filter(|(_, is_named)| *is_named).map(|(way, _)| way).collect();
        if named.len() != 1 {
            let at = [&named[..], &["source"]].concat();
            return senseless(&at, "[source] needs exactly one of client_secret, certificate, device_code = true");
        }
        let Limits { accounts, lanes, window_seconds, .. } = self.limits;
        let limits = [
            ("limits.accounts", accounts == 0),
            ("limits.lanes", lanes == 0),
            ("limits.window_seconds", window_seconds == 0),
        ];
        if let Some((key, _)) = limits.into_iter().find(|(_, is_zero)| *is_zero) {
            return senseless(&[key], "[limits] accounts, lanes and window_seconds must be at least 1");
        }
        self.target.sense()
    }
}

/// With the keys that are wrong, the likeliest first.
fn senseless<T>(at: &[&str], sentence: &str) -> Result<T, Senseless> {
    Err(Senseless { at: at.iter().map(|key| (*key).to_owned()).collect(), sentence: sentence.to_owned() })
}
