//! Address books: ordinary people, and for the first account of a hostile tenant every odd one.

use serde_json::{Value, json};

use super::Recipe;
use super::dice::Dice;
use super::directory::Member;
use super::office::PIXEL;
use crate::dump::{Content, Entry};

/// The contact folders of an account and who stands in them; none unless the recipe asks for contacts.
pub(super) fn account(recipe: &Recipe, place: usize, member: &Member) -> Vec<Entry> {
    if recipe.contacts == 0 {
        return Vec::new();
    }
    let dice = &mut Dice::named(recipe.seed, &format!("{} contacts", member.upn));
    let mut book = Book { user: &member.upn, entries: Vec::new(), count: 0 };
    let default = book.folder(dice, "Contacts", "", Some("contacts"));
    if recipe.hostile && place == 0 {
        let club = book.folder(dice, "Élus / Club: \"amis\"", &default, None);
        let board = book.folder(dice, "Bureau", &club, None);
        let twin = book.folder(dice, "Bureau", &default, None);
        for (number, (contact, photo)) in odd().into_iter().enumerate() {
            let folder = [&default, &club, &board, &twin][if number % 5 == 4 { number / 5 % 4 } else { 0 }];
            book.contact(dice, folder, contact, photo);
        }
    }
    while book.count < recipe.contacts {
        let contact = ordinary(book.count, dice);
        let photo = dice.percent(20).then(|| Content::from(PIXEL.to_vec()));
        book.contact(dice, &default, contact, photo);
    }
    book.entries
}

struct Book<'a> {
    user: &'a str,
    entries: Vec<Entry>,
    count: u32,
}

impl Book<'_> {
    fn folder(&mut self, dice: &mut Dice, name: &str, above: &str, role: Option<&str>) -> String {
        let id = dice.outlook_id("AQMkAG", 120);
        let resource = json!({ "id": id, "displayName": name, "parentFolderId": above });
        let (user, parent) = (Some(self.user.to_owned()), role.map(str::to_owned));
        self.entries.push(Entry { kind: "contactFolder".to_owned(), user, resource, parent, content: None });
        id
    }

    fn contact(&mut self, dice: &mut Dice, folder: &str, own: Value, photo: Option<Content>) {
        let mut resource = json!({
            "id": dice.outlook_id("AAMkAG", 152), "changeKey": dice.outlook_id("EQAAABYAAAB", 40),
            "createdDateTime": "2024-03-02T09:11:12Z", "lastModifiedDateTime": "2025-03-02T09:11:14Z",
            "categories": [], "parentFolderId": folder,
        });
        let blank = crate::control::blank_contact();
        for (name, value) in blank.as_object().into_iter().flatten().chain(own.as_object().into_iter().flatten()) {
            resource[name.as_str()] = value.clone();
        }
        let user = Some(self.user.to_owned());
        self.entries.push(Entry { kind: "contact".to_owned(), user, resource, parent: None, content: photo });
        self.count += 1;
    }
}

fn ordinary(number: u32, dice: &mut Dice) -> Value {
    let (given, surname) =
        (*dice.pick(&["Anne", "Björn", "太郎", "Łucja", "Zoé"]), *dice.pick(&["Petit", "Groß", "山田", "Żak", "Ng"]));
    let address = format!("contact.{number}@partner.example");
    json!({
        "displayName": format!("{given} {surname} {number}"), "fileAs": format!("{surname}, {given}"), "givenName": given,
        "surname": surname, "companyName": "Partner GmbH", "mobilePhone": format!("+33 6 55 {number:04}"),
        "emailAddresses": [{ "name": address, "address": address }], "primaryEmailAddress": { "name": address, "address": address },
    })
}

