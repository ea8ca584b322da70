//! What belongs to a mailbox beside its mail: settings, categories and rules.

use serde_json::{Value, json};

use super::dice::Dice;
use super::directory::{DOMAIN, Member, Standing};
use super::mailbox::Mailbox;
use crate::dump::Entry;

/// Categories of the master list, with the colour presets of Outlook.
const CATEGORIES: [(&str, &str); 8] = [
    ("Red category", "preset0"),
    ("À traiter", "preset1"),
    ("Budget / Finances", "preset4"),
    ("緊急", "preset3"),
    ("Élus", "preset7"),
    ("travaux voirie", "preset14"),
    ("Без цвета", "none"),
    ("Steel \"quoted\"", "preset24"),
];

/// The settings, categories and rules of a mailbox. `place` is its place in the cast.
pub(super) fn of(member: &Member, place: usize, mailbox: &Mailbox, dice: &mut Dice) -> Vec<Entry> {
    let line = |kind: &str, resource: Value| Entry {
        kind: kind.to_owned(),
        user: Some(member.upn.clone()),
        resource,
        parent: None,
        content: None,
    };
    let mut entries = vec![line("mailboxSettings", settings(member, place, mailbox))];
    if matches!(member.standing, Standing::Person | Standing::Shared) {
        entries.extend(CATEGORIES.iter().map(|of| line("masterCategory", category(of, dice))));
    }
    let rules = if place == 0 { every_rule(mailbox) } else { one_rule(mailbox) };
    let rules = if member.standing == Standing::Person { rules } else { Vec::new() };
    entries.extend(rules.into_iter().enumerate().map(|(at, rule)| line("messageRule", numbered(rule, at, dice))));
    entries
}

fn category((name, color): &(&str, &str), dice: &mut Dice) -> Value {
    json!({ "id": dice.guid(), "displayName": name, "color": color })
}

/// Microsoft Graph docs: mailboxSettings.
fn settings(member: &Member, place: usize, mailbox: &Mailbox) -> Value {
    let zone = zone(member, place);
    json!({
        "archiveFolder": mailbox.id_of("archive"),
        "timeZone": zone,
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": member.locale.date_format,
        "timeFormat": "HH:mm",
        "userPurpose": member.standing.purpose(),
        "automaticRepliesSetting": replies(member, place),
        "language": { "locale": member.locale.tag, "displayName": member.locale.name },
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:30:00.0000000",
            "endTime": "17:30:00.0000000",
            "timeZone": { "name": zone },
        },
        "_calendarPermissions": permissions(place),
    })
}

/// Everybody inside sees when one is busy; the first mailbox has a delegate, and a colleague who may write.
fn permissions(place: usize) -> Value {
    let mut all = vec![permission("0", "My Organization", None, "freeBusyRead")];
    if place == 0 {
        let juergen = format!("juergen.gross@{DOMAIN}");
        all.push(permission("1", "Jürgen Groß", Some(&juergen), "delegateWithoutPrivateEventAccess"));
        all.push(permission("2", "Accueil", Some(&format!("accueil@{DOMAIN}")), "write"));
    }
    all.into()
}

fn permission(id: &str, name: &str, address: Option<&str>, role: &str) -> Value {
    json!({
        "id": format!("l289RLRGEUe{id}8YTv5N=="),
        "isRemovable": address.is_some(),
        "isInsideOrganization": true,
        "role": role,
        "allowedRoles": ["freeBusyRead", "limitedRead", "read", "write", "delegateWithoutPrivateEventAccess",
            "delegateWithPrivateEventAccess"],
        "emailAddress": { "name": name, "address": address },
    })
}

/// Mostly that of the language; one mailbox lives in a zone of its own making, one in UTC, one half an hour off.
fn zone(member: &Member, place: usize) -> &'static str {
    match place {
        3 => "Customized Time Zone",
        9 => "UTC",
        12 => "India Standard Time",
        _ => member.locale.zone,
    }
}

fn replies(member: &Member, place: usize) -> Value {
    let (status, audience) = match (member.standing, place) {
        (Standing::Disabled, _) => ("alwaysEnabled", "all"),
        (_, 1) => ("scheduled", "contactsOnly"),
        _ => ("disabled", "none"),
    };
    let said = status != "disabled";
    let text = "<html><body><p>Je suis absente jusqu'au 1<sup>er</sup> août.<br>In dringenden Fällen: <a \
                href=\"mailto:accueil@valmont.example\">accueil</a></p></body></html>";
    json!({
        "status": status,
        "externalAudience": audience,
        "scheduledStartDateTime": { "dateTime": "2026-07-01T06:00:00.0000000", "timeZone": "UTC" },
        "scheduledEndDateTime": { "dateTime": "2026-08-01T06:00:00.0000000", "timeZone": "UTC" },
        "internalReplyMessage": if said { text } else { "" },
        "externalReplyMessage": if said { text } else { "" },
    })
}

