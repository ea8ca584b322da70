//! Which calendar or address book a collection is, and making those that are missing.
//!
//! A collection is made under a name of its own, from its whole path, so that making it again finds it and two of them
//! never meet. People see its display name, and may change that: the path stays, and with it the id. Homes are flat: what
//! stands below something else has the whole path in its name, whatever its parent is called there now.

use crate::{
    account::Link,
    answer::{Answer, Entry},
    ask::{self, Making, component},
    faults,
    homes::Home,
    paths::{self, below, collection_name, folder, last_name},
    server::Kind,
    xml::Space,
};
use transhume_contract::{
    AccountId, Appearance, Collection, CollectionId, Fault, Foreseen, Reach, Role, Secret, Size, Wanted, What, Workload,
};
use transhume_http::Url;

/// Longer display names end a request at Nextcloud 32 with status 500 (its limit is 255 letters).
const LONGEST_NAME: usize = 250;
/// Names that are tried for one collection.
const NUMBERS: std::ops::RangeInclusive<u32> = 1..=9;

const ASKED: &str = "<d:resourcetype/><d:displayname/><c:supported-calendar-component-set/><i:calendar-color/>\
    <i:calendar-order/><d:current-user-privilege-set/><d:owner/>";

/// A collection as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub path: String,
    /// As people see it; none where nobody gave it one.
    pub name: Option<String>,
    /// Whether it is the account's own, and holds things of the workload that was asked for.
    pub fits: bool,
    /// Whether the account may write into it; unsaid by some servers.
    pub writable: Option<bool>,
    pub appearance: Appearance,
}

/// What is to be done for a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice {
    Take(Standing),
    Make { path: String, name: String },
}

/// The collections of one workload in one account.
pub struct Shelf<'a> {
    pub link: &'a Link,
    pub home: &'a Home,
    pub workload: Workload,
}

