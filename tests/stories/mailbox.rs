//! A mailbox at Dovecot as somebody with another mail program sees it.

use crate::setting::{Story, login};
use std::collections::BTreeMap;
use transhume_servers::RawImap;

/// One message: what can be compared of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mail {
    pub folder: String,
    pub uid: u32,
    pub flags: String,
    pub date: String,
    pub id: String,
}

pub fn open(story: &Story, number: usize) -> RawImap {
    RawImap::login(story.dovecot.as_ref().unwrap().imap_port(), &login(number), "own").unwrap()
}

/// All that stands in an account.
pub fn look(story: &Story, number: usize) -> Vec<Mail> {
    let mut imap = open(story, number);
    let folders: Vec<String> = done(&mut imap, "LIST \"\" *").iter().filter_map(|line| named(line)).collect();
    let mut mails: Vec<_> = folders.iter().flat_map(|folder| in_folder(&mut imap, folder)).collect();
    mails.sort();
    mails
}

fn named(line: &str) -> Option<String> {
    let name = line.strip_prefix("* LIST ")?.split_once(") \"/\" ")?.1;
    Some(name.trim_matches('"').to_owned())
}

fn in_folder(imap: &mut RawImap, folder: &str) -> Vec<Mail> {
    done(imap, &format!("EXAMINE \"{folder}\""));
    let asked = "UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])";
    let lines = done(imap, asked);
    lines.iter().filter(|line| line.contains(" FETCH (")).map(|line| read(folder, line)).collect()
}

fn read(folder: &str, line: &str) -> Mail {
    let between = |from: &str, to: &str| {
        let rest = line.split_once(from).unwrap_or_else(|| panic!("no {from} in {line}")).1;
        rest.split_once(to).unwrap().0.to_owned()
    };
    let mut flags: Vec<_> = between("FLAGS (", ")").split(' ').map(str::to_owned).collect();
    flags.retain(|flag| flag != "\\Recent");
    flags.sort();
    Mail {
        folder: folder.to_owned(),
        uid: between("UID ", " ").parse().unwrap(),
        flags: flags.join(" "),
        date: between("INTERNALDATE \"", "\""),
        id: line.split_once(": <").map(|(_, id)| id.split('>').next().unwrap().to_owned()).unwrap_or_default(),
    }
}

/// The untagged lines of a command that must succeed.
#[track_caller]
pub fn done(imap: &mut RawImap, command: &str) -> Vec<String> {
    let reply = imap.command(command).unwrap();
    assert!(reply.is_ok(), "{command}: {}", reply.text());
    reply.lines()
}

/// Gives a command with its folder selected; `{}` stands for its UID.
pub fn to(story: &Story, mail: &Mail, command: &str) {
    let mut imap = open(story, 1);
    done(&mut imap, &format!("SELECT \"{}\"", mail.folder));
    done(&mut imap, &command.replace("{}", &mail.uid.to_string()));
}

/// Takes one message away.
pub fn remove(story: &Story, mail: &Mail) {
    let mut imap = open(story, 1);
    done(&mut imap, &format!("SELECT \"{}\"", mail.folder));
    done(&mut imap, &format!("UID STORE {} +FLAGS (\\Deleted)", mail.uid));
    done(&mut imap, &format!("UID EXPUNGE {}", mail.uid));
}

/// How often each Message-ID stands there.
pub fn copies(mails: &[Mail]) -> BTreeMap<&str, usize> {
    let mut copies = BTreeMap::new();
    mails.iter().for_each(|mail| *copies.entry(mail.id.as_str()).or_default() += 1);
    copies
}
