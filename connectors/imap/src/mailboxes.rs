//! Which mailbox a collection is: its name, whether it stands, where it went.
//!
//! What people do there is theirs. A mailbox they renamed is followed by its UIDVALIDITY, and by its MAILBOXID where the
//! server tells one (RFC 8474); one they deleted (or moved
//! into the trash) is made anew under its name, empty and with another UIDVALIDITY, so that new mail has a place,
//! while everything placed before is told as vanished and is not placed again.

use crate::{
    faults::{Refusal, mailbox_closed, refused},
    link::{Answer, Link, quoted},
    names::{self, Hierarchy},
    spot::{Spot, told_object},
    utf7,
};
use async_imap::imap_proto::{MailboxDatum, NameAttribute, Response, StatusAttribute};
use std::collections::{BTreeMap, HashMap};
use transhume_contract::{
    AccountId, Appearance, Cause, Collection, Fault, Foreseen, Reach, Role, Size, Wanted, What, Workload,
};

/// What is known of an account's mailboxes in this process.
#[derive(Default)]
pub struct Mailboxes {
    hierarchy: Option<Hierarchy>,
    /// By name on the wire, with the attributes in lower case.
    listed: BTreeMap<String, Vec<String>>,
    /// Which source path has which mailbox, so that two never share one.
    claims: HashMap<Vec<String>, String>,
}

/// Uses of mailboxes that need not hold messages of their own.
const VIEWS: [&str; 3] = ["\\all", "\\flagged", "\\important"];

/// What STATUS tells.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    validity: u32,
    messages: u32,
}

/// A mailbox as a collection, with its name as people see it.
pub fn collection(account: &AccountId, workload: Workload, spot: &Spot, name: &str) -> Collection {
    Collection {
        account: account.clone(),
        workload,
        id: spot.id(),
        parent: None,
        name: name.to_owned(),
        role: Role::Ordinary,
        hidden: false,
        expected: Size::default(),
        appearance: Appearance::default(),
    }
}

/// One look at an account's mailboxes through one connection.
pub struct Surveyor<'a> {
    pub link: &'a mut Link,
    pub boxes: &'a mut Mailboxes,
}

