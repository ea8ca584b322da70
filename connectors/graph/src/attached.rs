//! The attachments of a message, an event or a task: their list without bytes, and the bytes of each, streamed.

use crate::{
    endpoint::{IMMUTABLE, preferring, segment},
    faults::Asked,
    service::{Service, reaching},
    wire,
};
use bytes::Bytes;
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use transhume_contract::{Fault, OriginalSink, Part, Reach, Remedy, What};
use transhume_http::{Request, Url};

/// Without bytes: the list is not paged, and with bytes it exhausts the service (`ErrorTooManyObjectsOpened`).
pub const OF_OUTLOOK: &str = "id,name,contentType,size,isInline,lastModifiedDateTime";
/// A content id belongs to file attachments alone.
const CONTENT_ID: &str = ",microsoft.graph.fileAttachment/contentId,microsoft.graph.fileAttachment/contentLocation";
const ATTEMPTS: usize = 5;

/// What has attachments.
pub struct Attachments<'a> {
    pub service: &'a Service,
    pub user: &'a str,
    /// The path of the item below `/v1.0`, encoded.
    pub item: String,
    /// The members asked of each; those of files that hold a content id are asked beside, where it is Outlook's.
    pub select: &'static str,
}

impl Attachments<'_> {
    /// Each attachment's resource, without bytes.
    pub async fn listed(&self) -> Result<Vec<Map<String, Value>>, Fault> {
        let rows = match self.rows(if self.select == OF_OUTLOOK { CONTENT_ID } else { "" }).await {
            Err(fault) if fault.what == What::Unsupported => self.rows("").await?,
            other => other?,
        };
        let resource = |row| match row {
            Value::Object(mut resource) => {
                resource.shift_remove("contentBytes");
                Ok(resource)
            }
            _ => Err(Fault::new(What::Malformed, "the list of attachments holds something else")),
        };
        rows.into_iter().map(resource).collect()
    }

    /// The list comes whole, as far as anybody has seen; a link to more of it is followed all the same.
    async fn rows(&self, more: &str) -> Result<Vec<Value>, Fault> {
        let mut request = self.request(&format!("/attachments?$select={}{more}", self.select));
        let mut rows = Vec::new();
        loop {
            let page: wire::Page = self.service.json(request, Asked::Item, "a list of attachments").await?;
            rows.extend(page.value);
            let Some(link) = &page.next_link else { return Ok(rows) };
            let endpoint = &self.service.endpoint;
            let at = endpoint.kept(link).and_then(|link| endpoint.resumed(&link));
            request = self.asking(at.map_err(|fault| fault.reaching(Reach::Item))?);
        }
    }

    /// Takes the bytes of one attachment into the part `attachment/<n>`. What the service refuses for good is written
    /// into its resource under `transhume.error`, so that the item is kept.
    pub async fn take(
        &self,
        n: usize,
        meta: &mut Map<String, Value>,
        into: &mut dyn OriginalSink,
    ) -> Result<(), Fault> {
        let known = wire::Attachment::deserialize(Value::Object(meta.clone()))
            .map_err(|error| Fault::new(What::Malformed, format!("an attachment cannot be understood: {error}")))?;
        // The bytes of a reference attachment are elsewhere: asking for them is a 405.
        let is = |kind: &str| known.odata_type.as_deref().is_some_and(|own| own.ends_with(kind));
        if is("referenceAttachment") {
            return Ok(());
        }
        let media_type = if is("itemAttachment") { None } else { Some(media_type(&known).to_owned()) };
        let taking = Taking { of: self, name: format!("attachment/{n}"), media_type, id: known.id };
        if let Some(error) = taking.take(into).await? {
            meta.insert("transhume.error".into(), error);
        }
        Ok(())
    }

    fn request(&self, below: &str) -> Request {
        self.asking(self.service.endpoint.at(&format!("{}{below}", self.item)))
    }

    fn asking(&self, url: Url) -> Request {
        preferring(self.service.endpoint.mailbox(self.user, url), &[IMMUTABLE])
    }
}

