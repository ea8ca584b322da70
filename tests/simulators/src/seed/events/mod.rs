//! Calendars and what stands in them: ordinary appointments, and for the first account of a hostile tenant every odd one.

mod build;
mod house;
mod office;
mod series;
mod singles;

use serde_json::{Value, json};

use self::build::Event;
use super::Recipe;
use super::dice::Dice;
use super::directory::{DOMAIN, Member};
use crate::dump::Entry;

/// Every odd event, always the same in the same order: a single one, or a series with its exceptions.
pub(super) fn hostile() -> Vec<Event> {
    [singles::events(), series::events()].concat()
}

/// The calendars of an account; none unless the recipe asks for events.
pub(super) fn account(recipe: &Recipe, place: usize, cast: &[Member]) -> Vec<Entry> {
    let member = &cast[place];
    if recipe.events == 0 {
        return Vec::new();
    }
    let dice = &mut Dice::named(recipe.seed, &format!("{} events", member.upn));
    let hostile_one = recipe.hostile && place == 0;
    let mut lines = Lines { user: &member.upn, entries: Vec::new() };
    let default =
        lines.calendar(dice, name_of(member), member, json!({ "isDefaultCalendar": true, "isRemovable": false }));
    if hostile_one {
        let others = lines.odd_calendars(dice, member);
        for (number, event) in hostile().into_iter().enumerate() {
            // the odd ones stand in the default calendar, and each seventh in another one that is their own
            let usual = (number % 7 == 6).then_some(number / 7 % FOREIGN);
            let calendar = event.place.or(usual).map_or(&default, |at| &others[at]);
            lines.entries.extend(event.lines(dice, &member.upn, calendar));
        }
    }
    for event in house::meetings(cast, place).into_iter().filter(|_| recipe.hostile) {
        lines.entries.extend(event.lines(dice, &member.upn, &default));
    }
    let left = usize::try_from(recipe.events).unwrap_or_default();
    for number in 0..left.saturating_sub(lines.events()) {
        let event = office::event(member, number, dice);
        lines.entries.extend(event.lines(dice, &member.upn, &default));
    }
    lines.entries
}

fn name_of(member: &Member) -> &'static str {
    match member.locale.tag {
        "fr-FR" => "Calendrier",
        "de-DE" => "Kalender",
        "ja-JP" => "予定表",
        "pl-PL" => "Kalendarz",
        _ => "Calendar",
    }
}

/// Where the calendar that somebody else shared stands among the odd ones.
const FOREIGN: usize = 5;

/// Where the calendar stands that the service fills with birthdays: the account's own, but nobody may write there.
const BIRTHDAYS: usize = 7;

struct Lines<'a> {
    user: &'a str,
    entries: Vec<Entry>,
}

impl Lines<'_> {
    /// Masters and singles so far.
    fn events(&self) -> usize {
        let counts = |entry: &&Entry| entry.kind == "event" && entry.resource["type"] != "exception";
        self.entries.iter().filter(counts).count()
    }

    fn push(&mut self, kind: &str, resource: Value, parent: Option<&str>) {
        let (kind, user, parent) = (kind.to_owned(), Some(self.user.to_owned()), parent.map(str::to_owned));
        self.entries.push(Entry { kind, user, resource, parent, content: None });
    }

    fn calendar(&mut self, dice: &mut Dice, name: &str, member: &Member, more: Value) -> String {
        let id = dice.outlook_id("AQMkAG", 120);
        let mut resource = json!({
            "id": id, "name": name, "color": "auto", "hexColor": "", "isDefaultCalendar": false,
            "changeKey": dice.outlook_id("", 24), "canShare": true, "canViewPrivateItems": true, "canEdit": true,
            "allowedOnlineMeetingProviders": ["teamsForBusiness"], "defaultOnlineMeetingProvider": "teamsForBusiness",
            "isTallyingResponses": false, "isRemovable": true, "owner": { "name": member.name, "address": member.upn },
        });
        let group = more["group"].as_str().map(str::to_owned);
        for (name, value) in more.as_object().into_iter().flatten().filter(|(name, _)| *name != "group") {
            resource[name.as_str()] = value.clone();
        }
        self.push("calendar", resource, group.as_deref());
        id
    }

    /// Two of one name, colours, a name that is hard on paths, one shared by somebody else, one in another group, one that
    /// no list shows, one that is their own and cannot be written. Answers all of them.
    fn odd_calendars(&mut self, dice: &mut Dice, member: &Member) -> Vec<String> {
        let (mine, others) = (dice.guid(), dice.guid());
        let class = "0006f0b7-0000-0000-c000-000000000046";
        self.push(
            "calendarGroup",
            json!({ "id": mine, "name": "Mes calendriers", "classId": class, "changeKey": "AQ==" }),
            None,
        );
        let foreign = dice.guid();
        self.push(
            "calendarGroup",
            json!({ "id": others, "name": "Autres calendriers", "classId": foreign, "changeKey": "AQ==" }),
            None,
        );
        let owner = json!({ "name": "Jürgen Groß", "address": format!("juergen.gross@{DOMAIN}") });
        // the service spells owners as it likes, in capitals or by an alias
        let shouted = json!({ "name": member.name, "address": member.upn.to_uppercase() });
        let alias = member.upn.replace(DOMAIN, "valmont.onmicrosoft.com");
        let alias = json!({ "name": member.name, "address": alias });
        let plans: [(&str, Value); 8] = [
            ("Projets", json!({ "color": "lightBlue", "hexColor": "#0078d4", "group": mine })),
            ("Projets", json!({ "color": "lightRed", "hexColor": "", "group": mine, "owner": shouted })),
            (
                "Élus/Budget: 50% \u{1F4B6} \"privé\"",
                json!({ "color": "maxColor", "hexColor": "#FFAA00", "group": mine }),
            ),
            ("Archives", json!({ "color": "lightTeal", "group": others, "owner": alias })),
            ("\u{202b}تقويم\u{202c}", json!({ "color": "lightYellow", "calendarPermissions": permissions() })),
            (
                "Jürgen Groß",
                json!({ "owner": owner, "canEdit": false, "canShare": false, "canViewPrivateItems": false }),
            ),
            ("Caché", json!({ "_sim": { "hidden": true } })),
            ("Anniversaires", json!({ "canEdit": false, "canShare": false, "isRemovable": false })),
        ];
        plans.into_iter().map(|(name, more)| self.calendar(dice, name, member, more)).collect()
    }
}

/// Everybody, and one person for each role.
fn permissions() -> Value {
    let roles = [
        "none",
        "limitedRead",
        "read",
        "write",
        "delegateWithoutPrivateEventAccess",
        "delegateWithPrivateEventAccess",
        "custom",
    ];
    let everybody = json!({
        "id": "AAAAAAAAAAA=", "isRemovable": false, "isInsideOrganization": true, "role": "freeBusyRead",
        "allowedRoles": ["none", "freeBusyRead", "limitedRead", "read", "write"],
        "emailAddress": { "name": "My Organization", "address": null },
    });
    let person = |role: &&str| {
        json!({ "id": format!("L289RXlleD1{role}="), "isRemovable": true, "isInsideOrganization": *role != "custom",
            "role": role, "allowedRoles": ["none", "freeBusyRead", "limitedRead", "read"],
            "emailAddress": { "name": format!("Zoë {role}"), "address": format!("zoe.{role}@partner.example") } })
    };
    std::iter::once(everybody).chain(roles.iter().map(person)).collect()
}
