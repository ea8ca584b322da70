//! Finding whose account this is and where its collections are (RFC 6764, RFC 5397, RFC 4791 section 6.2.1).

use crate::{
    account::Link,
    answer::{Answer, Entry},
    ask, faults,
    paths::{encoded, folder},
    server::{self, Kind, Server},
    xml::Space,
};
use transhume_contract::{Fault, Objects, Reach, Scheduling, Secret, What, Workload};

/// An account at its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    pub server: Server,
    /// Whose it is, in the server's own terms (RFC 3744 section 2).
    pub principal: String,
    /// Where its calendars and task lists are, and its address books.
    pub calendars: Option<String>,
    pub books: Option<String>,
    /// Its addresses as the server knows them, in small letters, without `mailto:`.
    pub addresses: Vec<String>,
    /// Where invitations to it arrive.
    pub inbox: Option<String>,
    /// The largest object that the server says it takes, in bytes (RFC 4791 section 5.2.5).
    pub largest: Option<u64>,
}

impl Home {
    pub fn of(&self, workload: Workload) -> Option<&str> {
        match workload {
            Workload::Calendar | Workload::Tasks => self.calendars.as_deref(),
            Workload::Contacts => self.books.as_deref(),
            Workload::Mail | Workload::Files => None,
        }
    }
}

impl Home {
    /// How the server is kept from writing to people in this account's name.
    pub fn scheduling(&self) -> Scheduling {
        self.server.scheduling(&self.addresses)
    }

    /// What the server accepts of this account.
    pub fn objects(&self) -> Objects {
        self.server.objects(&self.addresses, self.largest)
    }
}

/// One search.
pub struct Seeker<'a> {
    pub link: &'a Link,
}

const WHOSE: &str = "<d:current-user-principal/>";
const WHERE: &str = "<c:calendar-home-set/><a:addressbook-home-set/><c:calendar-user-address-set/>\
    <c:schedule-inbox-URL/><c:max-resource-size/>";
/// Redirects that are followed.
const HOPS: usize = 5;

