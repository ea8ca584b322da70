//! Servers of calendars and address books, and what stands in them.

use transhume_servers::{Cyrus, CyrusOptions, DavKind, DavOptions, DavServer, Login, RawDav};

/// A real server with its accounts; it stops when dropped.
pub struct Groupware {
    server: Server,
    logins: Vec<String>,
}

#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
enum Server {
    Dav(DavKind, DavServer),
    Cyrus(Cyrus),
}

impl Groupware {
    pub fn dav(kind: DavKind, logins: &[String]) -> Self {
        let accounts = logins.iter().map(|login| Login::new(login, "secret")).collect();
        let server = DavServer::start(DavOptions { kind, dir: None, accounts, largest: None }).unwrap();
        Self { server: Server::Dav(kind, server), logins: logins.to_vec() }
    }

    pub fn cyrus(logins: &[String]) -> Self {
        let names: Vec<_> = logins.iter().map(String::as_str).collect();
        let cyrus = Cyrus::start(CyrusOptions { dav: true, ..CyrusOptions::with_accounts(&names) }).unwrap();
        Self { server: Server::Cyrus(cyrus), logins: logins.to_vec() }
    }

    pub fn url(&self) -> String {
        match &self.server {
            Server::Dav(_, server) => server.url(),
            Server::Cyrus(cyrus) => cyrus.dav_url().unwrap(),
        }
    }

    /// Where calendars and address books of an account are.
    fn homes(&self, login: &str) -> Vec<String> {
        match &self.server {
            Server::Dav(DavKind::Radicale, _) => vec![format!("/{login}/")],
            Server::Dav(DavKind::Xandikos, _) => vec![format!("/{login}/calendars/"), format!("/{login}/contacts/")],
            Server::Cyrus(_) => {
                vec![format!("/dav/calendars/user/{login}/"), format!("/dav/addressbooks/user/{login}/")]
            }
        }
    }

    /// Everything that stands there, account by account: its collection and its text. Some servers name what is placed
    /// many at once, and write themselves into it as the program that made it.
    pub async fn standing(&self) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        for login in &self.logins {
            let raw = RawDav::new(&self.url(), login, "secret");
            let mut lines = Vec::new();
            for home in self.homes(login) {
                let objects = raw.objects(&home).await.unwrap_or_else(|why| panic!("{login}: {why}"));
                let collection = |path: &str| path.rsplit_once('/').map_or("", |(above, _)| above).to_owned();
                lines.extend(
                    objects.into_iter().map(|(path, text)| format!("{} {}", collection(&path), unsigned(&text))),
                );
            }
            all.push(lines);
        }
        all
    }
}

/// Without the name of the program that made it: which of them did, a kill decides.
fn unsigned(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("PRODID:")).collect::<Vec<_>>().join("\n")
}
