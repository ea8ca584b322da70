//! The script as it grows: extensions, comments, strings.

use super::Sieve;
use crate::loss::Losses;
use crate::{MailProfile, Tables};
use std::collections::BTreeSet;

/// What stands before the rules, by the extension that needs it.
const PREAMBLES: [(&str, &str); 3] = [
    ("variables", "\nset \"dollar\" \"$\";\n"),
    (
        "envelope",
        "\n# \"me\" is the address the message was delivered to.\n\
         if envelope :matches \"to\" \"*\" {\n    set \"me\" \"${1}\";\n}\n",
    ),
    (
        "foreverypart",
        "\n# What the parts of the message say.\n\
         foreverypart {\n    \
             if header :mime :contains \"Content-Disposition\" \"attachment\" {\n        \
                 set \"hasAttachments\" \"yes\";\n    \
             }\n    \
             if header :mime :param \"method\" :is \"Content-Type\" \"REQUEST\" {\n        \
                 set \"isMeetingRequest\" \"yes\";\n    \
             }\n    \
             if header :mime :param \"method\" :is \"Content-Type\" \"REPLY\" {\n        \
                 set \"isMeetingResponse\" \"yes\";\n    \
             }\n\
         }\n",
    ),
];

pub(super) struct Script<'a> {
    pub profile: &'a MailProfile,
    pub tables: &'a Tables,
    /// Variables are in use, so every string must be kept from being taken for one (RFC 5229 section 3).
    variables: bool,
    extensions: BTreeSet<&'static str>,
    /// Extensions of the rule at hand; they count only if it is not written as a comment.
    pending: BTreeSet<&'static str>,
    text: String,
    rule: String,
    notes: Vec<String>,
    losses: Losses,
}

impl<'a> Script<'a> {
    pub fn new(variables: bool, profile: &'a MailProfile, tables: &'a Tables) -> Self {
        Self {
            profile,
            tables,
            variables,
            extensions: BTreeSet::new(),
            pending: BTreeSet::new(),
            text: String::new(),
            rule: String::new(),
            notes: Vec::new(),
            losses: Losses::default(),
        }
    }

    pub fn begin(&mut self, name: &str) {
        self.rule = one_line(name);
        self.notes.clear();
        self.pending.clear();
    }

    pub fn require(&mut self, extension: &'static str) {
        self.pending.insert(extension);
    }

    /// A comment beside the rule.
    pub fn note(&mut self, sentence: &str) {
        self.notes.push(one_line(sentence));
    }

    /// A loss, and a comment beside the rule.
    pub fn lose(&mut self, name: &'static str, sentence: &str) {
        self.losses.add(name, format!("rule `{}`: {}", self.rule, one_line(sentence)));
        self.note(sentence);
    }

    /// A quoted string (RFC 5228 section 2.4.2).
    pub fn string(&self, text: &str) -> String {
        let mut text = one_line(text).replace('\\', "\\\\").replace('"', "\\\"");
        if self.variables {
            text = text.replace("${", "${dollar}{");
        }
        format!("\"{text}\"")
    }

    pub fn list(&self, texts: &[String]) -> String {
        let strings: Vec<String> = texts.iter().map(|text| self.string(text)).collect();
        if strings.len() == 1 { strings.concat() } else { format!("[{}]", strings.join(", ")) }
    }

    pub fn rule(&mut self, text: &str, off: bool) {
        self.text.push_str(&format!("\n# Rule: {}\n", self.rule));
        for note in &self.notes {
            self.text.push_str(&format!("# Note: {note}\n"));
        }
        for line in text.lines() {
            self.text.push_str(if off { "# " } else { "" });
            self.text.push_str(line);
            self.text.push('\n');
        }
        if !off {
            self.extensions.append(&mut self.pending);
        }
    }

    pub fn finish(mut self) -> Sieve {
        if self.variables && self.text.contains("${dollar}") {
            // The rule that wanted variables may stand as a comment while another's string was guarded against them.
            self.extensions.insert("variables");
        }
        let mut script = String::from(
            "# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.\n",
        );
        if !self.extensions.is_empty() {
            let names: Vec<String> = self.extensions.iter().map(|name| format!("\"{name}\"")).collect();
            script.push_str(&format!("require [{}];\n", names.join(", ")));
        }
        for (extension, preamble) in PREAMBLES {
            script.push_str(if self.extensions.contains(extension) { preamble } else { "" });
        }
        script.push_str(&self.text);
        Sieve { script, losses: self.losses.finish() }
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