/// Everything that a contact can have, nothing of it, and what trips tools up.
fn odd() -> Vec<(Value, Option<Content>)> {
    let photo = || Some(Content::from(PIXEL.to_vec()));
    let named = |name: &str, more: Value| {
        let mut contact = more;
        contact["displayName"] = name.into();
        contact["fileAs"] = name.into();
        contact
    };
    let born = |name: &str, day: &str| named(name, json!({ "birthday": format!("{day}T11:59:00Z") }));
    vec![
        (everything(), photo()),
        (json!({}), None),
        (
            json!({ "displayName": null, "fileAs": null, "emailAddresses": [{ "name": "anonyme@partner.example", "address": "anonyme@partner.example" }] }),
            None,
        ),
        (json!({ "companyName": "Société sans personne", "fileAs": "Société sans personne" }), photo()),
        (json!({ "mobilePhone": "+33 6 00 00 00 00" }), None),
        (
            named(
                "Trous",
                json!({ "emailAddresses": [null, { "name": "deux", "address": "deux@partner.example" }, null], "primaryEmailAddress": null }),
            ),
            None,
        ),
        (
            named(
                "Sans adresse",
                json!({ "emailAddresses": [{ "name": "nom seul" }, { "address": "x@partner.example" }, {}] }),
            ),
            None,
        ),
        (
            named(
                "X.500",
                json!({ "emailAddresses": [{ "name": "Jürgen", "address": "/o=ExchangeLabs/ou=Exchange Administrative Group/cn=Recipients/cn=jg" }] }),
            ),
            None,
        ),
        (
            named(
                "🎅 Père Noël 👩‍💻",
                json!({ "nickName": "🦌", "personalNotes": "Ligne 1\r\nLigne 2\u{1}\u{b}fin\u{0}" }),
            ),
            None,
        ),
        (named("\u{202b}علي حسن\u{202c}", json!({ "givenName": "علي", "surname": "حسن" })), None),
        (
            named(
                "山田 太郎",
                json!({ "givenName": "太郎", "surname": "山田", "yomiGivenName": "タロウ", "yomiSurname": "ヤマダ", "yomiCompanyName": "ヴァルモン" }),
            ),
            photo(),
        ),
        (
            named(
                "a;b,c\\d:e\"f",
                json!({ "companyName": "x;y", "homeAddress": { "street": "1, rue de l'Église\r\nBât. B", "city": "Val;mont" } }),
            ),
            None,
        ),
        (born("Né en 1899", "1899-12-31"), None),
        (born("Né un 29 février", "1988-02-29"), None),
        (born("Sans année", "1604-05-01"), None),
        (born("À naître", "2101-01-01"), None),
        (named("Notes de 300 ko", json!({ "personalNotes": "Très longue note. ".repeat(17_000) })), None),
        (
            named(
                "Cent téléphones",
                json!({ "businessPhones": (0..100).map(|n| format!("+33 1 {n:08}")).collect::<Vec<_>>() }),
            ),
            None,
        ),
        (named("Téléphone en lettres", json!({ "homePhones": ["poste 12", "0800-FLOWERS;ext=3", ""] })), None),
        (named("Catégories", json!({ "categories": ["Red category", "catégorie disparue", "a,b"] })), None),
        (named("Doublon", json!({ "emailAddresses": [{ "name": "d", "address": "d@partner.example" }] })), None),
        (named("Doublon", json!({ "emailAddresses": [{ "name": "d", "address": "D@Partner.Example" }] })), None),
        (
            named(
                "Valeurs nulles",
                json!({ "homeAddress": null, "businessAddress": null, "imAddresses": null, "homePhones": null, "children": null }),
            ),
            None,
        ),
        (named("Grande photo", json!({})), Some(Content::from([PIXEL.to_vec(), vec![0; 4 << 20]].concat()))),
        (named("Illisible", json!({ "_sim": { "fails": "ErrorCorruptData" } })), None),
    ]
}

fn everything() -> Value {
    let address = |street: &str| json!({ "street": street, "city": "Valmont", "state": "Aisne", "countryOrRegion": "France", "postalCode": "02000" });
    let mail = |name: &str| json!({ "name": format!("{name} (nom)"), "address": format!("{name}@partner.example") });
    json!({
        "birthday": "1980-05-01T11:59:00Z", "fileAs": "Doe, Jane", "displayName": "Dr. Jane Mary Doe Jr.",
        "givenName": "Jane", "initials": "J.M.D.", "middleName": "Mary", "nickName": "Janie", "surname": "Doe",
        "title": "Dr.", "generation": "Jr.", "yomiGivenName": "ジェーン", "yomiSurname": "ドウ", "yomiCompanyName": "パートナー",
        "jobTitle": "Directrice", "companyName": "Partner GmbH", "department": "Achats", "officeLocation": "B 12",
        "profession": "Ingénieure", "businessHomePage": "https://partner.example/jane?a=b&c=d", "assistantName": "Ali",
        "manager": "Zoé", "spouseName": "Sam", "personalNotes": "Une note.\r\nDeux lignes.", "mobilePhone": "+33 6 01 02 03 04",
        "homePhones": ["+33 1 01", "+33 1 02"], "businessPhones": ["+33 1 03", "+33 1 04"],
        "imAddresses": ["sip:jane@partner.example", "jane#1234"], "children": ["Léa", "Tom"], "categories": ["Élus"],
        "emailAddresses": [mail("un"), mail("deux"), mail("trois")], "primaryEmailAddress": mail("un"),
        "secondaryEmailAddress": mail("deux"), "tertiaryEmailAddress": mail("trois"),
        "homeAddress": address("1, rue du Lavoir"), "businessAddress": address("2, place du Marché\r\nBâtiment C"),
        "otherAddress": address("BP 3"),
    })
}
