//! Values of the calcard crate, made from ours.
//!
//! calcard writes and folds. Three of its ways are worked around here (seen with 0.3.14): it escapes commas and
//! semicolons in URIs, where RFC 5545 3.3.13 allows no escapes, so they are percent-encoded before; it writes quotes and
//! backslashes of parameters with backslashes, where RFC 5545 3.2 knows none, so they are respelled before; it writes
//! `\r` for a carriage return, where only `\n` is known, so texts come with LF alone.

use crate::loss::Losses;
use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarParameter, ICalendarParameterName,
    ICalendarProperty, ICalendarValueType, ICalendarWeekday, Uri,
};
use jiff::civil::{Date, DateTime, Weekday};
use jiff::{Timestamp, tz::Offset};

use super::zones::Zone;
pub(in crate::render) use crate::render::plain::{clean, parameter};

/// A component with its children; calcard keeps both in one flat list.
#[derive(Clone, Debug)]
pub(in crate::render) struct Node {
    pub kind: ICalendarComponentType,
    pub entries: Vec<ICalendarEntry>,
    pub children: Vec<Node>,
}

impl Node {
    pub fn new(kind: ICalendarComponentType) -> Self {
        Self { kind, entries: Vec::new(), children: Vec::new() }
    }

    pub fn text(&mut self, name: ICalendarProperty, value: &str) {
        self.entries.push(ICalendarEntry::new(name).with_value(value));
    }

    pub fn extension(&mut self, name: &str, value: &str) {
        self.text(ICalendarProperty::Other(name.to_owned()), value);
    }

    pub fn object(self) -> ICalendar {
        let mut object = ICalendar::default();
        self.lay(&mut object);
        object
    }

    fn lay(self, object: &mut ICalendar) -> u32 {
        let place = object.components.len();
        let component =
            ICalendarComponent { component_type: self.kind, entries: self.entries, component_ids: Vec::new() };
        object.components.push(component);
        let children = self.children.into_iter().map(|child| child.lay(object)).collect();
        object.components[place].component_ids = children;
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}

pub(in crate::render) fn floating(at: DateTime) -> PartialDateTime {
    PartialDateTime { hour: byte(at.hour()), minute: byte(at.minute()), second: byte(at.second()), ..day(at.date()) }
}

pub(in crate::render) fn day(at: Date) -> PartialDateTime {
    let year = Some(u16::try_from(at.year()).unwrap_or_default());
    PartialDateTime { year, month: byte(at.month()), day: byte(at.day()), ..PartialDateTime::default() }
}

pub(in crate::render) fn utc(at: Timestamp) -> PartialDateTime {
    PartialDateTime { tz_hour: Some(0), tz_minute: Some(0), ..floating(Offset::UTC.to_datetime(at)) }
}

pub(in crate::render) fn offset(offset: Offset) -> PartialDateTime {
    let minutes = offset.seconds().abs() / 60;
    let part = |number: i32| Some(u8::try_from(number).unwrap_or_default());
    let (tz_hour, tz_minute) = (part(minutes / 60), part(minutes % 60));
    PartialDateTime { tz_hour, tz_minute, tz_minus: offset.is_negative(), ..PartialDateTime::default() }
}

fn byte(number: i8) -> Option<u8> {
    Some(u8::try_from(number).unwrap_or_default())
}

/// A property that says a day.
pub(in crate::render) fn date(name: ICalendarProperty, at: Date) -> ICalendarEntry {
    ICalendarEntry::new(name)
        .with_param(ICalendarParameter::new(ICalendarParameterName::Value, ICalendarValueType::Date))
        .with_value(day(at))
}

/// A property that says a wall clock in a zone.
pub(in crate::render) fn local(name: ICalendarProperty, at: DateTime, zone: &Zone) -> ICalendarEntry {
    if zone.is_utc() {
        let value = PartialDateTime { tz_hour: Some(0), tz_minute: Some(0), ..floating(at) };
        return ICalendarEntry::new(name).with_value(value);
    }
    ICalendarEntry::new(name)
        .with_param(ICalendarParameter::new(ICalendarParameterName::Tzid, zone.name.clone()))
        .with_value(floating(at))
}

/// A property that says an instant: as wall clock of the zone, and in UTC where that clock shows the same twice (when
/// summer time ends).
pub(in crate::render) fn instant(
    name: ICalendarProperty,
    at: Timestamp,
    zone: &Zone,
    losses: &mut Losses,
) -> ICalendarEntry {
    let wall = zone.local(at);
    if zone.shows_once(wall) {
        return local(name, wall, zone);
    }
    losses.add("zone_dropped", format!("{wall} happens twice in {}; it is written in UTC", zone.name));
    ICalendarEntry::new(name).with_value(utc(at))
}

pub(in crate::render) fn weekday(day: Weekday) -> ICalendarWeekday {
    match day {
        Weekday::Sunday => ICalendarWeekday::Sunday,
        Weekday::Monday => ICalendarWeekday::Monday,
        Weekday::Tuesday => ICalendarWeekday::Tuesday,
        Weekday::Wednesday => ICalendarWeekday::Wednesday,
        Weekday::Thursday => ICalendarWeekday::Thursday,
        Weekday::Friday => ICalendarWeekday::Friday,
        Weekday::Saturday => ICalendarWeekday::Saturday,
    }
}

pub(in crate::render) fn uri(text: &str) -> Uri {
    Uri::Location(crate::render::plain::uri(text))
}
