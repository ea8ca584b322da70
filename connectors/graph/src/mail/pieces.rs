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
use transhume_contract::{Fault, ItemRef, OriginalSink, Part, Reach, Remedy, What};
use transhume_http::Request;

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

/// One message, fetched in pieces.
pub struct Pieces<'a> {
    pub service: &'a Service,
    pub item: &'a ItemRef,
}

impl Pieces<'_> {
    pub async fn fetch(&self, into: &mut dyn OriginalSink) -> Result<(), Fault> {
        let request = self.request(&format!("?$select={SELECT}"));
        let (IgnoredAny, message) = self.service.parsed(request, Asked::Item, "a message").await?;
        let message = json::verbatim(message.to_vec(), "a message")?;
        put(into, "message".into(), "application/json", message.into()).await?;
        for (n, meta) in self.attachments().await?.into_iter().enumerate() {
            self.attachment(n, meta, into).await?;
        }
        Ok(())
    }

    async fn attachments(&self) -> Result<Vec<Map<String, Value>>, Fault> {
        let page = match self.listed(CONTENT_ID).await {
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
        page.value.into_iter().map(resource).collect()
    }

    async fn listed(&self, more: &str) -> Result<wire::Page, Fault> {
        let request = self.request(&format!("/attachments?$select={LISTED}{more}"));
        self.service.json(request, Asked::Item, "the attachments of a message").await
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
            let media_type = if is("itemAttachment") { "message/rfc822" } else { media_type(&known) };
            if let Some(error) = self.bytes(n, &known.id, media_type, into).await? {
                meta.insert("transhume.error".into(), error);
            }
        }
        let meta = Bytes::from(Value::Object(meta).to_string());
        put(into, format!("attachment/{n}/meta"), "application/json", meta).await
    }

    /// The bytes of one attachment; or why the service refuses this one for good, so that the message is kept.
    async fn bytes(
        &self,
        n: usize,
        id: &str,
        media_type: &str,
        into: &mut dyn OriginalSink,
    ) -> Result<Option<Value>, Fault> {
        let part = Part { name: format!("attachment/{n}"), media_type: media_type.to_owned(), length: None };
        let (mut attempts, mut part) = (0, Some(part));
        loop {
            attempts += 1;
            match self.stream(id, &mut part, into).await {
                Ok(()) => return Ok(None),
                Err(fault) if matches!(fault.remedy, Remedy::Skip(_)) && fault.reach == Reach::Item => {
                    return Ok(Some(json!({"code": fault.code, "message": fault.sentence})));
                }
                Err(fault) if fault.what == What::Unreachable && attempts < ATTEMPTS => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Opens the part once the service answers, and only the first time.
    async fn stream(&self, id: &str, part: &mut Option<Part>, into: &mut dyn OriginalSink) -> Result<(), Fault> {
        let request = self.request(&format!("/attachments/{}/$value", segment(id)));
        let answer = self.service.stream(request, Asked::Item, "an attachment").await?;
        if let Some(part) = part.take()
            && into.open(part).await? > 0
        {
            into.restart().await?;
        }
        let mut body = answer.stream();
        while let Some(piece) = body.next().await {
            match piece {
                Ok(bytes) => into.write(bytes).await?,
                Err(fault) => {
                    into.restart().await?;
                    return Err(reaching(fault, Asked::Item));
                }
            }
        }
        into.close().await
    }

    fn request(&self, below: &str) -> Request {
        let (user, message) = (self.item.account.id.as_str(), segment(self.item.id.as_str()));
        let url = self.service.endpoint.at(&format!("/users/{}/messages/{message}{below}", segment(user)));
        preferring(self.service.endpoint.mailbox(user, url), &[IMMUTABLE])
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
