//! What the tests of calendars share: originals in memory, golden rows, plain readings of iCalendar.
#![allow(dead_code)]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use transhume_mappings::{
    CalendarProfile, CalendarSetting, Loss, PartInfo, Parts, RenderedObject, Scheduling, Tables, Unrendered, render,
};

#[derive(Clone, Debug, Default)]
pub struct Memory(BTreeMap<String, (String, Vec<u8>)>);

impl Memory {
    pub fn of(event: &Value) -> Self {
        Self::default().with("event", "application/json", event.to_string().as_bytes())
    }

    pub fn with(mut self, name: &str, media_type: &str, bytes: &[u8]) -> Self {
        self.0.insert(name.to_owned(), (media_type.to_owned(), bytes.to_owned()));
        self
    }
}

impl Parts for Memory {
    fn parts(&self) -> Vec<PartInfo> {
        let info = |(name, (media_type, bytes)): (&String, &(String, Vec<u8>))| PartInfo {
            name: name.clone(),
            media_type: media_type.clone(),
            size: bytes.len() as u64,
        };
        self.0.iter().map(info).collect()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        let (_, bytes) = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(bytes.as_slice()))
    }
}

pub fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/calendar").join(name)
}

pub fn json_of(name: &str) -> Value {
    let text = std::fs::read_to_string(golden(name)).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The families of golden rows, by file name.
pub fn families() -> Vec<String> {
    let names =
        std::fs::read_dir(golden("rows")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

pub fn rows(family: &str) -> Vec<Value> {
    json_of(&format!("rows/{family}")).as_array().unwrap().clone()
}

/// A plain meeting-less hour, every member neutral, as the service answers; `patch` says what is different. `null` in a
/// patch takes a member away.
pub fn event(patch: &Value) -> Value {
    let mut event = json_of("base.json");
    for (name, value) in patch.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(event.as_object_mut().unwrap().remove(name)),
            value => event[name] = value.clone(),
        }
    }
    event
}

pub fn original(row: &Value) -> Memory {
    let list = |name: &str| row.get(name).map(|list| list.as_array().unwrap().iter().map(event).collect::<Vec<_>>());
    let mut original = Memory::of(&event(&row["event"]));
    for name in ["exceptions", "instances"] {
        if let Some(events) = list(name) {
            original = original.with(name, "application/json", json!(events).to_string().as_bytes());
        }
    }
    if let Some(until) = row["listed_until"].as_str() {
        original = original.with("listed", "application/json", json!({ "until": until }).to_string().as_bytes());
    }
    let Some(attachments) = row["attachments"].as_array() else { return original };
    let mut told = Vec::new();
    for (number, attachment) in attachments.iter().enumerate() {
        told.push(json!({ "event": attachment["event"], "attachment": attachment["attachment"] }));
        if let Some(bytes) = attachment["bytes"].as_str() {
            let kind = attachment["stored_as"].as_str().unwrap_or("application/octet-stream");
            original = original.with(&format!("attachment/{number}"), kind, bytes.as_bytes());
        }
    }
    original.with("attachments", "application/json", json!(told).to_string().as_bytes())
}

/// The profile that changes nothing, with what a row says differently.
pub fn profile(row: &Value) -> CalendarProfile {
    let mut profile = CalendarProfile::lenient();
    for (name, value) in row["profile"].as_object().into_iter().flatten() {
        match (name.as_str(), value.as_str()) {
            ("strict", _) => profile = CalendarProfile::strict(),
            ("scheduling", Some("by_client")) => profile.scheduling = Scheduling::ByClient,
            ("scheduling", Some("no_organizer")) => profile.scheduling = Scheduling::NoOrganizer,
            ("own_uid", _) => profile.own_uid = value.as_bool().unwrap(),
            ("zero_length", _) => profile.zero_length = value.as_bool().unwrap(),
            ("attachment_max", _) => profile.attachment_max = value.as_u64().unwrap(),
            ("object_max", _) => profile.object_max = value.as_u64().unwrap(),
            (other, _) => panic!("no such field of a profile: {other}"),
        }
    }
    profile
}

pub fn setting(row: &Value) -> CalendarSetting {
    let told = &row["setting"];
    let text = |name: &str| told[name].as_str().map(str::to_owned);
    let mut setting = CalendarSetting::new(text("owner").unwrap_or_else(|| "alice@old.example".to_owned()));
    setting.zone = text("zone");
    setting.territory = text("territory");
    for (name, preset) in told["colours"].as_object().into_iter().flatten() {
        setting.colour_category(name, preset.as_str().unwrap());
    }
    for (source, target) in told["identities"].as_object().into_iter().flatten() {
        setting.identify(source, target.as_str().unwrap());
    }
    setting
}

pub fn rendered(row: &Value) -> Result<(String, RenderedObject), Unrendered> {
    let mut out = Vec::new();
    let tables = Tables::embedded();
    let rendered = render::calendar(&original(row), &profile(row), &setting(row), &tables, &mut out)?;
    Ok((String::from_utf8(out).unwrap(), rendered))
}

/// Content lines without folds.
pub fn unfolded(text: &str) -> Vec<String> {
    text.replace("\r\n ", "").split("\r\n").filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The lines outside of VTIMEZONE that have one of these names, in their order.
pub fn lines_of(text: &str, names: &[&str]) -> Vec<String> {
    let mut in_zone = false;
    let mut found = Vec::new();
    for line in unfolded(text) {
        in_zone |= line == "BEGIN:VTIMEZONE";
        let name = line.split([':', ';']).next().unwrap();
        if !in_zone && names.contains(&name) {
            found.push(line.clone());
        }
        in_zone &= line != "END:VTIMEZONE";
    }
    found
}

pub fn losses(losses: &[Loss]) -> Vec<String> {
    losses.iter().map(|loss| format!("{}: {}", loss.name, loss.detail)).collect()
}

pub fn writes() -> bool {
    std::env::var_os("GOLDEN").is_some_and(|word| word == "write")
}
