//! One token for everybody, fetched once and ahead of its expiry.

use crate::{Grant, Patience, Proof, TokenFaults, Wire, exchange::Exchange};
use async_trait::async_trait;
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, RefreshToken, RequestTokenError, Scope,
    TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponse, BasicTokenResponse},
};
use secrecy::{ExposeSecret, SecretString};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Mutex as Turn, time::Instant};
use transhume_contract::{AccountId, Credential, Fault, Secret, What};

pub(crate) type GrantedToken = BasicTokenResponse;
type TokenClient = BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A token is renewed so long before its end, or in the last fifth of a short life.
const AHEAD: Duration = Duration::from_secs(300);
/// RFC 6749 section 5.1 only recommends `expires_in`.
const LIFE_UNTOLD: Duration = Duration::from_secs(600);

/// A token that was handed out. It has no `Debug`.
#[derive(Clone)]
pub struct Bearer {
    pub token: SecretString,
    /// Which of the tokens of this process it is.
    pub serial: u64,
}

/// Where the road gets its token.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// A token that is valid now and for some time to come.
    async fn bearer(&self) -> Result<Bearer, Fault>;
    /// The service refused this token: the next `bearer` gives a newer one.
    async fn refused(&self, bearer: &Bearer);
}

/// Keeps the token of one grant: refreshed ahead of expiry, by one request at a time however many ask.
/// A refusal of the grant itself is kept too, and not asked for again in this process.
pub struct TokenCache {
    grant: Grant,
    exchange: Exchange,
    kept: Mutex<Kept>,
    /// Held by the one who asks the endpoint.
    turn: Turn<()>,
}

#[derive(Default)]
struct Kept {
    token: Option<Token>,
    /// The newest refresh token, where the endpoint replaced the first.
    refresh: Option<SecretString>,
    /// How often the endpoint was asked.
    asked: u64,
    /// Why the last asking failed.
    failed: Option<Fault>,
}

#[derive(Clone)]
struct Token {
    bearer: Bearer,
    fresh_until: Instant,
    valid_until: Instant,
}

/// How the kept token stands.
enum Standing {
    Fresh(Bearer),
    Ageing(Bearer),
    Gone,
    /// The grant was refused for good.
    Dead(Fault),
}

impl TokenCache {
    /// Nothing is asked for before the first `bearer`.
    pub fn new(wire: Wire, grant: Grant, faults: TokenFaults) -> Arc<Self> {
        Self::with_patience(wire, grant, faults, Patience::default())
    }

    pub fn with_patience(wire: Wire, grant: Grant, faults: TokenFaults, patience: Patience) -> Arc<Self> {
        let exchange = Exchange::new(wire, patience, faults);
        Arc::new(Self { grant, exchange, kept: Mutex::default(), turn: Turn::new(()) })
    }

    fn standing(&self) -> Standing {
        let kept = self.kept();
        if let Some(fault) = kept.failed.as_ref().filter(|fault| fault.what == What::Unauthenticated) {
            return Standing::Dead(fault.clone());
        }
        let now = Instant::now();
        match &kept.token {
            Some(token) if now < token.fresh_until => Standing::Fresh(token.bearer.clone()),
            Some(token) if now < token.valid_until => Standing::Ageing(token.bearer.clone()),
            Some(_) | None => Standing::Gone,
        }
    }

    /// One renews, the others go on with the token that is still good.
    async fn renewed(&self, ageing: Bearer) -> Bearer {
        let Ok(_turn) = self.turn.try_lock() else { return ageing };
        match self.standing() {
            Standing::Fresh(bearer) => bearer,
            Standing::Ageing(_) | Standing::Gone | Standing::Dead(_) => self.fetch().await.unwrap_or_else(|fault| {
                tracing::warn!("the token could not be renewed yet: {fault}");
                ageing
            }),
        }
    }

    /// One asks, the others wait and share what came of it.
    async fn fetched(&self) -> Result<Bearer, Fault> {
        let asked = self.kept().asked;
        let _turn = self.turn.lock().await;
        match self.standing() {
            Standing::Fresh(bearer) | Standing::Ageing(bearer) => return Ok(bearer),
            Standing::Dead(fault) => return Err(fault),
            Standing::Gone => {}
        }
        match self.failed_since(asked) {
            Some(fault) => Err(fault),
            None => self.fetch().await,
        }
    }