impl Shelf<'_> {
    fn path(&self) -> Result<&str, Fault> {
        let what = if self.workload == Workload::Contacts { "address books" } else { "calendars" };
        let missing = || faults::no_calendars(&self.link.place(), self.link.account.id.as_str(), what);
        self.home.of(self.workload).ok_or_else(missing)
    }

    /// Everything in the home, whatever it is.
    pub async fn list(&self) -> Result<Vec<Standing>, Fault> {
        let home = self.path()?;
        let answer = self.link.send(&ask::properties(home, 1, ASKED)).await?;
        if answer.status != 207 {
            return Err(self.closed(&answer).await);
        }
        let entries = answer.entries(self.link.base());
        let entries = entries.map_err(|why| faults::unreadable(&self.link.place(), "the list of collections", &why))?;
        let standing = entries.iter().filter(|entry| paths::name_in(home, &entry.path).is_some());
        Ok(standing.map(|entry| self.read(entry)).collect())
    }

    /// Nextcloud 32 tells an administrator where another's calendars are, and then that there are none.
    async fn closed(&self, answer: &Answer) -> Fault {
        let (place, user) = (self.link.place(), self.link.account.id.as_str());
        match (self.link.secret().await, answer.status) {
            (Ok(Secret::Acting { authority, .. }), 403 | 404) => {
                faults::not_opened(&place, &authority, user, answer.status)
            }
            _ => faults::collection_refused(&place, "the list of collections", answer),
        }
    }

    /// What somebody else shares with the account stands in its home too, and is not the account's to fill.
    fn read(&self, entry: &Entry) -> Standing {
        let standing = read(entry, self.workload);
        let own = is_own(entry, &self.home.principal, self.link.base());
        Standing { fits: standing.fits && own, ..standing }
    }

    pub async fn foresee(&self, want: &Wanted) -> Result<Foreseen, Fault> {
        let name = match choose(want, &self.list().await?, self.path()?, self.default_name(), 1) {
            Choice::Take(standing) => standing.shown(),
            Choice::Make { name, .. } => name,
        };
        Ok(Foreseen { name, sure: true })
    }

    fn default_name(&self) -> Option<&'static str> {
        let (calendar, book) = self.home.server.default_names()?;
        match self.workload {
            Workload::Calendar => Some(calendar),
            Workload::Contacts => Some(book),
            Workload::Tasks | Workload::Mail | Workload::Files => None,
        }
    }

    pub async fn ensure(&self, want: &Wanted) -> Result<Collection, Fault> {
        let _making = self.link.account.making.lock().await;
        let mut refusal = None;
        for number in NUMBERS {
            match choose(want, &self.list().await?, self.path()?, self.default_name(), number) {
                Choice::Take(standing) => return self.take(want, standing).await,
                Choice::Make { path, name } => match self.make(want, &path, &name).await? {
                    Ok(collection) => return Ok(collection),
                    // Something else stands there that the list does not show, or was just made by another.
                    Err(fault) => refusal = Some(fault),
                },
            }
        }
        Err(refusal.unwrap_or_else(|| faults::no_calendars(&self.link.place(), self.link.account.id.as_str(), "place")))
    }

    async fn take(&self, want: &Wanted, standing: Standing) -> Result<Collection, Fault> {
        if standing.writable == Some(false) {
            return Err(read_only(&self.link.place(), &standing.shown()));
        }
        // One that we began to make, and a crash left without what people see of it.
        let ours = last_name(&standing.path).starts_with(&collection_name(want.workload, &want.path, 1));
        if ours && standing.name.is_none() {
            let name = shown(&want.path);
            self.dress(&standing.path, &name, &want.appearance).await?;
            return Ok(self.collection(want.role, Standing { name: Some(name), ..standing }));
        }
        Ok(self.collection(want.role, standing))
    }

    /// The inner fault is a refusal of this name.
    async fn make(&self, want: &Wanted, path: &str, name: &str) -> Result<Result<Collection, Fault>, Fault> {
        let making = self.making(name, &want.appearance);
        let answer = self.link.send(&ask::make(path, &making)).await?;
        let path = folder(path);
        if answer.stored() || answer.inner_status() == 200 {
            self.link.account.remember_made(&path);
            let (name, appearance) = (Some(name.to_owned()), want.appearance.clone());
            let standing = Standing { path, name, fits: true, writable: Some(true), appearance };
            return Ok(Ok(self.collection(want.role, standing)));
        }
        let doing = format!("to make `{name}`");
        let fault = faults::collection_refused(&self.link.place(), &doing, &answer);
        match answer.inner_status() {
            // What stands there already: 405, 409 and 403 of different servers.
            403 | 405 | 409 => Ok(Err(fault)),
            _ => Err(fault),
        }
    }

    fn making<'b>(&self, name: &'b str, appearance: &'b Appearance) -> Making<'b> {
        let doubles_percent = self.home.server.kind == Kind::Xandikos;
        Making { workload: self.workload, name, appearance, doubles_percent }
    }

    /// Gives a collection what people see of it.
    pub async fn dress(&self, path: &str, name: &str, appearance: &Appearance) -> Result<(), Fault> {
        let making = self.making(name, appearance);
        let answer = self.link.send(&ask::dress(path, &making)).await?;
        match answer.inner_status() {
            200..=299 => Ok(()),
            _ => Err(faults::collection_refused(&self.link.place(), &format!("to name `{name}`"), &answer)),
        }
    }

    /// Those that people may have filed something in: what a server made of other data is not writable.
    pub async fn others(&self, known: &[CollectionId]) -> Result<Vec<Collection>, Fault> {
        let known: Vec<String> = known.iter().map(|id| folder(id.as_str())).collect();
        let mut standing = self.list().await?;
        standing.retain(|one| one.fits && one.writable != Some(false) && !known.contains(&one.path));
        Ok(standing.into_iter().map(|standing| self.collection(Role::Ordinary, standing)).collect())
    }

    pub fn collection(&self, role: Role, standing: Standing) -> Collection {
        collection(&self.link.account.id, self.workload, role, standing)
    }
}

pub fn collection(account: &AccountId, workload: Workload, role: Role, standing: Standing) -> Collection {
    Collection {
        account: account.clone(),
        workload,
        id: CollectionId::new(&*standing.path),
        parent: None,
        name: standing.shown(),
        role,
        hidden: false,
        expected: Size::default(),
        appearance: standing.appearance,
    }
}

fn read_only(place: &str, name: &str) -> Fault {
    Fault::new(What::Forbidden, format!("The account may not write into `{name}` at {place}."))
        .reaching(Reach::Collection)
        .ask("Give the account the right to write there, or rename it so that one of its own is made; then run again.")
}

impl Standing {
    /// Its name, or what its path says where nobody named it.
    pub fn shown(&self) -> String {
        self.name.clone().unwrap_or_else(|| last_name(&self.path))
    }
}

