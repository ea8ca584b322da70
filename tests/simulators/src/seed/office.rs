//! Ordinary office mail, in the language of whoever owns the mailbox.

use jiff::{SignedDuration, Timestamp};

use super::NOW;
use super::dice::Dice;
use super::directory::{DOMAIN, Member};
use super::mailbox::{Kind, Mailbox};
use super::mime::{Head, file, inline_image, mailbox as address, multipart, text, words};
use super::resource::{Flag, Standing, Verb, message};
use crate::dump::Content;

/// Subject and text, by language tag; the last are for every other language.
#[rustfmt::skip]
const LETTERS: [(&str, &str, &str); 16] = [
    ("fr-FR", "Compte rendu de la réunion du service", "Bonjour,\r\n\r\nVeuillez trouver ci-joint le compte rendu. Merci de me signaler d'éventuelles corrections avant vendredi.\r\n\r\nBien à vous"),
    ("fr-FR", "Demande de permis de construire n° 2026-114", "Bonjour,\r\n\r\nLe dossier est incomplet : il manque le plan de masse (échelle 1/500) et l'attestation d'assurance.\r\n\r\nCordialement"),
    ("fr-FR", "Fête de la musique : sécurité et voirie", "Bonsoir à tous,\r\n\r\nLa rue de l'Église sera fermée de 18 h à minuit. Coût estimé : 1 250 €.\r\n\r\nÀ bientôt"),
    ("fr-FR", "RE: Facture cantine scolaire", "Bonjour Émilie,\r\n\r\nC'est réglé. L'œuvre sociale prend le solde à sa charge.\r\n\r\nCordialement"),
    ("de-DE", "Protokoll der Sitzung vom Dienstag", "Guten Tag,\r\n\r\nanbei das Protokoll. Änderungswünsche bitte bis Freitag.\r\n\r\nMit freundlichen Grüßen"),
    ("de-DE", "AW: Städtepartnerschaft – Besuch im Mai", "Liebe Kolleginnen und Kollegen,\r\n\r\nder Bus fährt um 7 Uhr vom Marktplatz ab. Bitte pünktlich sein!\r\n\r\nViele Grüße"),
    ("de-DE", "Rechnung für Schulmöbel", "Sehr geehrte Damen und Herren,\r\n\r\ndie Rechnung über 4.312,50 € ist fällig. Übermäßige Verzögerungen bitten wir zu vermeiden.\r\n\r\nHochachtungsvoll"),
    ("ja-JP", "会議の議事録について", "お疲れ様です。\r\n\r\n先日の会議の議事録をお送りします。ご確認ください。\r\n\r\nよろしくお願いいたします。"),
    ("ja-JP", "姉妹都市交流の日程", "こんにちは。\r\n\r\n五月の訪問の日程表を添付しました。\r\n\r\n以上"),
    ("es-ES", "Acta de la reunión y presupuesto de mañana", "Buenos días:\r\n\r\nAdjunto el acta. ¿Puedes revisarla antes del viernes? ¡Gracias!\r\n\r\nUn saludo"),
    ("pl-PL", "Zażółć gęślą jaźń – protokół z zebrania", "Dzień dobry,\r\n\r\nw załączeniu protokół. Proszę o uwagi do piątku.\r\n\r\nPozdrawiam"),
    ("nl-NL", "Verslag van de vergadering", "Beste collega's,\r\n\r\nHierbij het verslag. Graag vóór vrijdag reageren.\r\n\r\nMet vriendelijke groet"),
    ("el-GR", "Πρακτικά της συνεδρίασης", "Καλημέρα,\r\n\r\nΣας στέλνω τα πρακτικά. Παρακαλώ για τις παρατηρήσεις σας.\r\n\r\nΜε εκτίμηση"),
    ("", "Minutes of Tuesday's meeting", "Hello,\r\n\r\nPlease find the minutes attached. Corrections by Friday, please.\r\n\r\nKind regards"),
    ("", "Re: Road works in Church Street", "Hi all,\r\n\r\nThe contractor starts on Monday at 07:30. Access for residents stays open.\r\n\r\nBest"),
    ("", "Fwd: Library opening hours", "Hi,\r\n\r\nSee below. Do we agree?\r\n\r\nThanks"),
];

const CORRESPONDENTS: [(&str, &str); 8] = [
    ("Préfecture de l'Aisne", "prefecture@etat.example"),
    ("Jürgen Groß", "juergen.gross@valmont.example"),
    ("Bürgermeisteramt Freudental", "rathaus@freudental.example"),
    ("", "noreply@portal.example"),
    ("Imprimerie Dupont & Fils", "contact@imprimerie-dupont.example"),
    ("山田 太郎", "taro.yamada@valmont.example"),
    ("Library Desk", "desk@library.example"),
    ("\u{202b}علي حسن\u{202c}", "ali@sister-city.example"),
];

/// A picture of one pixel.
pub(super) const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

/// Puts `count` letters into a mailbox, and a few folders to file them in.
pub(super) fn fill(mailbox: &mut Mailbox, count: u32, member: &Member, dice: &mut Dice) {
    let folders = filing(mailbox, dice);
    for _ in 0..count {
        let folder = somewhere(&folders, mailbox, dice);
        let letter = Letter::new(member, folder == mailbox.id_of("sentitems"), dice);
        let content = Content::from(letter.mime(dice));
        let standing = standing(&folder, letter.at, mailbox, dice);
        mailbox.push(message(dice, &content, &standing), content);
    }
}

