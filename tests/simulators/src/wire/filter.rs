//! `$filter`: comparisons, `and`, `or`, `not`, the string functions, and `any` over a collection of plain values
//! (OData 4.0 URL conventions, section 5.1.1, as far as the directory and Outlook take it).

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::Refusal;

/// A filter that was understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    Compare { path: String, by: Comparison, with: Value },
    Text { test: TextTest, path: String, with: String },
    Any { path: String, inner: Box<Filter> },
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Comparison {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

impl Filter {
    /// # Errors
    /// 400 for anything that is not such a filter.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let refusal = || Refusal::bad_query(format!("Invalid filter clause: syntax error in '{text}'."));
        let tokens = tokens(text).ok_or_else(refusal)?;
        let mut reader = Reader { tokens, at: 0 };
        let filter = reader.either().ok_or_else(refusal)?;
        if reader.at == reader.tokens.len() { Ok(filter) } else { Err(refusal()) }
    }

    pub fn holds(&self, of: &Value) -> bool {
        match self {
            Self::Compare { path, by, with } => compared(at(of, path), *by, with),
            Self::Text { test, path, with } => at(of, path).as_str().is_some_and(|text| test.holds(text, with)),
            Self::Any { path, inner } => {
                at(of, path).as_array().is_some_and(|items| items.iter().any(|item| inner.holds(item)))
            }
            Self::And(left, right) => left.holds(of) && right.holds(of),
            Self::Or(left, right) => left.holds(of) || right.holds(of),
            Self::Not(inner) => !inner.holds(of),
        }
    }

    /// Whether the directory answers it only with `ConsistencyLevel: eventual` and `$count=true`.
    pub fn is_advanced(&self) -> bool {
        match self {
            Self::Compare { by, .. } => *by == Comparison::Ne,
            Self::Text { test, .. } => *test == TextTest::EndsWith,
            Self::Any { inner, .. } => inner.is_advanced(),
            Self::And(left, right) | Self::Or(left, right) => left.is_advanced() || right.is_advanced(),
            Self::Not(_) => true,
        }
    }

    /// The properties it speaks of, in order.
    pub fn paths(&self) -> Vec<&str> {
        match self {
            Self::Compare { path, .. } | Self::Text { path, .. } | Self::Any { path, .. } => vec![path],
            Self::And(left, right) | Self::Or(left, right) => [left.paths(), right.paths()].concat(),
            Self::Not(inner) => inner.paths(),
        }
    }
}

impl TextTest {
    fn holds(self, text: &str, with: &str) -> bool {
        let (text, with) = (text.to_lowercase(), with.to_lowercase());
        match self {
            Self::StartsWith => text.starts_with(&with),
            Self::EndsWith => text.ends_with(&with),
            Self::Contains => text.contains(&with),
        }
    }
}

/// The value at `a/b`; the empty path is the value itself, as inside `any`.
fn at<'a>(of: &'a Value, path: &str) -> &'a Value {
    path.split('/').filter(|name| !name.is_empty()).fold(of, |value, name| &value[name])
}

fn compared(left: &Value, by: Comparison, right: &Value) -> bool {
    let order = ordered(left, right);
    match by {
        Comparison::Eq => order == Some(Ordering::Equal),
        Comparison::Ne => order != Some(Ordering::Equal),
        Comparison::Gt => order == Some(Ordering::Greater),
        Comparison::Ge => order.is_some_and(Ordering::is_ge),
        Comparison::Lt => order == Some(Ordering::Less),
        Comparison::Le => order.is_some_and(Ordering::is_le),
    }
}

/// Strings compare without case, and as instants if both are; different kinds do not compare.
fn ordered(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => match (left.parse::<Timestamp>(), right.parse::<Timestamp>()) {
            (Ok(left), Ok(right)) => Some(left.cmp(&right)),
            _ => Some(left.to_lowercase().cmp(&right.to_lowercase())),
        },
        _ => None,
    }
}

/// Words, quoted strings (kept with their first quote), and the signs `( ) , :`.
fn tokens(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '\'' => quoted(rest)?,
            '(' | ')' | ',' | ':' => (first.to_string(), &rest[1..]),
            _ => word(rest),
        };
        found.push(token);
        rest = after.trim_start();
    }
    Some(found)
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let mut token = String::from("'");
    let mut rest = &text[1..];
    loop {
        let end = rest.find('\'')?;
        token.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(more) => {
                token.push('\'');
                rest = more;
            }
            None => return Some((token, rest)),
        }
    }
}

/// A word ends at a space or a sign; the colons within an instant do not end it.
fn word(text: &str) -> (String, &str) {
    let instant = text.starts_with(|first: char| first.is_ascii_digit());
    let ends = |sign: char| sign.is_whitespace() || "(),'".contains(sign) || (sign == ':' && !instant);
    let end = text.find(ends).unwrap_or(text.len()).max(1);
    (text[..end].to_owned(), &text[end..])
}

