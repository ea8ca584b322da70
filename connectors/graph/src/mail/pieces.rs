//! A message whose MIME cannot be had whole: its JSON and its attachments, each a part of its own.
//!
//! Parts: `message` (the message resource), and for the n-th attachment `attachment/<n>` (its bytes) and
//! `attachment/<n>/meta` (its resource without bytes; under `transhume.error` the refusal, where its bytes were refused).

use crate::{
    attached::{Attachments, OF_OUTLOOK, put, put_json},
    endpoint::{IMMUTABLE, preferring, segment},
    faults::Asked,
    json,
    service::Service,
};
use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::Value;
use transhume_contract::{Facts, Fault, ItemRef, OriginalSink};

/// Everything a message resource holds; `internetMessageHeaders` comes only when named.
const SELECT: &str = "id,createdDateTime,lastModifiedDateTime,changeKey,categories,receivedDateTime,sentDateTime,\
                      hasAttachments,internetMessageId,internetMessageHeaders,subject,importance,parentFolderId,\
                      conversationId,conversationIndex,isDeliveryReceiptRequested,isReadReceiptRequested,isRead,isDraft,\
                      inferenceClassification,body,sender,from,toRecipients,ccRecipients,bccRecipients,replyTo,flag";

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
        let user = self.item.account.id.as_str();
        let path = format!("/users/{}/messages/{}", segment(user), segment(self.item.id.as_str()));
        let url = self.service.endpoint.at(&format!("{path}?$select={SELECT}"));
        let request = preferring(self.service.endpoint.mailbox(user, url), &[IMMUTABLE]);
        let (IgnoredAny, message) = self.service.parsed(request, Asked::Item, "a message").await?;
        put_json(into, "message", json::verbatim(message.to_vec(), "a message")?).await?;
        let attachments = Attachments { service: self.service, user, item: path, select: OF_OUTLOOK };
        let mut protected = false;
        for (n, mut meta) in attachments.listed().await?.into_iter().enumerate() {
            let kind = meta.get("contentType").and_then(Value::as_str).unwrap_or_default();
            protected |= kind.eq_ignore_ascii_case(RIGHTS_PROTECTED);
            attachments.take(n, &mut meta, into).await?;
            let meta = Bytes::from(Value::Object(meta).to_string());
            put(into, format!("attachment/{n}/meta"), "application/json", meta).await?;
        }
        Ok(Facts { protected: protected.then_some(true), ..Facts::default() })
    }
}