/// The bytes of one attachment.
struct Taking<'a> {
    of: &'a Attachments<'a>,
    name: String,
    /// Unknown for an attached item: what it is, its first bytes tell.
    media_type: Option<String>,
    id: String,
}

impl Taking<'_> {
    /// Takes the bytes; or tells why the service refuses this one for good.
    async fn take(&self, into: &mut dyn OriginalSink) -> Result<Option<Value>, Fault> {
        let (mut attempts, mut opened) = (0, false);
        loop {
            attempts += 1;
            match self.attempt(&mut opened, into).await {
                Ok(()) => return Ok(None),
                Err(fault) if matches!(fault.remedy, Remedy::Skip(_)) && fault.reach == Reach::Item => {
                    return Ok(Some(json!({"code": fault.code, "message": fault.sentence})));
                }
                Err(fault) if fault.what == What::Unreachable && attempts < ATTEMPTS => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    /// The part is opened once the first bytes are there, and stays open over all attempts.
    async fn attempt(&self, opened: &mut bool, into: &mut dyn OriginalSink) -> Result<(), Fault> {
        let request = self.of.request(&format!("/attachments/{}/$value", segment(&self.id)));
        let answer = self.of.service.stream(request, Asked::Item, "an attachment").await?;
        let (mut body, mut any) = (answer.stream(), false);
        while let Some(piece) = body.next().await {
            let bytes = match piece {
                Ok(bytes) => bytes,
                Err(fault) => return self.broken(any, fault, into).await,
            };
            self.open(opened, &bytes, into).await?;
            any = true;
            into.write(bytes).await?;
        }
        self.open(opened, &[], into).await?;
        into.close().await
    }

    async fn broken(&self, any: bool, fault: Fault, into: &mut dyn OriginalSink) -> Result<(), Fault> {
        if any {
            into.restart().await?;
        }
        Err(reaching(fault, Asked::Item))
    }

    async fn open(&self, opened: &mut bool, first: &[u8], into: &mut dyn OriginalSink) -> Result<(), Fault> {
        if std::mem::replace(opened, true) {
            return Ok(());
        }
        let media_type = self.media_type.clone().unwrap_or_else(|| item_type(first).to_owned());
        let part = Part { name: self.name.clone(), media_type, length: None };
        if into.open(part).await? > 0 {
            into.restart().await?;
        }
        Ok(())
    }
}

/// Attached items come as MIME, contacts as vCard, events as iCalendar, all of them called `text/plain` (Graph docs:
/// get attachment).
fn item_type(first: &[u8]) -> &'static str {
    let starts = |text: &str| first.len() >= text.len() && first[..text.len()].eq_ignore_ascii_case(text.as_bytes());
    match () {
        () if starts("BEGIN:VCARD") => "text/vcard",
        () if starts("BEGIN:VCALENDAR") => "text/calendar",
        () => "message/rfc822",
    }
}

fn media_type(known: &wire::Attachment) -> &str {
    known.content_type.as_deref().filter(|kind| !kind.is_empty()).unwrap_or("application/octet-stream")
}

/// One part that is already whole.
pub async fn put(into: &mut dyn OriginalSink, name: String, media_type: &str, bytes: Bytes) -> Result<(), Fault> {
    let part = Part { name, media_type: media_type.to_owned(), length: Some(bytes.len() as u64) };
    if into.open(part).await? > 0 {
        into.restart().await?;
    }
    into.write(bytes).await?;
    into.close().await
}

/// One part of JSON that is already whole.
pub async fn put_json(into: &mut dyn OriginalSink, name: &str, bytes: impl Into<Bytes>) -> Result<(), Fault> {
    put(into, name.to_owned(), "application/json", bytes.into()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attached_items_are_known_by_their_first_bytes() {
        assert_eq!(item_type(b"BEGIN:VCALENDAR\r\n"), "text/calendar");
        assert_eq!(item_type(b"begin:vcard\r\n"), "text/vcard");
        assert_eq!(item_type(b"From: a@x\r\n"), "message/rfc822");
        assert_eq!(item_type(b""), "message/rfc822");
    }
}
