//! Where a secret is kept: the environment, a file, or a command's output. Never the configuration itself.

use secrecy::SecretString;
use serde::Deserialize;
use std::{path::PathBuf, process::Command};

/// A secret's whereabouts: `{ env = "NAME" }`, `{ file = "path" }` or `{ command = ["pass", "show", "m365"] }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Place")]
pub enum SecretRef {
    Env(String),
    File(PathBuf),
    Command(Vec<String>),
}

/// As it is written. The refusal is our own: the library's would repeat a secret that stands in the wrong place.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a secret is named by { env = \"NAME\" }, { file = \"path\" } or { command = [\"program\", \"argument\"] }; \
                 what stands here is none of these and is not repeated"
)]
enum Place {
    Env(Env),
    File(File),
    Command(Output),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Env {
    env: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    file: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Output {
    command: Vec<String>,
}

impl From<Place> for SecretRef {
    fn from(place: Place) -> Self {
        match place {
            Place::Env(Env { env }) => Self::Env(env),
            Place::File(File { file }) => Self::File(file),
            Place::Command(Output { command }) => Self::Command(command),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error(
        "the environment variable {0} is not set\nSet it to the secret before you run transhume, or name a file or command."
    )]
    NoVariable(String),
    #[error("the secret file {0} cannot be read: {1}\nCreate it with mode 0600, holding the secret alone.")]
    NoFile(String, std::io::Error),
    #[error("the secret command `{0}` failed: {1}\nRun it by hand; it must print the secret and exit with 0.")]
    NoCommand(String, String),
    #[error("the secret from {0} is empty\nFill it in; for an Entra application copy the secret's Value, not its ID.")]
    Empty(String),
}

impl SecretRef {
    /// The path of a secret kept in a file.
    pub const fn file_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::Env(_) | Self::Command(_) => None,
        }
    }

    /// Reads the secret now. `argument` is handed to a command as its last word.
    pub fn read(&self, argument: Option<&str>) -> Result<SecretString, SecretError> {
        let (text, from) = match self {
            Self::Env(name) => (from_environment(name)?, format!("the environment variable {name}")),
            Self::File(path) => (from_file(path)?, format!("the file {}", path.display())),
            Self::Command(words) => (from_command(words, argument)?, format!("the command `{}`", words.join(" "))),
        };
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(SecretError::Empty(from)),
            secret => Ok(SecretString::from(secret)),
        }
    }
}

fn from_environment(name: &str) -> Result<String, SecretError> {
    std::env::var(name).map_err(|_| SecretError::NoVariable(name.into()))
}

fn from_file(path: &std::path::Path) -> Result<String, SecretError> {
    std::fs::read_to_string(path).map_err(|error| SecretError::NoFile(path.display().to_string(), error))
}

fn from_command(words: &[String], argument: Option<&str>) -> Result<String, SecretError> {
    let shown = words.join(" ");
    let failed = |why: String| SecretError::NoCommand(shown.clone(), why);
    let (program, rest) = words.split_first().ok_or_else(|| failed("no command is given".into()))?;
    let output = Command::new(program).args(rest).args(argument).output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("its output is not text".into()))
}
