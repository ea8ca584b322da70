//! An address book that stands twice in a server that takes a card's UID twice, and writes cards in its own words.

use crate::{
    groupware::{at_cyrus, recipe},
    setting::login,
};
use transhume_servers::RawDav;

#[test]
fn a_doubled_address_book_of_cyrus_is_told_as_such() {
    let (story, cyrus) = at_cyrus(&recipe(false));
    let contacts = ["--only", "contacts"];
    story.run(&[&["run"], &contacts[..]].concat()).ok();
    story.run(&[&["verify", "--depth", "content"], &contacts[..]].concat()).tells(0, &["; 0 differences"]);
    let raw = RawDav::new(&cyrus.dav_url().unwrap(), &login(1), "secret");
    let cards = story.wait(raw.objects(&format!("/dav/addressbooks/user/{}/", login(1)))).unwrap();
    assert!(cards.len() > 5, "{:?}", cards.keys());
    // As another program puts in again what it took out: the same card, with a line of its own.
    for (path, card) in &cards {
        let card = card.replace("END:VCARD", "X-PROGRAM:another one\r\nEND:VCARD");
        story.wait(raw.send("PUT", &path.replace(".vcf", "-again.vcf"), &card)).unwrap();
    }
    let doubled = format!("; {} differences", cards.len());
    let verified = story.run(&[&["verify", "--depth", "content"], &contacts[..]].concat());
    verified.tells(4, &[&doubled, "a second copy of contact ", "duplicate: delete one of the two there"]);
    assert!(!verified.out.contains("not placed by transhume"), "{}", verified.out);
    // Without reading cards nobody knows their UIDs.
    let others = format!("; 0 differences; {} items at the target not placed by transhume", cards.len());
    story.run(&[&["verify"], &contacts[..]].concat()).tells(0, &[&others]);
}
