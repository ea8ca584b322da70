//! What a Microsoft Graph source is told at its start.

use crate::faults::{classify, token_fault};
use std::time::Duration;
use transhume_contract::{Fault, Reach, What};
use transhume_http::{
    Grant, HostRule, Limit, Limits, Patience, Proof, RoadConfig, Url, Window, Wire, WireConfig, is_loopback,
};

/// One of Microsoft's clouds: where tokens come from, where Graph is, and what a token is asked for.
/// Graph docs: national cloud deployments. Tokens of one cloud are useless in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// As configured: `global`, `us-gov`, `us-dod`, `china`.
    pub name: &'static str,
    pub login: &'static str,
    pub graph: &'static str,
}

/// GCC (not High) uses the hosts of the global cloud. The German cloud is retired.
pub const CLOUDS: &[Cloud] = &[
    Cloud { name: "global", login: "https://login.microsoftonline.com", graph: "https://graph.microsoft.com" },
    Cloud { name: "us-gov", login: "https://login.microsoftonline.us", graph: "https://graph.microsoft.us" },
    Cloud { name: "us-dod", login: "https://login.microsoftonline.us", graph: "https://dod-graph.microsoft.us" },
    Cloud { name: "china", login: "https://login.chinacloudapi.cn", graph: "https://microsoftgraph.chinacloudapi.cn" },
];

impl Cloud {
    /// `Malformed`, reaching the run, for a name that is not in the table.
    pub fn named(name: &str) -> Result<Self, Fault> {
        let names: Vec<&str> = CLOUDS.iter().map(|cloud| cloud.name).collect();
        CLOUDS.iter().copied().find(|cloud| cloud.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
            let step = format!("write one of: {}", names.join(", "));
            wrong(format!("Microsoft has no cloud named `{name}` that this version knows"), step)
        })
    }
}

fn wrong(sentence: String, step: impl Into<String>) -> Fault {
    Fault::new(What::Malformed, sentence).reaching(Reach::Run).ask(step)
}

/// What a Microsoft Graph source is told at its start. It has no `Debug`: the proof is secret.
#[derive(Clone)]
pub struct GraphConfig {
    pub cloud: Cloud,
    /// A GUID or a verified domain.
    pub tenant: String,
    pub client_id: String,
    pub proof: Proof,
    /// Another host for tokens, for a simulator on loopback or a proxy: `http://127.0.0.1:4000`.
    pub login_host: Option<String>,
    /// Another host for Graph, likewise.
    pub graph_host: Option<String>,
    /// Requests at the same time per mailbox. The service allows four and is seen to refuse exactly four
    /// (Q&A 1660054), so three is the default.
    pub lanes: usize,
    /// Requests per window and mailbox. The service allows 10,000 per 10 minutes (Graph docs: throttling limits,
    /// Outlook); the default stays 4 % below, as corso does.
    pub window: Window,
    /// Rows asked for per page of a listing.
    pub page_size: u32,
    /// How to reach the network.
    pub network: WireConfig,
    pub patience: Patience,
}

impl GraphConfig {
    /// The usual settings of the global cloud.
    pub fn new(tenant: impl Into<String>, client_id: impl Into<String>, proof: Proof) -> Self {
        Self {
            cloud: CLOUDS[0],
            tenant: tenant.into(),
            client_id: client_id.into(),
            proof,
            login_host: None,
            graph_host: None,
            lanes: 3,
            window: Window { requests: 9_600, per: Duration::from_secs(600) },
            page_size: 500,
            network: WireConfig { user_agent: user_agent(), ..WireConfig::default() },
            patience: Patience::default(),
        }
    }

    /// Where Graph is, without `/v1.0`.
    pub fn graph(&self) -> Result<Url, Fault> {
        address(self.graph_host.as_deref().unwrap_or(self.cloud.graph), "graph host")
    }

    /// Where a sign-in of this tenant goes: `token` or `devicecode`.
    pub fn sign_in(&self, endpoint: &str) -> Result<Url, Fault> {
        self.login(&format!("oauth2/v2.0/{endpoint}"))
    }

    /// Where this tenant tells everybody about itself.
    pub(crate) fn discovery(&self) -> Result<Url, Fault> {
        self.login("v2.0/.well-known/openid-configuration")
    }

    fn login(&self, below: &str) -> Result<Url, Fault> {
        let mut url = address(self.login_host.as_deref().unwrap_or(self.cloud.login), "login host")?;
        let tenant = self.tenant.trim();
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '.';
        if tenant.is_empty() || !tenant.chars().all(allowed) {
            let sentence = format!("`{tenant}` is neither a tenant id nor a domain");
            return Err(wrong(
                sentence,
                "write the tenant id (a GUID, Entra shows it under Overview) or a verified domain",
            ));
        }
        url.set_path(&format!("{}/{tenant}/{below}", url.path().trim_end_matches('/')));
        Ok(url)
    }

    /// What a token is asked for: all that an administrator consented to (`.default`), or what the person signed in
    /// for. Both name the cloud's own resource, whatever host answers.
    pub fn scopes(&self) -> Vec<String> {
        match self.proof {
            Proof::Refresh(_) => device_scopes(&self.cloud),
            Proof::Secret(_) | Proof::Certificate(_) => vec![format!("{}/.default", self.cloud.graph)],
        }
    }

    pub(crate) fn grant(&self) -> Result<Grant, Fault> {
        let (client_id, proof) = (self.client_id.clone(), self.proof.clone());
        Ok(Grant { token_url: self.sign_in("token")?, client_id, scopes: self.scopes(), proof })
    }

