//! `messageRuleActions` as Sieve actions ("Microsoft Graph docs: messageRuleActions resource type").

use super::script::Script;
use crate::render::keyword;
use serde_json::{Map, Value};

/// The order Sieve needs: flags count for what is filed after them, and `stop` comes last.
#[derive(Default)]
struct Ordered {
    flags: Vec<String>,
    copies: Vec<String>,
    moves: Vec<String>,
    stop: bool,
}

pub(super) fn actions(
    actions: Option<&Map<String, Value>>,
    folder_path: &dyn Fn(&str) -> Option<String>,
    script: &mut Script<'_>,
) -> Vec<String> {
    let mut ordered = Ordered::default();
    for (name, value) in actions.into_iter().flatten() {
        if !matches!(value, Value::Null | Value::Bool(false)) {
            action(name, value, folder_path, &mut ordered, script);
        }
    }
    let Ordered { mut flags, copies, moves, stop } = ordered;
    flags.extend(copies);
    flags.extend(moves);
    flags.extend(stop.then(|| "stop;".to_owned()));
    flags
}

fn action(
    name: &str,
    value: &Value,
    folder_path: &dyn Fn(&str) -> Option<String>,
    ordered: &mut Ordered,
    script: &mut Script<'_>,
) {
    match name {
        "markAsRead" => ordered.flags.push(flag("\\Seen", script)),
        "assignCategories" => ordered.flags.extend(categories(value, script)),
        "markImportance" => ordered.flags.extend(importance(value, script)),
        "copyToFolder" => ordered.copies.extend(file(name, value.as_str(), ":copy ", folder_path, script)),
        "moveToFolder" => ordered.moves.extend(file(name, value.as_str(), "", folder_path, script)),
        "delete" => ordered.moves.extend(file(name, Some("deleteditems"), "", folder_path, script)),
        "permanentDelete" => ordered.moves.push("discard;".to_owned()),
        "redirectTo" => ordered.copies.extend(redirect(value, script)),
        "forwardTo" | "forwardAsAttachmentTo" => {
            script.lose("rule_approximated", &format!("`{name}` is told as a redirect, which keeps the first sender"));
            ordered.copies.extend(redirect(value, script));
        }
        "stopProcessingRules" => ordered.stop = true,
        annotation if annotation.contains('@') => {}
        unknown => script.lose("rule_action_not_carried", &format!("the action `{unknown}` is not known")),
    }
}

fn flag(flag: &str, script: &mut Script<'_>) -> String {
    script.require("imap4flags");
    format!("addflag {};", script.string(flag))
}

fn categories(value: &Value, script: &mut Script<'_>) -> Vec<String> {
    let mut flags = Vec::new();
    for category in value.as_array().into_iter().flatten().filter_map(Value::as_str) {
        match keyword(category, script.profile, script.tables) {
            Some(keyword) => flags.push(flag(&keyword.text, script)),
            None => script.lose("rule_action_not_carried", &format!("the category `{category}` has no keyword")),
        }
    }
    flags
}

fn importance(value: &Value, script: &mut Script<'_>) -> Option<String> {
    let fact = match value.as_str() {
        Some("high") => Some("importance_high"),
        Some("low") => Some("importance_low"),
        Some("normal") => None,
        Some(_) | None => {
            script.lose("rule_action_not_carried", "the importance to mark with is not known");
            return None;
        }
    };
    let keyword = fact.and_then(|fact| script.tables.fact(fact)).map(str::to_owned);
    if keyword.is_none() {
        script.lose("rule_action_not_carried", "Sieve cannot mark a message with this importance");
    }
    keyword.map(|keyword| flag(&keyword, script))
}

fn file(
    name: &str,
    folder: Option<&str>,
    how: &str,
    folder_path: &dyn Fn(&str) -> Option<String>,
    script: &mut Script<'_>,
) -> Option<String> {
    let Some(path) = folder.and_then(folder_path) else {
        script.lose(
            "rule_action_not_carried",
            &format!("`{name}` names a folder that was not migrated; the message stays"),
        );
        return None;
    };
    script.require("fileinto");
    if !how.is_empty() {
        script.require("copy");
    }
    Some(format!("fileinto {how}{};", script.string(&path)))
}

/// With `:copy`, since a rule of Outlook that sends a message on leaves it in the mailbox.
fn redirect(value: &Value, script: &mut Script<'_>) -> Vec<String> {
    let mut redirects = Vec::new();
    for recipient in value.as_array().into_iter().flatten() {
        let address = recipient.get("emailAddress").and_then(|address| address.get("address")).and_then(Value::as_str);
        match address.filter(|address| address.contains('@')) {
            Some(address) => {
                script.require("copy");
                redirects.push(format!("redirect :copy {};", script.string(address)));
            }
            None => script.lose("rule_action_not_carried", "an address to send to is no SMTP address"),
        }
    }
    redirects
}
