//! A vCard in the making, by the calcard crate.
//!
//! calcard adds a CHARSET parameter to each line of a 3.0 card beyond ASCII (seen with 0.3.14), which RFC 2426 does not
//! have. The lines are therefore written in its 4.0 way, which is the same for all properties used here but photos, and
//! the two lines of the frame by us. In 4.0 it escapes the comma of a `data:` URI, where RFC 6350 has no escapes; that
//! is undone, within the first line of a photo, before any fold.

use crate::loss::Losses;
use crate::render::plain::{self, clean};
use crate::{ContactProfile, VCardForm};
use calcard::vcard::{
    VCardEntry, VCardParameter, VCardParameterName, VCardProperty, VCardType, VCardValue, VCardVersion,
};

pub(super) struct Card {
    pub form: VCardForm,
    entries: Vec<VCardEntry>,
    groups: u32,
}

impl Card {
    pub fn new(uid: &str, profile: &ContactProfile) -> Self {
        let mut card = Self { form: profile.form, entries: Vec::new(), groups: 0 };
        card.line(VCardProperty::Prodid, "-//transhume//transhume//EN");
        card.line(VCardProperty::Uid, uid);
        card
    }

    pub fn push(&mut self, entry: VCardEntry) {
        self.entries.push(entry);
    }

    pub fn line(&mut self, name: VCardProperty, value: &str) {
        self.push(VCardEntry::new(name).with_value(value.to_owned()));
    }

    pub fn uri(&mut self, name: VCardProperty, uri: &str) {
        let uri = plain::uri(uri);
        if !uri.is_empty() {
            self.line(name, &uri);
        }
    }

    /// A text, where there is one.
    pub fn said(&mut self, name: VCardProperty, value: Option<&str>, losses: &mut Losses) {
        if let Some(value) = value.map(|value| clean(value, losses)).filter(|value| !value.trim().is_empty()) {
            self.line(name, &value);
        }
    }

    /// One of the properties that others than the standard use.
    pub fn extension(&mut self, name: &str, value: Option<&str>, losses: &mut Losses) {
        self.said(VCardProperty::Other(name.to_owned()), value, losses);
    }

    /// A property of a kind: `TYPE=HOME`. Never two kinds, since some servers refuse lists of them.
    pub fn typed(&mut self, name: VCardProperty, kind: Option<VCardType>, values: Vec<VCardValue>) {
        let kind = kind.map(|kind| VCardParameter::new(VCardParameterName::Type, kind));
        self.push(VCardEntry::new(name).with_param_opt(kind).with_values(values));
    }

    /// A property with a name of its own, as Apple and Nextcloud show it.
    pub fn labelled(&mut self, entry: VCardEntry, label: &str) {
        self.groups += 1;
        let group = Some(format!("item{}", self.groups));
        self.push(entry.with_group(group.clone()));
        let name = VCardProperty::Other("X-ABLABEL".to_owned());
        self.push(VCardEntry::new(name).with_group(group).with_value(label.to_owned()));
    }

    /// REV.
    pub fn stamp(&mut self, modified: Option<&str>) {
        let at = modified.and_then(|text| text.parse::<jiff::Timestamp>().ok());
        if let Some(at) = at.filter(|at| at.as_second() > -62_000_000_000) {
            self.line(VCardProperty::Rev, &at.strftime("%Y%m%dT%H%M%SZ").to_string());
        }
    }

    pub fn text(&self) -> String {
        let version = if self.form == VCardForm::V4 { VCardVersion::V4_0 } else { VCardVersion::V3_0 };
        let mut text = format!("BEGIN:VCARD\r\nVERSION:{version}\r\n");
        for entry in &self.entries {
            let as_4 = self.form == VCardForm::V4 || !matches!(entry.name, VCardProperty::Photo);
            let mut line = String::new();
            // Writing to a String cannot fail.
            let _ = entry.write_to(&mut line, as_4);
            match entry.name {
                VCardProperty::Photo => text.push_str(&line.replacen("base64\\,", "base64,", 1)),
                _ => text.push_str(&line),
            }
        }
        text.push_str("END:VCARD\r\n");
        text
    }
}