    pub(crate) fn road(&self) -> Result<RoadConfig, Fault> {
        self.verify()?;
        let mut road = RoadConfig::new(vec![HostRule::of(&self.graph()?)]);
        road.limits = limits(self.lanes, self.window);
        road.patience = self.patience;
        road.classify = classify;
        Ok(road)
    }

    pub(crate) fn wire(&self) -> Result<Wire, Fault> {
        Wire::new(&self.network)
    }

    fn verify(&self) -> Result<(), Fault> {
        if !(1..=4).contains(&self.lanes) {
            let sentence = format!("{} requests at the same time per mailbox are not possible", self.lanes);
            return Err(wrong(sentence, "write 1 to 4 lanes: Exchange Online allows four, three are never refused"));
        }
        if !(1..=999).contains(&self.page_size) {
            let sentence = format!("a page of {} rows is not possible", self.page_size);
            return Err(wrong(sentence, "write a page size from 1 to 999"));
        }
        if self.client_id.trim().is_empty() {
            return Err(wrong(
                "the client id is missing".into(),
                "write the Application (client) ID of the registration",
            ));
        }
        Ok(())
    }
}

/// Requests of one mailbox are counted together whatever the workload; `app` counts all of them: 130,000 per 10 s
/// over all tenants (Graph docs: throttling limits), of which a tenth is ours.
fn limits(lanes: usize, window: Window) -> Limits {
    let app = Window { requests: 13_000, per: Duration::from_secs(10) };
    Limits::default()
        .with("mailbox", Limit { lanes, window: Some(window) })
        .with("directory", Limit { lanes: 4, window: None })
        .with("report", Limit { lanes: 1, window: None })
        .with("app", Limit { lanes: 512, window: Some(app) })
}

/// Decorated as SharePoint docs "avoid throttling" ask: undecorated traffic is throttled first.
fn user_agent() -> String {
    concat!("NONISV|transhume|transhume/", env!("CARGO_PKG_VERSION")).to_owned()
}

fn address(text: &str, named: &str) -> Result<Url, Fault> {
    let url = Url::parse(text).ok().filter(|url| url.host_str().is_some() && url.query().is_none());
    let url = url.ok_or_else(|| wrong(format!("the {named} `{text}` is no address"), "write it as https://host"))?;
    let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if safe {
        return Ok(url);
    }
    let sentence = format!("the {named} `{text}` would send secrets in the clear");
    Err(wrong(sentence, "write https://; plain http is for a simulator on this very machine (127.0.0.1)"))
}

/// What a person is asked to allow.
fn device_scopes(cloud: &Cloud) -> Vec<String> {
    let wanted = ["Mail.Read", "MailboxSettings.Read", "User.Read", "User.Read.All"];
    let mut scopes: Vec<String> = wanted.iter().map(|scope| format!("{}/{scope}", cloud.graph)).collect();
    scopes.push("offline_access".into());
    scopes
}

/// Starts a sign-in by device code, for those who may not register a secret: what it returns is shown to a person,
/// and once they have answered, its grant's proof belongs into [`GraphConfig::proof`].
pub async fn device_sign_in(
    config: &GraphConfig,
) -> Result<(transhume_http::DeviceSignIn, transhume_http::DevicePrompt), Fault> {
    let scopes = device_scopes(&config.cloud);
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let (device, token) = (config.sign_in("devicecode")?, config.sign_in("token")?);
    transhume_http::DeviceSignIn::start(config.wire()?, device, token, &config.client_id, &scopes, token_fault).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn config() -> GraphConfig {
        GraphConfig::new("contoso.example", "client", Proof::Secret("s".to_owned().into()))
    }

    #[test]
    fn every_cloud_has_its_own_hosts_and_scope() {
        let mut config = config();
        for (name, token, scope) in [
            (
                "global",
                "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token",
                "https://graph.microsoft.com/.default",
            ),
            (
                "US-Gov",
                "https://login.microsoftonline.us/contoso.example/oauth2/v2.0/token",
                "https://graph.microsoft.us/.default",
            ),
            (
                "us-dod",
                "https://login.microsoftonline.us/contoso.example/oauth2/v2.0/token",
                "https://dod-graph.microsoft.us/.default",
            ),
            (
                "china",
                "https://login.chinacloudapi.cn/contoso.example/oauth2/v2.0/token",
                "https://microsoftgraph.chinacloudapi.cn/.default",
            ),
        ] {
            config.cloud = Cloud::named(name).unwrap();
            assert_eq!(config.sign_in("token").unwrap().as_str(), token);
            assert_eq!(config.scopes(), [scope]);
        }
        assert!(Cloud::named("germany").unwrap_err().next_step().unwrap().contains("us-gov"));
    }

    #[test]
    fn plain_http_is_for_loopback_alone() {
        let mut config = config();
        config.graph_host = Some("http://127.0.0.1:4000".into());
        assert_eq!(config.graph().unwrap().port(), Some(4000));
        config.graph_host = Some("http://graph.example".into());
        assert!(config.graph().unwrap_err().sentence.contains("in the clear"));
    }

    #[test]
    fn what_cannot_work_is_refused_with_a_next_step() {
        let mut config = config();
        config.lanes = 5;
        assert!(config.verify().unwrap_err().next_step().unwrap().contains("1 to 4"));
        config.tenant = "contoso/../x".into();
        assert!(config.sign_in("token").unwrap_err().next_step().unwrap().contains("GUID"));
    }
}
