//! Proving to the server who speaks. No secret passes through the session library: it would write it to its trace
//! log, so a stand-in passes, and the wire puts the secret in its place.

use crate::wire::{self, SecretSlot, Wire};
use async_imap::{Authenticator, Client, Session, error::Error};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;
use std::collections::HashSet;
use tokio::io::AsyncWriteExt;
use transhume_contract::Secret;

/// How a login can fail.
#[derive(Debug)]
pub enum LoginFailure {
    /// The server answered no, in these words.
    Refused(String),
    /// The server offers no way to use this kind of secret; the words say which it offers.
    NoWay(String),
    /// The connection broke before the answer.
    Lost(std::io::Error),
}

impl From<std::io::Error> for LoginFailure {
    fn from(error: std::io::Error) -> Self {
        Self::Lost(error)
    }
}

/// What the session library writes as the answer to a SASL challenge, and as the arguments of LOGIN.
const SASL_STAND_IN: &[u8] = b"\r\n";
const LOGIN_STAND_IN: &[u8] = b"LOGIN \"\" \"\"";

/// One SASL exchange: the secret answers the first challenge; a second one is a refusal's details, which only want
/// an empty answer.
struct Armed {
    slot: SecretSlot,
    message: Option<Vec<u8>>,
}

impl Authenticator for Armed {
    type Response = &'static [u8];
    fn process(&mut self, _: &[u8]) -> Self::Response {
        if let Some(message) = self.message.take() {
            self.slot.arm(SASL_STAND_IN, [STANDARD.encode(message).as_bytes(), b"\r\n"].concat());
        }
        b""
    }
}

