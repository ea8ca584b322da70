//! The road every HTTP connector of transhume travels.
//!
//! One client with TLS, gzip and connection reuse, without cookies and without redirects of its own; OAuth tokens kept
//! fresh and shared; a pacer that stays below the limits it is given and obeys every `Retry-After`; retries for what
//! is transient, with one budget per cause; and the walls that keep a bearer token on the hosts of its own service.
//!
//! The road knows sockets, tokens and limits. What a status or an error code of a service means beyond HTTP, the
//! connector tells it with two plain functions: [`Classify`] for answers and [`TokenFaults`] for refused sign-ins.
//!
//! ```text
//! let wire   = Wire::new(&WireConfig::default())?;
//! let tokens = TokenCache::new(wire.clone(), grant, rfc6749);
//! let road   = Road::new(wire, RoadConfig::new(vec![HostRule::parse("graph.example.org")?]), Some(tokens));
//! let whole  = road.whole(Request::get(url, [LaneKey::new("mailbox", id), LaneKey::new("app", client)]), 8 << 20).await?;
//! ```

mod answer;
mod certificate;
mod config;
mod device;
mod exchange;
mod follow;
mod grant;
mod limits;
mod pacer;
mod refusal;
mod request;
mod response;
mod road;
mod tls;
mod tokens;
mod tries;
mod window;
mod wire;

pub use answer::{Classify, Reading, Verdict, http_only, retry_after};
pub use certificate::{Certificate, Signature};
pub use config::{HostRule, Patience, RoadConfig, WireConfig, is_loopback};
pub use device::{DevicePrompt, DeviceSignIn};
pub use grant::{Grant, Proof};
pub use limits::{Counters, LaneKey, LaneView, Limit, Limits, Window};
pub use refusal::{Refusal, TokenFaults, rfc6749};
pub use request::Request;
pub use response::{Response, Whole};
pub use road::Road;
pub use tokens::{Bearer, TokenCache, Tokens};
pub use wire::Wire;

pub use bytes::Bytes;
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use url::Url;
