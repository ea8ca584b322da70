//! VALARM.

use super::entry::{self, Node};
use super::{Occasion, Scene};
use crate::loss::Losses;
use crate::render::json::{said, yes};
use calcard::icalendar::{
    ICalendarAction, ICalendarComponentType, ICalendarDuration, ICalendarEntry, ICalendarProperty,
};

/// One alarm that shows the subject, so many minutes before the start (after it, where the number is negative).
pub(super) fn add(node: &mut Node, occasion: &Occasion<'_>, _: &Scene<'_>, losses: &mut Losses) {
    if !yes(occasion.event, "isReminderOn") {
        return;
    }
    let told = occasion.event["reminderMinutesBeforeStart"].as_i64();
    let Some(before) = told.and_then(|before| i32::try_from(before).ok()) else {
        losses.add("reminder_unreadable", "a reminder without a readable time; it is not carried");
        return;
    };
    let subject = entry::clean(said(occasion.event, "subject").unwrap_or("Reminder"), losses);
    let trigger = ICalendarDuration { neg: before > 0, minutes: before.unsigned_abs(), ..ICalendarDuration::default() };
    let mut alarm = Node::new(ICalendarComponentType::VAlarm);
    alarm.entries.push(ICalendarEntry::new(ICalendarProperty::Action).with_value(ICalendarAction::Display));
    alarm.entries.push(ICalendarEntry::new(ICalendarProperty::Trigger).with_value(trigger));
    alarm.text(ICalendarProperty::Description, &subject);
    node.children.push(alarm);
}
