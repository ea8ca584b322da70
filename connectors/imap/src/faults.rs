//! The diary of what IMAP servers answer, and what we make of it.
//!
//! | answer | seen with | what we do |
//! |---|---|---|
//! | `NO [AUTHENTICATIONFAILED]` | Dovecot 2.3, Cyrus 3.6 | stop the account, never try that secret again |
//! | `NO [UNAVAILABLE] Maximum number of connections ...` | Dovecot 2.3 | one connection fewer |
//! | `NO [OVERQUOTA]`, `Quota exceeded` when codes are stripped | Dovecot 2.3, Cyrus 3.6 | the account is full |
//! | `NO [TRYCREATE]` | both | follow a rename, or make the mailbox again, once |
//! | any `NO` to SELECT or STATUS of a mailbox that LIST shows (`[INUSE]`, a lock, an error of its own words) | all | it stands and is closed for now: owed, never taken for deleted |
//! | `NO [CANNOT]`, `NO Invalid mailbox name` | Dovecot, Cyrus | another spelling of the name |
//! | `NO Too many user flags in mailbox` | Cyrus 3.6, at 100 | place without the keyword, a named loss |
//! | `NO Message contains ...`, `NO Zero-length message literal` | Cyrus 3.6 | the message is refused by itself: quarantine |
//! | any other `NO` or `BAD` to a single message | unknown servers | owed; quarantine when three passes were refused |
//! | `NO [UNAVAILABLE] Internal error occurred` to an administrator's login | Dovecot 2.3, for an account it does not know | ask for the account's name |
//! | `NO [AUTHENTICATIONFAILED]` to an administrator's login | Dovecot 2.3, also for account names with letters outside `auth_username_chars` (`'`) | once the administrator was let in: the account's name |
//! | `NO [SERVERBUG]`, `Internal error occurred` | Dovecot 2.3 | later: the server is at fault |

use crate::{ImapConfig, link::Answer};
use std::{io, path::Path, time::Duration};
use transhume_contract::{Cause, Fault, Reach, What};

/// A server that is away for a moment is asked again after this.
const PAUSE: Duration = Duration::from_secs(30);

pub fn bad_ca_file(path: &Path, error: &io::Error) -> Fault {
    let sentence = format!("The file of certificate authorities {} cannot be used: {error}.", path.display());
    Fault::new(What::Malformed, sentence)
        .reaching(Reach::Run)
        .ask("Point `ca_file` of the target at a readable PEM file with at least one certificate.")
}

pub fn tls_unusable(error: &rustls::Error) -> Fault {
    Fault::new(What::Unsupported, format!("TLS cannot be set up: {error}.")).reaching(Reach::Run).report()
}

/// No connection came about: a certificate or a refusal is for a person, the rest may pass.
pub fn not_connected(config: &ImapConfig, error: &io::Error) -> Fault {
    let place = config.place();
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return not_trusted(&place, tls);
    }
    let fault = Fault::new(What::Unreachable, format!("No connection to the IMAP server {place}: {error}."));
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => {
            fault.reaching(Reach::Account).wait(PAUSE)
        }
        io::ErrorKind::Unsupported => {
            fault.reaching(Reach::Run).ask("Set `security` of the target to what the server offers.")
        }
        _ => fault.reaching(Reach::Run).ask(format!(
            "Check that the server runs and that {place} is reachable from here, then run the same command again."
        )),
    }
}

fn not_trusted(place: &str, error: &rustls::Error) -> Fault {
    let fault = Fault::new(What::Untrusted, format!("The TLS certificate of {place} is not trusted: {error}."));
    let fault = fault.reaching(Reach::Run);
    if matches!(error, rustls::Error::InvalidCertificate(_)) {
        return fault.ask(
            "Use the host name the certificate is made for, renew it, or name its authority with `ca_file` in the target's settings.",
        );
    }
    fault.ask("Check that the port speaks TLS (`security = \"starttls\"` for port 143).")
}

