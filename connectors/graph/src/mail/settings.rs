//! What an administrator needs of a mailbox beside its mail: settings with automatic replies, rules with forwarding,
//! categories, the overrides of the focused inbox, and who may act in its calendar: delegates are those with the role
//! `delegateWithoutPrivateEventAccess` or `delegateWithPrivateEventAccess` (Graph docs: calendarPermission), and
//! `delegateMeetingMessageDeliveryOptions` of the settings tells who gets their meeting requests. Each is the
//! provider's own JSON. Full access, send-as and send-on-behalf are Exchange's own, and not in Graph v1.0.

use crate::{attached::put, endpoint::segment, faults::Asked, json, service::Service};
use serde_json::{Value, json};
use transhume_contract::{AccountId, Fault, OriginalSink, Reach, What};

/// Part and path. Rules and categories need `MailboxSettings.Read`, overrides need `Mail.Read`.
const PARTS: &[(&str, &str)] = &[
    ("mailboxSettings", "/mailboxSettings"),
    ("messageRules", "/mailFolders/inbox/messageRules"),
    ("masterCategories", "/outlook/masterCategories"),
    ("inferenceOverrides", "/inferenceClassification/overrides"),
];
/// Needs `Calendars.Read`, which moving mail does not: where it is refused, the part says so in place of the answer.
const DELEGATES: (&str, &str) = ("calendarPermissions", "/calendar/calendarPermissions");

/// Gives the settings of one mailbox. What the service says does not exist is left out; what it refuses is a fault of
/// these settings alone: the mail moves without them.
pub async fn settings(service: &Service, account: &AccountId, into: &mut dyn OriginalSink) -> Result<(), Fault> {
    for (part, path) in PARTS {
        match whole(service, account, path).await {
            Ok(bytes) => put(into, (*part).to_owned(), "application/json", bytes.into()).await?,
            Err(fault) if absent(&fault) => tracing::debug!(part, "these settings do not exist here"),
            Err(fault) => return Err(alone(fault, part)),
        }
    }
    delegates(service, account, into).await
}

async fn delegates(service: &Service, account: &AccountId, into: &mut dyn OriginalSink) -> Result<(), Fault> {
    let (part, path) = DELEGATES;
    let bytes = match whole(service, account, path).await {
        Ok(bytes) => bytes,
        Err(fault) if absent(&fault) => return Ok(()),
        Err(fault) if fault.what == What::Forbidden && fault.reach < Reach::Run => {
            let error = json!({"code": fault.code, "message": fault.sentence});
            json!({"transhume.error": error}).to_string().into_bytes()
        }
        Err(fault) => return Err(fault),
    };
    put(into, part.to_owned(), "application/json", bytes.into()).await
}

/// An endpoint this cloud does not have is a 400 or a 404; a mailbox that is not there is no such thing.
pub fn absent(fault: &Fault) -> bool {
    matches!(fault.what, What::Vanished | What::Unsupported) && crate::faults::no_mailbox(fault).is_none()
}

fn alone(fault: Fault, part: &str) -> Fault {
    if fault.what != What::Forbidden {
        return fault;
    }
    let step = "grant the application MailboxSettings.Read (rules, automatic replies, categories), or go without them";
    let sentence = format!("{part} of this mailbox are not captured: {}", fault.sentence);
    Fault { sentence, reach: Reach::Item, ..fault }.ask(step)
}

/// The first page verbatim; where there are more, one object with the rows of all.
pub async fn whole(service: &Service, account: &AccountId, path: &str) -> Result<Vec<u8>, Fault> {
    let first = service.endpoint.at(&format!("/users/{}{path}", segment(account.as_str())));
    let request = service.endpoint.mailbox(account.as_str(), first);
    let (mut whole, bytes): (Value, _) = service.parsed(request, Asked::Mailbox, path).await?;
    let bytes = json::verbatim(bytes.to_vec(), path)?;
    let mut link = take_link(&mut whole);
    if link.is_none() {
        return Ok(bytes);
    }
    while let Some(next) = link {
        let url = service.endpoint.resumed(&service.endpoint.kept(&next)?)?;
        let request = service.endpoint.mailbox(account.as_str(), url);
        let mut page: Value = service.json(request, Asked::Mailbox, path).await?;
        link = take_link(&mut page);
        append(&mut whole, page);
    }
    Ok(whole.to_string().into_bytes())
}

fn take_link(page: &mut Value) -> Option<String> {
    let link = page.as_object_mut()?.shift_remove("@odata.nextLink")?;
    link.as_str().map(str::to_owned)
}

fn append(whole: &mut Value, mut page: Value) {
    let more = page.get_mut("value").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    if let Some(rows) = whole.get_mut("value").and_then(Value::as_array_mut) {
        rows.extend(more);
    }
}
