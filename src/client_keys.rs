//! The public keys of clients: registered with them, or at the `jwks_uri` they registered (RFC 7591 §2).

use rand_core::CryptoRng;

use crate::client::Client;
use crate::host::Host;
use crate::jose::{JwsError, UnverifiedJws, VerifiedJws, jws};
use crate::server::Context;

/// Why something a client signed is not verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientKeysError {
    /// The client has no keys, or none that could be had.
    #[error("the client has no keys: {0}")]
    NoKeys(String),
    /// It is not what one of its keys has signed.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// An internal fault, for the log.
    #[error("{0}")]
    Fault(String),
}

/// Verifies what a client has signed with one of its keys. Where the keys are at a `jwks_uri` and the `kid` is unknown, they
/// are fetched once more, at a pace.
pub async fn verify(
    _cx: &Context<'_, impl Host, impl CryptoRng>,
    _client: &Client,
    _jws: UnverifiedJws<'_>,
    _policy: &jws::Policy<'_>,
) -> Result<VerifiedJws, ClientKeysError> {
    Err(ClientKeysError::NoKeys("none".to_owned()))
}

/// The client's keys as they are registered or fetched: a JWK Set as JSON text, for what a JWK says beside its key.
pub async fn text(
    _cx: &Context<'_, impl Host, impl CryptoRng>,
    _client: &Client,
) -> Result<String, ClientKeysError> {
    Err(ClientKeysError::NoKeys("none".to_owned()))
}
