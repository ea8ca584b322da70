//! The people, rooms and guests of the tenant: a French town hall with neighbours.

use serde_json::{Value, json};

use super::dice::Dice;
use super::locale::{LOCALES, Locale};
use crate::dump::Entry;

pub(super) const DOMAIN: &str = "valmont.example";

/// The address of the first of the cast from before a move between servers, as old meetings still name her.
pub(super) const X500: &str =
    "/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=5ad1-emilie";

/// What kind of directory entry somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Person,
    Shared,
    Room,
    Equipment,
    /// Left the organisation: signing in is blocked, the mailbox is there.
    Disabled,
    /// Works here without a licence: no mailbox, though `mail` is set.
    Unlicensed,
    /// Of another organisation: no mailbox.
    Guest,
}

impl Standing {
    pub(super) fn has_mailbox(self) -> bool {
        !matches!(self, Self::Unlicensed | Self::Guest)
    }

    /// Microsoft Graph schema: `userPurpose`.
    pub(super) fn purpose(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Room => "room",
            Self::Equipment => "equipment",
            Self::Person | Self::Disabled | Self::Unlicensed | Self::Guest => "user",
        }
    }
}

/// One entry of the directory.
pub(super) struct Member {
    pub id: String,
    pub upn: String,
    pub name: String,
    pub standing: Standing,
    pub locale: &'static Locale,
}

struct Role {
    name: &'static str,
    local: &'static str,
    standing: Standing,
    locale: usize,
}

const fn role(name: &'static str, local: &'static str, standing: Standing, locale: usize) -> Role {
    Role { name, local, standing, locale }
}

/// Those with mail, in the order in which `accounts` calls them up.
#[rustfmt::skip]
const CAST: [Role; 16] = [
    role("Émilie Lefèvre", "emilie.lefevre", Standing::Person, 0),
    role("Jürgen Groß", "juergen.gross", Standing::Person, 1),
    role("Accueil de la mairie", "accueil", Standing::Shared, 0),
    role("Siobhán O'Neill", "siobhan.o'neill", Standing::Person, 2),
    role("山田 太郎", "taro.yamada", Standing::Person, 3),
    role("María José Ibáñez Peña", "mj.ibanez", Standing::Person, 4),
    role("Łukasz Żółć", "lukasz.zolc", Standing::Person, 5),
    role("Service Urbanisme", "urbanisme", Standing::Shared, 0),
    role("Anne-Sophie van den Berg", "as.vandenberg", Standing::Person, 6),
    role("Γιώργος Παπαδόπουλος", "g.papadopoulos", Standing::Person, 7),
    role("Véhicule électrique n° 2", "vehicule.2", Standing::Equipment, 0),
    role("Nguyễn Thị Minh", "nguyen.minh", Standing::Person, 2),
    role("Jean \"Jeannot\" Martin, adjoint", "jean.martin", Standing::Person, 0),
    role("Øyvind Ærø", "oyvind.aro", Standing::Person, 2),
    role("علي حسن", "ali.hassan", Standing::Person, 2),
    role("Ķristīne Šņore-Çelik", "kristine.snore", Standing::Person, 1),
];

/// Those who are there however few accounts are asked for; their mailboxes, if any, are small or empty.
#[rustfmt::skip]
const EXTRAS: [Role; 6] = [
    role("Salle du Conseil", "salle.conseil", Standing::Room, 0),
    role("Vidéoprojecteur", "videoprojecteur", Standing::Equipment, 0),
    role("Nouvel arrivant", "nouvel.arrivant", Standing::Person, 0),
    role("Paul Ancien", "paul.ancien", Standing::Disabled, 0),
    role("Stagiaire sans licence", "stagiaire", Standing::Unlicensed, 0),
    role("Zoë Gast (Partner GmbH)", "zoe_partner.example#EXT#", Standing::Guest, 1),
];

/// `accounts` mailboxes with mail; the sixteen of the cast first, then clerks with numbers.
pub(super) fn cast(accounts: u32, dice: &mut Dice) -> Vec<Member> {
    let named = CAST.iter().map(|role| (role.name.to_owned(), role.local.to_owned(), role.standing, role.locale));
    let clerks = (CAST.len() + 1..).map(|number| {
        let place = number % LOCALES.len();
        (format!("Agent {number:04}"), format!("agent.{number:04}"), Standing::Person, place)
    });
    let all = named.chain(clerks).take(accounts as usize);
    all.map(|(name, local, standing, locale)| member(&name, &local, standing, locale, dice)).collect()
}

pub(super) fn extras(dice: &mut Dice) -> Vec<Member> {
    EXTRAS.iter().map(|role| member(role.name, role.local, role.standing, role.locale, dice)).collect()
}