/// The way to say this secret to this server.
enum Way {
    Sasl(&'static str, Vec<u8>),
    Login(String),
}

/// Logs in. The whole exchange is to be bounded by the caller's time.
pub async fn log_in(mut wire: Wire, greeting: &str, secret: &Secret) -> Result<Session<Wire>, LoginFailure> {
    let capabilities = capabilities(&mut wire, greeting).await?;
    let slot = wire.secret_slot();
    let client = Client::new(wire);
    let outcome = match way(secret, &capabilities)? {
        Way::Sasl(mechanism, message) => client.authenticate(mechanism, Armed { slot, message: Some(message) }).await,
        Way::Login(command) => {
            slot.arm(LOGIN_STAND_IN, command.into_bytes());
            client.login("", "").await
        }
    };
    match outcome {
        Ok(session) => Ok(session),
        Err((error, mut client)) => {
            client.get_mut().shutdown().await.ok();
            Err(failure(error))
        }
    }
}

async fn capabilities(wire: &mut Wire, greeting: &str) -> Result<HashSet<String>, LoginFailure> {
    if let Some(told) = greeting.split_once("[CAPABILITY ").and_then(|(_, rest)| rest.split_once(']')) {
        return Ok(words(told.0));
    }
    let (lines, _) = wire::command(wire, "C1", "CAPABILITY").await?;
    let told = lines.iter().find_map(|line| line.strip_prefix("* CAPABILITY ")).unwrap_or_default();
    Ok(words(told))
}

fn words(line: &str) -> HashSet<String> {
    line.split_ascii_whitespace().map(str::to_ascii_uppercase).collect()
}

fn way(secret: &Secret, can: &HashSet<String>) -> Result<Way, LoginFailure> {
    match secret {
        Secret::Bearer { user, token } => bearer(user, token.expose_secret(), can),
        Secret::Acting { user, authority, password } => {
            need(can, "AUTH=PLAIN", "SASL PLAIN, which an administrator's login needs")?;
            Ok(Way::Sasl("PLAIN", plain(user, authority, password.expose_secret())))
        }
        Secret::Password { user, password } if can.contains("AUTH=PLAIN") => {
            Ok(Way::Sasl("PLAIN", plain("", user, password.expose_secret())))
        }
        Secret::Password { user, password } => {
            if can.contains("LOGINDISABLED") {
                return Err(LoginFailure::NoWay("it allows no password without TLS".to_owned()));
            }
            login_command(user, password.expose_secret())
        }
    }
}

fn need(can: &HashSet<String>, capability: &str, what: &str) -> Result<(), LoginFailure> {
    if can.contains(capability) { Ok(()) } else { Err(LoginFailure::NoWay(format!("it does not offer {what}"))) }
}

/// RFC 7628 (OAUTHBEARER), else Google's and Microsoft's XOAUTH2.
fn bearer(user: &str, token: &str, can: &HashSet<String>) -> Result<Way, LoginFailure> {
    if can.contains("AUTH=OAUTHBEARER") {
        let name = user.replace('=', "=3D").replace(',', "=2C");
        return Ok(Way::Sasl("OAUTHBEARER", format!("n,a={name},\x01auth=Bearer {token}\x01\x01").into_bytes()));
    }
    need(can, "AUTH=XOAUTH2", "OAUTHBEARER or XOAUTH2, which an OAuth token needs")?;
    Ok(Way::Sasl("XOAUTH2", format!("user={user}\x01auth=Bearer {token}\x01\x01").into_bytes()))
}

/// RFC 4616: whom to act for, who speaks, and the password.
fn plain(acting_for: &str, user: &str, password: &str) -> Vec<u8> {
    format!("{acting_for}\0{user}\0{password}").into_bytes()
}

fn login_command(user: &str, password: &str) -> Result<Way, LoginFailure> {
    let writable = |text: &str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if !writable(user) || !writable(password) {
        let why = "it offers only LOGIN, which cannot carry the letters of this name or password";
        return Err(LoginFailure::NoWay(why.to_owned()));
    }
    Ok(Way::Login(format!("LOGIN {} {}", crate::link::quoted(user), crate::link::quoted(password))))
}

fn failure(error: Error) -> LoginFailure {
    match error {
        Error::No(text) | Error::Bad(text) => LoginFailure::Refused(said(&text)),
        Error::Io(error) => LoginFailure::Lost(error),
        _ => LoginFailure::Lost(std::io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The session library wraps the server's words: `code: None, info: Some("[X] words")`.
fn said(wrapped: &str) -> String {
    let inner = wrapped.split_once("info: Some(\"").and_then(|(_, rest)| rest.rsplit_once("\")"));
    inner.map_or(wrapped, |(words, _)| words).trim_end_matches('.').to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    fn message(secret: &Secret, can: &str) -> (String, String) {
        match way(secret, &words(can)) {
            Ok(Way::Sasl(mechanism, message)) => (mechanism.to_owned(), String::from_utf8(message).unwrap()),
            Ok(Way::Login(command)) => ("LOGIN".to_owned(), command),
            Err(LoginFailure::NoWay(why)) => ("none".to_owned(), why),
            Err(_) => panic!("no other failure is possible here"),
        }
    }

    #[test]
    fn each_secret_has_its_mechanism() {
        let password = || SecretString::from("s\"e");
        let own = Secret::Password { user: "anna".into(), password: password() };
        assert_eq!(message(&own, "AUTH=PLAIN").1, "\0anna\0s\"e");
        assert_eq!(message(&own, "IMAP4REV1").1, "LOGIN \"anna\" \"s\\\"e\"");
        assert_eq!(message(&own, "LOGINDISABLED").0, "none");
        let acting = Secret::Acting { user: "anna".into(), authority: "root".into(), password: password() };
        assert_eq!(message(&acting, "AUTH=PLAIN").1, "anna\0root\0s\"e");
        assert_eq!(message(&acting, "AUTH=LOGIN").0, "none");
    }

    #[test]
    fn tokens_go_by_the_better_mechanism() {
        let bearer = Secret::Bearer { user: "a@b".into(), token: SecretString::from("tok") };
        assert_eq!(message(&bearer, "AUTH=XOAUTH2").1, "user=a@b\x01auth=Bearer tok\x01\x01");
        assert_eq!(message(&bearer, "AUTH=XOAUTH2 AUTH=OAUTHBEARER").0, "OAUTHBEARER");
        assert_eq!(message(&bearer, "AUTH=PLAIN").0, "none");
    }

    #[test]
    fn the_servers_words_are_unwrapped() {
        let wrapped = r#"code: None, info: Some("[AUTHENTICATIONFAILED] Authentication failed.")"#;
        assert_eq!(said(wrapped), "[AUTHENTICATIONFAILED] Authentication failed");
    }
}