fn filing(mailbox: &mut Mailbox, dice: &mut Dice) -> Vec<String> {
    let (root, inbox) = (mailbox.id_of("msgfolderroot"), mailbox.id_of("inbox"));
    let projects = mailbox.folder(&root, "Projets", Kind::Mail, dice);
    let year = mailbox.folder(&projects, "2026", Kind::Mail, dice);
    let council = mailbox.folder(&inbox, "Conseil municipal", Kind::Mail, dice);
    vec![projects, year, council]
}

/// Half in the inbox, a fifth sent, the rest filed or thrown away.
fn somewhere(filing: &[String], mailbox: &Mailbox, dice: &mut Dice) -> String {
    match dice.below(100) {
        0..50 => mailbox.id_of("inbox"),
        50..70 => mailbox.id_of("sentitems"),
        70..75 => mailbox.id_of("archive"),
        75..80 => mailbox.id_of("deleteditems"),
        80..83 => mailbox.id_of("junkemail"),
        83..85 => mailbox.id_of("drafts"),
        _ => dice.pick(filing).clone(),
    }
}

fn standing(folder: &str, at: Timestamp, mailbox: &Mailbox, dice: &mut Dice) -> Standing {
    let draft = folder == mailbox.id_of("drafts");
    let mut standing = Standing::plain(folder, at);
    standing.is_draft = draft;
    standing.is_read = draft || folder == mailbox.id_of("sentitems") || dice.percent(70);
    standing.importance =
        ["normal", "normal", "normal", "normal", "high", "low"][usize::try_from(dice.below(6)).unwrap_or(0)];
    if dice.percent(12) {
        standing.verb = Some(*dice.pick(&[Verb::Replied, Verb::RepliedToAll, Verb::Forwarded]));
    }
    if dice.percent(12) {
        standing.flag = *dice.pick(&[Flag::Flagged, Flag::FlaggedUntil(NOW), Flag::Complete(at)]);
    }
    if dice.percent(15) {
        let names = ["Red category", "À traiter", "Budget / Finances", "Élus", "catégorie disparue"];
        standing.categories.push((*dice.pick(&names)).to_owned());
    }
    standing
}

struct Letter {
    head: Head,
    body: String,
    at: Timestamp,
}

impl Letter {
    fn new(member: &Member, sent: bool, dice: &mut Dice) -> Self {
        let at =
            NOW.checked_sub(SignedDuration::from_mins(i64::try_from(dice.below(700_000)).unwrap_or(0))).unwrap_or(NOW);
        let (subject, body) = words_of(member.locale.tag, dice);
        let (name, other) = *dice.pick(&CORRESPONDENTS);
        let (theirs, own) = (address(name, other), address(&member.name, &member.upn));
        let (from, to) = if sent { (own, theirs) } else { (theirs, own) };
        let subject = format!("{subject} ({})", dice.below(9000) + 1000);
        let head = Head::new(&[
            ("From", &from),
            ("To", &to),
            ("Subject", &words(&subject)),
            ("Date", &at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()),
            ("Message-ID", &format!("<{}@mail.{DOMAIN}>", dice.hex(12))),
            ("X-Originating-IP", "[192.0.2.17]"),
            ("MIME-Version", "1.0"),
        ]);
        Self { head, body: body.to_owned(), at }
    }

    /// In one of the forms that Exchange gives to mail.
    fn mime(&self, dice: &mut Dice) -> Vec<u8> {
        let boundary = |dice: &mut Dice| format!("_000_{}_", dice.hex(14));
        let both =
            multipart("alternative", &boundary(dice), &[text("plain", &self.body), text("html", &self.html(""))]);
        match dice.below(10) {
            0..3 => self.head.with(text("plain", &self.body)),
            3..7 => self.head.with(both),
            7..9 => self.head.with(multipart("mixed", &boundary(dice), &[both, document(dice)])),
            _ => self.head.with(self.with_logo(&boundary(dice))),
        }
    }

    fn with_logo(&self, boundary: &str) -> Vec<u8> {
        let html = text("html", &self.html("<img src=\"cid:logo@valmont\">"));
        multipart("related; type=\"text/html\"", boundary, &[html, inline_image("logo.png", "logo@valmont", PIXEL)])
    }

    fn html(&self, more: &str) -> String {
        let text = self.body.replace("\r\n", "<br>\r\n");
        format!(
            "<html>\r\n<head><meta charset=\"utf-8\"></head>\r\n<body>\r\n<p>{text}</p>{more}\r\n</body>\r\n</html>\r\n"
        )
    }
}

fn words_of(tag: &str, dice: &mut Dice) -> (&'static str, &'static str) {
    let own: Vec<_> = LETTERS.iter().filter(|(of, _, _)| *of == tag).collect();
    let any: Vec<_> = LETTERS.iter().filter(|(of, _, _)| of.is_empty()).collect();
    let (_, subject, body) = if own.is_empty() { dice.pick(&any) } else { dice.pick(&own) };
    (subject, body)
}

fn document(dice: &mut Dice) -> Vec<u8> {
    let size = usize::try_from(2000 + dice.below(40_000)).unwrap_or(2000);
    let body = [b"%PDF-1.7\n".to_vec(), dice.bytes(size)].concat();
    file("application/pdf", "compte-rendu.pdf", &body)
}