fn member(name: &str, local: &str, standing: Standing, locale: usize, dice: &mut Dice) -> Member {
    let domain = if standing == Standing::Guest { "valmont.onmicrosoft.com" } else { DOMAIN };
    let (upn, name) = (format!("{local}@{domain}"), name.to_owned());
    Member { id: dice.guid(), upn, name, standing, locale: &LOCALES[locale % LOCALES.len()] }
}

/// The `user` line (Microsoft Graph docs: user resource type).
pub(super) fn user(member: &Member, dice: &mut Dice) -> Entry {
    let resource = resource(member, dice);
    Entry { kind: "user".to_owned(), user: Some(member.upn.clone()), resource, parent: None, content: None }
}

fn resource(member: &Member, dice: &mut Dice) -> Value {
    let guest = member.standing == Standing::Guest;
    let words: Vec<&str> = member.name.split(' ').collect();
    let licensed = matches!(member.standing, Standing::Person | Standing::Disabled);
    let mail = match member.standing {
        Standing::Guest => Some("zoe@partner.example"),
        Standing::Equipment => None, // a mailbox need not have an address in the directory
        _ => Some(member.upn.as_str()),
    };
    json!({
        "id": member.id,
        "businessPhones": if licensed { json!([format!("+33 1 55 00 {:02} {:02}", dice.below(100), dice.below(100))]) } else { json!([]) },
        "displayName": member.name,
        "givenName": words.first().filter(|_| licensed),
        "surname": words.last().filter(|_| licensed),
        "jobTitle": licensed.then_some("Clerk"),
        "mail": mail,
        "mobilePhone": null,
        "officeLocation": licensed.then_some("Mairie, 1er étage"),
        "preferredLanguage": member.locale.tag,
        "userPrincipalName": member.upn,
        "userType": user_type(member.standing),
        "accountEnabled": matches!(member.standing, Standing::Person | Standing::Guest | Standing::Unlicensed),
        "mailNickname": member.upn.split('@').next(),
        "usageLocation": "FR",
        "onPremisesSyncEnabled": null,
        "createdDateTime": "2019-09-02T07:30:00Z",
        "assignedLicenses": if licensed { json!([{ "disabledPlans": [], "skuId": "6fd2c87f-b296-42f0-b197-1e91e994b900" }]) } else { json!([]) },
        "assignedPlans": if licensed { plans() } else { json!([]) },
        "proxyAddresses": proxies(mail.unwrap_or(&member.upn), guest),
    })
}

/// Accounts from before 2014 have none.
fn user_type(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing::Guest => Some("Guest"),
        Standing::Disabled => None,
        _ => Some("Member"),
    }
}

fn plans() -> Value {
    json!([{
        "assignedDateTime": "2019-09-02T07:31:00Z",
        "capabilityStatus": "Enabled",
        "service": "exchange",
        "servicePlanId": "efb87545-963c-4e0d-99df-69c6916d9eb0"
    }])
}

fn proxies(mail: &str, guest: bool) -> Value {
    let local = mail.split('@').next().unwrap_or_default();
    match guest {
        true => json!([format!("SMTP:{mail}")]),
        false if local == "emilie.lefevre" => {
            json!([format!("SMTP:{mail}"), format!("smtp:{local}@valmont.onmicrosoft.com"), format!("X500:{X500}")])
        }
        false => json!([format!("SMTP:{mail}"), format!("smtp:{local}@valmont.onmicrosoft.com")]),
    }
}

/// One Microsoft 365 group with a team, and who belongs to it.
pub(super) fn group(members: &[Member], dice: &mut Dice) -> Vec<Entry> {
    let id = dice.guid();
    let line = |kind: &str, resource: Value, parent: Option<String>| Entry {
        kind: kind.to_owned(),
        user: None,
        resource,
        parent,
        content: None,
    };
    let belonging = members.iter().filter(|member| member.standing == Standing::Person).take(5).map(|member| {
        let resource = json!({
            "@odata.type": "#microsoft.graph.user", "id": member.id, "displayName": member.name,
            "userPrincipalName": member.upn, "mail": member.upn
        });
        line("member", resource, Some(id.clone()))
    });
    std::iter::once(line("group", group_resource(&id), None)).chain(belonging).collect()
}

fn group_resource(id: &str) -> Value {
    json!({
        "id": id,
        "displayName": "Conseil municipal",
        "description": "Séances, comptes rendus et délibérations",
        "groupTypes": ["Unified"],
        "mail": format!("conseil@{DOMAIN}"),
        "mailEnabled": true,
        "mailNickname": "conseil",
        "securityEnabled": false,
        "visibility": "Private",
        "createdDateTime": "2020-07-05T09:00:00Z",
        "proxyAddresses": [format!("SMTP:conseil@{DOMAIN}")],
        "resourceProvisioningOptions": ["Team"],
        "membershipRule": null,
    })
}
