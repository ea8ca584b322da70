//! `messageRulePredicates` as Sieve tests ("Microsoft Graph docs: messageRulePredicates resource type").
//!
//! The conditions of a rule must all hold, of several values of one condition one suffices.

use super::script::Script;
use serde_json::{Map, Value};

/// The tests of the conditions, or of the exceptions, of one rule.
#[derive(Default)]
pub(super) struct Tests {
    pub tests: Vec<String>,
    /// At least one cannot be told in Sieve.
    pub untold: bool,
}

/// One condition.
enum Told {
    As(String),
    /// The condition is there but asks nothing: null, false, an empty list.
    Nothing,
    Not(&'static str),
}

/// Conditions on the owner's address, which only the envelope tells.
const OF_ME: [&str; 5] = ["notSentToMe", "sentCcMe", "sentOnlyToMe", "sentToMe", "sentToOrCcMe"];

/// Conditions on the parts of a message, told by variables of the same name.
const OF_PARTS: [&str; 3] = ["hasAttachments", "isMeetingRequest", "isMeetingResponse"];

const ME: &str = "\"${me}\"";

/// Whether the script needs variables.
pub(super) fn need_variables(rules: &[&Map<String, Value>]) -> bool {
    let needs = |name: &str| OF_ME.contains(&name) || OF_PARTS.contains(&name);
    let parts = rules.iter().flat_map(|rule| [rule.get("conditions"), rule.get("exceptions")]).flatten();
    parts.filter_map(Value::as_object).flatten().any(|(name, value)| needs(name) && asks(value))
}

pub(super) fn tests(predicates: Option<&Map<String, Value>>, script: &mut Script<'_>) -> Tests {
    let mut tests = Tests::default();
    for (name, value) in predicates.into_iter().flatten().filter(|(_, value)| asks(value)) {
        match test(name, value, script) {
            Told::As(test) => tests.tests.push(test),
            Told::Nothing => {}
            Told::Not(why) => {
                script.lose("rule_condition_not_carried", &format!("the condition `{name}` is not carried: {why}"));
                tests.untold = true;
            }
        }
    }
    tests
}

fn asks(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(values) => !values.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Object(_) => true,
    }
}

