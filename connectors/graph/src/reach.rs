//! What this application may read of a mailbox beside its mail: calendars, contacts, tasks.
//!
//! A permission that the token carries opens them wherever the mailbox opens. Without it each mailbox is asked, since
//! Exchange grants single ones past the token (RBAC for Applications). To Do is asked in any case: whether it serves
//! applications at all is documented both ways, and an answer of 401 was measured.

use crate::{endpoint::segment, faults::no_mailbox, service::Service, tenant::claims};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::sync::OnceCell;
use transhume_contract::{Fault, Presence, Reach, Size, What, Workload};

/// A workload, what opens it, and the cheapest question that only it answers.
struct Room {
    workload: Workload,
    permissions: &'static [&'static str],
    /// Below the user, encoded.
    question: &'static str,
}

const ROOMS: &[Room] = &[
    Room {
        workload: Workload::Calendar,
        permissions: &["Calendars.Read", "Calendars.ReadWrite"],
        question: "/calendar?$select=id",
    },
    Room {
        workload: Workload::Contacts,
        permissions: &["Contacts.Read", "Contacts.ReadWrite"],
        question: "/contacts?$select=id&$top=1",
    },
    Room {
        workload: Workload::Tasks,
        permissions: &["Tasks.Read.All", "Tasks.ReadWrite.All", "Tasks.Read", "Tasks.ReadWrite"],
        question: TASKS,
    },
];
const TASKS: &str = "/todo/lists?$top=1";

/// The permissions a token carries: `roles` of an application, `scp` of a person. `None` for a token nobody can read.
pub fn granted(token: &str) -> Option<Vec<String>> {
    let claims = claims(token)?;
    let roles = claims.get("roles").and_then(Value::as_array).into_iter().flatten();
    let roles = roles.filter_map(Value::as_str).map(str::to_owned);
    let scopes = claims.get("scp").and_then(Value::as_str).unwrap_or_default().split_whitespace();
    Some(roles.chain(scopes.map(str::to_owned)).collect())
}

/// What the token carries, read once.
#[derive(Debug, Default)]
pub struct Permissions(OnceCell<Option<Vec<String>>>);

impl Permissions {
    async fn opens(&self, service: &Service, room: &Room) -> Result<bool, Fault> {
        let granted = self.0.get_or_try_init(|| async {
            let bearer = service.tokens.bearer().await?;
            Ok::<_, Fault>(granted(bearer.token.expose_secret()))
        });
        Ok(granted.await?.as_ref().is_none_or(|all| carries(all, room.permissions)))
    }
}

fn carries(granted: &[String], any: &[&str]) -> bool {
    any.iter().any(|name| granted.iter().any(|own| own.eq_ignore_ascii_case(name)))
}

/// What an account has beside mail, and whether it opens; `mailbox` is what was found of its mail.
pub async fn beside_mail(
    service: &Service,
    permissions: &Permissions,
    user: &str,
    mailbox: &Presence,
) -> Result<Vec<(Workload, Presence, Size)>, Fault> {
    let mut all = Vec::new();
    for room in ROOMS {
        let presence = match mailbox {
            Presence::Absent(why) => Presence::Absent(why.clone()),
            Presence::Present if room.workload != Workload::Tasks && permissions.opens(service, room).await? => {
                Presence::Present
            }
            Presence::Present | Presence::Denied(_) => asked(service, user, room).await?,
        };
        all.push((room.workload, presence, Size::default()));
    }
    Ok(all)
}

async fn asked(service: &Service, user: &str, room: &Room) -> Result<Presence, Fault> {
    let path = format!("/users/{}{}", segment(user), room.question);
    match service.first(user, &path, room.workload.name()).await {
        Ok(_) => Ok(Presence::Present),
        Err(fault) => told(fault, room.workload),
    }
}

/// Whether tasks of one mailbox open.
pub async fn tasks(service: &Service, user: &str) -> Result<Presence, Fault> {
    let path = format!("/users/{}{TASKS}", segment(user));
    match service.first(user, &path, "the lists of To Do").await {
        Ok(_) => Ok(Presence::Present),
        Err(fault) => told(fault, Workload::Tasks),
    }
}

/// What a refusal says. Who may not answer now is asked again when it is listed: nothing is decided by that.
fn told(fault: Fault, workload: Workload) -> Result<Presence, Fault> {
    if let Some(reason) = no_mailbox(&fault) {
        return Ok(Presence::Absent(reason));
    }
    match fault.what {
        What::Forbidden if fault.reach <= Reach::Account => Ok(Presence::Denied(fault.sentence)),
        What::Unsupported => Ok(Presence::Absent(format!("this cloud does not serve {workload}"))),
        What::Vanished => Ok(Presence::Absent(format!("there are no {workload} here"))),
        What::Unreachable | What::Throttled | What::Malformed => Ok(Presence::Present),
        _ => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn permissions_are_read_from_both_kinds_of_token() {
        assert_eq!(
            granted(&token(r#"{"roles":["Mail.Read","User.Read.All"]}"#)).unwrap(),
            ["Mail.Read", "User.Read.All"]
        );
        assert_eq!(granted(&token(r#"{"scp":"Mail.Read offline_access"}"#)).unwrap(), ["Mail.Read", "offline_access"]);
        assert_eq!(granted(&token("{}")).unwrap(), Vec::<String>::new());
        assert_eq!(granted("opaque"), None);
    }

    #[test]
    fn what_hides_bodies_does_not_open_calendars() {
        let opens = |name: &str| ROOMS.iter().filter(|room| carries(&[name.to_owned()], room.permissions)).count();
        assert_eq!(
            (opens("Calendars.ReadBasic.All"), opens("calendars.readwrite"), opens("Tasks.Read.All")),
            (0, 1, 1)
        );
    }

    #[test]
    fn refusals_tell_absent_from_denied_and_failures_decide_nothing() {
        let fault = |what: What, code: &str| Fault::new(what, "s").reaching(Reach::Account).code(code);
        let of = |fault: Fault| told(fault, Workload::Tasks);
        assert!(matches!(of(fault(What::Vanished, "MailboxNotEnabledForRESTAPI")), Ok(Presence::Absent(_))));
        assert!(matches!(of(fault(What::Unsupported, "BadRequest")), Ok(Presence::Absent(_))));
        assert!(matches!(of(fault(What::Forbidden, "UnknownError")), Ok(Presence::Denied(_))));
        assert!(matches!(of(fault(What::Unreachable, "HTTP 503")), Ok(Presence::Present)));
        assert!(of(fault(What::Unauthenticated, "x")).is_err());
    }
}
