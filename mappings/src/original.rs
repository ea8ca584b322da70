//! An original: the bytes exactly as the source gave them, in named parts.

use std::io::{self, Read};

/// One part of an original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartInfo {
    /// `mime`, `message`, `event`, `attachment/<n>`: see [`Parts`].
    pub name: String,
    /// As the source said: `message/rfc822`, `application/json`.
    pub media_type: String,
    /// In bytes.
    pub size: u64,
}

/// The named parts of one original. A part may be opened more than once and gives the same bytes each time.
///
/// Mail has one of two shapes:
/// * one part `mime`, media type `message/rfc822`;
/// * a part `message` (the Microsoft Graph `message` resource as JSON) and for each attachment `attachment/<n>/meta`
///   (the `attachment` resource without `contentBytes`) with `attachment/<n>` (its bytes; missing for links).
///
/// An event, with all that belongs to its series, has these parts, all but the first only where there is something:
/// * `event`, `application/json`: the Microsoft Graph `event` resource of the series master or the single event, as the
///   service answered. It may carry `cancelledOccurrences` and expanded `exceptionOccurrences`;
/// * `exceptions`, `application/json`: an array of the series' exceptions as `event` resources, where the cloud does not
///   expand them into the master. Those in both count once;
/// * `instances`, `application/json`: an array of all `event` resources that the service lists for the series, over its
///   whole life. Where the master has no `cancelledOccurrences`, days of the pattern that are missing here are
///   cancelled; of an endless series only those before the last one listed. It is to be left out where the listing was
///   cut short at its beginning;
/// * `listed`, `application/json`: `{"until": "YYYY-MM-DD"}`, the last day of the pattern that `instances` would show. What
///   is missing up to it is cancelled, what follows it nobody looked at;
/// * `attachments`, `application/json`: an array of `{"event": <id of the event it belongs to>, "attachment": <the
///   attachment resource without contentBytes>}`. A changed occurrence may show those of its series once more: where the
///   resource has `transhume.same`, its bytes are those of the entry of that number;
/// * `attachment/<n>`: the bytes of the n-th entry of that array, counted from 0; missing for links.
///
/// A contact has these:
/// * `contact`, `application/json`: the Microsoft Graph `contact` resource;
/// * `photo`: the bytes of its photo, where it has one, with their media type;
/// * `photoError`, `application/json`: why the service would not give the photo, in its place.
///
/// A task has these:
/// * `task`, `application/json`: the Microsoft Graph `todoTask` resource, which may carry expanded `checklistItems` and
///   `linkedResources`;
/// * `checklistItems` and `linkedResources`, `application/json`: arrays of them, where they were asked for apart;
/// * `attachments` and `attachment/<n>`, as for events; `event` may be left out.
pub trait Parts {
    fn parts(&self) -> Vec<PartInfo>;
    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>>;
}
