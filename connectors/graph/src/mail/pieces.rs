//! A message whose MIME cannot be had whole: its JSON and its attachments, each a part of its own.
//!
//! Parts: `message` (the message resource), and for the n-th attachment `attachment/<n>` (its bytes) and
//! `attachment/<n>/meta` (its resource without bytes; under `transhume.error` the refusal, where its bytes were refused).

use crate::{
    endpoint::{IMMUTABLE, preferring, segment},
    faults::Asked,
    json,
    service::{Service, reaching},
    wire,
};
use bytes::Bytes;
use futures::StreamExt;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value, json};
use transhume_contract::{Facts, Fault, ItemRef, OriginalSink, Part, Reach, Remedy, What};
use transhume_http::{Request, Url};

/// Everything a message resource holds; `internetMessageHeaders` comes only when named.
const SELECT: &str = "id,createdDateTime,lastModifiedDateTime,changeKey,categories,receivedDateTime,sentDateTime,\
                      hasAttachments,internetMessageId,internetMessageHeaders,subject,importance,parentFolderId,\
                      conversationId,conversationIndex,isDeliveryReceiptRequested,isReadReceiptRequested,isRead,isDraft,\
                      inferenceClassification,body,sender,from,toRecipients,ccRecipients,bccRecipients,replyTo,flag";
/// Without bytes: the list is not paged, and with bytes it exhausts the service (`ErrorTooManyObjectsOpened`).
const LISTED: &str = "id,name,contentType,size,isInline,lastModifiedDateTime";
/// A content id belongs to file attachments alone.
const CONTENT_ID: &str = ",microsoft.graph.fileAttachment/contentId,microsoft.graph.fileAttachment/contentLocation";
const ATTEMPTS: usize = 5;

/// What rights management makes of a message ([MS-OXORMMS] section 2.2.3).
const RIGHTS_PROTECTED: &str = "application/x-microsoft-rpmsg-message";

/// One message, fetched in pieces.
pub struct Pieces<'a> {
    pub service: &'a Service,
    pub item: &'a ItemRef,
}

impl Pieces<'_> {
    /// The facts tell whether rights management encrypted it.
    pub async fn fetch(&self, into: &mut dyn OriginalSink) -> Result<Facts, Fault> {
        let request = self.request(&format!("?$select={SELECT}"));
        let (IgnoredAny, message) = self.service.parsed(request, Asked::Item, "a message").await?;
        let message = json::verbatim(message.to_vec(), "a message")?;
        put(into, "message".into(), "application/json", message.into()).await?;
        let mut protected = false;
        for (n, meta) in self.attachments().await?.into_iter().enumerate() {
            let kind = meta.get("contentType").and_then(Value::as_str).unwrap_or_default();
            protected |= kind.eq_ignore_ascii_case(RIGHTS_PROTECTED);
            self.attachment(n, meta, into).await?;
        }
        Ok(Facts { protected: protected.then_some(true), ..Facts::default() })
    }

    async fn attachments(&self) -> Result<Vec<Map<String, Value>>, Fault> {
        let rows = match self.listed(CONTENT_ID).await {
            Err(fault) if fault.what == What::Unsupported => self.listed("").await?,
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
    async fn listed(&self, more: &str) -> Result<Vec<Value>, Fault> {
        let mut request = self.request(&format!("/attachments?$select={LISTED}{more}"));
        let mut rows = Vec::new();
        loop {
            let page: wire::Page = self.service.json(request, Asked::Item, "the attachments of a message").await?;
            rows.extend(page.value);
            let Some(link) = &page.next_link else { return Ok(rows) };
            let endpoint = &self.service.endpoint;
            let at = endpoint.kept(link).and_then(|link| endpoint.resumed(&link));
            request = self.asking(at.map_err(|fault| fault.reaching(Reach::Item))?);
        }
    }

    async fn attachment(
        &self,
        n: usize,
        mut meta: Map<String, Value>,
        into: &mut dyn OriginalSink,
    ) -> Result<(), Fault> {
        let known = wire::Attachment::deserialize(Value::Object(meta.clone()))
            .map_err(|error| Fault::new(What::Malformed, format!("an attachment cannot be understood: {error}")))?;
        // The bytes of a reference attachment are elsewhere: asking for them is a 405.
        let is = |kind: &str| known.odata_type.as_deref().is_some_and(|own| own.ends_with(kind));
        if !is("referenceAttachment") {
            let media_type = if is("itemAttachment") { None } else { Some(media_type(&known).to_owned()) };
            let taking = Attached { pieces: self, name: format!("attachment/{n}"), media_type, id: known.id };
            if let Some(error) = taking.take(into).await? {
                meta.insert("transhume.error".into(), error);
            }
        }
        let meta = Bytes::from(Value::Object(meta).to_string());
        put(into, format!("attachment/{n}/meta"), "application/json", meta).await
    }

    fn request(&self, below: &str) -> Request {
        let (user, message) = (self.item.account.id.as_str(), segment(self.item.id.as_str()));
        self.asking(self.service.endpoint.at(&format!("/users/{}/messages/{message}{below}", segment(user))))
    }

    fn asking(&self, url: Url) -> Request {
        preferring(self.service.endpoint.mailbox(self.item.account.id.as_str(), url), &[IMMUTABLE])
    }
}

/// The bytes of one attachment.
struct Attached<'a> {
    pieces: &'a Pieces<'a>,
    name: String,
    /// Unknown for an attached item: what it is, its first bytes tell.
    media_type: Option<String>,
    id: String,
}

impl Attached<'_> {
    /// Takes the bytes; or tells why the service refuses this one for good, so that the message is kept.
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
        let request = self.pieces.request(&format!("/attachments/{}/$value", segment(&self.id)));
        let answer = self.pieces.service.stream(request, Asked::Item, "an attachment").await?;
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
