//! Content lines and components (RFC 5545 3.1), read as they are.

use super::{Unreadable, unreadable};

/// Components inside components, deeper than any calendar has.
const DEPTH: usize = 16;

#[derive(Debug, Default)]
pub(in crate::meaning) struct Component {
    /// In upper case.
    pub kind: String,
    pub lines: Vec<Line>,
    pub children: Vec<Component>,
}

#[derive(Debug)]
pub(in crate::meaning) struct Line {
    /// What ties lines of a card together, in small letters.
    pub group: Option<String>,
    /// In upper case, without a group.
    pub name: String,
    /// Names in upper case; several values of one parameter stand side by side.
    pub params: Vec<(String, Vec<String>)>,
    /// As written, escapes and all.
    pub value: String,
}

impl Component {
    pub fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.name == name)
    }

    pub fn kids<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Component> {
        self.children.iter().filter(move |child| child.kind == kind)
    }
}

impl Line {
    pub fn param(&self, name: &str) -> Option<&str> {
        let values = self.params.iter().find(|(other, _)| other == name).map(|(_, values)| values);
        values.and_then(|values| values.first()).map(String::as_str)
    }

    /// The value as a text, its escapes undone (RFC 5545 3.3.11).
    pub fn text(&self) -> String {
        unescaped(&self.value)
    }

    /// The values of a list of texts: commas part them, but for escaped ones.
    pub fn texts(&self) -> Vec<String> {
        self.parted(',')
    }

    /// The components of a structured value such as N or ADR.
    pub fn components(&self) -> Vec<String> {
        self.parted(';')
    }

    fn parted(&self, by: char) -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut escaped = false;
        for c in self.value.chars() {
            match (c, texts.last_mut()) {
                (c, _) if c == by && !escaped => texts.push(String::new()),
                (c, Some(text)) => text.push(c),
                (_, None) => {}
            }
            escaped = c == '\\' && !escaped;
        }
        texts.iter().map(|text| unescaped(text)).collect()
    }
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            (c, false) => plain.push(c),
        }
    }
    plain
}

/// The one component of this kind that a text is.
pub(in crate::meaning) fn only(kind: &str, text: &str) -> Result<Component, Unreadable> {
    let mut open: Vec<Component> = vec![Component::default()];
    for line in unfolded(text) {
        let Some(line) = parsed(&line) else { return unreadable(format!("`{}` is no line of iCalendar", cut(&line))) };
        match line.name.as_str() {
            "BEGIN" if open.len() > DEPTH => return unreadable("components stand too deep in each other"),
            "BEGIN" => open.push(Component { kind: line.value.trim().to_uppercase(), ..Component::default() }),
            "END" => close(&mut open, line.value.trim())?,
            _ => open.last_mut().into_iter().for_each(|component| component.lines.push(dup(&line))),
        }
    }
    let whole = open.len() == 1;
    let root = open.pop().unwrap_or_default();
    let mut found = root.children.into_iter().filter(|child| child.kind == kind);
    match (found.next(), found.next(), whole) {
        (Some(only), None, true) => Ok(only),
        (_, _, false) => unreadable("a component does not end"),
        (None, ..) => unreadable(format!("there is no {kind}")),
        (Some(_), Some(_), _) => unreadable(format!("there is more than one {kind}")),
    }
}

fn dup(line: &Line) -> Line {
    let Line { group, name, params, value } = line;
    Line { group: group.clone(), name: name.clone(), params: params.clone(), value: value.clone() }
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

fn close(open: &mut Vec<Component>, kind: &str) -> Result<(), Unreadable> {
    let done = open.pop().filter(|done| done.kind.eq_ignore_ascii_case(kind));
    match (done, open.last_mut()) {
        (Some(done), Some(parent)) => {
            parent.children.push(done);
            Ok(())
        }
        _ => unreadable(format!("`END:{}` ends nothing", cut(kind))),
    }
}

/// Lines with their folds undone; empty ones are none.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for physical in text.trim_start_matches('\u{feff}').split('\n') {
        let physical = physical.strip_suffix('\r').unwrap_or(physical);
        let folded = physical.strip_prefix([' ', '\t']);
        match (folded, lines.last_mut()) {
            (Some(rest), Some(line)) => line.push_str(rest),
            _ => lines.push(physical.to_owned()),
        }
    }
    lines.retain(|line| !line.trim().is_empty());
    lines
}

fn parsed(line: &str) -> Option<Line> {
    let head = line.find([';', ':'])?;
    let (group, name) = match line[..head].rsplit_once('.') {
        Some((group, name)) => (Some(group.to_lowercase()), name.to_uppercase()),
        None => (None, line[..head].to_uppercase()),
    };
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return None;
    }
    let mut rest = &line[head..];
    let mut params = Vec::new();
    while let Some(after) = rest.strip_prefix(';') {
        let (param, left) = parameter(after)?;
        params.push(param);
        rest = left;
    }
    Some(Line { group, name, params, value: rest.strip_prefix(':')?.to_owned() })
}

/// `NAME=value,"quoted value"`, and what follows.
fn parameter(text: &str) -> Option<((String, Vec<String>), &str)> {
    let equals = text.find(['=', ';', ':'])?;
    let name = text[..equals].to_uppercase();
    let Some(mut rest) = text[equals..].strip_prefix('=') else { return Some(((name, Vec::new()), &text[equals..])) };
    let mut values = Vec::new();
    loop {
        let (value, left) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_at(quoted.find('"')?),
            None => rest.split_at(rest.find([',', ';', ':'])?),
        };
        values.push(value.to_owned());
        rest = left.strip_prefix('"').unwrap_or(left);
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Some(((name, values), rest)),
        }
    }
}