fn test(name: &str, value: &Value, script: &mut Script<'_>) -> Told {
    match name {
        "subjectContains" => contains("\"subject\"", value, script),
        "senderContains" => contains("\"from\"", value, script),
        "recipientContains" => contains("[\"to\", \"cc\"]", value, script),
        "bodyContains" => body_contains(value, script),
        "bodyOrSubjectContains" => body_or_subject_contains(value, script),
        "headerContains" => header_contains(value, script),
        "fromAddresses" => address_is("\"from\"", value, script),
        "sentToAddresses" => address_is("[\"to\", \"cc\"]", value, script),
        "sentToMe" | "sentCcMe" | "sentToOrCcMe" | "notSentToMe" | "sentOnlyToMe" => of_me(name, script),
        "importance" => importance(value),
        "sensitivity" => sensitivity(value),
        "withinSizeRange" => size(value),
        "hasAttachments" | "isMeetingRequest" | "isMeetingResponse" => of_parts(name, script),
        "isAutomaticReply"
        | "isEncrypted"
        | "isSigned"
        | "isNonDeliveryReport"
        | "isReadReceipt"
        | "isPermissionControlled" => of_kind(name, script),
        "isApprovalRequest" | "isAutomaticForward" | "isVoicemail" => Told::Not("no header field tells it reliably"),
        "messageActionFlag" => Told::Not("mail outside Exchange carries no such flag"),
        "categories" => Told::Not("a message that arrives from outside has no categories"),
        annotation if annotation.contains('@') => Told::Nothing,
        _unknown => Told::Not("it is not known"),
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn contains(fields: &str, value: &Value, script: &Script<'_>) -> Told {
    match texts(value) {
        none if none.is_empty() => Told::Not("its values cannot be read"),
        texts => Told::As(format!("header :contains {fields} {}", script.list(&texts))),
    }
}

fn body_contains(value: &Value, script: &mut Script<'_>) -> Told {
    script.require("body");
    match texts(value) {
        none if none.is_empty() => Told::Not("its values cannot be read"),
        texts => Told::As(format!("body :text :contains {}", script.list(&texts))),
    }
}

fn body_or_subject_contains(value: &Value, script: &mut Script<'_>) -> Told {
    match (contains("\"subject\"", value, script), body_contains(value, script)) {
        (Told::As(subject), Told::As(body)) => Told::As(format!("anyof ({subject}, {body})")),
        (refused, _) => refused,
    }
}

/// Sieve must name the field it looks into, so only texts of the form `Field: value` can be told.
fn header_contains(value: &Value, script: &Script<'_>) -> Told {
    let mut tests = Vec::new();
    for text in texts(value) {
        let Some((name, value)) = text.split_once(':').filter(|(name, _)| is_field_name(name)) else {
            return Told::Not("Sieve cannot search all header fields at once");
        };
        tests.push(format!("header :contains {} {}", script.string(name), script.string(value.trim())));
    }
    match tests.len() {
        0 => Told::Not("its values cannot be read"),
        1 => Told::As(tests.concat()),
        _ => Told::As(format!("anyof ({})", tests.join(", "))),
    }
}

fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn address_is(fields: &str, value: &Value, script: &Script<'_>) -> Told {
    let address = |recipient: &Value| recipient.get("emailAddress")?.get("address")?.as_str().map(str::to_owned);
    let told: Vec<Option<String>> = value.as_array().into_iter().flatten().map(address).collect();
    let smtp: Vec<String> = told.iter().flatten().filter(|address| address.contains('@')).cloned().collect();
    if smtp.is_empty() || smtp.len() < told.len() {
        return Told::Not("an address in it is no SMTP address");
    }
    Told::As(format!("address :is {fields} {}", script.list(&smtp)))
}

fn of_me(name: &str, script: &mut Script<'_>) -> Told {
    script.require("envelope");
    script.require("variables");
    Told::As(match name {
        "sentToMe" => format!("address :is \"to\" {ME}"),
        "sentCcMe" => format!("address :is \"cc\" {ME}"),
        "notSentToMe" => format!("not address :is [\"to\", \"cc\"] {ME}"),
        "sentOnlyToMe" => {
            script.require("relational");
            script.require("comparator-i;ascii-numeric");
            let lone = "address :count \"eq\" :comparator \"i;ascii-numeric\" [\"to\", \"cc\"] \"1\"";
            format!("allof (address :is \"to\" {ME}, {lone})")
        }
        _to_or_cc => format!("address :is [\"to\", \"cc\"] {ME}"),
    })
}

fn importance(value: &Value) -> Told {
    let says = |word: &str| format!("header :contains \"importance\" \"{word}\"");
    match value.as_str() {
        Some("high") => Told::As(says("high")),
        Some("low") => Told::As(says("low")),
        Some("normal") => Told::As("not header :contains \"importance\" [\"high\", \"low\"]".to_owned()),
        Some(_) | None => Told::Not("its value is not known"),
    }
}

/// Values of the Sensitivity field: RFC 4021 section 2.1.55.
fn sensitivity(value: &Value) -> Told {
    let says = |word: &str| Told::As(format!("header :contains \"sensitivity\" \"{word}\""));
    match value.as_str() {
        Some("normal") => Told::As("not exists \"sensitivity\"".to_owned()),
        Some("personal") => says("personal"),
        Some("private") => says("private"),
        Some("confidential") => says("company-confidential"),
        Some(_) | None => Told::Not("its value is not known"),
    }
}

/// Both bounds are in kilobytes and belong to the range.
fn size(value: &Value) -> Told {
    let bound = |name: &str| value.get(name).and_then(Value::as_u64).filter(|&bound| bound > 0);
    match (bound("minimumSize"), bound("maximumSize")) {
        (None, None) => Told::Not("its bounds cannot be read"),
        (Some(least), None) => Told::As(format!("not size :under {least}K")),
        (None, Some(most)) => Told::As(format!("not size :over {most}K")),
        (Some(least), Some(most)) => Told::As(format!("allof (not size :under {least}K, not size :over {most}K)")),
    }
}

/// What the parts of a message say is gathered before the rules ([`Script::finish`]): the test `:anychild` of RFC 5703
/// looks no deeper than the message's own header outside `foreverypart` (seen with Pigeonhole 0.5.19).
fn of_parts(name: &str, script: &mut Script<'_>) -> Told {
    script.require("foreverypart");
    script.require("mime");
    script.require("variables");
    Told::As(format!("string :is \"${{{name}}}\" \"yes\""))
}

fn of_kind(name: &str, script: &mut Script<'_>) -> Told {
    let kind = |words: &str| format!("header :contains \"content-type\" {words}");
    script.lose(
        "rule_approximated",
        &format!("the condition `{name}` is told by header fields, which is near but not the same"),
    );
    Told::As(match name {
        "isAutomaticReply" => "header :contains \"auto-submitted\" \"auto-replied\"".to_owned(),
        "isEncrypted" => kind("[\"enveloped-data\", \"multipart/encrypted\"]"),
        "isSigned" => kind("[\"signed-data\", \"multipart/signed\"]"),
        "isNonDeliveryReport" => kind("\"report-type=delivery-status\""),
        "isReadReceipt" => kind("\"report-type=disposition-notification\""),
        _permission_controlled => "header :contains \"content-class\" \"rpmsg.message\"".to_owned(),
    })
}
