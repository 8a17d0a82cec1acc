//! Documents of others: fetched by a guarded part, kept for a while.

use super::HostError;

/// What a fetch may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// The most a body may have, bytes.
    pub max_bytes: u64,
    /// The most all of it may take, milliseconds.
    pub timeout_ms: u64,
}

/// A document as it was answered with 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The body.
    pub body: Vec<u8>,
    /// `Content-Type`, where there was one.
    pub content_type: Option<String>,
    /// How long it may be kept, by its `Cache-Control`: seconds (RFC 9111 §5.2.2.1).
    pub max_age: Option<u64>,
}

/// Why there is no document. Nothing of it is told to a client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The URL or its address is not one to be called.
    #[error("refused: {0}")]
    Refused(String),
    /// It did not answer, not in time, or not with 200 and a body of acceptable size.
    #[error("failed: {0}")]
    Failed(String),
}

/// Documents of others.
pub trait Outbound {
    /// Fetches the document at an https URL that a client named. Special-use addresses are refused, redirects are not
    /// followed.
    async fn fetch_document(&self, url: &str, limits: FetchLimits) -> Result<Document, FetchError>;
}

/// A kept document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedDocument {
    /// The body.
    pub body: Vec<u8>,
    /// When it was last asked for, seconds since the Unix epoch.
    pub fetched_at: u64,
    /// Until when it is fresh, seconds since the Unix epoch.
    pub expires_at: u64,
}

/// Documents kept for a while, for every instance.
pub trait DocumentCache {
    /// The document of this URL, where it is fresh.
    async fn cached_document(&self, url: &str, now: u64) -> Result<Option<CachedDocument>, HostError>;
    /// Keeps a document, in the place of any before it.
    async fn cache_document(&self, url: &str, document: &CachedDocument) -> Result<(), HostError>;
}
