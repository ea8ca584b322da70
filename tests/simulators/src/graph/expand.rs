//! `$expand` on Outlook resources.

use crate::wire::Refusal;

use super::properties::PropertyId;

/// What a row brings along.
#[derive(Clone, Default)]
pub(crate) struct Expand {
    /// Extended properties, as they were asked for.
    pub properties: Vec<PropertyId>,
    pub attachments: bool,
    /// The embedded item of an attachment, and whether its own attachments come with it.
    pub item: Option<bool>,
    pub event: bool,
    pub child_folders: bool,
    /// Parts of a task.
    pub parts: Vec<String>,
    pub calendar: bool,
    pub exceptions: bool,
    /// What is selected of each exception.
    pub exceptions_select: Option<Vec<String>>,
}

impl Expand {
    /// # Errors
    /// 400 for what cannot be expanded on a type, and for malformed property ids.
    pub fn parse(text: Option<&str>, of: &str) -> Result<Self, Refusal> {
        let mut expand = Self::default();
        for one in split(text.unwrap_or_default()) {
            let (name, inside) = one.split_once('(').unwrap_or((one, ""));
            expand.take(name.trim(), inside.strip_suffix(')').unwrap_or(inside), of)?;
        }
        Ok(expand)
    }

    fn take(&mut self, name: &str, inside: &str, of: &str) -> Result<(), Refusal> {
        match (of, name.to_ascii_lowercase().as_str()) {
            (
                "message" | "mailFolder" | "event" | "calendar" | "contact" | "contactFolder",
                "singlevalueextendedproperties",
            ) => self.properties = properties(inside)?,
            (
                "message" | "mailFolder" | "event" | "calendar" | "contact" | "contactFolder" | "todoTask",
                "multivalueextendedproperties" | "extensions",
            ) => {}
            ("message" | "event" | "todoTask", "attachments") => self.attachments = true,
            ("event", "calendar") => self.calendar = true,
            ("event", "exceptionoccurrences") => {
                self.exceptions = true;
                self.exceptions_select = selected(inside);
            }
            ("event", "cancelledoccurrences") => return Err(no_navigation(name, of)),
            ("todoTask", "checklistitems" | "linkedresources") => self.parts.push(name.to_owned()),
            ("message", "microsoft.graph.eventmessage/event") => self.event = true,
            ("mailFolder", "childfolders") => self.child_folders = true,
            ("attachment", "microsoft.graph.itemattachment/item") => {
                self.item = Some(inside.to_ascii_lowercase().contains("attachments"));
            }
            _ => {
                return Err(Refusal::unparsable(format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.{of}'."
                )));
            }
        }
        Ok(())
    }
}

/// `$select=subject,start` inside the parentheses of an expansion.
fn selected(inside: &str) -> Option<Vec<String>> {
    let names = inside.split(';').find_map(|option| option.trim().strip_prefix("$select="))?;
    Some(names.split(',').map(|name| name.trim().to_owned()).collect())
}

fn no_navigation(name: &str, of: &str) -> Refusal {
    Refusal::unparsable(format!(
        "Parsing OData Select and Expand failed: Property '{name}' on type 'microsoft.graph.{of}' is not a navigation \
         property or complex property. Only navigation properties can be expanded."
    ))
}

/// Commas at the top level part options; those in parentheses and quotes do not.
pub(super) fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0_u32, false, 0);
    let mut parts = Vec::new();
    for (at, sign) in text.char_indices() {
        match sign {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// `$filter=id eq 'Integer 0x0E08' or id eq '...'`.
fn properties(inside: &str) -> Result<Vec<PropertyId>, Refusal> {
    let unparsable =
        || Refusal::unparsable("The filter of expanded extended properties must be of the form id eq '<type> <tag>'.");
    let filter = inside.split(';').find_map(|option| option.trim().strip_prefix("$filter=")).ok_or_else(unparsable)?;
    let ids = filter.split(" or ").map(|one| {
        let id = one.trim().trim_matches(['(', ')']).trim().strip_prefix("id eq").ok_or_else(unparsable)?;
        let id = id.trim().strip_prefix('\'').and_then(|id| id.strip_suffix('\'')).ok_or_else(unparsable)?;
        PropertyId::parse(id)
    });
    ids.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn several_expansions() {
        let text = "singleValueExtendedProperties($filter=id eq 'Integer 0x1081' or id eq 'String 0x001A'),attachments";
        let expand = Expand::parse(Some(text), "message").unwrap();
        assert_eq!(expand.properties.len(), 2);
        assert!(expand.attachments);
        assert!(Expand::parse(Some("wife"), "message").is_err());
        assert!(Expand::parse(Some("singleValueExtendedProperties($filter=id eq 'Whole 0x1')"), "message").is_err());
    }
}