/// A command under way found the connection gone, silent or out of step.
pub fn lost(place: &str, error: &io::Error) -> Fault {
    let sentence = match error.kind() {
        io::ErrorKind::TimedOut => format!("The IMAP server {place} fell silent in the middle of a command."),
        io::ErrorKind::UnexpectedEof => {
            format!("The IMAP server {place} closed the connection in the middle of a command.")
        }
        _ => format!("The connection to the IMAP server {place} broke: {error}."),
    };
    Fault::new(What::Unreachable, sentence).reaching(Reach::Account).wait(Duration::from_secs(1))
}

/// With the response code that stands before a server's words to a login, `[AUTHENTICATIONFAILED] ...`, and with none
/// where the server sent none (RFC 9051, section 7.1: codes are optional).
fn coded(fault: Fault, words: &str) -> Fault {
    let code =
        words.strip_prefix('[').and_then(|rest| rest.split_once(']')).and_then(|(code, _)| code.split(' ').next());
    match code.filter(|code| !code.is_empty()) {
        Some(code) => fault.code(code.to_ascii_uppercase()),
        None => fault,
    }
}

/// The secret was refused. It is not tried again in this process.
pub fn login_refused(place: &str, user: &str, text: &str) -> Fault {
    let said = format!("The IMAP server {place} refused the login of {user}: {text}.");
    coded(Fault::new(What::Unauthenticated, said), text).reaching(Reach::Account).ask(format!(
        "Correct the password or token of {user} in the settings, then run again; it is not tried again until then."
    ))
}

/// A token was refused: expired, for another service, or of somebody without a mailbox there.
pub fn token_refused(place: &str, user: &str, text: &str) -> Fault {
    let said = format!("The IMAP server {place} refused the OAuth token of {user}: {text}.");
    coded(Fault::new(What::Unauthenticated, said), text)
        .reaching(Reach::Account)
        .ask(format!(
            "Check that the token is valid now (the clocks agree), issued for this mail server, and that it names {user}; then run again."
        ))
}

/// An administrator's login was refused. Once it was let in for another account, it is this account that is wrong.
pub fn acting_refused(place: &str, (authority, user): (&str, &str), known: bool, text: &str) -> Fault {
    let said = match known {
        true => format!("The IMAP server {place} let {authority} in for other accounts, but not for {user}: {text}."),
        false => format!("The IMAP server {place} refused the login of {authority} acting for {user}: {text}."),
    };
    let odd = odd_letter(user).map(|letter| {
        format!(" The name holds `{letter}`, which Dovecot takes only when `auth_username_chars` lists it.")
    });
    let odd = odd.unwrap_or_default();
    let step = match known {
        true => format!(
            "Check that the account {user} exists on the mail server under exactly that name (column `target` of accounts.csv) and that {authority} may act for it.{odd}"
        ),
        false => format!(
            "Check the name and password of {authority} first, then its right to act for others, then that the account {user} exists under exactly that name (column `target` of accounts.csv).{odd}"
        ),
    };
    coded(Fault::new(What::Unauthenticated, said), text).reaching(Reach::Account).ask(step)
}

/// What Dovecot's default `auth_username_chars` leaves out.
fn odd_letter(user: &str) -> Option<char> {
    user.chars().find(|letter| !letter.is_ascii_alphanumeric() && !".-_@".contains(*letter))
}

/// The server could not open the account for an administrator: it has no such account, or is in trouble.
pub fn not_opened(place: &str, (authority, user): (&str, &str), text: &str) -> Fault {
    let sentence = format!("The IMAP server {place} did not open the account {user} for {authority}: {text}.");
    coded(Fault::new(What::Unauthenticated, sentence), text).reaching(Reach::Account).ask(format!(
        "Check that the account {user} exists on the mail server (Dovecot answers so for one it does not know); if it does, the server is in trouble: its log says why. Then run again."
    ))
}

/// No secret of this kind can be said to this server.
pub fn no_way_to_log_in(place: &str, why: &str) -> Fault {
    Fault::new(What::Unauthenticated, format!("No login is possible on the IMAP server {place}: {why}."))
        .reaching(Reach::Run)
        .ask("Change the kind of credential of the target, or enable that mechanism on the mail server.")
}

