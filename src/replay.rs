//! Identifiers that are good once: the `jti` of a DPoP proof (RFC 9449 §11.1) or of an assertion (RFC 7523 §3).

use crate::secret::Digest;

/// A one-time identifier that a request has shown and nobody has claimed for it yet. It is claimed after every check that
/// could still refuse the request: what is refused burns nothing, and strangers cannot fill the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what is not claimed can be used again"]
pub struct ReplayClaim {
    /// The identifier, in the namespace of its use and of its issuer.
    pub key: Digest,
    /// When whatever carries it is refused anyway, clock skew included: seconds since the Unix epoch.
    pub expires_at: u64,
}

impl ReplayClaim {
    /// The identifier `jti` of `issuer` (a client, a key) in the namespace `use_`.
    pub fn new(use_: &'static str, issuer: &str, jti: &str, expires_at: u64) -> Self {
        Self { key: Digest::of_parts([use_, issuer, jti].map(str::as_bytes)), expires_at }
    }
}
