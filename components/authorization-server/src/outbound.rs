//! The engine's outbound HTTP, as the part provides it.

use attesto::host::{Document, FetchError, FetchLimits, Outbound};

use crate::bindings::attesto::outbound::fetcher::{Limits, fetch_document};
use crate::bindings::attesto::outbound::types::Error;
use crate::host::Parts;

impl Outbound for Parts {
    async fn fetch_document(&self, url: &str, limits: FetchLimits) -> Result<Document, FetchError> {
        let limits = Limits { max_bytes: limits.max_bytes, timeout_ms: limits.timeout_ms };
        match fetch_document(url.to_owned(), limits).await {
            // The part is held to its limits.
            Ok(document) if document.body.len() as u64 > limits.max_bytes => {
                Err(FetchError::Failed("the part answered with more than was asked for".to_owned()))
            }
            Ok(document) => Ok(Document {
                body: document.body,
                content_type: document.content_type,
                max_age: document.max_age,
            }),
            Err(Error::Refused(reason)) => Err(FetchError::Refused(reason)),
            Err(Error::Failed(reason)) => Err(FetchError::Failed(reason)),
        }
    }
}
