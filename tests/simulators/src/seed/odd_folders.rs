//! Folder trees that stores, file systems and IMAP servers stumble over.

use super::dice::Dice;
use super::mailbox::{Kind, Mailbox};

/// Names that mean something to somebody else: a path, a pattern, a Maildir, a server's own mailbox, an encoding.
#[rustfmt::skip]
const NAMES: [&str; 46] = [
    "Budget/Finances", "a.b.c", ".caché", "fin.", "~tilde", "~", "100 % sûr", "R&D", "&AOk-", "é", "日本 支社", "📁 Photos 👨‍👩‍👧",
    "..", ".", "cur", "new", "tmp", "INBOX", "Inbox", "Sent Items", "Trash", "NUL", "dovecot.index.cache",
    " espace devant", "espace derrière ", "  ", "deux  espaces", "tab\tdedans", "back\\slash", "\"guillemets\"", "l'apostrophe",
    "étoile * et %", "#news", "{12}", "(parenthèses) [crochets]", "a;b,c|d:e", "-rf", "$HOME `id`", "<b>gras</b>",
    "مجلد العربية", "Ελληνικά/Ωμέγα", "zero\u{200b}width", "right\u{202e}tfel", "nbsp\u{a0}dedans", "ﬁ ligature", "%2e%2e%2f",
];

/// Siblings that some stores take for one.
const ALIKE: [[&str; 2]; 4] =
    [["Projets 2026", "PROJETS 2026"], ["Re\u{301}union", "R\u{e9}union"], ["Straße", "STRASSE"], ["ı", "i"]];

const DEPTH: usize = 12;

/// Adds every odd folder; answers the ids of those that hold mail, so that each can be given some.
pub(super) fn grow(mailbox: &mut Mailbox, dice: &mut Dice) -> Vec<String> {
    let root = mailbox.id_of("msgfolderroot");
    let mut holding: Vec<String> = NAMES.iter().map(|name| mailbox.folder(&root, name, Kind::Mail, dice)).collect();
    let pairs = mailbox.folder(&root, "Presque pareils", Kind::Mail, dice);
    holding.extend(ALIKE.as_flattened().iter().map(|name| mailbox.folder(&pairs, name, Kind::Mail, dice)));
    holding.extend(long_names().iter().map(|name| mailbox.folder(&root, name, Kind::Mail, dice)));
    holding.push(deep(mailbox, dice));
    holding.extend(beside(mailbox, dice));
    not_for_mail(mailbox, dice);
    holding
}

/// 250 bytes and more: in characters of one, two and four bytes.
fn long_names() -> [String; 3] {
    let ascii = format!("{:x<255}", "Un nom de dossier qui ne finit pas ");
    [ascii, "é".repeat(130), "😀".repeat(64)]
}

/// Twelve levels below the root; answers the lowest.
fn deep(mailbox: &mut Mailbox, dice: &mut Dice) -> String {
    let root = mailbox.id_of("msgfolderroot");
    (1..=DEPTH).fold(root, |above, level| mailbox.folder(&above, &format!("Niveau {level}"), Kind::Mail, dice))
}

/// Folders below well-known ones, and a hidden one with mail in it.
fn beside(mailbox: &mut Mailbox, dice: &mut Dice) -> Vec<String> {
    [
        ("inbox", "Affaires en cours", Kind::Mail),
        ("sentitems", "2025", Kind::Mail),
        ("deleteditems", "Dossier supprimé", Kind::Mail),
        ("archive", "2019/2020", Kind::Mail),
        ("msgfolderroot", "TeamsMessagesData", Kind::Hidden),
        ("inbox", "règles cachées", Kind::Hidden),
    ]
    .map(|(role, name, kind)| mailbox.folder(&mailbox.id_of(role), name, kind, dice))
    .into()
}

/// Saved searches in both places where they occur, and folders of other classes.
fn not_for_mail(mailbox: &mut Mailbox, dice: &mut Dice) {
    for (role, name, kind) in [
        ("searchfolders", "Non lus", Kind::Search),
        ("msgfolderroot", "Courrier important (recherche)", Kind::Search),
        ("msgfolderroot", "Contacts suggérés", Kind::Other("IPF.Contact")),
        ("msgfolderroot", "Journal", Kind::Other("IPF.Journal")),
        ("msgfolderroot", "Flux RSS", Kind::Other("IPF.Note.OutlookHomepage")),
        ("msgfolderroot", "ExternalContacts", Kind::Hidden),
    ] {
        mailbox.folder(&mailbox.id_of(role), name, kind, dice);
    }
}

/// A clerk who files everything: 12 years of 24 subjects, with the years above them.
pub(super) fn three_hundred(mailbox: &mut Mailbox, dice: &mut Dice) {
    let root = mailbox.id_of("msgfolderroot");
    for year in 2014..2026 {
        let above = mailbox.folder(&root, &year.to_string(), Kind::Mail, dice);
        for subject in 1..=24 {
            mailbox.folder(&above, &format!("Dossier {subject:02} – {year}"), Kind::Mail, dice);
        }
    }
}
