//! Pushed authorization requests (RFC 9126).

use super::HostError;
use crate::secret::Digest;

/// A stored request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPushedRequest {
    /// SHA-256 of the `request_uri`.
    pub digest: Digest,
    /// Whose it is.
    pub client_id: String,
    /// Seconds since the Unix epoch.
    pub expires_at: u64,
    /// The encoded [`crate::pushed_request::PushedRequest`].
    pub request: Vec<u8>,
}

/// Pushed authorization requests.
pub trait PushedRequestStore {
    /// Keeps a new request.
    async fn put_pushed_request(&self, request: StoredPushedRequest) -> Result<(), HostError>;
    /// Looks without consuming: the person may have to sign in, and comes back.
    async fn fetch_pushed_request(
        &self,
        digest: &Digest,
        now: u64,
    ) -> Result<Option<StoredPushedRequest>, HostError>;
    /// Takes the request, once; `false` where it is unknown, expired or had been taken.
    async fn take_pushed_request(&self, digest: &Digest, now: u64) -> Result<bool, HostError>;
}