fn read(entry: &Entry, workload: Workload) -> Standing {
    let path = folder(&entry.path);
    let kinds = entry.property(Space::Dav, "resourcetype");
    let is = |space, name| kinds.is_some_and(|kinds| kinds.kid(space, name).is_some());
    let set = entry.property(Space::CalDav, "supported-calendar-component-set");
    let takes = |component| set.is_none_or(|set| set.kids.iter().any(|kid| kid.attribute("name") == Some(component)));
    let fits = match component(workload) {
        Some(component) => is(Space::CalDav, "calendar") && takes(component),
        None => is(Space::CardDav, "addressbook"),
    };
    let inner = path.trim_matches('/').split('/').map(last_name).collect::<Vec<_>>().join("/");
    // Radicale tells the path of what has no name.
    let name = entry.text(Space::Dav, "displayname").filter(|name| *name != inner).map(str::to_owned);
    let text = |name| entry.text(Space::Apple, name);
    let appearance = Appearance {
        colour: text("calendar-color").and_then(colour),
        order: text("calendar-order").and_then(|order| order.parse().ok()),
    };
    Standing { path, name, fits, writable: writable(entry), appearance }
}

/// RFC 3744 section 5.1. Servers spell principals in several ways: who it is, stands at the end.
fn is_own(entry: &Entry, principal: &str, base: &Url) -> bool {
    let who = |path: &str| last_name(path).to_lowercase();
    entry.href(Space::Dav, "owner", base).is_none_or(|owner| who(&owner) == who(principal))
}

/// `#rrggbb` of what servers and programs keep, some of them with an opacity.
fn colour(text: &str) -> Option<String> {
    let digits = text.strip_prefix('#')?;
    let six =
        digits.get(..6).filter(|six| matches!(digits.len(), 6 | 8) && six.bytes().all(|b| b.is_ascii_hexdigit()))?;
    Some(format!("#{}", six.to_ascii_lowercase()))
}

/// RFC 3744 section 5.4.
pub fn writable(entry: &Entry) -> Option<bool> {
    let set = entry.property(Space::Dav, "current-user-privilege-set")?;
    let privileges = set.kids_named(Space::Dav, "privilege").flat_map(|privilege| &privilege.kids);
    let writes = |name: &str| matches!(name, "all" | "write" | "write-content" | "bind");
    Some(privileges.into_iter().any(|privilege| privilege.space == Space::Dav && writes(&privilege.name)))
}

/// The name people see: the whole path, since homes are flat.
fn shown(path: &[String]) -> String {
    let name = path.join(" / ");
    let fit: String = name.chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME).collect();
    if fit.trim().is_empty() { "?".to_owned() } else { fit }
}

/// Where a collection was, is, or shall be: the same whenever it is asked.
fn choose(want: &Wanted, all: &[Standing], home: &str, default: Option<&str>, number: u32) -> Choice {
    let at = |path: &str| all.iter().find(|standing| standing.path == folder(path) && standing.fits).cloned();
    let known = want.known.as_ref().and_then(|id| at(id.as_str()));
    let is_free = |standing: &Standing| !want.claimed.iter().any(|id| folder(id.as_str()) == standing.path);
    let own = || {
        NUMBERS
            .map(|number| below(home, &collection_name(want.workload, &want.path, number)))
            .find_map(|path| at(&path).filter(is_free))
    };
    let theirs =
        || default.filter(|_| want.role == Role::Default).and_then(|name| at(&below(home, name)).filter(is_free));
    let name = shown(&want.path);
    let called = |name: &str| {
        let same = |standing: &&Standing| standing.fits && standing.shown().to_lowercase() == name.to_lowercase();
        all.iter().find(same).cloned()
    };
    let adopted = || called(&name).filter(|standing| want.adopt && is_free(standing));
    if let Some(standing) = known.or_else(own).or_else(theirs).or_else(adopted) {
        return Choice::Take(standing);
    }
    let taken = |path: &str| all.iter().any(|standing| standing.path == folder(path));
    // A Nextcloud makes its own with the first login, where there is none: until then it is ours to make.
    let first = default.filter(|_| want.role == Role::Default && number == 1).map(|name| below(home, name));
    let paths = (number..).map(|number| below(home, &collection_name(want.workload, &want.path, number)));
    let path = first.into_iter().chain(paths.take(100)).find(|path| !taken(path)).unwrap_or_default();
    let mut names = std::iter::once(name.clone()).chain((2..).map(|number| format!("{name} ({number})")));
    let name = names.find(|name| called(name).is_none()).unwrap_or(name);
    Choice::Make { path, name }
}

#[cfg(test)]
mod tests;