impl Surveyor<'_> {
    /// Finds or makes the mailbox for a collection.
    pub async fn ensure(&mut self, want: &Wanted) -> Result<Collection, Fault> {
        self.learn().await?;
        let known = match &want.known {
            Some(id) => self.still_standing(&Spot::of(id)?).await?,
            None => None,
        };
        let free = known.filter(|spot| !self.claimed_by_other(&spot.mailbox, &want.path));
        let spot = match free {
            Some(spot) => spot,
            None => self.make(want).await?,
        };
        if want.known.is_none() {
            self.subscribe(&spot.mailbox).await?;
        }
        self.boxes.claims.insert(want.path.clone(), spot.mailbox.clone());
        let name = self.last_of(&spot.mailbox);
        Ok(Collection { role: want.role, ..collection(&want.account, want.workload, &spot, &name) })
    }

    /// The name a collection would get. Which names a server refuses is only known when it does.
    pub async fn foresee(&mut self, want: &Wanted) -> Result<Foreseen, Fault> {
        self.learn().await?;
        if want.role == Role::Inbox {
            return Ok(Foreseen { name: "INBOX".to_owned(), sure: true });
        }
        if let Some(name) = self.special_name(want) {
            return Ok(Foreseen { name: self.last_of(&name), sure: true });
        }
        let own = want.path.last().map_or("", String::as_str);
        let spelled = names::spellings(own, &want.path, &self.hierarchy()).into_iter().next();
        let name = spelled.map_or_else(|| own.to_owned(), |(name, _)| name);
        Ok(Foreseen { sure: names::is_taken_everywhere(&name), name })
    }

    /// Every mailbox of the account itself, with the number of its messages.
    pub async fn census(&mut self) -> Result<Vec<(String, u32)>, Fault> {
        self.learn().await?;
        let mut found = Vec::new();
        for mailbox in self.openable().into_iter().filter(|name| !self.is_foreign(name)).collect::<Vec<_>>() {
            if let Some(standing) = self.status(&mailbox).await?.filter(|standing| standing.messages > 0) {
                found.push((mailbox, standing.messages));
            }
        }
        Ok(found)
    }

    /// Every mailbox of the account itself that is none of these, with its whole name as people see it. One that was
    /// made anew under a known name is what the known one opens; one that shows messages of others holds none.
    pub async fn others(&mut self, known: &[Spot]) -> Result<Vec<(Spot, String)>, Fault> {
        self.learn().await?;
        self.list().await?;
        let mut spots = Vec::new();
        for (mailbox, validity) in self.validities().await? {
            if !self.is_foreign(&mailbox) && !self.is_view(&mailbox) {
                spots.push(self.spot(validity, &mailbox).await?);
            }
        }
        let stands = |known: &Spot| spots.iter().any(|spot| known.is_same(spot));
        let is_known = |spot: &Spot| {
            known.iter().any(|known| known.is_same(spot) || (known.mailbox == spot.mailbox && !stands(known)))
        };
        let others = spots.iter().filter(|spot| !is_known(spot));
        Ok(others.map(|spot| (spot.clone(), utf7::decode(&spot.mailbox))).collect())
    }

    fn last_of(&self, mailbox: &str) -> String {
        let last = self.hierarchy().separator.and_then(|separator| mailbox.rsplit_once(separator));
        utf7::decode(last.map_or(mailbox, |(_, last)| last))
    }

    fn hierarchy(&self) -> Hierarchy {
        self.boxes.hierarchy.clone().unwrap_or_default()
    }

    /// Reads separator, namespaces and the list of mailboxes, once.
    async fn learn(&mut self) -> Result<(), Fault> {
        if self.boxes.hierarchy.is_some() {
            return Ok(());
        }
        let mut separator = None;
        let doing = "to tell its hierarchy separator";
        self.link
            .order("LIST \"\" \"\"", doing, |response| {
                if let Response::MailboxData(MailboxDatum::List(root)) = response {
                    separator = root.delimiter.as_ref().and_then(|text| text.chars().last());
                }
            })
            .await?;
        let lines = if self.link.can("NAMESPACE") { self.link.by_hand("NAMESPACE").await? } else { Vec::new() };
        let (prefix, foreign) = names::read_namespaces(&lines).unwrap_or_default();
        self.list().await?;
        self.boxes.hierarchy = Some(Hierarchy { separator, prefix, foreign });
        Ok(())
    }

    async fn list(&mut self) -> Result<(), Fault> {
        let special = self.link.can("SPECIAL-USE") && self.link.can("LIST-EXTENDED");
        let command = if special { "LIST \"\" \"*\" RETURN (SPECIAL-USE)" } else { "LIST \"\" \"*\"" };
        let mut listed = BTreeMap::new();
        self.link
            .order(command, "to list its mailboxes", |response| {
                if let Response::MailboxData(MailboxDatum::List(found)) = response {
                    let attributes = found.name_attributes.iter().map(attribute_name).collect();
                    listed.insert(found.name.to_string(), attributes);
                }
            })
            .await?;
        self.boxes.listed = listed;
        Ok(())
    }

    async fn status(&mut self, mailbox: &str) -> Result<Option<Standing>, Fault> {
        let mut found = Standing::default();
        let command = format!("STATUS {} (MESSAGES UIDVALIDITY)", quoted(mailbox));
        let answer = self
            .link
            .ask(&command, |response| {
                if let Response::MailboxData(MailboxDatum::Status { status, .. }) = response {
                    found = read_standing(status);
                }
            })
            .await?;
        if answer.ok {
            return Ok(Some(found));
        }
        match Refusal::of(&answer) {
            Refusal::ServerTrouble | Refusal::NotPermitted => Err(self.refused(mailbox, &answer)),
            _ if self.shows_after(mailbox, &answer).await? => {
                Err(mailbox_closed(self.link.place(), &utf7::decode(mailbox), &answer))
            }
            _ => Ok(None),
        }
    }

    /// Whether a mailbox stands that the server refused to open. Only its own word for a missing one is believed at
    /// once; else what LIST shows now decides, since a lock or an error may be told in any words.
    pub async fn shows_after(&mut self, mailbox: &str, answer: &Answer) -> Result<bool, Fault> {
        if Refusal::of(answer) == Refusal::NoMailbox {
            return Ok(false);
        }
        self.list().await?;
        // Names are compared as they are written too, since the session library leaves `\"` as it came.
        let written = quoted(mailbox);
        let is_it =
            |name: &str| name == mailbox || written.strip_prefix('"').and_then(|it| it.strip_suffix('"')) == Some(name);
        let inbox = |name: &str| mailbox == "INBOX" && name.eq_ignore_ascii_case(mailbox);
        let mut found = self.boxes.listed.iter().filter(|(name, _)| is_it(name) || inbox(name));
        Ok(found.any(|(_, attributes)| holds_messages(attributes)))
    }

    fn refused(&self, mailbox: &str, answer: &Answer) -> Fault {
        let doing = format!("the mailbox `{}`", utf7::decode(mailbox));
        refused(self.link.place(), &doing, answer).reaching(Reach::Collection)
    }

    /// Where a known mailbox is now: under its name, or renamed. `None` when it is gone or was put into the trash.
    async fn still_standing(&mut self, spot: &Spot) -> Result<Option<Spot>, Fault> {
        let same = self.status(&spot.mailbox).await?.is_some_and(|standing| standing.validity == spot.validity);
        if same && self.is_object(&spot.mailbox, spot).await? {
            return Ok(Some(spot.clone()));
        }
        self.list().await?;
        let mut found = self.validities().await?;
        found.retain(|(mailbox, validity)| *validity == spot.validity && self.could_be_renamed(mailbox));
        let mut candidates = Vec::new();
        for (mailbox, _) in found.into_iter().filter(|(mailbox, _)| *mailbox != spot.mailbox || !same) {
            if self.is_object(&mailbox, spot).await? {
                candidates.push(mailbox);
            }
        }
        let renamed = candidates.pop().filter(|_| candidates.is_empty());
        Ok(renamed.map(|mailbox| Spot { mailbox, ..spot.clone() }))
    }

    /// Whether a mailbox can be the one meant, as far as its MAILBOXID tells.
    async fn is_object(&mut self, mailbox: &str, spot: &Spot) -> Result<bool, Fault> {
        let Some(object) = &spot.object else { return Ok(true) };
        Ok(self.object(mailbox).await?.is_none_or(|found| found == *object))
    }

    /// RFC 8474: stays through a rename, and is given to no other mailbox. Asked by hand, since the session library
    /// cannot read the answer.
    async fn object(&mut self, mailbox: &str) -> Result<Option<String>, Fault> {
        if !self.link.can("OBJECTID") {
            return Ok(None);
        }
        let lines = self.link.by_hand(&format!("STATUS {} (MAILBOXID)", quoted(mailbox))).await?;
        Ok(lines.iter().find_map(|line| told_object(line)))
    }

    async fn spot(&mut self, validity: u32, mailbox: &str) -> Result<Spot, Fault> {
        Ok(Spot { validity, object: self.object(mailbox).await?, mailbox: mailbox.to_owned() })
    }

    /// Every mailbox's UIDVALIDITY, in one command where the server can (RFC 5819). It leaves out what it could not
    /// open just then, which is asked for by itself.
    async fn validities(&mut self) -> Result<Vec<(String, u32)>, Fault> {
        let mut found = BTreeMap::new();
        if self.link.can("LIST-STATUS") {
            let command = "LIST \"\" \"*\" RETURN (STATUS (UIDVALIDITY))";
            self.link
                .order(command, "to list its mailboxes", |response| {
                    if let Response::MailboxData(MailboxDatum::Status { mailbox, status }) = response {
                        found.insert(mailbox.to_string(), read_standing(status).validity);
                    }
                })
                .await?;
        }
        for mailbox in self.openable() {
            if found.contains_key(&mailbox) {
                continue;
            }
            match self.status(&mailbox).await {
                // A mailbox listed and not to be read (RFC 4314 `l` without `r`) is none of ours.
                Err(fault) if fault.what == What::Forbidden || self.is_foreign(&mailbox) => {}
                standing => found.extend(standing?.map(|standing| (mailbox, standing.validity))),
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Names of the last list that are mailboxes.
    fn openable(&self) -> Vec<String> {
        let all = self.boxes.listed.iter().filter(|(_, attributes)| holds_messages(attributes));
        all.map(|(name, _)| name.clone()).collect()
    }

    /// Some servers give mailboxes made within one second the same UIDVALIDITY (Cyrus 3.6, which tells MAILBOXIDs too):
    /// what is certainly something else is left out.
    fn could_be_renamed(&self, mailbox: &str) -> bool {
        let other = mailbox == "INBOX" || self.boxes.claims.values().any(|name| name == mailbox);
        !other && !self.is_foreign(mailbox) && !self.is_in_trash(mailbox)
    }

    fn is_foreign(&self, mailbox: &str) -> bool {
        self.hierarchy().foreign.iter().any(|prefix| !prefix.is_empty() && mailbox.starts_with(prefix.as_str()))
    }

    /// RFC 6154: it shows messages that stand in other mailboxes.
    fn is_view(&self, mailbox: &str) -> bool {
        let attributes = self.boxes.listed.get(mailbox);
        attributes.is_some_and(|found| found.iter().any(|name| VIEWS.contains(&name.as_str())))
    }

    fn is_in_trash(&self, mailbox: &str) -> bool {
        let Some(separator) = self.hierarchy().separator else { return false };
        self.with_use("\\Trash").is_some_and(|trash| mailbox.starts_with(&format!("{trash}{separator}")))
    }

    fn with_use(&self, attribute: &str) -> Option<String> {
        let attribute = attribute.to_ascii_lowercase();
        let mut found = self.boxes.listed.iter().filter(|(_, attributes)| attributes.contains(&attribute));
        found.find(|(mailbox, _)| !self.is_foreign(mailbox)).map(|(mailbox, _)| mailbox.clone())
    }

    fn claimed_by_other(&self, mailbox: &str, path: &[String]) -> bool {
        self.boxes.claims.iter().any(|(theirs, name)| name == mailbox && theirs != path)
    }

    async fn make(&mut self, want: &Wanted) -> Result<Spot, Fault> {
        if want.role == Role::Inbox && !self.claimed_by_other("INBOX", &want.path) {
            return self.make_named("INBOX", None).await?.map_err(|answer| self.refused("INBOX", &answer));
        }
        if let Some(spot) = self.make_special(want).await? {
            return Ok(spot);
        }
        let parent = Box::pin(self.parent(want)).await?;
        self.make_ordinary(&parent, want).await
    }

    /// The mailbox of a role: the server's own, else one with a usual name, else a new one.
    async fn make_special(&mut self, want: &Wanted) -> Result<Option<Spot>, Fault> {
        let Some((attribute, _)) = names::special_use(want.role) else { return Ok(None) };
        let Some(name) = self.special_name(want) else { return Ok(None) };
        if self.claimed_by_other(&name, &want.path) {
            return Ok(None);
        }
        Ok(self.make_named(&name, Some(attribute)).await?.ok())
    }

    fn special_name(&self, want: &Wanted) -> Option<String> {
        let (attribute, usual) = names::special_use(want.role)?;
        let hierarchy = self.hierarchy();
        let spelled = |name: &str| format!("{}{}", hierarchy.prefix, utf7::encode(name));
        let listed = |name: &String| self.boxes.listed.keys().any(|mailbox| mailbox.eq_ignore_ascii_case(name));
        let there = usual.iter().map(|name| spelled(name)).find(listed);
        self.with_use(attribute).or(there).or_else(|| usual.first().map(|name| spelled(name)))
    }

    /// What the names of mailboxes below the parent collection start with.
    async fn parent(&mut self, want: &Wanted) -> Result<String, Fault> {
        let above = &want.path[..want.path.len().saturating_sub(1)];
        let hierarchy = self.hierarchy();
        let name = match self.ensured_parent(want).await? {
            Some(name) => name,
            None if above.is_empty() => return Ok(hierarchy.prefix),
            None => self.make_parent(want, above).await?,
        };
        Ok(format!("{name}{}", hierarchy.separator.map_or_else(|| "-".to_owned(), String::from)))
    }

    /// The parent where it was ensured, wherever people renamed it to since.
    async fn ensured_parent(&mut self, want: &Wanted) -> Result<Option<String>, Fault> {
        let Some(id) = &want.parent else { return Ok(None) };
        let spot = Spot::of(id)?;
        if self.boxes.claims.values().any(|name| *name == spot.mailbox) {
            return Ok(Some(spot.mailbox));
        }
        Ok(self.still_standing(&spot).await?.map(|spot| spot.mailbox))
    }

    async fn make_parent(&mut self, want: &Wanted, above: &[String]) -> Result<String, Fault> {
        if let Some(name) = self.boxes.claims.get(above) {
            return Ok(name.clone());
        }
        let parent = Wanted { path: above.to_vec(), parent: None, role: Role::Ordinary, known: None, ..want.clone() };
        Ok(Spot::of(&self.ensure(&parent).await?.id)?.mailbox)
    }

    async fn make_ordinary(&mut self, parent: &str, want: &Wanted) -> Result<Spot, Fault> {
        let (hierarchy, path) = (self.hierarchy(), &want.path);
        let segment = path.last().map_or("", String::as_str);
        let mut last = Answer::default();
        for (spelling, altered) in names::spellings(segment, path, &hierarchy) {
            let plain = format!("{parent}{}", utf7::encode(&spelling));
            let marked = format!("{parent}{}", utf7::encode(&names::marked(&spelling, path)));
            let made_before = want.adopt && altered && self.status(&marked).await?.is_some();
            let name = if made_before || self.taken(&plain, want, altered).await? { marked } else { plain };
            match self.make_named(&name, None).await? {
                Ok(spot) => return Ok(spot),
                Err(answer) => last = answer,
            }
        }
        let top = format!("{}{}", hierarchy.prefix, utf7::encode(&names::marked("folder", path)));
        match self.make_named(&top, None).await? {
            Ok(spot) => Ok(spot),
            Err(_) => Err(name_refused(self.link.place(), segment, &last)),
        }
    }

    /// Whether a name stands for something else: another path's mailbox, a role's, or, where the spelling was
    /// altered, one that already holds mail and is not to be adopted.
    async fn taken(&mut self, mailbox: &str, want: &Wanted, altered: bool) -> Result<bool, Fault> {
        let special = ["\\sent", "\\drafts", "\\trash", "\\junk", "\\archive"];
        let attributes = self.boxes.listed.get(mailbox);
        if mailbox.eq_ignore_ascii_case("INBOX")
            || attributes.is_some_and(|found| found.iter().any(|name| special.contains(&name.as_str())))
            || self.is_view(mailbox)
            || self.claimed_by_other(mailbox, &want.path)
        {
            return Ok(true);
        }
        Ok(altered && !want.adopt && self.status(mailbox).await?.is_some_and(|standing| standing.messages > 0))
    }

    /// Makes a mailbox unless it stands. The inner error is a refusal of the name.
    async fn make_named(&mut self, name: &str, special: Option<&str>) -> Result<Result<Spot, Answer>, Fault> {
        if let Some(standing) = self.status(name).await? {
            return self.spot(standing.validity, name).await.map(Ok);
        }
        let answer = self.create(name, special).await?;
        if let Some(standing) = self.status(name).await? {
            self.boxes.listed.entry(name.to_owned()).or_default();
            return self.spot(standing.validity, name).await.map(Ok);
        }
        match Refusal::of(&answer) {
            Refusal::Cannot | Refusal::Plain | Refusal::NoMailbox => Ok(Err(answer)),
            _ => Err(self.refused(name, &answer)),
        }
    }

    async fn create(&mut self, name: &str, special: Option<&str>) -> Result<Answer, Fault> {
        let command = format!("CREATE {}", quoted(name));
        if let Some(attribute) = special.filter(|_| self.link.can("CREATE-SPECIAL-USE")) {
            let answer = self.link.ask(&format!("{command} (USE ({attribute}))"), |_| {}).await?;
            if answer.ok {
                return Ok(answer);
            }
        }
        self.link.ask(&command, |_| {}).await
    }

    /// A server without subscriptions is no fault.
    async fn subscribe(&mut self, mailbox: &str) -> Result<(), Fault> {
        let answer = self.link.ask(&format!("SUBSCRIBE {}", quoted(mailbox)), |_| {}).await?;
        if !answer.ok {
            tracing::warn!(words = answer.text, "the server refused a subscription");
        }
        Ok(())
    }

    /// Where mail for this collection goes now that its name was not found: where it was renamed to, else the same
    /// name, made anew.
    pub async fn reopen(&mut self, spot: &Spot) -> Result<Spot, Fault> {
        self.learn().await?;
        if let Some(found) = self.still_standing(spot).await? {
            return Ok(found);
        }
        let made = self.make_named(&spot.mailbox, None).await?;
        let made = made.map_err(|answer| self.refused(&spot.mailbox, &answer))?;
        self.subscribe(&made.mailbox).await?;
        Ok(made)
    }

    /// Where the collection stands, if it does.
    pub async fn follow(&mut self, spot: &Spot) -> Result<Option<Spot>, Fault> {
        self.learn().await?;
        self.still_standing(spot).await
    }
}

/// RFC 3501 `\Noselect`, RFC 5258 `\NonExistent`: a name that only stands above others is no mailbox.
fn holds_messages(attributes: &[String]) -> bool {
    !attributes.iter().any(|name| name == "\\noselect" || name == "\\nonexistent")
}

fn attribute_name(attribute: &NameAttribute<'_>) -> String {
    let name = match attribute {
        NameAttribute::Sent => "\\sent",
        NameAttribute::Drafts => "\\drafts",
        NameAttribute::Trash => "\\trash",
        NameAttribute::Junk => "\\junk",
        NameAttribute::Archive => "\\archive",
        NameAttribute::All => "\\all",
        NameAttribute::Flagged => "\\flagged",
        NameAttribute::NoSelect => "\\noselect",
        NameAttribute::NoInferiors => "\\noinferiors",
        NameAttribute::Extension(name) => return name.to_ascii_lowercase(),
        _ => "",
    };
    name.to_owned()
}

fn read_standing(status: &[StatusAttribute]) -> Standing {
    let mut standing = Standing::default();
    for attribute in status {
        match attribute {
            StatusAttribute::Messages(count) => standing.messages = *count,
            StatusAttribute::UidValidity(validity) => standing.validity = *validity,
            _ => {}
        }
    }
    standing
}

fn name_refused(place: &str, segment: &str, answer: &Answer) -> Fault {
    let words = answer.text.trim_end_matches('.');
    Fault::new(
        What::Unmappable,
        format!("The IMAP server {place} refused every spelling of the folder `{segment}`: {words}."),
    )
    .reaching(Reach::Collection)
    .ask("Rename that folder at the source, or permit its name on the mail server, then run again.")
    .code(Cause::RefusedByTarget.name())
}