    fn failed_since(&self, asked: u64) -> Option<Fault> {
        let kept = self.kept();
        kept.failed.clone().filter(|_| kept.asked > asked)
    }

    async fn fetch(&self) -> Result<Bearer, Fault> {
        let began = Instant::now();
        let granted = self.ask().await;
        self.exchange.forget();
        let mut kept = self.kept();
        kept.asked += 1;
        let granted = granted.inspect_err(|fault| kept.failed = Some(fault.clone()))?;
        kept.failed = None;
        if let Some(refresh) = granted.refresh_token() {
            kept.refresh = Some(SecretString::from(refresh.secret().clone()));
        }
        let token = Token::new(&granted, kept.asked, began);
        kept.token = Some(token.clone());
        Ok(token.bearer)
    }

    async fn ask(&self) -> Result<GrantedToken, Fault> {
        let client = BasicClient::new(ClientId::new(self.grant.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.grant.token_url.clone()));
        let answer = match &self.grant.proof {
            Proof::Secret(secret) => {
                let secret = ClientSecret::new(secret.expose_secret().to_owned());
                self.by_credentials(client.set_client_secret(secret), None).await
            }
            Proof::Certificate(certificate) => {
                let assertion = certificate.assertion(&self.grant.client_id, &self.grant.token_url)?;
                self.by_credentials(client, Some(assertion)).await
            }
            Proof::Refresh(first) => {
                let newest = self.kept().refresh.clone().unwrap_or_else(|| first.clone());
                self.by_refresh(client, newest).await
            }
        };
        answer.map_err(|error| self.exchange.fault(error, &self.grant.token_url))
    }

    async fn by_credentials(&self, client: TokenClient, assertion: Option<SecretString>) -> Answered {
        let mut request = client.exchange_client_credentials().add_scopes(self.scopes());
        if let Some(assertion) = &assertion {
            request = request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", assertion.expose_secret().to_owned());
        }
        request.request_async(&self.exchange).await
    }

    async fn by_refresh(&self, client: TokenClient, newest: SecretString) -> Answered {
        let refresh = RefreshToken::new(newest.expose_secret().to_owned());
        let request = client.exchange_refresh_token(&refresh).add_scopes(self.scopes());
        request.request_async(&self.exchange).await
    }

    fn scopes(&self) -> impl Iterator<Item = Scope> + '_ {
        self.grant.scopes.iter().cloned().map(Scope::new)
    }

    /// A poisoned lock holds a token that is as good as before.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Answered = Result<GrantedToken, RequestTokenError<Fault, BasicErrorResponse>>;

impl Token {
    /// Its life counts from before it was asked for, so that ours never seems longer than the server's.
    fn new(granted: &GrantedToken, serial: u64, began: Instant) -> Self {
        let life = granted.expires_in().unwrap_or(LIFE_UNTOLD);
        let ahead = AHEAD.min(life / 5);
        let token = SecretString::from(granted.access_token().secret().clone());
        Self {
            bearer: Bearer { token, serial },
            fresh_until: began + life.saturating_sub(ahead),
            valid_until: began + life.saturating_sub(life / 50),
        }
    }
}

#[async_trait]
impl Tokens for TokenCache {
    async fn bearer(&self) -> Result<Bearer, Fault> {
        match self.standing() {
            Standing::Fresh(bearer) => Ok(bearer),
            Standing::Ageing(bearer) => Ok(self.renewed(bearer).await),
            Standing::Gone => self.fetched().await,
            Standing::Dead(fault) => Err(fault),
        }
    }

    /// Of fifty requests that met the same refused token, the first discards it and all get the next one.
    async fn refused(&self, bearer: &Bearer) {
        let mut kept = self.kept();
        if kept.token.as_ref().is_some_and(|token| token.bearer.serial == bearer.serial) {
            kept.token = None;
        }
    }
}

/// An IMAP server's XOAUTH2 takes the same token; the account's id is the login.
#[async_trait]
impl Credential for TokenCache {
    async fn secret(&self, account: &AccountId) -> Result<Secret, Fault> {
        Ok(Secret::Bearer { user: account.as_str().to_owned(), token: self.bearer().await?.token })
    }
}