/// Three accounts were refused and none let in: a fourth could lock everybody out.
pub fn too_many_refusals(place: &str) -> Fault {
    Fault::new(
        What::Unauthenticated,
        format!("The IMAP server {place} refused the logins of three accounts in a row; no more are tried."),
    )
    .reaching(Reach::Run)
    .ask("Correct the credentials of the target (for an administrator's login: its name, password and right to act for others), then run again.")
}

/// The server has no room for another connection, and holds none of ours.
pub fn no_connection_left(place: &str, text: &str) -> Fault {
    let sentence = format!(
        "The IMAP server {place} takes no connection for now: {text}. Its log says why; it may also have no such account."
    );
    Fault::new(What::Throttled, sentence).reaching(Reach::Account).wait(PAUSE)
}

fn reaching_collection(fault: Fault) -> Fault {
    let reach = fault.reach.max(Reach::Collection);
    fault.reaching(reach)
}

/// The collection is not where it was, under no name.
pub fn collection_vanished(name: &str) -> Fault {
    Fault::new(What::Vanished, format!("The mailbox `{name}` is no longer on the server."))
        .reaching(Reach::Collection)
        .ask("Somebody deleted it there. Run again to make it anew for new mail; what was in it is restored only by `push --repair`.")
}

/// The mailbox stands, and the server does not let us in, whatever its words: it may be locked, or damaged. What was
/// placed there is neither gone nor to be placed again.
pub fn mailbox_closed(place: &str, name: &str, answer: &Answer) -> Fault {
    let fault = refused(place, &format!("the mailbox `{name}`"), answer);
    match fault.what {
        What::Forbidden | What::Full | What::Throttled | What::Unauthenticated => reaching_collection(fault),
        _ => Fault { what: What::Unreachable, ..fault }.reaching(Reach::Collection).wait(PAUSE),
    }
}

/// A server that states a number of messages and lists fewer is not believed.
pub fn short_list(place: &str, expected: u32, listed: u32) -> Fault {
    let sentence = format!("The IMAP server {place} says a mailbox holds {expected} messages and listed {listed}.");
    Fault::new(What::Unreachable, sentence).reaching(Reach::Collection)
}

pub fn item_vanished() -> Fault {
    Fault::new(What::Vanished, "The message is no longer where it was placed.")
}

/// What kind of refusal an answer is, from its response code, or from its words where codes were stripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    OverQuota,
    NoMailbox,
    NotPermitted,
    TooBig,
    ServerTrouble,
    TooManyConnections,
    LoginRefused,
    /// A name, a keyword or a message this server cannot take, now or later.
    Cannot,
    /// Nothing more is known: the thing itself was refused.
    Plain,
}

/// Words matter only where no code was given; they are those of Dovecot and Cyrus.
const WORDS: &[(&str, Refusal)] = &[
    ("quota exceeded", Refusal::OverQuota),
    ("over quota", Refusal::OverQuota),
    ("internal error", Refusal::ServerTrouble),
    ("temporary", Refusal::ServerTrouble),
    ("system i/o error", Refusal::ServerTrouble),
    ("maximum number of connections", Refusal::TooManyConnections),
    ("too many connections", Refusal::TooManyConnections),
    ("mailbox doesn't exist", Refusal::NoMailbox),
    ("mailbox does not exist", Refusal::NoMailbox),
    ("permission denied", Refusal::NotPermitted),
    ("invalid mailbox name", Refusal::Cannot),
    ("too long", Refusal::Cannot),
    ("message contains", Refusal::Cannot),
    ("zero-length message", Refusal::Cannot),
    ("message is too large", Refusal::TooBig),
    ("message too large", Refusal::TooBig),
];

