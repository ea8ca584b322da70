//! A sign-in by device code (RFC 8628): a person types a code on another screen.

use crate::{Grant, Patience, Proof, TokenFaults, Wire, exchange::Exchange, tokens::GrantedToken};
use oauth2::{
    ClientId, DeviceAuthorizationUrl, DeviceCodeErrorResponseType, RequestTokenError, Scope,
    StandardDeviceAuthorizationResponse, TokenResponse, TokenUrl, basic::BasicClient,
};
use secrecy::SecretString;
use std::time::Duration;
use tokio::time::Instant;
use transhume_contract::{Fault, Reach, What};
use url::Url;

/// A sign-in that waits for a person.
pub struct DeviceSignIn {
    exchange: Exchange,
    token_url: Url,
    client_id: String,
    scopes: Vec<String>,
    code: StandardDeviceAuthorizationResponse,
    expires: Instant,
}

/// What to show to that person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePrompt {
    pub user_code: String,
    pub verification_uri: String,
    pub expires_in: Duration,
}

impl DeviceSignIn {
    /// Asks for a code.
    pub async fn start(
        wire: Wire,
        device_url: Url,
        token_url: Url,
        client_id: &str,
        scopes: &[&str],
        faults: TokenFaults,
    ) -> Result<(Self, DevicePrompt), Fault> {
        let exchange = Exchange::new(wire, Patience::default(), faults);
        let client = BasicClient::new(ClientId::new(client_id.to_owned()))
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(device_url.clone()));
        let asked =
            client.exchange_device_code().add_scopes(scopes.iter().map(|scope| Scope::new((*scope).to_owned())));
        let code: Result<StandardDeviceAuthorizationResponse, _> = asked.request_async(&exchange).await;
        let code = code.map_err(|error| exchange.fault(error, &device_url))?;
        let prompt = DevicePrompt {
            user_code: code.user_code().secret().clone(),
            verification_uri: code.verification_uri().to_string(),
            expires_in: code.expires_in(),
        };
        let expires = Instant::now() + code.expires_in();
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let client_id = client_id.to_owned();
        Ok((Self { exchange, token_url, client_id, scopes, code, expires }, prompt))
    }

    /// Waits until the person has answered. The grant holds the refresh token (ask for the scope `offline_access`).
    /// A person who declines, a code that ran out and a code the service does not know are `Unauthenticated`.
    pub async fn wait(self) -> Result<Grant, Fault> {
        let granted = self.poll().await?;
        let refresh = granted.refresh_token().map(|token| SecretString::from(token.secret().clone()));
        let refresh = refresh.ok_or_else(|| {
            Fault::new(
                What::Unauthenticated,
                "the sign-in gives no refresh token, so that it would end within the hour",
            )
            .reaching(Reach::Run)
            .ask("ask for the scope offline_access as well")
        })?;
        Ok(Grant {
            token_url: self.token_url,
            client_id: self.client_id,
            scopes: self.scopes,
            proof: Proof::Refresh(refresh),
        })
    }

    async fn poll(&self) -> Result<GrantedToken, Fault> {
        let client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_token_uri(TokenUrl::from_url(self.token_url.clone()));
        // The first poll waits too: nobody types that fast, and RFC 8628 counts the interval from the start.
        tokio::time::sleep(self.code.interval()).await;
        let left = self.expires.saturating_duration_since(Instant::now());
        let answer = client
            .exchange_device_access_token(&self.code)
            .request_async(&self.exchange, tokio::time::sleep, Some(left))
            .await;
        let answer = answer.map_err(|error| match &error {
            RequestTokenError::ServerResponse(told) if *told.error() == DeviceCodeErrorResponseType::ExpiredToken => {
                self.exchange.refuse("expired_token")
            }
            _ => self.exchange.fault(error, &self.token_url),
        });
        self.exchange.forget();
        answer
    }
}