fn numbered(mut rule: Value, at: usize, dice: &mut Dice) -> Value {
    rule["id"] = json!(dice.outlook_id("AQAAA", 16));
    rule["sequence"] = json!(at + 1);
    let defaults = json!({ "isEnabled": true, "hasError": false, "isReadOnly": false });
    let fields = rule.as_object_mut();
    fields.into_iter().for_each(|fields| {
        for (name, value) in super::resource::object(defaults.clone()) {
            fields.entry(name).or_insert(value);
        }
    });
    rule
}

fn one_rule(mailbox: &Mailbox) -> Vec<Value> {
    vec![json!({
        "displayName": "Newsletters",
        "conditions": { "headerContains": ["List-Unsubscribe"] },
        "actions": { "moveToFolder": mailbox.id_of("archive"), "stopProcessingRules": true },
    })]
}

/// A rule of every kind (Microsoft Graph docs: messageRulePredicates, messageRuleActions).
fn every_rule(mailbox: &Mailbox) -> Vec<Value> {
    let mut rules = one_rule(mailbox);
    rules.extend(by_people(mailbox));
    rules.extend(by_content(mailbox));
    rules.extend(not_movable());
    rules
}

fn by_people(mailbox: &Mailbox) -> Vec<Value> {
    let prefect = json!([{ "emailAddress": { "name": "Préfecture", "address": "prefecture@etat.example" } }]);
    let deputy = json!([{ "emailAddress": { "name": "Jürgen Groß", "address": format!("juergen.gross@{DOMAIN}") } }]);
    vec![
        json!({
            "displayName": "Préfecture → dossier",
            "conditions": { "fromAddresses": prefect, "sentToMe": true },
            "actions": { "copyToFolder": mailbox.id_of("archive"), "assignCategories": ["Élus"], "markImportance": "high" },
        }),
        json!({
            "displayName": "Transfert à l'adjoint",
            "conditions": { "senderContains": ["budget@", "finances"], "sentOnlyToMe": true },
            "exceptions": { "subjectContains": ["[privé]"] },
            "actions": { "forwardTo": deputy, "forwardAsAttachmentTo": deputy },
        }),
        json!({
            "displayName": "Redirection externe",
            "conditions": { "recipientContains": ["valmont.example"], "notSentToMe": true },
            "actions": { "redirectTo": [{ "emailAddress": { "name": "", "address": "moi@ailleurs.example" } }] },
        }),
    ]
}

fn by_content(mailbox: &Mailbox) -> Vec<Value> {
    vec![
        json!({
            "displayName": "Mots dans le sujet et le corps",
            "conditions": {
                "subjectContains": ["facture \"pro forma\"", "Rechnung"],
                "bodyContains": ["échéance"],
                "bodyOrSubjectContains": ["IBAN\\BIC"],
            },
            "actions": { "markAsRead": true, "stopProcessingRules": false },
        }),
        json!({
            "displayName": "Gros messages",
            "conditions": { "withinSizeRange": { "minimumSize": 10240, "maximumSize": 1_000_000 }, "hasAttachments": true },
            "actions": { "moveToFolder": mailbox.id_of("junkemail") },
        }),
        json!({
            "displayName": "Corbeille",
            "conditions": { "importance": "low", "sensitivity": "confidential", "isAutomaticReply": true },
            "actions": { "delete": true },
        }),
        json!({
            "displayName": "Tout le reste",
            "conditions": null,
            "actions": { "assignCategories": ["À traiter", "catégorie disparue"] },
        }),
    ]
}

/// Rules that no Sieve script carries wholly, or that are broken.
fn not_movable() -> Vec<Value> {
    vec![
        json!({
            "displayName": "Convocations chiffrées",
            "conditions": { "isMeetingRequest": true, "isEncrypted": true, "messageActionFlag": "followUp" },
            "actions": { "permanentDelete": true },
        }),
        json!({
            "displayName": "Règle du client Outlook",
            "isReadOnly": true,
            "conditions": { "sentCcMe": true, "isReadReceipt": true },
            "actions": { "stopProcessingRules": true },
        }),
        json!({
            "displayName": "Dossier supprimé",
            "isEnabled": false,
            "hasError": true,
            "conditions": { "isVoicemail": true },
            "actions": { "moveToFolder": null },
        }),
    ]
}