impl Refusal {
    pub fn of(answer: &Answer) -> Self {
        let text = answer.text.to_ascii_lowercase();
        let connections = text.contains("connections");
        match answer.code.as_deref() {
            Some("OVERQUOTA") => Self::OverQuota,
            Some("TRYCREATE" | "NONEXISTENT") => Self::NoMailbox,
            Some("NOPERM" | "PRIVACYREQUIRED") => Self::NotPermitted,
            Some("TOOBIG") => Self::TooBig,
            Some("UNAVAILABLE" | "LIMIT") if connections => Self::TooManyConnections,
            Some("UNAVAILABLE" | "INUSE" | "SERVERBUG" | "CONTACTADMIN" | "CORRUPTION") => Self::ServerTrouble,
            Some("AUTHENTICATIONFAILED" | "AUTHORIZATIONFAILED" | "EXPIRED") => Self::LoginRefused,
            Some("CANNOT") => Self::Cannot,
            _ => WORDS.iter().find(|(words, _)| text.contains(words)).map_or(Self::Plain, |(_, refusal)| *refusal),
        }
    }
}

/// The mailbox's table of keywords is full. Halving is no way out of it: Cyrus 3.6 was seen to close the connection in
/// the middle of a batch that goes over its limit of 100, and answers single messages well.
pub fn too_many_keywords(answer: &Answer) -> bool {
    answer.text.to_ascii_lowercase().contains("too many user flags")
}

/// What a NO or BAD to a command means, in a sentence that keeps the server's words. `doing` completes "refused".
pub fn refused(place: &str, doing: &str, answer: &Answer) -> Fault {
    let said = format!("The IMAP server {place} refused {doing}: {}.", answer.text.trim_end_matches('.'));
    let fault = match Refusal::of(answer) {
        Refusal::OverQuota => Fault::new(What::Full, said)
            .reaching(Reach::Account)
            .ask("Raise the account's quota on the mail server or free space in it, then run again."),
        Refusal::NoMailbox => Fault::new(What::Vanished, said).reaching(Reach::Collection),
        Refusal::NotPermitted => Fault::new(What::Forbidden, said)
            .reaching(Reach::Collection)
            .ask("Give the login the right to write into that mailbox on the mail server, then run again."),
        Refusal::TooBig => Fault::new(What::TooLarge, said).skip(Cause::OverTargetLimit),
        Refusal::ServerTrouble => Fault::new(What::Unreachable, said).reaching(Reach::Collection).wait(PAUSE),
        Refusal::TooManyConnections => Fault::new(What::Throttled, said).reaching(Reach::Account).wait(PAUSE),
        Refusal::LoginRefused => Fault::new(What::Unauthenticated, said).reaching(Reach::Account),
        Refusal::Cannot => Fault::new(What::Malformed, said).skip(Cause::RefusedByTarget),
        // Perhaps for good, perhaps not: owed, until it was refused in several passes.
        Refusal::Plain => Fault::new(What::Malformed, said),
    };
    match &answer.code {
        Some(code) => fault.code(code.clone()),
        None => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_code_is_what_the_server_sent_and_nothing_else() {
        let code = |fault: Fault| fault.code;
        let acting = |known, words| code(acting_refused("h:143", ("root", "anna"), known, words));
        assert_eq!(acting(true, "Authentication failed"), None);
        assert_eq!(acting(false, "Authentication failed"), None);
        assert_eq!(acting(true, "[AUTHENTICATIONFAILED] no").as_deref(), Some("AUTHENTICATIONFAILED"));
        assert_eq!(code(login_refused("h:143", "anna", "[expired] no")).as_deref(), Some("EXPIRED"));
        assert_eq!(code(login_refused("h:143", "anna", "no")), None);
        assert_eq!(code(token_refused("h:143", "anna", "[] no")), None);
        assert_eq!(code(not_opened("h:143", ("root", "anna"), "[UNAVAILABLE] x")).as_deref(), Some("UNAVAILABLE"));
    }

    #[test]
    fn a_certificate_is_distrusted_without_a_code() {
        let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let fault = not_trusted("h:993", &unknown);
        assert!(fault.code.is_none() && fault.what == What::Untrusted, "{fault}");
        assert_eq!(lost("h:993", &io::ErrorKind::TimedOut.into()).what, What::Unreachable);
    }
}
