//! What is good once or for a while: one-time identifiers, nonces, and tags over what the server hands out.

use super::HostError;
use crate::secret::Digest;

/// Whether an identifier has been seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This call claimed it.
    Fresh,
    /// Another had.
    Replayed,
}

/// One-time identifiers.
pub trait ReplayStore {
    /// Claims the identifier, once; the entry may go at `expires_at`.
    async fn claim(&self, key: &Digest, expires_at: u64, now: u64) -> Result<Claim, HostError>;
}

/// Nonces that are good once (RFC 9449 §8), where the operator wants them kept.
pub trait NonceStore {
    /// Keeps a new nonce.
    async fn issue_nonce(&self, nonce: &Digest, expires_at: u64) -> Result<(), HostError>;
    /// Whether the nonce is good, without consuming it.
    async fn is_nonce_live(&self, nonce: &Digest, now: u64) -> Result<bool, HostError>;
    /// Consumes the nonce, once; `false` where it is unknown, expired or had been consumed.
    async fn accept_nonce(&self, nonce: &Digest, now: u64) -> Result<bool, HostError>;
}

/// Tags that only this server can make, under a secret that stays in the keystore.
pub trait Mac {
    /// The tag over `input` for this purpose.
    async fn mac(&self, purpose: &str, input: &[u8]) -> Result<[u8; 32], HostError>;
    /// Whether `tag` is the one over `input` for this purpose, or was under the previous secret.
    async fn verify_mac(&self, purpose: &str, input: &[u8], tag: &[u8]) -> Result<bool, HostError>;
}
