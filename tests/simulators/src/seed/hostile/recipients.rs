//! Senders and receivers as they should not be.

use super::{Shape, bent};
use crate::seed::mime::{mailbox, words};

pub(super) fn shapes() -> Vec<Shape> {
    [senders(), receivers()].concat()
}

fn senders() -> Vec<Shape> {
    vec![
        bent("no-from", |head| head.without("From")),
        bent("from-empty", |head| head.set("From", "<>")),
        bent("from-two-people", |head| {
            head.set("From", "a@voisin.example, \"B, C\" <b@voisin.example>").add("Sender", "a@voisin.example")
        }),
        bent("from-without-domain", |head| head.set("From", "root")),
        bent("from-x500", |head| {
            head.set("From", "\"Ancien Serveur\" </o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=a1b2>")
        }),
        bent("from-comments", |head| head.set("From", "claude(the elder)@voisin.example (Claude (\"x\") Petit)")),
        bent("from-utf-8-address", |head| head.set("From", "用户 <用户@例え.example>")),
        bent("reply-to-and-on-behalf", |head| {
            head.add("Sender", "secretariat@voisin.example").add("Reply-To", "claude@perso.example, b@perso.example")
        }),
    ]
}

fn receivers() -> Vec<Shape> {
    let crowd: Vec<String> =
        (0..500).map(|n| mailbox(&words(&format!("Élu n° {n}")), &format!("elu.{n:03}@communes.example"))).collect();
    let one_line = crowd.iter().map(|one| one.replace("\r\n ", " ")).collect::<Vec<_>>().join(", ");
    vec![
        bent("five-hundred-recipients", |head| {
            head.set("To", crowd.join(",\r\n ")).add("Cc", crowd[..20].join(",\r\n\t"))
        }),
        bent("five-hundred-recipients-one-line", |head| head.set("To", one_line)),
        bent("to-undisclosed", |head| head.set("To", "undisclosed-recipients:;")),
        bent("to-group", |head| {
            head.set("To", "Conseil: a@voisin.example, \"B\" <b@voisin.example>;, c@voisin.example")
        }),
        bent("no-to", |head| head.without("To")),
        bent("to-junk", |head| head.set("To", "<<a@@b>>, ,,; \"unclosed <c@d>")),
        bent("bcc-kept", |head| head.add("Bcc", "secret@voisin.example")),
    ]
}