struct Reader {
    tokens: Vec<String>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn take(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn accept(&mut self, token: &str) -> Option<()> {
        let same = self.peek()?.eq_ignore_ascii_case(token);
        same.then(|| self.at += 1)
    }

    fn either(&mut self) -> Option<Filter> {
        let mut left = self.both()?;
        while self.accept("or").is_some() {
            left = Filter::Or(Box::new(left), Box::new(self.both()?));
        }
        Some(left)
    }

    fn both(&mut self) -> Option<Filter> {
        let mut left = self.one()?;
        while self.accept("and").is_some() {
            left = Filter::And(Box::new(left), Box::new(self.one()?));
        }
        Some(left)
    }

    fn one(&mut self) -> Option<Filter> {
        if self.accept("not").is_some() {
            return Some(Filter::Not(Box::new(self.one()?)));
        }
        if self.accept("(").is_some() {
            let inner = self.either()?;
            return self.accept(")").map(|()| inner);
        }
        let name = self.take().filter(|name| !name.starts_with('\''))?;
        match self.peek() {
            Some("(") => self.call(&name),
            _ => self.comparison(name),
        }
    }

    fn comparison(&mut self, path: String) -> Option<Filter> {
        let by = match self.take()?.to_ascii_lowercase().as_str() {
            "eq" => Comparison::Eq,
            "ne" => Comparison::Ne,
            "gt" => Comparison::Gt,
            "ge" => Comparison::Ge,
            "lt" => Comparison::Lt,
            "le" => Comparison::Le,
            _ => return None,
        };
        Some(Filter::Compare { path, by, with: literal(&self.take()?)? })
    }

    fn call(&mut self, name: &str) -> Option<Filter> {
        self.accept("(")?;
        let filter = match name.strip_suffix("/any") {
            Some(path) => self.any(path)?,
            None => self.text_test(name)?,
        };
        self.accept(")").map(|()| filter)
    }

    /// `any(t:t eq 'x')` and `any(a:a/b eq 'x')`: the variable is taken off the paths inside.
    fn any(&mut self, path: &str) -> Option<Filter> {
        let variable = self.take()?;
        self.accept(":")?;
        let inner = self.either()?.within(&variable);
        Some(Filter::Any { path: path.to_owned(), inner: Box::new(inner) })
    }

    fn text_test(&mut self, name: &str) -> Option<Filter> {
        let test = match name.to_ascii_lowercase().as_str() {
            "startswith" => TextTest::StartsWith,
            "endswith" => TextTest::EndsWith,
            "contains" => TextTest::Contains,
            _ => return None,
        };
        let path = self.take()?;
        self.accept(",")?;
        let with = self.take()?.strip_prefix('\'')?.to_owned();
        Some(Filter::Text { test, path, with })
    }
}

impl Filter {
    fn within(self, variable: &str) -> Self {
        let strip = |path: String| {
            let rest = path.strip_prefix(variable).map(|rest| rest.trim_start_matches('/').to_owned());
            rest.unwrap_or(path)
        };
        match self {
            Self::Compare { path, by, with } => Self::Compare { path: strip(path), by, with },
            Self::Text { test, path, with } => Self::Text { test, path: strip(path), with },
            Self::Any { path, inner } => Self::Any { path: strip(path), inner },
            Self::And(left, right) => Self::And(Box::new(left.within(variable)), Box::new(right.within(variable))),
            Self::Or(left, right) => Self::Or(Box::new(left.within(variable)), Box::new(right.within(variable))),
            Self::Not(inner) => Self::Not(Box::new(inner.within(variable))),
        }
    }
}

fn literal(token: &str) -> Option<Value> {
    if let Some(text) = token.strip_prefix('\'') {
        return Some(text.into());
    }
    match token.to_ascii_lowercase().as_str() {
        "true" => Some(true.into()),
        "false" => Some(false.into()),
        "null" => Some(Value::Null),
        _ => token.parse::<f64>().map_or_else(|_| instant(token), |number| Some(number.into())),
    }
}

fn instant(token: &str) -> Option<Value> {
    let day = || format!("{token}T00:00:00Z").parse::<Timestamp>().ok();
    let instant = token.parse::<Timestamp>().ok().or_else(day)?;
    Some(instant.to_string().into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn holds(filter: &str) -> bool {
        let user = json!({"userType": "Member", "accountEnabled": true, "mail": null, "n": {"size": 3},
            "groupTypes": ["Unified"], "received": "2025-03-02T09:11:12Z", "name": "O'Neill"});
        Filter::parse(filter).unwrap().holds(&user)
    }

    #[test]
    fn filters_hold_or_not() {
        for truth in [
            "userType eq 'member'",
            "not(userType eq 'Guest') and accountEnabled eq true",
            "mail eq null",
            "n/size ge 3",
            "groupTypes/any(g:g eq 'Unified')",
            "received ge 2025-03-02T09:11:12Z and received lt 2025-03-03",
            "startswith(name,'o''n') or contains(name, 'zz')",
        ] {
            assert!(holds(truth), "{truth}");
        }
        assert!(!holds("userType ne 'Member'"));
        assert!(!holds("groupTypes/any(g:g eq 'DynamicMembership')"));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for wrong in ["userType", "userType eq", "userType is 'x'", "(a eq 1", "a eq 'x", "a eq 1 b", "concat(a,'b')"] {
            assert_eq!(Filter::parse(wrong).unwrap_err().status, 400, "{wrong}");
        }
    }
}