impl Seeker<'_> {
    pub async fn home(&self) -> Result<Home, Fault> {
        let principal = match self.link.secret().await? {
            Secret::Acting { user, authority, .. } => self.principal_of(&user, &authority).await?,
            Secret::Password { .. } | Secret::Bearer { .. } => self.own_principal().await?,
        };
        let entry = self.principal(&principal).await?;
        let options = self.link.send(&ask::options(&principal)).await?;
        let mut server = Server::of(&options, &principal, self.link.config().server);
        if server.kind == Kind::Nextcloud {
            server.version = self.version_of_nextcloud(&principal).await?;
        }
        let mut home = self.read(server, &principal, &entry);
        if home.books.is_none() {
            home.books = self.books_elsewhere(&principal).await?;
        }
        tracing::debug!(server = home.server.name(), version = home.server.version, "found an account");
        Ok(home)
    }

    async fn version_of_nextcloud(&self, principal: &str) -> Result<Option<String>, Fault> {
        let above = principal.split("/remote.php/").next().unwrap_or_default();
        let answer = self.link.send(&ask::get(&format!("{above}/status.php"))).await?;
        Ok((answer.status == 200).then(|| server::version_in_status(&answer.body)).flatten())
    }

    fn read(&self, server: Server, principal: &str, entry: &Entry) -> Home {
        let base = self.link.base();
        let href = |space, name| entry.href(space, name, base).map(|path| folder(&path));
        let set = entry.property(Space::CalDav, "calendar-user-address-set");
        let hrefs = set.into_iter().flat_map(|set| set.kids_named(Space::Dav, "href")).filter_map(|href| href.said());
        let addresses = hrefs.filter_map(|href| href.to_ascii_lowercase().strip_prefix("mailto:").map(str::to_owned));
        Home {
            server,
            principal: folder(principal),
            calendars: href(Space::CalDav, "calendar-home-set"),
            books: href(Space::CardDav, "addressbook-home-set"),
            addresses: addresses.collect(),
            inbox: href(Space::CalDav, "schedule-inbox-URL"),
            largest: largest(entry),
        }
    }

    /// Where the settings point to, else where the server says that its calendars are.
    async fn own_principal(&self) -> Result<String, Fault> {
        let start = self.link.base().path().to_owned();
        let mut last = None;
        for path in [start.as_str(), "/.well-known/caldav", "/.well-known/carddav"] {
            let answer = self.follow(path).await?;
            if let Some(principal) = self.named_in(&answer) {
                return Ok(principal);
            }
            last = Some(answer).filter(|answer| answer.status == 500).or(last);
        }
        Err(self.nobody(last.as_ref()))
    }

    fn named_in(&self, answer: &Answer) -> Option<String> {
        let base = self.link.base();
        let entries = answer.entries(base).ok()?;
        entries
            .iter()
            .find_map(|entry| entry.href(Space::Dav, "current-user-principal", base))
            .map(|path| folder(&path))
    }

    fn nobody(&self, last: Option<&Answer>) -> Fault {
        let (place, user) = (self.link.place(), self.link.account.id.as_str());
        match last {
            Some(_) => faults::not_provisioned(&place, user),
            None => Fault::new(What::Unsupported, format!("At {place} nobody answers as a CalDAV server does."))
                .reaching(Reach::Run)
                .ask("Check `url` of the target; where the server has its calendars below a path, name the path too (Nextcloud: /remote.php/dav/, SOGo: /SOGo/dav/, Baikal: /dav.php/)."),
        }
    }

    /// Asks who is logged in, wherever that path leads to on the same server.
    async fn follow(&self, path: &str) -> Result<Answer, Fault> {
        let mut path = path.to_owned();
        for _ in 0..HOPS {
            let answer = self.link.send(&ask::properties(&path, 0, WHOSE)).await?;
            let moved = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
            let to = answer.header("location").filter(|_| moved).and_then(|to| self.on_this_server(to));
            match to.filter(|to| *to != path) {
                Some(to) => path = to,
                None => return Ok(answer),
            }
        }
        Err(faults::unreadable(&self.link.place(), "the search for calendars", "it redirects in a circle"))
    }

    /// A server behind a proxy may redirect to itself by another scheme or port (seen with Nextcloud 32): the path is
    /// what counts, and no other host ever sees a login.
    fn on_this_server(&self, to: &str) -> Option<String> {
        let base = self.link.base();
        let url = base.join(to).ok()?;
        (url.host_str() == base.host_str()).then(|| url.path().to_owned())
    }

    /// Of another's account: as the settings or what is known of the server say.
    async fn principal_of(&self, user: &str, authority: &str) -> Result<String, Fault> {
        let config = self.link.config();
        if let Some(pattern) = &config.principal {
            return Ok(named(pattern, user));
        }
        let own = self.own_principal().await?;
        let options = self.link.send(&ask::options(&own)).await?;
        let server = Server::of(&options, &own, config.server);
        tracing::debug!(authority, server = server.name(), "an administrator acts for an account");
        let pattern = server::principal_of(server.kind);
        pattern.map(|pattern| named(pattern, user)).ok_or_else(|| faults::no_acting(&self.link.place(), server.name()))
    }

    async fn principal(&self, path: &str) -> Result<Entry, Fault> {
        let answer = self.link.send(&ask::properties(path, 0, WHERE)).await?;
        let (place, user) = (self.link.place(), self.link.account.id.as_str());
        if answer.status != 207 {
            return Err(match self.link.secret().await? {
                Secret::Acting { authority, .. } => faults::not_opened(&place, &authority, user, answer.status),
                _ if answer.status == 500 => faults::not_provisioned(&place, user),
                _ => faults::no_calendars(&place, user, "principal"),
            });
        }
        let entries = answer.entries(self.link.base());
        let entries = entries.map_err(|why| faults::unreadable(&place, "the question for an account", &why))?;
        entries.into_iter().next().ok_or_else(|| faults::no_calendars(&place, user, "principal"))
    }

    /// Address books may have a principal of their own.
    async fn books_elsewhere(&self, known: &str) -> Result<Option<String>, Fault> {
        if matches!(self.link.secret().await?, Secret::Acting { .. }) {
            return Ok(None);
        }
        let answer = self.follow("/.well-known/carddav").await?;
        let Some(principal) = self.named_in(&answer).filter(|principal| principal != known) else { return Ok(None) };
        let entry = self.principal(&principal).await?;
        Ok(entry.href(Space::CardDav, "addressbook-home-set", self.link.base()).map(|path| folder(&path)))
    }
}

/// Radicale tells it of every path; the others tell none of a principal.
fn largest(entry: &Entry) -> Option<u64> {
    let told = entry.text(Space::CalDav, "max-resource-size")?.trim().parse::<u64>().ok();
    told.filter(|bytes| *bytes > 0)
}

fn named(pattern: &str, user: &str) -> String {
    folder(&pattern.replace("{account}", &encoded(user)))
}
