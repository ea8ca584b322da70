//! Names that SharePoint takes and other systems do not, or take for other names.

use serde_json::json;

use super::shelf::{Shelf, Spot, TOP};

/// In every script, and with signs that mean something to somebody else: a path, a pattern, a shell, a server.
#[rustfmt::skip]
pub(super) const NAMES: [&str; 74] = [
    "Привет, мир.txt", "Українська їжа.txt", "会議 資料.xlsx", "회의록.docx", "مذكرة اجتماع.pdf", "תקציר.txt", "हिन्दी फ़ाइल.txt",
    "ภาษาไทย.txt", "Ελληνικά.txt", "ქართული.txt", "Հայերեն.txt", "አማርኛ.txt", "தமிழ்.txt", "ខ្មែរ.txt", "བོད་ཡིག.txt", "𠮷野家.txt",
    "Łódź żółć.txt", "İstanbul ığdır.txt", "Straße.txt", "œuvre Æther.txt", "👩‍👩‍👧 famille 🏳️‍🌈.png", "👍🏽.txt",
    "100 % sûr #1.txt", "a&b=c+d;e,f.txt", "l'apostrophe.txt", "“guillemets”.txt", "(1) [2] {3}.txt", "~tilde~.txt", "$HOME `id`.txt",
    "-rf", "!important!.txt", "@at^caret.txt", "=formule.csv", "semi;colon.txt", "%2e%2e%2f.txt", "%zz.txt", "%00.txt", "a%20b+c.txt",
    "…points.txt", "fin.", "fin..", "...", "..double", "a..b.txt", ".caché", ".htaccess", ".user.ini", ".DS_Store", "Thumbs.db",
    "sans extension", "deux  espaces.txt", "trois.points.dans.le.nom.txt", "photo.jpg.part", "film.mp4.filepart", "aux.txt", "con.c",
    "com10", "index.html", "fichier.URL", "raccourci.lnk", "nbsp\u{a0}dedans\u{a0}", "\u{3000}espace idéographique\u{3000}",
    "zero\u{200b}width.txt", "right\u{202e}txt.exe", "\u{202b}تقويم\u{202c}.txt", "soft\u{ad}hyphen.txt", "\u{feff}bom.txt",
    "combining a\u{30a}\u{323}.txt", "ﬁ ligature.txt", "Ⅳ romain.txt", "ｆｕｌｌｗｉｄｔｈ.txt", "line\u{2028}separator.txt", "\u{e000}privé.txt",
    "replacement\u{fffd}.txt",
];

const FOLDERS: [&str; 8] = ["#dièse", "100 %", "..caché", "a+b c", "日本 支社", "📁", "INBOX", "cur"];

/// Siblings that others take for one: by their case, their normal form, what they are folded to. SharePoint itself keeps the
/// names of a folder apart without regard to case; a listing that a rename overtakes shows both all the same, and so do
/// libraries that end in one folder.
pub(super) const ALIKE: [&[&str]; 9] = [
    &["Rapport.txt", "RAPPORT.txt", "rapport.TXT"],
    &["Re\u{301}union.txt", "R\u{e9}union.txt"],
    &["straße.txt", "STRASSE.txt"],
    &["ı.txt", "i.txt", "İ.txt"],
    &["\u{212b}ngström.txt", "\u{c5}ngström.txt", "A\u{30a}ngström.txt"],
    &["ﬁn.txt", "fin.txt"],
    &["\u{212a}elvin.txt", "Kelvin.txt"],
    &["ΟΔΟΣ.txt", "οδος.txt", "οδοσ.txt"],
    &["한글.txt", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}.txt"],
];

/// Over 250 bytes in characters of one, two, three and four bytes; SharePoint counts characters.
pub(super) fn long() -> [String; 4] {
    let ascii = format!("{:x<240}.txt", "Un nom de fichier qui ne finit pas ");
    [ascii, format!("{}.txt", "é".repeat(140)), format!("{}.txt", "長".repeat(110)), format!("{}.txt", "😀".repeat(64))]
}

pub(super) fn fill(shelf: &mut Shelf) {
    let odd = shelf.folder(TOP, "Noms");
    for name in NAMES {
        small(shelf, odd, name);
    }
    for name in long() {
        small(shelf, odd, &name);
    }
    let pairs = shelf.folder(TOP, "Presque pareils");
    for name in ALIKE.concat() {
        small(shelf, pairs, name);
    }
    for name in ["Dossier", "DOSSIER", "De\u{301}le\u{301}gation", "D\u{e9}l\u{e9}gation"] {
        let folder = shelf.folder(pairs, name);
        small(shelf, folder, "a.txt");
    }
    for name in FOLDERS {
        let folder = shelf.folder(odd, name);
        small(shelf, folder, "dedans.txt");
    }
    deep(shelf);
}

fn small(shelf: &mut Shelf, folder: Spot, name: &str) {
    let content = shelf.bytes(64);
    shelf.file(folder, name, content, json!({}));
}

/// Sixty folders in each other, and a path as long as SharePoint takes: four hundred characters.
fn deep(shelf: &mut Shelf) {
    let mut folder = shelf.folder(TOP, "Profond");
    for level in 1..=60 {
        folder = shelf.folder(folder, &format!("n{level}"));
    }
    small(shelf, folder, "au fond.txt");
    let mut folder = shelf.folder(TOP, "Long");
    for level in 0..7 {
        folder = shelf.folder(folder, &format!("{level}{}", "é".repeat(49)));
    }
    small(shelf, folder, &format!("{}.txt", "x".repeat(30)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::sharepoint::check_name;

    #[test]
    fn sharepoint_takes_all_of_them() {
        let long = long();
        let all = NAMES.into_iter().chain(ALIKE.concat()).chain(long.iter().map(String::as_str));
        assert!(FOLDERS.iter().all(|name| check_name(name, true) == Ok(())));
        for name in all {
            assert_eq!(check_name(name, false), Ok(()));
            assert!(name.chars().count() <= 255, "{name}");
        }
        assert!(long.iter().all(|name| name.len() > 240), "long for others");
    }
}
