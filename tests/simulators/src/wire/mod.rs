//! Between sockets and the simulated service: calls, replies, refusals, and the language of query options.

mod body;
mod call;
mod filter;
mod links;
mod query;
mod refusal;
mod reply;

pub(crate) use body::{Cut, Sending};
pub(crate) use call::{Call, Caller};
pub(crate) use filter::Filter;
pub(crate) use links::Seal;
pub(crate) use query::Query;
pub(crate) use refusal::Refusal;
pub(crate) use reply::{Part, Payload, Reply};
