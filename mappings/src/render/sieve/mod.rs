//! Outlook inbox rules as a Sieve script (RFC 5228) for the administrator to look over and install.
//!
//! A rule never does more here than it did there: one whose condition or exception cannot be told in Sieve is written
//! as a comment, not widened. An action that cannot be told is left out and named; what stays in the inbox is found.

mod actions;
mod conditions;
mod script;

use crate::{Loss, MailProfile, Tables};
use script::Script;
use serde_json::{Map, Value};

/// A script, and what of the rules it does not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sieve {
    pub script: String,
    pub losses: Vec<Loss>,
}

/// Writes the rules of a mailbox (`messageRules` of Microsoft Graph: the answer or its `value`) as one script.
///
/// `folder_path` gives the path at the target of a source folder id or well-known name (`deleteditems`). Categories
/// become the keywords that [`super::mail_facts`] gives them. Every condition and action is mapped, or is a loss and a
/// comment beside its rule.
pub fn sieve(
    rules_json: &Value,
    folder_path: &dyn Fn(&str) -> Option<String>,
    profile: &MailProfile,
    tables: &Tables,
) -> Sieve {
    let mut rules: Vec<&Map<String, Value>> = match rules_json.get("value").unwrap_or(rules_json) {
        Value::Array(rules) => rules.iter().filter_map(Value::as_object).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => Vec::new(),
    };
    rules.sort_by_key(|rule| rule.get("sequence").and_then(Value::as_i64).unwrap_or(i64::MAX));
    let mut script = Script::new(conditions::need_variables(&rules), profile, tables);
    for rule in rules {
        write_rule(rule, folder_path, &mut script);
    }
    script.finish()
}

/// One rule, taken apart.
struct Rule {
    tests: Vec<String>,
    actions: Vec<String>,
    off: bool,
}

fn write_rule(rule: &Map<String, Value>, folder_path: &dyn Fn(&str) -> Option<String>, script: &mut Script<'_>) {
    let name = rule.get("displayName").and_then(Value::as_str).unwrap_or("without a name");
    script.begin(name);
    let off = properties(rule, script);
    let conditions = conditions::tests(object(rule, "conditions"), script);
    let exceptions = conditions::tests(object(rule, "exceptions"), script);
    let actions = actions::actions(object(rule, "actions"), folder_path, script);
    let mut tests = conditions.tests;
    tests.extend(unless(exceptions.tests));
    let untold = conditions.untold || exceptions.untold;
    if untold {
        script.lose("rule_off", "left switched off, since without the condition it would act on more mail");
    }
    if actions.is_empty() {
        script.lose("rule_off", "no action is left to do");
    }
    write(Rule { off: off || untold || actions.is_empty(), tests, actions }, script);
}

fn object<'a>(rule: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    rule.get(name).and_then(Value::as_object)
}

/// Tells whether the rule was off, or in error, at the source.
fn properties(rule: &Map<String, Value>, script: &mut Script<'_>) -> bool {
    let mut off = false;
    for (name, value) in rule {
        match name.as_str() {
            "id" | "displayName" | "sequence" | "conditions" | "exceptions" | "actions" | "isReadOnly" => {}
            "isEnabled" if value.as_bool() == Some(false) => {
                script.note("switched off at the source");
                off = true;
            }
            "isEnabled" | "hasError" if value.as_bool() != Some(true) => {}
            "isEnabled" => {}
            "hasError" => {
                script.lose("rule_in_error", "Outlook marked it as in error; look at it before you use it");
                off = true;
            }
            annotation if annotation.contains('@') => {}
            unknown => script.lose("rule_property_unknown", &format!("its property `{unknown}` is not known")),
        }
    }
    off
}

fn unless(mut exceptions: Vec<String>) -> Option<String> {
    match exceptions.len() {
        0 => None,
        1 => Some(format!("not {}", exceptions.remove(0))),
        _ => Some(format!("not anyof ({})", exceptions.join(", "))),
    }
}

fn write(rule: Rule, script: &mut Script<'_>) {
    let mut tests = rule.tests;
    let test = match tests.len() {
        0 => "true".to_owned(),
        1 => tests.remove(0),
        _ => format!("allof (\n    {}\n)", tests.join(",\n    ")),
    };
    let mut text = format!("if {test} {{\n");
    for action in &rule.actions {
        text.push_str(&format!("    {action}\n"));
    }
    text.push_str("}\n");
    script.rule(&text, rule.off);
}
